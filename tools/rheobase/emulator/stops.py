"""How long after the stop byte the outputs are off, on the emulated Pico.

    python -m rheobase.emulator.stops [--moments 1000] [--seed 1]

Both channels run at 100 Hz with ramps. The byte is handed to the host's end of the bus at random
moments of one session, which goes on from each of them as if it had not been stopped; what is
measured is when the last output pin has been taken from the tape (it then is low), whether a
phase was just being played or not. "worst" is without the time that a garbage collection took,
"collecting" with it. Needs RHEOBASE_PICO_IMAGE and RHEOBASE_PICO_BOOTROM. The exit code is 1 if a
bar does not hold.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from rheobase.build import MANIFEST, ROOT, files_of_firmware, manifest
from rheobase.emulator.benched import BenchedPico
from rheobase.emulator.pico import EmulatedPico
from rheobase.emulator.running import (
    OUTPUTS,
    configure_both,
    connected,
    moments,
    needed_files,
    start,
)

MEDIAN_MS, WORST_MS, COLLECTING_MS = 1.0, 5.0, 30.0
LEAD_S = 0.015  # from where a life branches off to the byte
_LEAST_S, _SPACING_S = 1.5, 0.02  # the moments lie in as many seconds of a session
_LIMIT_S = 1.0
_STAYS_OFF_S = 0.03

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


class Stop(NamedTuple):
    """One stop byte: ms to the outputs off, and how many of them went into a collection."""

    ms: float
    collecting_ms: float


class Times(NamedTuple):
    """The stops under one burden."""

    name: str
    stops: list[Stop]

    @property
    def median(self) -> float:
        return statistics.median(stop.ms for stop in self.stops)

    @property
    def worst(self) -> float:
        """Without what a collection took."""
        return max(stop.ms - stop.collecting_ms for stop in self.stops)

    @property
    def worst_collecting(self) -> float:
        return max(stop.ms for stop in self.stops)

    @property
    def ok(self) -> bool:
        return self.worst <= WORST_MS and self.worst_collecting <= COLLECTING_MS

    def __str__(self) -> str:
        times = sorted(stop.ms for stop in self.stops)
        within = times[min(len(times) - 1, len(times) * 99 // 100)]
        return (
            f"{self.name:34} {len(times):5}  {self.median:8.2f} {within:8.2f} {self.worst:8.2f} "
            f"{self.worst_collecting:8.2f}   {'ok' if self.ok else 'OVER'}"
        )


class Collector:
    """Tells how long a piece of the CPU's time went into garbage collections.

    By where the program counter is: the same image, with nothing else to do, is watched while it
    collects, and the stretches of code that it is seen in are the collector's.
    """

    _STRETCH = 64  # bytes
    _LEAST = 0.005  # of the time, to be the collector's
    _LOOK_S = 20e-6

    def __init__(self) -> None:
        with EmulatedPico(*needed_files()) as pico:
            pico.run_until_text(">>> ")
            pico.run_python("import gc\nkept = [[i] for i in range(3000)]")
            pico.serial.write("while True: gc.collect()\r\r")
            pico.run_for(0.01)
            seen = Counter(self._stretches(pico, pico.now + pico.clocks(0.1)))
        least = self._LEAST * seen.total()
        self._own = {stretch for stretch, times in seen.items() if times >= least}

    def _stretches(self, pico: EmulatedPico, end: int) -> Iterator[int]:
        while pico.now < end:
            yield pico.program_counter // self._STRETCH
            pico.run_for(self._LOOK_S)

    def ms_until(self, pico: EmulatedPico, end: int) -> float:
        """Let time pass up to clock `end`; ms of it that were spent collecting."""
        looks = sum(stretch in self._own for stretch in self._stretches(pico, end))
        return looks * self._LOOK_S * 1e3


def stop_at(pico: BenchedPico, clock: int) -> int:
    """Send the byte at `clock`; the clock at which the outputs are off."""
    pico.serial.write(b"!\n", at=clock)
    pico.run_until(clock)
    return pico.run_until_taken(OUTPUTS, _LIMIT_S)


def stays_off(pico: BenchedPico, since: int) -> None:
    pico.run_for(_STAYS_OFF_S)
    if any(levels & OUTPUTS for at, levels in pico.take_edges() if at > since):
        raise AssertionError(f"an output was high after it was off at {since}")


Burden = Callable[[BenchedPico, int, int], None]


def measure(
    name: str,
    count: int,
    seed: int,
    burden: Burden = lambda pico, clock, number: None,
    *,
    files: dict[str, bytes] | None = None,
) -> Times:
    """Stop one session at `count` moments, each in a life of its own.

    The session goes on to each moment as if no other had been; what branches off there is
    `burden(pico, clock of the byte, number)` and the byte, `LEAD_S` later.
    """
    stops = []
    collector = None
    with connected(files) as (pico, stimulator):
        configure_both(stimulator)
        start(stimulator)
        begun = pico.now
        within = pico.clocks(max(_LEAST_S, count * _SPACING_S))
        for number, moment in enumerate(sorted(moments(seed, count, within))):
            pico.run_until(begun + moment)
            pico.take_edges()
            here = pico.snapshot()
            clock = pico.now + pico.clocks(LEAD_S)
            burden(pico, clock, number)
            off = stop_at(pico, clock)
            stays_off(pico, off)
            ms = (off - clock) / pico.clock_hz * 1e3
            collecting_ms = 0.0
            pico.restore(here)
            if ms > WORST_MS:  # lived through once more, slowly
                collector = collector or Collector()
                burden(pico, clock, number)
                pico.serial.write(b"!\n", at=clock)
                pico.run_until(clock)
                collecting_ms = collector.ms_until(pico, off)
                pico.restore(here)
            stops.append(Stop(ms, collecting_ms))
            here.forget()
    return Times(name, stops)


def after_a_command(pico: BenchedPico, clock: int, number: int) -> None:
    """One of the commands comes up to 10 ms before the byte."""
    ahead = (number * 791_907) % pico.clocks(0.010)
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
        measure("garbage collections all the time", part, seed + 3, files=collecting_files()),
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
    print(
        f"stop byte to all outputs off, ms           median     99 %    worst collecting\n"
        f"bars{'':54}{WORST_MS:8g} {COLLECTING_MS:8g}"
    )
    for times in found:
        print(times)
    median = statistics.median(stop.ms for times in found for stop in times.stops)
    print(f"median of all {median:.2f} ms  bar {MEDIAN_MS:g}")
    return 0 if median <= MEDIAN_MS and all(times.ok for times in found) else 1


if __name__ == "__main__":
    sys.exit(main())
