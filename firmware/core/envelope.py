"""The envelope of a train: up, hold, down, as a share of the plateau in 1/8192."""

SHARE_BITS = 13
FULL = 1 << SHARE_BITS  # times the widest phase (75 000 turns) still a MicroPython small integer
HALF = FULL // 2
TICKS_PER_MS = 50  # time on a grid of 20 us: six hours stay a small integer


class Ramp:
    """A span of ticks and how to divide by it without leaving the small integers."""

    def __init__(self, ticks):
        self.ticks = ticks
        self._bits = SHARE_BITS
        while ticks << self._bits >= 1 << 30:
            self._bits -= 1

    def share(self, ticks):
        """ticks / span in 1/FULL, rounded down; 0 <= ticks < span. Long division in few steps."""
        span = self.ticks
        share = 0
        left = SHARE_BITS
        while left:
            bits = min(left, self._bits)
            ticks <<= bits
            digit = ticks // span
            ticks -= digit * span
            share = (share << bits) | digit
            left -= bits
        return share


class Envelope:
    """Linear in time: 0 at the start, FULL after up_ms, 0 again at the end of length_ms."""

    def __init__(self, up_ms, length_ms, down_ms):
        self.up = Ramp(up_ms * TICKS_PER_MS)
        self.down = Ramp(down_ms * TICKS_PER_MS)
        self.length = length_ms * TICKS_PER_MS

    def share(self, ticks):
        """The share of the plateau, 0..FULL, at a time after the train's start."""
        if ticks < self.up.ticks:
            return self.up.share(ticks)
        left = self.length - ticks
        if left < self.down.ticks:
            return self.down.share(left)
        return FULL


def part(whole, share):
    """`share`/FULL of a number below 2**17, to the nearest."""
    return (whole * share + HALF) >> SHARE_BITS
