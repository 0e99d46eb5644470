"""Whole sessions, from typed settings to the electrodes, against the oracle."""

import electrode
import pytest
from engine_bench import Session
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import examples, sessions

from firmware.core.settings import ALTERNATING, INDEPENDENT, OVERLAPPED, SIMULTANEOUS

ON = {"enabled": 1, "limit_ua": 100_000, "pad_mm2": 10_000}
CYCLE = {"ramp_up_ms": 500, "on_ms": 1_000, "ramp_down_ms": 300, "off_ms": 600}
RUSSIAN = {"width_ns": 198_000, "gap_ns": 2_000, "rate_mhz": 50_000, "count": 25,
           "interval_ns": 400_000}
TENS_BURST = {"width_ns": 180_000, "rate_mhz": 2_000, "count": 9, "interval_ns": 11_111_111}

SHAPES = {
    "single": {"rate_mhz": 50_000, "width_ns": 400_000},
    "odd rate": {"rate_mhz": 33_333, "width_ns": 123_456, "gap_ns": 77_777},
    "minus first": {"rate_mhz": 20_000, "polarity": 1},
    "alternating polarity": {"rate_mhz": 75_000, "polarity": 2},
    "doublet": {"rate_mhz": 35_000, "count": 2},
    "octuplet": {"rate_mhz": 10_000, "count": 8, "interval_ns": 2_500_000, "width_ns": 100_000},
    "Russian": RUSSIAN,
    "burst TENS": TENS_BURST,
    "shortest": {"rate_mhz": 500_000, "width_ns": 20_000, "gap_ns": 2_000},
    "longest": {"rate_mhz": 100_000, "width_ns": 1_000_000, "gap_ns": 1_000_000},
    "ramp of width": {"rate_mhz": 40_000, "ramp_by": 1, "ramp_up_ms": 800},
    "slowest": {"rate_mhz": 500, "on_ms": 4_000, "ramp_up_ms": 0, "ramp_down_ms": 0},
}


@pytest.mark.parametrize("shape", SHAPES)
def test_each_shape_on_one_channel(shape):
    one = ON | CYCLE | SHAPES[shape]
    electrode.check(Session(one, {}, {"duration_ms": 5_000}), (5, 0))


@pytest.mark.parametrize("pattern", [SIMULTANEOUS, ALTERNATING, OVERLAPPED, INDEPENDENT])
def test_each_pattern_on_two_channels(pattern):
    one = ON | CYCLE | {"rate_mhz": 50_000, "width_ns": 350_000}
    two = ON | CYCLE | {"rate_mhz": 45_000, "width_ns": 250_000, "count": 2}
    if pattern == ALTERNATING:
        one["off_ms"] = two["off_ms"] = 2_200
    if pattern == OVERLAPPED:
        one["off_ms"] = two["off_ms"] = 0
    electrode.check(Session(one, two, {"duration_ms": 7_000, "pattern": pattern}), (5, 4))


def test_russian_current_on_both_channels():
    both = ON | CYCLE | RUSSIAN
    electrode.check(Session(both, both, {"duration_ms": 4_000, "pattern": SIMULTANEOUS}), (3, 3))


def test_warm_up_active_rest_and_cool_down():
    one = ON | CYCLE | {"rest_rate_mhz": 4_000, "rest_up_ms": 100, "rest_down_ms": 100}
    two = ON | CYCLE | {"rate_mhz": 28_000, "off_ms": 1_000}
    session = {"duration_ms": 12_000, "warm_ms": 2_000, "warm_up_ms": 500, "warm_down_ms": 500,
               "cool_ms": 3_000, "cool_up_ms": 500, "cool_down_ms": 1_000}
    electrode.check(Session(one, two, session), (6, 5))


@examples(15)
@given(sessions(most_ms=3_000), st.tuples(st.integers(1, 8), st.integers(1, 8)))
def test_random_sessions(session, targets_ma):
    session = type(session)(
        *({**c, "limit_ua": 100_000, "pad_mm2": 10_000} for c in session.channels),
        session.session,
        electrode.REFERENCE,
    )
    assume(session.expectation.refusal is None)
    assume(session.session["duration_ms"] < 8_000)
    electrode.check(session, targets_ma)
