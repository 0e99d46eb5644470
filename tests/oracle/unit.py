"""What can't be separated, and both channels on one line of time."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from heapq import merge

from oracle.board import (
    nearest,
)
from oracle.train import Train


@dataclass(frozen=True)
class Share:
    """Bounds of a group's share of the plateau."""

    least: Fraction
    most: Fraction

    def levels(self, plateau: int) -> tuple[int, int]:
        """Lowest and highest level that the share makes of a plateau."""
        return nearest(self.least * plateau), nearest(self.most * plateau)

    def widths(self, narrow: int, full: int) -> tuple[int, int]:
        """Least and greatest width, for a ramp of width."""
        span = full - narrow
        return nearest(narrow + self.least * span), nearest(narrow + self.most * span)


@dataclass(frozen=True)
class Unit:
    """What can't be separated: a pulse, or all pulses of a carrier burst."""

    nominal: int
    channel: int
    pulses: int
    interval: int
    widths: tuple[int, int]
    gap: int
    minus_first: bool
    level_share: Share
    opens_group: bool
    train: Train

    def length(self, width: int) -> int:
        """First edge to last with this width of phase."""
        return (self.pulses - 1) * self.interval + 2 * width + self.gap

    def pulse_at(self, start: int) -> list[int]:
        return [start + i * self.interval for i in range(self.pulses)]


def in_order(one: Iterable[Unit], two: Iterable[Unit]) -> Iterator[Unit]:
    """Units of both channels by nominal start, channel 1 first on a tie."""
    return merge(one, two, key=lambda unit: (unit.nominal, unit.channel))


class Line:
    """One tape for both channels: says where each unit starts, in order, and notes moves.

    moves: for each channel the length of each pulse's move, for those that were moved.
    """

    def __init__(self, separation: int):
        self._separation = separation
        self._free = [None, None]  # when the channel is clear of the other's last unit
        self._moved_last = [False, False]
        self.moves: list[list[int]] = [[], []]
        self.caused: list[Unit] = []  # moved by a unit that was itself moved: must stay empty

    def place(self, unit: Unit, width: int) -> int:
        """The start of the next unit, given the width that its phases have."""
        own, other = unit.channel, 1 - unit.channel
        free = self._free[own]
        start = unit.nominal if free is None else max(unit.nominal, free)
        if start > unit.nominal:
            self.moves[own] += [start - unit.nominal] * unit.pulses
            if self._moved_last[other]:
                self.caused.append(unit)
        self._moved_last[own] = start > unit.nominal
        self._free[other] = start + unit.length(width) + self._separation
        return start
