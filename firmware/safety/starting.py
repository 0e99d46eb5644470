"""Begins a session and goes on with a paused one; imported for it, with the output off."""

import time

from firmware.core.refused import Refused
from firmware.safety.states import NAMES


def start(stimulator):
    """Begin the session at amplitude zero."""
    _prepare(stimulator, "start")
    if stimulator.triggered:
        stimulator.triggered.check()
    stimulator.play.elapsed_before_ms = 0
    _begin(stimulator, "start")


def resume(stimulator):
    """Go on with a held session, from amplitude zero."""
    _prepare(stimulator, "resume")
    _begin(stimulator, "resume")


def _prepare(stimulator, event):
    """Refused (-221) in another state, or while the supply is too low."""
    if not stimulator.states.can(event):
        raise Refused(-221, f"{event} not possible in state {NAMES[stimulator.state]}")
    supply_v = stimulator.supply_v()
    least_v = stimulator.watch.least_supply_v()
    if supply_v < least_v:
        raise Refused(-221, f"supply at {supply_v} V below {least_v} V; it needs a moment")


def _begin(stimulator, event):
    fresh = event == "start"
    stimulator.zero()
    stimulator.measure(fresh)
    stimulator.lock.open(time.ticks_ms())
    tape = stimulator.tape
    reason = tape.begin(stimulator.plan) if fresh else tape.resume(stimulator.plan)
    stimulator.play.began(reason, event)
    if stimulator.triggered:
        stimulator.triggered.begin()
