"""Which way the current loop is in, for how long, and through which ways a phase goes."""

from __future__ import annotations

from collections.abc import Callable
from math import exp, expm1
from typing import NamedTuple

from rheobase.sim.bench.circuit import BLOCKED, DRIVEN, LIMITED, Circuit, State

_TOLERANCE_V = 1e-9  # of a margin; 2 pA into 500 ohm
_RESOLUTION_S = 1e-13  # of a change between two ways; the current is continuous there


class Stretch(NamedTuple):
    """A time in which the loop stays in one way."""

    way: int
    state: State
    duration: float


class Loop(Circuit):
    """The circuit with its changes from way to way: compliance reached and left.

    A margin is a voltage that stays positive while a way holds. A floor is a bound below the
    margin over the whole of the next `t`, by comparison: currents lie between zero and the
    largest possible, each pole between its value and where it is drawn to.
    """

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
