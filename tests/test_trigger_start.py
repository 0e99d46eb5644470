"""Trains started by the hardware: latency and jitter, a trigger at any moment, refusals, stops."""

import pytest
from rig import LEGS, Rig

from rheobase import docs, latency

CLOCK = 125_000_000
TRAIN = "SOUR1:STAT ON;FREQ 100;:SOUR1:CYCL:ON INF;:SOUR1:RAMP:UP 0;DOWN 0"
OPEN = "SESS:DUR 600;TRIG:SOUR HEEL;TIM 0.2;DEB 0;WAIT 5"
BUTTON = "SESS:DUR 600;TRIG:SOUR BUTT;TIM 0.2;DEB 0;WAIT 5"


def armed(*lines, keep=("edges",)):
    rig = Rig(keep=keep)
    for line in lines:
        rig.do(line)
    rig.arm()
    rig.armed_at = rig.board.chip.kernel.now  # behind the tests of GATE
    return rig


def step(rig):
    rig.bench.release_foot()
    rig.wait(0.1)
    rig.bench.press_foot()
    rig.wait(0.1)


def waiting(*lines, keep=("edges",), ready=("WAITING",)):
    """A session that waits for its trigger, the contact closed if it is a heel's."""
    button = not any("HEEL" in line for line in lines)
    rig = armed(*lines, keep=keep)
    if not button:
        rig.bench.press_foot()
        rig.wait(0.1)
        step(rig)
    rig.do("OUTP ON")
    rig.do("SOUR1:CURR 1 mA")
    rig.wait(0.2)
    assert rig.state in ready
    return rig


def rises(rig):
    """Clocks at which some leg is high after all were low."""
    found = []
    before = 0
    for clock, level in zip(rig.recorder.edge_clocks, rig.recorder.edge_levels, strict=True):
        if level & LEGS and not before and clock > rig.armed_at:
            found.append(clock)
        before = level & LEGS
    return found


def starts(rig, gap_s=0.05):
    found = []
    last = None
    for clock in rises(rig):
        if last is None or clock - last > gap_s * CLOCK:
            found.append(clock)
        last = clock
    return found


@pytest.mark.parametrize("name, debounce_us", latency.ROWS)
def test_latency_is_below_two_microseconds_and_as_the_page_has_it(name, debounce_us):
    found = latency.measure(debounce_us, 12)
    page = (docs.ROOT / "docs" / "triggers.md").read_text()
    row = next(line for line in page.splitlines() if name in line).split("|")
    least, most = (int(n) for n in row[3].split("(")[0].split("to"))
    assert least <= found.leg[0] and found.leg[1] <= most <= 2e-6 * CLOCK
    assert found.gate >= 20e-6 * CLOCK


def test_the_button_starts_at_its_closing_edge():
    rig = waiting(TRAIN, BUTTON)
    for _ in range(3):
        rig.wait(0.3)
        at = rig.board.chip.kernel.now
        rig.bench.press_foot()
        rig.wait(0.1)
        assert 0 < starts(rig)[-1] - at < 250
        rig.bench.release_foot()
    assert rig.ask("SESS:CONT?") == "3,0"


def test_a_trigger_at_any_moment_of_a_train_bends_no_phase():
    rig = waiting(TRAIN, OPEN, keep=("edges", "phases"))
    kernel = rig.board.chip.kernel
    for number in range(25):  # contacts at odd times, within trains and between them
        at = kernel.now + number * 5_137_337
        kernel.at(at, rig.bench.release_foot if number % 2 else rig.bench.press_foot)
    rig.wait(2)
    assert rig.ask("FAUL:NUMB?") == "0"
    pulses = rig.pulses(1)
    assert len(pulses) > 20
    for pulse in pulses:
        assert pulse.width_1 == pulse.width_2 == round(300e-6 * CLOCK)
    between = [b.start - a.start for a, b in zip(pulses, pulses[1:], strict=False)]
    assert min(between) >= CLOCK // 100  # never denser than the rate


def test_one_trigger_starts_one_train_of_bounded_length():
    rig = waiting(TRAIN, OPEN, keep=("edges", "phases"))
    rig.bench.release_foot()  # and it stays so
    rig.wait(2)
    pulses = rig.pulses(1)
    assert len(pulses) == 20
    assert pulses[-1].end - pulses[0].start <= 0.2 * CLOCK
    assert rig.ask("SESS:CONT?") == "1,0"


def test_no_walk_without_a_switch_seen_in_both_positions():
    rig = armed(TRAIN, OPEN)
    rig.wait(0.5)
    assert "both positions" in rig.error("OUTP ON")
    rig.bench.press_foot()
    rig.wait(0.1)
    rig.do("OUTP ON")


def test_what_is_active_at_the_start_is_not_stimulated():
    rig = armed(TRAIN, BUTTON)
    rig.bench.press_foot()
    rig.wait(0.1)
    rig.do("OUTP ON")
    rig.wait(1)
    assert not starts(rig)
    rig.bench.release_foot()
    rig.wait(0.1)
    rig.bench.press_foot()
    rig.wait(0.1)
    assert len(starts(rig)) == 1


def test_a_button_that_nobody_presses_pauses_the_session_at_zero():
    rig = waiting(TRAIN, BUTTON)
    rig.wait(5)
    assert rig.state == "PAUSED"
    assert float(rig.ask("SOUR1:CURR?")) == 0
    rig.bench.press_foot()
    rig.wait(0.3)
    assert not starts(rig)
    rig.bench.release_foot()
    rig.wait(0.1)
    rig.do("SESS:RES")
    rig.wait(0.1)
    assert rig.state == "WAITING"


def test_a_walk_stands_still_and_goes_on_after_a_whole_step():
    rig = waiting(TRAIN, OPEN)
    rig.wait(6)
    assert rig.state == "STANDING"
    step(rig)
    assert not starts(rig)
    rig.wait(0.2)
    assert rig.state == "WAITING"
    assert float(rig.ask("SOUR1:CURR?")) == 1e-3
    step(rig)
    assert len(starts(rig)) == 1
    rig.wait(70)
    assert rig.state == "PAUSED"


@pytest.mark.parametrize("stop", ["button", "byte", "command", "fade", "session"])
def test_nothing_starts_after_a_stop(stop):
    lines = (TRAIN, OPEN.replace("600", "3") if stop == "session" else OPEN)
    rig = waiting(*lines)
    if stop == "button":
        rig.bench.press_stop()
    elif stop == "byte":
        rig.board.usb.write(b"!")
        rig.wait(0.05)
    elif stop == "session":
        rig.wait(3)
    else:
        rig.board.usb.write(b"ABOR\n" if stop == "command" else b"SESS:STOP\n")
        rig.wait(0.05)
    begun = len(starts(rig))
    step(rig)
    rig.wait(0.3)
    assert len(starts(rig)) == begun
    assert rig.state in ("IDLE", "FAULT")


def test_a_dead_loop_plays_what_is_queued_at_most():
    """The lease: with the processor hung, a trigger plays no more than 100 ms of tape."""
    rig = waiting(TRAIN, OPEN.replace("TIM 0.2", "TIM 3"))
    at = rig.board.chip.kernel.now
    rig.bench.release_foot()
    rig.board.usb.write(b"\x03")  # Ctrl-C ends the program: its last act is to stop
    rig.wait(0.5)
    late = [clock for clock in rises(rig) if clock > at + CLOCK // 10]
    assert not late


def test_the_host_triggers():
    rig = armed(TRAIN, "SESS:DUR 60;TRIG:SOUR HOST;TIM 0.2")
    assert rig.error("*TRG").startswith("-211")
    rig.do("OUTP ON")
    rig.wait(0.1)
    rig.do("*TRG")
    assert rig.error("*TRG").startswith("-211")
    rig.wait(0.3)
    rig.do("*TRG")
    rig.wait(0.3)
    assert rig.ask("SESS:CONT?") == "2,0"


def test_a_re_education_keeps_its_length_and_its_rest():
    rig = armed(
        "SOUR1:STAT ON;FREQ 50;:SOUR1:CYCL:ON 1;OFF 1;:SOUR1:RAMP:UP 0.2;DOWN 0.2",
        "SESS:DUR 60;TRIG:SOUR BUTT;TIM 11;WAIT 20",
        keep=("phases",),
    )
    rig.do("OUTP ON")
    rig.do("SOUR1:CURR 1 mA")
    rig.wait(0.2)
    rig.bench.press_foot(3)
    rig.wait(1.8)
    assert rig.state == "RESTING"
    first = rig.pulses(1)
    assert 1.3 * CLOCK < first[-1].end - first[0].start <= 1.4 * CLOCK
    for _ in range(12):  # pressed again and again; in the rest that counts for nothing
        rig.bench.release_foot(3)
        rig.wait(0.1)
        rig.bench.press_foot(3)
        rig.wait(0.2)
    second = rig.pulses(1)[len(first)]
    assert second.start - first[-1].end >= 1.0 * CLOCK


def test_the_crank_keeps_its_windows_and_its_cadence():
    rig = armed(
        "SOUR1:STAT ON;FREQ 40;:SOUR1:CYCL:ON INF;:SOUR1:RAMP:UP 0.1;DOWN 0.05",
        "SOUR2:STAT ON;FREQ 40;:SOUR2:CYCL:ON INF;:SOUR2:RAMP:UP 0.1;DOWN 0.05",
        "SOUR1:CRAN:STAR 20;STOP 130;:SOUR2:CRAN:STAR 200;STOP 310",
        "SESS:DUR 60;TRIG:SOUR CRAN;TIM 3",
        keep=("phases",),
    )
    rig.do("OUTP ON")
    rig.do("SOUR1:CURR 1 mA;:SOUR2:CURR 1 mA")
    zero = rig.board.chip.kernel.now
    period = 1.5 * CLOCK  # 40 turns a minute

    def angle(clock):
        return (clock - zero) / period * 360 % 360

    def turn(seconds):
        end = rig.board.chip.kernel.now + seconds * CLOCK
        while rig.board.chip.kernel.now < end:
            rig.say(f"SESS:TRIG:ANGL {int(angle(rig.board.chip.kernel.now))}", 0.04)

    turn(6.5)
    late = 360 * 0.15 / 1.5  # a hand-over's and a ramp's degrees
    for number, (start, stop) in ((1, (20, 130)), (2, (200, 310))):
        pulses = rig.pulses(number)
        assert len(pulses) > 20
        for pulse in pulses:
            assert start - 3 <= angle(pulse.start) <= stop + late
    one, two = rig.pulses(1), rig.pulses(2)
    merged = sorted(one + two, key=lambda p: p.start)
    changes = [(a, b) for a, b in zip(merged, merged[1:], strict=False) if a.channel != b.channel]
    assert len(changes) > 6
    assert rig.ask("SYST:ERR?").startswith("0")
    rig.wait(0.6)  # no more readings
    begun = len(rig.pulses(1)) + len(rig.pulses(2))
    rig.wait(1)
    assert len(rig.pulses(1)) + len(rig.pulses(2)) == begun


@pytest.mark.parametrize(
    "lines, text",
    [
        (["SOUR1:STAT ON", "SESS:TRIG:SOUR PHAS"], "both channels"),
        (["SOUR1:STAT ON", "SESS:TRIG:SOUR CRAN"], "no range of crank angles"),
        (["SOUR1:STAT ON;RAMP:UP 2;DOWN 2", "SESS:TRIG:SOUR HEEL;TIM 3"], "4000 ms above"),
        (["SOUR1:STAT ON", "SESS:TRIG:SOUR BUTT;:SESS:WARM:DUR 10"], "no warm-up"),
        (["SOUR1:STAT ON;:SOUR1:CYCL:BLOC 60", "SESS:TRIG:SOUR BUTT"], "no blocks"),
        (["SOUR1:STAT ON;CRAN:STAR 5;STOP 90;:SOUR2:STAT ON;CRAN:STAR 80;STOP 9",
          "SESS:TRIG:SOUR CRAN"], "overlap at 80"),
    ],
)
def test_what_no_triggered_session_can_have_is_refused_at_arming(lines, text):
    rig = Rig(keep=())
    for line in lines:
        rig.do(line)
    assert text in rig.error(rig.arming())


def test_trains_at_the_ceiling_pass_the_inspector_however_often_they_are_triggered():
    rig = waiting(
        "SOUR1:STAT ON;FREQ 100;PULS:WIDT 1ms;:SOUR1:CYCL:ON INF;:SOUR1:RAMP:UP 0;DOWN 0",
        "SOUR1:PAD:AREA 1cm2",
        BUTTON.replace("TIM 0.2", "TIM 0.1"),
        keep=("phases",),
    )
    rig.do("CURR:LOCK OFF")
    most = float(rig.ask("SOUR1:CURR? MAX"))
    rig.wait(0.5)
    current = 1e-3

    def press():
        rig.bench.press_foot()
        rig.wait(0.13)
        rig.bench.release_foot()
        rig.wait(0.02)

    while current < most:
        press()
        current = min(most, current + 1e-3)
        rig.do(f"SOUR1:CURR {current}")
        rig.wait(0.5)
    before = len(rig.pulses(1))
    for _ in range(15):
        press()
    assert rig.ask("FAUL:TEXT?") == '"none"'
    assert len(rig.pulses(1)) - before >= 100


def test_an_analogue_signal_triggers_beyond_its_level_with_hysteresis():
    rig = armed(
        "SOUR1:STAT ON;FREQ 100;:SOUR1:CYCL:ON 0.2;OFF 0.3;:SOUR1:RAMP:UP 0;DOWN 0",
        "SESS:DUR 600;TRIG:SOUR ANAL;LEV 1.5V;HYST 0.5V;DEB 10ms;WAIT 60",
        keep=("phases",),
    )
    rig.bench.analog_v = 0.4
    rig.do("OUTP ON")
    rig.do("SOUR1:CURR 1 mA")
    rig.wait(0.5)

    def after(volts, seconds):
        """Trains that begin while the input is at this voltage."""
        rig.bench.analog_v = volts
        at = rig.board.chip.kernel.now
        rig.wait(seconds)
        new = [p for p in rig.pulses(1) if p.start > at]
        return len(new) / 20, (new[0].start - at) / CLOCK if new else None

    assert after(1.4, 1) == (0, None)  # below the level
    trains, late = after(1.7, 1)
    assert trains == 1 and 0.01 <= late <= 0.04
    assert after(1.2, 1) == (0, None)  # within the hysteresis
    assert after(1.7, 1) == (0, None)
    assert after(0.9, 0.5) == (0, None)
    trains, late = after(2.0, 0.1)
    assert late <= 0.04
    assert after(0.5, 1)[0] <= 1  # the train goes on to its own end
    assert len(rig.pulses(1)) == 40
    assert rig.ask("FAUL:NUMB?") == "0"
    assert rig.ask("SYST:ERR?").startswith("0")
