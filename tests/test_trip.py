"""The trip line: legs low within 6 clocks (2 of them the input synchroniser), at every clock."""

import pytest
from rig import LEGS, Rig

BOUND = 6


def running():
    rig = Rig(keep=("edges",))
    rig.do(
        "SOUR1:STAT ON;FREQ 400;PULS:WIDT 20us;GAP 2us;:SOUR1:CYCL:ON INF;:SOUR1:RAMP:UP 0.5"
    )
    rig.do("SESS:DUR 60")
    rig.start()
    rig.do("SOUR1:CURR 1mA")
    rig.wait(0.05)
    return rig


def pulse_ahead(rig):
    """(start, end) clocks of a pulse that the period says is to come."""
    clocks, levels = rig.recorder.edge_clocks, rig.recorder.edge_levels
    starts = [
        clocks[i]
        for i in range(1, len(levels))
        if levels[i] & 0b000100 and not levels[i - 1] & LEGS
    ]
    period = 125_000_000 // 400
    ahead = (rig.board.now - starts[-1]) // period + 2
    return starts[-1] + ahead * period, starts[-1] + ahead * period + 42 * 125


def legs_low_after(rig, trip):
    """Clocks from the trip to the last moment at which a leg was high, and all later edges."""
    clocks, levels = rig.recorder.edge_clocks, rig.recorder.edge_levels
    last = trip
    for i in range(len(levels) - 1, 0, -1):
        if clocks[i] <= trip:
            break
        if levels[i - 1] & LEGS:
            last = clocks[i]
            break
    return last - trip


def clear(rig):
    rig.wait(0.02)
    assert rig.state == "FAULT"
    assert rig.ask("FAUL?") == "1"
    rig.do("FAUL:CLE")


def test_every_clock_around_the_edges_of_a_pulse():
    """Each clock of the rises and falls, where the state machine fetches words."""
    rig = running()
    worst = 0
    begin, end = pulse_ahead(rig)
    around = [0, 20 * 125, 22 * 125, 42 * 125]
    moments = sorted({edge + d for edge in around for d in range(-14, 15)})
    for moment in moments:
        begin, end = pulse_ahead(rig)
        rig.board.run_until(begin - 400)
        trip = begin + moment
        rig.bench.force_trip(trip)
        rig.board.run_until(end + 2000)
        after = legs_low_after(rig, trip)
        assert after <= BOUND, f"trip {moment} clocks into the pulse: {after} clocks"
        worst = max(worst, after)
        clear(rig)
        rig.start()
        rig.do("SOUR1:CURR 1mA")
        rig.wait(0.02)
    assert worst > 2, "the trip was never seen with a leg high"


@pytest.mark.parametrize("cause", ["press_stop", "unplug_stop", "cut_wire", "overcurrent"])
def test_causes_of_a_trip(cause):
    rig = running()
    if cause == "overcurrent":
        rig.bench.comparator_a = 0.5e-3
    elif cause == "cut_wire":
        rig.bench.cut_wire(10)
    else:
        getattr(rig.bench, cause)()
    rig.wait(0.6)
    assert rig.state == "FAULT"
    assert rig.outputs() == 0
    if cause != "overcurrent":
        assert "-221" in rig.error("FAUL:CLE"), "cleared although its cause is still there"


def test_open_trip_wire_is_not_armed():
    rig = Rig()
    rig.bench.cut_wire(10)
    rig.do("SOUR1:STAT ON")
    assert "trip line high" in rig.error(rig.arming())
    rig.bench.mend_wire(10)
    rig.bench.press_stop()
    assert "stop button" in rig.error(rig.arming())
