"""The envelope of a train: up, hold, down, as a share of the plateau in 1/8192."""

from firmware.core.plain import ptr32

SHARE_BITS = 13
FULL = 1 << SHARE_BITS  # times the widest phase (75 000 turns) still a MicroPython small integer
HALF = FULL // 2
TICKS_PER_MS = 50  # time on a grid of 20 us: six hours stay a small integer

# A train's envelope, in an array of integers from some place on: spans in ticks.
UP = 0
DOWN = 1
LENGTH = 2


# viper
def share_at(numbers, at: int, ticks: int) -> int:
    """The share of the plateau, 0..FULL, so many ticks after the train's start, rounded down.

    numbers: an array with the envelope from index `at` on. Linear in time: 0 at the start, FULL
    after UP, 0 again at LENGTH.
    """
    spans = ptr32(numbers)
    span = spans[at + UP]
    if ticks >= span:
        span = spans[at + DOWN]
        ticks = spans[at + LENGTH] - ticks
        if ticks >= span:
            return FULL
    # ticks / span: a long division in so few steps as stay small integers
    bits = SHARE_BITS
    while (span >> (30 - bits)) > 0:
        bits -= 1
    share = 0
    left = SHARE_BITS
    while left > 0:
        if bits > left:
            bits = left
        ticks <<= bits
        digit = ticks // span
        ticks -= digit * span
        share = share << bits | digit
        left -= bits
    return share
