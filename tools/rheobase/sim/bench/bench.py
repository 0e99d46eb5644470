"""All that is wired to the chip's pins, and how it answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping
from functools import partial
from typing import Protocol

from rheobase.sim.bench.channel import MINUS, PLUS, Channel
from rheobase.sim.bench.latch import Latch
from rheobase.sim.bench.loads import LOADS, Load
from rheobase.sim.bench.recorder import Recorder
from rheobase.sim.bench.sense import SenseAmplifier
from rheobase.sim.bench.supply import Supply
from rheobase.sim.bench.wiring import Wiring, clocks_of
from rheobase.sim.kernel import Event, Kernel

_LOOK_AHEAD_S = 0.1  # of the comparators; they look again after it
_NO_LEG = 0
_BOTH_LEGS = 2


class Chip(Protocol):
    """What the bench needs of the chip."""

    kernel: Kernel
    clock_hz: int

    def drive(self, pin: int, level: int | None) -> None:
        """An external driver on this input pin, from `kernel.now` on; None: not driven."""


class _Electrodes(MutableMapping[int, Load]):
    """`bench.electrode[1] = LOADS["dry"]`, at any time; channels are 1 and 2."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    def __getitem__(self, channel: int) -> Load:
        return self._bench.channel(channel).load

    def __setitem__(self, channel: int, load: Load) -> None:
        with_change = self._bench.channel(channel)
        self._bench.change(lambda: with_change.attach(load))
        self._bench.recorder.event(self._bench.now, "electrode", channel)

    def __delitem__(self, channel: int) -> None:
        self[channel] = LOADS["open"]

    def __iter__(self) -> Iterator[int]:
        return iter((1, 2))

    def __len__(self) -> int:
        return 2


class Bench:
    """Supply, bridges, sinks, electrodes, comparators, latch, switches.

    Everything is exact in clocks and analytic between them. What a person or a fault does is done
    at `kernel.now` (call from a kernel event, or while the kernel stands still).
    Events in the record: "supply_on", "supply_off", "trip", "overcurrent", "latch_cleared",
    "stop_pressed", "stop_released", "foot_pressed", "foot_released", "shoot_through",
    "leg_without_gate", "electrode", "fault", "reset".
    """

    def __init__(
        self,
        wiring: Wiring | None = None,
        recorder: Recorder | None = None,
        electrodes: tuple[Load, Load] = (LOADS["nominal"], LOADS["nominal"]),
    ) -> None:
        self.wiring = wiring or Wiring()
        self.recorder = recorder or Recorder()
        self.watched = self.wiring.outputs | self.wiring.inputs
        """The pins whose changes the bench wants to be told of."""
        self._first_electrodes = electrodes
        wired = self.wiring
        self.sense = {
            number: SenseAmplifier(wired.sense_zero_v, wired.sense_v_per_a, wired.adc_full_v)
            for number in (1, 2)
        }
        """The sense amplifiers by channel, whose errors may be set at any time."""
        self.electrode = _Electrodes(self)
        self._levels = 0
        self._stop_pressed = False
        self._stop_unplugged = False
        self._foot = False
        self._cut_wires: set[int] = set()
        self._stuck: dict[tuple[int, int], bool] = {}

    # The chip's side

    def connect(self, chip: Chip) -> None:
        """Once, before time passes."""
        wired, clock_hz = self.wiring, chip.clock_hz
        self._chip = chip
        self._kernel = chip.kernel
        self._clock_hz = clock_hz
        self.recorder.begin(wired, clock_hz)
        self.supply = Supply(
            wired.supply_v, wired.supply_rise_s, wired.supply_fall_s, clock_hz
        )
        self._channels = tuple(
            Channel(number, wired, clock_hz, self.supply, self.recorder) for number in (1, 2)
        )
        for channel, load in zip(self._channels, self._first_electrodes, strict=True):
            channel.attach(load)
        delay = clocks_of(wired.comparator_delay_ns, clock_hz)
        self.latch = Latch(chip.kernel, delay, self._cause, self._latch_changed)
        self._limit = wired.comparator_a
        self._crossings: list[Event | None] = [None, None]
        self._hold = round(wired.supply_hold_s * clock_hz)
        self._beats_until = 0
        self._beat_check: Event | None = None
        self._legs = tuple((1 << plus, 1 << minus) for plus, minus in wired.legs)
        self._gate = 1 << wired.gate
        self._output_stage = self._gate | sum(plus | minus for plus, minus in self._legs)
        self._clear = 1 << wired.latch_clear
        self._heartbeat = 1 << wired.supply_enable
        self._amplitude = {pin: self._channels[i] for i, pin in enumerate(wired.amplitude)}
        self._told = [_NO_LEG, _NO_LEG]
        self._drive_inputs()

    def reset(self, clock: int) -> None:
        """The chip was reset: its PWM is gone. What its pins float to comes by `pins_changed`.

        The board itself keeps its state: supply, latch, capacitors.
        """
        self.recorder.event(clock, "reset")
        for pin in self.wiring.amplitude:
            self.pwm_changed(clock, pin, 0, 1)
        self._drive_inputs()

    def pins_changed(self, clock: int, levels: int, changed: int) -> None:
        """The pins have `levels` from `clock` on (bit masks); a watched one changed."""
        self._levels = levels
        self.recorder.edge(clock, levels)
        if changed & self._output_stage:
            self._tell_drivers(clock)
        if changed & self._heartbeat:
            self._beat(clock)
        if changed & levels & self._clear:
            self.latch.clear(clock)

    def pwm_changed(self, clock: int, pin: int, high: int, top_plus_1: int) -> None:
        """The PWM on `pin` is high for `high` of `top_plus_1` counts, from `clock` on."""
        channel = self._amplitude.get(pin)
        if channel is not None:
            if channel.sign:
                channel.settle(clock)
            channel.filter.set(clock, min(1.0, high / top_plus_1))
            if channel.sign:
                self._watch_current(channel, clock)

    def adc_volts(self, clock: int, pin: int) -> float:
        """Volts at an ADC pin; 0 where nothing is wired. Raises ValueError for a past clock."""
        wired = self.wiring
        if pin == wired.supply_sense:
            return min(wired.adc_full_v, self.supply.volts(clock) / wired.supply_divider)
        if pin in wired.sense:
            number = wired.sense.index(pin) + 1
            return self.sense[number].volts(self.current_a(number, clock))
        return 0.0

    # Looking

    @property
    def now(self) -> int:
        return self._kernel.now

    def channel(self, number: int) -> Channel:
        """The physics of channel 1 or 2. Raises KeyError for another number."""
        if number not in (1, 2):
            raise KeyError(f"channel {number}: there are 1 and 2")
        return self._channels[number - 1]

    def current_a(self, channel: int, clock: int | None = None) -> float:
        """Signed current through a channel's electrodes, at a clock or now."""
        return self.channel(channel).current(self.now if clock is None else clock)

    @property
    def trip_line(self) -> int:
        """What the latch puts on the trip line."""
        return int(self.latch.closed)

    def settle(self, clock: int | None = None) -> None:
        """Bring record and charge up to `clock` (or now). A phase still on is not yet in it."""
        clock = self.now if clock is None else clock
        for channel in self._channels:
            channel.settle(clock)
        self.recorder.end_clock = max(self.recorder.end_clock, clock)

    # What a person does

    def press_stop(self) -> None:
        """Open the normally closed stop button: GP11 high, and the latch trips by itself."""
        self._stop(pressed=True)

    def release_stop(self) -> None:
        self._stop(pressed=False)

    def unplug_stop(self) -> None:
        """Pull the stop button's plug: the same as pressing it."""
        self._stop(unplugged=True)

    def plug_in_stop(self) -> None:
        self._stop(unplugged=False)

    def press_foot(self, bounces: int = 0, bounce_us: float = 1000.0) -> None:
        """Close the foot switch to ground. It opens again `bounces` times, `bounce_us` apart."""
        self._foot_to(True, bounces, bounce_us)

    def release_foot(self, bounces: int = 0, bounce_us: float = 1000.0) -> None:
        """Open the foot switch: the pin is not driven, the chip's pull decides."""
        self._foot_to(False, bounces, bounce_us)

    # What breaks

    def force_trip(self, clock: int) -> None:
        """A disturbance of no length trips the latch: the trip line is high from `clock` on."""
        self._kernel.at(clock, lambda: self.latch.trip_now("forced"))

    def cut_wire(self, pin: int) -> None:
        """The wire to one of the chip's inputs (trip, stop, foot) is open: its pull decides."""
        if not self.wiring.inputs >> pin & 1:
            raise ValueError(f"no input is wired to GP{pin}")
        self._cut_wires.add(pin)
        self._fault()
        self._drive_inputs()

    def mend_wire(self, pin: int) -> None:
        self._cut_wires.discard(pin)
        self._drive_inputs()

    def stick_leg(self, channel: int, polarity: int, conducting: bool) -> None:
        """A driver leg (+1 plus, -1 minus) conducts always, whatever GATE says, or never."""
        if polarity not in (PLUS, MINUS):
            raise ValueError(f"polarity {polarity}: +1 or -1")
        self.channel(channel)
        self._stuck[channel, polarity] = conducting
        self._fault(channel)
        self._tell_drivers(self.now)

    def free_leg(self, channel: int, polarity: int) -> None:
        self._stuck.pop((channel, polarity), None)
        self._tell_drivers(self.now)

    def set_imbalance(self, channel: int, plus: float = 1.0, minus: float = 1.0) -> None:
        """The sink gives these multiples of its set current through the two legs.

        With positive-first pulses `minus` is the factor of phase 2. Both at 1.5 is a sink that
        runs away by 50 %.
        """
        faulty = self.channel(channel)
        self.change(lambda: faulty.factors.update({PLUS: plus, MINUS: minus}))
        self._fault(channel)

    def set_supply(self, volts: float) -> None:
        """The supply regulates to another voltage (a fault, or another board)."""

        def regulate() -> None:
            self.supply.nominal_v = volts
            self.supply.switch(self.now, self.supply.enabled)

        self.change(regulate)
        self._fault()

    @property
    def comparator_a(self) -> float:
        """Current at which the comparators trip."""
        return self._limit

    @comparator_a.setter
    def comparator_a(self, amps: float) -> None:
        self._limit = amps
        self.change(lambda: None)

    def change(self, action: Callable[[], object]) -> None:
        """Do something to the parts at `kernel.now`, so that time before it keeps its physics."""
        now = self.now
        self.settle(now)
        action()
        for channel in self._channels:
            self._watch_current(channel, now)

    # Inside

    def _fault(self, channel: int = 0) -> None:
        self.recorder.event(self.now, "fault", channel)

    def _tell_drivers(self, clock: int) -> None:
        levels = self._levels
        gate = bool(levels & self._gate)
        if self.wiring.latch_cuts_power and self.latch.closed:
            gate = False
        for index, (plus, minus) in enumerate(self._legs):
            asked = levels & (plus | minus)
            channel = self._channels[index]
            if self._stuck:
                self._tell_broken(clock, channel, bool(asked & plus), bool(asked & minus), gate)
                continue
            if not asked:
                told, sign = _NO_LEG, 0
            elif asked == plus:
                told = sign = PLUS
            elif asked == minus:
                told = sign = MINUS
            else:
                told, sign = _BOTH_LEGS, 0  # the driver's interlock opens both
            if asked and told != self._told[index]:
                self._report(clock, channel.number, told, gate)
            self._told[index] = told
            if not gate:
                sign = 0
            if sign != channel.sign or gate == channel.resting:
                channel.drive(clock, sign, not gate)
                if sign:
                    self._watch_current(channel, clock)

    def _tell_broken(
        self, clock: int, channel: Channel, plus: bool, minus: bool, gate: bool
    ) -> None:
        """The same with a stuck leg somewhere."""
        index = channel.number - 1
        asked = {PLUS: plus and gate, MINUS: minus and gate}
        if plus and minus:
            asked = {PLUS: False, MINUS: False}
        stuck = {leg: self._stuck.get((channel.number, leg)) for leg in (PLUS, MINUS)}
        conducts = {leg: asked[leg] if stuck[leg] is None else stuck[leg] for leg in asked}
        both = (plus and minus) or (conducts[PLUS] and conducts[MINUS])
        told = _BOTH_LEGS if both else PLUS if plus else MINUS if minus else _NO_LEG
        if told != _NO_LEG and told != self._told[index]:
            self._report(clock, channel.number, told, gate)
        self._told[index] = told
        sign = 0
        if conducts[PLUS] != conducts[MINUS]:
            sign = PLUS if conducts[PLUS] else MINUS
        resting = not gate and not any(conducts.values())
        if sign != channel.sign or resting != channel.resting:
            channel.drive(clock, sign, resting, dead=not (sign and stuck[sign]))
            if sign:
                self._watch_current(channel, clock)

    def _report(self, clock: int, channel: int, told: int, gate: bool) -> None:
        if told == _BOTH_LEGS:
            self.recorder.event(clock, "shoot_through", channel)
        elif not gate:
            self.recorder.event(clock, "leg_without_gate", channel)

    def _watch_current(self, channel: Channel, clock: int) -> None:
        """Have the comparator act when the current will have reached its threshold."""
        index = channel.number - 1
        event = self._crossings[index]
        if event is not None:
            event.cancel()
            self._crossings[index] = None
        if not channel.sign or not channel.may_reach(self._limit, clock):
            return
        over = channel.first_over(self._limit, clock, _LOOK_AHEAD_S)
        look = clock + round(_LOOK_AHEAD_S * self._clock_hz) if over is None else over
        self._crossings[index] = self._kernel.at(look, lambda: self._look(channel, over))

    def _look(self, channel: Channel, over: int | None) -> None:
        self._crossings[channel.number - 1] = None
        if over is None:
            self.change(lambda: None)
        elif channel.sign:
            self.recorder.event(over, "overcurrent", channel.number)
            self.latch.trip(over, f"overcurrent {channel.number}")

    def _cause(self, clock: int) -> str | None:
        """What holds the latch set at this clock."""
        if self._stop_pressed or self._stop_unplugged:
            return "stop"
        for channel in self._channels:
            if channel.sign and abs(channel.current(clock)) >= self._limit:
                return f"overcurrent {channel.number}"
        return None

    def _latch_changed(self) -> None:
        now = self.now
        self.recorder.event(now, "trip" if self.latch.closed else "latch_cleared")
        self._drive_inputs()
        if self.wiring.latch_cuts_power:
            self._tell_drivers(now)
            self._switch_supply()

    def _drive_inputs(self) -> None:
        stop = self._stop_pressed or self._stop_unplugged
        wired = self.wiring
        for pin, level in (
            (wired.trip, int(self.latch.closed)),
            (wired.stop_button, int(stop)),
            (wired.foot_switch, 0 if self._foot else None),
        ):
            self._chip.drive(pin, None if pin in self._cut_wires else level)

    def _stop(self, pressed: bool | None = None, unplugged: bool | None = None) -> None:
        was = self._stop_pressed or self._stop_unplugged
        if pressed is not None:
            self._stop_pressed = pressed
        if unplugged is not None:
            self._stop_unplugged = unplugged
        stopped = self._stop_pressed or self._stop_unplugged
        if stopped == was:
            return
        self.recorder.event(self.now, "stop_pressed" if stopped else "stop_released")
        if stopped:
            self.latch.trip(self.now, "stop")
        self._drive_inputs()

    def _foot_to(self, pressed: bool, bounces: int, bounce_us: float) -> None:
        """The contact is at its new place at once, leaves it and comes back `bounces` times."""
        step = clocks_of(bounce_us * 1000, self._clock_hz)

        def contact(closed: bool) -> None:
            self._foot = closed
            self._drive_inputs()

        self.recorder.event(self.now, "foot_pressed" if pressed else "foot_released")
        contact(pressed)
        for number in range(1, 2 * bounces + 1):
            closed = pressed if number % 2 == 0 else not pressed
            self._kernel.at(self.now + number * step, partial(contact, closed))

    def _beat(self, clock: int) -> None:
        """An edge of the heartbeat, either way: the one-shot starts anew."""
        self._beats_until = clock + self._hold
        if self._beat_check is None:
            self._beat_check = self._kernel.at(self._beats_until, self._check_beat)
        self._switch_supply(clock)

    def _check_beat(self) -> None:
        if self._beats_until > self.now:
            self._beat_check = self._kernel.at(self._beats_until, self._check_beat)
        else:
            self._beat_check = None
            self._switch_supply()

    def _switch_supply(self, clock: int | None = None) -> None:
        clock = self.now if clock is None else clock
        enabled = self._beat_check is not None
        if self.wiring.latch_cuts_power and self.latch.closed:
            enabled = False
        if enabled == self.supply.enabled:
            return
        self.settle(clock)
        self.supply.switch(clock, enabled)
        self.recorder.event(clock, "supply_on" if enabled else "supply_off")
        for channel in self._channels:
            self._watch_current(channel, clock)
