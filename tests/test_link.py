"""A host that falls silent: intensity to zero, then the session ended; and a link that spoils."""

import binascii

import pytest
from rig import OUTPUTS, Rig

from firmware.safety import faults

CLOCKS_PER_S = 125_000_000
PAUSE_S, FADE_S, END_S = 2.0, 1.0, 10.0  # SR-31
LATE_S = 0.12  # a turn of the loop, and what is queued already when the fade begins


def frame(number, text=""):
    body = f"#{number} {text}".rstrip()
    return f"{body} *{binascii.crc_hqx(body.encode(), 0xFFFF):04X}"


def running(standalone=False, milliamperes=3):
    """A rig with channel 1 at 100 Hz and some intensity, just heard."""
    rig = Rig()
    rig.do("SOUR1:STAT ON;FREQ 100;:SOUR1:RAMP:UP 0;:SOUR1:CYCL:ON INF;:SESS:DUR 600")
    rig.start(standalone)
    if milliamperes:
        rig.climb(milliamperes)
    rig.say("SYST:KEEP", 0.006)
    return rig


def last_current_s(rig, since):
    """Seconds from `since` to the end of the last phase that carried current."""
    carried = [p.end for p in rig.pulses(1) if p.commanded_a > 0]
    return (carried[-1] - since) / CLOCKS_PER_S


def queue(rig):
    """The codes in the error queue."""
    codes = []
    while (code := int(rig.ask("SYST:ERR?").split(",")[0])) != 0:
        codes.append(code)
    return codes


def test_silence_of_two_seconds_fades_and_pauses_within_another():
    rig = running()
    assert rig.state == "RUNNING"
    heard = rig.board.now
    rig.wait(PAUSE_S - 0.05)
    before = len(rig.pulses(1))
    assert rig.pulses(1)[-1].commanded_a > 2.9e-3  # not sooner
    rig.wait(FADE_S + 0.3)
    fade = [p.commanded_a for p in rig.pulses(1)[before:]]
    assert PAUSE_S < last_current_s(rig, heard) <= PAUSE_S + FADE_S + LATE_S
    assert all(b <= a for a, b in zip(fade, fade[1:], strict=False)) and len(fade) > 50
    assert rig.outputs() == 0
    assert rig.state == "PAUSED"
    assert queue(rig) == [faults.LINK_PAUSED]
    assert rig.ask("SOUR1:CURR?") == "0"


def test_a_host_that_comes_back_resumes_by_itself_and_from_zero():
    rig = running()
    rig.wait(4)
    assert rig.state == "PAUSED"
    before = len(rig.pulses(1))
    rig.wait(1.5)
    assert rig.state == "PAUSED" and len(rig.pulses(1)) == before  # nothing comes of itself
    rig.do("SESS:RES")
    rig.wait(1)
    again = rig.pulses(1)[before:]
    assert len(again) > 50 and all(p.commanded_a == 0 for p in again)


def test_silence_of_ten_seconds_ends_the_session():
    rig = running()
    rig.wait(END_S - 0.1)
    assert rig.bench.supply.enabled
    rig.wait(0.4)
    assert not rig.bench.supply.enabled
    assert rig.state == "IDLE"
    assert queue(rig) == [faults.LINK_PAUSED, faults.LINK_ENDED]
    assert "-221" in rig.error("SESS:RES")


@pytest.mark.parametrize("line", ("SYST:KEEP", "SESS:STAT?", "SOUR1:CURR 5 A", frame(0)))
def test_any_line_that_makes_sense_keeps_it_going(line):
    rig = running()
    for _ in range(8):
        rig.wait(1.9)
        rig.say(line)
    assert rig.state == "RUNNING"
    assert rig.pulses(1)[-1].commanded_a > 2.9e-3


@pytest.mark.parametrize("line", ("FOO", "\xff\xfe", "", "#1 SYST:KEEP *0000", "x" * 300))
def test_noise_is_no_sign_of_life(line):
    rig = running()
    for _ in range(9):
        rig.board.usb.write(line.encode("latin-1") + b"\n")
        rig.wait(0.4)
    assert rig.outputs() == 0
    assert rig.say("SESS:STAT?").splitlines()[-1] == "PAUSED"


def test_a_standalone_session_needs_no_host():
    rig = running(standalone=True)
    rig.wait(30)
    assert rig.pulses(1)[-1].commanded_a > 2.9e-3
    assert rig.state == "RUNNING"
    assert queue(rig) == []
    rig.board.usb.write(b"!")  # the local stop is not in question, and neither is this one
    rig.wait(0.01)
    assert rig.outputs() == 0


def test_a_local_stop_works_while_the_host_is_silent():
    rig = running()
    rig.wait(1)
    pressed = rig.board.now
    rig.bench.press_stop()
    rig.wait(0.1)
    last = [at for at, level in zip(rig.recorder.edge_clocks, rig.recorder.edge_levels,
                                    strict=True) if level & OUTPUTS]
    assert not last or last[-1] <= pressed
    assert rig.state == "FAULT"


def test_standalone_is_set_before_arming_and_forgotten_by_a_reset():
    rig = running()
    assert "-221" in rig.error("SESS:STAN ON")
    rig.do("*RST;SESS:STAN ON")
    assert rig.ask("SESS:STAN?") == "1"
    rig.do("SOUR1:STAT ON")
    rig.arm()
    rig.do("SESS:STAN OFF")
    assert rig.state == "IDLE"  # any change disarms
    rig.do("*RST")
    assert rig.ask("SESS:STAN?") == "0"


def test_silence_disarms():
    rig = Rig()
    rig.do("SOUR1:STAT ON")
    rig.arm(standalone=False)
    rig.wait(9.5)
    assert rig.bench.supply.enabled
    rig.wait(0.8)
    assert rig.state == "IDLE"
    assert queue(rig) == [faults.LINK_ENDED]


def test_a_pause_of_the_users_own_ends_by_silence_too():
    rig = running()
    rig.do("SESS:PAUS")
    rig.wait(10.5)
    assert rig.state == "IDLE"


def test_a_session_that_fades_to_its_end_is_left_to_it():
    rig = running()
    rig.wait(1.9)
    rig.board.usb.write(b"SESS:STOP\n")
    rig.wait(12)
    assert rig.state == "IDLE"
    assert queue(rig) == []


def test_the_light_is_off_after_a_session_ended_by_itself():
    """A heartbeat after the last switching off would light it again."""
    rig = Rig()
    for length_ms in range(100, 130, 2):
        rig.do("SOUR1:STAT ON;:SOUR1:RAMP:UP 0;DOWN 0;:SOUR1:CYCL:ON INF")
        rig.do(f"SESS:DUR {length_ms} ms")
        rig.start()
        rig.wait(0.3 + 0.003)
        assert rig.state == "IDLE"
        assert rig.board.level(25) == 0
        assert rig.board.level(18) == 0


# -- checked mode ---------------------------------------------------------------------------------


def checked(milliamperes=3):
    """A running rig that is in checked mode from now on."""
    rig = running(milliamperes=milliamperes)
    assert rig.say(frame(0, "SYST:CHEC ON")) == frame(0, "OK")
    return rig


def test_empty_frames_keep_a_session_going():
    rig = checked()
    for number in range(1, 20):
        rig.wait(0.5)
        assert rig.say(frame(number)) == frame(number, "OK")
    assert rig.say(frame(20, "SESS:STAT?")) == frame(20, "OK RUNNING")


def test_plain_lines_do_not_keep_it_going():
    rig = checked()
    for _ in range(4):
        rig.wait(0.9)
        rig.say("SYST:KEEP")
    assert rig.say(frame(1, "SESS:STAT?")) == frame(1, "OK PAUSED")


def test_a_repeated_step_raises_once():
    rig = checked(milliamperes=0)
    rig.wait(0.5)
    step = frame(1, "SOUR1:CURR 1mA")
    for _ in range(5):
        assert rig.say(step) == frame(1, "OK")
        rig.wait(0.5)
    assert rig.say(frame(2, "SOUR1:CURR?")) == frame(2, "OK 0.001")
    assert max(p.commanded_a for p in rig.pulses(1)) == pytest.approx(1.02e-3)


def test_a_damaged_step_does_not_act():
    rig = checked(milliamperes=1)
    rig.wait(0.5)
    assert rig.say(frame(1, "SOUR1:CURR 2mA")[:-1] + "!") == ""  # the stop byte, of all bytes
    assert rig.say(frame(1, "SESS:STAT?")) == frame(1, "OK IDLE")
    rig = checked(milliamperes=1)
    rig.wait(0.5)
    assert rig.say(frame(1, "SOUR1:CURR 2mA").replace("2", "1.9")) == frame("?", "NAK checksum")
    assert rig.say(frame(1, "SOUR1:CURR?")) == frame(1, "OK 0.001")


def test_five_damaged_lines_are_a_fault_with_the_output_off():
    rig = checked()
    for _ in range(4):
        assert rig.say("#1 SOUR1:CURR 0 *0000") == frame("?", "NAK checksum")
    assert rig.say(frame(1, "SESS:STAT?")) == frame(1, "OK RUNNING")
    for _ in range(4):
        rig.say("#1 SOUR1:CURR 0 *0000")
    sent = rig.board.now
    rig.say("#1 SOUR1:CURR 0 *0000")
    assert rig.outputs() == 0
    assert last_current_s(rig, sent) < 0.01
    rig.wait(0.5)  # the fault is written down
    rig.board.usb.read()
    assert rig.say(frame(2, "SESS:STAT?;:FAUL?")) == frame(2, "OK FAULT;30")
    assert "NAK" in rig.say("FAUL:CLE")
    assert rig.say(frame(3, "FAUL:CLE")) == frame(3, "OK")
    rig.wait(1.5)  # the self-test
    assert rig.say(frame(4, "SESS:STAT?")) == frame(4, "OK IDLE")


def test_a_spoilt_link_without_output_is_only_counted():
    rig = Rig()
    rig.say(frame(0, "SYST:CHEC ON"))
    for _ in range(12):
        rig.say("#1 SOUR1:CURR 0 *0000")
    assert rig.say(frame(1, "SESS:STAT?;:SYST:LINK?")) == frame(1, "OK IDLE;2,0,0,12")


def test_the_stop_byte_and_ctrl_c_need_no_frame():
    rig = checked()
    rig.board.usb.write(b"!")
    rig.wait(0.006)
    assert rig.outputs() == 0
    assert rig.say(frame(1, "SESS:STAT?")) == frame(1, "OK IDLE")
    rig = checked()
    rig.board.usb.write(b"\x03")
    rig.wait(0.02)
    assert rig.outputs() == 0


def test_a_reset_ends_checked_mode():
    rig = checked()
    rig.board.reset()
    rig.wait(0.5)
    rig.board.usb.read()
    rig.settle()
    assert rig.ask("SYST:CHEC?;:SESS:STAT?") == "0;IDLE"
    assert "begins with #0" in rig.say(frame(5, "SESS:STAT?"))
