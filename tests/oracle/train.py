"""One train: its groups, their rate and width, and its envelope."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import count, repeat
from math import floor

from oracle.board import CARRIER_BELOW_NS, LATE_STEP, SWEEP, TRIANGLE, Board, nearest


@dataclass(frozen=True)
class Shape:
    """A channel's pulse and group; `pulse` and what follows from it are of the widest."""

    width: int
    widest: int
    gap: int
    interval: int
    count: int
    carrier: bool

    @classmethod
    def of(cls, channel: dict, board: Board) -> "Shape":
        second = channel["width_to_ns"] if channel["modulation"] else 0
        return cls(
            board.turns(channel["width_ns"]),
            board.turns(max(channel["width_ns"], second)),
            board.turns(channel["gap_ns"]),
            board.turns(channel["interval_ns"]),
            channel["count"],
            channel["count"] > 1 and channel["interval_ns"] < CARRIER_BELOW_NS,
        )

    @property
    def pulse(self) -> int:
        return 2 * self.widest + self.gap

    @property
    def group(self) -> int:
        return (self.count - 1) * self.interval + self.pulse

    @property
    def units(self) -> int:
        """Units in a group."""
        return 1 if self.carrier else self.count

    @property
    def unit(self) -> int:
        return self.group if self.carrier else self.pulse


class Course:
    """Rate (mHz) and width (ns) over a train, in steps; steady where nothing is modulated."""

    def __init__(self, channel: dict, train_ms: int):
        self._channel = channel
        self._count = channel["mod_steps"] if channel["modulation"] else 1
        self._back = channel["modulation"] == TRIANGLE
        self._span = train_ms if channel["modulation"] == SWEEP else channel["mod_ms"]

    def _value(self, name: str, second: str, step: int) -> int:
        first = self._channel[name]
        last = self._channel[second] or first
        if self._count == 1:
            return first
        return nearest(first + Fraction((last - first) * step, self._count - 1))

    def step(self, at_ms: int) -> int:
        """The step in force so long after the train's start."""
        part = Fraction(at_ms % self._span, self._span)
        if not self._back:
            return floor(part * self._count)
        place = floor(part * 2 * self._count)
        return min(place, 2 * self._count - 1 - place)

    def rate(self, at_ms: int) -> int:
        return self._value("rate_mhz", "rate_to_mhz", self.step(at_ms))

    def width(self, at_ms: int) -> int:
        return self._value("width_ns", "width_to_ns", self.step(at_ms))


def random_times(start: int, spread: int) -> Iterator[int]:
    """Turns by which groups are late: 16-bit xorshift (7, 9, 8) from a start value."""
    x = start % 65536 or 1
    while True:
        x ^= (x << 7) % 65536
        x ^= x >> 9
        x ^= (x << 8) % 65536
        yield floor(Fraction(x // 8 * spread, 8192)) * LATE_STEP


@dataclass(frozen=True)
class Group:
    """A group after its train's start: when it is due, how late it is, how wide its pulses."""

    due: int
    late: int
    width_ns: int


@dataclass(frozen=True)
class Train:
    """Groups at one rate under one envelope; `kind` is warm, contraction, rest or cool."""

    kind: str
    start: int
    length: int
    period: Fraction
    up: int
    down: int
    width_ns: int
    board: Board
    course: Course | None = None
    opening: int = 0
    spread: int = 0
    random_start: int = 0

    def groups(self, room: int) -> Iterator[Group]:
        """The groups that leave so much room to the train's end."""
        late = random_times(self.random_start, self.spread) if self.spread else repeat(0)
        room += self.spread * LATE_STEP
        period, width = self.period, self.width_ns
        base = due = k = 0
        for number in count():
            if due + room > self.length:
                return
            if self.course:
                at_ms = due // self.board.ms(1)
                width = self.course.width(at_ms)
                then, period = period, self.board.period(self.course.rate(at_ms))
                if then != period:
                    base, k = due, 0
            regular = number == 0 or (number == 1 and self.opening)
            yield Group(due, 0 if regular else next(late), width)
            if number == 0 and self.opening:
                base = due = self.opening
                continue
            k += 1
            due = base + k * period.numerator // period.denominator

    def envelope(self, after: Fraction) -> Fraction:
        """The exact envelope at a time after the train's start."""
        if after < self.up:
            return Fraction(after, self.up)
        if self.length - after < self.down:
            return Fraction(self.length - after, self.down)
        return Fraction(1)
