"""The command line: what it prints, how it ends."""

import os
import signal
import subprocess
import sys
import time
from types import ModuleType

import click
import pytest
from cli_rig import ask, at_every_port
from host_rig import Host, behind_a_port

from firmware.boards import pico_reference
from rheobase import plot, scope
from rheobase.cli import connection, sim
from rheobase.cli import run as running
from rheobase.client import PortError

APPROVED = ("--pad", "9", "--checklist", "D1")


@pytest.fixture
def host(monkeypatch):
    """A virtual board in virtual time in place of every port."""
    host = Host()
    at_every_port(monkeypatch, host)
    return host


# -- info ----------------------------------------------------------------------------------------


def test_info_tells_identity_state_settings_and_errors(host):
    host.stimulator.channel(1).configure(width_us=321, rate_hz=44)
    host.stimulator.line.end()  # a person at a terminal was here
    host.port.write(b"NONSENSE\n")
    result = ask("info", "--port", "here")
    assert result.code == 0
    for part in ("Rheobase Two-channel stimulator", "state IDLE", "D35", "N01", "width_us 321 300",
                 "rate_hz 44 35", "duration_s 900", "-113"):  # fmt: skip
        assert part in result.said
    assert host.port.closed


def test_info_stops_nothing(host):
    host.start(rate_hz=50)
    result = ask("info", "--port", "here")
    assert "state RUNNING" in result.said
    before = len(host.pulses())
    host.port.sleep(0.5)
    assert len(host.pulses()) > before + 20


@pytest.mark.parametrize("command", (("info",), ("run", "N01", "--current", "1", *APPROVED)))
def test_a_port_that_is_not_there(command):
    result = ask(*command, "--port", "/dev/not-there")
    assert result.code == 1
    assert "no port /dev/not-there" in result.said
    assert "Traceback" not in result.said


def test_no_device_at_all(monkeypatch):
    from rheobase.client import find

    monkeypatch.setattr(find.list_ports, "comports", list)
    result = ask("info")
    assert result.code == 1
    assert "no MicroPython board on any USB port" in result.said


# -- run -----------------------------------------------------------------------------------------


def test_run_plays_a_program_and_ends_off(host):
    host.stimulator.channel(1).width_us = 50  # of no effect: it starts from a reset
    result = ask("run", "D35", "--current", "3", *APPROVED, "--duration", "5", "--port", "here")
    assert result.code == 0, result.said
    assert "channel 1: 316 pulses" in result.said
    assert max(pulse.commanded_a for pulse in host.pulses()) == pytest.approx(3e-3)
    own = [pulse for pulse in host.pulses() if pulse.commanded_a > 1e-3]  # after the check
    assert {pulse.width_1 for pulse in own} == {37_500}
    assert host.silent_for(1.0)


def test_run_with_two_channels(host):
    result = ask(
        "run", "D35", "D35", "-c", "2", "-c", "1", "-d", "5", "--pattern", "simultaneous",
        "-p", "here", "--pad", "9", *APPROVED,
    )  # fmt: skip
    assert result.code == 0, result.said
    assert "channel 1: 316 pulses" in result.said and "channel 2: 316 pulses" in result.said
    for number, top_ma in ((1, 1.98), (2, 1.02)):
        top = max(pulse.commanded_a for pulse in host.pulses(number))
        assert top * 1e3 == pytest.approx(top_ma)


@pytest.mark.parametrize(
    ("arguments", "words"),
    (
        (("N01", "--current", "300", *APPROVED), "target 300 mA above"),
        (("X99", "--current", "3", *APPROVED), "Error: X99: no program X99 (-224)"),
        (("N01", "--current", "3", *APPROVED, "--duration", "5"), "does not fit"),
    ),
)
def test_run_says_what_is_refused(host, arguments, words):
    result = ask("run", *arguments, "--port", "here")
    assert result.code == 1
    assert words in result.said and "Traceback" not in result.said
    assert host.pulses() == [] and host.legs() == 0


@pytest.mark.parametrize(
    "arguments",
    (
        ("N01",),
        (),
        ("N01", "D35", "--current", "3", *APPROVED),
        ("A", "B", "C", *("--current", "1") * 3, *APPROVED),
        ("N01", "--current", "-1", *APPROVED),
    ),
)
def test_run_wants_a_current_for_each_program(arguments):
    assert ask("run", *arguments).code == 2


def test_run_ends_with_the_fault_that_ended_the_session(host, monkeypatch):
    looks = []
    advance = running._advance

    def press_stop(stimulator, climb):
        looks.append(0)
        if len(looks) == 10:
            host.bench.press_stop()
        advance(stimulator, climb)

    monkeypatch.setattr(running, "_advance", press_stop)
    result = ask("run", "D35", "--current", "3", *APPROVED, "--duration", "5", "--port", "here")
    assert result.code == 1
    assert "stop button" in result.said
    assert host.legs() == 0


# -- sim, and stopping a run by signals ----------------------------------------------------------


def command(*arguments):
    return [sys.executable, "-m", "rheobase.cli", *arguments]


@pytest.mark.parametrize("number", (signal.SIGINT, signal.SIGTERM))
def test_a_run_that_is_interrupted_leaves_the_output_off(number):
    with behind_a_port() as board:
        process = subprocess.Popen(
            command("run", "D35", "--current", "5", *APPROVED, "--port", board.port),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        deadline = time.monotonic() + 15
        while len(board.pulses()) < 40 and time.monotonic() < deadline:
            time.sleep(0.05)
        os.kill(process.pid, number)
        said = process.communicate(timeout=60)[0]
        assert process.returncode == 128 + number, said
        assert "Traceback" not in said
        assert board.legs() == 0
        count = len(board.pulses())
        time.sleep(0.3)
        assert len(board.pulses()) == count >= 40


def test_sim_is_a_port_until_it_is_ended(tmp_path):
    link = tmp_path / "stimulator"
    process = subprocess.Popen(
        command("sim", "--port-link", str(link)), stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        port = process.stdout.readline().split()[1]
        assert os.readlink(link) == port
        done = subprocess.run(
            command("info", "--port", str(link)), capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        assert "state     IDLE" in done.stdout or "state     SELFTEST" in done.stdout
    finally:
        process.terminate()
        process.stdout.close()
        assert process.wait(60) == 0
    assert not link.is_symlink()


def test_sim_wires_the_board_that_main_names(monkeypatch):
    mine = ModuleType("firmware.boards.mine")
    vars(mine).update(vars(pico_reference))
    mine.LEGS_BASE, mine.STOP_BUTTON = 8, 3
    monkeypatch.setitem(sys.modules, "firmware.boards.mine", mine)
    wiring = sim.wired("import gc\nfrom firmware.boards import mine\n")
    assert wiring.six == (8, 9, 10, 11, 12, 13) and wiring.stop_button == 3
    with pytest.raises(click.ClickException, match="no board"):
        sim.wired("print('hello')\n")


def test_sim_does_not_overwrite_a_file(tmp_path):
    path = tmp_path / "file"
    path.write_text("mine")
    result = ask("sim", "--port-link", str(path))
    assert result.code == 1
    assert "exists and is no link" in result.said
    assert path.read_text() == "mine"


# -- scope ---------------------------------------------------------------------------------------


def test_scope_of_the_virtual_board(tmp_path, monkeypatch):
    out = tmp_path / "scope.png"
    result = ask(
        "scope", "--port", "sim", "--program", "D35", "--current", "2", "--seconds", "1",
        "--out", str(out),
    )  # fmt: skip
    assert result.code == 0, result.said
    assert "300 100" in result.said  # phase width and gap in us
    assert out.read_bytes().startswith(b"\x89PNG")


def test_scope_reads_what_the_recorder_wrote(tmp_path):
    from rheobase.recording import write_csv, write_vcd

    host = Host(keep=("edges", "phases", "waveform"))
    host.start(rate_hz=20, width_us=200, polarity="alternate")
    list(host.stimulator.raise_current(1, 2))
    host.stimulator.abort()
    host.bench.settle()
    recorder = host.bench.recorder
    with (tmp_path / "p.csv").open("w", newline="") as file:
        write_csv(recorder, file)
    with (tmp_path / "p.vcd").open("w") as file:
        write_vcd(recorder, file)
    tables = [ask("scope", str(tmp_path / name)) for name in ("p.csv", "p.vcd")]
    assert [table.code for table in tables] == [0, 0]
    own = host.pulses()
    for name in ("p.csv", "p.vcd"):
        found = scope.read(tmp_path / name)[-len(own) :]  # behind the electrode check
        assert [p[:6] for p in found] == [p[:6] for p in own]
        for one, two in zip(found, own, strict=True):
            assert one.charge_2_c == pytest.approx(two.charge_2_c, abs=2e-12)
            assert one.delivered_1_a == pytest.approx(two.delivered_1_a, abs=2e-5)
    assert {p.first for p in own} == {1, -1}


@pytest.mark.parametrize("name", ("x.csv", "x.vcd", "x.txt"))
def test_scope_of_something_else(tmp_path, name):
    path = tmp_path / name
    path.write_text("this is\nno recording\n")
    result = ask("scope", str(path))
    assert result.code == 1
    assert "Traceback" not in result.said and result.said.startswith("Error:")


def test_scope_of_an_empty_recording(tmp_path):
    from rheobase.recording.table import COLUMNS

    path = tmp_path / "empty.csv"
    path.write_text(",".join(COLUMNS) + "\n")
    assert ask("scope", str(path), "--out", str(tmp_path / "x.png")).code == 1


@pytest.mark.parametrize("arguments", ((), ("--port", "/dev/ttyACM0")))
def test_scope_wants_something_to_look_at(arguments):
    assert ask("scope", *arguments).code == 2


def test_matplotlib_is_not_loaded_by_the_client():
    code = "import sys, rheobase; rheobase.Stimulator; print('matplotlib' in sys.modules)"
    code += "; import rheobase.cli, rheobase.plot; print('matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.split() == ["False", "False"], done.stderr
    assert plot.COLOURS[1] != plot.COLOURS[2]


# -- demo, emulate -------------------------------------------------------------------------------


def test_demo_takes_its_own_options(tmp_path):
    result = ask("demo", "--virtual-time", "--seconds", "1", "--out", str(tmp_path))
    assert result.code == 0, result.said
    assert (tmp_path / "session.png").exists()


def test_every_error_of_the_client_is_one_line(monkeypatch):
    def refuse(*arguments, **options):
        raise PortError("no such luck")

    monkeypatch.setattr(connection.Stimulator, "find", refuse)
    result = ask("run", "N01", "--current", "1", *APPROVED)
    assert (result.code, result.said) == (1, "Error: no such luck")


@pytest.mark.parametrize("more", ((), ("--image", "", "--bootrom", "")))
def test_emulate_says_what_it_needs(more):
    result = ask("emulate", *more)
    assert result.code == 2
    assert "RHEOBASE_PICO_IMAGE" in result.said
