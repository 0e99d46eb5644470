"""The current loop's closed forms against numerical integration and against conservation laws."""

from math import isclose, isinf, log

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rheobase.sim.bench import LOADS, Load, Wiring
from rheobase.sim.bench.circuit import BLOCKED, DRIVEN, LIMITED, RESTING, State
from rheobase.sim.bench.loop import Loop

TAU_S = Wiring().filter_tau_s


def integrate(load, wiring, state, duration, steps):
    """Fourth-order Runge-Kutta of the circuit as drawn; knows nothing of the closed forms.

    Returns charge, v_p, v_b, and the energies (from the supply, into the resistances).
    """
    sign, u, b, d, v, w, rate, v_p, v_b = state
    ohm = load.r_s + wiring.bridge_ohm
    tau = wiring.filter_tau_s

    def flow(y):
        x_1, x_2, supply, v_p, v_b, _ = y
        possible = (supply - sign * (v_p + v_b)) / ohm
        current = sign * max(0.0, min(x_2, possible))
        dv_p = 0.0 if load.resistive else (current - v_p / load.r_p) / load.c_p
        dv_b = 0.0 if wiring.blocking_f is None else current / wiring.blocking_f
        return ((u - x_1) / tau, (x_1 - x_2) / tau, rate * (v - supply), dv_p, dv_b, current)

    y = (u + d, u + b, v + w, v_p, v_b, 0.0)
    h = duration / steps
    for _ in range(steps):
        k_1 = flow(y)
        k_2 = flow([a + h / 2 * k for a, k in zip(y, k_1, strict=True)])
        k_3 = flow([a + h / 2 * k for a, k in zip(y, k_2, strict=True)])
        k_4 = flow([a + h * k for a, k in zip(y, k_3, strict=True)])
        y = [
            a + h / 6 * (p + 2 * q + 2 * r + s)
            for a, p, q, r, s in zip(y, k_1, k_2, k_3, k_4, strict=True)
        ]
    return y[5], y[3], y[4]


def played(loop, state, duration):
    stretches, after = loop.play(state, duration)
    charge = sum(loop.charge(*stretch) for stretch in stretches)
    assert isclose(sum(s.duration for s in stretches), duration, rel_tol=1e-12)
    return charge, after, stretches


def settled(current=0.03, sign=1, volts=200.0, v_p=0.0, v_b=0.0):
    return State(sign, current, 0.0, 0.0, volts, 0.0, 0.0, v_p, v_b)


CASES = {
    "driven": (LOADS["nominal"], settled()),
    "limited from the start": (LOADS["10k"], settled(0.1)),
    "runs into the limit": (LOADS["dry"], settled(0.06)),
    "out of the limit": (LOADS["dry"], settled(0.06, v_p=120.0)),
    "helped by the phase before": (LOADS["dry"], settled(0.06, sign=-1, v_p=80.0)),
    "limit reached while C_p empties": (LOADS["good"], settled(0.1, volts=180.0, v_p=120.0)),
    "held more than the supply": (LOADS["nominal"], settled(0.03, v_p=230.0)),
    "amplitude rising": (LOADS["dry"], State(1, 0.1, -0.1, -0.1, 200, 0, 0, 0, 0)),
    "amplitude falling": (LOADS["dry"], State(1, 0.01, 0.09, 0.09, 200, 0, 0, 0, 0)),
    "back out of the limit": (LOADS["2k"], State(1, 0.01, 0.1, 0.1, 200, 0, 0, 0, 0)),
    "filter swinging": (LOADS["good"], State(1, 0.0, 0.0, 0.5, 200, 0, 0, 0, 0)),
    "supply rising": (LOADS["nominal"], State(-1, 0.05, 0, 0, 200, -200, 2e3, 0, 0)),
    "supply falling": (LOADS["nominal"], State(1, 0.05, 0, 0, 0, 200, 4e3, 0, 5)),
    "everything moves": (LOADS["dry"], State(-1, 0.09, -0.09, -0.02, 200, -150, 3e3, 40, -7)),
    "no supply": (LOADS["nominal"], settled(0.05, volts=0.0)),
    "no amplitude": (LOADS["nominal"], settled(0.0, v_p=10.0)),
    "nothing at all": (LOADS["nominal"], settled(0.0, volts=0.0, v_p=10.0)),
    "resistor, moving": (LOADS["2k"], State(1, 0.12, -0.12, -0.12, 200, 0, 0, 0, 0)),
    "short": (LOADS["short"], settled(0.12)),
    "open": (LOADS["open"], settled(0.12)),
}


@pytest.mark.parametrize("blocking_f", [None, 10e-6, 1e-6])
@pytest.mark.parametrize("case", CASES)
def test_against_numerical_integration(case, blocking_f):
    load, state = CASES[case]
    wiring = Wiring(blocking_f=blocking_f)
    if blocking_f is None:
        state = state._replace(v_b=0.0)
    charge, after, _ = played(Loop(load, wiring), state, 500e-6)
    expected, v_p, v_b = integrate(load, wiring, state, 500e-6, 10_000)
    assert isclose(charge, expected, rel_tol=2e-6, abs_tol=1e-13)
    assert isclose(after.v_p, v_p, rel_tol=2e-6, abs_tol=1e-6)
    assert isclose(after.v_b, v_b, rel_tol=2e-6, abs_tol=1e-6)


def test_ways_are_taken_in_their_order():
    def ways(case, **values):
        load, state = CASES[case]
        return [s.way for s in Loop(load, Wiring(**values)).play(state, 500e-6)[0]]

    assert ways("driven") == [DRIVEN]
    assert ways("limited from the start") == [LIMITED]
    assert ways("runs into the limit") == [DRIVEN, LIMITED]
    assert ways("back out of the limit") == [LIMITED, DRIVEN]
    assert ways("held more than the supply", blocking_f=None) == [BLOCKED, LIMITED, DRIVEN]
    assert ways("supply falling") == [DRIVEN, LIMITED, BLOCKED]
    assert ways("no supply") == [BLOCKED]
    assert ways("limit reached while C_p empties", blocking_f=1e-6) == [DRIVEN, LIMITED]


def test_compliance_by_hand():
    """Resistor: Ohm's law. R_s + R_p || C_p: the crossing from v(t) = I R_p (1 - exp(-t/RC))."""
    plain = Wiring(blocking_f=None, bridge_ohm=0.0)
    charge, _, _ = played(Loop(LOADS["10k"], plain), settled(0.1), 400e-6)
    assert isclose(charge, 200 / 10e3 * 400e-6, rel_tol=1e-12)
    stretches, _ = Loop(LOADS["dry"], plain).play(settled(0.06), 400e-6)
    lag = 20e3 * 47e-9
    reached = -lag * log(1 - (200 / 0.06 - 1e3) / 20e3)
    assert isclose(stretches[0].duration, reached, rel_tol=1e-6)
    end = Loop(LOADS["dry"], plain).advance(*stretches[1])
    tau = 1 / ((1 / 1e3 + 1 / 20e3) / 47e-9)
    start = stretches[1].state.v_p
    asymptote = 200 * 20 / 21
    left = 400e-6 - reached
    expected = asymptote + (start - asymptote) * 2.718281828459045 ** (-left / tau)
    assert isclose(end.v_p, expected, rel_tol=1e-9)


ohms = st.floats(10.0, 5e3)
leaky = st.builds(Load, ohms, st.floats(300.0, 5e4), st.floats(2e-8, 2e-6))
resonant = st.builds(
    lambda r_s, r_p, near: Load(r_s, r_p, TAU_S / r_p * near),
    ohms,
    st.floats(100.0, 5e4),
    st.sampled_from([1.0, 1 + 1e-14, 1 - 1e-9, 1 + 1e-6, 0.999]),
)
loads = st.one_of(leaky, resonant, st.builds(Load, ohms), st.sampled_from(list(LOADS.values())))
wirings = st.builds(Wiring, blocking_f=st.one_of(st.none(), st.floats(1e-7, 1e-4)))
amps = st.floats(0.0, 0.15)
states = st.builds(
    lambda sign, u, one, two, v, above, rate, v_p, v_b: State(
        sign, u, two - u, one - u, v, above - v if rate else 0.0, rate, v_p, v_b
    ),
    st.sampled_from([1, -1]),
    amps,
    amps,
    amps,
    st.floats(0, 200),
    st.floats(0, 200),
    st.sampled_from([0.0, 50.0, 3e3]),
    st.floats(-150, 150),
    st.floats(-20, 20),
)
durations = st.floats(1e-6, 1e-3)


def fit(load, wiring, state):
    """A state that this circuit can be in."""
    if load.resistive:
        state = state._replace(v_p=0.0)
    if wiring.blocking_f is None:
        state = state._replace(v_b=0.0)
    return state


@settings(max_examples=60, deadline=None)
@given(loads, wirings, states, st.floats(2e-5, 5e-4))
def test_any_circuit_against_integration(load, wiring, state, duration):
    state = fit(load, wiring, state)
    ohm = load.r_s + wiring.bridge_ohm
    if not load.resistive:
        assume(load.c_p * ohm > 2e-6)  # else the integration's steps are too long
    if wiring.blocking_f is not None:
        assume(wiring.blocking_f * ohm > 2e-6)
    charge, after, _ = played(Loop(load, wiring), state, duration)
    expected, v_p, v_b = integrate(load, wiring, state, duration, 2500)
    assert isclose(charge, expected, rel_tol=1e-4, abs_tol=2e-10)
    assert isclose(after.v_p, v_p, rel_tol=1e-3, abs_tol=2e-2)
    assert isclose(after.v_b, v_b, rel_tol=1e-3, abs_tol=2e-2)


@settings(max_examples=150, deadline=None)
@given(loads, wirings, states, durations, st.floats(0.01, 0.99))
def test_charge_is_additive_over_splits(load, wiring, state, duration, part):
    state = fit(load, wiring, state)
    loop = Loop(load, wiring)
    whole, after, _ = played(loop, state, duration)
    first, between, _ = played(loop, state, duration * part)
    second, end, _ = played(loop, between, duration - duration * part)
    assert isclose(whole, first + second, rel_tol=1e-9, abs_tol=1e-15)
    assert isclose(after.v_p, end.v_p, rel_tol=1e-9, abs_tol=1e-8)
    assert isclose(after.v_b, end.v_b, rel_tol=1e-9, abs_tol=1e-8)


@settings(max_examples=150, deadline=None)
@given(loads, wirings, states, durations)
def test_current_is_the_least_of_set_and_possible(load, wiring, state, duration):
    """At every point of every stretch, from the state alone."""
    state = fit(load, wiring, state)
    loop = Loop(load, wiring)
    ohm = load.r_s + wiring.bridge_ohm
    for way, begun, held in loop.play(state, duration)[0]:
        for part in (0.0, 0.03, 0.5, 0.97, 1.0):
            now = loop.advance(way, begun, held * part)
            possible = (now.v + now.w - now.sign * (now.v_p + now.v_b)) / ohm
            expected = max(0.0, min(now.u + now.b, possible))
            assert isclose(
                now.sign * loop.current(way, now), expected, rel_tol=1e-6, abs_tol=1e-6
            )


@settings(max_examples=100, deadline=None)
@given(loads, wirings, amps, durations, st.floats(0, 300e-6), st.sampled_from([1, -1]))
def test_symmetric_pulse_has_no_net_charge(load, wiring, current, width, gap, sign):
    """Whatever the electrode, if the supply suffices: exactly, and so for the capacitor."""
    loop = Loop(load, wiring)
    first, state, one = played(loop, settled(current, sign), width)
    state = loop.advance(BLOCKED, state, gap)._replace(sign=-sign)
    second, state, two = played(loop, state, width)
    assume([s.way for s in one + two] == [DRIVEN, DRIVEN])
    assert first == -second == sign * current * width
    assert isclose(state.v_b, 0.0, abs_tol=1e-12)


@settings(max_examples=40, deadline=None)
@given(loads, wirings, states, st.floats(1e-5, 5e-4))
def test_energy_is_conserved(load, wiring, state, duration):
    """Supply = resistances + capacitors + what the sink takes (nothing at its limit)."""
    state = fit(load, wiring, state)
    loop = Loop(load, wiring)
    ohm = load.r_s + wiring.bridge_ohm

    def stored(now):
        return (load.c_p * now.v_p**2 + (wiring.blocking_f or 0.0) * now.v_b**2) / 2

    supplied = burnt = 0.0
    stretches, after = loop.play(state, duration)
    for way, begun, held in stretches:
        steps = 400
        for i in range(steps + 1):  # Simpson in s, t = held*s^3: a stretch begins fast
            now = loop.advance(way, begun, held * (i / steps) ** 3)
            weight = (1 if i in (0, steps) else 4 if i % 2 else 2) * held / steps / 3
            weight *= 3 * (i / steps) ** 2
            current = abs(loop.current(way, now))
            supplied += weight * (now.v + now.w) * current
            leak = 0.0 if load.resistive else now.v_p**2 / load.r_p
            sink = loop.headroom(now) * current if way == DRIVEN else 0.0
            burnt += weight * (current**2 * ohm + leak + sink)
    balance = stored(after) - stored(state) + burnt
    assert isclose(supplied, balance, rel_tol=1e-4, abs_tol=1e-9)


@given(loads, wirings, st.floats(-150, 150), st.floats(-20, 20), st.floats(1e-6, 0.1))
def test_rest_discharges_passively(load, wiring, v_p, v_b, duration):
    loop = Loop(load, wiring)
    state = fit(load, wiring, settled(0.0, 1, 0.0, v_p, v_b))
    new_p, new_b, charge = loop.rest(state.v_p, state.v_b, duration)
    half_p, half_b, first = loop.rest(state.v_p, state.v_b, duration / 2)
    end_p, end_b, second = loop.rest(half_p, half_b, duration / 2)
    assert isclose(first + second, charge, rel_tol=1e-9, abs_tol=1e-15)
    assert isclose(new_p, end_p, rel_tol=1e-9, abs_tol=1e-9)
    assert isclose(new_b, end_b, rel_tol=1e-9, abs_tol=1e-9)
    before = load.c_p * state.v_p**2 + (loop.c_b or 0) * state.v_b**2
    after = load.c_p * new_p**2 + (loop.c_b or 0) * new_b**2
    assert after <= before * (1 + 1e-12)
    if wiring.blocking_f is not None:
        assert isclose(charge, wiring.blocking_f * (new_b - state.v_b), abs_tol=1e-15)


def test_rest_by_hand():
    """Without blocking capacitor: one time constant, C_p over R_p parallel R_s + discharge."""
    loop = Loop(LOADS["nominal"], Wiring(blocking_f=None))
    resistance = 1 / (1 / 3e3 + 1 / 10.5e3)
    tau = resistance * 220e-9
    v_p, v_b, charge = loop.rest(12.0, 0.0, tau)
    assert isclose(v_p, 12 / 2.718281828459045, rel_tol=1e-12)
    assert v_b == 0.0
    assert isclose(charge, -(12 - v_p) * tau / 10.5e3, rel_tol=1e-12)
    state = settled(0.0, 1, 0.0, 12.0)
    assert isclose(loop.current(RESTING, state), -12 / 10.5e3)
    isolated = Loop(LOADS["nominal"], Wiring(discharge_ohm=None))
    assert isolated.rest(12.0, 1.0, 1.0)[1:] == (1.0, 0.0)
    assert isolated.current(RESTING, state) == 0.0


@settings(max_examples=100, deadline=None)
@given(loads, wirings, states, st.floats(0.01, 0.16))
def test_threshold_is_found_where_it_is_crossed(load, wiring, state, limit):
    state = fit(load, wiring, state)
    loop = Loop(load, wiring)
    for stretch in loop.play(state, 5e-4)[0]:
        way, begun, duration = stretch
        found = loop.first_over(stretch, limit)
        if found is None:
            found = float("inf")
        for i in range(200):
            t = duration * i / 200
            amps = abs(loop.current(way, loop.advance(way, begun, t)))
            assert amps <= limit * (1 + 1e-9) or t >= found
        if not isinf(found) and found > 0:
            at = abs(loop.current(way, loop.advance(way, begun, found)))
            assert isclose(at, limit, rel_tol=1e-5)


def test_impossible_electrodes_are_refused():
    with pytest.raises(ValueError, match="negative"):
        Load(-1.0)
    with pytest.raises(ValueError, match="together"):
        Load(500.0, 3e3, 0.0)
    with pytest.raises(ValueError, match="without resistance"):
        Loop(Load(0.0), Wiring(bridge_ohm=0.0))
