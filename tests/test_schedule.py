"""When each pulse comes: every edge on the tape against the oracle, and no drift."""

from fractions import Fraction
from itertools import islice

import pytest
from engine_bench import Engine, Session, play
from hypothesis import assume, event, given
from oracle import ALTERNATE, INDEPENDENT, NEGATIVE, POSITIVE, SIMULTANEOUS, Board, Line
from strategies import ODD_RATES, block_targets_ms, boards, examples, plateaus, rates, sessions
from tape_check import check

CONTINUOUS = {"enabled": 1, "on_ms": 0, "ramp_up_ms": 0, "ramp_down_ms": 0}
RUSSIAN = {"width_ns": 198_000, "gap_ns": 2_000, "count": 25, "interval_ns": 400_000}
TENS_BURST = {"rate_mhz": 2_000, "count": 9, "interval_ns": 11_111_111, "width_ns": 200_000}
AT_150_MHZ = Board(clock_hz=150_000_000)


@examples(90)
@given(sessions(), plateaus, block_targets_ms)
def test_every_edge_is_where_the_settings_put_it(session, plateaus, target_ms):
    expected = session.expectation
    assume(not expected.refusal)
    event(f"pattern {session.session['pattern']}, lockstep {expected.lockstep}")
    engine = play(session, plateaus, target_ms=target_ms)
    check(engine, session, plateaus)


@examples(10)
@given(sessions(most_ms=1500), plateaus)
def test_the_tape_does_not_depend_on_how_it_is_cut_into_blocks(session, plateaus):
    assume(not session.expectation.refusal)
    tapes = [play(session, plateaus, target_ms=target).tape for target in (10, 3.3, 40)]
    assert tapes[0].pulses == tapes[1].pulses == tapes[2].pulses


@pytest.mark.parametrize("clock_hz", [125_000_000, 150_000_000])
@pytest.mark.parametrize("rate_mhz", ODD_RATES)
def test_group_k_starts_at_the_floor_of_k_periods(rate_mhz, clock_hz):
    channel = CONTINUOUS | {"rate_mhz": rate_mhz, "width_ns": 50_000}
    duration = max(2_000, 20_000_000 // rate_mhz)
    session = Session(channel, {}, {"duration_ms": duration}, Board(clock_hz=clock_hz))
    pulses = play(session).tape.pulses[0]
    assert len(pulses) >= 10
    for k, pulse in enumerate(pulses):
        assert pulse.start == k * clock_hz * 1000 // (2 * rate_mhz)


@examples(40)
@given(boards, rates(highest=300_000))
def test_every_period_is_within_one_turn_of_the_exact_one(board, rate_mhz):
    session = Session(CONTINUOUS | {"rate_mhz": rate_mhz}, {}, {"duration_ms": 600_000}, board)
    pulses = play(session, until_ms=20_000_000 / rate_mhz).tape.pulses[0]
    period = Fraction(board.clock_hz * 1000, 2 * rate_mhz)
    assert len(pulses) >= 19
    for one, two in zip(pulses, pulses[1:], strict=False):
        assert abs(two.start - one.start - period) < 1


@pytest.mark.parametrize(
    ("one", "two", "pattern"),
    [
        (RUSSIAN | {"rate_mhz": 50_000}, None, INDEPENDENT),
        (RUSSIAN | {"rate_mhz": 50_000}, RUSSIAN | {"rate_mhz": 50_000}, SIMULTANEOUS),
        (RUSSIAN | {"rate_mhz": 30_000}, RUSSIAN | {"rate_mhz": 20_001}, INDEPENDENT),
        (TENS_BURST, None, INDEPENDENT),
        (TENS_BURST, TENS_BURST | {"delay_us": 33_333}, INDEPENDENT),
        (TENS_BURST, {"rate_mhz": 100_000}, INDEPENDENT),
        ({"count": 8, "interval_ns": 20_000_000, "rate_mhz": 500}, None, INDEPENDENT),
        ({"count": 2, "rate_mhz": 33_333}, {"count": 6, "rate_mhz": 20_000}, INDEPENDENT),
        ({"rate_mhz": 490_000, "width_ns": 400_000, "gap_ns": 100_000}, None, INDEPENDENT),
        ({"rate_mhz": 500}, {"rate_mhz": 500, "polarity": NEGATIVE}, INDEPENDENT),
    ],
)
@pytest.mark.parametrize("board", [Board(), AT_150_MHZ], ids=["125 MHz", "150 MHz"])
def test_groups_of_the_field(one, two, pattern, board):
    channels = [CONTINUOUS | one, CONTINUOUS | two if two else {}]
    session = Session(*channels, {"pattern": pattern, "duration_ms": 8_000}, board)
    engine = play(session, (300, 400))
    checker = check(engine, session, (300, 400))
    assert len(checker.played) > 3


def test_a_tens_burst_is_nine_pulses_at_90_hz_twice_a_second():
    session = Session(CONTINUOUS | TENS_BURST, {}, {"duration_ms": 2_000})
    pulses = play(session).tape.pulses[0]
    interval = 694_444  # turns: 1/90 s
    second = 62_500_000
    assert [p.start for p in pulses] == [
        start + k * interval for start in (0, second // 2, second, second * 3 // 2)
        for k in range(9)
    ]


def test_russian_current_on_both_channels_fills_the_period_to_the_turn():
    channel = CONTINUOUS | RUSSIAN | {"rate_mhz": 50_000}
    session = Session(channel, channel, {"pattern": SIMULTANEOUS, "duration_ms": 1_000})
    engine = play(session, (500, 500))
    one, two = engine.tape.pulses
    ms = 62_500
    assert one[24].end == 10 * ms - 125 and two[0].start == 10 * ms
    assert two[24].end == 20 * ms - 125 and one[25].start == 20 * ms
    assert engine.scheduler.moved(0) == engine.scheduler.moved(1) == (0, 0)


@pytest.mark.parametrize(
    ("polarity", "shape", "legs"),
    [
        (POSITIVE, {}, "++++++++"),
        (NEGATIVE, {}, "--------"),
        (ALTERNATE, {}, "+-+-+-+-"),
        (ALTERNATE, {"count": 3}, "+-+-+-+-"),
        (ALTERNATE, {"count": 4, "interval_ns": 1_000_000}, "++++----"),
        (NEGATIVE, {"count": 4, "interval_ns": 1_000_000}, "--------"),
    ],
)
def test_which_leg_goes_first(polarity, shape, legs):
    channel = CONTINUOUS | shape | {"polarity": polarity, "rate_mhz": 20_000}
    pulses = play(Session(channel, {}, {"duration_ms": 1_000})).tape.pulses[0]
    assert "".join("-" if pulse.first.minus else "+" for pulse in pulses[:8]) == legs


def test_the_leg_order_goes_on_from_train_to_train():
    channel = CONTINUOUS | {"on_ms": 20, "off_ms": 80, "rate_mhz": 50_000, "polarity": ALTERNATE}
    session = Session(channel | {"rate_mhz": 100_000}, {}, {"duration_ms": 500})
    pulses = play(session).tape.pulses[0]
    legs = "".join("-" if pulse.first.minus else "+" for pulse in pulses)
    assert legs == "+-" * (len(legs) // 2) and len(legs) == 10


@pytest.mark.parametrize("board", [Board(), AT_150_MHZ, Board(separation_ns=200_000)])
def test_a_tie_lets_channel_1_go_first(board):
    """Both start at 0: channel 2 moves by channel 1's pulse and the separation."""
    channel = CONTINUOUS | {"width_ns": 30_000, "gap_ns": 10_000, "rate_mhz": 20_000}
    session = Session(channel, channel, {"duration_ms": 1_000, "pattern": INDEPENDENT}, board)
    engine = Engine(session)
    engine.run(until_ms=1)
    move = board.turns(70_000) + board.separation
    assert [pulses[0].start for pulses in engine.tape.pulses] == [0, move]
    assert engine.scheduler.moved(0) == (0, 0)
    assert engine.scheduler.moved(1) == (1, move)


class Keeper:
    """Lets a long tape forget all but its last pulses; keeps the totals."""

    def __init__(self):
        self.counts = [0, 0]
        self.last = [None, None]

    def __call__(self, engine):
        tape = engine.tape
        for i in (0, 1):
            if tape.pulses[i]:
                self.counts[i] += len(tape.pulses[i])
                self.last[i] = tape.pulses[i][-1]
                tape.pulses[i].clear()
        tape.gates.clear() if not tape.gates or tape.gates[-1][1] > tape.gates[-1][0] else None
        tape.syncs.clear()
        tape.changes.clear()


def test_no_drift_over_an_hour():
    rate_mhz = 33_333
    channel = CONTINUOUS | {"rate_mhz": rate_mhz}
    session = Session(channel, {}, {"duration_ms": 3_600_000})
    keeper = Keeper()
    engine = play(session, (100, 0), target_ms=40, each=keeper)
    hour, behind = 3600 * 62_500_000, 62_500 + 1_250
    group = 2 * 18_750 + 6_250
    last = (hour - behind - group) * rate_mhz // (62_500_000 * 1000)
    while (last + 1) * 62_500_000 * 1000 // rate_mhz + group + behind <= hour:
        last += 1
    assert keeper.counts == [last + 1, 0] and last + 1 in (119_998, 119_999)
    assert keeper.last[0].start == last * 62_500_000 * 1000 // rate_mhz
    assert engine.scheduler.pulses(0) == last + 1
    assert engine.tape.turn == hour


def test_no_drift_and_every_move_counted_over_a_quarter_of_an_hour_of_collisions():
    one = CONTINUOUS | {"rate_mhz": 50_000}
    two = CONTINUOUS | {"rate_mhz": 35_001, "polarity": ALTERNATE}
    session = Session(one, two, {"duration_ms": 900_000}, AT_150_MHZ)
    keeper = Keeper()
    engine = play(session, (100, 100), target_ms=40, each=keeper)
    expected = session.expectation
    line = Line(expected.board.separation)
    last = [None, None]
    counts = [0, 0]
    for unit in expected.line():
        last[unit.channel] = line.place(unit, unit.widths[0])
        counts[unit.channel] += 1
    assert keeper.counts == counts
    assert [pulse.start for pulse in keeper.last] == last
    for i in (0, 1):
        assert engine.scheduler.moved(i) == (len(line.moves[i]), max(line.moves[i]))
    assert len(line.moves[0]) > 1_000 and len(line.moves[1]) > 1_000


def test_collisions_in_every_phase_of_two_rates():
    """Rates that differ by 1 mHz let the channels slide through each other."""
    one = CONTINUOUS | {"rate_mhz": 100_000, "width_ns": 1_000_000, "gap_ns": 500_000}
    two = one | {"rate_mhz": 99_999, "delay_us": 1}
    session = Session(one, two, {"duration_ms": 100_000})
    engine = Engine(session)
    engine.run(until_ms=20_000)
    check(engine, session, (0, 0))


def test_the_oracle_itself_on_a_case_worked_out_by_hand():
    one = CONTINUOUS | {"rate_mhz": 100_000, "width_ns": 100_000, "gap_ns": 100_000}
    two = one | {"rate_mhz": 90_000}
    expected = Session(one, two, {"duration_ms": 1_000}).expectation
    line = Line(expected.board.separation)
    starts = [(u.channel, line.place(u, u.widths[0])) for u in islice(expected.line(), 5)]
    pulse, separation = 18_750, 125
    assert starts == [
        (0, 0), (1, pulse + separation), (0, 625_000), (1, 694_444), (0, 1_250_000)
    ]
    assert line.moves == [[], [pulse + separation]]
