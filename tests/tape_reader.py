"""Reads tape as the state machine plays it: words in, phases, levels, GATE and SYNC out.

Written from the word format alone: bit 31 clear is a segment (hold in bits 30 to 6, the six pins
below), which lasts its hold and 5 turns; bit 31 set is a level word, which leaves the pins for 4
turns more. Raises TapeError for what no tape may hold, whatever the settings.
"""

from dataclasses import dataclass, field

SEGMENT, LEVEL = 5, 4
LEGS = ((0x01, 0x02), (0x04, 0x08))
ALL_LEGS = 0x0F
GATE, SYNC = 0x10, 0x20


class TapeError(Exception):
    """A tape that must never be played."""


@dataclass
class Phase:
    """One leg high, from a turn to a turn."""

    start: int
    end: int
    minus: bool
    level: int


@dataclass
class Pulse:
    """Two phases of one channel."""

    first: Phase
    second: Phase

    @property
    def start(self) -> int:
        return self.first.start

    @property
    def end(self) -> int:
        return self.second.end

    @property
    def width(self) -> int:
        return self.first.end - self.first.start

    @property
    def second_width(self) -> int:
        return self.second.end - self.second.start

    @property
    def gap(self) -> int:
        return self.second.start - self.first.end


@dataclass
class Tape:
    """What was read so far; `turn` is where it ends. Turn 0 is `origin` turns into the tape."""

    origin: int = 0
    levels: list[int] = field(default_factory=lambda: [0, 0])
    pulses: tuple[list[Pulse], list[Pulse]] = field(default_factory=lambda: ([], []))
    changes: list[tuple[int, int, int]] = field(default_factory=list)  # (turn, channel, level)
    gates: list[list[int]] = field(default_factory=list)  # [rises, falls]
    syncs: list[list[int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.turn = -self.origin
        self._pins = 0
        self._open: list[Phase | None] = [None, None]
        self._first: list[Phase | None] = [None, None]

    def read(self, words: list[int]) -> None:
        """The next words of the tape."""
        for word in words:
            if word >> 31:
                self._level_word(word)
                self.turn += LEVEL
            else:
                if word >> 30:
                    raise TapeError(f"bit 30 set at turn {self.turn}")
                self._set(word & 0x3F)
                self.turn += (word >> 6) + SEGMENT

    def _level_word(self, word: int) -> None:
        if self._pins & ALL_LEGS:
            raise TapeError(f"level word with a leg high at turn {self.turn}")
        if word & 0x8000:
            raise TapeError(f"bit 15 of a level word set at turn {self.turn}")
        for channel, level in enumerate((word & 0x7FFF, word >> 16 & 0x7FFF)):
            if level > 2047:
                raise TapeError(f"level {level} at turn {self.turn}")
            if level != self.levels[channel]:
                if self._first[channel]:
                    raise TapeError(f"level changes within a pulse at turn {self.turn}")
                self.levels[channel] = level
                self.changes.append((self.turn + LEVEL, channel, level))

    def _set(self, pins: int) -> None:
        was, self._pins = self._pins, pins
        if pins == was:
            return
        legs = pins & ALL_LEGS
        if legs & (legs - 1):
            raise TapeError(f"two legs high at turn {self.turn}")
        if legs and not pins & GATE:
            raise TapeError(f"leg high without GATE at turn {self.turn}")
        self._mark(self.gates, was & GATE, pins & GATE)
        self._mark(self.syncs, was & SYNC, pins & SYNC)
        for channel in (0, 1):
            mask = LEGS[channel][0] | LEGS[channel][1]
            if (was ^ pins) & mask:
                self._leg(channel, pins & mask)

    def _mark(self, spans: list[list[int]], was: int, now: int) -> None:
        if now and not was:
            spans.append([self.turn, self.turn])
        if was and not now:
            spans[-1][1] = self.turn

    def _leg(self, channel: int, leg: int) -> None:
        phase = self._open[channel]
        self._open[channel] = None
        if phase:
            if leg:
                raise TapeError(f"no dead time at turn {self.turn}")
            phase.end = self.turn
            first = self._first[channel]
            self._first[channel] = None if first else phase
            if first:
                if first.minus == phase.minus:
                    raise TapeError(f"two phases of one leg before turn {self.turn}")
                self.pulses[channel].append(Pulse(first, phase))
        if leg:
            minus = leg == LEGS[channel][1]
            self._open[channel] = Phase(self.turn, self.turn, minus, self.levels[channel])

    @property
    def between_pulses(self) -> bool:
        """Legs low, and no pulse half played."""
        return not self._pins & ALL_LEGS and self._first == [None, None]


def words_of(halves, count: int) -> list[int]:
    """The first words of a block as it lies in memory, low half first."""
    return [halves[2 * i] | halves[2 * i + 1] << 16 for i in range(count)]
