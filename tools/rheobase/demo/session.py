"""The demo's session, as any host would run it: through the client, over a serial line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rheobase.client import Climb, Moved, Progress, State, Stimulator, StimulatorError
from rheobase.demo.check import Commanded
from rheobase.sim_port import approve

PROGRAMS = {1: "N01", 2: "D35"}
TARGETS_MA = {1: 20.0, 2: 15.0}
SECONDS = 20.0
_LOOK_S = 0.05
_TIMES = ("ramp_up_s", "on_s", "ramp_down_s", "off_s")


@dataclass
class Played:
    """What the host set and saw. settings: as read back from the stimulator."""

    channels: dict[int, dict[str, Any]]
    session: dict[str, Any]
    commanded: list[Commanded]
    contractions: tuple[int, int]
    pulses: tuple[int, int]
    moved: tuple[Moved, Moved]
    errors: list[tuple[int, str]]


def prepare(stimulator: Stimulator, seconds: float) -> None:
    """Load both programs; a session that isn't the demo's 20 s gets their cycles in proportion."""
    stimulator.reset()
    for number, program in PROGRAMS.items():
        stimulator.load_program(program, number)
        if seconds != SECONDS:
            channel = stimulator.channel(number)
            times: Mapping[str, float] = channel.read(*_TIMES)
            scaled = {name: round(times[name] * seconds / SECONDS, 3) for name in _TIMES}
            channel.configure(**scaled)
    stimulator.session.configure(duration_s=seconds, pattern="independent")


def play(
    stimulator: Stimulator,
    seconds: float,
    board_clock: Callable[[], int],
    show: Callable[[Progress, Climb], None],
    armed: Callable[[], object] = lambda: None,
) -> Played:
    """Arm, start, raise both intensities from zero while it runs, and wait for its end.

    board_clock: the board's clock now, to note when each intensity was set.
    show: called with every look at the session. armed: called once, before the start.
    Raises StimulatorError if it ends by a fault.
    """
    prepare(stimulator, seconds)
    channels = {number: stimulator.channel(number).read() for number in PROGRAMS}
    session = stimulator.session.read()
    approve(stimulator)
    stimulator.arm(wait_s=20.0)
    armed()
    stimulator.start()
    climb = stimulator.raise_current(TARGETS_MA)
    commanded: list[Commanded] = []
    for progress in stimulator.watch(_LOOK_S):
        show(progress, climb)
        if progress.state == State.RUNNING:
            _raise(stimulator, climb, board_clock, commanded)
    return Played(
        channels,
        session,
        commanded,
        stimulator.contractions,
        (stimulator.channel(1).pulses, stimulator.channel(2).pulses),
        (stimulator.channel(1).moved, stimulator.channel(2).moved),
        stimulator.errors,
    )


def _raise(
    stimulator: Stimulator,
    climb: Climb,
    board_clock: Callable[[], int],
    commanded: list[Commanded],
) -> None:
    """Take the steps that are due, and note them with the clocks between which they were taken."""
    were = dict(climb.current_ma)
    before = board_clock()
    try:
        climb.advance()
    except StimulatorError:
        if stimulator.state == State.RUNNING:
            raise  # else the session has just ended, and nothing goes up any more
    after = board_clock()
    for number, current_ma in climb.current_ma.items():
        if current_ma != were[number]:
            commanded.append(Commanded(number, before, after, current_ma))
