"""The bench (supply, bridges, electrodes, trip, switches) wired to an emulated Pico."""

from __future__ import annotations

import base64
import os
from array import array
from collections import deque
from collections.abc import Mapping
from typing import Any

from rheobase.emulator.pico import CLOCK_HZ, EmulatedPico
from rheobase.emulator.process import EmulatorError
from rheobase.sim.bench.bench import Bench
from rheobase.sim.bench.channel import MINUS, PLUS
from rheobase.sim.kernel import FOREVER, Kernel

_LEVELS, _DUTY = 0, 1


class BenchedPico(EmulatedPico):
    """An emulated Pico with the virtual board's bench at its pins: the same physics and records.

    The chip lives up to the bench's next event, then the bench catches up with what the pins and
    PWM outputs did, and answers. Where an answer may come at once (a comparator within reach of
    the current), the chip stops at every edge; a conversion of a wired ADC pin always stops it.
    So the two see each other at exact clocks, and `bench.force_trip(clock)`, `press_stop()` and
    all else works as on the virtual board. `options` are EmulatedPico's.

    Raises EmulatorError if the bench would have had to act in the chip's past.
    """

    def __init__(
        self,
        image: str | os.PathLike[str],
        bootrom: str | os.PathLike[str],
        files: Mapping[str, bytes | str] | None = None,
        *,
        bench: Bench | None = None,
        **options: Any,
    ) -> None:
        super().__init__(image, bootrom, files, **options)
        self.bench = bench or Bench()
        self.kernel = Kernel()
        self._told: deque[tuple[int, int, tuple[int, ...]]] = deque()
        self._wired: dict[str, int] = {}
        self._levels = 0
        self._resets_seen = 0
        self.bench.connect(_Chip(self))  # type: ignore[arg-type]

    def _run(
        self,
        *,
        until: int,
        wanted: bytes = b"",
        pins: dict[str, int] | None = None,
        taken: int | None = None,
        reset: bool | None = None,
    ) -> dict[str, float] | None:
        kernel = self.kernel
        while True:
            self._wire()
            pending = self._told[0][0] if self._told else FOREVER
            limit = max(self.now, min(until, kernel.next_clock, pending))
            reply = self._live(limit, wanted, pins=pins, taken=taken, reset=reset)
            told = reply.get("bench")
            if told is not None:
                self._take(told)
            self._catch_up()
            if told is not None:
                for pin in told["conversions"]:
                    self.adc(pin, self.bench.adc_volts(self.now, pin))
            if reply["reason"] is not None or self.now >= until:
                return reply["reason"]

    def _wire(self) -> None:
        """Tell the chip what the bench wants to know, and how promptly."""
        bench, wired = self.bench, self.bench.wiring
        outputs = wired.outputs
        adc = 1 << wired.supply_sense
        for pin in wired.sense:
            adc |= 1 << pin
        wanted = {
            "pins": bench.watched,
            "adc": adc,
            "rises": 1 << wired.latch_clear | 1 << wired.trip_test,
            "prompt": outputs if self._may_trip() else 0,
        }
        if wanted != self._wired:
            self._wired = wanted
            self._process.ask("wire", **wanted)

    def _may_trip(self) -> bool:
        """Whether the sinks can reach the comparators' threshold at any duty."""
        bench = self.bench
        most = max(bench.channel(n).factors[leg] for n in (1, 2) for leg in (PLUS, MINUS))
        return bench.wiring.full_scale_a * most >= bench.comparator_a

    def _take(self, told: dict[str, Any]) -> None:
        """Queue what happened, in order of time."""
        clocks = array("d", base64.b64decode(told["clocks"]))
        levels = array("I", base64.b64decode(told["levels"]))
        news: list[tuple[int, int, tuple[int, ...]]] = [
            (int(clock), _LEVELS, (level,)) for clock, level in zip(clocks, levels, strict=True)
        ]
        news += [(int(change[0]), _DUTY, tuple(map(int, change[1:]))) for change in told["duties"]]
        news.sort(key=lambda one: one[:2])
        self._told.extend(news)

    def _catch_up(self) -> None:
        """The bench lives through everything up to now."""
        told, kernel, bench = self._told, self.kernel, self.bench
        while told and told[0][0] <= self.now:
            clock, kind, values = told.popleft()
            if clock > kernel.now:
                kernel.advance_to(clock)
            if kind == _LEVELS:
                levels = values[0]
                changed, self._levels = levels ^ self._levels, levels
                bench.pins_changed(clock, levels, changed)
            else:
                pin, high, period = values
                bench.pwm_changed(clock, pin, high, period or 1)
        kernel.advance_to(self.now)
        if self.resets != self._resets_seen:
            self._resets_seen = self.resets
            bench.reset(self.now)

    def power_cycle(self) -> None:
        super().power_cycle()
        self.resets += 1
        self._catch_up()


class _Chip:
    """What the bench needs of the chip: its time, and pins to drive."""

    clock_hz = CLOCK_HZ

    def __init__(self, pico: BenchedPico) -> None:
        self._pico = pico
        self.kernel = pico.kernel

    def drive(self, pin: int, level: int | None) -> None:
        now = self.kernel.now
        if now < self._pico.now:
            raise EmulatorError(f"the bench drives GP{pin} at {now}, where the chip has been")
        self._pico.drive(pin, level)
