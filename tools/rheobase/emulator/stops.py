"""How long after the stop byte the outputs are off, on the emulated Pico.

    python -m rheobase.emulator.stops [--moments 1000] [--seed 1]

Both channels run at 100 Hz with ramps. The byte is handed to the host's end of the bus at random
moments; what is measured is when the last output pin has been taken from the tape (it then is
low), whether a phase was just being played or not. Needs RHEOBASE_PICO_IMAGE and
RHEOBASE_PICO_BOOTROM. The exit code is 1 if a bar does not hold.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Callable, Sequence
from typing import NamedTuple

from rheobase.build import MANIFEST, ROOT, files_of_firmware, manifest
from rheobase.client import Stimulator
from rheobase.emulator.benched import BenchedPico
from rheobase.emulator.running import OUTPUTS, configure_both, connected, moments, start

MEDIAN_MS, WORST_MS, COLLECTING_MS = 1.0, 5.0, 30.0
_WITHIN_S = 0.06  # the byte comes so long after the first edge, and the command before it
_LIMIT_S = 1.0

COMMANDS = (
    "SOUR1:CURR?",
    "SOUR1:CURR 1mA",
    "SOUR2:PULS:WIDT 250us",
    "SOUR1:PULS:WIDT?;GAP?;:SESS:STAT?;TIME?",
    "SYST:ERR?",
    "FREQ 1,2,3",
    "*IDN?",
    "SYST:HELP:HEAD?",
)

# The firmware as it is, but with a garbage collection in every tenth turn of its loop.
COLLECTING_MAIN = b'''
import gc
from firmware.app import App
from firmware.boards import pico_reference


class Collecting(App):
    turns = 0

    def turn(self):
        super().turn()
        self.turns += 1
        if self.turns % 10 == 0:
            gc.collect()


Collecting(pico_reference).run()
'''


class Times(NamedTuple):
    """Stop byte to outputs off, in ms, and the bar for the worst."""

    name: str
    ms: list[float]
    bar_ms: float

    @property
    def median(self) -> float:
        return statistics.median(self.ms)

    @property
    def worst(self) -> float:
        return max(self.ms)

    @property
    def ok(self) -> bool:
        return self.worst <= self.bar_ms

    def __str__(self) -> str:
        share = sorted(self.ms)[min(len(self.ms) - 1, len(self.ms) * 99 // 100)]
        return (
            f"{self.name:34} {len(self.ms):5} moments  median {self.median:6.2f}  "
            f"99 % {share:6.2f}  worst {self.worst:6.2f} ms  bar {self.bar_ms:g}  "
            f"{'ok' if self.ok else 'OVER'}"
        )


def stop_at(pico: BenchedPico, stimulator: Stimulator, clock: int) -> float:
    """Send the byte at `clock` and wait for the outputs; ms. The session is over then."""
    pico.serial.write(b"!\n", at=clock)
    pico.run_until(clock)
    off = pico.run_until_taken(OUTPUTS, _LIMIT_S)
    pico.take_edges()
    pico.serial.reading = True
    pico.run_for(0.03)
    if any(levels & OUTPUTS for at, levels in pico.take_edges() if at > off):
        raise AssertionError(f"an output was high after the stop at {clock}")
    stimulator.abort()
    return (off - clock) / pico.clock_hz * 1e3


Before = Callable[[BenchedPico, int, int], None]


def measure(
    name: str,
    count: int,
    seed: int,
    before: Before = lambda pico, clock, number: None,
    *,
    files: dict[str, bytes] | None = None,
    bar_ms: float = WORST_MS,
) -> Times:
    """Stop `count` sessions; `before(pico, clock of the byte, number)` prepares the moment."""
    times = []
    with connected(files) as (pico, stimulator):
        configure_both(stimulator)
        for number, moment in enumerate(moments(seed, count, pico.clocks(_WITHIN_S))):
            start(stimulator)
            clock = pico.now + pico.clocks(0.02) + moment
            before(pico, clock, number)
            times.append(stop_at(pico, stimulator, clock))
    return Times(name, times, bar_ms)


def after_a_command(pico: BenchedPico, clock: int, number: int) -> None:
    """One of the commands comes up to 10 ms before the byte."""
    ahead = (number * 7919) % pico.clocks(0.010)
    pico.serial.write(COMMANDS[number % len(COMMANDS)] + "\n", at=clock - ahead)


def unread(pico: BenchedPico, clock: int, number: int) -> None:
    """The host asks and asks and does not read the answers."""
    pico.serial.reading = False
    for at in range(12):
        pico.serial.write("*IDN?\n", at=clock - pico.clocks(0.001 * at) - 1)


def collecting_files() -> dict[str, bytes]:
    files = files_of_firmware(ROOT, compiled=True)
    del files[MANIFEST]
    files["main.py"] = COLLECTING_MAIN
    return {**files, MANIFEST: manifest(files)}


def all_times(count: int, seed: int) -> list[Times]:
    """Half the moments while only the session runs, the others under three burdens."""
    part = max(1, count // 6)
    return [
        measure("session alone", count - 3 * part, seed),
        measure("a command just before", part, seed + 1, after_a_command),
        measure("the host does not read", part, seed + 2, unread),
        measure(
            "garbage collections all the time",
            part,
            seed + 3,
            files=collecting_files(),
            bar_ms=COLLECTING_MS,
        ),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--moments", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    try:
        found = all_times(options.moments, options.seed)
    except FileNotFoundError as error:
        print(error)
        return 2
    print("stop byte to all outputs off")
    for times in found:
        print(times)
    median = statistics.median(ms for times in found for ms in times.ms)
    print(f"median of all {median:.2f} ms  bar {MEDIAN_MS:g}")
    return 0 if median <= MEDIAN_MS and all(times.ok for times in found) else 1


if __name__ == "__main__":
    sys.exit(main())
