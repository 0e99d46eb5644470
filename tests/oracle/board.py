"""A board's clock and times, in turns."""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

SIMULTANEOUS, ALTERNATING, OVERLAPPED, INDEPENDENT = range(4)
POSITIVE, NEGATIVE, ALTERNATE = range(3)
AMPLITUDE, WIDTH = range(2)
STEADY, SWEEP, SAWTOOTH, TRIANGLE = range(4)

LEAST_WIDTH_NS = 20_000  # where a ramp of width begins
CARRIER_BELOW_NS = 2_000_000
LEAST_SEPARATION = 32  # turns
TICKS_PER_MS = 50  # an envelope's grid of 20 us
SHARE_STEP = Fraction(1, 8192)
HALF = Fraction(1, 2)
LATE_STEP = 16  # turns: random times are multiples of it


def nearest(value: Fraction) -> int:
    """The nearest whole number; a half goes up."""
    return floor(value + HALF)


@dataclass(frozen=True)
class Board:
    """Clock and times of a board."""

    clock_hz: int = 125_000_000
    dead_ns: int = 2_000
    separation_ns: int = 2_000
    lead_ns: int = 20_000
    settle_ns: int = 1_000_000

    def exact(self, time_ns: int) -> Fraction:
        """A time in turns, not rounded."""
        return Fraction(time_ns * self.clock_hz, 2 * 10**9)

    def turns(self, time_ns: int) -> int:
        """The nearest whole number of turns."""
        return nearest(self.exact(time_ns))

    def ms(self, time_ms: int) -> int:
        """Milliseconds are whole turns at every clock that we use."""
        turns = self.exact(time_ms * 10**6)
        assert turns.denominator == 1
        return turns.numerator

    def period(self, rate_mhz: int) -> Fraction:
        """Turns from group to group, not rounded."""
        return Fraction(self.clock_hz * 1000, 2 * rate_mhz)

    @property
    def dead(self) -> int:
        return ceil(self.exact(self.dead_ns))

    @property
    def separation(self) -> int:
        return max(ceil(self.exact(self.separation_ns)), LEAST_SEPARATION)

    @property
    def lead(self) -> int:
        return ceil(self.exact(self.lead_ns))

    @property
    def settle(self) -> int:
        return ceil(self.exact(self.settle_ns))

    @property
    def preamble(self) -> int:
        """From the tape's beginning to time zero: room for settling, GATE and their words."""
        return self.settle + self.lead + 2 * LEAST_SEPARATION
