"""`rheobase flash` against the virtual board behind a port: the whole way, and what it refuses."""

import struct

import pytest
from click.testing import CliRunner
from deploy_rig import firmware
from mpremote_rig import InterruptedInAPhase, start_session

from rheobase import cli
from rheobase.build import ARCHITECTURES
from rheobase.deploy import image as images
from rheobase.deploy import install
from rheobase.deploy.boards import BOARDS
from rheobase.deploy.device import Device, Running
from rheobase.deploy.errors import DeployError
from rheobase.sim.bench import Bench
from rheobase.sim.board import VirtualBoard
from rheobase.sim.realtime import RealTimeBoard
from rheobase.tested import MICROPYTHON_TEXT

PICO = BOARDS["pico"]
QUIET = lambda text: None  # noqa: E731


def flash(*arguments):
    result = CliRunner().invoke(cli.main, ["flash", *arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


# -- the whole way -------------------------------------------------------------------------------


def test_from_an_empty_board_to_an_answer_and_again_with_nothing_to_do():
    users = {"/data/config": b"theirs", "/lib/own.py": b"x = 1\n"}
    with RealTimeBoard(lambda: VirtualBoard(users, bench=Bench())) as behind:
        first = flash("--port", behind.port, "--source")
        assert first.exit_code == 0, first.output
        assert "verified on the board by SHA-256" in first.output
        assert "answers, state" in first.output
        files = behind.call(lambda board: dict(board.flash.files))
        assert users.items() <= files.items()
        ours = {path: content for path, content in files.items() if path[:6] != "/data/"}
        second = flash("--port", behind.port, "--source")
        assert "are on the board already" in second.output
        assert "copy " not in second.output
        assert ours.items() <= behind.call(lambda board: dict(board.flash.files)).items()


def test_while_a_session_runs_the_output_ends_first_and_never_rises_again():
    made = InterruptedInAPhase(b"!")

    def make():
        board = made.make()
        board.flash.install("/firmware/core/stale.py", b"")
        return board

    with RealTimeBoard(make) as behind:
        start_session(behind.port)
        result = flash("--port", behind.port, "--source")
        assert result.exit_code == 0, result.output
        assert "remove firmware/core/stale.py" in result.output
        assert "/main.py" in behind.call(lambda board: board.flash.files)
    assert 0 < made.high_after_s() < 0.01


def test_a_file_that_reads_back_wrong_stops_it_with_the_board_at_its_prompt():
    with RealTimeBoard(lambda: VirtualBoard({})) as behind:

        def rot(board):
            stored = board.flash.store

            def store(path, content):
                stored(path, content[:-1] + b"?" if path.endswith("b.py") else content)

            board.flash.store = store

        behind.call(rot)
        with Device(behind.port) as device, pytest.raises(DeployError, match="reads back wrong"):
            install.install_files(device, firmware(1), QUIET)
        assert "/main.py" not in behind.call(lambda board: dict(board.flash.files))


def test_a_full_board_is_left_as_it_was():
    class Full:
        def hashes(self, roots):
            return {}

        def free_bytes(self):
            return 70_000

    with pytest.raises(DeployError, match="nothing was changed"):
        install.install_files(Full(), {**firmware(1), "firmware/c.py": bytes(9000)}, QUIET)


def test_a_watchdog_that_the_firmware_armed_does_not_tear_the_copy():
    """One of 1.5 s: on a busy machine it takes more than half a second to reach the board."""
    main = b"import machine, time\nw = machine.WDT(timeout=1500)\nwhile True:\n w.feed()\n"
    with RealTimeBoard(lambda: VirtualBoard({"/main.py": main})) as behind:
        with Device(behind.port) as device:
            behind.call(lambda board: board.run_for(3))
            assert device.who().name == "micropython"
        assert behind.call(lambda board: board.resets) == 1  # power-up


def test_compiled_files_are_not_copied_to_a_board_that_can_not_run_them(monkeypatch):
    monkeypatch.setattr(install, "files_of_firmware", lambda *_, **__: {"bench.mpy": b"M"})
    old = {"/boot.py": b"", "/firmware/core/old.py": b"x = 1\n"}
    with RealTimeBoard(lambda: VirtualBoard(old)) as behind:
        result = flash("--port", behind.port)
        assert result.exit_code == 1
        assert "takes no compiled files" in result.output and "--source" in result.output
        assert "nothing was changed" in result.output and "copy " not in result.output
        assert behind.call(lambda board: dict(board.flash.files)) == old


# -- boards --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["pico2", "esp32"])
def test_a_firmware_that_can_not_run_there_is_refused_before_the_port_is_opened(name):
    result = flash("--board", name, "--port", "/dev/nothing")
    assert result.exit_code == 1
    assert "does not run on the" in result.output and "Nothing was changed" in result.output
    assert "--image-only" in result.output


def test_another_chip_than_the_one_named_is_refused():
    with RealTimeBoard(lambda: VirtualBoard({})) as behind:
        result = flash("--board", "pico2", "--image-only", "--port", behind.port)
    assert result.exit_code == 1
    assert "Raspberry Pi Pico with RP2040" in result.output and "nothing was" in result.output


def test_image_only_is_content_with_what_is_there():
    with RealTimeBoard(lambda: VirtualBoard({})) as behind:
        result = flash("--image-only", "--port", behind.port)
        assert result.exit_code == 0 and f"MicroPython {MICROPYTHON_TEXT}" in result.output
        assert behind.call(lambda board: board.flash.files) == {}


def test_what_every_board_needs_is_compiled_for():
    """tests/test_mpy_cross.py compiles for all of them."""
    assert {board.march for board in BOARDS.values()} <= set(ARCHITECTURES)


# -- images --------------------------------------------------------------------------------------


def uf2(text, family=PICO.uf2_family):
    data = b""
    padded = text.ljust(-(-len(text) // 256) * 256, b"\0")
    for at in range(0, len(padded), 256):
        head = struct.pack("<8I", 0x0A324655, 0x9E5D5157, 0x2000, at, 256, 0, 0, family)
        data += (head + padded[at : at + 256]).ljust(508, b"\0") + struct.pack("<I", 0x0AB16F30)
    return data


CURRENT = uf2(bytes(200) + b"3.4.0; MicroPython v" + MICROPYTHON_TEXT.encode() + b" on 2026")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"MicroPython v1.28.0", "no whole UF2 file"),
        (CURRENT[:-1], "no whole UF2 file"),
        (uf2(b"MicroPython v1.28.0", BOARDS["pico2"].uf2_family), "for another chip"),
        (uf2(b"CircuitPython 9"), "holds no MicroPython"),
        (uf2(b"MicroPython v1.27.0"), "1.28.0 or newer is needed"),
    ],
)
def test_a_wrong_image_is_refused_before_anything_is_written(tmp_path, content, words):
    path = tmp_path / "image.uf2"
    path.write_bytes(content)
    with pytest.raises(DeployError, match=words):
        images.look_at(path, PICO)


def test_the_version_is_found_across_blocks(tmp_path):
    path = tmp_path / "image.uf2"
    path.write_bytes(uf2(bytes(250) + b"MicroPython v1.29.1 on 2027"))
    assert images.look_at(path, PICO).version == (1, 29, 1)


def drive(folder, board_id):
    folder.mkdir()
    (folder / "INFO_UF2.TXT").write_text(f"UF2 Bootloader v3.0\nBoard-ID: {board_id}\n")
    return folder


def test_the_loaders_drive_is_found_by_its_own_words(tmp_path):
    places = [tmp_path / "none", drive(tmp_path / "a", "SAMD51"), drive(tmp_path / "b", "RPI-RP2")]
    assert images.find_drive(PICO, places) == tmp_path / "b"
    assert images.find_drive(BOARDS["pico2"], places) is None
    seen = iter([[], [], places])
    assert images.wait_for_drive(PICO, 5, lambda: next(seen), lambda _: None) == tmp_path / "b"


def test_an_image_is_copied_to_the_drive_of_a_board_without_micropython(tmp_path, monkeypatch):
    place = drive(tmp_path / "drive", "RPI-RP2")
    monkeypatch.setattr(images, "drives", lambda: [place])
    path = tmp_path / "firmware.uf2"
    path.write_bytes(CURRENT)
    said = []
    install.install_image(PICO, None, None, path, said.append)
    assert (place / "firmware.uf2").read_bytes() == CURRENT


def test_without_image_and_mpflash_it_says_what_to_do(monkeypatch):
    monkeypatch.setattr(images.shutil, "which", lambda name: None)
    old = Running("micropython", (1, 20, 0), "Raspberry Pi Pico with RP2040", 0)
    assert not install.good_enough(PICO, old)
    with pytest.raises(DeployError, match="micropython.org/download/RPI_PICO") as caught:
        install.install_image(PICO, "/dev/x", old, None, QUIET)
    assert "1.20.0 answers" in str(caught.value) and "IMAGE=" in str(caught.value)


def test_mpflash_and_esptool_are_told_version_board_and_port(tmp_path, monkeypatch):
    commands = []
    note = lambda command, check: commands.append(command)  # noqa: E731
    monkeypatch.setattr(images.shutil, "which", lambda name: "/bin/mpflash")
    assert images.by_mpflash(PICO, "/dev/x", note)
    monkeypatch.setattr(images, "find_spec", lambda name: object())
    path = tmp_path / "esp.bin"
    path.write_bytes(b"\xe9" + bytes(50) + b"MicroPython v1.28.0")
    images.by_esptool(images.look_at(path, BOARDS["esp32"]), "/dev/y", note)
    assert commands[0] == ["/bin/mpflash", "flash", "--version", MICROPYTHON_TEXT,
                           "--board", "RPI_PICO", "--serial", "/dev/x"]  # fmt: skip
    assert commands[1][1:] == ["-m", "esptool", "--port", "/dev/y", "--baud", "460800",
                               "write-flash", "0x1000", str(path)]  # fmt: skip


def test_a_port_where_nothing_is_says_so():
    result = flash("--port", "/dev/nothing-here", "--source")
    assert result.exit_code == 1
    assert "no MicroPython answers" in result.output
