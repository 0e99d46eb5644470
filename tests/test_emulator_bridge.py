"""The emulated Pico behind a pseudo-terminal: programs that know serial ports can use it."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from contextlib import contextmanager

import pytest
import pyvisa
import serial
from emulator_bench import named_files, needs_image
from mpremote_rig import start_session

from rheobase.client import Stimulator
from rheobase.emulator import serve
from rheobase.emulator.filesystem import files_of_image

pytestmark = [pytest.mark.emulator, needs_image]

MAIN = """
import sys
while True:
    line = sys.stdin.readline()
    print("got", line.strip())
"""


@contextmanager
def served(files):
    named = named_files()
    assert named is not None
    paths, filesystems = [], []
    ready, stop = threading.Event(), threading.Event()

    def announce(path):
        paths.append(path)
        ready.set()

    def run():
        filesystems.append(serve(*named, files, ready=announce, stop=stop))

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert ready.wait(30), "the terminal did not come up"
        yield paths[0], filesystems
    finally:
        stop.set()
        thread.join(30)


@pytest.fixture(scope="module")
def echoing():
    with served({"main.py": MAIN}) as (path, _):
        yield path


def test_pyserial_talks_to_the_repl_and_files_written_come_back():
    with served({"main.py": "print('main was here')\n"}) as (path, filesystems):
        with serial.Serial(path, 115200, timeout=20) as port:
            assert b"MicroPython v1." in port.read_until(b">>> ")
            port.write(b"print(6 * 7)\r")
            assert b"42" in port.read_until(b">>> ")
            port.write(b"f = open('x', 'w'); f.write('kept'); f.close()\r")
            port.read_until(b">>> ")
        with serial.Serial(path, 115200, timeout=20) as port:
            port.write(b"print(open('x').read())\r")
            assert b"kept" in port.read_until(b">>> ")
    assert files_of_image(filesystems[0])["x"] == b"kept"


def test_pyvisa_asks_and_gets_lines(echoing):
    manager = pyvisa.ResourceManager("@py")
    port = manager.open_resource(
        f"ASRL{echoing}::INSTR", read_termination="\r\n", write_termination="\n", timeout=20_000
    )
    try:
        for line in ("*IDN?", "two words", "x" * 100):
            answer = port.query(line)
            if not answer.startswith("got"):
                answer = port.read()  # the device's echo came first
            assert answer == f"got {line}"
    finally:
        port.close()
        manager.close()


def test_what_rheobase_emulate_serves_can_be_armed_and_started():
    command = [sys.executable, "-m", "rheobase.cli", "emulate"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as served:
        try:
            path = served.stdout.readline().removeprefix("port ").strip()
            start_session(path, timeout_s=60.0)
            with Stimulator(path, timeout_s=60.0) as stimulator:
                assert stimulator.state == "RUNNING"
                stimulator.abort()
                assert stimulator.state != "RUNNING"
        finally:
            served.send_signal(signal.SIGTERM)
        assert served.wait(60) == 0
