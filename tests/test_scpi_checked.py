"""Checked mode: nothing damaged is executed, nothing is executed twice, and every loss is told."""

import binascii
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scpi_device import IDENTITY, Device

from scpi.checked import Checked, crc16, framed

REPLY = re.compile(rb"#(\d+|\?)(?: (.*))? \*([0-9A-F]{4})", re.DOTALL)


def frame(number, text=""):
    """A frame by Python's own CRC."""
    body = f"#{number} {text}".rstrip(" ").encode()
    return body + b" *%04X" % binascii.crc_hqx(body, 0xFFFF)


def read(reply):
    """(number, text) of a reply whose checksum is right by Python's own CRC."""
    data = reply.encode()
    found = REPLY.fullmatch(data)
    assert found, reply
    assert int(found[3], 16) == binascii.crc_hqx(data[:-6], 0xFFFF), reply
    return found[1].decode(), (found[2] or b"").decode()


class Host:
    """Sends frames to a device in checked mode and reads the replies."""

    def __init__(self, on=True):
        self.faults = []
        self.checked = Checked(5, lambda: self.faults.append(1))
        self.device = Device(self.checked)
        if on:
            assert self.say(0, "SYST:CHEC ON") == [("0", "OK")]

    def raw(self, data):
        self.device.send(data + b"\n")
        return [read(reply) for reply in self.device.replies()]

    def say(self, number, text=""):
        return self.raw(frame(number, text))


@given(st.binary(max_size=300))
def test_the_checksum_is_the_one_that_everybody_has(data):
    assert crc16(data, len(data)) == binascii.crc_hqx(data, 0xFFFF)


def test_known_checksums():
    assert crc16(b"123456789", 9) == 0x29B1  # the check value of CRC-16/CCITT-FALSE
    assert framed(17, "SOUR1:PULS:WIDT?") == "#17 SOUR1:PULS:WIDT? *C99D"
    assert framed(3, "") == frame(3).decode()


def test_every_line_is_answered_under_its_number():
    host = Host()
    assert host.say(1, "SOUR1:PULS:WIDT 250us") == [("1", "OK")]
    assert host.say(2, "SOUR1:PULS:WIDT?;:OUTP2?") == [("2", "OK 0.00025;0")]
    assert host.say(3) == [("3", "OK")]
    assert host.device.calls == [("width", 1, 250_000)]


def test_a_refusal_comes_with_its_answers_and_not_in_the_queue():
    host = Host()
    (number, text), = host.say(1, "OUTP1?;:SOUR1:PULS:WIDT 5us;:OUTP1 ON")
    assert number == "1"
    assert text == 'ERR -222,"Data out of range;SOUR1:PULS:WIDT 5 us below 20 us" 0'
    assert host.device.calls == []
    assert host.say(2, "SYST:ERR?") == [("2", 'OK 0,"No error"')]
    assert host.say(3, "*ESR?") == [("3", "OK 144")]  # power on and the execution error


def test_a_repeat_gets_the_same_reply_and_is_not_executed_again():
    host = Host()
    for number, text in ((1, "TRIG 2"), (2, "TRIG"), (3, "FOO"), (4, "*ESR?")):
        first = host.say(number, text)
        assert host.say(number, text) == host.say(number, text) == first
    assert host.device.calls == [("trigger", 2), ("trigger", 1)]
    assert host.say(5, "SYST:LINK?") == [("5", "OK 14,8,0,0")]


def test_another_line_under_a_used_number_is_refused():
    host = Host()
    host.say(1, "TRIG 1")
    assert host.say(1, "TRIG 2") == [("1", "NAK number used already")]
    assert host.device.calls == [("trigger", 1)]


def test_an_old_number_is_refused():
    host = Host()
    for number in (1, 2, 3):
        host.say(number, "TRIG 1")
    assert host.say(2, "TRIG 1") == [("2", "NAK old number")]
    assert len(host.device.calls) == 3


def test_numbers_start_over():
    host = Host()
    assert host.say(9998, "*STB?") == [("9998", "NAK old number")]
    host.checked._number = 9998
    assert host.say(9999, "TRIG 1") == [("9999", "OK")]
    assert host.say(1, "TRIG 2") == [("1", "OK")]
    assert host.say(9999, "TRIG 1") == [("9999", "NAK old number")]
    assert host.checked.missing == 0


def test_missing_lines_are_told():
    host = Host()
    host.say(1)
    assert host.say(5, "TRIG 1") == [("5", "OK")]
    assert host.say(6, "SYST:ERR?") == [("6", 'OK -360,"Communication error;3 lines missing"')]
    assert host.say(7, "SYST:LINK?") == [("7", "OK 5,0,3,0")]


def test_number_0_begins_anew():
    host = Host()
    host.say(1, "TRIG 1")
    assert host.say(0, "SYST:CHEC ON") == host.say(0, "SYST:CHEC ON") == [("0", "OK")]
    assert host.say(1, "TRIG 1") == [("1", "OK")]
    assert len(host.device.calls) == 2


def test_a_conversation_begins_with_0():
    host = Host(on=False)
    assert host.say(4, "TRIG 1") == [("4", "NAK a conversation begins with #0")]
    assert host.device.calls == []


def test_plain_lines_are_refused_while_it_is_on():
    host = Host()
    for line in (b"TRIG 1", b"SYST:CHEC OFF", b"*RST", b"*IDN?;TRIG 1"):
        (number, text), = host.raw(line)
        assert number == "?"
        way_out = text.removeprefix("NAK checked mode is on; it ends by ")
        host.say(0)
    assert host.device.calls == [] and host.device.resets == 0
    host.device.send("*idn?\n")
    assert host.device.replies() == [IDENTITY]
    assert host.raw(way_out.encode()) == [("0", "OK")]
    assert host.device.ask("TRIG 1;*OPC?") == ["1"]


def test_plain_lines_work_beside_frames_while_it_is_off():
    host = Host(on=False)
    assert host.device.ask("OUTP?") == ["0"]
    assert host.say(0, "OUTP?") == [("0", "OK 0")]
    assert host.device.ask("SYST:CHEC?;LINK?") == ["0;1,0,0,0"]


def test_the_mode_survives_rst():
    host = Host()
    host.say(1, "*RST")
    assert host.say(2, "SYST:CHEC?") == [("2", "OK 1")]


@pytest.mark.parametrize("line", (
    b"TRIG 1", b"#", b"#1", b"# *", b"#1 TRIG 1", b"#1 TRIG 1 *", b"#1 TRIG 1 *12", b"*0000",
    b"#1 TRIG 1*5AD5", b"#1 TRIG 1 *GGGG", b"#1 TRIG 1 *00000", frame("", "TRIG 1"),
    frame("1x", "TRIG 1"), frame("-1", "TRIG 1"), frame(12345, "TRIG 1"), frame("1\tTRIG 1"),
    b"x" * 300, b"#1 TR\0IG 1", frame(1, "TRIG 1")[:-1] + b":",
))  # fmt: skip
def test_a_bad_line_is_dropped_with_a_reason(line):
    host = Host()
    answers = host.raw(line)
    ((number, text),) = answers
    assert number == "?" and text.startswith("NAK ")
    assert host.checked.bad == 1
    assert host.device.calls == []
    assert host.say(1, "TRIG 2") == [("1", "OK")]
    assert host.device.errors() == []


def test_small_hexadecimal_and_white_space_do_for_a_person():
    host = Host()
    line = frame(1, "TRIG 1")
    assert host.raw(b"  " + line[:-4] + line[-4:].lower() + b"  ") == [("1", "OK")]


def test_five_bad_lines_in_a_row_are_a_fault():
    host = Host()
    for count in range(1, 12):
        host.raw(b"#1 TRIG 1 *0000")
        assert len(host.faults) == count // 5
    host.say(1)
    for _ in range(10):
        for _ in range(4):
            host.raw(b"#1 TRIG 1 *0000")
        host.say(1)
    assert len(host.faults) == 2
    host.device.send(b"!" * 20)
    assert len(host.faults) == 2


def test_bad_frames_are_no_fault_while_it_is_off():
    host = Host(on=False)
    for _ in range(20):
        host.raw(b"#1 TRIG 1 *0000")
    assert host.faults == []


def test_the_stop_byte_works_inside_a_frame_and_costs_only_that_frame():
    host = Host()
    whole = frame(1, "TRIG 1")
    for cut in range(1, len(whole)):
        host.device.send(whole[:cut] + b"!")
        assert len(host.device.stops) == cut  # at once, before the line's end
        host.device.send(whole[cut:] + b"\n")
        assert host.device.replies() == []
    assert host.device.calls == []
    assert host.say(1, "TRIG 1") == [("1", "OK")]


def test_opc_waits_and_its_repeats_are_told_so():
    host = Host()
    host.device.working = True
    assert host.say(1, "*OPC?") == []
    assert host.say(1, "*OPC?") == [("1", "BUSY")]
    host.device.working = False
    assert [read(reply) for reply in host.device.replies()] == [("1", "OK 1")]
    assert host.say(1, "*OPC?") == [("1", "OK 1")]


def test_another_frame_interrupts_opc():
    host = Host()
    host.device.working = True
    host.say(1, "*OPC?")
    assert host.say(2, "OUTP?") == [("2", "OK 0")]
    host.device.working = False
    assert host.device.replies() == []
    assert host.device.errors() == [-410]


@pytest.mark.parametrize("plain", ("OUTP?", "*CLS", "*RST"))
def test_a_plain_line_that_ends_the_wait_leaves_a_reply_for_the_repeat(plain):
    host = Host(on=False)
    host.say(0, "")
    host.device.working = True
    host.say(1, "*OPC?")
    host.device.ask(plain)
    assert host.say(1, "*OPC?") == [("1", 'ERR -410,"Query INTERRUPTED"')]


def test_errors_of_nobody_wait_in_the_queue_also_with_a_prompt():
    host = Host()
    host.say(1, "SYST:PROM ON")
    host.device.instrument.error(101, "left")
    assert host.device.replies() == []
    assert host.say(2, "SYST:ERR?") == [("2", 'OK 101,"Electrode open;left"')]


def test_who_is_heard():
    host = Host()
    heard = host.device.heard
    host.say(1)
    host.say(1)
    host.say(1, "TRIG 1")  # a used number: but somebody is there
    host.say(2, "FOO")
    assert host.device.heard == heard + 4
    for noise in (b"TRIG 1", b"#1 x *0000", b"\xff\xfe", b"*IDN", b"!"):
        host.raw(noise)
    assert host.device.heard == heard + 4


def test_who_is_heard_in_plain_lines():
    device = Device()
    for line, counts in ((b"OUTP?", 1), (b"CURR 1 A", 1), (b"", 0), (b"FOO", 0), (b"\x01OUTP?", 0),
                         (b"CURR 1 V", 0), (b"*IDN?", 1), (b"!", 0)):
        before = device.heard
        device.send(line + b"\n")
        assert device.heard - before == counts, line


LINES = st.sampled_from(["TRIG 1", "TRIG 2", "OUTP1 ON", "CURR 1mA", "CURR?", "FOO", ""])


@settings(deadline=None)
@given(st.lists(LINES, min_size=1, max_size=12), st.data())
def test_a_line_that_loses_and_spoils_bytes_changes_nothing_but_the_time(lines, data):
    """A host that repeats until it is answered gets what it would have got on a sound line."""
    host, sound = Host(), Host()
    damage = st.sampled_from(["no", "drop", "flip", "cut", "lose", "no reply", "join"])
    for number, line in enumerate(lines, 1):
        expected = sound.say(number, line)
        for _ in range(30):
            sent = bytearray(frame(number, line) + b"\n")
            kind = data.draw(damage)
            place = data.draw(st.integers(0, len(sent) - 1))
            if kind == "drop":
                del sent[place]
            elif kind == "flip":
                sent[place] ^= 1 << data.draw(st.integers(0, 6))
            elif kind == "cut":
                del sent[place:]
            elif kind == "lose":
                sent.clear()
            elif kind == "join":
                sent = sent[:-1] + sent
            stops = len(host.device.stops)
            host.device.send(bytes(sent))
            answers = [read(reply) for reply in host.device.replies()]
            if len(host.device.stops) > stops or kind == "no reply":
                continue
            if any(n == str(number) for n, _ in answers):
                assert [a for a in answers if a[0] != "?"] == expected
                break
        else:
            host.device.send(b"\n")
            host.device.replies()
            assert host.say(number, line) == expected
    assert host.device.calls == sound.device.calls
    assert host.device.state() == sound.device.state()


def test_one_or_two_wrong_bits_anywhere_are_always_seen():
    line = frame(1, "SOUR1:CURR 5 mA")
    for first in range(8 * len(line)):
        for second in range(first, 8 * len(line)):
            bad = bytearray(line)
            bad[first // 8] ^= 1 << first % 8
            if second != first:
                bad[second // 8] ^= 1 << second % 8
            checked = Checked()
            checked.switch(True)
            checked.open(frame(0))
            text = checked.open(bytes(bad))
            assert text is None or text == b"SOUR1:CURR 5 mA", bad  # a digit may become small
