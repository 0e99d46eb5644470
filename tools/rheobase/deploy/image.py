"""The MicroPython image of a board: looked at before it is used, and installed."""

from __future__ import annotations

import os
import re
import shutil
import string
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from rheobase.deploy.boards import Board
from rheobase.deploy.errors import DeployError
from rheobase.tested import MICROPYTHON, MICROPYTHON_TEXT

_UF2_MAGIC = b"UF2\n\x57\x51\x5d\x9e"
_UF2_BLOCK = 512
_ESP_MAGIC = 0xE9
_VERSION = re.compile(rb"MicroPython v(\d+)\.(\d+)\.(\d+)")
_INFO = "INFO_UF2.TXT"  # in the root of every UF2 drive, with a line Board-ID
_ESP_OFFSET = "0x1000"  # where the ESP32's boot ROM looks for the bootloader


class Image(NamedTuple):
    path: Path
    version: tuple[int, int, int]


def look_at(path: Path, board: Board) -> Image:
    """What a downloaded image is. Raises DeployError if it is not one for this board, or is
    older than the MicroPython that the tests run."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DeployError(f"no image {path}: {error.strerror}") from error
    if board.uf2_family:
        content = _uf2_content(data, path, board)
    else:
        content = data
        if not data or data[0] != _ESP_MAGIC:
            raise DeployError(f"{path} is no image for the {board.title} (.bin)")
    found = _VERSION.search(content)
    if found is None:
        raise DeployError(f"{path} holds no MicroPython")
    version = (int(found[1]), int(found[2]), int(found[3]))
    if version < MICROPYTHON:
        raise DeployError(
            f"{path} is MicroPython {'.'.join(map(str, version))}; "
            f"{MICROPYTHON_TEXT} or newer is needed"
        )
    return Image(path, version)


def _uf2_content(data: bytes, path: Path, board: Board) -> bytes:
    """The flash content in a UF2 file, for the right chip."""
    if not data.startswith(_UF2_MAGIC) or len(data) % _UF2_BLOCK:
        raise DeployError(f"{path} is no whole UF2 file")
    parts, families = [], set()
    for at in range(0, len(data), _UF2_BLOCK):
        (size,) = struct.unpack_from("<I", data, at + 16)
        (family,) = struct.unpack_from("<I", data, at + 28)
        families.add(family)
        if family == board.uf2_family:
            parts.append(data[at + 32 : at + 32 + min(size, 476)])
    if not parts:
        shown = ", ".join(f"0x{family:08x}" for family in sorted(families))
        raise DeployError(
            f"{path} is for another chip (UF2 family {shown}); "
            f"the {board.title} is 0x{board.uf2_family:08x}"
        )
    return b"".join(parts)


def how_to_get(board: Board) -> str:
    """For a person without an image."""
    return (
        f"Download MicroPython {MICROPYTHON_TEXT} or newer for it from "
        f"https://micropython.org/download/{board.board_id}/ and say IMAGE=file "
        "(--image), or pip install mpflash, which downloads it"
    )


# -- UF2 drives ----------------------------------------------------------------------------------


def drives() -> Iterator[Path]:
    """Folders where a removable drive may be mounted."""
    if sys.platform == "win32":
        yield from (Path(f"{letter}:\\") for letter in string.ascii_uppercase[3:])
        return
    for pattern in ("/Volumes/*", "/media/*", "/media/*/*", "/run/media/*/*", "/mnt/*"):
        yield from Path("/").glob(pattern.lstrip("/"))


def find_drive(board: Board, places: Iterable[Path] | None = None) -> Path | None:
    """The mounted drive of this chip's boot ROM, by its INFO_UF2.TXT."""
    for place in drives() if places is None else places:
        try:
            text = (place / _INFO).read_text(errors="replace")
        except OSError:
            continue
        if re.search(rf"^Board-ID:\s*{re.escape(board.drive)}", text, re.MULTILINE):
            return place
    return None


def wait_for_drive(
    board: Board,
    wait_s: float,
    places: Callable[[], Iterable[Path]] = drives,
    sleep: Callable[[float], object] = time.sleep,
) -> Path | None:
    for _ in range(max(1, round(wait_s / 0.5))):
        found = find_drive(board, places())
        if found is not None:
            return found
        sleep(0.5)
    return None


# -- ways to install -----------------------------------------------------------------------------


def copy_to_drive(image: Image, drive: Path) -> None:
    """Onto the boot ROM's drive; it restarts the chip when it has all of it."""
    try:
        with (drive / image.path.name).open("wb") as file:
            file.write(image.path.read_bytes())
            file.flush()
            os.fsync(file.fileno())  # else it may stay in this computer's memory
    except OSError as error:
        if (drive / _INFO).exists():  # still the loader's drive: it did not take the image
            raise DeployError(f"copying to {drive} failed: {error}") from error


def by_esptool(image: Image, port: str, run: Callable[..., object] | None = None) -> None:
    """Write an ESP32's image through its own serial loader; the files on it stay."""
    if find_spec("esptool") is None:
        raise DeployError("esptool is missing: pip install esptool")
    _run([sys.executable, "-m", "esptool", "--port", port, "--baud", "460800",
          "write-flash", _ESP_OFFSET, str(image.path)], run)  # fmt: skip


def by_mpflash(board: Board, port: str | None, run: Callable[..., object] | None = None) -> bool:
    """Have mpflash download and install the version that is tested. False: it is not there."""
    program = shutil.which("mpflash")
    if program is None:
        return False
    _run([program, "flash", "--version", MICROPYTHON_TEXT, "--board", board.board_id,
          *(("--serial", port) if port else ())], run)  # fmt: skip
    return True


def _run(command: list[str], run: Callable[..., object] | None) -> None:
    try:
        (run or subprocess.run)(command, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise DeployError(f"{Path(command[0]).name} failed: {error}") from error
