"""mpremote, as people use it, against the board in real time."""

import subprocess
import sys

import pytest
from board_rig import board_with
from mpremote_rig import InterruptedInAPhase, mpremote, start_session

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


@pytest.mark.parametrize(
    "action",
    [("exec", "print(6 * 7)"), ("fs", "ls"), ("fs", "cp", "FILE", ":note.txt"), ("run", "FILE")],
    ids=lambda action: "-".join(action[:2]),
)
def test_while_a_session_runs_it_stops_the_output_first(action, tmp_path):
    path = tmp_path / "file.py"
    path.write_text("print('ran')\n")
    made = InterruptedInAPhase(b"\x03")
    with RealTimeBoard(made.make) as behind:
        start_session(behind.port)
        result = mpremote(behind.port, *[str(path) if part == "FILE" else part for part in action])
        behind.call(lambda board: board.bench.settle())
        assert result.returncode == 0, result.stderr
        expected = {"exec": "42\n", "run": "ran\n"}.get(action[0])
        if expected:
            assert result.stdout == expected
        elif action[1] == "ls":
            assert "main.py" in result.stdout and "firmware/" in result.stdout
        else:
            assert behind.call(lambda board: board.flash.files["/note.txt"]) == b"print('ran')\n"
        assert 0 < made.high_after_s() < 0.005  # Ctrl-C itself ends it
