"""Expectation and comparison by themselves, against an account of their own."""

from array import array
from fractions import Fraction

import pytest
from engine_bench import Engine
from hypothesis import assume, given
from hypothesis import strategies as st
from small_integers import watched_core
from strategies import examples, plateaus, sessions

from firmware.core import measure
from firmware.core.expectation import Expectation
from firmware.core.refused import Refused


@examples(25)
@given(sessions(), plateaus)
def test_expectation_reads_what_the_tape_plays(session, levels):
    """Channel, order of legs, width and level of every pulse, as the tape reader sees it."""
    assume(session.board.clock_hz == 125_000_000)  # Monitor refuses a faster one
    try:
        engine = Engine(session, levels)
    except Refused:
        assume(False)
    expected = Expectation(2)
    before = 0
    for number in range(30):
        if engine.ended:
            break
        words = engine.write()
        expected.add(number & 1, engine.halves, len(words))
        if number % 3 == 1:  # taken back and queued again
            expected.restore(number & 1)
            assert expected.written() == before
            expected.add(number & 1, engine.halves, len(words))
        engine.tape.pulses[0].clear()
        engine.tape.pulses[1].clear()
        engine.play(words)
        played = [(p, c) for c in (0, 1) for p in engine.tape.pulses[c]]
        played.sort(key=lambda item: item[0].start)
        assert expected.written() - before == len(played)
        assert expected.marks[number & 1] == expected.written()
        for at, (pulse, channel) in enumerate(played, before):
            entry = expected.pulses[at % len(expected.pulses)]
            assert entry >> 28 == channel
            assert entry >> 27 & 1 == pulse.first.minus
            assert entry >> 11 & 0xFFFF == pulse.width
            assert entry & 0x7FF == pulse.first.level
        before = expected.written()


RING = 512  # pulses
SAMPLED = 200


def box_of(core, **values):
    box = array("i", bytes(4 * core.SIZE))
    box[core.FACTOR_C] = box[core.FACTOR_C + 1] = 12202
    box[core.GAIN_C] = box[core.GAIN_C + 1] = 1 << core.GAIN_SHIFT
    box[core.ZERO_C] = box[core.ZERO_C + 1] = 8192
    box[core.MICRO] = 3_103_030
    for name in ("PEAK", "CHARGE_MOST", "ENERGY_MOST", "DIRECT_MOST", "MEAN_MOST", "TOLERANCE"):
        box[getattr(core, name)] = (1 << 29) - 1
    box[core.SQUARE_MOST_C] = box[core.SQUARE_MOST_C + 1] = (1 << 29) - 1
    box[core.NET_LEAST] = (1 << 29) - 1
    box[core.OPEN_LEVEL] = 2048
    box[core.RING] = SAMPLED
    box[core.MASK] = RING - 1
    for name, value in values.items():
        box[getattr(core, name)] = value
    return box


def session_net(core, box, channel):
    """Net charge of the session as it was counted, in the box's units of charge."""
    me = core.OWN + channel * core.STRIDE
    whole = box[me + core.NET_UC] * (box[core.MICRO] >> core.NET_SHIFT)
    return whole + box[me + core.NET_LOW] << core.NET_SHIFT


pulse = st.tuples(
    st.integers(0, 1),
    st.integers(0, 1),
    st.sampled_from([1250, 18_750, 62_500]),
    st.integers(0, 2000),
    st.lists(st.integers(0, 4095), min_size=10, max_size=10),
)


@examples(60)
@given(st.lists(pulse, min_size=1, max_size=12))
def test_sums_are_those_of_the_samples_and_stay_small(pulses):
    """Ledger and window against exact fractions; no number reaches 2**30 at any sample."""
    watch, core = watched_core("measure")
    core = core["measure"]
    box = box_of(core, DRIFT_RESOLVED=1 << 9, NET_RESOLVED=12, NET_LEAST=1 << 28)
    ring = array("i", [0] * RING)
    samples = array("H", [0] * 2000)
    net = [Fraction(0), Fraction(0)]
    total = [Fraction(0), Fraction(0)]
    band = [0, 0]
    for at, (channel, minus, width, level, taken) in enumerate(pulses):
        ring[at] = channel << 28 | minus << 27 | width << 11 | level
        samples[10 * at : 10 * at + 10] = array("H", taken)
        sign = -1 if minus else 1
        one = sign * (sum(taken[0:4]) - 8192)
        two = -sign * (sum(taken[5:9]) - 8192)
        net[channel] += sign * (one - two) * width
        total[channel] += (abs(one) + abs(two)) * width
        band[channel] += 12 * width
    with watch.watching():
        while box[core.DONE] < len(pulses):
            core.compare(box, ring, samples, 2 * len(pulses))
        core.settle(box, core.DRIFT_LEAST)  # too few pulses: nothing yet
        assert not any(session_net(core, box, channel) for channel in (0, 1))
        core.settle(box, 1)
    assert not watch.outside
    for channel in (0, 1):
        me = core.OWN + channel * core.STRIDE
        rounding = 8 * len(pulses) + abs(net[channel]) // 10**5
        if abs(net[channel]) > band[channel] + rounding:
            assert abs(session_net(core, box, channel) - net[channel]) <= rounding
        elif abs(net[channel]) < band[channel] - rounding - 192 * len(pulses):
            assert not session_net(core, box, channel)
        told = box[me + core.BAND] << core.NET_SHIFT + core.BAND_SHIFT
        assert 0 <= band[channel] - told <= 192 * len(pulses) + (1 << 14)
        counted = box[me + core.WINDOW + 1] << core.SUM_SHIFT
        assert 0 <= total[channel] - counted <= len(pulses) << core.SUM_SHIFT
        assert abs((box[me + core.WINDOW] << core.NET_SHIFT) - net[channel]) <= 8 * len(pulses)


def one_pulse(first, second, level=100, width=18_750, count=1, **limits):
    """Verdicts on equal pulses whose phases have these currents, in quarters of a step."""
    box = box_of(measure, **limits)
    ring = array("i", [width << 11 | level] * RING)
    one = [2048 + first // 4 + (k < first % 4) for k in range(4)]
    two = [2048 - second // 4 - (k < second % 4) for k in range(4)]
    samples = array("H", (one + [0] + two + [0]) * SAMPLED)
    return [measure.compare(box, ring, samples, 2 * (n + 1)) for n in range(count)]


WANTED = 100 * 12202 >> 12  # 297 quarters of a step


@pytest.mark.parametrize(
    ("first", "second", "limits", "verdicts"),
    [
        (WANTED, WANTED, {"TOLERANCE": 20, "OPEN_LEVEL": 9}, [0, 0, 0]),
        (WANTED // 2 - 1, WANTED, {"OPEN_LEVEL": 9}, [0, measure.OPEN, measure.OPEN]),
        (WANTED, WANTED // 2 + 1, {"OPEN_LEVEL": 9}, [0, 0, 0]),
        (WANTED + 60, WANTED, {"TOLERANCE": 20}, [0, 0, measure.OFF]),
        (WANTED + 59, WANTED, {"TOLERANCE": 20}, [0, 0, 0]),
        (WANTED, WANTED, {"PEAK": WANTED - 1}, [measure.OVER] * 3),
        (WANTED, WANTED - 5, {"NET_LEAST": 0}, [0, measure.IMBALANCE, measure.IMBALANCE]),
        (WANTED, WANTED - 9, {"NET_LEAST": 0}, [measure.IMBALANCE] * 3),
        (WANTED, WANTED - 2, {"NET_LEAST": 0}, [0, 0, 0]),
        (WANTED, WANTED, {"CHARGE_MOST": WANTED * 18_750 - 1}, [measure.CHARGE] * 3),
        (WANTED, WANTED - 9, {"DIRECT_MOST": 20_000}, [0, measure.DIRECT, measure.DIRECT]),
    ],
)
def test_verdicts_at_their_bounds(first, second, limits, verdicts):
    assert one_pulse(first, second, count=3, **limits) == verdicts


def test_the_window_forgets():
    box = box_of(measure)
    ring = array("i", [18_750 << 11 | 100] * RING)
    samples = array("H", [2148, 2148, 2148, 2148, 0, 1948, 1948, 1948, 1948, 0] * SAMPLED)
    for number in range(40):
        measure.compare(box, ring, samples, 2 * (number + 1))
        measure.roll(box, 1)
    me = measure.OWN + measure.WINDOW
    assert box[me + 4] == measure.BUCKETS - 1
    measure.roll(box, 3)
    assert box[me + 4] == measure.BUCKETS - 4
    measure.roll(box, 1000)
    assert all(box[me + part] == 0 for part in range(measure.PARTS))


# -- every limit of a second and of a pulse, at its bound --------------------------------------

WIDTH = 18_750
CHARGE = 2 * (WANTED * WIDTH) >> measure.SUM_SHIFT  # of a pulse, as the window sums it
SQUARE = 2 * ((WANTED * WIDTH >> measure.CHARGE_SHIFT) * WANTED >> measure.SQUARE_SHIFT)


@pytest.mark.parametrize(
    ("limits", "verdicts"),
    [
        ({"MEAN_MOST": 2 * CHARGE}, [0, 0, measure.MEAN]),
        ({"MEAN_MOST": 2 * CHARGE - 1}, [0, measure.MEAN, measure.MEAN]),
        ({"SQUARE_MOST_C": 2 * SQUARE}, [0, 0, measure.SQUARES]),
        ({"SQUARE_MOST_C": 2 * SQUARE - 1}, [0, measure.SQUARES, measure.SQUARES]),
        ({"ENERGY_MOST": SQUARE}, [0, 0, 0]),
        ({"ENERGY_MOST": SQUARE - 1}, [measure.ENERGY] * 3),
        ({"CHARGE_MOST": WANTED * WIDTH}, [0, 0, 0]),
        ({"SQUARE_MOST_C": 1, "MEAN_MOST": 1}, [measure.SQUARES] * 3),
    ],
)
def test_limits_of_a_second_and_a_pulse(limits, verdicts):
    assert one_pulse(WANTED, WANTED, count=3, **limits) == verdicts


def test_a_command_that_half_of_can_just_be_told_counts_as_open():
    level = 9
    wanted = level * 12202 >> 12
    limits = {"OPEN_LEVEL": level, "count": 2, "level": level}
    assert one_pulse(wanted // 2 - 1, wanted, **limits)[1] == measure.OPEN
    limits["OPEN_LEVEL"] = level + 1
    assert one_pulse(wanted // 2 - 1, wanted, **limits)[1] == 0


def test_drift_is_looked_for_from_sixteen_pulses_on():
    """Net charge above 1 % of a phase's and what the ADC can't tell."""
    limits = {"DRIFT_RESOLVED": 2}  # quarters of a step, beside 1 % of 297
    assert one_pulse(WANTED, WANTED - 6, count=40, **limits)[:17] == [0] * 15 + [measure.DRIFT] * 2
    assert set(one_pulse(WANTED, WANTED - 4, count=40, **limits)) == {0}


@pytest.mark.parametrize("channel", [0, 1])
@pytest.mark.parametrize("minus", [0, 1])
def test_the_last_pulse_is_told_once_in_levels_of_its_legs(channel, minus):
    box = box_of(measure, DRIVER=12)
    box[measure.FACTOR_C + 1 - channel] = 1  # the other one's calibration
    ring = array("i", [channel << 28 | minus << 27 | WIDTH << 11 | 100] * RING)
    sign = -1 if minus else 1
    one, two = 2048 + sign * 75, 2048 - sign * 50  # 300 and 200 quarters of a step
    samples = array("H", ([one] * 4 + [0] + [two] * 4 + [0]) * SAMPLED)
    measure.compare(box, ring, samples, 2)
    out = array("i", [0] * 5)
    assert measure.last(box, 1 - channel, out) == 0
    assert measure.last(box, channel, out) == 1
    told = (300 * 4096 // 12202, 200 * 4096 // 12202)
    assert list(out) == [channel, 100, WIDTH, *(told[::-1] if minus else told)]
    assert measure.last(box, channel, out) == 0


def test_the_gain_makes_samples_true_currents():
    box = box_of(measure)
    box[measure.GAIN_C] = (1 << measure.GAIN_SHIFT) * 5 // 4
    ring = array("i", [WIDTH << 11 | 100] * RING)
    samples = array("H", ([2048 + 80] * 4 + [0] + [2048 - 40] * 4 + [0]) * SAMPLED)
    measure.compare(box, ring, samples, 2)
    assert box[measure.OWN + measure.FIRST] == 400
    assert box[measure.OWN + measure.SECOND] == 200


def test_no_two_things_share_a_place_in_the_box():
    """Names of limits and of a channel's part, with the pairs and sums that need more than one."""
    names = ("DRIVER", "TOLERANCE", "OPEN_LEVEL", "PEAK", "NET_LEAST", "NET_RESOLVED",
             "DRIFT_RESOLVED", "DIRECT_MOST", "MEAN_MOST", "ENERGY_MOST", "CHARGE_MOST", "MICRO",
             "DONE", "WHERE", "BUCKET", "RING", "MASK")
    places = [getattr(measure, name) for name in names]
    for name in ("ZERO_C", "SQUARE_MOST_C", "FACTOR_C", "GAIN_C"):
        places += [getattr(measure, name), getattr(measure, name) + 1]
    assert sorted(places) == list(range(measure.OWN))
    names = ("FIRST", "SECOND", "WIDTH", "LEVEL", "OFFS", "OPENS", "NETS", "COUNT", "MONITOR",
             "MINUS", "NET_LOW", "NET_UC", "SUM_LOW", "SUM_UC", "BAND", "TOLD")
    own = [getattr(measure, name) for name in names]
    own += range(measure.PENDING, measure.PENDING + 3)
    own += range(measure.WINDOW, measure.WINDOW + measure.PARTS)
    own += range(measure.HISTORY, measure.HISTORY + measure.PARTS * measure.BUCKETS)
    assert sorted(own) == list(range(measure.STRIDE))
    assert measure.SIZE == measure.OWN + 2 * measure.STRIDE


def test_every_verdict_has_a_number_of_its_own():
    names = ("OVER", "OPEN", "OFF", "IMBALANCE", "DIRECT", "DRIFT", "SQUARES", "MEAN", "ENERGY",
             "CHARGE")
    numbers = [getattr(measure, name) for name in names]
    assert sorted(numbers) == list(range(1, len(names) + 1))
