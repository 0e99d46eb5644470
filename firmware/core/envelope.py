"""The envelope of a train: up, hold, down, as a share of the plateau in 1/8192."""

FULL = 8192  # a share times the widest phase (62 500 turns) stays a MicroPython small integer
HALF = FULL // 2
TICKS_PER_MS = 100  # the share is computed on a grid of 10 us


def _shift(ticks):
    """How many low bits to leave out so that ticks * FULL stays below 2**30."""
    shift = 0
    while ticks >> shift >= 1 << 17:
        shift += 1
    return shift


class Envelope:
    """Linear in time: 0 at the start, FULL after up_ms, 0 again at the end of length_ms."""

    def __init__(self, up_ms, length_ms, down_ms):
        self.up = up_ms * TICKS_PER_MS
        self.down = down_ms * TICKS_PER_MS
        self.length = length_ms * TICKS_PER_MS
        self._up_shift = _shift(self.up)
        self._down_shift = _shift(self.down)

    def share(self, ticks):
        """The share of the plateau, 0..FULL, at a time after the train's start."""
        if ticks < self.up:
            shift = self._up_shift
            return ((ticks >> shift) << 13) // (self.up >> shift)
        left = self.length - ticks
        if left < self.down:
            shift = self._down_shift
            return ((left >> shift) << 13) // (self.down >> shift)
        return FULL


def part(whole, share):
    """`share`/FULL of a number below 2**17, to the nearest."""
    return (whole * share + HALF) >> 13
