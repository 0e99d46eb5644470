"""Who answers: a simulated nerve, or a person at the keyboard."""

from __future__ import annotations

from random import Random

import click

from rheobase.client.line import Clock
from rheobase.instrument.tests import MARKS
from rheobase.sim.bench.nerve import Nerve

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
