"""The watchdog: it keeps counting whatever the firmware does, and resets the chip at zero."""

from __future__ import annotations

from collections.abc import Callable

from rheobase.sim.kernel import Event, Kernel

TIMER, FORCE = 1, 2  # reasons
PAUSES, ENABLE, TRIGGER = 7 << 24, 1 << 30, 1 << 31
NON_REBOOT_MAGIC = 0x6AB73121  # what the SDK leaves in scratch register 4

_CTRL, _LOAD, _REASON, _SCRATCH0, _TICK = 0x00, 0x04, 0x08, 0x0C, 0x2C
_TICKS_PER_US = 2  # RP2040-E1: it counts down twice per microsecond


class Watchdog:
    """`bite` is called at the clock at which it resets the chip.

    Its scratch registers and the reason survive that reset; only power-up clears them.
    """

    def __init__(self, kernel: Kernel, clock_hz: int, bite: Callable[[], None]) -> None:
        self._kernel = kernel
        self._clock_hz = clock_hz
        self._bite = bite
        self._event: Event | None = None
        self._timeout = 0
        self.power_up()

    def power_up(self) -> None:
        self.scratch = [0] * 8
        self.reset(0)

    def reset(self, reason: int) -> None:
        self.reason = reason
        self.enabled = False
        self._deadline = 0
        self._left = 0
        self._pauses = PAUSES

    @property
    def caused_reboot(self) -> bool:
        return self.reason != 0

    def enable(self, timeout_ms: int) -> None:
        """Start it, as the SDK does."""
        self.scratch[4] = NON_REBOOT_MAGIC
        self._pauses = 0
        self._timeout = min(timeout_ms * 1000 * _TICKS_PER_US, 0xFFFFFF)
        self.load(self._timeout)
        self._set_enabled(True)

    def feed(self) -> None:
        """Start again from the timeout given to `enable`."""
        self.load(self._timeout)

    def load(self, ticks: int) -> None:
        self._left = ticks & 0xFFFFFF
        if self.enabled:
            self._arm()

    def _set_enabled(self, on: bool) -> None:
        if self.enabled and not on:
            self._left = self._ticks_left()
        self.enabled = on
        if on:
            self._arm()

    def _arm(self) -> None:
        clocks = self._left * self._clock_hz // (_TICKS_PER_US * 1_000_000)
        self._deadline = self._kernel.now + clocks
        if self._event is not None and self._event.clock > self._deadline:
            self._event.cancel()
            self._event = None
        if self._event is None:
            self._event = self._kernel.at(self._deadline, self._due)

    def _due(self) -> None:
        self._event = None
        if not self.enabled:
            return
        if self._kernel.now < self._deadline:
            self._event = self._kernel.at(self._deadline, self._due)
            return
        self.reset(TIMER)
        self._bite()

    def force(self) -> None:
        """Reset the chip now."""
        self.reset(FORCE)
        self._bite()

    def _ticks_left(self) -> int:
        if not self.enabled:
            return self._left
        clocks = max(self._deadline - self._kernel.now, 0)
        return clocks * _TICKS_PER_US * 1_000_000 // self._clock_hz

    # --- on the bus ---

    def read(self, offset: int, clock: int) -> int:
        if offset == _CTRL:
            return self._pauses | (ENABLE if self.enabled else 0) | self._ticks_left()
        if offset == _REASON:
            return self.reason
        if _SCRATCH0 <= offset < _SCRATCH0 + 32:
            return self.scratch[offset - _SCRATCH0 >> 2]
        return 0x20C if offset == _TICK else 0

    def write(self, offset: int, value: int, clock: int) -> None:
        if offset == _CTRL:
            if value & TRIGGER:
                self.force()
                return
            self._pauses = value & PAUSES
            if bool(value & ENABLE) != self.enabled:
                self._set_enabled(bool(value & ENABLE))
        elif offset == _LOAD:
            self.load(value)
        elif _SCRATCH0 <= offset < _SCRATCH0 + 32:
            self.scratch[offset - _SCRATCH0 >> 2] = value
