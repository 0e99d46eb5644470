"""A MicroPython image for the RP2040: where its files are kept, and which files the user named."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import NamedTuple

FLASH_START = 0x1000_0000
FLASH_SIZE = 2 * 1024 * 1024

_UF2_MAGIC = (0x0A324655, 0x9E5D5157)
_UF2_BLOCK = 512
_RP2040_FAMILY = 0xE48BFF56

# Binary info of the pico-sdk (pico/binary_info/structure.h)
_INFO_BEGIN = 0x7188EBF2
_INFO_END = 0xE71AA390
_INFO_SEARCHED = 256 + 512  # after the second stage
_INFO_BLOCK_DEVICE = 7

_IMAGE, _BOOTROM = "RHEOBASE_PICO_IMAGE", "RHEOBASE_PICO_BOOTROM"
NO_FILES_NAMED = (
    f"{_IMAGE} and {_BOOTROM} do not name a MicroPython image and a boot ROM: "
    "nothing is tried on the emulated Pico"
)


def named_files() -> tuple[Path, Path] | None:
    """The MicroPython image and the boot ROM that the environment names, or None."""
    names = os.environ.get(_IMAGE), os.environ.get(_BOOTROM)
    if not all(names):
        return None
    image, bootrom = (Path(str(name)) for name in names)
    for path in (image, bootrom):
        if not path.is_file():
            raise FileNotFoundError(f"{path} (named by {_IMAGE} or {_BOOTROM}) is not a file")
    return image, bootrom


class Region(NamedTuple):
    """A stretch of flash, in bytes from its start."""

    offset: int
    size: int


def flash_of(path: str | os.PathLike[str]) -> bytes:
    """The content of flash after loading a UF2 file, or a raw one."""
    data = Path(path).read_bytes()
    if data[:4] != struct.pack("<I", _UF2_MAGIC[0]):
        return data
    flash = bytearray(b"\xff" * FLASH_SIZE)
    end = 0
    for at in range(0, len(data), _UF2_BLOCK):
        header = struct.unpack_from("<8I", data, at)
        if header[:2] != _UF2_MAGIC:
            raise ValueError(f"{path}: no UF2 block at byte {at}")
        address, size, family = header[3], header[4], header[7]
        if family != _RP2040_FAMILY:
            continue
        offset = address - FLASH_START
        flash[offset : offset + size] = data[at + 32 : at + 32 + size]
        end = max(end, offset + size)
    if not end:
        raise ValueError(f"{path} holds nothing for the RP2040")
    return bytes(flash[:end])


def filesystem_region(path: str | os.PathLike[str]) -> Region:
    """Where this image keeps its filesystem, by the block device it declares in its binary info.

    Raises ValueError if it declares none.
    """
    flash = flash_of(path)
    for at in range(256, min(_INFO_SEARCHED, len(flash) - 20), 4):
        begin, first, last, copied, end = struct.unpack_from("<5I", flash, at)
        if begin == _INFO_BEGIN and end == _INFO_END:
            break
    else:
        raise ValueError(f"{path} holds no binary info: is it a MicroPython image for the RP2040?")

    def offset_of(address: int) -> int:
        """An address in flash, or of data that is copied from flash to RAM at the start."""
        if FLASH_START <= address < FLASH_START + len(flash):
            return address - FLASH_START
        entry = copied - FLASH_START
        while True:
            source, start, stop = struct.unpack_from("<3I", flash, entry)
            if not source:
                raise ValueError(f"{path}: binary info points to 0x{address:08x}")
            if start <= address < stop:
                return source - FLASH_START + address - start
            entry += 12

    for pointer in range(offset_of(first), offset_of(first) + last - first, 4):
        entry = offset_of(struct.unpack_from("<I", flash, pointer)[0])
        kind, _tag, _name, address, size = struct.unpack_from("<HHIII", flash, entry)
        if kind == _INFO_BLOCK_DEVICE:
            return Region(address - FLASH_START, size)
    raise ValueError(f"{path} declares no filesystem")
