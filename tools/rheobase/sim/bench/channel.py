"""One channel: bridge driver, sink, and the electrodes' state from event to event."""

from __future__ import annotations

from math import expm1

from rheobase.sim.bench.amplitude import AmplitudeFilter
from rheobase.sim.bench.circuit import BLOCKED, DRIVEN, RESTING, State
from rheobase.sim.bench.loads import LOADS, Load
from rheobase.sim.bench.loop import Loop
from rheobase.sim.bench.recorder import Recorder
from rheobase.sim.bench.supply import Supply
from rheobase.sim.bench.wiring import Wiring, clocks_of

PLUS, MINUS = 1, -1


class Channel:
    """Lazy: time between two changes is gone through when the second one comes.

    A change at a clock: first `settle(clock)`, then change, so that the time before it is solved
    with what was true then. `drive` does so by itself.
    """

    def __init__(
        self, number: int, wiring: Wiring, clock_hz: int, supply: Supply, recorder: Recorder
    ) -> None:
        self.number = number
        self.clock = 0
        """The state below is that of this clock."""
        self.v_p = 0.0
        self.v_b = 0.0
        self.sign = 0
        """The leg that conducts (or will, after the dead time); 0: none."""
        self.resting = True
        """The discharge resistor is switched in."""
        self.factors = {PLUS: 1.0, MINUS: 1.0}
        """A fault: the sink's current through each leg, as a multiple of what it should be."""
        self.filter = AmplitudeFilter(wiring.filter_tau_s, clock_hz)
        self._wiring = wiring
        self._supply = supply
        self._recorder = recorder
        self._record_waveform = recorder.keeps_waveform
        self._period = 1.0 / clock_hz
        self._hz = float(clock_hz)
        self._dead = clocks_of(wiring.driver_dead_ns, clock_hz)
        self._full_scale = wiring.full_scale_a
        self._loops: dict[Load, Loop] = {}
        self._load = LOADS["nominal"]
        self._loop = self._loop_of(self._load)
        self._past = (0, 0, True, 0, 0.0, 0.0)  # before the last change: see `current`
        self._start = 0
        self._on = 0
        self._commanded = 0.0
        self._charge = 0.0
        self._passive_before = 0.0

    def _loop_of(self, load: Load) -> Loop:
        loop = self._loops.get(load)
        if loop is None:
            loop = self._loops[load] = Loop(load, self._wiring)
        return loop

    @property
    def load(self) -> Load:
        return self._load

    def attach(self, load: Load) -> None:
        """Another electrode pair, from the settled clock on.

        The blocking capacitor is the board's and keeps its charge. C_p keeps its voltage from one
        pair with a capacitor to another (a pad that dries or lifts is still the same skin, less
        of it); it starts at zero after a plain resistor, an open or a short.
        """
        if load.resistive:
            self.v_p = 0.0
        self._load = load
        self._loop = self._loop_of(load)

    # The bridge

    def drive(self, clock: int, sign: int, resting: bool, dead: bool = True) -> None:
        """What the driver is told from `clock` on: a leg (or 0), the discharge switched in."""
        if sign == self.sign and resting == self.resting:
            return
        self._past = (self.clock, self.sign, self.resting, self._on, self.v_p, self.v_b)
        if sign == self.sign:
            self.settle(clock)
            self.resting = resting
            return
        if self.sign or self.resting:
            self.settle(clock)
        if self.sign:
            self._end_phase(clock)
        self.sign = sign
        self.resting = resting
        if sign:
            self._start = clock
            self._on = clock + self._dead if dead else clock
            self._commanded = self.filter.target * self._full_scale
            if not dead:
                self.settle(clock)

    def _end_phase(self, clock: int) -> None:
        on = self._on if self._on < clock else clock
        self._recorder.phase(
            self.number,
            self.sign,
            (self._start, on, clock),
            (self._commanded, self._charge, self._passive_before),
        )
        self._charge = 0.0
        self._passive_before = 0.0

    # Time

    def settle(self, clock: int) -> None:
        """Go through the time up to `clock`. Raises ValueError if that lies in the past."""
        begun = self.clock
        if clock <= begun:
            if clock < begun:
                raise ValueError(f"channel {self.number}: clock {clock} is before {begun}")
            return
        if self.sign:
            on = self._on
            if begun < on:
                self._float(on if on < clock else clock)
            if clock > on:
                self._conduct(clock)
        elif self.resting:
            self._rest(clock)
        else:
            self._float(clock)

    def _float(self, clock: int) -> None:
        """No leg and no discharge: only C_p leaks away."""
        if self.v_p:
            elapsed = (clock - self.clock) * self._period
            self.v_p += self.v_p * expm1(-self._loop.leak * elapsed)
        self.clock = clock

    def _rest(self, clock: int) -> None:
        v_p, v_b = self.v_p, self.v_b
        if v_p or v_b:
            elapsed = (clock - self.clock) * self._period
            if self._record_waveform:
                state = State(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, v_p, v_b)
                self._recorder.stretch(
                    self.number, self._loop, self.clock, clock, RESTING, state
                )
            self.v_p, self.v_b, charge = self._loop.rest(v_p, v_b, elapsed)
            self._passive_before += charge
            self._recorder.passive_c[self.number - 1] += charge
        self.clock = clock

    def _state(self, clock: int) -> State:
        """The loop at the settled clock, `clock`, with its leg conducting."""
        scale = self._full_scale * self.factors[self.sign]
        u, b, d = self.filter.piece(clock)
        v, w, rate = self._supply.piece(clock)
        return State(
            self.sign, u * scale, b * scale, d * scale, v, w, rate, self.v_p, self.v_b
        )

    def _conduct(self, clock: int) -> None:
        begun = self.clock
        elapsed = (clock - begun) * self._period
        state = self._state(begun)
        sign, u, b, d, v, w, _, v_p, v_b = state
        loop = self._loop
        self.clock = clock
        if not (b or d or w):
            # Everything stands still: closed form, if the supply suffices to the end.
            held = sign * v_p
            gain = (held - u * loop.r_p) * expm1(-loop.leak * elapsed)
            most = held + gain if gain > 0.0 else held
            charge = u * elapsed
            on_block = sign * v_b + charge * loop.per_c_b
            if v - loop.ohm * u - most - on_block >= 0.0:
                self._charge += sign * charge
                self.v_p = sign * (held + gain)
                if loop.per_c_b:
                    self.v_b = sign * on_block
                if self._record_waveform:
                    self._recorder.stretch(self.number, loop, begun, clock, DRIVEN, state)
                return
        stretches, after = loop.play(state, elapsed)
        self.v_p, self.v_b = after.v_p, after.v_b
        at = float(begun)
        for way, state, duration in stretches:
            self._charge += loop.charge(way, state, duration)
            then = min(at + duration * self._hz, clock)
            if self._record_waveform and way != BLOCKED:
                self._recorder.stretch(self.number, loop, at, then, way, state)
            at = then

    # Looking, without a trace

    def current(self, clock: int) -> float:
        """Signed current through the electrodes at `clock`, amperes, as things stand.

        Also shortly before the last change of the bridge: the state machine that makes the edges
        may be ahead, by one edge, of the one whose ADC conversions look at them.
        Raises ValueError for a clock before that.
        """
        return self._look(clock)[0]

    def output_volts(self, clock: int) -> float:
        """Voltage across the output while a leg conducts (its sign taken off); else 0."""
        amps, v_p, v_b, sign = self._look(clock)
        return max(0.0, sign * (amps * self._load.r_s + v_p + v_b)) if sign else 0.0

    def _look(self, clock: int) -> tuple[float, float, float, int]:
        """(current, v_p, v_b, the leg that conducts) at `clock`."""
        if clock >= self.clock:
            return self._look_ahead(clock)
        if clock < self._past[0]:
            raise ValueError(f"channel {self.number}: clock {clock} is before {self.clock}")
        now = (self.clock, self.sign, self.resting, self._on, self.v_p, self.v_b)
        try:
            self.clock, self.sign, self.resting, self._on, self.v_p, self.v_b = self._past
            return self._look_ahead(clock)
        finally:
            self.clock, self.sign, self.resting, self._on, self.v_p, self.v_b = now

    def _look_ahead(self, clock: int) -> tuple[float, float, float, int]:
        elapsed = (clock - self.clock) * self._period
        loop = self._loop
        if self.sign:
            if clock < self._on:
                return 0.0, self.v_p, self.v_b, 0
            v_p = self.v_p
            if self.clock < self._on:
                before = (self._on - self.clock) * self._period
                v_p += v_p * expm1(-loop.leak * before)
                elapsed -= before
            state = self._state(max(self.clock, self._on))._replace(v_p=v_p)
            if elapsed <= 0.0:
                return loop.current(loop.way_at(state), state), v_p, self.v_b, self.sign
            stretches, after = loop.play(state, elapsed)
            return loop.current(stretches[-1].way, after), after.v_p, after.v_b, self.sign
        if self.resting:
            v_p, v_b, _ = loop.rest(self.v_p, self.v_b, elapsed)
            state = State(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, v_p, v_b)
            return loop.current(RESTING, state), v_p, v_b, 0
        return 0.0, self.v_p, self.v_b, 0

    def may_reach(self, limit: float, clock: int) -> bool:
        """False if the sink's set current stays below `limit` amperes whatever else happens."""
        u, b, d = self.filter.piece(clock)
        most = u + max(b, d, 0.0)
        return most * self._full_scale * self.factors[self.sign] >= limit

    def first_over(self, limit: float, clock: int, horizon_s: float) -> int | None:
        """First clock from the settled `clock` on with a current of at least `limit` amperes.

        A leg must be on. Looks `horizon_s` ahead, as things stand; None if there is none.
        """
        from_clock = max(clock, self._on)
        state = self._state(from_clock)
        if from_clock > self.clock:
            before = (from_clock - self.clock) * self._period
            state = state._replace(v_p=state.v_p + state.v_p * expm1(-self._loop.leak * before))
        at = float(from_clock)
        for stretch in self._loop.play(state, horizon_s)[0]:
            over = self._loop.first_over(stretch, limit)
            if over is not None:
                return -int(-(at + over * self._hz) // 1)
            at += stretch.duration * self._hz
        return None
