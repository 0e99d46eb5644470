"""The ADC: one conversion at a time, or free running over several inputs into a FIFO.

A conversion takes 96 cycles of the 48 MHz ADC clock, 2 us: the input is held at its start, the
result stands in RESULT and in the FIFO at its end. A START_ONCE while one runs is ignored (the
datasheet is silent; firmware must not count on it) and counted in `ignored`.

A conversion makes no event of the kernel: its input is looked at when it is started, and it ends
when time has passed by (`run`) or somebody looks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from rheobase.sim.kernel import Event, Kernel

CHANNELS = 5
TEMPERATURE = 4
FIRST_PIN = 26
_REFERENCE_V = 3.3
_TEMPERATURE_V = 0.706  # 27 degrees
_CYCLES = 96
_ADC_HZ = 48_000_000
_FIFO = 4

EN, TS_EN, START_ONCE, START_MANY, READY = 1, 2, 4, 8, 1 << 8
_CS, _RESULT, _FCS, _FIFO_REG, _DIV = 0x00, 0x04, 0x08, 0x0C, 0x10
_FCS_EN, _FCS_SHIFT, _FCS_DREQ = 1, 2, 8


class Adc:
    """`volts` tells the level at an input pin; `on_dreq` is called when DMA may take a sample."""

    def __init__(
        self, kernel: Kernel, clock_hz: int, volts: Callable[[int, int], float]
    ) -> None:
        self._kernel = kernel
        self._clock_hz = clock_hz
        self._volts = volts
        self.on_dreq: Callable[[int], None] = lambda clock: None
        self._next: Event | None = None
        kernel.runners.append(self)
        self._clear()

    def _clear(self) -> None:
        if self._next is not None:
            self._next.cancel()
            self._next = None
        self._converting = False
        self.ignored = 0
        self._control = 0
        self._fifo_control = 0
        self._divider = 0
        self.result = 0
        self._held = 0
        self._busy_until = 0
        self._fifo: deque[int] = deque()
        self._overflow = self._underflow = False

    def reset(self) -> None:
        self._clear()

    def enable(self) -> None:
        self._control |= EN

    @property
    def enabled(self) -> bool:
        return bool(self._control & EN)

    def sample(self, channel: int, clock: int) -> int:
        """What a conversion of this input gives, 0..4095."""
        if channel == TEMPERATURE:
            volts = _TEMPERATURE_V if self._control & TS_EN else 0.0
        else:
            volts = self._volts(clock, FIRST_PIN + channel)
        return min(max(int(volts / _REFERENCE_V * 4096), 0), 4095)

    def conversion_clocks(self) -> int:
        return _CYCLES * self._clock_hz // _ADC_HZ

    def convert(self, channel: int, clock: int) -> int:
        """Select an input and convert it, as the SDK does it, waiting for the end.

        Disturbs a free-running ADC, and puts a result too many into a FIFO that is on.
        """
        self.set_control(self._control & ~(7 << 12) | channel << 12 | START_ONCE, clock)
        return self._held

    # --- conversions ---

    def set_control(self, value: int, clock: int) -> None:
        self._catch_up(clock)
        running = self._control & (EN | START_MANY) == EN | START_MANY
        self._control = value & 0x001F700B
        if value & START_ONCE and self._control & EN and not value & START_MANY:
            self._start(clock)
        many = self._control & (EN | START_MANY) == EN | START_MANY
        if many and not running:
            self._next = self._kernel.at(clock, self._sample_on)
        elif running and not many and self._next is not None:
            self._next.cancel()
            self._next = None

    def _start(self, clock: int) -> None:
        """One conversion of the selected input."""
        self._catch_up(clock)
        if self._converting:
            self.ignored += 1
            return
        channel = self._control >> 12 & 7
        self._held = self.sample(channel, clock) if channel < CHANNELS else 0
        self._busy_until = clock + self.conversion_clocks()
        self._converting = True

    def run(self, until: int) -> None:
        """Live up to, not including, clock `until`."""
        if self._converting and self._busy_until < until:
            self._end()

    def _catch_up(self, clock: int) -> None:
        if self._converting and self._busy_until <= clock:
            self._end()

    def _end(self) -> None:
        """The conversion is done; the next one is of the next input of the round."""
        self._converting = False
        self.result = self._held
        turn = self._control >> 16 & 31
        if turn:
            channel = ((self._control >> 12 & 7) + 1) % CHANNELS
            while not turn >> channel & 1:
                channel = (channel + 1) % CHANNELS
            self._control = self._control & ~(7 << 12) | channel << 12
        if self._fifo_control & _FCS_EN:
            self._push(self._busy_until)

    def _sample_on(self) -> None:
        clock = self._kernel.now
        self._start(clock)  # before the next is planned, so that its end comes first
        cycles = max(_CYCLES * 256, self._divider + 256)
        self._next = self._kernel.at(
            clock + cycles * self._clock_hz // (_ADC_HZ * 256), self._sample_on
        )

    def _push(self, clock: int) -> None:
        if len(self._fifo) >= _FIFO:
            self._overflow = True
            return
        self._fifo.append(self.result >> 4 if self._fifo_control & _FCS_SHIFT else self.result)
        if self.dreq():
            self.on_dreq(clock)

    def dreq(self) -> bool:
        """DMA may take a sample."""
        threshold = self._fifo_control >> 24 & 15
        return bool(self._fifo_control & _FCS_DREQ) and len(self._fifo) >= max(threshold, 1)

    # --- on the bus ---

    def read(self, offset: int, clock: int) -> int:
        self._catch_up(clock)
        if offset == _CS:
            return self._control | (READY if clock >= self._busy_until else 0)
        if offset == _RESULT:
            return self.result
        if offset == _FCS:
            level = len(self._fifo)
            return (
                self._fifo_control | (level == 0) << 8 | (level == _FIFO) << 9
                | self._underflow << 10 | self._overflow << 11 | level << 16
            )
        if offset == _FIFO_REG:
            if not self._fifo:
                self._underflow = True
                return 0
            return self._fifo.popleft()
        return self._divider if offset == _DIV else 0

    def write(self, offset: int, value: int, clock: int) -> None:
        self._catch_up(clock)
        if offset == _CS:
            self.set_control(value, clock)
        elif offset == _FCS:
            self._fifo_control = value & 0x0F00000F
            self._underflow &= not value >> 10 & 1
            self._overflow &= not value >> 11 & 1
            if self.dreq():
                self.on_dreq(clock)
        elif offset == _DIV:
            self._divider = value & 0xFFFFFF
