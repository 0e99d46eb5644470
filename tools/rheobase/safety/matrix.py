"""Runs the list: every fault in every state, each on a fresh board, against its bound."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from rheobase.safety.faults import FAULTS, LAYERS, Fault
from rheobase.safety.trial import STATES, Measured, Trial

ENDED = ("IDLE", "FAULT", "PAUSED", "SELFTEST", "BOOT", "off", "")
"""States in which nothing plays; in the last the firmware does not answer (it hangs)."""

_TRIAL_S = 120  # of wall time, far more than any trial needs


class Row(NamedTuple):
    """One trial's outcome; `wrong` is empty when it holds."""

    fault: Fault
    state: str
    measured: Measured
    wrong: str


def states_of(fault: Fault) -> tuple[str, ...]:
    return tuple(state for state in STATES if state in fault.states)


def try_out(fault: Fault, state: str) -> Row:
    """Bring a board into the state, break it, and judge what follows."""
    with _limited(_TRIAL_S):
        return _try_out(fault, state)


@contextmanager
def _limited(seconds: int) -> Iterator[None]:
    """A trial that never comes to its end fails, instead of holding up all others."""

    def expired(*_: object) -> None:
        raise TimeoutError(f"no end within {seconds} s")

    before = signal.signal(signal.SIGALRM, expired)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _try_out(fault: Fault, state: str) -> Row:
    trial = Trial(fault.currents_ma, fault.setup, **dict(fault.wiring))
    trial.to(state)
    if not trial.reaches(state):
        nothing = Measured(None, None, trial.state(), 0)
        return Row(fault, state, nothing, f"state {state} not reached")
    began = trial.board.now
    try:
        fault.act(trial)
        measured = trial.measure(began, fault.watch_s)
    except Exception as error:  # of the trial, not of the firmware
        nothing = Measured(None, None, "", 0)
        return Row(fault, state, nothing, f"the trial failed: {error!r}")
    return Row(fault, state, measured, _judge(fault, state, measured))


def _judge(fault: Fault, state: str, measured: Measured) -> str:
    if state not in fault.ends:
        playing = state in ("RUNNING", "REST", "WAITING", "FADING")
        if not playing and state != "CHECKING" and measured.legs_ms is not None:
            return "an output rose"
        if fault.rides and measured.fault and state != "FAULT":
            return f"fault {measured.fault}, though it should go on"
        return ""
    if measured.state not in ENDED:
        return f"state {measured.state} after it"
    legs_ms = measured.legs_ms or 0.0
    if legs_ms > fault.bound_ms:
        return f"legs low after {legs_ms:.4g} ms, above {fault.bound_ms:.4g} ms"
    if fault.number and measured.fault != fault.number:
        return f"fault {measured.fault}, not {fault.number}"
    charge_ms = measured.charge_ms or 0.0
    most_ms = fault.bound_ms if fault.charge_ms is None else fault.charge_ms
    if charge_ms > most_ms:
        return f"charge for {charge_ms:.4g} ms, above {most_ms:.4g} ms"
    return ""


def everything() -> list[tuple[Fault, str]]:
    """All trials: the list in every state, then each layer with those above it disabled."""
    return [(fault, state) for fault in (*FAULTS, *LAYERS) for state in states_of(fault)]
