"""The section of a turn that a crank is in, from readings of its angle."""

from firmware.core.trigger import NONE


class Crank:
    """Angle and cadence of a crank from readings in whole degrees, 0 to 359.

    windows: for each section (from, to) in degrees, the way the crank turns. least_rpm, most_rpm:
    outside of them nothing is stimulated. A reading holds for FRESH_MS.
    """

    FRESH_MS = 250
    PER_MS = 6  # 1 rpm is 6 degrees a second: thousandths of a degree in a millisecond

    def __init__(self, windows, least_rpm, most_rpm):
        self._windows = windows
        self._least = least_rpm
        self._most = most_rpm
        self._at_mdeg = 0
        self._read_ms = NONE
        self.rpm = 0

    def read(self, now_ms, degrees):
        """A reading of the angle."""
        at = degrees * 1000
        if self._read_ms >= 0:
            passed = now_ms - self._read_ms
            if passed <= 0:
                self._at_mdeg = at
                return
            step = (at - self._at_mdeg + 180_000) % 360_000 - 180_000
            rpm = step // (passed * self.PER_MS)
            self.rpm = rpm if passed > self.FRESH_MS else (self.rpm + rpm) // 2
        self._at_mdeg = at
        self._read_ms = now_ms

    def section(self, now_ms):
        """The section whose window the crank is in."""
        passed = now_ms - self._read_ms
        if self._read_ms < 0 or passed > self.FRESH_MS:
            self.rpm = 0
            return NONE
        if not self._least <= self.rpm <= self._most:
            return NONE
        degrees = (self._at_mdeg + passed * self.rpm * self.PER_MS) % 360_000 // 1000
        for i in range(len(self._windows)):
            start, stop = self._windows[i]
            if (degrees - start) % 360 < (stop - start) % 360:
                return i
        return NONE
