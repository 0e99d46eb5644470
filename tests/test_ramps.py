"""Ramps: the level and the width of every pulse against the exact envelope."""

from fractions import Fraction
from math import floor

import pytest
from engine_bench import Engine, Session, play
from hypothesis import assume, given
from hypothesis import strategies as st
from oracle import AMPLITUDE, INDEPENDENT, WIDTH, Board
from strategies import boards, examples, plateaus, sessions
from tape_check import check

from firmware.core.envelope import FULL, TICKS_PER_MS, share_at

HOUR_MS = 3_600_000
MINUTE_MS = 60_000


@st.composite
def ramped_trains(draw) -> tuple[int, int, int]:
    """Ramp up, length and ramp down (ms) of a train, from nothing to an hour each."""
    spans = st.one_of(st.integers(0, 2_000), st.integers(0, HOUR_MS), st.just(0))
    up, on, down = (draw(spans) for _ in range(3))
    return up, up + on + down + 1, down


@examples(300)
@given(ramped_trains(), st.floats(0, 1), st.sampled_from(["up", "down", "all"]))
def test_the_share_is_the_envelope_rounded_down(train, at, part):
    up, length, down = train
    first = 0 if part != "down" else length - down
    last = length if part != "up" else up
    ticks = min(floor((first + at * (last - first)) * TICKS_PER_MS), length * TICKS_PER_MS - 1)
    time = Fraction(ticks, TICKS_PER_MS)
    if time < up:
        exact = time / up
    elif length - time < down:
        exact = (length - time) / down
    else:
        exact = Fraction(1)
    spans = [time_ms * TICKS_PER_MS for time_ms in (up, down, length)]
    assert share_at(spans, 0, ticks) == floor(exact * FULL)


@st.composite
def ramps(draw, ramp_by: int) -> Session:
    """One channel with one contraction and long or short ramps, up to minutes."""
    scale = draw(st.sampled_from([300, 3_000, 3 * MINUTE_MS]))
    spans = [draw(st.one_of(st.just(0), st.integers(0, scale))) for _ in range(3)]
    fastest = max(500, min(400_000, 200 * 10**6 // (sum(spans) + 1)))
    channel = {
        "enabled": 1,
        "ramp_up_ms": spans[0],
        "on_ms": max(10, spans[1]),
        "ramp_down_ms": spans[2],
        "ramp_by": ramp_by,
        "rate_mhz": draw(st.integers(500, fastest)),
        "width_ns": draw(st.integers(20_000, 400_000)),
        "polarity": draw(st.integers(0, 2)),
    }
    duration = max(100, spans[0] + channel["on_ms"] + spans[2])
    return Session(channel, {}, {"duration_ms": duration}, draw(boards))


def by_part(session, pulses) -> dict[str, list]:
    """The pulses of the one contraction by the part of its envelope in which they start."""
    channel = session.channels[0]
    up = session.board.ms(channel["ramp_up_ms"])
    down = up + session.board.ms(channel["on_ms"])
    parts = {"up": [], "on": [], "down": []}
    for pulse in pulses:
        parts["up" if pulse.start < up else "on" if pulse.start <= down else "down"].append(pulse)
    return parts


def played(session, plateau):
    """(the engine, its pulses by part) of a session that can be played, checked as any other."""
    assume(not session.expectation.refusal)
    engine = play(session, (plateau, 0), target_ms=100)
    check(engine, session, (plateau, 0))
    return engine, by_part(session, engine.tape.pulses[0])


@examples(60)
@given(ramps(AMPLITUDE), st.integers(0, 2000))
def test_ramps_of_amplitude(session, plateau):
    engine, parts = played(session, plateau)
    levels = {name: [pulse.first.level for pulse in pulses] for name, pulses in parts.items()}
    assert levels["up"] == sorted(levels["up"])
    assert set(levels["on"]) <= {plateau}
    assert levels["down"] == sorted(levels["down"], reverse=True)
    if levels["up"]:
        assert levels["up"][0] == 0
    assert all(level <= plateau for part in levels.values() for level in part)
    assert len({pulse.width for pulse in engine.tape.pulses[0]}) == 1


@examples(60)
@given(ramps(WIDTH), st.integers(0, 2000))
def test_ramps_of_width(session, plateau):
    engine, parts = played(session, plateau)
    widths = {name: [pulse.width for pulse in pulses] for name, pulses in parts.items()}
    board, full = session.board, session.expectation.shapes[0].width
    assert widths["up"] == sorted(widths["up"])
    assert set(widths["on"]) <= {full}
    assert widths["down"] == sorted(widths["down"], reverse=True)
    if widths["up"]:
        assert widths["up"][0] == board.turns(20_000)
    assert all(width >= board.turns(20_000) for part in widths.values() for width in part)
    assert {pulse.first.level for pulse in engine.tape.pulses[0]} == {plateau}


def test_a_ramp_of_a_minute_worked_out_by_hand():
    channel = {"enabled": 1, "ramp_up_ms": MINUTE_MS, "ramp_down_ms": 30_000, "on_ms": 10_000,
               "rate_mhz": 1_000}
    session = Session(channel, {}, {"duration_ms": 100_000})
    levels = [p.first.level for p in play(session, (600, 0), target_ms=100).tape.pulses[0]]
    assert levels[:3] == [0, 10, 20] and levels[59:61] == [590, 600]
    assert levels[60:71] == [600] * 11
    assert levels[71:74] == [580, 560, 540] and levels[-1] == 20 and len(levels) == 100


def test_a_group_has_one_share():
    channel = {"enabled": 1, "ramp_up_ms": 2_000, "on_ms": 100, "ramp_down_ms": 0,
               "rate_mhz": 5_000, "count": 8, "interval_ns": 20_000_000}
    session = Session(channel, {}, {"duration_ms": 2_200})
    pulses = play(session, (2000, 0)).tape.pulses[0]
    groups = [pulses[i : i + 8] for i in range(0, len(pulses), 8)]
    assert [{pulse.first.level for pulse in group} for group in groups] == [
        {200 * k} for k in range(10)
    ]


@pytest.mark.parametrize("ramp_by", [AMPLITUDE, WIDTH])
def test_no_ramp_is_full_from_the_first_pulse(ramp_by):
    channel = {"enabled": 1, "ramp_up_ms": 0, "ramp_down_ms": 0, "on_ms": 1_000,
               "ramp_by": ramp_by}
    pulses = play(Session(channel, {}, {"duration_ms": 1_000}), (777, 0)).tape.pulses[0]
    assert {(pulse.first.level, pulse.width) for pulse in pulses} == {(777, 18_750)}


@examples(60)
@given(sessions(most_ms=2_500), plateaus, plateaus, st.integers(0, 150))
def test_a_new_plateau_acts_with_the_next_block(session, before, after, blocks):
    """Up, down and to zero; of what lies in the next block only a pulse that comes before its
    amplitude could settle keeps the old plateau."""
    expected = session.expectation
    assume(not expected.refusal)
    engine = Engine(session, before)
    while engine.blocks < blocks and not engine.ended:
        engine.block()
    changed = engine.tape.turn
    engine.set_plateaus(after)
    engine.run()
    units = [list(expected.units(i)) for i in (0, 1)]
    for i in (0, 1):
        # A pulse that was moved may have been due before the block began.
        settled = changed + expected.board.settle + 100
        settled += expected.shapes[1 - i].unit + expected.board.separation
        pulses = iter(engine.tape.pulses[i])
        played = [(u.level_share, [next(pulses) for _ in range(u.pulses)]) for u in units[i]]
        assert next(pulses, None) is None
        for share, (first, *others) in played:  # a burst keeps the level that it began with
            old, new = share.levels(before[i]), share.levels(after[i])
            level = first.first.level
            for pulse in (first, *others):
                assert pulse.first.level == pulse.second.level == level
            if first.start < changed:
                assert old[0] <= level <= old[1]
            elif first.start > settled:
                assert new[0] <= level <= new[1]
            else:
                assert old[0] <= level <= old[1] or new[0] <= level <= new[1]


def test_zero_acts_at_once_on_both_channels():
    channel = {"enabled": 1, "on_ms": 0, "ramp_up_ms": 0, "ramp_down_ms": 0, "rate_mhz": 100_000}
    session = Session(channel, channel, {"duration_ms": 1_000, "pattern": INDEPENDENT}, Board())
    engine = Engine(session, (500, 900))
    engine.run(until_ms=500)
    engine.set_plateaus((0, 0))
    zero = engine.tape.turn
    engine.run()
    for i in (0, 1):
        after = [p.first.level for p in engine.tape.pulses[i] if p.start >= zero]
        assert len(after) > 40 and set(after[1:]) == {0}
