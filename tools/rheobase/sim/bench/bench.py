"""All that is wired to the chip's pins, put together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping
from random import Random

from rheobase.sim.bench.channel import MINUS, PLUS, Channel
from rheobase.sim.bench.comparators import Comparators
from rheobase.sim.bench.drivers import Drivers
from rheobase.sim.bench.heartbeat import Heartbeat
from rheobase.sim.bench.inputs import Chip, Inputs
from rheobase.sim.bench.latch import Latch
from rheobase.sim.bench.loads import LOADS, Load
from rheobase.sim.bench.recorder import Recorder
from rheobase.sim.bench.sense import SenseAmplifier
from rheobase.sim.bench.supply import Supply
from rheobase.sim.bench.wiring import Wiring, clocks_of


class _Electrodes(MutableMapping[int, Load]):
    """`bench.electrode[1] = LOADS["dry"]`, at any time; deleting one opens it."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    def __getitem__(self, channel: int) -> Load:
        return self._bench.channel(channel).load

    def __setitem__(self, channel: int, load: Load) -> None:
        attach = self._bench.channel(channel).attach
        self._bench.change(lambda: attach(load))
        self._bench.recorder.event(self._bench.now, "electrode", channel)

    def __delitem__(self, channel: int) -> None:
        self[channel] = LOADS["open"]

    def __iter__(self) -> Iterator[int]:
        return iter((1, 2))

    def __len__(self) -> int:
        return 2


class Bench:
    """Supply, bridges, sinks, electrodes, comparators, latch, switches. Channels are 1 and 2.

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
        self.wiring = wired = wiring or Wiring()
        self.recorder = recorder or Recorder()
        self.watched = wired.outputs | wired.inputs
        """The pins whose changes the bench wants to be told of."""
        self.sense = {
            number: SenseAmplifier(
                wired.sense_zero_v,
                wired.sense_v_per_a,
                wired.adc_full_v,
                noise_v=wired.sense_noise_v,
                random=Random(number),
            )
            for number in (1, 2)
        }
        """The sense amplifiers by channel, whose errors may be set at any time."""
        self.cross_leak = 0.0
        """Fault: this part of one channel's current also flows through the other's lead."""
        self.electrode = _Electrodes(self)
        self._first_electrodes = electrodes
        self._levels = 0
        self.analog_v = 0.0  # at the analogue trigger input
        self._edge = 0

    # The chip's side

    def connect(self, chip: Chip) -> None:
        """Once, before time passes."""
        wired, kernel, hz, recorder = self.wiring, chip.kernel, chip.clock_hz, self.recorder
        self._kernel = kernel
        self._hz = hz
        recorder.begin(wired, hz)
        self.supply = Supply(wired.supply_v, wired.supply_rise_s, wired.supply_fall_s, hz)
        self._channels = tuple(
            Channel(number, wired, hz, self.supply, recorder) for number in (1, 2)
        )
        for channel, load in zip(self._channels, self._first_electrodes, strict=True):
            channel.attach(load)
        delay = clocks_of(wired.comparator_delay_ns, hz)
        self.latch = Latch(kernel, delay, self._cause, self._latch_changed)
        self.comparators = Comparators(kernel, hz, wired.comparator_a, self.latch, recorder)
        self._drivers = Drivers(wired, self._channels, self.comparators, recorder)
        self._heartbeat = Heartbeat(
            kernel, round(wired.supply_hold_s * hz), self._switch_supply
        )
        self._inputs = Inputs(chip, wired, lambda: self.latch.closed)
        self._driver_pins = self._drivers.pins
        self._clear_pin = 1 << wired.latch_clear
        self._test_pin = 1 << wired.trip_test
        self._testing = False
        self._supply_stuck = False
        self._heartbeat_pin = 1 << wired.supply_enable
        self._amplitude = dict(zip(wired.amplitude, self._channels, strict=True))
        self._inputs.drive()

    def reset(self, clock: int) -> None:
        """The chip was reset: its PWM is gone. What its pins float to comes by `pins_changed`.

        The board itself keeps its state: supply, latch, capacitors.
        """
        self.recorder.event(clock, "reset")
        for pin in self.wiring.amplitude:
            self.pwm_changed(clock, pin, 0, 1)
        self._inputs.drive()

    def pins_changed(self, clock: int, levels: int, changed: int) -> None:
        """The pins have `levels` from `clock` on (bit masks); a watched one changed."""
        self._levels = levels
        self._edge = clock
        self.recorder.edge(clock, levels)
        if changed & self._driver_pins:
            self._drivers.tell(clock, levels, self._power)
        if changed & self._heartbeat_pin:
            self._heartbeat.beat(clock)
        if changed & self._test_pin:
            self._testing = bool(levels & self._test_pin)
            if self._testing:
                self.latch.trip(clock, "test")
        if changed & levels & self._clear_pin:
            self.latch.clear(clock)

    def pwm_changed(self, clock: int, pin: int, high: int, top_plus_1: int) -> None:
        """The PWM on `pin` is high for `high` of `top_plus_1` counts, from `clock` on."""
        channel = self._amplitude.get(pin)
        if channel is None:
            return
        if channel.sign:
            channel.settle(clock)
        channel.filter.set(clock, min(1.0, high / top_plus_1))
        if channel.sign:
            self.comparators.watch(channel, clock)

    def adc_volts(self, clock: int, pin: int) -> float:
        """Volts at an ADC pin; 0 where nothing is wired. Raises ValueError for a past clock."""
        wired = self.wiring
        if pin == wired.supply_sense:
            return min(wired.adc_full_v, self._monitor_volts(clock))
        if pin in wired.sense:
            number = wired.sense.index(pin) + 1
            amps = self.current_a(number, clock)
            if self.cross_leak:
                amps += self.cross_leak * self.current_a(3 - number, clock)
            return self.sense[number].volts(amps)
        return 0.0

    def _monitor_volts(self, clock: int) -> float:
        """What the multiplexer puts on the monitor input."""
        wired = self.wiring
        low, high = (self._levels >> pin & 1 for pin in wired.monitor_select)
        if not low and not high:
            return self.supply.volts(clock) / wired.supply_divider
        if low and high:
            return self.analog_v
        volts = max(channel.output_volts(clock) for channel in self._channels)
        return volts / (wired.output_low_divider if high else wired.output_divider)

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

    def try_stop(self, after_s: float = 0.0) -> None:
        """Press and release the stop button, as the firmware wants it once after power-up."""
        kernel = self._kernel
        pressed = kernel.now + round(after_s * self._hz)
        kernel.at(pressed, self.press_stop)
        kernel.at(pressed + round(0.05 * self._hz), self.release_stop)

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
        self.recorder.event(self.now, "foot_pressed")
        self._inputs.move_foot(True, bounces, bounce_us)

    def release_foot(self, bounces: int = 0, bounce_us: float = 1000.0) -> None:
        """Open the foot switch: the pin is not driven, the chip's pull decides."""
        self.recorder.event(self.now, "foot_released")
        self._inputs.move_foot(False, bounces, bounce_us)

    # What breaks

    def force_trip(self, clock: int) -> None:
        """A disturbance of no length trips the latch: the trip line is high from `clock` on."""
        self._kernel.at(clock, lambda: self.latch.trip_now("forced"))

    def cut_wire(self, pin: int) -> None:
        """The wire to one of the chip's inputs (trip, stop, foot) is open: its pull decides."""
        self._inputs.cut(pin)
        self._fault()

    def lose_pull_down(self, pin: int) -> None:
        """The external pull-down of one of the six output pins is missing."""
        self._inputs.unpulled.add(pin)
        self._inputs.drive()
        self._fault()

    def break_trip_test(self) -> None:
        """The line that makes the comparators trip for a test is open."""
        self._test_pin = 0
        self._fault()

    def stick_supply(self) -> None:
        """The supply's switch is shorted: once on, it stays on."""
        self._supply_stuck = True
        self._fault()

    def break_heartbeat(self) -> None:
        """The wire from the heartbeat pin to the one-shot is open."""
        self._heartbeat_pin = 0
        self._fault()

    def mend_wire(self, pin: int) -> None:
        self._inputs.mend(pin)

    def stick_leg(self, channel: int, polarity: int, conducting: bool) -> None:
        """A driver leg (+1 plus, -1 minus) conducts always, whatever GATE says, or never."""
        if polarity not in (PLUS, MINUS):
            raise ValueError(f"polarity {polarity}: +1 or -1")
        self.channel(channel)
        self._drivers.stuck[channel, polarity] = conducting
        self._fault(channel)
        self._drivers.tell(self.now, self._levels, self._power)

    def free_leg(self, channel: int, polarity: int) -> None:
        self._drivers.stuck.pop((channel, polarity), None)
        self._drivers.tell(self.now, self._levels, self._power)

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
        return self.comparators.threshold_a

    @comparator_a.setter
    def comparator_a(self, amps: float) -> None:
        self.comparators.threshold_a = amps
        self.change(lambda: None)

    def change(self, action: Callable[[], object]) -> None:
        """Do something to the parts at `kernel.now`, so that time before it keeps its physics."""
        self._change_at(self.now, action)

    # Inside

    def _change_at(self, clock: int, action: Callable[[], object]) -> None:
        self.settle(clock)
        action()
        for channel in self._channels:
            self.comparators.watch(channel, clock)

    @property
    def _power(self) -> bool:
        return not (self.wiring.latch_cuts_power and self.latch.closed)

    def _fault(self, channel: int = 0) -> None:
        self.recorder.event(self.now, "fault", channel)

    def _cause(self, clock: int) -> str | None:
        """What holds the latch set at this clock."""
        if self._inputs.stopped:
            return "stop"
        if self._testing:
            return "test"
        for channel in self._channels:
            if self.comparators.is_over(channel, clock):
                return f"overcurrent {channel.number}"
        return None

    def _latch_changed(self) -> None:
        now = self.now
        self.recorder.event(now, "trip" if self.latch.closed else "latch_cleared")
        if self.wiring.latch_cuts_power:
            # An edge made by PIO may have been told of ahead of the kernel's time.
            clock = max(now, self._edge)
            self._drivers.tell(clock, self._levels, self._power)
            self._switch_supply(clock)
        self._inputs.drive()

    def _stop(self, pressed: bool | None = None, unplugged: bool | None = None) -> None:
        inputs = self._inputs
        before = inputs.stopped
        if pressed is not None:
            inputs.pressed = pressed
        if unplugged is not None:
            inputs.unplugged = unplugged
        if inputs.stopped == before:
            return
        self.recorder.event(self.now, "stop_released" if before else "stop_pressed")
        if inputs.stopped:
            self.latch.trip(self.now, "stop")
        inputs.drive()

    def _switch_supply(self, clock: int) -> None:
        enabled = self._heartbeat.alive and self._power
        enabled = enabled or self._supply_stuck and self.supply.enabled
        if enabled != self.supply.enabled:
            self._change_at(clock, lambda: self.supply.switch(clock, enabled))
            self.recorder.event(clock, "supply_on" if enabled else "supply_off")
