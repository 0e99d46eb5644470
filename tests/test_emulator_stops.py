"""Every way the output ends on genuine MicroPython: trip, starvation, stop byte, Ctrl-C."""

import random

import pytest
from emulator_bench import needs_image
from pico_rig import PicoRig
from rig import LEGS, OUTPUTS

from firmware.boards import pico_reference as board
from rheobase.emulator import stops

pytestmark = [pytest.mark.emulator, needs_image]

HZ = 125_000_000
TRIP_CLOCKS = 6
HORIZON_CLOCKS = HZ // 10
PULSES = "SOUR1:STAT ON;FREQ 400;PULS:WIDT 20us;GAP 2us;:SOUR1:CYCL:ON INF;:SOUR1:RAMP:UP 0"
PULSE_CLOCKS = 42 * 125
BOTH = (
    "SOUR1:STAT ON;FREQ 87;PULS:WIDT 400us;:SOUR1:CYCL:ON INF;:SOUR1:RAMP:UP 0;"
    ":SOUR2:STAT ON;FREQ 100;PULS:WIDT 300us;:SOUR2:CYCL:ON INF;:SOUR2:RAMP:UP 0"
)


@pytest.fixture(scope="module")
def rig():
    with PicoRig() as pico:
        yield pico


def run(rig, *lines):
    if rig.state == "FAULT":
        rig.wait(0.3)
        rig.do("FAUL:CLE")
        rig.settle()
    for line in ("*RST", *lines, "SESS:DUR 60"):
        rig.do(line)
    rig.start()
    rig.wait(0.05)


def next_pulse(rig, least_ahead=2_000):
    """The clock of the next pulse of 400 Hz that is at least so far ahead."""
    clocks, levels = rig.recorder.edge_clocks, rig.recorder.edge_levels
    last = next(
        clocks[i]
        for i in range(len(clocks) - 1, 0, -1)
        if levels[i] & 1 << board.LEGS_BASE and not levels[i - 1] & LEGS
    )
    period = HZ // 400
    ahead = (rig.board.now + least_ahead - last) // period + 1
    return last + ahead * period


def last_high_after(rig, clock):
    """Clocks from `clock` to where the last leg fell; None if none was high then or later."""
    clocks, levels = rig.recorder.edge_clocks, rig.recorder.edge_levels
    for i in range(len(clocks) - 1, 0, -1):
        if levels[i - 1] & LEGS and not levels[i] & LEGS:
            return max(0, clocks[i] - clock)
    return None


def test_trip_line_stops_the_legs_within_six_clocks(rig):
    """Around each edge of a pulse and somewhere in each phase; every clock: test_emulator_tape."""
    chance = random.Random(1)
    edges = (0, 20 * 125, 22 * 125, PULSE_CLOCKS)
    moments = [edge + chance.randrange(-12, 12) for edge in edges for _ in range(3)]
    moments += [chance.randrange(20 * 125), chance.randrange(22 * 125, PULSE_CLOCKS)]
    after = []
    for moment in moments:
        run(rig, PULSES)
        trip = next_pulse(rig) + moment
        rig.bench.force_trip(trip)
        rig.board.run_until(trip + 10_000)
        after.append(last_high_after(rig, trip))
        assert after[-1] <= TRIP_CLOCKS, f"{moment} clocks into the pulse"
        rig.wait(0.02)
        assert not rig.outputs()
        assert rig.state == "FAULT"
    assert max(after) >= 4, "the trip was never seen with a leg high"


def test_comparator_trips_within_its_delay_and_six_clocks(rig):
    run(rig, PULSES)
    rig.do("SOUR1:CURR 1mA")
    rig.wait(0.2)
    rig.bench.comparator_a = 0.5e-3
    rig.wait(0.05)
    rig.bench.comparator_a = rig.bench.wiring.comparator_a
    over = rig.recorder.of_kind("overcurrent")[-1].clock
    trip = rig.recorder.of_kind("trip")[-1].clock
    assert trip - over == round(rig.bench.wiring.comparator_delay_ns * HZ / 1e9 + 0.499)
    assert 0 < last_high_after(rig, trip) <= TRIP_CLOCKS
    assert rig.state == "FAULT"


def test_halted_cpu_ends_the_tape_in_whole_pulses_within_the_lease(rig):
    chance = random.Random(2)
    for _ in range(8):
        run(rig, BOTH)
        rig.board.run_for(clocks=chance.randrange(HZ // 50))
        rig.board.hold_cpu()
        held = rig.board.now
        rig.wait(0.3)
        assert not rig.outputs()
        assert 0 < last_high_after(rig, held) <= HORIZON_CLOCKS
        for channel, width_us in ((1, 400), (2, 300)):
            played = [p for p in rig.pulses(channel) if p.start > held - HZ // 20]
            assert len(played) > 5
            assert {(p.width_1, p.width_2) for p in played} == {(width_us * 125,) * 2}
        rig.board.hold_cpu(False)
        rig.wait(0.4)
        assert rig.state == "FAULT"


@pytest.mark.parametrize("burden", ["session alone", "command", "unread", "collecting"])
def test_stop_byte_at_random_moments(burden):
    """A few of the thousand moments of `python -m rheobase.emulator.stops`."""
    under = {"command": stops.after_a_command, "unread": stops.unread}.get(burden)
    files = stops.collecting_files() if burden == "collecting" else None
    times = stops.measure(burden, 12, 5, *([under] if under else []), files=files)
    print(times)
    assert times.worst <= stops.WORST_MS
    assert times.worst_collecting <= stops.COLLECTING_MS


def test_time_stands_still_and_goes_on_clock_by_clock(rig):
    run(rig, PULSES)
    rise = next_pulse(rig)
    rig.board.run_until(rise - 3)
    seen = []
    for _ in range(6):
        seen.append((rig.board.now - rise, rig.board.level(board.LEGS_BASE)))
        rig.board.run_for(clocks=1)
    assert [level for _, level in seen] == [0, 0, 0, 1, 1, 1]
    assert [clock for clock, _ in seen] == [-3, -2, -1, 0, 1, 2]


def test_ctrl_c_leaves_the_outputs_low_and_a_prompt(rig):
    """Last: the firmware is gone after it."""
    run(rig, PULSES)
    rig.board.run_until(next_pulse(rig) + 1_000)
    pressed = rig.board.now
    rig.board.serial.write(b"\x03")
    rig.board.run_until_text(">>> ", 1.0)
    assert last_high_after(rig, pressed) <= 5 * HZ // 1000
    assert not rig.outputs()
    assert rig.board.run_python("print(6 * 7)") == "42\n"
    assert not rig.outputs() & OUTPUTS
