"""Holds a tape against the oracle, pulse by pulse."""

from bisect import bisect_left
from collections.abc import Iterable

from oracle import Expectation, Line, Unit
from tape_reader import Pulse, Tape

GATE_SLACK = 64  # turns: GATE may stay high over a rest that is no longer than lead + this


class Checker:
    """Compares the pulses of a tape, in order, with units that the oracle expects."""

    def __init__(self, tape: Tape, expected: Expectation, plateaus: tuple[int, int]):
        self.tape = tape
        self.expected = expected
        self.plateaus = plateaus
        self.line = Line(expected.board.separation)
        self.played: list[tuple[int, int]] = []  # start and end of each unit
        self.syncs: list[list[int]] = []
        self._next = [0, 0]

    def units(self, units: Iterable[Unit], until: int | None = None) -> None:
        """Check these units; with `until`, those that begin sooner than that turn."""
        for unit in units:
            pulses = self._take(unit)
            if not pulses:
                assert until is not None, f"missing on the tape: {unit}"
                start = self.line.place(unit, unit.widths[0])
                assert start >= until, f"missing before turn {until}: {unit}"
                return
            self._unit(unit, pulses)

    def _take(self, unit: Unit) -> list[Pulse]:
        first = self._next[unit.channel]
        self._next[unit.channel] = first + unit.pulses
        return self.tape.pulses[unit.channel][first : first + unit.pulses]

    def _unit(self, unit: Unit, pulses: list[Pulse]) -> None:
        width = pulses[0].width
        assert unit.widths[0] <= width <= unit.widths[1], (width, unit)
        start = self.line.place(unit, width)
        assert [pulse.start for pulse in pulses] == unit.pulse_at(start), unit
        levels = unit.level_share.levels(self.plateaus[unit.channel])
        level = pulses[0].first.level
        assert levels[0] <= level <= levels[1], (level, levels, unit)
        for pulse in pulses:
            assert pulse.width == pulse.second_width == width, unit
            assert pulse.gap == unit.gap, unit
            assert (pulse.first.minus, pulse.second.minus) == (
                unit.minus_first,
                not unit.minus_first,
            ), unit
            assert pulse.first.level == pulse.second.level == level, unit
        self.played.append((start, pulses[-1].end))
        if unit.opens_group:
            self.syncs.append([start, pulses[0].first.end])

    def nothing_else(self) -> None:
        """No pulse is left on the tape that was not expected."""
        assert self._next == [len(pulses) for pulses in self.tape.pulses]

    def moves(self, scheduler) -> None:
        """Moves are short, cause no others, and are counted."""
        expected = self.expected
        separation = expected.board.separation
        assert not self.line.caused
        for i in (0, 1):
            moves = self.line.moves[i]
            assert scheduler.moved(i) == (len(moves), max(moves, default=0))
            assert all(move <= expected.shapes[1 - i].unit + separation for move in moves)

    def separation(self) -> None:
        """Units keep apart, in the order in which they were played; a channel's legs too."""
        for pulses in self.tape.pulses:
            dead = self.expected.board.dead
            assert all(pulse.gap >= dead for pulse in pulses)
            for before, after in zip(pulses, pulses[1:], strict=False):
                assert after.start - before.end >= dead
        for before, after in zip(self.played, self.played[1:], strict=False):
            assert after[0] - before[1] >= self.expected.board.separation

    def markers(self) -> None:
        """SYNC marks the first phase of each group; GATE leads each unit and ends with it."""
        assert self.tape.syncs == self.syncs
        lead = self.expected.board.lead
        spans: list[list[int]] = []
        for start, end in self.played:
            if spans and start - lead <= spans[-1][1]:
                spans[-1][1] = end
            else:
                spans.append([start - lead, end])
        assert joined(self.tape.gates, GATE_SLACK) == joined(spans, GATE_SLACK)

    def settling(self) -> None:
        """A level has settled before the channel's next pulse."""
        starts = [[pulse.start for pulse in pulses] for pulses in self.tape.pulses]
        for turn, channel, level in self.tape.changes:
            after = bisect_left(starts[channel], turn)
            if after < len(starts[channel]):
                assert starts[channel][after] - turn >= self.expected.board.settle, (turn, level)


def joined(spans: list[list[int]], slack: int) -> list[list[int]]:
    """Spans with those joined that are no further apart."""
    result: list[list[int]] = []
    for start, end in spans:
        if result and start - result[-1][1] <= slack:
            result[-1][1] = end
        else:
            result.append([start, end])
    return result


def check(engine, session, plateaus: tuple[int, int]) -> Checker:
    """Everything that the oracle says of a session played with unchanging plateaus."""
    expected = session.expectation
    checker = Checker(engine.tape, expected, plateaus)
    checker.units(expected.line(), None if engine.ended else engine.tape.turn)
    if engine.ended:
        checker.nothing_else()
        assert engine.tape.turn == expected.end
    for i in (0, 1):
        assert engine.scheduler.pulses(i) == len(engine.tape.pulses[i])
    checker.moves(engine.scheduler)
    checker.separation()
    checker.markers()
    checker.settling()
    return checker
