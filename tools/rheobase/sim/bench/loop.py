"""One channel's current loop between two events: closed forms for current, charge and state.

    supply -> sink (sets a current) -> bridge -> blocking capacitor -> R_s -> (R_p || C_p)

The loop is always in one of four ways, and within each it is linear:
- DRIVEN: the sink has its set current.
- LIMITED: the supply can't give it (compliance); the current is what the resistances allow.
- BLOCKED: no current (no leg conducts, or the capacitors hold more than the supply has).
- RESTING: the discharge resistor is across the output.
"""

from __future__ import annotations

from collections.abc import Callable
from math import atan2, cos, exp, expm1, sin, sqrt
from typing import NamedTuple

from rheobase.sim.bench.loads import Load
from rheobase.sim.bench.relax import echo, echo_ramp, mean_ramp_exp
from rheobase.sim.bench.wiring import Wiring

DRIVEN, LIMITED, BLOCKED, RESTING = range(4)

_TOLERANCE_V = 1e-9  # of a margin; 2 pA into 500 ohm
_RESOLUTION_S = 1e-13  # of a change between two ways; the current is continuous there


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


class Stretch(NamedTuple):
    """A time in which the loop stays in one way."""

    way: int
    state: State
    duration: float


class _Modes:
    """The two capacitors discharging through a resistance towards a source, as decoupled modes."""

    __slots__ = ("modes",)

    def __init__(self, ohm: float, load: Load, c_b: float | None) -> None:
        # A mode: decay rate; its amount from v_p and v_b; what a source of 1 V adds to it per
        # second; what v_p and v_b it stands for.
        self.modes: list[tuple[float, float, float, float, float, float]] = []
        if load.c_p:
            a = (1 / ohm + 1 / load.r_p) / load.c_p
            force = 1 / (ohm * load.c_p)
            if c_b is None:
                self.modes.append((a, 1.0, 0.0, force, 1.0, 0.0))
                return
            root_p, root_b = sqrt(load.c_p), sqrt(c_b)
            b = 1 / (ohm * root_p * root_b)
            d = 1 / (ohm * c_b)
            angle = atan2(2 * b, a - d) / 2
            c, s = cos(angle), sin(angle)
            fast = a * c * c + 2 * b * c * s + d * s * s
            slow = 1 / (ohm * load.r_p * load.c_p * c_b) / fast  # the determinant, no cancelling
            for decay, x, y in ((fast, c, s), (slow, -s, c)):
                pull = (x / root_p + y / root_b) / ohm
                self.modes.append((decay, x * root_p, y * root_b, pull, x / root_p, y / root_b))
        elif c_b is not None:
            self.modes.append((1 / (ohm * c_b), 0.0, 1.0, 1 / (ohm * c_b), 0.0, 1.0))

    def relax(self, v_p: float, v_b: float, t: float) -> tuple[float, float]:
        """Both voltages after `t` with no source."""
        new_p = new_b = 0.0
        for decay, from_p, from_b, _, to_p, to_b in self.modes:
            amount = (from_p * v_p + from_b * v_b) * exp(-decay * t)
            new_p += to_p * amount
            new_b += to_b * amount
        return new_p, new_b

    def follow(
        self, v_p: float, v_b: float, v: float, w: float, rate: float, t: float
    ) -> tuple[float, float]:
        """Both voltages after `t` behind a source v + w*exp(-rate*t)."""
        new_p = new_b = 0.0
        for decay, from_p, from_b, force, to_p, to_b in self.modes:
            amount = (from_p * v_p + from_b * v_b) * exp(-decay * t)
            amount += force * v * -expm1(-decay * t) / decay
            if w:
                amount += force * w * echo(decay, rate, t)
            new_p += to_p * amount
            new_b += to_b * amount
        return new_p, new_b


class Loop:
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
        self._limited = _Modes(self.ohm, load, self.c_b)
        self.rest_ohm = 0.0
        self._resting: _Modes | None = None
        if wiring.discharge_ohm is not None:
            self.rest_ohm = load.r_s + wiring.discharge_ohm
            self._resting = _Modes(self.rest_ohm, load, self.c_b)
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

    # How long a way lasts. A margin is a voltage that stays positive while the way holds; a floor
    # is a bound below the margin over the whole of the next `t`, by comparison (currents between
    # zero and the largest possible, each pole between its value and where it is drawn to).

    def headroom(self, state: State) -> float:
        """What is left of the supply with the set current flowing; negative: compliance."""
        return self.spare(state) - self.ohm * (state.u + state.b)

    def spare(self, state: State) -> float:
        """Supply less what the capacitors hold against it."""
        return state.v + state.w - state.sign * (state.v_p + state.v_b)

    def set_most(self, state: State, t: float) -> float:
        """The set current is nowhere above this within `t`."""
        now = state.u + state.b
        if not (state.b or state.d):
            return now
        return now - (max(state.b, state.d, 0.0) - state.b) * expm1(-t / self.tau)

    def _set_least(self, state: State, t: float) -> float:
        now = state.u + state.b
        return now - (min(state.b, state.d, 0.0) - state.b) * expm1(-t / self.tau)

    def _held_most(self, state: State, current: float, t: float) -> float:
        """The capacitors hold nowhere more against the supply, at up to this current."""
        held = state.sign * state.v_p
        held -= max(0.0, current * self.r_p - held) * expm1(-self.leak * t)
        return held + state.sign * state.v_b + current * t * self.per_c_b

    def _held_least(self, state: State, t: float) -> float:
        held = state.sign * state.v_p
        if held > 0:
            held *= exp(-self.leak * t)
        return held + state.sign * state.v_b

    def _supply_range(self, state: State, t: float) -> tuple[float, float]:
        now = state.v + state.w
        then = state.v + state.w * exp(-state.rate * t)
        return (now, then) if now < then else (then, now)

    def driven_floor(self, state: State, t: float) -> float:
        most = self.set_most(state, t)
        supply = self._supply_range(state, t)[0]
        return supply - self.ohm * most - self._held_most(state, most, t)

    def limited_most(self, state: State, t: float) -> float:
        """The limited current is nowhere above this within `t`."""
        supply = self._supply_range(state, t)[1]
        return max(0.0, (supply - self._held_least(state, t)) / self.ohm)

    def _limited_floor(self, state: State, t: float) -> float:
        lowest, highest = self._supply_range(state, t)
        to_driven = self.ohm * self._set_least(state, t) - highest + self._held_least(state, t)
        most = self.limited_most(state, t)
        to_blocked = lowest - self._held_most(state, most, t)
        return min(to_driven, to_blocked)

    def _limited_margin(self, state: State) -> float:
        return min(-self.headroom(state), self.spare(state))

    def _blocked_floor(self, state: State, t: float) -> float:
        return self._held_least(state, t) - self._supply_range(state, t)[1]

    def _blocked_margin(self, state: State) -> float:
        return -self.spare(state)

    def _steady_hold(self, way: int, state: State, t: float) -> float | None:
        """How long a way holds when set current and supply stand still; None where unsure."""
        _, u, b, d, _, w, _, v_p, _ = state
        if b or d or w:
            return None
        against = state.sign * v_p
        if way == DRIVEN:
            rise = u * self.r_p - against
            if rise < 0:
                return None
            # The headroom falls ever more slowly: Newton's method comes from the left, monotonic.
            room, elapsed = self.headroom(state), 0.0
            left = room
            while elapsed < t:
                slope = self.leak * rise * exp(-self.leak * elapsed) + u * self.per_c_b
                step = left / slope if slope > 0 else t
                elapsed += step
                if step < _RESOLUTION_S / 10:
                    return min(elapsed + _RESOLUTION_S, t)
                left = room + rise * expm1(-self.leak * elapsed) - u * elapsed * self.per_c_b
            return t
        if way == LIMITED:
            # C_p still charging: the current falls, and could only rise again through zero.
            now = self.current(LIMITED, state) * state.sign
            end = self.spare(self.advance(LIMITED, state, t))
            return t if against <= now * self.r_p and end >= 0 else None
        return t if against <= 0 else None

    def hold(self, way: int, state: State, t: float) -> float:
        """How much of the next `t` the loop stays in `way`."""
        steady = self._steady_hold(way, state, t)
        if steady is not None:
            return steady
        floor, margin = {
            DRIVEN: (self.driven_floor, self.headroom),
            LIMITED: (self._limited_floor, self._limited_margin),
            BLOCKED: (self._blocked_floor, self._blocked_margin),
        }[way]
        end = self._first_exit(way, state, t, floor, margin)
        return t if end is None else end

    def first_over(self, stretch: Stretch, limit: float) -> float | None:
        """When within a stretch the current's magnitude first reaches `limit`; None if never."""
        way, state, duration = stretch
        if way not in (DRIVEN, LIMITED):
            return None
        if abs(self.current(way, state)) >= limit:
            return 0.0
        most = self.set_most if way == DRIVEN else self.limited_most
        return self._first_exit(
            way,
            state,
            duration,
            lambda state, t: (limit - most(state, t)) * self.ohm,
            lambda state: (limit - abs(self.current(way, state))) * self.ohm,
        )

    def _first_exit(
        self,
        way: int,
        state: State,
        t: float,
        floor: Callable[[State, float], float],
        margin: Callable[[State], float],
    ) -> float | None:
        """When `margin` first becomes negative within `t`, just after; None if it doesn't.

        Halves what a floor can't exclude, so no crossing is jumped over.
        """
        if floor(state, t) > -_TOLERANCE_V:
            return None
        half = t / 2
        if half < _RESOLUTION_S:
            return t if margin(self.advance(way, state, t)) < -_TOLERANCE_V else None
        first = self._first_exit(way, state, half, floor, margin)
        if first is not None:
            return first
        middle = self.advance(way, state, half)
        second = self._first_exit(way, middle, half, floor, margin)
        return None if second is None else half + second

    def way_at(self, state: State) -> int:
        """The way the loop takes from this state on, a leg conducting."""
        headroom = self.headroom(state)
        drain = state.sign * state.v_p * self.leak - state.w * state.rate
        if headroom > _TOLERANCE_V:
            return DRIVEN
        if headroom >= -_TOLERANCE_V:
            current = state.u + state.b
            slewing = (state.d - state.b) / self.tau
            loading = current * (1 / self.c_p if self.c_p else 0.0) + current * self.per_c_b
            if drain - loading - self.ohm * slewing >= 0:
                return DRIVEN
        spare = self.spare(state)
        if spare > _TOLERANCE_V:
            return LIMITED
        return LIMITED if spare >= -_TOLERANCE_V and drain > 0 else BLOCKED

    def play(self, state: State, duration: float) -> tuple[list[Stretch], State]:
        """All ways a conducting loop goes through in `duration`, and the state after it."""
        stretches: list[Stretch] = []
        if self.driven_floor(state, duration) >= 0:
            stretches.append(Stretch(DRIVEN, state, duration))
            return stretches, self.advance(DRIVEN, state, duration)
        way = self.way_at(state)
        left = duration
        while left > 0:
            held = self.hold(way, state, left)
            stretches.append(Stretch(way, state, held))
            state = self.advance(way, state, held)
            left -= held
            if way != LIMITED:
                way = LIMITED
            else:
                way = BLOCKED if self.spare(state) < -_TOLERANCE_V else DRIVEN
        return stretches, state
