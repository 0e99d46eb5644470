"""How a session's parts and the two channels relate: counts of contractions, turns, overlaps."""

import pytest
from engine_bench import Session, play
from hypothesis import assume, given
from hypothesis import strategies as st
from oracle import ALTERNATING, INDEPENDENT, OVERLAPPED, SIMULTANEOUS, Board
from strategies import PATTERNS, boards, examples, paired_cycles, rates, sessions
from tape_check import check

MS = 62_500  # turns, at 125 MHz
PLATEAUS = (400, 600)


def spans(pulses, pause) -> list[tuple[int, int]]:
    """First and last edge of each run of pulses with no longer pause in it."""
    result: list[tuple[int, int]] = []
    for pulse in pulses:
        if result and pulse.start - result[-1][1] <= pause:
            result[-1] = (result[-1][0], pulse.end)
        else:
            result.append((pulse.start, pulse.end))
    return result


@examples(150)
@given(sessions(most_ms=60_000))
def test_the_plan_counts_the_contractions(session):
    expected = session.expectation
    assume(not expected.refusal)
    assert list(session.plan().contractions) == [expected.contractions(i) for i in (0, 1)]


@pytest.mark.parametrize("rest_rate_mhz", [0, 5_000])
@pytest.mark.parametrize(
    ("duration_ms", "contractions", "rests"),
    [(1_000, 1, 0), (1_499, 1, 0), (1_500, 1, 1), (2_499, 1, 1), (2_500, 2, 1), (2_999, 2, 1),
     (3_000, 2, 2), (4_000, 3, 2)],
)
def test_no_contraction_begins_that_cannot_end(duration_ms, contractions, rests, rest_rate_mhz):
    channel = {"enabled": 1, "ramp_up_ms": 200, "on_ms": 700, "ramp_down_ms": 100, "off_ms": 500,
               "rate_mhz": 50_000, "rest_rate_mhz": rest_rate_mhz, "rest_up_ms": 100,
               "rest_down_ms": 100}
    session = Session(channel, {}, {"duration_ms": duration_ms})
    assert session.plan().contractions[0] == contractions
    engine = play(session, PLATEAUS)
    check(engine, session, PLATEAUS)
    starts = [pulse.start for pulse in engine.tape.pulses[0]]
    cycle = 1_500 * MS
    for k in range(contractions):
        assert k * cycle in starts
    played = {start // cycle for start in starts if start % cycle >= 1_000 * MS}
    assert played == (set(range(rests)) if rest_rate_mhz else set())
    assert engine.tape.turn == duration_ms * MS


def test_a_session_with_everything_in_its_order():
    channel = {"enabled": 1, "ramp_up_ms": 200, "on_ms": 600, "ramp_down_ms": 200, "off_ms": 1_000,
               "rate_mhz": 50_000, "rest_rate_mhz": 4_000, "rest_up_ms": 0, "rest_down_ms": 0,
               "delay_us": 250_000}
    shared = {"duration_ms": 10_000, "warm_ms": 2_000, "warm_rate_mhz": 10_000,
              "warm_up_ms": 1_000, "warm_down_ms": 0, "cool_ms": 3_000, "cool_rate_mhz": 2_000,
              "cool_up_ms": 0, "cool_down_ms": 3_000}
    session = Session(channel, {}, shared)
    engine = play(session, (600, 0))
    check(engine, session, (600, 0))
    starts = [(pulse.start - 250 * MS) // MS for pulse in engine.tape.pulses[0]]
    expected = list(range(0, 2_000, 100))  # warm-up
    for contraction in (2_000, 4_000, 6_000):  # the third one's rest does not fit any more
        expected += range(contraction, contraction + 1_000, 20)
        expected += range(contraction + 1_000, contraction + 2_000, 250) if (
            contraction < 6_000) else []
    expected += range(7_000, 10_000, 500)  # cool-down
    assert starts == expected
    assert engine.tape.turn == (10_000 + 250) * MS
    levels = [pulse.first.level for pulse in engine.tape.pulses[0]]
    assert levels[:11] == [60 * k for k in range(10)] + [600]
    assert levels[-6:] == [600, 500, 400, 300, 200, 100]


@examples(25)
@given(sessions(most_ms=3_000), st.sampled_from([(1, 0), (0, 1)]))
def test_with_one_channel_the_pattern_does_not_matter(session, on):
    for channel, enabled in zip(session.channels, on, strict=True):
        channel["enabled"] = enabled
    session.session["pattern"] = INDEPENDENT
    assume(not session.expectation.refusal)
    tapes = []
    for pattern in PATTERNS:
        session.session["pattern"] = pattern
        tapes.append(play(session, PLATEAUS).tape)
    assert all(tape.pulses == tapes[0].pulses for tape in tapes)
    assert len({tape.turn for tape in tapes}) == 1


@st.composite
def pairs(draw, pattern: int) -> Session:
    """Two channels of single pulses in a pattern, at rates that any pattern allows."""
    one, two = draw(paired_cycles(pattern))
    for channel in (one, two):
        channel |= {"enabled": 1, "ramp_by": 0, "rate_mhz": draw(rates(200_000)),
                    "width_ns": draw(st.integers(20_000, 300_000))}
        channel["on_ms"] = channel["on_ms"] or 500
    if pattern == SIMULTANEOUS:
        two |= {name: one[name] for name in ("on_ms", "rate_mhz")}
    duration = draw(st.integers(5_000, 9_000))
    return Session(one, two, {"duration_ms": duration, "pattern": pattern}, draw(boards))


@examples(25)
@given(pairs(SIMULTANEOUS))
def test_simultaneous_pulses_follow_each_other_one_separation_behind(session):
    assume(not session.expectation.refusal)
    engine = play(session, PLATEAUS)
    check(engine, session, PLATEAUS)
    one, two = engine.tape.pulses
    behind_one = {pulse.end + session.board.separation for pulse in one}
    starts_of_two = {pulse.start for pulse in two}
    # At a train's end the narrower pulse may still fit where the wider one does not.
    assert behind_one <= starts_of_two or starts_of_two <= behind_one
    assert engine.scheduler.moved(0) == engine.scheduler.moved(1) == (0, 0)


@examples(25)
@given(pairs(ALTERNATING))
def test_alternating_channels_take_turns(session):
    assume(not session.expectation.refusal)
    engine = play(session, PLATEAUS)
    check(engine, session, PLATEAUS)
    board = session.board
    cycle = board.ms(sum(session.channels[0][name]
                         for name in ("ramp_up_ms", "on_ms", "ramp_down_ms", "off_ms")))
    half = board.ms(cycle // board.ms(2))
    for i, (first, last) in enumerate(((0, half), (half, cycle))):
        for pulse in engine.tape.pulses[i]:
            assert first <= pulse.start % cycle < pulse.end % cycle <= last
    assert engine.scheduler.moved(0) == engine.scheduler.moved(1) == (0, 0)


@examples(25)
@given(pairs(OVERLAPPED))
def test_overlapped_channels_ramp_up_as_the_other_ramps_down(session):
    expected = session.expectation
    assume(not expected.refusal)
    engine = play(session, PLATEAUS)
    check(engine, session, PLATEAUS)
    one, two = session.channels
    board = session.board
    holds = [board.ms(c["ramp_up_ms"] + c["on_ms"]) for c in (one, two)]
    contractions = [
        [train.start for train in expected.trains(i) if train.kind == "contraction"]
        for i in (0, 1)
    ]
    for i in (0, 1):
        starts = {pulse.start for pulse in engine.tape.pulses[i]}
        ramps_down = [start + holds[1 - i] for start in contractions[1 - i]]
        for start in contractions[i]:
            first = min(begins for begins in starts if begins >= start)
            moved_at_most = expected.shapes[1 - i].unit + board.separation
            assert first - start <= moved_at_most
            assert start in ramps_down or start == 0
    sums = one["ramp_up_ms"] + one["on_ms"] + two["ramp_up_ms"] + two["on_ms"]
    for starts in contractions:
        assert {b - a for a, b in zip(starts, starts[1:], strict=False)} <= {board.ms(sums)}


def test_overlapped_worked_out_by_hand():
    one = {"enabled": 1, "ramp_up_ms": 300, "on_ms": 700, "ramp_down_ms": 200, "off_ms": 0,
           "rate_mhz": 100_000}
    two = {"enabled": 1, "ramp_up_ms": 100, "on_ms": 400, "ramp_down_ms": 600, "off_ms": 0,
           "rate_mhz": 100_000}
    session = Session(one, two, {"duration_ms": 4_500, "pattern": OVERLAPPED})
    engine = play(session, PLATEAUS)
    check(engine, session, PLATEAUS)
    runs = [[(start // MS, -(-end // MS)) for start, end in spans(pulses, 20 * MS)]
            for pulses in engine.tape.pulses]
    assert [[start for start, _ in run] for run in runs] == [[0, 1_500, 3_000], [1_000, 2_500]]
    assert all(end - start in range(1_180, 1_201) for start, end in runs[0])
    assert all(end - start in range(1_080, 1_101) for start, end in runs[1])


def test_alternating_with_an_odd_cycle_rounds_the_half_down():
    channel = {"enabled": 1, "ramp_up_ms": 100, "on_ms": 100, "ramp_down_ms": 100, "off_ms": 401}
    session = Session(channel, channel, {"duration_ms": 5_000, "pattern": ALTERNATING})
    engine = play(session, PLATEAUS)
    check(engine, session, PLATEAUS)
    assert engine.tape.pulses[1][0].start == 350 * MS


def test_the_session_ends_when_both_channels_have():
    channel = {"enabled": 1, "on_ms": 0, "ramp_up_ms": 0, "ramp_down_ms": 0}
    for delays in ((0, 700_000), (700_000, 0), (300_001, 300_000)):
        one, two = (channel | {"delay_us": delay} for delay in delays)
        session = Session(one, two, {"duration_ms": 1_000, "pattern": INDEPENDENT}, Board())
        engine = play(session, PLATEAUS)
        check(engine, session, PLATEAUS)
        latest = (1_000_000 + max(delays)) * MS
        assert engine.tape.turn == (latest + 500) // 1_000
