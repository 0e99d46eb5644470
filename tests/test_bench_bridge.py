"""What the bench makes of the legs: current, dead time, shoot-through, charge, discharge."""

from math import exp, isclose

import pytest
from bench_chip import (
    CLOCK_HZ,
    DEAD,
    MS,
    US,
    phases,
    play,
    pulse,
    ready,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from test_bench_loop import integrate

from rheobase.sim.bench import LOADS, Load, Wiring
from rheobase.sim.bench.circuit import State

# The bridge


@pytest.mark.parametrize("load", ["500", "2k", "nominal", "good", "short"])
@pytest.mark.parametrize("channel", [1, 2])
def test_a_pulse_delivers_what_was_set(load, channel):
    chip, bench, now = ready(500, 500, loads=(LOADS[load],) * 2)
    start = now + 1 * MS
    play(chip, pulse(channel, start, 250 * US, 100 * US))
    one, two = phases(bench)
    charge = 500 * 60e-6 * (250e-6 - 200e-9)  # the driver's dead time delivers nothing
    assert isclose(one.charge_c, charge, rel_tol=1e-12)
    assert two.charge_c == -one.charge_c
    assert (one.channel, one.polarity, two.polarity) == (channel, 1, -1)
    assert (one.start, one.on, one.end) == (start, start + DEAD, start + 250 * US)
    assert isclose(one.mean_a, 0.03, rel_tol=1e-12)
    assert isclose(one.commanded_a, 0.03, rel_tol=1e-12)
    assert two.start - one.end == 100 * US
    assert bench.recorder.phase_counts[2 - channel] == 0


def test_compliance_by_ohms_law():
    chip, bench, now = ready(2000, loads=(LOADS["10k"], LOADS["open"]),
                             wiring={"blocking_f": None, "bridge_ohm": 0.0})
    chip.level(2, 2000, now)
    steps = pulse(1, now + 5 * MS, 400 * US, 100 * US), pulse(2, now + 7 * MS, 400 * US, 100 * US)
    play(chip, *steps)
    one, two = phases(bench, 1)
    assert isclose(one.charge_c, 200 / 10e3 * (400e-6 - 200e-9), rel_tol=1e-9)
    assert isclose(one.mean_a, 0.02, rel_tol=1e-9)
    assert isclose(one.commanded_a, 0.12, rel_tol=1e-12)
    assert two.charge_c == -one.charge_c
    assert isclose(phases(bench, 2)[0].mean_a, 200e-6, rel_tol=1e-9)


@pytest.mark.parametrize("blocking_f", [None, 10e-6])
@pytest.mark.parametrize("load", ["nominal", "good", "dry", "2k", "10k", "open"])
@pytest.mark.parametrize("level", [1000, 1500, 2000])
def test_phases_against_numerical_integration(load, level, blocking_f):
    """Both phases of a strong pulse, at whatever point compliance is reached."""
    wiring = {"blocking_f": blocking_f}
    chip, bench, now = ready(level, loads=(LOADS[load],) * 2, wiring=wiring)
    start = now + 1 * MS
    play(chip, pulse(1, start, 300 * US, 100 * US), until=start + 700 * US)
    electrode, wiring, v_p, v_b = LOADS[load], Wiring(**wiring), 0.0, 0.0
    for phase in phases(bench):
        state = State(phase.polarity, level * 60e-6, 0, 0, 200, 0, 0, v_p, v_b)
        seconds = (phase.end - phase.on) / CLOCK_HZ
        charge, v_p, v_b = integrate(electrode, wiring, state, seconds, 3000)
        assert isclose(phase.charge_c, charge, rel_tol=1e-5)
        if not electrode.resistive:
            v_p *= exp(-100.2e-6 / (electrode.r_p * electrode.c_p))


@pytest.mark.parametrize("width", [1, DEAD - 1, DEAD, DEAD + 1])
def test_dead_time_swallows_what_is_shorter(width):
    chip, bench, now = ready(500)
    play(chip, [(now + 10, 16), (now + 100, 17), (now + 100 + width, 16), (now + 1000, 0)])
    (phase,) = phases(bench)
    conducted = max(0, width - DEAD)
    assert phase.width == width
    assert phase.end - phase.on == conducted
    assert isclose(phase.charge_c, 0.03 * conducted / CLOCK_HZ, rel_tol=1e-12)


def test_a_leg_without_gate_delivers_nothing():
    chip, bench, now = ready(500)
    at = now + 1000
    play(chip, [(at, 1), (at + 10_000, 17), (at + 20_000, 1), (at + 30_000, 0)])
    (phase,) = phases(bench)
    assert (phase.start, phase.end) == (at + 10_000, at + 20_000)
    assert bench.recorder.event_counts["leg_without_gate"] == 1
    assert bench.recorder.of_kind("leg_without_gate")[0].clock == at


def test_gate_alone_delivers_nothing():
    chip, bench, now = ready(500)
    play(chip, [(now + 1000, 16), (now + 100_000, 0)])
    assert phases(bench) == []
    assert bench.recorder.passive_c == [0.0, 0.0]


@pytest.mark.parametrize("gate", [0, 16])
def test_both_legs_are_a_shoot_through(gate):
    chip, bench, now = ready(500)
    at = now + 1000
    steps = [(at, gate), (at + 100, gate | 1), (at + 10_000, gate | 3), (at + 20_000, gate | 2),
             (at + 30_000, gate | 8), (at + 40_000, gate | 12), (at + 50_000, 0)]
    play(chip, steps)
    events = bench.recorder.of_kind("shoot_through")
    assert [(event.clock, event.channel) for event in events] == [
        (at + 10_000, 1),
        (at + 40_000, 2),
    ]
    for phase in phases(bench):  # the interlock lets neither leg conduct meanwhile
        assert phase.end <= at + 10_000 or phase.start >= at + 20_000


def test_legs_of_two_channels_are_no_shoot_through():
    chip, bench, now = ready(500, 500)
    at = now + 1000
    play(chip, [(at, 16), (at + 100, 16 | 1 | 8), (at + 10_000, 0)])
    assert bench.recorder.of_kind("shoot_through") == []
    one, two = sorted(phases(bench), key=lambda phase: phase.channel)
    assert isclose(one.charge_c, -two.charge_c)


def test_polarity_reverses_the_current():
    chip, bench, now = ready(500)
    play(chip, pulse(1, now + 1 * MS, 250 * US, 100 * US, polarity=-1))
    one, two = phases(bench)
    assert (one.polarity, two.polarity) == (-1, 1)
    assert one.charge_c < 0 < two.charge_c


widths = st.integers(20 * US, 1000 * US)


@settings(max_examples=50, deadline=None)
@given(
    st.builds(Load, st.floats(50, 3e3), st.floats(300, 5e4), st.floats(2e-8, 1e-6)),
    st.integers(0, 2046),
    widths,
    st.integers(2 * US, 1000 * US),
    st.sampled_from([1, -1]),
    st.lists(st.integers(1, 20_000), max_size=4),
)
def test_charge_of_a_pulse(load, level, width, gap, polarity, cuts):
    """Balanced wherever the supply suffices, never more than set, and the same however often
    somebody looks in between."""
    chip, bench, now = ready(level, loads=(load, load), wiring={"blocking_f": None})
    start = now + 1 * MS
    for cut in cuts:
        chip.kernel.at(start + cut, bench.settle)
        chip.kernel.at(start + cut + 1, lambda: bench.adc_volts(chip.kernel.now, 26))
    play(chip, pulse(1, start, width, gap, polarity))
    one, two = phases(bench)
    whole = level * 60e-6 * (width - DEAD) / CLOCK_HZ
    assert abs(one.charge_c) <= whole * (1 + 1e-12)
    assert abs(two.charge_c) <= whole * (1 + 1e-12)
    if isclose(abs(one.charge_c), whole, rel_tol=1e-12):
        assert isclose(two.charge_c, -one.charge_c, rel_tol=1e-12)
        assert isclose(one.charge_c, polarity * whole, rel_tol=1e-9)
    assert bench.recorder.charge_c[0] == sorted([one.charge_c, two.charge_c], reverse=True)


# Between pulses


def test_passive_discharge_while_gate_is_low():
    chip, bench, now = ready(500, loads=(LOADS["nominal"],) * 2, wiring={"blocking_f": None})
    start = now + 1 * MS
    end = start + 250 * US
    steps = [(start - 100, 16), (start, 17), (end, 16), (end + 100 * US, 0)]
    play(chip, steps, until=end + 100 * US + 1)
    lag = 3e3 * 220e-9
    v_p = 0.03 * 3e3 * (1 - exp(-249.8e-6 / lag)) * exp(-100e-6 / lag)  # no path in the gap
    v_p *= exp(-8e-9 / lag * 13.5 / 10.5)  # one clock on the path
    assert isclose(bench.current_a(1), -v_p / 10.5e3, rel_tol=1e-9)
    assert isclose(bench.adc_volts(chip.kernel.now, 26), 1.65 - 10 * v_p / 10.5e3, rel_tol=1e-9)
    chip.kernel.advance_to(end + 50 * MS)
    bench.settle()
    passed = -v_p * 220e-9 * 3e3 / (10.5e3 + 3e3)
    assert isclose(bench.recorder.passive_c[0], passed, rel_tol=1e-4)
    assert abs(bench.current_a(1)) < 1e-15


def test_discharge_ends_where_gate_and_leg_rise_together():
    chip, bench, now = ready(500, wiring={"blocking_f": None})
    start = now + 1 * MS
    gated = [(start - 100, 16), (start, 17), (start + 250 * US, 0)]  # one phase: C_p stays full
    at = start + 400 * US
    play(chip, gated, [(at, 17), (at + 100 * US, 0)], until=at + 200 * US)
    one, two = phases(bench)
    lag = 3e3 * 220e-9
    v_p = 0.03 * 3e3 * (1 - exp(-249.8e-6 / lag))
    left = v_p * exp(-150e-6 / lag * 13.5 / 10.5)
    assert isclose(two.passive_c, -(v_p - left) * lag / 13.5e3, rel_tol=1e-9)
    assert one.passive_c == 0.0


def test_blocking_capacitor_ends_a_stuck_legs_current():
    chip, bench, now = ready(500)
    bench.stick_leg(1, 1, True)
    chip.kernel.advance_to(now + 1 * MS)
    assert isclose(bench.current_a(1), 0.03)
    chip.kernel.advance_to(now + 1000 * MS)
    assert bench.current_a(1) < 10e-6
    bench.free_leg(1, 1)
    (phase,) = phases(bench)
    assert phase.on == phase.start == now
    assert isclose(phase.charge_c, 10e-6 * 200, rel_tol=1e-3)
