"""What a plan refuses: what docs/timing.md forbids, and nothing else."""

import pytest
from engine_bench import Engine, Session, play
from hypothesis import event, given
from hypothesis import strategies as st
from oracle import ALTERNATING, INDEPENDENT, OVERLAPPED, SIMULTANEOUS, Board
from strategies import any_settings, any_value, boards, examples, sessions
from tape_check import check

from firmware.core.refused import Refused
from firmware.core.settings import CHANNEL, SESSION

ON = {"enabled": 1, "ramp_up_ms": 100, "on_ms": 500, "ramp_down_ms": 100, "off_ms": 300}
TRIPLET = {"count": 3, "interval_ns": 4_300_000, "width_ns": 1_000_000}
SETTINGS_CONFLICT = -221


def refusal(session: Session) -> str | None:
    """Why the engine refuses a session."""
    try:
        session.plan()
    except Refused as refused:
        assert refused.code == SETTINGS_CONFLICT
        assert refused.text
        return refused.text
    return None


def agree(session: Session) -> None:
    """Engine and oracle say the same."""
    expected, found = session.expectation.refusal, refusal(session)
    event("refused" if expected else "accepted")
    assert (expected is None) == (found is None), (expected, found)


@st.composite
def wild_sessions(draw) -> Session:
    """A plausible session, some of whose settings are replaced by any others."""
    session = draw(sessions())
    for table, values in (
        (CHANNEL, session.channels[0]),
        (CHANNEL, session.channels[1]),
        (SESSION, session.session),
    ):
        for field in draw(st.lists(st.sampled_from(list(table)), max_size=2)):
            values[field[0]] = draw(any_value(field))
    dead_ns = draw(st.sampled_from([2_000, 2_000, 5_000]))
    board = session.board
    board = Board(board.clock_hz, dead_ns, board.separation_ns)
    return Session(*session.channels, session.session, board)


@examples(250)
@given(wild_sessions())
def test_engine_and_oracle_refuse_the_same(session):
    agree(session)


@examples(200)
@given(any_settings(CHANNEL), any_settings(CHANNEL), any_settings(SESSION), boards)
def test_any_settings_at_all(one, two, session, board):
    agree(Session(one, two, session, board))


@examples(100)
@given(sessions(varied=False), st.integers(0, 1))
def test_the_fastest_rate_that_fits_is_accepted_and_the_next_refused(session, i):
    """The bound, to the millihertz."""
    expected = session.expectation
    if expected.refusal or not expected.on[i]:
        return
    group = expected.shapes[i].group + expected.behind(i)
    fastest = session.board.clock_hz * 500 // group
    names = {"rate_mhz": min(fastest, 500_000)}
    if expected.lockstep:
        group = max(expected.shapes[c].group + expected.behind(c) for c in (0, 1))
        fastest = session.board.clock_hz * 500 // group
        names = {"rate_mhz": min(fastest, 500_000)}
        session = session.but(one=names, two=names)
    else:
        session = session.but(**{("one", "two")[i]: names})
    # A changed rate may make channels tick together that did not, or part them.
    if session.expectation.lockstep != expected.lockstep or fastest >= 500_000:
        return
    assert refusal(session) is None
    names = {"rate_mhz": fastest + 1}
    both = {"one": names, "two": names} if expected.lockstep else {("one", "two")[i]: names}
    assert "free" in refusal(session.but(**both))


@pytest.mark.parametrize(
    ("one", "two", "session", "words"),
    [
        ({"enabled": 0}, {}, {}, "no channel"),
        ({"ramp_up_ms": 500, "on_ms": 9_000, "ramp_down_ms": 501}, {}, {}, "does not fit"),
        ({"on_ms": 0, "ramp_up_ms": 6_000, "ramp_down_ms": 4_001}, {}, {}, "does not fit"),
        ({}, {}, {"warm_ms": 6_000, "cool_ms": 4_001}, "does not fit"),
        ({}, {}, {"warm_ms": 3_499}, "ramps"),
        ({}, {}, {"cool_ms": 4_499}, "ramps"),
        ({"rest_rate_mhz": 5_000, "rest_up_ms": 150, "rest_down_ms": 151}, {}, {}, "ramps"),
        ({"rest_rate_mhz": 390_000, "rest_up_ms": 0, "rest_down_ms": 0, "width_ns": 800_000}, {},
         {}, "free"),
        ({"width_ns": 800_000}, {}, {"warm_ms": 4_000, "warm_rate_mhz": 370_400}, "free"),
        ({"width_ns": 800_000}, {}, {"cool_ms": 5_000, "cool_rate_mhz": 370_400}, "free"),
        ({"rate_mhz": 500_000, "width_ns": 490_000, "gap_ns": 100_000}, {}, {}, "free"),
        ({"rate_mhz": 1_020, "count": 50, "interval_ns": 20_000_000, "width_ns": 1_000_000,
          "on_ms": 5_000}, {}, {}, "free"),
        ({"count": 25, "interval_ns": 400_000, "width_ns": 199_000, "gap_ns": 2_000}, {}, {},
         "interval"),
        ({"count": 8, "interval_ns": 3_000_000, "width_ns": 950_000}, {}, {}, "free"),
        ({"ramp_up_ms": 0, "on_ms": 10, "ramp_down_ms": 0, "rate_mhz": 1_000, "count": 3}, {},
         {}, "no pulse"),
        ({}, ON | {"on_ms": 501}, {"pattern": SIMULTANEOUS}, "on_ms"),
        ({}, ON | {"off_ms": 301}, {"pattern": SIMULTANEOUS}, "off_ms"),
        ({}, ON | {"ramp_up_ms": 101}, {"pattern": SIMULTANEOUS}, "ramp_up_ms"),
        ({}, ON | {"ramp_down_ms": 101}, {"pattern": SIMULTANEOUS}, "ramp_down_ms"),
        ({}, ON, {"pattern": ALTERNATING}, "half"),
        ({"off_ms": 700}, ON | {"off_ms": 701}, {"pattern": ALTERNATING}, "differ"),
        ({"on_ms": 0, "off_ms": 700}, ON | {"on_ms": 0}, {"pattern": ALTERNATING}, "on time"),
        ({}, ON | {"off_ms": 0}, {"pattern": OVERLAPPED}, "off time"),
        ({"off_ms": 0, "ramp_down_ms": 601}, ON | {"off_ms": 0}, {"pattern": OVERLAPPED},
         "ramp down"),
        ({"on_ms": 0, "off_ms": 0}, ON | {"off_ms": 0}, {"pattern": OVERLAPPED}, "on time"),
        ({"rate_mhz": 300_000}, ON | {"rate_mhz": 10_000, "width_ns": 900_000}, {}, "free"),
    ],
)
def test_a_refusal_of_every_kind(one, two, session, words):
    session = Session(ON | one, two, {"duration_ms": 10_000} | session)
    assert session.expectation.refusal
    assert words in refusal(session)


def test_a_gap_below_the_dead_time_is_refused():
    board = Board(dead_ns=5_000)
    assert refusal(Session(ON | {"gap_ns": 5_000}, {}, {"duration_ms": 10_000}, board)) is None
    assert "dead" in refusal(Session(ON | {"gap_ns": 4_992}, {}, {"duration_ms": 10_000}, board))


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ({"rate_mhz": 230_000, "width_ns": 1_000_000}, {"rate_mhz": 229_000}),
        (TRIPLET, {"interval_ns": 5_800_000}),
        (TRIPLET, {"count": 2}),
        ({"rate_mhz": 230_000, "width_ns": 1_000_000}, {"delay_us": 1}),
        ({"rest_rate_mhz": 230_000, "width_ns": 1_000_000}, {"rest_rate_mhz": 200_000}),
    ],
)
def test_only_channels_that_tick_together_may_leave_each_other_less_room(one, two):
    channel = ON | {"rate_mhz": 20_000, "rest_up_ms": 0, "rest_down_ms": 0} | one
    shared = {"duration_ms": 5_000, "pattern": SIMULTANEOUS}
    together = Session(channel, channel, shared)
    assert refusal(together) is None
    check(play(together, (300, 300)), together, (300, 300))
    assert "free" in refusal(Session(channel, channel | two, shared))


def test_trains_that_follow_at_once_leave_room_for_the_other_channel():
    """Full periods, and a train's end just behind a group of channel 2."""
    russian = {"width_ns": 198_000, "gap_ns": 2_000, "count": 25, "interval_ns": 400_000}
    channel = ON | russian | {"rate_mhz": 50_000, "ramp_up_ms": 0, "ramp_down_ms": 0,
                              "on_ms": 412}
    for off_ms in (0, 5):
        one = channel | {"off_ms": off_ms}
        session = Session(one, one, {"duration_ms": 3_000, "pattern": SIMULTANEOUS})
        engine = play(session, (300, 300))
        check(engine, session, (300, 300))
        assert engine.scheduler.moved(0) == engine.scheduler.moved(1) == (0, 0)


def test_two_full_bursts_do_not_overflow_a_block():
    burst = {"enabled": 1, "rate_mhz": 45_000, "width_ns": 20_000, "gap_ns": 2_000, "count": 50,
             "interval_ns": 200_000, "on_ms": 0, "ramp_up_ms": 0, "ramp_down_ms": 0}
    for two in (burst, burst | {"rate_mhz": 20_000}):
        for pattern in (SIMULTANEOUS, INDEPENDENT):
            session = Session(burst | {"rate_mhz": two["rate_mhz"]}, two,
                              {"duration_ms": 1_000, "pattern": pattern})
            for target_ms in (10, 25, 100):
                check(play(session, (9, 9), target_ms=target_ms), session, (9, 9))


def test_what_is_refused_leaves_the_engine_as_it_was():
    session = Session(ON, {}, {"duration_ms": 10_000})
    engine = Engine(session, (100, 0))
    engine.run(until_ms=500)
    refused = session.but(one={"rate_mhz": 500_000, "width_ns": 1_000_000})
    with pytest.raises(Refused):
        engine.scheduler.swap(refused.plan())
    engine.run()
    check(engine, session, (100, 0))
