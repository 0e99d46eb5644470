"""`os`, `vfs` and the builtin `open`: files in the virtual flash."""

from __future__ import annotations

import errno
from collections import namedtuple
from collections.abc import Callable, Iterator
from random import Random
from types import ModuleType
from typing import Any

from rheobase.sim import costs
from rheobase.sim.chip import Chip
from rheobase.sim.cpu import Cpu
from rheobase.sim.errors import os_error
from rheobase.sim.flash import BLOCK, BLOCKS, Flash, OpenFile, normalise
from rheobase.sim.modules.arguments import as_int, module
from rheobase.sim.modules.stream import Stream
from rheobase.sim.modules.sys import MACHINE, VERSION

_DIRECTORY, _FILE = 0x4000, 0x8000

Uname = namedtuple("Uname", "sysname nodename release version machine")


class FileIO(Stream):
    """An open file. One that is dropped without close is closed when it is collected."""

    def __init__(self, cpu: Cpu, flash: Flash, path: str, mode: str) -> None:
        self._cpu = cpu
        self._file = OpenFile(flash, path, mode)

    def _read_bytes(self, size: int) -> bytes:
        return self._file.read(size)

    def _write_bytes(self, data: bytes) -> int:
        return self._file.write(data)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self._file.seek(as_int(offset), as_int(whence))

    def tell(self) -> int:
        return self._file.seek(0, 1)

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        self._file.close()

    def __del__(self) -> None:
        if hasattr(self, "_file") and self._cpu.alive:
            self._file.close()


class TextIOWrapper(FileIO):
    _is_text = True


def build(chip: Chip, cpu: Cpu) -> tuple[ModuleType, Callable[..., Any]]:
    """(the module, `open`)"""
    flash = chip.flash
    cost = cpu.clocks(costs.FILE)
    random = Random(chip.unique_id)
    state = {"cwd": "/"}

    def resolve(path: str) -> str:
        if not isinstance(path, str):
            raise TypeError("can't convert to str")
        cpu.spend(cost)
        return normalise(path, state["cwd"])

    def open(file: str, mode: str = "r", *args: Any, **options: Any) -> Any:
        kind = FileIO if "b" in mode else TextIOWrapper
        return kind(cpu, flash, resolve(file), mode)

    def chdir(path: str, /) -> None:
        where = resolve(path)
        if where not in flash.directories:
            raise os_error(errno.ENOENT)
        state["cwd"] = where

    def ilistdir(path: str = "", /) -> Iterator[tuple[str, int, int, int]]:
        entries = flash.entries(resolve(path))
        return iter(
            [(name, _DIRECTORY if is_dir else _FILE, 0, size) for name, is_dir, size in entries]
        )

    def listdir(path: str = "", /) -> list[str]:
        return [entry[0] for entry in ilistdir(path)]

    def stat(path: str, /) -> tuple[int, ...]:
        where = resolve(path)
        if where in flash.directories:
            return (_DIRECTORY, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        if where not in flash.files:
            raise os_error(errno.ENOENT)
        return (_FILE, 0, 0, 0, 0, 0, len(flash.files[where]), 0, 0, 0)

    def statvfs(path: str, /) -> tuple[int, ...]:
        resolve(path)
        free = flash.blocks_free()
        return (BLOCK, BLOCK, BLOCKS, free, free, 0, 0, 0, 0, 255)

    def remove(path: str, /) -> None:
        flash.remove(resolve(path))

    def rename(old: str, new: str, /) -> None:
        flash.rename(resolve(old), resolve(new))

    def mkdir(path: str, /) -> None:
        flash.make_directory(resolve(path))

    def urandom(count: int, /) -> bytes:
        if as_int(count) < 0:
            raise ValueError
        return random.randbytes(count)

    def uname() -> Uname:
        release = ".".join(map(str, VERSION))
        return Uname("rp2", "rp2", release, f"v{release} on 2026-04-06", MACHINE)

    made = module(
        "os",
        {
            "chdir": chdir, "getcwd": lambda: state["cwd"], "ilistdir": ilistdir,
            "listdir": listdir, "mkdir": mkdir, "remove": remove, "rename": rename,
            "rmdir": remove, "sep": "/", "stat": stat, "statvfs": statvfs, "sync": lambda: None,
            "uname": uname, "unlink": remove, "urandom": urandom,
        },
    )  # fmt: skip
    return made, open
