"""What a stimulator tells of itself, as values."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class State(StrEnum):
    """What SESSion:STATe? answers."""

    BOOT = "BOOT"
    SELFTEST = "SELFTEST"
    IDLE = "IDLE"
    ARMED = "ARMED"
    RUNNING = "RUNNING"
    FADING = "FADING"
    PAUSED = "PAUSED"
    FAULT = "FAULT"
    CHECKING = "CHECKING"
    WAITING = "WAITING"
    RESTING = "RESTING"
    STANDING = "STANDING"

    @property
    def in_session(self) -> bool:
        """A session is under way; with a trigger it also waits, rests, or stands still."""
        return self.goes_on or self in (State.FADING, State.PAUSED)

    @property
    def goes_on(self) -> bool:
        """It neither fades nor is it held, so that an intensity may be raised."""
        return self in _GOES_ON


_GOES_ON = frozenset((State.RUNNING, State.WAITING, State.RESTING, State.STANDING))


class Fault(NamedTuple):
    """Why the output was cut; latched until `clear_fault`."""

    number: int
    text: str


class Moved(NamedTuple):
    """Pulses moved because the channels met, and the furthest move."""

    pulses: int
    most_us: float


class Ceiling(NamedTuple):
    """The most that a channel's intensity may be as things are set, and the limit that sets it."""

    current_ma: float
    reason: str


class Progress(NamedTuple):
    """A look at a session: its state, the time played, and by channel current and pulses."""

    state: State
    elapsed_s: float
    current_ma: tuple[float, float]
    pulses: tuple[int, int]


class Identity(NamedTuple):
    maker: str
    model: str
    serial: str
    version: str
