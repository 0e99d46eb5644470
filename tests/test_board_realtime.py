"""The board behind a pseudo-terminal, with a clock that the test owns."""

import os
import select
import tty

import pytest
from board_rig import board_with

from rheobase.sim.errors import FirmwareCrash, HardFault
from rheobase.sim.realtime import STEP_S, RealTimeBoard

ECHO = """
    import micropython, sys
    micropython.kbd_intr(-1)
    while True:
        sys.stdout.buffer.write(sys.stdin.buffer.read(1))
"""
PATIENCE_S = 60  # real time; only a failing test waits so long


class Clock:
    """A wall clock that goes on only while the board waits (and by `stall` once)."""

    def __init__(self):
        self.now = 1000.0
        self.stall = 0.0

    def __call__(self):
        return self.now

    def wait(self, port, seconds):
        self.now += seconds + self.stall
        self.stall = 0.0


def real_time(main, **options):
    clock = Clock()
    board = RealTimeBoard(
        lambda: board_with(main, **options), clock=clock, wait=clock.wait
    )
    board.test_clock = clock
    return board


def open_port(board):
    port = os.open(board.port, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(port)
    return port


def read(port, size):
    data = b""
    while len(data) < size:
        if not select.select([port], [], [], PATIENCE_S)[0]:
            raise TimeoutError(data)
        data += os.read(port, size - len(data))
    return data


def test_bytes_pass_both_ways_unchanged():
    everything = bytes(range(256))
    with real_time(ECHO) as board:
        port = open_port(board)
        os.write(port, everything)
        assert read(port, 256) == everything
        os.close(port)


def test_a_host_may_close_and_open_again():
    with real_time(ECHO) as board:
        for text in (b"one", b"two", b"three"):
            port = open_port(board)
            os.write(port, text)
            assert read(port, len(text)) == text
            os.close(port)
        assert board.running


def test_it_keeps_pace_and_notes_when_it_was_late():
    with real_time("import time\nwhile True:\n    time.sleep_ms(1)") as board:
        begun = board.call(lambda b: (b.now_s, board.test_clock()))
        while board.test_clock() < begun[1] + 1.0:
            board.call(lambda b: None)
        ended = board.call(lambda b: (b.now_s, board.test_clock()))
        passed = [ended[i] - begun[i] for i in (0, 1)]
        assert abs(passed[0] - passed[1]) < 3 * STEP_S
        assert board.late_s < 0.01

        def stall(seconds):
            board.test_clock.stall = seconds

        board.call(lambda b: stall(0.3))
        board.call(lambda b: None)
        while board.late_s < 0.29:
            board.call(lambda b: None)
        assert board.slips == 0
        board.call(lambda b: stall(5.0))
        while not board.slips:
            board.call(lambda b: None)
        assert board.slips == 1


def test_a_host_that_reads_nothing_stalls_the_board_and_is_let_go_later():
    flood = """
        import sys, time
        while True:
            sys.stdout.buffer.write(b"0123456789" * 20)
            time.sleep_ms(1)
    """
    with real_time(flood) as board:
        port = open_port(board)
        while board.call(lambda b: b.usb.reading):
            pass
        assert read(port, 10_000).count(b"0123456789") > 900
        os.close(port)


def test_actions_run_in_the_board_s_thread_and_may_raise():
    with real_time(ECHO) as board:
        board.call(lambda b: b.drive(3, 1))
        assert board.call(lambda b: b.level(3)) == 1
        with pytest.raises(ZeroDivisionError):
            board.call(lambda b: 1 // 0)


def test_a_crash_of_the_firmware_is_logged_and_the_prompt_answers(caplog):
    with real_time("1 // 0") as board:
        port = open_port(board)
        os.write(port, b"\r")
        assert b">>> " in read(port, 6)
        os.close(port)
    assert any(isinstance(r.exc_info[1], FirmwareCrash) for r in caplog.records if r.exc_info)


def test_a_failed_simulation_is_raised_at_stop():
    board = real_time("import machine\nmachine.mem32[0x30000000]")
    board.start()
    board._thread.join(PATIENCE_S)
    assert not board.running
    with pytest.raises(HardFault):
        board.stop()
