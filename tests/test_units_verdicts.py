"""The monitor by itself: which fault is which pulse's, and what it finds by looking elsewhere."""

import math

import pytest
from monitor_bench import CENTRE, STEP_A, UNIT_A, WIDTH, Bench, in_box, steps, volts

from firmware.core import measure
from firmware.safety import faults, monitor


@pytest.fixture
def bench(monkeypatch):
    return Bench(monkeypatch)


# -- verdicts -------------------------------------------------------------------------------------


@pytest.mark.parametrize("channel", [0, 1])
@pytest.mark.parametrize(("level", "first", "second", "pulses", "number"), [
    (2000, 1.101, 1.0, 1, faults.OVER_CURRENT),
    (100, 0.4, 0.4, 2, faults.OPEN),
    (500, 1.22, 1.22, 3, faults.OFF_COMMAND),
    (500, 0.78, 0.78, 3, faults.COMPLIANCE),
    (500, 0.9, 1.22, 1, faults.IMBALANCE),
])  # fmt: skip
def test_the_fault_of_a_pulse(bench, channel, level, first, second, pulses, number):
    bench.ready()
    wanted = level * 60e-6 / UNIT_A
    values = (channel, level, first * wanted, second * wanted)
    width = 1_250 if level > 1000 else WIDTH
    for _ in range(pulses - 1):
        assert bench.pulse(*values, width=width) == 0
    assert bench.pulse(*values, width=width) == number
    assert bench.monitor.channel == channel


@pytest.mark.parametrize(("above", "number"), [
    (0, faults.COMPLIANCE), (1, faults.OFF_COMMAND),
])  # fmt: skip
def test_compliance_is_when_neither_phase_has_more_than_its_command(bench, above, number):
    bench.ready()
    wanted = 250 * in_box(bench, measure.FACTOR_C) >> measure.FACTOR_SHIFT
    for turn in range(3):
        found = bench.pulse(0, 250, wanted + above, 0.78 * wanted, width=1_250)
        assert found == (number if turn == 2 else 0)


def test_verdicts_of_the_box_are_these_faults():
    of = {
        measure.OVER: faults.OVER_CURRENT, measure.OPEN: faults.OPEN,
        measure.OFF: faults.OFF_COMMAND, measure.IMBALANCE: faults.IMBALANCE,
        measure.DIRECT: faults.DIRECT_CURRENT, measure.DRIFT: faults.IMBALANCE,
        measure.SQUARES: faults.DELIVERED, measure.MEAN: faults.DELIVERED,
        measure.ENERGY: faults.DELIVERED, measure.CHARGE: faults.DELIVERED,
    }  # fmt: skip
    assert {verdict: monitor._VERDICTS[verdict] for verdict in of} == of


def test_direct_current_warns_once_a_session_for_each_channel(bench):
    bench.ready()
    box, one = bench.monitor._box, bench.monitor
    scale = box[measure.MICRO] >> measure.NET_SHIFT
    for channel, sign in ((1, -1), (0, 1)):
        window = measure.OWN + channel * measure.STRIDE + measure.WINDOW
        half = box[measure.DIRECT_MOST] // 2
        for net, warning in (
            (49 * scale, 0), (half, 0), (half + 1, faults.DIRECT_WARNING), (52 * scale, 0)
        ):  # fmt: skip
            box[window] = sign * net
            bench.now += 64
            assert one.step() == 0
            assert one.warning == warning
            if warning:
                assert one.channel == channel
            one.warning = 0
        box[window] = 0


def test_the_window_is_of_64_ms_pieces(bench):
    bench.ready()
    assert bench.pulse() == 0
    assert bench.monitor.mean_ua(0) > 0
    for _ in range(2 * measure.BUCKETS - 1):  # 32 ms each: half a piece left over counts
        bench.now += 32
        assert bench.monitor.step() == 0
    assert bench.monitor.mean_ua(0) > 0
    bench.now += 32
    assert bench.monitor.step() == 0
    assert bench.monitor.mean_ua(0) == 0


# -- the looks elsewhere --------------------------------------------------------------------------


def test_the_input_looks_round_after_150_ms_and_two_pulses(bench):
    bench.ready()
    bench.calls.clear()
    looks = {0: volts(200), 1: volts(20)}

    def selected():
        found = [call[1] for call in bench.calls if call[0] == "select"]
        bench.calls.clear()
        return found

    for expected in (1, 5, 4, 0, 1):
        bench.now += 149
        for _ in range(3):
            assert bench.pulse(look=looks.get(bench.monitor._look, CENTRE)) == 0
        assert selected() == []
        bench.now += 1
        assert bench.pulse(look=looks.get(bench.monitor._look, CENTRE)) == 0
        assert selected() == [expected]
    bench.now += 1_000
    assert bench.monitor.step() == 0
    assert bench.pulse(look=looks[1]) == 0
    assert selected() == [], "two pulses with this look are needed"
    assert bench.pulse(look=looks[1]) == 0
    assert selected() == [5]


@pytest.mark.parametrize("channel", [0, 1])
@pytest.mark.parametrize(("v", "bad"), [(171, False), (229, False), (169, True), (232, True)])
def test_the_supply_is_told_and_twice_out_of_range_is_a_fault(bench, channel, v, bad):
    bench.ready()
    for turn in (1, 2):
        number = bench.looked({0: volts(v), 1: volts(20)}, channel, turns=1)
        assert number == (faults.SUPPLY if bad and turn == 2 else 0)
        assert bench.monitor.supply_v() == pytest.approx(v, abs=1)
        if not number:
            assert bench.looked({1: volts(20)}, channel, turns=3) == 0


@pytest.mark.parametrize(("mv", "v"), [(2_499, 199), (2_500, 200)])
def test_the_supply_is_told_in_whole_volts(bench, mv, v):
    bench.ready()
    assert bench.looked({0: math.ceil(mv * 4096 / 3300)}, turns=1) == 0
    assert bench.monitor.supply_v() == v


def test_a_supply_that_comes_back_is_forgiven(bench):
    bench.ready()
    for v in (160, 200, 160):
        assert bench.looked({0: volts(v), 1: volts(20)}) == 0
    assert bench.looked({0: volts(160), 1: volts(20)}) == faults.SUPPLY


@pytest.mark.parametrize("channel", [0, 1])
def test_impedance_short_and_drying(bench, channel):
    bench.ready()

    def at(ohm, level=100):
        current_a = round(level * 60e-6 / UNIT_A) * UNIT_A
        return bench.looked({0: volts(200), 1: volts(ohm * current_a)}, channel,
                            level=level)  # fmt: skip

    one = bench.monitor
    assert one.ohm(channel) == 0
    assert at(5_000) == 0
    assert one.ohm(channel) == pytest.approx(5_000, rel=0.01)
    assert (at(7_300), one.warning) == (0, 0)
    assert (at(4_000), one.warning) == (0, 0)
    assert (at(6_200), one.warning, one.channel) == (0, faults.DRYING, channel)
    one.warning = 0
    assert (at(9_000), one.warning) == (0, 0), "once a session"
    assert (at(50, level=32), one.ohm(channel)) == (0, pytest.approx(9_000, rel=0.01))
    for _ in range(2):
        assert at(60, level=1_000) == 0
    assert at(120, level=1_000) == 0
    for _ in range(2):
        assert at(60, level=1_000) == 0
    assert at(60, level=1_000) == faults.SHORT
    assert one.channel == channel


@pytest.mark.parametrize("channel", [0, 1])
@pytest.mark.parametrize(("level", "bound_a"), [(40, 0.5e-3), (133, 0.8e-3), (400, 1e-3)])
@pytest.mark.parametrize("sign", [1, -1])
def test_leak_into_the_other_channel(bench, channel, level, bound_a, sign):
    """More than a tenth of the channel's own, at least 0.5 mA and at most 1 mA; twice running."""
    look = 2 + channel
    looks = {0: volts(200), 1: volts(20), 2: CENTRE, 3: CENTRE}

    def round_trip(current_a):
        return bench.looked({**looks, look: CENTRE + round(sign * steps(current_a))},
                            channel, level=level)  # fmt: skip

    bench.ready()
    assert round_trip(bound_a - STEP_A) == 0
    assert round_trip(bound_a - STEP_A) == 0
    assert round_trip(bound_a + STEP_A) == 0
    assert round_trip(0) == 0
    assert round_trip(bound_a + STEP_A) == 0
    assert round_trip(bound_a + STEP_A) == faults.LEAK
    assert bench.monitor.channel == channel
    bench.play_on(fresh=False)
    assert round_trip(bound_a + STEP_A) == 0, "counted anew from a new start"
