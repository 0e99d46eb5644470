"""The monitor by itself: limits in true units, zero and rest, begin and end, what it tells."""

import math
from array import array
from types import SimpleNamespace

import pytest
from monitor_bench import OHM, STEP_A, TURN_S, UNIT_A, WIDTH, Bench, in_box, plan, steps, volts

from firmware.core import measure
from firmware.safety import faults, monitor


@pytest.fixture
def bench(monkeypatch):
    return Bench(monkeypatch)


# -- the limits -----------------------------------------------------------------------------------


def test_limits_are_those_of_the_table_and_a_tenth(bench):
    bench.ready(pads_mm2=(900, 100_000))
    near = {"abs": 0.51 * UNIT_A}
    charge_c = UNIT_A * TURN_S
    assert in_box(bench, measure.PEAK) * UNIT_A == pytest.approx(132e-3, **near)
    assert in_box(bench, measure.TOLERANCE) * UNIT_A == pytest.approx(2e-3, **near)
    assert in_box(bench, measure.DRIVER) * TURN_S == pytest.approx(200e-9, abs=8.1e-9)
    assert in_box(bench, measure.NET_RESOLVED) * UNIT_A == pytest.approx(3 * STEP_A)
    assert in_box(bench, measure.DRIFT_RESOLVED) * UNIT_A == pytest.approx(1.5 * STEP_A)
    rel = {"rel": 1e-4}
    assert in_box(bench, measure.MICRO) * charge_c == pytest.approx(1e-6, **rel)
    assert in_box(bench, measure.NET_LEAST) * charge_c == pytest.approx(0.1e-6, **rel)
    direct = in_box(bench, measure.DIRECT_MOST) << measure.NET_SHIFT
    assert direct * charge_c == pytest.approx(100e-6, **rel)
    assert in_box(bench, measure.CHARGE_MOST) * charge_c == pytest.approx(132e-6, **rel)
    mean = in_box(bench, measure.MEAN_MOST) << measure.SUM_SHIFT
    assert mean * charge_c == pytest.approx(11e-3, **rel)
    square = UNIT_A**2 * TURN_S * 2 ** (measure.CHARGE_SHIFT + measure.SQUARE_SHIFT)
    energy = in_box(bench, measure.ENERGY_MOST) * square * OHM
    assert energy == pytest.approx(20e-3 * 1.21, rel=2e-3)
    for channel, rms_a in ((0, 18e-3), (1, 50e-3)):  # 9 cm2 at 2 mA/cm2; 50 mA whatever the pad
        most = in_box(bench, measure.SQUARE_MOST_C + channel) * square
        assert most == pytest.approx((1.1 * rms_a) ** 2, rel=2e-3)


def test_the_power_on_a_pad_is_250_mw_a_square_centimetre_of_500_ohm(bench, monkeypatch):
    """Never the least of the three as the table stands; it is when the density is set higher."""
    limits = {"rms_ua": 50_000, "density_ua_per_cm2": 90_000, "power_mw_per_cm2": 250}
    real = monitor.limit
    monkeypatch.setattr(monitor, "limit", lambda name: limits.get(name) or real(name))
    bench.ready(pads_mm2=(100, 300))
    square = UNIT_A**2 * TURN_S * 2 ** (measure.CHARGE_SHIFT + measure.SQUARE_SHIFT)
    for channel, power_w in ((0, 0.25), (1, 0.75)):
        most = in_box(bench, measure.SQUARE_MOST_C + channel) * square
        assert most == pytest.approx(1.21 * power_w / OHM, rel=2e-3)


def test_a_clock_above_130_mhz_is_refused(monkeypatch):
    Bench(monkeypatch, 130_000_000)
    with pytest.raises(ValueError, match="clock"):
        Bench(monkeypatch, 130_002_000)


def test_half_of_the_command_is_asked_for_from_half_a_milliampere_on(monkeypatch):
    bench = Bench(monkeypatch, sink_gain_ppm=(1_000_000, 800_000)).ready()
    assert in_box(bench, measure.OPEN_LEVEL) == math.ceil(500 / 48)
    for gain_ppm, level in ((1_000_000, 9), (1_041_667, 8), (1_041_017, 9)):
        bench.numbers["sink_gain_ppm"] = gain_ppm
        assert bench.monitor.zero() == 0
        assert in_box(bench, measure.OPEN_LEVEL) == level


def test_calibration_is_each_channels_own(monkeypatch):
    bench = Bench(
        monkeypatch, sense_gain_ppm=(1_000_000, 1_250_000), sink_gain_ppm=(900_000, 1_000_000)
    ).ready()
    assert bench.monitor.in_ua(1000, 0) == pytest.approx(1000 * UNIT_A * 1e6, abs=25)
    assert bench.monitor.in_ua(1000, 1) == pytest.approx(800 * UNIT_A * 1e6, abs=25)
    for channel, level_a in ((0, 54e-6), (1, 60e-6)):
        factor = in_box(bench, measure.FACTOR_C + channel) / 2**measure.FACTOR_SHIFT
        assert factor * UNIT_A == pytest.approx(level_a, rel=1e-4)


# -- zero and rest --------------------------------------------------------------------------------


@pytest.mark.parametrize("channel", [0, 1])
@pytest.mark.parametrize(("offset_ua", "number"), [
    (470, 0), (-470, 0), (530, faults.SENSE_ZERO), (-530, faults.SENSE_ZERO),
])  # fmt: skip
def test_zero_is_within_half_a_milliampere_of_the_configured_one(
    monkeypatch, channel, offset_ua, number
):
    configured = 3_000 if channel else -2_000
    zeros = (0, configured) if channel else (configured, 0)
    bench = Bench(monkeypatch, sense_zero_ua=zeros)
    bench.inputs[channel] += steps((configured + offset_ua) * 1e-6)
    assert bench.monitor.zero() == number
    if number:
        assert bench.monitor.channel == channel
    else:
        assert bench.monitor.zero_of(channel) == pytest.approx(4 * bench.inputs[channel], abs=0.51)


def test_soon_after_output_the_zero_there_was_stays(bench):
    bench.ready()
    before = bench.monitor.zero_of(0)
    bench.now = 5_000
    bench.monitor.stop()
    assert bench.calls[-2:] == [("stop",), ("select", 0)]
    bench.inputs[0] += 3
    bench.now += 999
    assert bench.monitor.zero() == 0
    assert bench.monitor.zero_of(0) == before
    bench.now += 1
    assert bench.monitor.zero() == 0
    assert bench.monitor.zero_of(0) == before + 12


@pytest.mark.parametrize("channel", [0, 1])
@pytest.mark.parametrize(("current_ua", "number"), [
    (370, 0), (-370, 0), (430, faults.REST_CURRENT), (-430, faults.REST_CURRENT),
])  # fmt: skip
def test_current_at_rest(bench, channel, current_ua, number):
    bench.inputs[channel] += 4
    bench.ready()
    bench.inputs[channel] += steps(current_ua * 1e-6)
    assert bench.monitor.rest() == number
    if number:
        assert bench.monitor.channel == channel


# -- begin and end --------------------------------------------------------------------------------


def test_begin_samples_for_the_least_widths(bench):
    bench.ready()
    assert bench.calls == [("reset",), ("select", 0), ("begin", (WIDTH, 6_250))]
    assert bench.monitor.supply_v() == 200
    bench.calls.clear()
    changed = plan((9_000, 6_250))
    changed.channels[1] = None
    bench.monitor.change(changed)
    assert bench.calls == [("narrow", 0, 9_000), ("narrow", 1, 1 << 16)]


def test_the_least_width_is_that_of_ramps_and_courses(bench):
    line = plan().channels[0]
    line.shape.least_width = 1_250
    assert monitor._least_width(SimpleNamespace(channels=[line]), 0) == WIDTH
    trains = [SimpleNamespace(course=SimpleNamespace(widths=(9_000, 20_000))),
              SimpleNamespace(course=None)]  # fmt: skip
    line.steps = [(0, trains)]
    assert monitor._least_width(SimpleNamespace(channels=[line]), 0) == 9_000
    line.ramp_width = True
    assert monitor._least_width(SimpleNamespace(channels=[line]), 0) == 1_250


def test_a_resumed_session_keeps_its_totals_and_forgets_its_window(bench):
    bench.ready()
    for _ in range(20):
        assert bench.pulse() == 0
        assert bench.pulse(1) == 0
    one = bench.monitor
    assert [one.measured(i) for i in (0, 1)] == [20, 20]
    charge_uc = 20 * 2 * 6e-3 * (WIDTH * TURN_S - 200e-9) * 1e6
    before = [one.charge_uc(i) for i in (0, 1)]
    for channel in (0, 1):
        assert before[channel] == pytest.approx(charge_uc, abs=1)
        assert one.mean_ua(channel) == pytest.approx(charge_uc, abs=1)
        rms_a = 6e-3 * math.sqrt(20 * 2 * (WIDTH * TURN_S - 200e-9))
        assert one.rms_ua(channel) == pytest.approx(rms_a * 1e6, rel=0.01)
    one.stop()
    bench.play_on(fresh=False)
    assert [one.measured(i) for i in (0, 1)] == [20, 20]
    assert [one.charge_uc(i) for i in (0, 1)] == before
    assert [one.mean_ua(i) for i in (0, 1)] == [0, 0]
    bench.play_on(fresh=True)
    assert [one.measured(i) for i in (0, 1)] == [0, 0]
    assert [one.charge_uc(i) for i in (0, 1)] == [0, 0]


def test_what_the_net_charge_is_unsure_by(bench):
    bench.ready()
    for _ in range(200):
        assert bench.pulse() == 0
    bench.monitor.stop()
    turns = WIDTH - 13 >> measure.TURN_SHIFT << measure.TURN_SHIFT
    unsure_nc = 200 * turns * TURN_S * 1.5 * STEP_A * 1e9
    assert bench.monitor.unsure_nc(0) == pytest.approx(unsure_nc, abs=3)


def test_the_rms_of_a_second_to_the_microampere(bench):
    bench.ready()
    units = round(90e-3 / UNIT_A)
    for _ in range(5):
        assert bench.pulse(0, 1_500, units, units) == 0
    rms_a = units * UNIT_A * math.sqrt(5 * 2 * (WIDTH - 13) * TURN_S)
    assert bench.monitor.rms_ua(0) == pytest.approx(rms_a * 1e6, abs=1.3)


@pytest.mark.parametrize("wrong", [
    (500, 1.22, 1.22, 2), (100, 0.4, 0.4, 1), (500, 1.0, 1.025, 1),
])  # fmt: skip
def test_pulses_before_a_pause_do_not_count_behind_it(bench, wrong):
    """Off the command, open, unequal: each counts only when running."""
    level, first, second, pulses = wrong
    wanted = level * 60e-6 / UNIT_A
    bench.ready()
    for _ in range(3):
        for _ in range(pulses):
            assert bench.pulse(0, level, first * wanted, second * wanted) == 0
        bench.play_on(fresh=False)
    for _ in range(pulses):
        assert bench.pulse(0, level, first * wanted, second * wanted) == 0
    assert bench.pulse(0, level, first * wanted, second * wanted) != 0


def test_a_new_session_looks_elsewhere_after_two_pulses_of_its_own(bench):
    bench.ready()
    assert bench.looked({0: volts(200), 1: volts(20)}, turns=5) == 0
    bench.play_on(fresh=True)
    assert bench.looked({0: volts(190)}, turns=1) == 0
    assert bench.monitor.supply_v() == pytest.approx(190, abs=1)


def test_complete_is_when_both_phases_of_every_pulse_were_sampled(bench):
    bench.ready()
    assert bench.pulse() == 0
    assert bench.monitor.complete()
    bench.groups_lost = 1
    assert not bench.monitor.complete()


def test_phases_that_were_not_sampled_in_time_are_lost(bench):
    bench.ready()
    bench.keeps_up = False
    assert bench.pulse() == faults.LOST_PULSE


def test_the_black_box_is_told_of_both_channels(bench):
    bench.ready()
    bench.pulse(0, 100)
    bench.pulse(1, 50, minus=1)
    levels = [[pulse[0], pulse[1], round(pulse[3] / pulse[1], 1), round(pulse[4] / pulse[1], 1)]
              for pulse in bench.noted]  # fmt: skip
    assert levels == [[0, 100, 1.0, 1.0], [1, 50, 1.0, 1.0]]
    assert bench.monitor.step() == 0
    assert len(bench.noted) == 2


# -- what it tells --------------------------------------------------------------------------------


@pytest.mark.parametrize("channel", [0, 1])
def test_what_it_tells_is_in_true_units(bench, channel):
    bench.ready()
    one = bench.monitor
    sensed = array("i", [-1] * 5)
    one.tell(sensed)
    assert list(sensed) == [-1, -1, -1, -1, 200]
    one.checked(channel, 740)
    first, second = 1_000, 990
    bench.pulse(channel, 335, first, second, minus=channel)
    conducted_s = WIDTH * TURN_S - 200e-9
    assert one.current_ua(channel) == (
        pytest.approx(first * UNIT_A * 1e6, abs=2), pytest.approx(second * UNIT_A * 1e6, abs=2)
    )
    for told, units in zip(one.charge_nc(channel), (first, second), strict=True):
        charge_nc = units * UNIT_A * (WIDTH - 13) * TURN_S * 1e9
        assert told == pytest.approx(charge_nc, abs=1.5)
    pulse, second_nc, session = one.net_nc(channel)
    net_nc = (first - second) * UNIT_A * conducted_s * 1e9 * (-1 if channel else 1)
    assert pulse == pytest.approx(net_nc, abs=1)
    assert second_nc == pytest.approx(net_nc, abs=1)
    assert session == 0, "pending until it is settled"
    one.tell(sensed)
    assert sensed[channel] == pytest.approx(995 * UNIT_A * 1e6, abs=2)
    assert (sensed[1 - channel], sensed[2 + channel], sensed[3 - channel]) == (-1, 740, -1)


def test_the_sessions_net_charge_is_counted_when_it_ends(bench):
    bench.ready()
    for _ in range(60):
        assert bench.pulse(0, 500, 1_490, 1_482) == 0
    bench.monitor.stop()
    net_nc = 60 * 8 * UNIT_A * (WIDTH * TURN_S - 200e-9) * 1e9
    assert bench.monitor.net_nc(0)[2] == pytest.approx(net_nc, rel=0.01)
