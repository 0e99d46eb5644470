"""Who answers: a simulated nerve, a person at the keyboard, or one with the hand button."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

import click

from rheobase.client import Stimulator
from rheobase.client.line import Clock
from rheobase.instrument.tests import MARKS
from rheobase.sim.bench.nerve import Nerve

if TYPE_CHECKING:
    from rheobase.sim.bench import Bench
    from rheobase.sim.board import VirtualBoard

_KINDS = {question: kind for kind, question in MARKS.items()}


class NerveSubject:
    """Answers as a person with this nerve would, after a person's reaction time.

    mistakes: part of the answers that are wrong.
    """

    def __init__(self, nerve: Nerve, clock: Clock, reaction_s: float = 0.4, mistakes: float = 0.0):
        self.nerve = nerve
        self.clock = clock
        self.reaction_s = reaction_s
        self.mistakes = mistakes
        self._random = Random(nerve.seed + 1)

    def __call__(self, question: str) -> bool:
        answer = self.nerve.responds(_KINDS[question])
        self.clock.sleep(self.reaction_s)
        return answer != (self._random.random() < self.mistakes)


class Person:
    """Asks at the keyboard: y or n. `?` or any other key asks again; Ctrl-C stops the output."""

    def __call__(self, question: str) -> bool:
        while True:
            click.echo(f"{question}? y/n ", nl=False)
            key = click.getchar().lower()
            click.echo(key)
            if key in ("y", "n"):
                return key == "y"
            if key in ("\x03", "\x04"):
                raise KeyboardInterrupt


class HandButton:
    """The person holds a button at the board's trigger input: pressed is yes, not pressed no.

    A press counts within WINDOW_S from the question, so before the next pulse. Who presses
    before the question has not answered it: the pulse is given again once the button is free.
    begun: is told of each question.
    """

    WINDOW_S = 0.7
    POLL_S = 0.03

    def __init__(
        self, stimulator: Stimulator, begun: Callable[[str], object] = lambda question: None
    ) -> None:
        self._stimulator = stimulator
        self._begun = begun
        self.early = 0

    def __call__(self, question: str) -> bool | None:
        """Yes or no; None for a press that came too early."""
        if self._stimulator.button:
            self.early += 1
            self._wait_free()
            return None
        self._begun(question)
        clock = self._stimulator.clock
        end_s = clock.monotonic() + self.WINDOW_S
        while clock.monotonic() < end_s:
            if self._stimulator.button:
                self._wait_free()
                return True
            clock.sleep(self.POLL_S)
        return False

    def _wait_free(self) -> None:
        while self._stimulator.button:
            self._stimulator.clock.sleep(self.POLL_S)


@dataclass
class Finger:
    """Presses the virtual board's button as a person with this nerve would.

    missed: part of the answers for which it is too late. early: part of the pulses not felt
    after which it presses as if the next were felt already.
    """

    PRESS_S = 0.15
    LATE_S = 0.75
    EARLY_S = 0.85

    nerve: Nerve
    board: VirtualBoard
    bench: Bench
    reaction_s: float = 0.4
    missed: float = 0.0
    early: float = 0.0

    def __post_init__(self) -> None:
        self._random = Random(self.nerve.seed + 1)

    def __call__(self, question: str) -> None:
        felt = self.nerve.responds(_KINDS[question])
        if felt and self._random.random() < self.missed:
            self._press(self.LATE_S)
        elif felt:
            self._press(self.reaction_s)
        elif self._random.random() < self.early:
            self._press(self.EARLY_S, 3 * self.PRESS_S)

    def _press(self, after_s: float, for_s: float = PRESS_S) -> None:
        board = self.board
        at = board.now + board.clocks(after_s)
        board.chip.kernel.at(at, self.bench.press_foot)
        board.chip.kernel.at(at + board.clocks(for_s), self.bench.release_foot)
