"""The client: its line against noise, its settings and sessions against the real firmware."""

import contextlib
import math
import os
import signal
import subprocess
import sys
import time

import pytest
import serial
from host_rig import Host, behind_a_port
from hypothesis import given, settings
from hypothesis import strategies as st

import rheobase
from firmware.core.settings import CHANNEL, SESSION, words_of
from rheobase.client import Channel, Climb, LinkError, PortError, Session, State, find
from rheobase.client.line import IDENTITY, Line
from rheobase.client.settings import Choice, Number
from rheobase.client.words import NUMBER, WORD
from rheobase.sim_port import approve
from scpi import Instrument, Quantity

# -- the line -------------------------------------------------------------------------------------


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
            (
                ("PULSe:WIDTh", self.put, lambda: self.width, Quantity("S", 9, 20_000, 10**6)),
                ("SESSion:STATe", None, lambda: "IDLE"),
                ("ABORt", lambda: None, None),
            ),
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
                self.out += reply.encode() + b"\r\n"

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


# -- finding a port -------------------------------------------------------------------------------


class FakePort:
    def __init__(self, device, vid=None, pid=None):
        self.device, self.vid, self.pid = device, vid, pid

    def __lt__(self, other):
        return self.device < other.device


def test_finds_boards_by_their_usb_ids(monkeypatch):
    ports = [
        FakePort("/dev/ttyS0"),
        FakePort("/dev/ttyACM1", 0x2E8A, 0x0005),
        FakePort("/dev/ttyACM2", 0x303A, 0x4001),
        FakePort("/dev/ttyUSB0", 0x10C4, 0xEA60),
    ]
    monkeypatch.setattr(find.list_ports, "comports", lambda: ports)
    assert find.candidates() == ["/dev/ttyACM1", "/dev/ttyACM2"]
    asked = []

    def only_the_second(name):
        asked.append(name)
        if name != "/dev/ttyACM2":
            raise PortError(f"{name}: something else")

    assert find.find_port(only_the_second) == "/dev/ttyACM2"
    assert asked == ["/dev/ttyACM1", "/dev/ttyACM2"]
    with pytest.raises(PortError, match="more than one stimulator: /dev/ttyACM1, /dev/ttyACM2"):
        find.find_port(lambda name: None)

    def none(name):
        raise PortError(f"{name}: a meter")

    with pytest.raises(PortError, match="ttyACM1: a meter; /dev/ttyACM2: a meter"):
        find.find_port(none)
    monkeypatch.setattr(find.list_ports, "comports", lambda: ports[:1])
    with pytest.raises(PortError, match="no MicroPython board.*ports present: /dev/ttyS0"):
        rheobase.Stimulator.find()


@pytest.mark.parametrize(
    ("error", "words"),
    (
        (serial.SerialException(13, "Permission denied"), "no permission for /dev/x: join"),
        (serial.SerialException(2, "No such file"), "no port /dev/x;"),
        (serial.SerialException(16, "busy"), "/dev/x is in use by another program"),
        (serial.SerialException("Could not exclusively lock port"), "in use by another program"),
        (serial.SerialException("what?"), "can't be opened: what?"),
    ),
)
def test_why_a_port_does_not_open(error, words):
    assert words in find.reason_it_did_not_open("/dev/x", error)


def test_a_port_that_is_not_there():
    with pytest.raises(PortError, match="no port /dev/not-there"):
        rheobase.Stimulator("/dev/not-there")


# -- settings, against the firmware's own table ---------------------------------------------------


@pytest.fixture(scope="module")
def idle():
    """A board that only has its settings changed."""
    return Host(keep=())


def test_every_setting_of_the_firmware_is_an_attribute():
    assert [s.header for s in Channel.settings.values()] == [field[1] for field in CHANNEL]
    assert [s.header for s in Session.settings.values()] == [field[1] for field in SESSION]


@pytest.mark.parametrize("group, fields", ((Channel, CHANNEL), (Session, SESSION)))
def test_units_are_in_the_names_and_fit_the_firmware(group, fields):
    by_header = {field[1]: field for field in fields}
    ending = {"us": "us", "ms": "ms", "s": "s", "mA": "ma", "Hz": "hz", "cm2": "cm2", "V": "v"}
    for name, setting in group.settings.items():
        if isinstance(setting, Number):
            assert name.endswith("_" + ending[setting.unit]), name
            unit = by_header[setting.header][3]
            assert setting.unit.upper().endswith(unit), name
        if isinstance(setting, Choice):
            assert setting.words == words_of(by_header[setting.header][0])


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_what_is_set_is_read_back(idle, data):
    """Every value that the firmware's grid holds goes there and back unchanged."""
    stimulator = idle.stimulator
    group, fields = data.draw(
        st.sampled_from(
            ((stimulator.channel(1), CHANNEL), (stimulator.channel(2), CHANNEL),
             (stimulator.session, SESSION))
        )
    )  # fmt: skip
    name, setting = data.draw(st.sampled_from(list(group.settings.items())))
    _, _, scale, _, low, high = next(f for f in fields if f[1] == setting.header)[:6]
    raw = data.draw(st.integers(low, high))
    value = raw
    if isinstance(setting, Number):
        value = float(f"{raw}e{scale - setting.power}")
    elif isinstance(setting, Choice):
        value = setting.words[raw].lower()
    elif name == "enabled":
        value = bool(raw)
    setattr(group, name, value)
    assert getattr(group, name) == value


def test_infinity_and_none(idle):
    channel = idle.stimulator.channel(1)
    channel.on_s = math.inf
    assert channel.on_s == math.inf
    channel.configure(on_s=4, rest_rate_hz=0)
    assert (channel.on_s, channel.rest_rate_hz) == (4, 0)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    (
        ("width_us", 5, "5 us below 20 us"),
        ("rate_hz", 1000, "1 kHz above 500 Hz"),
        ("limit_ma", 121, "121 mA above 120 mA"),
        ("gap_us", -3, "-3 us below 2 us"),
    ),
)
def test_a_refusal_names_value_and_limit(idle, name, value, words):
    channel = idle.stimulator.channel(2)
    before = getattr(channel, name)
    with pytest.raises(rheobase.StimulatorError, match=words) as caught:
        setattr(channel, name, value)
    assert caught.value.code == -222
    assert getattr(channel, name) == before


def test_configure_is_all_or_nothing(idle):
    channel = idle.stimulator.channel(1)
    before = channel.read()
    with pytest.raises(rheobase.StimulatorError):
        channel.configure(width_us=333, gap_us=77, polarity="alternate", rate_hz=9999, count=3)
    assert channel.read() == before
    channel.configure(width_us=333, gap_us=77, polarity="ALT", rate_hz=44, count=3)
    assert channel.read("width_us", "gap_us", "polarity", "rate_hz", "count") == {
        "width_us": 333, "gap_us": 77, "polarity": "alternate", "rate_hz": 44, "count": 3,
    }  # fmt: skip


def test_configure_takes_more_than_a_line_holds(idle):
    channel = idle.stimulator.channel(2)
    values = idle.stimulator.channel(1).read()
    channel.configure(**values)
    assert channel.read() == values


@pytest.mark.parametrize(
    ("values", "error"),
    (
        ({"width_ms": 1}, TypeError),
        ({"width_us": "wide"}, TypeError),
        ({"width_us": True}, TypeError),
        ({"width_us": math.nan}, ValueError),
        ({"count": 2.5}, TypeError),
        ({"enabled": "yes"}, TypeError),
        ({"polarity": "upward"}, ValueError),
    ),
)
def test_what_is_no_value_is_not_sent(idle, values, error):
    with pytest.raises(error):
        idle.stimulator.channel(1).configure(**values)


def test_programs(idle):
    stimulator = idle.stimulator
    assert {"N01", "D35"} <= set(stimulator.programs)
    stimulator.load_program("D35", 2)
    assert stimulator.channel(2).count == 2
    with pytest.raises(rheobase.StimulatorError, match="no program X"):
        stimulator.load_program("X")
    with pytest.raises(ValueError, match="channel 3"):
        stimulator.load_program("D35", 3)


def test_reset_and_self_test(idle):
    stimulator = idle.stimulator
    stimulator.channel(1).width_us = 77
    stimulator.reset()
    assert stimulator.channel(1).width_us == 300
    assert stimulator.self_test() in (0, 1)  # the latch may still be set from power-up
    assert stimulator.state == State.IDLE
    assert stimulator.fault is None


# -- sessions, at the electrode -------------------------------------------------------------------


def test_a_session_from_arm_to_stop():
    host = Host()
    stimulator = host.stimulator
    host.load(rate_hz=50)
    approve(stimulator)
    stimulator.arm()
    assert stimulator.state == State.ARMED
    assert stimulator.supply_v > 180
    assert stimulator.contractions == (1, 0)
    stimulator.start()
    host.port.sleep(0.5)
    assert stimulator.state == State.RUNNING
    stimulator.channel(1).current_ma = 1
    host.port.sleep(0.5)
    progress = stimulator.progress
    assert progress.current_ma == (1.0, 0.0)
    assert 0.9 < progress.elapsed_s < 1.2
    assert progress.pulses[0] == stimulator.channel(1).pulses > 45
    stimulator.stop()
    assert stimulator.state == State.IDLE
    assert host.silent_for(0.5)
    delivered = [p.delivered_1_a for p in host.pulses()]
    assert max(delivered) == pytest.approx(1.02e-3, rel=1e-3)  # 17 levels of 60 uA
    assert delivered[-1] < 0.2e-3  # it faded


def test_the_way_up_keeps_pace_and_ends_at_its_target():
    host = Host()
    host.start(rate_hz=50, limit_ma=10)
    times = []
    climb = host.stimulator.raise_current(1, 4.5)
    for currents in climb:
        times.append((host.port.monotonic(), currents[1]))
    assert [current for _, current in times] == [1, 2, 3, 4, 4.5]
    steps = [b - a for (a, _), (b, _) in zip(times, times[1:], strict=False)]
    assert all(0.5 <= step < 0.6 for step in steps)
    assert climb.done and climb.advance() == 0
    assert host.stimulator.channel(1).current_ma == 4.5
    host.port.sleep(0.1)
    levels = {round(p.commanded_a / 60e-6) for p in host.pulses()}
    assert levels == {0, 17, 33, 50, 67, 75}


def test_the_way_up_runs_in_the_background_of_a_loop():
    host = Host(keep=())
    host.start(rate_hz=50)
    climb = host.stimulator.raise_current({1: 3})
    turns = 0
    while not climb.done:
        began = host.port.monotonic()
        climb.advance()
        assert host.port.monotonic() - began < 0.05  # it never waits
        host.port.sleep(0.02)
        turns += 1
    assert turns > 40


def test_down_goes_at_once():
    host = Host(keep=())
    host.start(rate_hz=50)
    list(host.stimulator.raise_current(1, 3))
    assert list(host.stimulator.raise_current(1, 0.5)) == [{1: 0.5}]
    host.stimulator.channel(1).current_ma = 0
    assert host.stimulator.channel(1).current_ma == 0


def test_a_target_above_the_ceiling_is_refused_before_the_first_step():
    host = Host(keep=())
    host.load(rate_hz=50, limit_ma=7)
    ceiling = host.stimulator.channel(1).ceiling
    assert ceiling == (7, "CURRent:LIMit")
    with pytest.raises(rheobase.StimulatorError, match="8 mA above 7 mA") as caught:
        host.stimulator.raise_current(1, 8)
    assert caught.value.code == -222


def test_a_step_too_large_or_too_soon_is_refused():
    host = Host(keep=())
    host.start(rate_hz=50)
    channel = host.stimulator.channel(1)
    with pytest.raises(rheobase.StimulatorError, match="above"):
        channel.current_ma = 5
    channel.current_ma = 1
    with pytest.raises(rheobase.StimulatorError, match="sooner than"):
        channel.current_ma = 2
    assert channel.current_ma == 1


def test_the_way_up_waits_where_nothing_is_felt_yet():
    """More than 10 mA above what was delivered is refused; the climb goes on with the pulses."""
    host = Host(keep=())
    host.load(rate_hz=50, on_s=1, off_s=9)
    approve(host.stimulator)
    host.stimulator.arm()
    host.stimulator.start()
    host.port.sleep(1.2)  # the first contraction is over, at zero
    climb = host.stimulator.raise_current(1, 15)
    for _ in range(800):
        climb.advance()
        host.port.sleep(0.01)
    assert climb.current_ma[1] == 10
    assert "delivered" in climb.waiting
    list(climb)  # the second contraction comes
    assert climb.done and not climb.waiting


def test_a_climb_ends_with_its_session():
    host = Host(keep=())
    host.start(rate_hz=50)
    climb = host.stimulator.raise_current(1, 10)
    climb.advance()
    host.stimulator.abort()
    host.port.sleep(1)
    with pytest.raises(rheobase.StimulatorError, match="only while a session runs"):
        climb.advance()
    assert isinstance(climb, Climb)


def test_pause_and_resume_start_from_zero():
    host = Host(keep=())
    host.start(rate_hz=50)
    list(host.stimulator.raise_current(1, 2))
    host.stimulator.pause()
    assert host.stimulator.state in (State.FADING, State.PAUSED)
    host.port.sleep(1.2)
    assert host.stimulator.state == State.PAUSED
    host.stimulator.resume()
    assert host.stimulator.state == State.RUNNING
    assert host.stimulator.channel(1).current_ma == 0


def test_watch_ends_with_the_session():
    host = Host(keep=())
    host.load(rate_hz=50, on_s=1)
    host.stimulator.session.duration_s = 1
    approve(host.stimulator)
    host.stimulator.arm()
    host.stimulator.start()
    looks = list(host.stimulator.watch())
    assert looks[0].state == State.RUNNING and looks[-1].state == State.IDLE
    assert 4 <= len(looks) <= 8


def test_watch_raises_what_tripped():
    host = Host()
    host.start(rate_hz=50)
    looks = host.stimulator.watch()
    next(looks)
    host.bench.press_stop()
    with pytest.raises(rheobase.StimulatorError) as caught:
        list(looks)
    assert caught.value.code > 0
    assert host.legs() == 0
    fault = host.stimulator.fault
    assert fault and fault.number == caught.value.code
    with pytest.raises(rheobase.StimulatorError):
        host.stimulator.clear_fault()
    host.bench.release_stop()
    host.stimulator.clear_fault()
    assert host.stimulator.fault is None and host.stimulator.state == State.IDLE


def test_watch_raises_when_the_stimulator_was_reset():
    host = Host()
    host.start(rate_hz=50)
    host.port.sleep(1)
    looks = host.stimulator.watch()
    assert next(looks).elapsed_s > 0.9
    host.board.reset()
    host.port.sleep(1)
    with pytest.raises(LinkError, match="was reset after 1"):
        list(looks)
    assert host.legs() == 0


def test_arm_is_refused_with_the_reason():
    host = Host(keep=())
    with pytest.raises(rheobase.StimulatorError, match="no channel is switched on"):
        approve(host.stimulator)
        host.stimulator.arm()


def test_moved_pulses_are_told():
    host = Host(keep=())
    host.load(1, rate_hz=50)
    host.load(2, rate_hz=35)
    approve(host.stimulator)
    host.stimulator.arm()
    host.stimulator.start()
    host.port.sleep(1)
    moved = host.stimulator.channel(2).moved
    assert moved.pulses >= 1
    assert 0 < moved.most_us <= 702


@pytest.mark.parametrize("error", (ValueError("mine"), KeyboardInterrupt(), SystemExit(1)))
def test_an_exception_ends_the_output_at_the_electrode(error):
    host = Host()
    with pytest.raises(type(error)), host.stimulator:
        host.start(rate_hz=100)
        list(host.stimulator.raise_current(1, 2))
        sent = host.board.now
        raise error
    last = host.pulses()[-1]
    assert last.end - sent < 0.005 * host.board.clock_hz  # within a few ms
    assert host.silent_for(2.0)
    assert host.port.closed


def test_abort_in_the_middle_of_a_line_that_was_begun():
    """An exception may come while a line is being written."""
    host = Host()
    host.start(rate_hz=100)
    host.port.write(b"SOUR1:CURR 1")
    host.stimulator.abort()
    assert host.silent_for(1.0)
    assert host.stimulator.state == State.IDLE


# -- processes that are killed --------------------------------------------------------------------

HOST_PROGRAM = """
import sys, time
import rheobase
from rheobase.sim_port import approve
with rheobase.Stimulator(sys.argv[1], timeout_s=10, stop_on_sigterm=True) as stimulator:
    stimulator.channel(1).configure(enabled=True, ramp_up_s=0, on_s=3600, rate_hz=100)
    stimulator.session.duration_s = 3700
    approve(stimulator)
    stimulator.arm()
    stimulator.start()
    stimulator.channel(1).current_ma = 1
    print("on", flush=True)
    while True:
        stimulator.progress
        time.sleep(0.02)
"""


@pytest.mark.parametrize("number", (signal.SIGTERM, signal.SIGINT))
def test_a_process_that_is_asked_to_end_leaves_the_output_off(number):
    with behind_a_port() as board:
        process = subprocess.Popen(
            [sys.executable, "-c", HOST_PROGRAM, board.port],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == b"on\n"
        deadline = time.monotonic() + 10
        while len(board.pulses()) < 10 and time.monotonic() < deadline:
            time.sleep(0.02)
        os.kill(process.pid, number)
        assert process.wait(60) != 0
        process.stdout.close()
        assert board.legs() == 0
        count = len(board.pulses())
        time.sleep(0.3)
        assert board.legs() == 0 and len(board.pulses()) == count >= 10
