"""How long a command takes while both channels run, on the emulated Pico.

    python -m rheobase.emulator.round_trips [--commands 300] [--steps 40] [--seed 1]

From the line handed to the host's end of the bus to the last byte of its reply there, while both
channels run at 100 Hz with ramps; and from a new intensity to the first phase that has it. Needs
RHEOBASE_PICO_IMAGE and RHEOBASE_PICO_BOOTROM. The exit code is 1 if a bar does not hold.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Sequence
from typing import NamedTuple

from rheobase.client import Stimulator
from rheobase.emulator.benched import BenchedPico
from rheobase.emulator.running import configure_both, connected, moments, start

MEDIAN_MS, MOST_MS, AMPLITUDE_MS = 5.0, 15.0, 30.0
LINES = (
    "SOUR1:CURR?",
    "SESS:STAT?",
    "MEAS1:PULS?",
    "SOUR2:PULS:WIDT?;GAP?",
    "SYST:ERR?",
    "SOUR1:CURR 0.5mA;CURR?",
    "SESS:TIME?;CONT?",
    "SOUR2:RAMP:UP?;DOWN?;:SOUR2:CYCL:ON?",
)
_LOW_UA, _HIGH_UA = 480, 960  # whole levels
_STEP_S = 0.55


class RoundTrips(NamedTuple):
    """All times in ms."""

    by_line: dict[str, list[float]]
    amplitude: list[float]

    @property
    def all(self) -> list[float]:
        return sorted(ms for times in self.by_line.values() for ms in times)

    @property
    def median(self) -> float:
        return statistics.median(self.all)

    @property
    def most(self) -> float:
        """What 99 % stay within."""
        return self.all[len(self.all) * 99 // 100]

    @property
    def ok(self) -> bool:
        slowest = max(self.amplitude)
        return self.median <= MEDIAN_MS and self.most <= MOST_MS and slowest <= AMPLITUDE_MS


def round_trip(pico: BenchedPico, line: str, clock: int) -> float:
    """Send a line at `clock`; ms until its whole reply is there."""
    pico.run_until(clock)
    pico.serial.read()
    pico.serial.write(line + "\n")
    pico.run_until_text("\n", 3.0)
    return (pico.serial.log[-1][0] - clock) / pico.clock_hz * 1e3


def new_amplitude(pico: BenchedPico, level_ua: int, clock: int) -> float:
    """Set channel 1 to `level_ua` at `clock`; ms until the first phase that has it begins."""
    pico.run_until(clock)
    before = len(list(pico.bench.recorder.phases(1)))
    pico.serial.write(f"SOUR1:CURR {level_ua}E-6\n")
    pico.run_for(0.12)
    for phase in list(pico.bench.recorder.phases(1))[before:]:
        if phase.start >= clock and round(phase.commanded_a * 1e6) == level_ua:
            return (phase.start - clock) / pico.clock_hz * 1e3
    raise AssertionError(f"no phase with {level_ua} uA within 120 ms")


def measure(commands: int, steps: int, seed: int) -> RoundTrips:
    """A session for the commands, and one on the plateau for the intensities."""
    by_line: dict[str, list[float]] = {line: [] for line in LINES}
    amplitude = []
    with connected(keep=("phases",)) as (pico, stimulator):
        configure_both(stimulator)
        _start(pico, stimulator)
        for number, moment in enumerate(moments(seed, commands, pico.clocks(0.02))):
            line = LINES[number % len(LINES)]
            by_line[line].append(round_trip(pico, line, pico.now + moment))
        pico.run_for(0.05)
        pico.serial.read()
    with connected(keep=("phases",)) as (pico, stimulator):
        configure_both(stimulator)
        stimulator.channel(1).configure(ramp_up_s=0.0, on_s=float("inf"))
        _start(pico, stimulator)
        for number, moment in enumerate(moments(seed, steps, pico.clocks(0.02))):
            level_ua = _LOW_UA if number % 2 == 0 else _HIGH_UA
            pico.run_for(_STEP_S)
            amplitude.append(new_amplitude(pico, level_ua, pico.now + moment))
    return RoundTrips(by_line, amplitude)


def _start(pico: BenchedPico, stimulator: Stimulator) -> None:
    """Run, and both intensities at 0.96 mA."""
    start(stimulator)
    for number in (1, 2):
        stimulator.channel(number).current_ma = _HIGH_UA / 1000
    pico.run_for(_STEP_S)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--commands", type=int, default=300)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    try:
        found = measure(options.commands, options.steps, options.seed)
    except FileNotFoundError as error:
        print(error)
        return 2
    for line, times in found.by_line.items():
        print(f"{line:40} median {statistics.median(times):6.2f}  worst {max(times):6.2f} ms")
    print(
        f"round trip of {len(found.all)} commands: median {found.median:.2f} ms "
        f"(bar {MEDIAN_MS:g}), 99 % within {found.most:.2f} ms (bar {MOST_MS:g})"
    )
    print(
        f"new intensity to its first phase, {len(found.amplitude)} steps: median "
        f"{statistics.median(found.amplitude):.1f}, worst {max(found.amplitude):.1f} ms "
        f"(bar {AMPLITUDE_MS:g})"
    )
    print("ok" if found.ok else "OVER")
    return 0 if found.ok else 1


if __name__ == "__main__":
    sys.exit(main())
