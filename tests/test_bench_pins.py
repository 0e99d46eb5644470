"""Bridges, trip, stop, foot switch and faults: what the bench makes of pins, and sends back."""

from math import exp, isclose

import pytest
from bench_chip import CLOCK_HZ, MS, US, FakeChip, Player, pulse
from hypothesis import given, settings
from hypothesis import strategies as st
from test_bench_loop import integrate

from rheobase.sim.bench import LOADS, Bench, Load, Recorder, Wiring
from rheobase.sim.bench.circuit import State

GATE = 1 << 6
PLUS_1, MINUS_1, PLUS_2, MINUS_2 = (1 << pin for pin in (2, 3, 4, 5))
LEGS = PLUS_1 | MINUS_1 | PLUS_2 | MINUS_2
TRIP, STOP, FOOT, CLEAR = 10, 11, 12, 13
DEAD = 25  # 200 ns
DELAY = 13  # 100 ns, the next whole clock

PINS_ALONE = {"latch_cuts_power": False}


def ready(*levels, **values):
    bench = Bench(
        Wiring(**values.pop("wiring", {})), electrodes=values.pop("loads", (LOADS["nominal"],) * 2)
    )
    chip = FakeChip(bench)
    chip.ready(*levels)
    return chip, bench, chip.kernel.now


def play(chip, *steps, until=None):
    player = Player(chip, [step for group in steps for step in group])
    chip.kernel.advance_to(player.steps[0][0] + 10 * MS if until is None else until)
    chip.bench.settle()
    return player


def phases(bench, channel=None):
    return list(bench.recorder.phases(channel))


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


# The trip


def overcurrent(chip, bench, now, level=2000, plus=1.4, minus=1.0):
    bench.set_imbalance(1, plus=plus, minus=minus)
    return Player(chip, pulse(1, now + 1 * MS, 250 * US, 100 * US))


def halt_on_trip(chip, player, bench):
    """As the state machine's jmp pin: two clocks later its pins are low."""
    told = bench.pins_changed

    def pins_changed(clock, levels, changed):
        told(clock, levels, changed)
        if changed & levels & 1 << TRIP and player.halted_at is None:
            player.trip()

    bench.pins_changed = pins_changed


def test_comparator_trips_at_its_threshold():
    chip, bench, now = ready(2000, wiring=PINS_ALONE)
    player = overcurrent(chip, bench, now)  # 168 mA
    halt_on_trip(chip, player, bench)
    chip.kernel.advance_to(now + 10 * MS)
    start = now + 1 * MS
    over = bench.recorder.of_kind("overcurrent")
    assert [(event.clock, event.channel) for event in over] == [(start + DEAD, 1)]
    assert [event.clock for event in bench.recorder.of_kind("trip")] == [start + DEAD + DELAY]
    assert bench.latch.cause == "overcurrent 1"
    (phase,) = phases(bench)
    assert phase.end == start + DEAD + DELAY + 2
    assert chip.input(TRIP) == 1


def test_comparator_lets_less_pass():
    chip, bench, now = ready(2000)
    overcurrent(chip, bench, now, plus=1.29)
    chip.kernel.advance_to(now + 10 * MS)
    assert bench.recorder.of_kind("trip") == []
    assert chip.input(TRIP) == 0
    assert len(phases(bench)) == 2


def test_comparator_sees_a_slewing_current():
    """The sink runs up during a phase: the crossing is where the two-pole step response is."""
    chip, bench, now = ready(0, loads=(LOADS["500"],) * 2, wiring={"blocking_f": None})
    bench.set_imbalance(1, plus=1.4)
    start = now + 1 * MS
    chip.kernel.at(start + 50 * US, lambda: chip.level(1, 2000))
    play(chip, [(start - 1000, 16), (start, 17), (start + 1000 * US, 0)])
    (over,) = bench.recorder.of_kind("overcurrent")

    def sink(clock):
        z = (clock - start - 50 * US) / CLOCK_HZ / 100e-6
        return 2000 * 60e-6 * 1.4 * (1 - (1 + z) * exp(-z))

    assert sink(over.clock - 1) < 0.156 <= sink(over.clock)
    assert bench.recorder.of_kind("trip")[0].clock == over.clock + DELAY


def test_comparator_sees_what_the_electrodes_take_not_what_was_asked():
    chip, bench, now = ready(2000, loads=(LOADS["2k"],) * 2)  # 200 V give 100 mA at most
    overcurrent(chip, bench, now, plus=1.5)
    chip.kernel.at(now + 1 * MS + 100 * US, lambda: bench.electrode.__setitem__(1, LOADS["500"]))
    chip.kernel.advance_to(now + 10 * MS)
    (over,) = bench.recorder.of_kind("overcurrent")
    assert over.clock == now + 1 * MS + 100 * US


def test_comparator_waits_for_the_supply():
    wiring = Wiring(blocking_f=None)
    chip = FakeChip(Bench(wiring, electrodes=(LOADS["short"], LOADS["500"])))
    bench = chip.bench
    bench.set_imbalance(1, plus=1.4)
    chip.level(1, 2000)
    chip.kernel.advance_to(10 * MS)
    now = chip.kernel.now
    chip.set(now, GATE | PLUS_1, GATE | PLUS_1)
    chip.beat_until(now + 500 * MS)
    chip.kernel.advance_to(now + 300 * MS)
    (over,) = bench.recorder.of_kind("overcurrent")

    def possible(clock):  # 10 + 10 ohm behind a supply that rises in 20 ms
        return 200 / 20 * (1 - exp(-(clock - now) / CLOCK_HZ / 20e-3))

    assert possible(over.clock - 1) < 0.156 <= possible(over.clock)


def test_threshold_is_settable():
    chip, bench, now = ready(1000)
    bench.comparator_a = 0.05
    player = Player(chip, pulse(1, now + 1 * MS, 250 * US, 100 * US))
    halt_on_trip(chip, player, bench)
    chip.kernel.advance_to(now + 10 * MS)
    assert len(bench.recorder.of_kind("trip")) == 1


def clear(chip, clock):
    chip.kernel.at(clock, lambda: chip.set(chip.kernel.now, 1 << CLEAR, 1 << CLEAR))
    chip.kernel.at(clock + 100, lambda: chip.set(chip.kernel.now, 1 << CLEAR, 0))
    chip.kernel.advance_to(clock + 1000)


def test_latch_stays_until_it_is_cleared():
    chip, bench, now = ready(500)
    bench.force_trip(now + 123)
    chip.kernel.advance_to(now + 122)
    assert chip.input(TRIP) == 0
    chip.kernel.advance_to(now + 123)
    assert chip.input(TRIP) == 1
    bench.reset(now + 123)
    chip.kernel.advance_to(now + 1000 * MS)
    assert chip.input(TRIP) == 1
    clear(chip, now + 1001 * MS)
    assert chip.input(TRIP) == 0
    (event,) = bench.recorder.of_kind("latch_cleared")
    assert event.clock == now + 1001 * MS + DELAY


def test_a_clear_line_stuck_high_clears_nothing():
    chip, bench, now = ready(500)
    chip.set(now, 1 << CLEAR, 1 << CLEAR)
    bench.force_trip(now + 1000)
    chip.kernel.advance_to(now + 100 * MS)
    assert chip.input(TRIP) == 1


def test_overcurrent_that_stands_can_not_be_cleared():
    wiring = {"blocking_f": None, **PINS_ALONE}
    chip, bench, now = ready(2000, loads=(LOADS["500"],) * 2, wiring=wiring)
    bench.set_imbalance(1, plus=1.4)
    chip.set(now, GATE | PLUS_1, GATE | PLUS_1)
    chip.kernel.advance_to(now + 1 * MS)
    assert chip.input(TRIP) == 1
    clear(chip, now + 2 * MS)
    assert chip.input(TRIP) == 1
    chip.set(chip.kernel.now, GATE | LEGS, 0)
    clear(chip, now + 3 * MS)
    assert chip.input(TRIP) == 0


def test_stop_button_trips_by_itself_and_holds():
    chip, bench, now = ready(500)
    assert chip.input(STOP) == 0
    bench.press_stop()
    assert chip.input(STOP) == 1
    assert chip.input(TRIP) == 0
    chip.kernel.advance_to(now + DELAY)
    assert chip.input(TRIP) == 1
    clear(chip, now + 1 * MS)
    assert chip.input(TRIP) == 1  # still pressed
    bench.release_stop()
    assert chip.input(STOP) == 0
    assert chip.input(TRIP) == 1  # latched
    clear(chip, now + 2 * MS)
    assert chip.input(TRIP) == 0


def test_unplugged_stop_button_is_a_pressed_one():
    chip, bench, now = ready(500)
    bench.unplug_stop()
    bench.press_stop()
    bench.release_stop()
    chip.kernel.advance_to(now + 1 * MS)
    assert (chip.input(STOP), chip.input(TRIP)) == (1, 1)
    assert len(bench.recorder.of_kind("stop_pressed")) == 1
    bench.plug_in_stop()
    clear(chip, now + 2 * MS)
    assert (chip.input(STOP), chip.input(TRIP)) == (0, 0)


def test_set_beats_clear():
    chip, bench, now = ready(500)
    bench.force_trip(now)
    chip.kernel.advance_to(now + 1 * MS)
    chip.kernel.at(now + 2 * MS, lambda: chip.set(chip.kernel.now, 1 << CLEAR, 1 << CLEAR))
    bench.force_trip(now + 2 * MS + 5)  # between the clear pulse and its effect
    chip.kernel.advance_to(now + 3 * MS)
    assert chip.input(TRIP) == 1


@pytest.mark.parametrize("press, release", [(-50, 5), (5, 2000)])
def test_a_cause_around_the_clear_pulse_keeps_the_latch(press, release):
    """Standing at the pulse's edge, or come before its effect: the trip line does not even dip."""
    chip, bench, now = ready(500)
    bench.force_trip(now)
    pulse_at = now + 1 * MS
    chip.kernel.at(pulse_at + press, bench.press_stop)
    chip.kernel.at(pulse_at + release, bench.release_stop)
    clear(chip, pulse_at)
    assert chip.input(TRIP) == 1
    assert bench.recorder.of_kind("latch_cleared") == []


def test_an_open_trip_wire_is_a_trip_for_the_chip():
    chip, bench, now = ready(500)
    bench.cut_wire(TRIP)
    assert chip.driven[TRIP] is None
    assert chip.input(TRIP) == 1  # its pull-up
    assert bench.trip_line == 0
    bench.mend_wire(TRIP)
    assert chip.input(TRIP) == 0
    with pytest.raises(ValueError, match="GP2"):
        bench.cut_wire(2)


def test_latch_can_cut_the_power_in_hardware():
    chip, bench, now = ready(500, wiring={"latch_cuts_power": True})
    start = now + 1 * MS
    bench.force_trip(start + 100 * US)
    play(chip, pulse(1, start, 250 * US, 100 * US), until=start + 10 * MS)
    (phase,) = phases(bench)  # nobody took the pins down
    assert phase.end == start + 100 * US
    assert not bench.supply.enabled
    assert bench.supply.volts(chip.kernel.now) < 200


def test_without_that_option_pins_alone_decide():
    chip, bench, now = ready(500, wiring=PINS_ALONE)
    start = now + 1 * MS
    bench.force_trip(start + 100 * US)
    play(chip, pulse(1, start, 250 * US, 100 * US), until=start + 10 * MS)
    assert [phase.width for phase in phases(bench)] == [250 * US, 250 * US]
    assert bench.supply.enabled


# Foot switch


def test_foot_switch_bounces():
    chip, bench, now = ready()
    assert chip.driven[FOOT] is None
    seen = []
    drive = chip.drive

    def note(pin, level):
        drive(pin, level)
        if pin == FOOT and (not seen or seen[-1][1] != chip.input(FOOT)):
            seen.append((chip.kernel.now - now, chip.input(FOOT)))

    chip.drive = note
    bench.press_foot(bounces=2, bounce_us=500)
    chip.kernel.advance_to(now + 100 * MS)
    step = 500 * US
    assert seen == [(0, 0), (step, 1), (2 * step, 0), (3 * step, 1), (4 * step, 0)]
    bench.release_foot()
    assert chip.input(FOOT) == 1
    assert [event.kind for event in bench.recorder.events[-2:]] == [
        "foot_pressed",
        "foot_released",
    ]


# Electrodes and faults while running


def test_electrodes_change_while_running():
    chip, bench, now = ready(500)
    start = now + 1 * MS

    def dry():
        bench.electrode[1] = LOADS["10k"]

    chip.kernel.at(start + 100 * US, dry)
    play(chip, pulse(1, start, 250 * US, 100 * US), until=start + 300 * US)
    (phase,) = phases(bench)
    before = 0.03 * 99.8e-6
    limited = (200 - before / 10e-6) / 10_010 * (10e-6 * 10_010) * (1 - exp(-150e-6 / 0.1001))
    assert isclose(phase.charge_c, before + limited, rel_tol=1e-9)
    assert bench.electrode[1] == LOADS["10k"]
    assert dict(bench.electrode)[2] == LOADS["nominal"]
    with pytest.raises(KeyError, match="channel 3"):
        bench.electrode[3] = LOADS["dry"]
    del bench.electrode[2]
    assert bench.electrode[2] == LOADS["open"]


def test_a_drying_pad_keeps_its_voltage_and_a_lifted_one_loses_it():
    chip, bench, now = ready(500)
    chip.set(now, GATE | PLUS_1, GATE | PLUS_1)
    chip.kernel.advance_to(now + 200 * US)
    bench.settle()
    loop = bench.channel(1)
    volts = loop.v_p
    assert volts > 5
    on_block = loop.v_b
    bench.electrode[1] = LOADS["dry"]
    assert (loop.v_p, loop.v_b) == (volts, on_block)
    bench.electrode[1] = LOADS["open"]
    assert (loop.v_p, loop.v_b) == (0.0, on_block)
    bench.electrode[1] = LOADS["nominal"]
    assert loop.v_p == 0.0


def test_imbalance_shows_as_net_charge():
    chip, bench, now = ready(500)
    bench.set_imbalance(1, minus=1.01)
    play(chip, pulse(1, now + 1 * MS, 250 * US, 100 * US))
    one, two = phases(bench)
    assert isclose(-two.charge_c / one.charge_c, 1.01, rel_tol=1e-12)


def test_a_leg_that_never_conducts():
    chip, bench, now = ready(500)
    bench.stick_leg(1, -1, False)
    play(chip, pulse(1, now + 1 * MS, 250 * US, 100 * US))
    (phase,) = phases(bench)
    assert phase.polarity == 1
    bench.free_leg(1, -1)
    play(chip, pulse(1, chip.kernel.now + 1 * MS, 250 * US, 100 * US))
    assert len(phases(bench)) == 3
    with pytest.raises(ValueError, match="polarity"):
        bench.stick_leg(1, 2, True)


def test_a_stuck_leg_shoots_through_when_its_opposite_is_told():
    chip, bench, now = ready(500)
    bench.stick_leg(1, 1, True)
    start = now + 1 * MS
    play(chip, pulse(1, start, 250 * US, 100 * US))
    (event,) = bench.recorder.of_kind("shoot_through")
    assert event.clock == start + 350 * US
    first, *_ = phases(bench)
    assert (first.start, first.end) == (now, start + 350 * US)


def test_sense_errors():
    chip, bench, now = ready(1000)
    chip.set(now, GATE | MINUS_1, GATE | MINUS_1)
    at = now + 100 * US
    assert isclose(bench.adc_volts(at, 26), 1.65 - 0.6)
    bench.sense[1].offset_v = 0.02
    bench.sense[1].gain_error = -0.1
    assert isclose(bench.adc_volts(at, 26), 1.67 - 0.54)
    bench.sense[1].gain_error = 9.0
    assert bench.adc_volts(at, 26) == 0.0  # cut at the rail
    bench.sense[1].stuck_v = 1.65
    assert bench.adc_volts(at, 26) == 1.65
    bench.comparator_a = 0.05  # has its own resistor: a dead amplifier does not blind it
    chip.kernel.advance_to(now + 1 * MS)
    assert chip.input(TRIP) == 1


def test_adc_reads_within_dead_time_and_after():
    chip, bench, now = ready(1000)
    chip.set(now, GATE, GATE)
    chip.set(now + 1000, PLUS_1, PLUS_1)
    assert bench.adc_volts(now + 1000 + DEAD - 1, 26) == 1.65
    assert isclose(bench.adc_volts(now + 1000 + DEAD, 26), 2.25)
    chip.set(now + 20_000, LEGS, 0)
    assert bench.adc_volts(now + 20_001, 26) == 1.65  # GATE high, no leg: nothing flows
    assert isclose(bench.adc_volts(now + 19_999, 26), 2.25)  # just before the last edge
    with pytest.raises(ValueError, match="before"):
        bench.adc_volts(now - 1, 26)


def test_reset_leaves_the_board_as_it_is():
    chip, bench, now = ready(1000)
    chip.set(now, GATE | PLUS_1, GATE | PLUS_1)
    at = now + 100 * US
    chip.set(at, GATE | LEGS, 0)  # the pins float to their pull-downs
    bench.reset(at)
    (phase,) = phases(bench)
    assert phase.end == at
    assert bench.channel(1).filter.target == 0.0
    assert bench.current_a(1, at + 1000) <= 0.0
    chip.kernel.advance_to(at + 200 * MS)
    assert bench.supply.enabled  # the test's heart still beats: its pins know of no reset


def test_supply_collapse_ends_the_current():
    chip, bench, now = ready(500, loads=(LOADS["500"],) * 2, wiring={"blocking_f": None})
    bench.set_supply(0.0)
    start = now + 1 * MS
    play(chip, [(start - 1000, 16), (start, 17), (start + 400 * MS, 0)], until=start + 401 * MS)
    (phase,) = phases(bench)
    reached = 20e-3 * 2.5720122372846 - 1e-3  # 200 V fall to 0.03 A x 510 ohm
    charge = 0.03 * (reached - 200e-9) + 0.03 * 20e-3 * (1 - exp(-(0.4 - reached) / 20e-3))
    assert isclose(phase.charge_c, charge, rel_tol=1e-3)


# The record


def test_recorder_keeps_what_it_is_told():
    seen, edges = [], []
    recorder = Recorder(keep=(), on_phase=seen.append, on_edge=lambda *edge: edges.append(edge))
    chip = FakeChip(Bench(recorder=recorder))
    now = chip.ready(500)
    start = now + 1 * MS
    play(chip, pulse(1, start, 250 * US, 100 * US))
    assert [phase.start for phase in seen] == [start, start + 350 * US]
    assert recorder.phase_counts == [2, 0]
    assert len(edges) == recorder.edge_count > 5
    assert len(recorder.edge_clocks) == 0
    for what in (recorder.phases, lambda: recorder.stretches(1, 0, 1)):
        with pytest.raises(LookupError, match="does not keep"):
            list(what())
    with pytest.raises(LookupError, match="edges"):
        recorder.levels_at(now)
    with pytest.raises(ValueError, match="plots"):
        Recorder(keep=("edges", "plots"))


def test_recorder_has_every_edge():
    chip, bench, now = ready(500)
    start = now + 1 * MS
    steps = pulse(2, start, 250 * US, 100 * US)
    play(chip, steps)
    recorder = bench.recorder
    six = [
        (clock, level >> 2 & 63)
        for clock, level in zip(recorder.edge_clocks, recorder.edge_levels, strict=True)
        if clock >= start - 20 * US and level >> 2 & 63 or clock == steps[-1][0]
    ]
    assert six == steps
    assert recorder.levels_at(start + 1) >> 2 & 63 == 16 | 4 | 32
    assert recorder.levels_at(start - 1) >> 2 & 63 == 16


def test_events_of_any_kind_are_counted_beyond_the_list():
    recorder = Recorder()
    for clock in range(100_010):
        recorder.event(clock, "shoot_through", 1)
    assert len(recorder.events) == 100_000
    assert recorder.event_counts["shoot_through"] == 100_010


def test_time_does_not_go_back():
    chip, bench, now = ready(500)
    chip.set(now + 1000, GATE | PLUS_1, GATE | PLUS_1)
    chip.set(now + 2000, GATE | PLUS_1, 0)
    with pytest.raises(ValueError, match="before"):
        chip.set(now + 1500, GATE | PLUS_1, GATE | PLUS_1)
