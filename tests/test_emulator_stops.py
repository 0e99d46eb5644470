"""Every way the output ends on genuine MicroPython: trip, starvation, stop byte, Ctrl-C."""

import pico_rig
import pytest
from emulator_bench import needs_image
from rig import LEGS, OUTPUTS
from strategies import NIGHTLY

from firmware.boards import pico_reference as board
from rheobase.emulator import stops
from rheobase.emulator.running import moments

pytestmark = [pytest.mark.emulator, needs_image]

HZ = 125_000_000
TRIP_CLOCKS = 6
HORIZON_CLOCKS = HZ // 10
WATCHDOG_S = 0.7
PULSES = "SOUR1:STAT ON;FREQ 400;PULS:WIDT 20us;GAP 2us;:SOUR1:CYCL:ON INF;:SOUR1:RAMP:UP 0"
PULSE_CLOCKS = 42 * 125
BOTH = (
    "SOUR1:STAT ON;FREQ 87;PULS:WIDT 400us;:SOUR1:CYCL:ON INF;:SOUR1:RAMP:UP 0;"
    ":SOUR2:STAT ON;FREQ 100;PULS:WIDT 300us;:SOUR2:CYCL:ON INF;:SOUR2:RAMP:UP 0"
)


def running(*lines):
    """The Pico with both channels' settings typed, armed, and the output running."""
    rig = pico_rig.ready()
    for line in (*lines, "SESS:DUR 60"):
        rig.do(line)
    rig.start()
    rig.wait(0.05)
    return rig


@pytest.fixture(scope="module")
def sessions():
    """A session of short pulses and one with both channels, kept."""
    kept = []
    for lines in (PULSES, BOTH):
        rig = running(lines)
        kept.append(rig.mark())
    return rig, kept


@pytest.fixture
def rig(sessions):
    """Short pulses on channel 1, running."""
    rig, (moment, _) = sessions
    rig.board.restore(moment)
    return rig


@pytest.fixture
def both(sessions):
    """Both channels, running."""
    rig, (_, moment) = sessions
    rig.board.restore(moment)
    return rig


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


def trips():
    """Moments of a pulse, in clocks from its first edge, from before it to behind it.

    Every clock around the edges, and in between some (`make nightly`: all 5300 of them).
    """
    edges = (0, 20 * 125, 22 * 125, PULSE_CLOCKS)
    step = 1 if NIGHTLY else 7
    near = {edge + clocks for edge in edges for clocks in range(-10, 11)}
    return sorted(near | set(range(-10, PULSE_CLOCKS + 10, step)))


def test_trip_line_stops_the_legs_within_six_clocks(rig):
    """Wherever in a pulse it comes; the two flip-flops of the input are counted in."""
    pulse = next_pulse(rig)
    rig.board.run_until(pulse - 1_000)
    before = rig.mark()
    after = {}
    for moment in trips():
        rig.bench.force_trip(pulse + moment)
        rig.board.run_until(pulse + moment + 1_000)
        after[moment] = last_high_after(rig, pulse + moment)
        assert not rig.outputs() & LEGS
        rig.board.restore(before)
    high = [moment for moment in after if 0 <= moment < 20 * 125 - 6]
    assert {after[moment] for moment in high} <= set(range(1, TRIP_CLOCKS + 1))
    assert max(after.values()) <= TRIP_CLOCKS
    assert min(after[moment] for moment in high) >= 4, "nothing acts before the synchroniser"


@pytest.mark.parametrize("moment", [10, 20 * 125 + 3, PULSE_CLOCKS // 2, PULSE_CLOCKS + 9_000])
def test_a_trip_is_a_fault_and_the_legs_stay_low(rig, moment):
    trip = next_pulse(rig) + moment
    rig.bench.force_trip(trip)
    rig.board.run_until(trip + 1_000)
    edges = len(rig.recorder.edge_clocks)
    rig.wait(0.3)
    assert not any(level & LEGS for level in rig.recorder.edge_levels[edges:])
    assert rig.state == "FAULT"


def test_comparator_trips_within_its_delay_and_six_clocks(rig):
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


def test_halted_cpu_ends_the_tape_in_whole_pulses_within_the_lease(both):
    """As a debugger halts it."""
    rig = both
    before = rig.mark()
    for clocks in moments(2, 12, HZ // 40):
        rig.board.run_for(clocks=clocks)
        rig.board.hold_cpu()
        held = rig.board.now
        rig.wait(0.2)
        assert not rig.outputs()
        assert 0 < last_high_after(rig, held) <= HORIZON_CLOCKS
        for channel, width_us in ((1, 400), (2, 300)):
            played = [p for p in rig.pulses(channel) if p.start > held - HZ // 20]
            assert len(played) > 5
            assert {(p.width_1, p.width_2) for p in played} == {(width_us * 125,) * 2}
        rig.board.restore(before)


@pytest.mark.parametrize("held_s", [0.12, 0.3])
def test_a_cpu_that_goes_on_behind_the_end_of_the_tape_finds_a_fault(both, held_s):
    rig = both
    rig.board.hold_cpu()
    rig.wait(held_s)
    rig.board.hold_cpu(False)
    edges = len(rig.recorder.edge_clocks)
    rig.wait(0.4)
    assert not any(level & LEGS for level in rig.recorder.edge_levels[edges:])
    assert rig.state == "FAULT"


def test_a_cpu_that_hangs_at_any_point_of_a_pulse_is_reset_and_the_next_boot_knows(rig):
    """The supply is off by then: the heartbeat has stopped."""
    pulse = next_pulse(rig)
    before = rig.mark()
    points = [-50, 3, 20 * 125 - 2, 21 * 125, 30 * 125, PULSE_CLOCKS + 5]
    for number, point in enumerate(points):
        rig.board.run_until(pulse + point)
        rig.board.hold_cpu()
        hung = rig.board.now
        reset = rig.board.run_until_reset(WATCHDOG_S)
        assert 0 <= last_high_after(rig, hung) <= HORIZON_CLOCKS
        off = rig.recorder.of_kind("supply_off")[-1]
        assert hung < off.clock < reset
        rig.board.hold_cpu(False)
        edges = len(rig.recorder.edge_clocks)
        rig.wait(0.03)
        if number == 0:  # the same boot for all of them
            rig.hello()
            rig.settle()
            assert rig.state == "FAULT"
            assert "watchdog" in rig.ask("FAUL:TEXT?")
        assert not any(level & OUTPUTS for level in rig.recorder.edge_levels[edges:])
        rig.board.restore(before)


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
    rise = next_pulse(rig)
    rig.board.run_until(rise - 3)
    seen = []
    for _ in range(6):
        seen.append((rig.board.now - rise, rig.board.level(board.LEGS_BASE)))
        rig.board.run_for(clocks=1)
    assert [level for _, level in seen] == [0, 0, 0, 1, 1, 1]
    assert [clock for clock, _ in seen] == [-3, -2, -1, 0, 1, 2]


def test_ctrl_c_leaves_the_outputs_low_and_a_prompt(rig):
    rig.board.run_until(next_pulse(rig) + 1_000)
    pressed = rig.board.now
    rig.board.serial.write(b"\x03")
    rig.board.run_until_text(">>> ", 1.0)
    assert last_high_after(rig, pressed) <= 5 * HZ // 1000
    assert not rig.outputs()
    assert rig.board.run_python("print(6 * 7)") == "42\n"
    assert not rig.outputs() & OUTPUTS
