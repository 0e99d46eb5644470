"""Reads tape as the state machine plays it, fast: words in, pulses out. No code of the writer's.

A word with bit 31 clear is a segment: the six pins in bits 5 to 0 for its hold (bits 30 to 6) and
5 turns. Bit 31 set is a level word: pins as they are for 4 turns, then new levels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

_LEGS = {1: (0, 0), 2: (0, 1), 4: (1, 0), 8: (1, 1)}  # pins: channel, minus


class Pulse(NamedTuple):
    """Times in turns of two clocks; level of the amplitude register."""

    start: int
    width: int
    gap: int
    second: int
    level: int
    minus_first: bool


class Reader:
    """pulses: of both channels. turn: how long the tape is so far."""

    def __init__(self) -> None:
        self.turn = 0
        self.pulses: tuple[list[Pulse], list[Pulse]] = ([], [])
        self._levels = [0, 0]
        self._legs = 0
        self._begun = 0
        self._first: list[tuple[int, int, bool] | None] = [None, None]

    def read(self, halves: Sequence[int], words: int) -> None:
        """The first words of a block as it lies in memory, low half first.

        Raises ValueError for what no tape may hold.
        """
        turn, legs = self.turn, self._legs
        for i in range(0, 2 * words, 2):
            low, high = halves[i], halves[i + 1]
            if high & 0x8000:
                if legs:
                    raise ValueError(f"level word with a leg high at turn {turn}")
                self._levels = [low & 0x7FFF, high & 0x7FFF]
                turn += 4
                continue
            pins = low & 0x0F
            if pins != legs:
                if legs:
                    if pins:
                        raise ValueError(f"no dead time at turn {turn}")
                    self._fell(legs, turn)
                else:
                    self._begun = turn
                legs = pins
            turn += (high << 10 | low >> 6) + 5
        self.turn, self._legs = turn, legs

    def _fell(self, legs: int, turn: int) -> None:
        if legs not in _LEGS:
            raise ValueError(f"legs {legs:04b} high before turn {turn}")
        channel, minus = _LEGS[legs]
        first = self._first[channel]
        if first is None:
            self._first[channel] = (self._begun, turn, bool(minus))
            return
        start, end, minus_first = first
        if minus_first == bool(minus):
            raise ValueError(f"two phases of one leg before turn {turn}")
        self._first[channel] = None
        self.pulses[channel].append(
            Pulse(start, end - start, self._begun - end, turn - self._begun,
                  self._levels[channel], minus_first)
        )
