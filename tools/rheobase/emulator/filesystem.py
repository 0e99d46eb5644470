"""The device's filesystem: files to a littlefs image and back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

BLOCK_SIZE = 4096  # a sector of flash: what the port's rp2.Flash erases at once
# What the port's _boot.py and VfsLfs2 use when they format.
PROG_SIZE = 256
READ_SIZE = 32
LOOKAHEAD_SIZE = 32
DISK_VERSION = 0x0002_0000  # MicroPython of any age mounts it (and raises it when it writes)


def littlefs_image(files: Mapping[str, bytes | str], size: int) -> bytes:
    """A littlefs of `size` bytes that holds these files (directories are made as needed)."""
    filesystem = _littlefs(size, DISK_VERSION)
    filesystem.format()
    filesystem.mount()
    for name, content in files.items():
        folder = PurePosixPath(name).parent
        if folder != PurePosixPath("."):
            filesystem.makedirs(str(folder), exist_ok=True)
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
