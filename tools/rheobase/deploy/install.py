"""`rheobase flash`: MicroPython if it is missing or old, then the firmware, then a look at it."""

from __future__ import annotations

import ast
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from rheobase.build import ROOT, files_of_firmware
from rheobase.client import LinkError, State, Stimulator
from rheobase.deploy import image as images
from rheobase.deploy.boards import Board, must_run_on
from rheobase.deploy.device import Device, Running
from rheobase.deploy.errors import DeployError
from rheobase.deploy.plan import NEW, REMOVE, WRITE, Step, digest, roots, steps
from rheobase.tested import MICROPYTHON, MICROPYTHON_TEXT

Say = Callable[[str], object]

_BACK_S = 20.0  # from a reset until the port is there again and the firmware answers
_REPLY_S = 3.0  # for the first answer; it may still be testing itself
_DRIVE_S = 60.0  # for a person who looks for the BOOTSEL button
_LEFT_FREE = 64 * 1024  # of the filesystem, for settings and logs


class Files(Protocol):
    """What a copy needs of a device; a test tears it after any call."""

    def hashes(self, roots: list[str], /) -> dict[str, str]: ...
    def free_bytes(self) -> int: ...
    def make_folders(self, paths: list[str], /) -> None: ...
    def write(self, path: str, content: bytes, /) -> None: ...
    def rename(self, old: str, new: str, /) -> None: ...
    def remove(self, path: str, /) -> None: ...
    def remove_empty_folders(self, folders: list[str], /) -> None: ...


# -- the firmware --------------------------------------------------------------------------------


def install_files(device: Files, want: Mapping[str, bytes], say: Say) -> list[Step]:
    """Bring the files on the device to `want`; the steps that it took.

    Raises DeployError if a file does not read back with its hash. See plan.py for the order.
    """
    places = roots(want)
    have = device.hashes(places)
    plan = steps(have, want)
    if not plan:
        say(f"all {len(want)} files are on the board already, by their hashes")
        return []
    written = [step.path for step in plan if step.kind != REMOVE]
    needed = sum(len(want[path]) for path in written)
    free = device.free_bytes()
    if free < needed + _LEFT_FREE:
        raise DeployError(
            f"{needed} bytes to copy, but only {free} free on the board and "
            f"{_LEFT_FREE} are to stay so; nothing was changed"
        )
    say(f"{len(written)} of {len(want)} files to copy, {needed} bytes")
    device.make_folders(written)
    for step in plan:
        if step.kind == REMOVE:
            say(f"remove {step.path}")
            device.remove(step.path)
        elif step.kind == WRITE:
            say(f"copy   {step.path}")
            device.write(step.path, want[step.path])
            _check(device, step.path, want[step.path])
        else:
            say(f"copy   {step.path}")
            if step == plan[-1]:
                _check_all(device, places, {p: want[p] for p in want if p != step.path})
            device.write(step.path + NEW, want[step.path])
            _check(device, step.path + NEW, want[step.path])
            device.rename(step.path + NEW, step.path)
    device.remove_empty_folders(["firmware"])
    _check_all(device, places, want)
    say(f"all {len(want)} files verified on the board by SHA-256")
    return plan


def _check(device: Files, path: str, content: bytes) -> None:
    if device.hashes([path]).get(path) != digest(content):
        raise DeployError(
            f"{path} reads back wrong: the board is left without main.py, at its prompt; try again"
        )


def _check_all(device: Files, places: list[str], want: Mapping[str, bytes]) -> None:
    have = device.hashes(places)
    for path, content in want.items():
        if have.get(path) != digest(content):
            raise DeployError(
                f"{path} reads back wrong: the board is left at its prompt; try again"
            )


def firmware_version(root: Path = ROOT) -> str:
    """What *IDN? will answer once these sources run."""
    tree = ast.parse((root / "firmware" / "remote" / "version.py").read_text())
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "VERSION":
            return str(ast.literal_eval(node.value))
    raise DeployError("firmware/remote/version.py names no VERSION")


# -- the image -----------------------------------------------------------------------------------


def running_on(port: str | None) -> Running | None:
    """The MicroPython at this port, its firmware stopped, or None if none answers."""
    if port is None:
        return None
    try:
        with Device(port, patience_s=5.0) as device:
            return device.who()
    except DeployError:
        return None


def good_enough(board: Board, running: Running | None) -> bool:
    """Raises DeployError if the port is another board's."""
    if running is None:
        return False
    if board.chip not in running.machine:
        raise DeployError(
            f"the board says it is {running.machine!r}, not a {board.title} ({board.chip}); "
            "nothing was changed"
        )
    return running.name == "micropython" and running.version >= MICROPYTHON


def install_image(
    board: Board, port: str | None, running: Running | None, path: Path | None, say: Say
) -> None:
    """Put MicroPython on the board in the way that its chip has. Raises DeployError, with what a
    person can do, if there is none."""
    title = board.title
    found = f"MicroPython {running.version_text}" if running else "no MicroPython"
    say(f"{found} answers; {MICROPYTHON_TEXT} or newer is needed")
    if path is None:
        if images.by_mpflash(board, port):
            return
        raise DeployError(f"{found} answers on the {title}. {images.how_to_get(board)}")
    image = images.look_at(path, board)
    say(f"installing {path.name}")
    if not board.drive:
        if port is None:
            raise DeployError(f"say which port the {title} is at: PORT=...")
        images.by_esptool(image, port)
        return
    drive = images.find_drive(board)
    if drive is None and running is not None and port is not None:
        with Device(port) as device:
            device.enter_bootloader()
    elif drive is None:
        say(f"hold BOOTSEL on the {title} while you plug it in")
    drive = drive or images.wait_for_drive(board, _DRIVE_S)
    if drive is None:
        raise DeployError(
            f"no drive {board.drive} was found in {_DRIVE_S:g} s: hold BOOTSEL while you plug "
            f"the {title} in, have the drive mounted, and copy {path} onto it"
        )
    images.copy_to_drive(image, drive)


# -- the whole -----------------------------------------------------------------------------------


def deploy(
    board: Board,
    port: str | None,
    say: Say,
    *,
    image: Path | None = None,
    image_only: bool = False,
    compiled: bool = True,
    root: Path = ROOT,
) -> None:
    """MicroPython, the firmware, a reset, and an answer to *IDN?. Raises DeployError."""
    if not image_only:
        must_run_on(board)
        want = files_of_firmware(root, compiled=compiled, march=board.march)
        size = sum(map(len, want.values()))
        say(f"{len(want)} files for {board.march}, {size} bytes")
    running = running_on(port)
    if not good_enough(board, running):
        install_image(board, port, running, image, say)
        running = _wait_for(board, port)
    assert running is not None
    say(f"MicroPython {running.version_text} on {running.machine}")
    if image_only:
        return
    assert port is not None
    if compiled and not running.mpy:
        raise DeployError(
            f"{port} takes no compiled files (a virtual board?): nothing was changed; use --source"
        )
    with Device(port) as device:
        install_files(device, want, say)
        device.reset()
    say(answer_of(port, firmware_version(root)))


def _wait_for(board: Board, port: str | None) -> Running:
    """MicroPython after its installation. Raises DeployError if it does not come."""
    if port is None:
        raise DeployError("MicroPython is installed; now say which port it has: PORT=...")
    deadline = time.monotonic() + _BACK_S
    while time.monotonic() < deadline:
        running = running_on(port)
        if running is not None:
            if not good_enough(board, running):
                raise DeployError(f"the board still runs MicroPython {running.version_text}")
            return running
        time.sleep(0.5)
    raise DeployError(f"no MicroPython at {port} after its installation; is that still its port?")


def answer_of(port: str, version: str) -> str:
    """The stimulator's identity after the reset. Raises DeployError if it is not `version`'s."""
    deadline = time.monotonic() + _BACK_S
    while True:
        try:
            stimulator = Stimulator(port, timeout_s=_REPLY_S)
            break
        except LinkError as error:
            if time.monotonic() > deadline:
                raise DeployError(
                    f"the files are on the board, but it does not answer: {error}"
                ) from error
            time.sleep(0.3)
    try:
        identity = stimulator.identity
        state = stimulator.state
        while state in (State.BOOT, State.SELFTEST) and time.monotonic() < deadline:
            time.sleep(0.2)
            state = stimulator.state
        fault = stimulator.fault
    finally:
        stimulator.close()
    if identity.version != version:
        raise DeployError(f"the board answers with version {identity.version}, not {version}")
    why = f": {fault.text}" if fault else ""
    return f"{identity.maker} {identity.model} {identity.version} answers, state {state}{why}"
