"""One channel's current loop while it stays in one way: closed forms for current, charge, state.

    supply -> sink (sets a current) -> bridge -> blocking capacitor -> R_s -> (R_p || C_p)

The loop is always in one of four ways, and within each it is linear:
- DRIVEN: the sink has its set current.
- LIMITED: the supply can't give it (compliance); the current is what the resistances allow.
- BLOCKED: no current (no leg conducts, or the capacitors hold more than the supply has).
- RESTING: the discharge resistor is across the output.
"""

from __future__ import annotations

from collections.abc import Callable
from math import exp, expm1
from typing import NamedTuple

from rheobase.sim.bench.loads import Load
from rheobase.sim.bench.modes import Modes
from rheobase.sim.bench.relax import echo, echo_ramp, mean_ramp_exp
from rheobase.sim.bench.wiring import Wiring

DRIVEN, LIMITED, BLOCKED, RESTING = range(4)


class State(NamedTuple):
    """The loop at a moment, with all that decides how it goes on (amperes, volts, 1/s)."""

    sign: float
    """+1: current from the plus to the minus terminal; -1: the other way."""
    u: float
    """Set current, magnitude: u + (b + d*t/tau)*exp(-t/tau)."""
    b: float
    d: float
    v: float
    """Supply: v + w*exp(-rate*t)."""
    w: float
    rate: float
    v_p: float
    """Voltage of C_p, positive after current from plus to minus."""
    v_b: float
    """Voltage of the blocking capacitor, likewise."""


class Circuit:
    """The loop with one electrode pair; immutable, the state is handed through."""

    def __init__(self, load: Load, wiring: Wiring) -> None:
        self.load = load
        self.ohm = load.r_s + wiring.bridge_ohm
        if self.ohm <= 0:
            raise ValueError("a loop without resistance: bridge_ohm and r_s are both 0")
        self.r_p = load.r_p
        self.c_p = load.c_p
        self.leak = 0.0 if load.resistive else 1 / (load.r_p * load.c_p)
        self.c_b = wiring.blocking_f
        self.per_c_b = 0.0 if self.c_b is None else 1 / self.c_b
        self.tau = wiring.filter_tau_s
        self._limited = Modes(self.ohm, load, self.c_b)
        self.rest_ohm = 0.0
        self._resting: Modes | None = None
        if wiring.discharge_ohm is not None:
            self.rest_ohm = load.r_s + wiring.discharge_ohm
            self._resting = Modes(self.rest_ohm, load, self.c_b)
        self._after: dict[int, Callable[[State, float], tuple[float, float]]] = {
            DRIVEN: self._after_driven,
            LIMITED: self._after_limited,
            BLOCKED: self._after_blocked,
            RESTING: self._after_resting,
        }

    # Voltages, current and charge of each way

    def _after_driven(self, state: State, t: float) -> tuple[float, float]:
        sign, u, b, d, *_, v_p, v_b = state
        if self.c_p:
            pushed = u * self.r_p * -expm1(-self.leak * t)
            if b or d:
                pushed += b * echo(self.leak, 1 / self.tau, t) / self.c_p
                pushed += d / self.tau * echo_ramp(self.leak, 1 / self.tau, t) / self.c_p
            v_p = v_p * exp(-self.leak * t) + sign * pushed
        if self.per_c_b:
            v_b += sign * self.set_charge(state, t) * self.per_c_b
        return v_p, v_b

    def _after_limited(self, state: State, t: float) -> tuple[float, float]:
        sign, _, _, _, v, w, rate, v_p, v_b = state
        return self._limited.follow(v_p, v_b, sign * v, sign * w, rate, t)

    def _after_blocked(self, state: State, t: float) -> tuple[float, float]:
        return state.v_p * exp(-self.leak * t), state.v_b

    def _after_resting(self, state: State, t: float) -> tuple[float, float]:
        if self._resting is None:
            return self._after_blocked(state, t)
        return self._resting.relax(state.v_p, state.v_b, t)

    def rest(self, v_p: float, v_b: float, t: float) -> tuple[float, float, float]:
        """(v_p, v_b, charge) after `t` on the discharge resistor."""
        if self._resting is None:
            return v_p * exp(-self.leak * t), v_b, 0.0
        new_p, new_b = self._resting.relax(v_p, v_b, t)
        return new_p, new_b, self._passed(self.rest_ohm, v_p, v_b, new_p, new_b, 0.0)

    def _passed(
        self, ohm: float, v_p: float, v_b: float, new_p: float, new_b: float, source_vs: float
    ) -> float:
        """Charge through the loop's resistance, from what the capacitors took in."""
        if self.c_b is not None:
            return self.c_b * (new_b - v_b)
        lag = self.r_p * self.c_p * (new_p - v_p)
        return (source_vs + lag) / (ohm + self.r_p)

    def set_charge(self, state: State, t: float) -> float:
        """What the sink's set current amounts to over `t`, without sign."""
        charge = state.u * t
        if state.b or state.d:
            z = t / self.tau
            charge += self.tau * (state.b * -expm1(-z) + state.d * z * z * mean_ramp_exp(-z))
        return charge

    def advance(self, way: int, state: State, t: float) -> State:
        """The state `t` seconds later, the loop staying in `way`."""
        v_p, v_b = self._after[way](state, t)
        sign, u, b, d, v, w, rate, _, _ = state
        if b or d:
            z = t / self.tau
            fading = exp(-z)
            b, d = (b + d * z) * fading, d * fading
        if w:
            w *= exp(-rate * t)
        return State(sign, u, b, d, v, w, rate, v_p, v_b)

    def current(self, way: int, state: State) -> float:
        """Signed current through the electrodes."""
        if way == DRIVEN:
            return state.sign * (state.u + state.b)
        if way == LIMITED:
            source = state.sign * (state.v + state.w)
            return (source - state.v_p - state.v_b) / self.ohm
        if way == RESTING and self._resting is not None:
            return -(state.v_p + state.v_b) / self.rest_ohm
        return 0.0

    def charge(self, way: int, state: State, t: float) -> float:
        """Signed charge through the electrodes over `t`."""
        if way == DRIVEN:
            return state.sign * self.set_charge(state, t)
        if way == RESTING:
            return self.rest(state.v_p, state.v_b, t)[2]
        if way == BLOCKED:
            return 0.0
        source = state.v * t
        if state.w:
            source += state.w * -expm1(-state.rate * t) / state.rate
        v_p, v_b = self._after_limited(state, t)
        return self._passed(self.ohm, state.v_p, state.v_b, v_p, v_b, state.sign * source)
