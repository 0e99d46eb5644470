"""Comparator, latch, stop button and trip line of the bench."""

from math import exp

import pytest
from bench_chip import (
    CLEAR,
    CLOCK_HZ,
    DEAD,
    DELAY,
    GATE,
    LEGS,
    MS,
    PINS_ALONE,
    PLUS_1,
    STOP,
    TRIP,
    US,
    FakeChip,
    Player,
    phases,
    play,
    pulse,
    ready,
)

from rheobase.sim.bench import LOADS, Bench, Wiring

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
