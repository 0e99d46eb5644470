"""The 64-bit microsecond timer."""

from __future__ import annotations

from rheobase.sim.errors import NotModelled


class Timer:
    """Microseconds since the chip's last reset."""

    def __init__(self, clock_hz: int) -> None:
        self._clock_hz = clock_hz
        self._zero = 0
        self._latched = 0
        self._whole = clock_hz // 1_000_000 if clock_hz % 1_000_000 == 0 else 0

    def reset(self, clock: int) -> None:
        self._zero = clock

    def us(self, clock: int) -> int:
        if self._whole:
            return (clock - self._zero) // self._whole
        return (clock - self._zero) * 1_000_000 // self._clock_hz

    def clock_at(self, us: int) -> int:
        """The first clock at which the timer reads `us`."""
        return self._zero - -us * self._clock_hz // 1_000_000

    # --- on the bus ---

    def read(self, offset: int, clock: int) -> int:
        now = self.us(clock)
        if offset == 0x0C:  # TIMELR latches TIMEHR
            self._latched = now >> 32
            return now & 0xFFFFFFFF
        if offset == 0x08:
            return self._latched
        if offset in (0x24, 0x28):
            return now >> 32 if offset == 0x24 else now & 0xFFFFFFFF
        return 0

    def write(self, offset: int, value: int, clock: int) -> None:
        raise NotModelled("writing to the hardware timer")
