"""The client's line: it finds its beat, and takes nothing for an answer that is none."""

import contextlib

import pytest
import serial
from hypothesis import given, settings
from hypothesis import strategies as st

import rheobase
from rheobase.client import LinkError, PortError
from rheobase.client.line import IDENTITY, Line
from rheobase.client.words import NUMBER, WORD
from scpi.instrument import Instrument
from scpi.kinds import Quantity
from scpi.rows import Rows


class Clock:
    """Time that passes when somebody waits."""

    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


class Wire:
    """A port in front of a small instrument, which can be made to misbehave."""

    def __init__(self, before=b"", echo=False, prompt=False, identity="Rheobase,Test,0,1"):
        self.clock = Clock()
        self.width = 400_000
        self.stops = []
        self.written = []
        self.dead = False
        self.instrument = Instrument(
            identity,
            Rows((
                ("PULSe:WIDTh", self.put, lambda: self.width, Quantity("S", 9, 20_000, 10**6)),
                ("SESSion:STATe", None, lambda: "IDLE"),
                ("ABORt", lambda: None, None),
            )),
            immediate=b"!",
            on_immediate=self.stops.append,
        )
        self.instrument.prompt = prompt
        self.out = bytearray(before)
        self.echo = echo
        self.closed = False

    def put(self, value):
        self.width = value

    def write(self, data):
        self.written.append(data)
        if self.echo:
            self.out += data.replace(b"\n", b"\r\n")
        if not self.dead:
            self.instrument.receive(data)
            while (reply := self.instrument.take_reply()) is not None:
                self.out += reply + b"\r\n"

    def read(self, size=1):
        if not self.out:
            self.clock.now += 0.05
        data = bytes(self.out[:size])
        del self.out[:size]
        return data

    @property
    def in_waiting(self):
        return len(self.out)

    def close(self):
        self.closed = True

    def line(self):
        return Line(self, clock=self.clock)

    def stimulator(self):
        return rheobase.Stimulator(self, clock=self.clock)


@pytest.mark.parametrize("echo", (False, True))
@pytest.mark.parametrize("prompt", (False, True))
@pytest.mark.parametrize(
    "before",
    (
        b"",
        b'MPY: soft reboot\r\n0,"No error"\r\n1.5\r\n',
        b"\xff\xfe\x00 noise without end",
        b'-222,"Data out of range;somebody else\'s"\r\n' * 30,
    ),
    ids=("quiet", "boot", "noise", "errors"),
)
def test_finds_the_beat_of_the_conversation(before, prompt, echo):
    wire = Wire(before, echo, prompt)
    wire.instrument.receive(b"PULS:WID")  # a line that somebody began and left
    line = wire.line()
    line.synchronise()
    assert line.query("*IDN?", IDENTITY) == "Rheobase,Test,0,1"
    line.set("PULS:WIDT 250us")
    assert wire.width == 250_000
    assert line.query("PULS:WIDT?", NUMBER) == "0.00025"


@settings(max_examples=150, deadline=None)
@given(st.lists(st.binary(max_size=40), max_size=4), st.booleans())
def test_garbage_on_the_line_is_never_taken_for_an_answer(pieces, to_device):
    """Whatever stands on the line before a synchronisation, the answer after it is the answer."""
    wire = Wire()
    line = wire.line()
    for piece in pieces:
        if to_device:
            wire.instrument.receive(piece)
            wire.width = 400_000
        else:
            wire.out += piece
        line.synchronise()
        assert line.query("PULS:WIDT?", NUMBER) == "0.0004"
        assert line.query("SESS:STAT?", WORD) == "IDLE"


@given(st.lists(st.text(st.characters(codec="ascii"), max_size=20), max_size=5))
def test_lines_that_are_no_answer_are_skipped(lines):
    """A banner in the middle: only what has the form of the answer counts."""
    wire = Wire()
    line = wire.line()
    pieces = "\n".join(lines).splitlines()
    noise = [text for text in pieces if not text.strip("\0 ").isalpha() and '"' not in text]
    wire.out += "".join(text + "\n" for text in noise).encode()
    assert line.query("SESS:STAT?", WORD) == "IDLE"


def test_a_refusal_is_an_exception_with_code_and_words():
    wire = Wire()
    with pytest.raises(rheobase.StimulatorError) as caught:
        wire.line().set("PULS:WIDT 5us")
    assert caught.value.code == -222
    assert "5 us below 20 us" in caught.value.text
    assert wire.width == 400_000


def test_a_refusal_empties_the_queue_behind_it():
    wire = Wire()
    wire.instrument.receive(b"NONSENSE\nPULS:WIDT 2\n")
    line = wire.line()
    with pytest.raises(rheobase.StimulatorError) as caught:
        line.set("PULS:WIDT 5us")
    assert [code for code, _ in caught.value.all_errors] == [-113, -222, -222]
    line.set("PULS:WIDT 50us")
    assert line.errors() == []


def test_an_error_that_belongs_to_nobody_does_not_cost_an_answer():
    wire = Wire()
    line = wire.line()
    wire.instrument.receive(b"NONSENSE\nNONSENSE:TWO\n")
    assert line.query("PULS:WIDT?", NUMBER) == "0.0004"
    assert len(line.errors()) == 2
    assert line.errors() == []


def test_errors_that_were_there_before_are_not_lost():
    wire = Wire()
    wire.instrument.receive(b"NONSENSE\n")
    line = wire.line()
    line.synchronise()
    assert [code for code, _ in line.errors()] == [-113]
    assert line.errors() == []


def test_a_full_error_queue_does_not_hide_the_beat():
    wire = Wire()
    wire.instrument.receive(b"NONSENSE\n" * 40)
    line = wire.line()
    line.synchronise()
    assert line.query("*IDN?", IDENTITY)


def test_a_refused_query_does_not_wait_for_an_answer():
    wire = Wire()
    before = wire.clock.now
    with pytest.raises(rheobase.StimulatorError) as caught:
        wire.line().query("NONSENSE?", NUMBER)
    assert caught.value.code == -113
    assert wire.clock.now - before < 0.2


def test_silence_ends_in_a_clear_error_after_the_timeout():
    wire = Wire()
    line = wire.line()
    wire.dead = True
    with pytest.raises(LinkError, match="no reply in time"):
        line.query("*IDN?", IDENTITY)
    assert 2.0 <= wire.clock.now < 3.5


def test_a_late_reply_is_not_taken_for_the_next_answer():
    wire = Wire()
    line = wire.line()
    wire.dead = True
    with pytest.raises(LinkError):
        line.query("PULS:WIDT?", NUMBER)
    wire.out += b'0.123\r\n0,"No error"\r\n'
    wire.dead = False
    assert line.query("PULS:WIDT?", NUMBER) == "0.0004"


def test_a_python_prompt_is_named_as_what_it_is():
    wire = Wire()
    wire.dead = True
    line = wire.line()
    wire.out += b">>> *IDN?\r\nTraceback\r\nSyntaxError: invalid syntax\r\n>>> "
    with pytest.raises(LinkError, match="Python prompt"):
        line.query("SESS:STAT?", WORD)


def test_another_instrument_is_refused():
    with pytest.raises(PortError, match="another instrument: Other,Meter,1,2"):
        Wire(identity="Other,Meter,1,2").stimulator()


def test_a_port_that_is_pulled_out():
    class Gone(Wire):
        def read(self, size=1):
            raise serial.SerialException("device disconnected")

    with pytest.raises(PortError, match="the port is gone"):
        Gone().stimulator()


@pytest.mark.parametrize("error", (None, ValueError("mine"), KeyboardInterrupt(), SystemExit(3)))
def test_leaving_the_block_sends_the_stop_byte_first(error):
    wire = Wire()
    with contextlib.suppress(BaseException), wire.stimulator():
        wire.written.clear()
        if error is not None:
            raise error
    assert wire.written[0].startswith(b"!")
    assert wire.stops and wire.closed


def test_a_dead_stimulator_does_not_hide_the_exception_that_ends_the_block():
    wire = Wire()
    with pytest.raises(ValueError, match="mine") as caught, wire.stimulator():
        wire.dead = True
        raise ValueError("mine")
    assert any("could not be confirmed" in note for note in caught.value.__notes__)
    assert wire.closed


def test_a_stop_that_is_not_confirmed_is_an_error():
    wire = Wire()
    with pytest.raises(LinkError), wire.stimulator():
        wire.dead = True
    assert wire.closed
