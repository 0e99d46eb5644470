"""Amplitude filter, supply, and the exponentials below them."""

from math import exp, isclose

import pytest
from bench_chip import CLOCK_HZ, MS, US, FakeChip
from hypothesis import given
from hypothesis import strategies as st

from rheobase.sim.bench import Bench, Wiring
from rheobase.sim.bench.amplitude import AmplitudeFilter
from rheobase.sim.bench.relax import echo, echo_ramp, mean_exp, mean_ramp_exp

TAU_S = 100e-6

rates = st.one_of(st.just(0.0), st.floats(1.0, 1e7))
spans = st.floats(1e-9, 1e-2)


def simpson(function, a, b, n=2000):
    h = (b - a) / n
    inner = sum((4 if i % 2 else 2) * function(a + i * h) for i in range(1, n))
    return (function(a) + inner + function(b)) * h / 3


@pytest.mark.parametrize("pole", [0.0, 1e3, 9.999999e3, 1e4, 1.0000001e4, 3e4])
@pytest.mark.parametrize("rate", [0.0, 1e4, 2e4])
@pytest.mark.parametrize("t", [1e-6, 2e-4, 1e-3])
def test_echo_is_its_integral(pole, rate, t):
    def weight(s):
        return exp(-pole * (t - s) - rate * s)

    assert isclose(echo(pole, rate, t), simpson(weight, 0, t), rel_tol=1e-9)
    ramp = simpson(lambda s: s * weight(s), 0, t)
    assert isclose(echo_ramp(pole, rate, t), ramp, rel_tol=1e-9)


@given(rates, rates, spans)
def test_echo_does_not_know_which_rate_is_the_pole(pole, rate, t):
    assert isclose(echo(pole, rate, t), echo(rate, pole, t), rel_tol=1e-12, abs_tol=1e-300)
    assert 0 <= echo(pole, rate, t) <= t
    assert 0 <= echo_ramp(pole, rate, t) <= t * t / 2 * (1 + 1e-12)


@given(rates, rates, spans, st.floats(0.01, 0.99))
def test_echo_in_pieces(pole, rate, t, part):
    """Low-pass filters forget how their input was cut into pieces."""
    a, b = t * part, t - t * part
    whole = echo(pole, rate, t)
    pieces = echo(pole, rate, a) * exp(-pole * b) + exp(-rate * a) * echo(pole, rate, b)
    assert isclose(whole, pieces, rel_tol=1e-9, abs_tol=1e-30)
    whole = echo_ramp(pole, rate, t)
    pieces = echo_ramp(pole, rate, a) * exp(-pole * b)
    pieces += exp(-rate * a) * (a * echo(pole, rate, b) + echo_ramp(pole, rate, b))
    assert isclose(whole, pieces, rel_tol=1e-9, abs_tol=1e-30)


@given(st.floats(-0.6, -0.4))
def test_series_and_closed_form_meet(z):
    closed = (exp(z) * (z - 1) + 1) / (z * z)
    assert isclose(mean_ramp_exp(z), closed, rel_tol=1e-13)
    assert mean_ramp_exp(0.0) == 0.5
    assert mean_exp(0.0) == 1.0


def step_response(t):
    z = t / TAU_S
    return 1 - (1 + z) * exp(-z) if z > 0 else 0.0


changes = st.lists(
    st.tuples(st.integers(0, 100_000), st.floats(0.0, 1.0)), min_size=1, max_size=8
)


@given(changes, st.integers(0, 300_000))
def test_filter_is_the_sum_of_its_step_responses(changes, after):
    tested = AmplitudeFilter(TAU_S, CLOCK_HZ)
    clock, before, steps = 0, 0.0, []
    for gap, duty in changes:
        clock += gap
        tested.set(clock, duty)
        steps.append((clock, duty - before))
        before = duty
    u, b, _ = tested.piece(clock + after)
    expected = sum(
        size * step_response((clock + after - at) / CLOCK_HZ) for at, size in steps
    )
    assert isclose(u + b, expected, abs_tol=1e-13)


@given(changes, st.lists(st.integers(0, 40_000), max_size=6), st.floats(0, 500e-6))
def test_filter_in_pieces_equals_in_one_go(changes, looks, t):
    """Setting the duty it already has only cuts time into pieces."""
    whole, cut = (AmplitudeFilter(TAU_S, CLOCK_HZ) for _ in range(2))
    clock = 0
    for gap, duty in changes:
        clock += gap
        whole.set(clock, duty)
        cut.set(clock, duty)
    for look in looks:
        clock += look
        cut.set(clock, cut.target)

    def output(piece):
        u, b, d = piece
        return u + (b + d * t / TAU_S) * exp(-t / TAU_S)

    assert isclose(output(whole.piece(clock)), output(cut.piece(clock)), abs_tol=1e-13)


def test_filter_settles_exactly():
    tested = AmplitudeFilter(TAU_S, CLOCK_HZ)
    tested.set(0, 0.25)
    u, b, _ = tested.piece(1 * MS)  # ten time constants
    assert isclose((u + b) / 0.25, 1 - 11 * exp(-10), rel_tol=1e-12)
    assert tested.piece(5 * MS) == (0.25, 0.0, 0.0)


def test_supply_follows_the_heartbeat():
    chip = FakeChip()
    bench, kernel = chip.bench, chip.kernel
    assert bench.supply.volts(0) == 0.0
    kernel.advance_to(10 * MS)
    chip.set(kernel.now, 1 << 18, 1 << 18)  # one edge only
    on = kernel.now
    kernel.advance_to(on + 20 * MS)
    assert isclose(bench.supply.volts(kernel.now), 200 * (1 - exp(-1)), rel_tol=1e-12)
    assert isclose(bench.adc_volts(kernel.now, 28), 2.5 * (1 - exp(-1)), rel_tol=1e-12)
    kernel.advance_to(on + 100 * MS - 1)
    assert bench.supply.enabled
    kernel.advance_to(on + 100 * MS)  # a level is no heartbeat: the one-shot ends
    assert not bench.supply.enabled
    top = 200 * (1 - exp(-5))
    kernel.advance_to(on + 140 * MS)
    assert isclose(bench.supply.volts(kernel.now), top * exp(-2), rel_tol=1e-12)
    kinds = [(event.kind, event.clock) for event in bench.recorder.events]
    assert kinds == [("supply_on", on), ("supply_off", on + 100 * MS)]


def test_supply_rises_and_falls_at_its_own_pace():
    chip = FakeChip(Bench(Wiring(supply_rise_s=10e-3, supply_fall_s=30e-3)))
    chip.set(0, 1 << 18, 1 << 18)
    chip.kernel.advance_to(10 * MS)
    assert isclose(chip.bench.supply.volts(10 * MS), 200 * (1 - exp(-1)), rel_tol=1e-12)
    chip.kernel.advance_to(130 * MS)
    top = 200 * (1 - exp(-10))
    assert isclose(chip.bench.supply.volts(130 * MS), top * exp(-1), rel_tol=1e-12)


def test_every_edge_of_the_heartbeat_retriggers():
    chip = FakeChip()
    kernel, bench = chip.kernel, chip.bench
    for beat in range(10):
        kernel.advance_to(beat * 99 * MS)
        chip.set(kernel.now, 1 << 18, (beat + 1 & 1) << 18)
    last = kernel.now
    kernel.advance_to(last + 100 * MS - 1)
    assert bench.supply.enabled
    assert len(bench.recorder.of_kind("supply_on")) == 1
    kernel.advance_to(last + 100 * MS)
    assert not bench.supply.enabled


def test_supply_can_regulate_elsewhere():
    chip = FakeChip()
    chip.ready()
    chip.bench.set_supply(120.0)
    chip.kernel.advance_to(chip.kernel.now + 20 * MS)
    expected = 120 + 80 * exp(-1)
    assert isclose(chip.bench.supply.volts(chip.kernel.now), expected, rel_tol=1e-9)
    chip.kernel.advance_to(chip.kernel.now + 2000 * MS)
    assert chip.bench.supply.volts(chip.kernel.now) == 120.0


def test_pwm_sets_the_sink_through_the_filter():
    chip = FakeChip(Bench(Wiring(blocking_f=None)))
    chip.ready(0, 0)
    at = chip.kernel.now
    chip.level(1, 1000, at)
    chip.set(at, 1 << 6 | 1 << 2, 1 << 6 | 1 << 2)
    later = at + 150 * US
    expected = 1000 * 60e-6 * step_response(150e-6)
    assert isclose(chip.bench.current_a(1, later), expected, rel_tol=1e-12)
    assert chip.bench.current_a(2, later) == 0.0
    assert isclose(chip.bench.adc_volts(later, 26), 1.65 + 10 * expected, rel_tol=1e-12)
    assert chip.bench.adc_volts(later, 27) == 1.65
    assert chip.bench.adc_volts(later, 29) == 0.0


def test_wiring_is_the_boards():
    from firmware.boards import pico_reference

    assert Wiring.of(pico_reference, sense_noise_v=0.0) == Wiring()
    assert Wiring.of(pico_reference, supply_v=150.0).supply_v == 150.0
