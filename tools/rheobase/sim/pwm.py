"""The eight PWM slices.

CC and TOP are double-buffered: while a slice runs, what is written takes effect when its counter
wraps. The outputs are not played edge by edge (that would be 120000 edges a second); who is wired
to one is told its duty, as of the clock from which it holds.
"""

from __future__ import annotations

from collections.abc import Callable

from rheobase.sim.errors import NotModelled
from rheobase.sim.kernel import Event, Kernel

SLICES = 8

ENABLE, PHASE_CORRECT, INVERT_A, INVERT_B = 1, 2, 4, 8

_CSR, _DIV, _CTR, _CC, _TOP = 0x00, 0x04, 0x08, 0x0C, 0x10
_STRIDE = 0x14
_EN = 0xA0

OnDuty = Callable[[int, int, int, int, int], None]  # clock, slice, channel, high, top + 1


class Slice:
    """One counter with two outputs. `cc` and `top` are what was written last."""

    def __init__(self, kernel: Kernel, index: int, on_duty: OnDuty) -> None:
        self._kernel = kernel
        self._on_duty = on_duty
        self.index = index
        self._wrap: Event | None = None
        self._clear()

    def _clear(self) -> None:
        if self._wrap is not None:
            self._wrap.cancel()
            self._wrap = None
        self.csr = 0
        self.divider = 16  # sixteenths
        self.cc = 0
        self.top = 0xFFFF
        self._live_cc = 0
        self._live_top = 0xFFFF
        self._start = 0  # when the counter was 0, or the count where it stands still
        self._duties = [(0, 1), (0, 1)]

    def reset(self, clock: int) -> None:
        self._clear()
        self._tell(clock)

    @property
    def cc_offset(self) -> int:
        """Where its compare register is among the registers."""
        return self.index * _STRIDE + _CC

    @property
    def enabled(self) -> bool:
        return bool(self.csr & ENABLE)

    def _period(self) -> int:
        """Sixteenths of clocks from wrap to wrap."""
        steps = 2 * self._live_top if self.csr & PHASE_CORRECT else self._live_top + 1
        return max(steps, 1) * self.divider

    def count(self, clock: int) -> int:
        """The counter."""
        if not self.enabled:
            return self._start
        steps = ((clock - self._start) * 16 % self._period()) // self.divider
        if self.csr & PHASE_CORRECT and steps > self._live_top:
            steps = 2 * self._live_top - steps
        return steps

    def level(self, channel: int, clock: int) -> int:
        """What an output is at right now."""
        high = self.count(clock) < (self._live_cc >> 16 * channel & 0xFFFF)
        return high ^ bool(self.csr & (INVERT_B if channel else INVERT_A))

    def duty(self, channel: int) -> tuple[int, int]:
        """(clocks high, clocks in all) of an output; an output that stands still is 0/1 or 1/1."""
        if self.enabled:
            total = self._live_top + 1
            high = min(self._live_cc >> 16 * channel & 0xFFFF, total)
        else:
            total = 1
            high = int(self._start < (self._live_cc >> 16 * channel & 0xFFFF))
        if self.csr & (INVERT_B if channel else INVERT_A):
            high = total - high
        return high, total

    def set_csr(self, value: int, clock: int) -> None:
        if value & 0x30:
            raise NotModelled("a PWM counter driven by its B pin")
        before = self.csr
        count = self.count(clock)
        self.csr = value & 0x3F
        if (before ^ self.csr) & (ENABLE | PHASE_CORRECT):
            self._set_count(count, clock)
        if not self.enabled:
            self._latch(clock)
        self._tell(clock)

    def set_divider(self, value: int, clock: int) -> None:
        count = self.count(clock)
        self.divider = value & 0xFFF or 256 * 16
        self._set_count(count, clock)
        self._await_wrap(clock)

    def set_count(self, value: int, clock: int) -> None:
        self._set_count(value & 0xFFFF, clock)
        self._tell(clock)
        self._await_wrap(clock)

    def _set_count(self, count: int, clock: int) -> None:
        self._start = clock - count * self.divider // 16 if self.enabled else count

    def set_cc(self, value: int, clock: int) -> None:
        """Compare values of both outputs, B in the upper half."""
        self.cc = value
        self._changed(clock)

    def set_top(self, value: int, clock: int) -> None:
        self.top = value & 0xFFFF
        self._changed(clock)

    def _changed(self, clock: int) -> None:
        if not self.enabled:
            self._latch(clock)
            self._tell(clock)
        elif self._wrap is None and (self.cc != self._live_cc or self.top != self._live_top):
            self._await_wrap(clock, force=True)

    def _await_wrap(self, clock: int, force: bool = False) -> None:
        if self._wrap is not None:
            self._wrap.cancel()
        elif not force:
            return
        period = self._period()
        wraps = (clock - self._start) * 16 // period + 1
        self._wrap = self._kernel.at(self._start - -wraps * period // 16, self._wrapped)

    def _wrapped(self) -> None:
        self._wrap = None
        if self.enabled:
            clock = self._kernel.now
            if self.top != self._live_top:
                self._start = clock
            self._latch(clock)
            self._tell(clock)

    def _latch(self, clock: int) -> None:
        self._live_cc = self.cc
        self._live_top = self.top
        if self._wrap is not None and not self.enabled:
            self._wrap.cancel()
            self._wrap = None

    def _tell(self, clock: int) -> None:
        for channel in (0, 1):
            duty = self.duty(channel)
            if duty != self._duties[channel]:
                self._duties[channel] = duty
                self._on_duty(clock, self.index, channel, *duty)


class Pwm:
    """All slices, and their registers on the bus."""

    def __init__(self, kernel: Kernel, on_duty: OnDuty) -> None:
        self.slices = [Slice(kernel, index, on_duty) for index in range(SLICES)]

    def reset(self, clock: int) -> None:
        for one in self.slices:
            one.reset(clock)

    def of_pin(self, pin: int) -> tuple[Slice, int]:
        """(slice, channel) of a GPIO."""
        return self.slices[pin >> 1 & 7], pin & 1

    def read(self, offset: int, clock: int) -> int:
        if offset < _EN:
            one = self.slices[offset // _STRIDE]
            register = offset % _STRIDE
            if register == _CTR:
                return one.count(clock)
            return {_CSR: one.csr, _DIV: one.divider, _CC: one.cc, _TOP: one.top}[register]
        if offset == _EN:
            return sum(one.enabled << one.index for one in self.slices)
        return 0

    def write(self, offset: int, value: int, clock: int) -> None:
        if offset < _EN:
            one = self.slices[offset // _STRIDE]
            (one.set_csr, one.set_divider, one.set_count, one.set_cc, one.set_top)[
                offset % _STRIDE // 4
            ](value, clock)
        elif offset == _EN:
            for one in self.slices:
                enable = ENABLE if value >> one.index & 1 else 0
                if enable != one.csr & ENABLE:
                    one.set_csr(one.csr & ~ENABLE | enable, clock)
