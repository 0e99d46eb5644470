"""What a step of the bench test is made of."""

from __future__ import annotations

import math
from typing import NamedTuple

WIDTH, RATE, AMPLITUDE = 5.0, 1.0, 10.0
"""Per cent by which a width, a rate and an amplitude may be off (SR-46)."""


class Bounds(NamedTuple):
    """What a number must lie between, and how the report names it."""

    low: float
    high: float
    expected: float | None
    unit: str

    def holds(self, value: float) -> bool:
        return self.low <= value <= self.high

    def __str__(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        if self.expected is not None:
            if self.low == self.high:
                return f"{self.expected:g}{unit}"
            return f"{self.expected:g} ({self.low:.4g} to {self.high:.4g}){unit}"
        if math.isinf(self.low):
            return f"at most {self.high:g}{unit}"
        return f"at least {self.low:g}{unit}"


def about(value: float, percent: float, unit: str, least: float = 0.0) -> Bounds:
    """`value` within this many per cent, or within `least` where that is more."""
    margin = max(abs(value) * percent / 100, least)
    return Bounds(value - margin, value + margin, value, unit)


def at_most(value: float, unit: str) -> Bounds:
    return Bounds(-math.inf, value, None, unit)


def at_least(value: float, unit: str) -> Bounds:
    return Bounds(value, math.inf, None, unit)


def exactly(value: float, unit: str = "") -> Bounds:
    return Bounds(value, value, value, unit)


# -- what is done, in order ----------------------------------------------------------------------


class Set(NamedTuple):
    """Lines that must be accepted."""

    lines: tuple[str, ...]


class Arm(NamedTuple):
    """All that a person does before arming, then ARM with the settings' hash, until armed.

    words: instead it must be refused with these words in the error.
    """

    words: str = ""


class Play(NamedTuple):
    """Arm, start, and raise channels 1 and 2 to these intensities."""

    one_ma: float = 0.0
    two_ma: float = 0.0


class Off(NamedTuple):
    """The stop byte, as the client sends it, and nothing else."""


class Do(NamedTuple):
    """Something that only a person can do; the next operation waits for it."""

    action: str
    words: str


class Read(NamedTuple):
    """A number that a person reads from the oscilloscope or a meter."""

    quantity: str
    channel: int
    words: str
    bounds: Bounds
    watch_s: float = 1.0


class See(NamedTuple):
    """A question that a person answers with yes; no is a failure."""

    quantity: str
    channel: int
    words: str
    watch_s: float = 1.0


class Ask(NamedTuple):
    """A number that the device tells."""

    query: str
    words: str
    bounds: Bounds
    scale: float = 1.0
    """The reply times this is in the bounds' unit."""


class Says(NamedTuple):
    """A word that the device must answer."""

    query: str
    expected: str


class Refuses(NamedTuple):
    """A line that must be refused with these words in the error."""

    line: str
    words: str


class Wait(NamedTuple):
    seconds: float


class LetGo(NamedTuple):
    """The host falls silent: nothing is sent any more. Ends with Reconnect."""


class Reconnect(NamedTuple):
    """Find the device again after a reset or a silence."""


Operation = (
    Set | Arm | Play | Off | Do | Read | See | Ask | Says | Refuses | Wait | LetGo | Reconnect
)


class Step(NamedTuple):
    """One promise: `operations` try it, `afterwards` put the bench back, whatever happened."""

    key: str
    title: str
    promise: str
    operations: tuple[Operation, ...]
    afterwards: tuple[Operation, ...] = ()
    needs: tuple[str, ...] = ()
    """Queries that the firmware must know, or the step is skipped."""
