"""Every way a person or a program stops the output, at the pins."""

import pytest
from rig import LEGS, OUTPUTS, Rig, with_change

CLOCK_US = 125
BUSY = (
    "SOUR1:STAT ON;FREQ 100;PULS:WIDT 500us;GAP 200us;:SOUR1:CYCL:ON INF;:SOUR1:RAMP:UP 0.1;"
    ":SOUR1:RAMP:DOWN 0.1"
)


def running(files=None):
    rig = Rig(keep=("edges",), files=files)
    rig.do(BUSY)
    rig.do("SESS:DUR 60")
    rig.start()
    rig.do("SOUR1:CURR 1mA")
    rig.wait(0.3 if files is None else 0.05)
    return rig


def last_high(rig):
    """The clock at which the last output fell."""
    clocks, levels = rig.recorder.edge_clocks, rig.recorder.edge_levels
    for i in range(len(levels) - 1, -1, -1):
        if levels[i] & OUTPUTS:
            return clocks[i + 1]
    return 0


def wait_for_leg(rig):
    """Run to a moment with a leg high."""
    for _ in range(20_000):
        if rig.board.chip.gpio.levels & LEGS:
            return
        rig.board.run_for(clocks=3_000)
    raise AssertionError("no pulse")


@pytest.mark.parametrize("before", ["", "SOUR1:CURR", '"a string that was never closed'])
def test_stop_byte_acts_without_a_line_end_and_within_a_line(before):
    rig = running()
    wait_for_leg(rig)
    said = rig.board.now
    rig.board.usb.write(before.encode() + b"!")
    rig.wait(0.5)
    assert last_high(rig) - said < (1000 + 100 * len(before)) * CLOCK_US  # bytes come one by one
    rig.say("")  # the line that was cut is dead up to its end
    assert rig.state == "IDLE"
    assert rig.ask("SOUR1:CURR?") == "0"


@pytest.mark.parametrize("stop", ["ABOR", "OUTP OFF", "*RST"])
def test_stopping_commands_act_at_once(stop):
    rig = running()
    wait_for_leg(rig)
    said = rig.board.now
    rig.say(stop, 0.3)
    assert last_high(rig) - said < 2000 * CLOCK_US
    assert rig.state == "IDLE"


@pytest.mark.parametrize("state", ["BOOTED", "ARMED", "PAUSED", "FADING"])
def test_stop_byte_in_other_states(state):
    rig = Rig(keep=("edges",))
    if state != "BOOTED":
        rig.do(BUSY)
        rig.arm()
    if state in ("PAUSED", "FADING"):
        rig.do("OUTP ON")
        rig.wait(0.2)
        rig.do("SESS:PAUS")
        rig.wait(1.5 if state == "PAUSED" else 0.1)
        assert rig.state == state
    rig.board.usb.write(b"!")
    rig.wait(0.01)
    assert rig.state == "IDLE"
    assert rig.outputs() == 0


def test_ctrl_c_leaves_the_outputs_low_and_the_repl():
    rig = running()
    wait_for_leg(rig)
    said = rig.board.now
    rig.board.usb.write(b"\x03")
    rig.wait(0.2)
    assert last_high(rig) - said < 1000 * CLOCK_US
    assert rig.board.usb.read().decode().rstrip().endswith(">>>")


def test_stop_fades_and_ends():
    rig = running()
    rig.climb(4)
    rig.do("SESS:STOP")
    said = rig.board.now
    rig.wait(1.5)
    assert rig.state == "IDLE"
    assert 0.5 < (last_high(rig) - said) / 125e6 < 1.2
    assert rig.ask("SOUR1:CURR?") == "0"


def test_supply_falls_after_a_stop():
    rig = running()
    assert int(rig.ask("MEAS:SUPP?")) >= 180
    rig.board.usb.write(b"!")
    rig.wait(0.3)
    assert int(rig.ask("MEAS:SUPP?")) < 20


def test_program_error_in_the_loop_is_a_fault_with_the_output_off():
    files = with_change(
        "/firmware/safety/playing.py",
        "        if tape.ended:\n",
        "        if self.elapsed_ms() > 200:\n"
        "            raise ValueError('injected')\n"
        "        if tape.ended:\n",
    )
    rig = running(files=files)
    rig.wait(1.0)
    assert 0 < last_high(rig) <= rig.board.now - 0.7 * 125e6
    assert rig.outputs() == 0
    assert rig.state == "FAULT"
    assert "injected" in rig.ask("FAUL:TEXT?")


def test_a_host_that_does_not_read_neither_starves_the_tape_nor_delays_the_stop():
    rig = running()
    rig.board.usb.reading = False
    for _ in range(20):
        rig.board.usb.write(b"*IDN?\n" * 4)
        rig.wait(0.1)
    wait_for_leg(rig)
    said = rig.board.now
    rig.board.usb.write(b"!")
    rig.wait(0.1)
    assert last_high(rig) - said < 1000 * CLOCK_US
    assert last_high(rig) > said, "the session had ended before"
    rig.board.usb.reading = True
    rig.wait(0.1)
    rig.board.usb.read()
    rig.say("*CLS")
    assert rig.ask("*IDN?").startswith("Rheobase"), "the conversation goes on, line by line"
    assert rig.state == "IDLE"


def test_stop_byte_is_seen_ahead_of_lines_that_wait():
    rig = running()
    wait_for_leg(rig)
    said = rig.board.now
    rig.board.usb.write(b"SYST:HELP:HEAD?\n" * 6 + b"SESS:STAR\nSOUR1:CURR 1mA\n!")
    rig.wait(4.0)  # six long replies take more than 2 s
    assert 0 < last_high(rig) - said < 12_000 * CLOCK_US  # 130 bytes are read one by one
    rig.board.usb.read()
    assert rig.state == "IDLE"
    rig.start()
    assert rig.state == "RUNNING", "what the byte had halted starts again"


def test_a_refused_block_latches_its_fault_also_with_no_memory_left_for_its_words():
    feeder, reasons = "/firmware/core/feeder.py", "/firmware/core/inspector_reasons.py"
    inspected = "reason = inspector.inspect(halves, words, turns)"
    files = with_change(feeder, inspected, inspected + " or 20 * (self.inspected > 40)")
    start = "def why_refused("
    files[reasons] = with_change(reasons, start, "raise MemoryError\n\n\n" + start)[reasons]
    rig = running(files)
    rig.wait(0.6)
    assert rig.state == "FAULT"
    assert rig.ask("FAUL?") == "3"
    assert "reason 20" in rig.ask("FAUL:TEXT?")
    assert rig.outputs() == 0
