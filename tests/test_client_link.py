"""The client on a line that loses and spoils bytes, and a host that is there or is gone."""

import random
import re
import threading

import pytest
from host_rig import Host, behind_a_port

import rheobase
from rheobase.client import LinkError, ResetError, State, Stimulator
from rheobase.client.frames import framed, read
from rheobase.client.words import NUMBER
from rheobase.sim.bench import Bench, Recorder
from rheobase.sim.board import VirtualBoard, repository_files
from rheobase.sim_port import VirtualPort, approve

CLOCKS_PER_S = 125_000_000
COUNTS = re.compile(r"\d+,\d+,\d+,\d+")


class Noisy:
    """A virtual port that drops and flips bytes both ways; it never makes a stop byte."""

    name = "a bad cable"

    def __init__(self, port, each, seed=1):
        self._port = port
        self._random = random.Random(seed)
        self.each = each
        """One byte in so many is hit; 0 for none."""
        self.hit = 0

    def __getattr__(self, name):
        return getattr(self._port, name)

    def write(self, data):
        return self._port.write(self._spoilt(data))

    def read(self, size=1):
        data = self._port.read(size)
        return self._spoilt(data) if data else data

    def _spoilt(self, data):
        if not self.each:
            return data
        spoilt = bytearray()
        for byte in data:
            if self._random.randrange(self.each):
                spoilt.append(byte)
                continue
            self.hit += 1
            other = byte ^ 1 << self._random.randrange(7)
            if self._random.randrange(2) and other not in (0x21, 0x03):
                spoilt.append(other)
        return bytes(spoilt)


def test_frames_go_there_and_back():
    assert framed(17, "SOUR1:PULS:WIDT?") == "#17 SOUR1:PULS:WIDT? *C99D"
    assert read("#17 OK 0.0003 *F4CE") == ("17", "OK", "0.0003")
    assert read("#17 OK 0.0003 *F4CF") is None
    assert read("#17 SOUR1:PULS:WIDT? *C99D") is None  # an echo


def test_checked_mode_is_used_when_offered_and_left_at_the_end():
    host = Host(keep=())
    assert host.stimulator.line.checked
    host.port.write(b"SYST:CHEC?\n")
    host.port.sleep(0.05)
    assert host.port.read(200).startswith(b"#? NAK")
    host.stimulator.close()
    host.port.write(b"SYST:CHEC?\n")
    host.port.sleep(0.05)
    assert host.port.read(200).strip() == b"0"


def test_plain_lines_if_wanted():
    host = Host(keep=())
    plain = rheobase.Stimulator(host.port, clock=host.port, checked=False)
    assert not plain.line.checked
    plain.channel(1).width_us = 250
    assert plain.channel(1).width_us == 250


def test_takes_over_from_a_host_that_was_killed():
    host = Host(keep=())
    host.stimulator.channel(1).width_us = 250
    host.port.write(b"#7 SOUR1:PULS:WIDT 1")  # in the middle of a line
    again = rheobase.Stimulator(host.port, clock=host.port)
    assert again.line.checked
    assert again.channel(1).width_us == 250
    assert again.errors == []


def test_a_bad_cable_changes_nothing_but_the_time():
    """One byte in 150 is lost or wrong, in both directions."""
    host = Host()
    noisy = Noisy(host.port, 150)
    stimulator = rheobase.Stimulator(noisy, clock=host.port)
    channel = stimulator.channel(1)
    channel.configure(enabled=True, ramp_up_s=0, ramp_down_s=0, on_s=3600, rate_hz=50)
    stimulator.session.duration_s = 3601
    for width_us in range(100, 400, 5):
        channel.width_us = width_us
        assert channel.width_us == width_us
    approve(stimulator)
    stimulator.arm()
    stimulator.start()
    steps = [currents[1] for currents in stimulator.raise_current(1, 12)]
    assert steps == list(range(1, 13))
    assert stimulator.state == State.RUNNING
    noisy.each = 0
    frames, repeats, missing, bad = map(
        int, stimulator.line.query("SYST:LINK?", COUNTS).split(",")
    )
    assert noisy.hit > 50 and repeats > 5 and bad > 5 and missing == 0
    levels = [round(p.commanded_a / 60e-6) for p in host.pulses()]
    assert all(b - a <= 17 for a, b in zip(levels, levels[1:], strict=False))


def test_a_step_whose_reply_is_lost_is_made_once():
    host = Host()
    host.start(rate_hz=50)
    host.port.sleep(0.6)

    class LosesReplies:
        """Loses the next three replies."""

        left = 3

        def __getattr__(self, name):
            return getattr(host.port, name)

        def read(self, size=1):
            data = host.port.read(size)
            if data.strip() and self.left:
                self.left -= 1
                return b""
            return data

    host.stimulator.line.port = LosesReplies()
    host.stimulator.channel(1).current_ma = 1
    assert host.stimulator.line.port.left == 0
    assert host.stimulator.channel(1).current_ma == 1


def test_a_dead_line_is_an_error_in_time():
    host = Host(keep=())
    host.stimulator.line.port = Noisy(host.port, 1)
    begun = host.port.monotonic()
    with pytest.raises(LinkError, match="no reply in time"):
        host.stimulator.line.query("SESS:TIME?", NUMBER)
    assert host.port.monotonic() - begun < 2.5
    host.stimulator.line.port = host.port
    assert host.stimulator.state == State.IDLE


def test_a_reset_is_told():
    host = Host(keep=())
    host.board.reset()
    host.port.sleep(1)
    with pytest.raises(ResetError):
        _ = host.stimulator.state
    assert host.stimulator.state in (State.SELFTEST, State.IDLE)  # and then it goes on


# -- the sign of life -----------------------------------------------------------------------------


def test_the_block_keeps_in_touch():
    host = Host()
    with host.stimulator as stimulator:
        host.start(rate_hz=50)
        list(stimulator.raise_current(1, 2))
        host.port.sleep(15)
        assert stimulator.state == State.RUNNING
        assert stimulator.channel(1).current_ma == 2
    assert host.silent_for(1.0)


def test_the_block_keeps_in_touch_in_plain_lines_too():
    host = Host()
    with rheobase.Stimulator(host.port, clock=host.port, checked=False) as stimulator:
        host.stimulator = stimulator
        host.start(rate_hz=50)
        host.port.sleep(6)
        assert stimulator.state == State.RUNNING
        assert stimulator.errors == []


def test_without_the_block_silence_pauses_and_says_why():
    host = Host()
    host.start(rate_hz=50)
    host.port.sleep(4)
    assert host.stimulator.state == State.PAUSED
    ((code, text),) = host.stimulator.errors
    assert code == 31 and "SESS:STAN ON" in text


def test_threads_share_the_line():
    """Several threads and the sign of life; every answer is its own question's."""
    with behind_a_port(keep=()) as board:
        with rheobase.Stimulator(board.port, timeout_s=10) as stimulator:
            stimulator._keepalive._every_s = 0.01
            stimulator._keepalive.stop()
            stimulator._keepalive.start()
            stimulator.channel(1).width_us, stimulator.channel(2).width_us = 111, 222
            wrong = []

            def ask(number):
                for _ in range(25):
                    if stimulator.channel(number).width_us != 111 * number:
                        wrong.append(number)

            threads = [threading.Thread(target=ask, args=(n,)) for n in (1, 2, 1, 2)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert wrong == []
        assert not any(t.name == "rheobase keepalive" for t in threading.enumerate())


def test_a_board_that_is_still_starting_is_met_in_checked_mode():
    """It reads the frames that were sent to it too early, when the host speaks plainly again."""
    files = dict(repository_files())
    source = files["/main.py"].read_text()
    files["/main.py"] = "import time\ntime.sleep_ms(1500)\n" + source
    board = VirtualBoard(files, bench=Bench(recorder=Recorder(())))
    board.start()
    port = VirtualPort(board)
    stimulator = Stimulator(port, clock=port, timeout_s=5.0)
    assert stimulator.line.checked
    assert stimulator.identity.maker == "Rheobase"
    assert stimulator.state != "RUNNING"
