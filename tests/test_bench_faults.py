"""Foot switch, electrodes, faults of the bench, and what its recorder keeps."""

from math import exp, isclose

import pytest
from bench_chip import (
    DEAD,
    FOOT,
    GATE,
    LEGS,
    MINUS_1,
    MS,
    PLUS_1,
    TRIP,
    US,
    FakeChip,
    phases,
    play,
    pulse,
    ready,
)

from rheobase.sim.bench import LOADS, Bench, Recorder

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
