"""mpremote as people use it, against genuine MicroPython on the emulated Pico."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from contextlib import contextmanager

import pytest
from emulator_bench import named_files, needs_image
from mpremote_rig import OUTPUTS, high_after, mpremote, start_session

from firmware.boards import pico_reference as wired
from rheobase.emulator import files_of_firmware, serve
from rheobase.sim.bench import Bench, Recorder

pytestmark = [pytest.mark.emulator, needs_image]

STOP_BAR_S = 0.030  # from Ctrl-C to the legs low, a garbage collection included


class Served:
    """The firmware on the emulated Pico behind a port; its next Ctrl-C meets a high leg."""

    def __init__(self):
        self.port = ""
        self.bench = Bench(recorder=Recorder(()))
        self.interrupted_at = None
        self.wait_for_a_leg = False
        self._calls = []

    def begin(self, pico):
        self.pico = pico
        pico.record(OUTPUTS)
        self.bench.try_stop(3.0)
        self._write, self._read = pico.serial.write, pico.serial.read
        pico.serial.write, pico.serial.read = self.write, self.read

    def call(self, action):
        """Do something with the Pico in the thread that it lives in."""
        future = Future()
        self._calls.append((action, future))
        return future.result(60)

    def read(self, size=-1):
        """Called by `serve` at every step."""
        while self._calls:
            action, future = self._calls.pop(0)
            try:
                future.set_result(action(self.pico))
            except BaseException as error:
                future.set_exception(error)
        return self._read(size)

    def write(self, data, at=None):
        if self.wait_for_a_leg and b"\x03" in data:
            self.wait_for_a_leg = False
            self.pico.run_until_pin(wired.LEGS_BASE, 1)
            self.pico.run_for(50e-6)
            assert any(self.pico.level(pin) for pin in range(2, 6))
            self.pico.take_edges()
            self.interrupted_at = self.pico.now
        self._write(data, at)


@contextmanager
def served(files=None):
    """The compiled firmware, or these files, on an emulated Pico behind a port."""
    named = named_files()
    assert named is not None
    board = Served()
    ready, stop = threading.Event(), threading.Event()
    failures = []

    def announce(path):
        board.port = path
        ready.set()

    def run():
        try:
            content = files_of_firmware(compiled=True) if files is None else files
            serve(*named, content, ready=announce, stop=stop, begin=board.begin, bench=board.bench)
        except BaseException as error:
            failures.append(error)
            ready.set()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert ready.wait(180) and board.port, failures
        yield board
    finally:
        stop.set()
        thread.join(30)
    assert not failures


def test_it_lists_copies_and_runs_idle_and_stops_a_session_first(tmp_path):
    content = bytes(range(256)) * 4
    (tmp_path / "there").write_bytes(content)
    (tmp_path / "script.py").write_text("import sys\nprint(sys.implementation.version)\n")
    with served() as board:
        start_session(board.port, timeout_s=20.0)
        board.wait_for_a_leg = True
        result = mpremote(board.port, "exec", "print(6 * 7)")
        assert (result.returncode, result.stdout) == (0, "42\n"), result.stderr
        edges = board.call(lambda pico: pico.edges)
        taken = high_after(board.interrupted_at, edges.clocks, edges.levels)
        assert taken / board.pico.clock_hz < STOP_BAR_S

        listed = mpremote(board.port, "fs", "ls")
        assert "firmware/" in listed.stdout and "main.py" in listed.stdout
        assert mpremote(board.port, "fs", "cp", tmp_path / "there", ":data.bin").returncode == 0
        assert mpremote(board.port, "fs", "cp", ":data.bin", tmp_path / "back").returncode == 0
        assert (tmp_path / "back").read_bytes() == content
        ran = mpremote(board.port, "run", tmp_path / "script.py")
        assert ran.stdout.startswith("(1, "), ran.stderr
