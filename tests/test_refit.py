"""A live change of width or gap gives the plan that would have been made from its settings."""

import pytest
from engine_bench import Session, settings
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import examples, sessions

from firmware.core.fit import refitted
from firmware.core.refused import Refused
from firmware.core.settings import CHANNEL, SWEEP

widths = st.sampled_from((20_000, 50_000, 199_000, 300_000, 500_000, 1_000_000))
gaps = st.sampled_from((2_000, 100_000, 1_000_000))
changes = st.fixed_dictionaries({}, optional={"width_ns": widths, "gap_ns": gaps})


def content(thing):
    """Everything a plan consists of, down to numbers."""
    if isinstance(thing, (list, tuple)):
        return [content(part) for part in thing]
    if hasattr(thing, "__dict__"):
        return {name: content(value) for name, value in vars(thing).items()}
    return list(thing) if isinstance(thing, memoryview) or hasattr(thing, "typecode") else thing


def outcome(make):
    """The plan's content, or the text of the refusal."""
    try:
        return content(make())
    except Refused as refused:
        return refused.text


def both_ways(session, one, two):
    plan = session.plan()
    before = content(plan)
    changed = session.but(one=one, two=two)
    live = outcome(lambda: refitted(plan, [settings(CHANNEL, c) for c in changed.channels]))
    assert content(plan) == before
    return live, outcome(changed.plan)


@examples(60)
@given(sessions(most_ms=2_000), changes, changes)
def test_a_live_change_equals_a_new_plan(session, one, two):
    assume(not session.expectation.refusal)
    live, new = both_ways(session, one, two)
    assert live == new


SWEPT = {"enabled": 1, "on_ms": 500, "ramp_up_ms": 0, "ramp_down_ms": 0, "modulation": SWEEP,
         "rate_to_mhz": 50_000, "width_to_ns": 400_000, "mod_steps": 5}


def test_a_live_change_under_a_sweep():
    live, new = both_ways(Session(SWEPT, {}, {"duration_ms": 2_000}), {"width_ns": 100_000}, {})
    assert live == new
    widths_turns = live["channels"][0]["steps"][0][1][0]["course"]["widths"]
    assert widths_turns[0] == 6250 and len(widths_turns) == 5


@pytest.mark.parametrize(
    ("one", "refused"),
    [({"width_ns": 1_000_000, "gap_ns": 1_000_000}, "free between pulses"),
     ({"width_ns": 200_000}, None)],
)
def test_a_live_change_is_refused_like_a_new_plan(one, refused):
    pair = {"enabled": 1, "rate_mhz": 260_000, "on_ms": 0, "ramp_up_ms": 0}
    live, new = both_ways(Session(pair, pair, {"duration_ms": 2_000}), one, {})
    assert live == new
    assert (refused in live) if refused else isinstance(live, dict)
