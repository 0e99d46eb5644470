"""mpremote, as people use it, against the board in real time."""

import subprocess
import sys

import pytest
from board_rig import board_with

from rheobase.sim.realtime import RealTimeBoard

pytest.importorskip("mpremote")

RUNNING = """
    import time
    while True:
        time.sleep_ms(5)
"""
PATIENCE_S = 60  # only a failing test waits so long


@pytest.fixture(scope="module")
def remote():
    with RealTimeBoard(lambda: board_with(RUNNING)) as board:

        def run(*args):
            command = [sys.executable, "-m", "mpremote", "connect", board.port, *args]
            return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)

        yield run


def test_it_interrupts_the_firmware_and_runs_code(remote):
    result = remote("exec", "import machine; print(machine.freq())")
    assert (result.stdout, result.returncode) == ("125000000\n", 0)


def test_an_exception_comes_back_as_one(remote):
    result = remote("exec", "raise ValueError(3)")
    assert result.returncode == 1
    assert result.stdout.endswith("ValueError: 3\n") or "ValueError: 3" in result.stderr


def test_it_copies_files_there_and_back(remote, tmp_path):
    content = bytes(range(256)) * 12
    (tmp_path / "there").write_bytes(content)
    assert remote("fs", "cp", str(tmp_path / "there"), ":data.bin").returncode == 0
    assert "3072 data.bin" in remote("fs", "ls").stdout
    assert remote("fs", "cp", ":data.bin", str(tmp_path / "back")).returncode == 0
    assert (tmp_path / "back").read_bytes() == content
