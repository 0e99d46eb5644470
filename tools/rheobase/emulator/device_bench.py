"""Speed and memory on the device: `python -m rheobase.emulator.device_bench`.

Measured on the emulated Pico with a genuine image, in clocks, so that the figures repeat. The
emulator has no waits for flash: a real board is slower by what its cache misses. The heap is
that of the firmware and the probe which reads it (device_probe.py, about 1 KB).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from firmware.boards import pico_reference
from rheobase.build import MANIFEST, files_of_firmware, manifest
from rheobase.emulator.benched import BenchedPico
from rheobase.emulator.image import NO_FILES_NAMED, named_files
from rheobase.emulator.pico import CLOCK_HZ
from rheobase.sim.bench import Bench, Recorder, Wiring

PROBE = Path(__file__).with_name("device_probe.py")


# What a person does before arming.
PREPARED = ("SOUR1:PAD:AREA 50CM2", "SOUR2:PAD:AREA 50CM2", 'CHEC:ACKN "D1"')


class Figure(NamedTuple):
    """What was measured, and the bar: `most` or `least` it may be, or neither."""

    name: str
    value: float
    unit: str
    most: float | None = None
    least: float | None = None

    @property
    def ok(self) -> bool:
        below = self.most is None or self.value <= self.most
        return below and (self.least is None or self.value >= self.least)

    @property
    def bar(self) -> str:
        if self.most is not None:
            return f"at most {self.most:g}"
        return "" if self.least is None else f"at least {self.least:g}"

    def line(self) -> str:
        verdict = "" if not self.bar else "ok" if self.ok else "OVER"
        value = f"{self.value:.0f}" if self.value == int(self.value) else f"{self.value:.3g}"
        return f"{self.name:<94} {value:>6} {self.unit:<4} {self.bar:<14} {verdict}"


class Load(NamedTuple):
    """What is played to measure the processor's time."""

    name: str
    lines: Sequence[str]


def _both(settings: str, session: str = "DUR 60") -> list[str]:
    one, two = (settings.replace("SOUR", f"SOUR{n}") for n in (1, 2))
    return [one, two, f"SESS:{session}"]


RAMPS = Load(
    "two channels at 100 Hz with ramps",
    _both("SOUR:STAT ON;FREQ 100;:SOUR:RAMP:UP 1;DOWN 1;:SOUR:CYCL:ON 1;OFF 0.2"),
)
RAMPS_PERIOD_S = 3.2
RUSSIAN = Load(
    "Russian 2.5 kHz bursts on both channels",
    _both(
        "SOUR:STAT ON;FREQ 50;PULS:WIDT 198us;GAP 2us;:SOUR:BURS:COUN 25;INT 400us;"
        ":SOUR:CYCL:ON INF;:SOUR:RAMP:UP 0.2;DOWN 0.2",
        "PATT SIM;DUR 60",
    ),
)


def singles(rate: int) -> Load:
    return Load(
        f"single pulses, {rate} Hz on both",
        _both(f"SOUR:STAT ON;FREQ {rate};PULS:WIDT 100us;:SOUR:CYCL:ON INF"),
    )


def bursts(rate: int) -> Load:
    return Load(
        f"bursts of 20 at 5 kHz, {rate} Hz on both",
        _both(
            f"SOUR:STAT ON;FREQ {rate};PULS:WIDT 40us;GAP 20us;:SOUR:BURS:COUN 20;INT 200us;"
            ":SOUR:CYCL:ON INF"
        ),
    )


SINGLES = [singles(rate) for rate in (200, 300, 400, 500)]
LONG = Load(
    "bursts of 50 at 5 kHz, 90 Hz on one channel",
    [
        "SOUR1:STAT ON;FREQ 90;PULS:WIDT 40us;GAP 20us;:SOUR1:BURS:COUN 50;INT 200us;"
        ":SOUR1:CYCL:ON INF",
        "SESS:DUR 60",
    ],
)
BURSTS = [*(bursts(rate) for rate in (60, 80, 100)), LONG]


class Device:
    """The emulated Pico with the firmware at work, driven by typed lines."""

    def __init__(self, files: dict[str, bytes]) -> None:
        named = named_files()
        if named is None:
            raise FileNotFoundError(NO_FILES_NAMED)
        bench = Bench(Wiring.of(pico_reference), Recorder(()))
        self.pico = BenchedPico(*named, files, bench=bench)
        self.pico.serial.write("*IDN?\n")
        self.pico.run_until_text("Rheobase")
        self.answers_s = self.pico.now_s
        self.ask("SYST:PROM ON")

    def try_stop(self) -> None:
        """The stop button pressed and released, as it must be once after power-up."""
        self.settle()
        self.pico.bench.press_stop()
        self.pico.run_for(0.1)
        self.pico.bench.release_stop()
        self.pico.run_for(0.1)

    def ask(self, line: str) -> str:
        """The answer to a line; RuntimeError if it is an error."""
        self.pico.run_for(0.01)
        self.pico.serial.read()
        self.pico.serial.write(line + "\n")
        answer = self.pico.run_until_text("\n").decode().strip()
        while answer.startswith(("heap ", "left ")):
            answer = self.pico.run_until_text("\n").decode().strip()
        if re.match(r'-?\d+,"', answer):
            raise RuntimeError(f"{line}: {answer}")
        return answer

    def play(self, load: Load) -> None:
        """Start a session at amplitude zero."""
        self.ask("ABOR")
        if self.ask("SESS:STAT?") == "FAULT":
            self.ask("FAUL:CLE")
        self.settle()
        for line in ("*RST", "SESS:STAN ON", *load.lines, *PREPARED, "CURR:LOCK OFF"):
            self.ask(line)
        self.ask(f"ARM {self.ask('ARM:HASH?')}")
        self.settle()
        self.ask("OUTP ON")

    def settle(self) -> None:
        """Wait for the end of a self-test or of an arming."""
        while self.ask("SESS:STAT?") in ("BOOT", "SELFTEST", "CHECKING"):
            self.pico.run_for(0.05)

    def climb(self, milliamperes: int) -> None:
        """Raise both intensities, a step of 1 mA twice a second."""
        for step in range(1, milliamperes + 1):
            self.ask(f"SOUR1:CURR {step}mA")
            self.ask(f"SOUR2:CURR {step}mA")
            self.pico.run_for(0.51)

    def pulses(self) -> int:
        return sum(int(self.ask(f"MEAS{n}:PULS?")) for n in (1, 2))

    def busy(self, seconds: float) -> float:
        """The share of time, in per cent, that the processor is not asleep."""
        begun, asleep = self.pico.now, self.pico.asleep
        self.pico.run_for(seconds)
        return 100 - 100 * (self.pico.asleep - asleep) / (self.pico.now - begun)

    def runs(self) -> bool:
        return self.ask("SESS:STAT?") == "RUNNING"

    def printed(self, word: str) -> list[int]:
        """The numbers behind a word that the probe prints, once in its life."""
        for _ in range(300):
            said = b"".join(data for _, data in self.pico.serial.log)
            found = re.search(word.encode() + rb"((?: -?\d+)+)\r?\n", said)
            if found:
                return [int(text) for text in found[1].split()]
            self.pico.run_for(0.1)
        raise RuntimeError(f"the probe did not print {word}; the last it said: {said[-500:]!r}")


def sustained(device: Device, loads: Iterable[Load], seconds: float) -> tuple[float, str]:
    """(phases a second, processor time in words) of the heaviest load that plays on."""
    best = 0.0, "none"
    for load in loads:
        try:
            device.play(load)
            device.pico.run_for(0.3)
            before, begun = device.pulses(), device.pico.now
            busy = device.busy(seconds)
            rate = 2 * (device.pulses() - before) * CLOCK_HZ / (device.pico.now - begun)
            if not device.runs():
                break
        except RuntimeError:  # with its prompt on, the firmware reports the fault in between
            break
        best = rate, f"{load.name}, processor {busy:.0f} %"
    return best


def measure(seconds: float = 2.0) -> Iterator[Figure]:
    """All figures, one after the other, processor time over so many emulated seconds."""
    files = files_of_firmware(compiled=True)
    compiled = sum(len(content) for name, content in files.items() if name.endswith(".mpy"))
    yield Figure("compiled files", compiled / 1000, "KB", most=150)
    device = Device(files)
    yield Figure("from power-up to an answer", device.answers_s, "s", most=1)
    device.try_stop()
    yield Figure("processor time, idle", device.busy(0.5), "%")
    device.play(RAMPS)
    device.climb(5)  # so that a ramp has many levels
    busy = device.busy(max(seconds, RAMPS_PERIOD_S))
    yield Figure(f"processor time, {RAMPS.name}", busy, "%", most=30)
    device.play(RUSSIAN)
    device.pico.run_for(0.5)
    busy = device.busy(seconds)
    yield Figure(f"processor time, {RUSSIAN.name}", busy, "%", most=100)
    yield Figure("  and they run on", device.runs(), "", least=1)
    for kind, loads in (("single pulses", SINGLES), ("bursts", BURSTS)):
        rate, words = sustained(device, loads, seconds / 2)
        yield Figure(f"most phases a second, {kind} ({words})", rate, "/s")
    device.pico.close()

    del files[MANIFEST]
    files["main.py"] = PROBE.read_bytes()
    files[MANIFEST] = manifest(files)
    device = Device(files)
    device.try_stop()
    device.play(RAMPS)
    device.climb(2)
    free, took_us = device.printed("heap")
    yield Figure("heap free, both channels running", free / 1000, "KB", least=100)
    yield Figure("a garbage collection", took_us / 1000, "ms", most=30)
    yield Figure("heap left behind by 1000 turns", device.printed("left")[0], "B", most=0)
    device.pico.close()


def main() -> int:
    if named_files() is None:
        print(NO_FILES_NAMED)
        return 2
    over = 0
    for figure in measure():
        print(figure.line(), flush=True)
        over += not figure.ok
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
