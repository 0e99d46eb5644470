"""A train that waits behind GATE: what is up, for how long, and what takes it down."""

import pytest
from rig import GATE, LEGS, OUTPUTS
from test_trigger_start import BUTTON, OPEN, TRAIN, starts, waiting

CLOCK = 125_000_000
MS = CLOCK // 1000
LEAD = 20 * CLOCK // 1_000_000
LEASE_MS = 70
BLINK = 60  # clocks: from the trigger, at a GATE that still is up, to the tape's first word


def since(rig, clock):
    """(clock, levels of the outputs) of the output pins' edges after a clock."""
    record = rig.recorder
    before = record.levels_at(clock) & OUTPUTS
    found = []
    for at, levels in zip(record.edge_clocks, record.edge_levels, strict=True):
        if at > clock and levels & OUTPUTS != before:
            before = levels & OUTPUTS
            found.append((at, before))
    return found


def test_gate_waits_up_and_nothing_else_for_as_long_as_the_session_waits():
    rig = waiting(TRAIN, BUTTON)
    begun = rig.board.now
    rig.wait(4)
    assert rig.outputs() == GATE
    assert since(rig, begun) == []
    assert rig.ask("SYST:ERR?") == '0,"No error"'
    rig.wait(1)  # TRIGger:WAIT is over
    assert rig.state == "PAUSED"
    assert rig.outputs() == 0


@pytest.mark.parametrize("source", ["HOST", "CRAN", "ANAL"])
def test_what_the_loop_starts_waits_with_all_pins_low(source):
    lines = [TRAIN, f"SESS:DUR 60;TRIG:SOUR {source};TIM 0.2;:SOUR1:CRAN:STAR 20;STOP 130"]
    rig = waiting(*lines, "SESS:TRIG:SLOP AUTO", keep=("edges",), ready=("WAITING", "RESTING"))
    assert rig.outputs() == 0


def test_between_trains_gate_is_down():
    rig = waiting(TRAIN, OPEN)
    at = rig.board.now
    rig.bench.release_foot()
    rig.wait(0.1)
    rig.bench.press_foot()
    rig.wait(0.2)
    assert rig.state == "WAITING"
    edges = since(rig, at)
    last_leg = max(clock for clock, levels in edges if levels & LEGS)
    low = [clock for clock, levels in edges if clock > last_leg and not levels]
    up = [clock for clock, levels in edges if clock > last_leg and levels & GATE]
    assert up[-1] - low[-1] >= MS  # of an opening's millisecond at least


def hangs(rig):
    """The processor stands still from now on; (clock of now, the output pins' edges since)."""
    at = rig.board.now
    rig.board.hold_cpu()
    rig.wait(0.2)
    return at, since(rig, at)


@pytest.mark.parametrize("after_ms", [0, 1, 13, 40, 69])
def test_a_hung_processor_lets_gate_fall_within_the_lease(after_ms):
    rig = waiting(TRAIN, OPEN)
    rig.wait(after_ms * 1e-3)
    at, edges = hangs(rig)
    assert [levels for _, levels in edges] == [0]
    assert edges[0][0] - at <= LEASE_MS * MS
    rig.bench.release_foot()  # and then no trigger starts anything
    rig.wait(0.2)
    assert since(rig, at) == edges


def test_no_leg_rises_without_gates_lead_however_late_in_the_lease_its_trigger_comes():
    """Only a trigger within the last clocks lets GATE blink, for less than those."""
    at, edges = hangs(waiting(TRAIN, OPEN))
    over = edges[0][0] - at
    for early in (3000, 400, 150, 60, 30, 12, 8, 5, 3, 2, 1, 0, -5, -50):
        rig = waiting(TRAIN, OPEN)
        assert rig.board.now == at
        rig.board.hold_cpu()
        rig.board.chip.kernel.at(at + over - early, rig.bench.release_foot)
        rig.wait(0.2)
        up = fell = None
        levels = GATE
        for clock, levels in since(rig, at):
            if not levels & GATE:
                fell = clock
            elif fell is not None:
                down, up, fell = clock - fell, clock, None
            if not levels & GATE:
                continue
            if levels & LEGS and up is not None and clock - up < LEAD:
                assert 0 <= early <= BLINK, early
                assert down <= BLINK
        assert levels == 0


def test_a_processor_that_hangs_as_a_train_begins_leaves_no_pin_up():
    rig = waiting(TRAIN, OPEN)
    at = rig.board.now
    rig.bench.release_foot()
    rig.wait(0.001)
    hangs(rig)
    assert rig.outputs() == 0
    played = [clock for clock, levels in since(rig, at) if levels & LEGS]
    assert played and max(played) - at <= 100 * MS


def test_no_train_is_armed_while_a_current_flows_at_rest():
    rig = waiting(TRAIN, OPEN)
    rig.bench.release_foot()
    rig.wait(0.1)
    rig.bench.sense[2].offset_v = 0.006  # while a train of channel 1 plays
    rig.bench.press_foot()
    rig.wait(0.3)
    assert rig.state == "FAULT"
    assert rig.ask("FAUL?") == "19"
    begun = len(starts(rig))
    rig.bench.release_foot()
    rig.wait(0.3)
    assert len(starts(rig)) == begun
