"""The file system in flash, with littlefs's promises: what survives when the power goes.

A file's new content exists from the moment `close` or `flush` has committed it, at once and as a
whole; until then the old content is what a reader or the next boot finds. A file that did not
exist appears, empty, when it is opened for writing. Rename and remove are single commits.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping
from pathlib import Path

from rheobase.sim import costs
from rheobase.sim.errors import os_error

BLOCK = 4096
BLOCKS = 352  # 1408 KiB, the rp2 port's default
INLINE = 512  # smaller files live in the metadata and need no block of their own


def normalise(path: str, cwd: str = "/") -> str:
    """An absolute path without dots or doubled slashes."""
    parts: list[str] = []
    for part in (path if path.startswith("/") else cwd + "/" + path).split("/"):
        if part == "..":
            parts[-1:] = []
        elif part not in ("", "."):
            parts.append(part)
    return "/" + "/".join(parts)


class Flash:
    """Files by absolute path. What is in `files` is what a power loss leaves.

    `files` given at the start may have keys with or without the leading slash; `origins` says
    which of them are copies of files on this computer, for tracebacks and coverage.
    """

    def __init__(
        self, files: Mapping[str, bytes], origins: Mapping[str, Path] | None = None
    ) -> None:
        self.files: dict[str, bytes] = {}
        self.origins: dict[str, Path] = {}
        self.directories = {"/"}
        for path, content in files.items():
            self.install(path, content, (origins or {}).get(path))
        self.operations = 0
        self.busy: Callable[[float], None] = lambda us: None
        self.lose_power: Callable[[], None] = lambda: None
        self._cut_at = 0
        self.dead = False  # power was cut in an operation; nothing is written until it is back

    def install(self, path: str, content: bytes, origin: Path | None = None) -> None:
        """Put a file there from outside, in no time."""
        path = normalise(path)
        self.files[path] = content
        self.origins.pop(path, None)
        if origin is not None:
            self.origins[path] = origin
        while path != "/":
            path = normalise(path + "/..")
            self.directories.add(path)

    def cut_power_at(self, operation: int) -> None:
        """Lose power in the middle of the n-th flash operation from now (1 = the next)."""
        self._cut_at = self.operations + operation

    def _operate(self, us: float) -> None:
        """One erase and program of flash; returns once it is done, if it ever is."""
        if self.dead:
            self.lose_power()
        self.operations += 1
        if self.operations == self._cut_at:
            self._cut_at = 0
            self.dead = True
            self.busy(us / 2)
            self.lose_power()
        else:
            self.busy(us)

    def commit(self) -> None:
        """Program metadata. What it describes is true afterwards, not before."""
        self._operate(costs.FLASH_COMMIT)

    def program_block(self) -> None:
        self._operate(costs.FLASH_BLOCK)

    # --- the file system ---

    def open(self, path: str, create: bool, exclusive: bool) -> None:
        """Check, and create if asked to, what is about to be opened."""
        if path in self.directories:
            raise os_error(errno.EISDIR)
        if path in self.files:
            if exclusive:
                raise os_error(errno.EEXIST)
        elif not create:
            raise os_error(errno.ENOENT)
        else:
            self._need_parent(path)
            self.commit()
            self.files[path] = b""

    def store(self, path: str, content: bytes) -> None:
        """Commit a file's new content."""
        self.commit()
        if self.files.get(path) != content:
            self.origins.pop(path, None)
        self.files[path] = content

    def remove(self, path: str) -> None:
        if path in self.directories:
            self._remove_directory(path)
            return
        if path not in self.files:
            raise os_error(errno.ENOENT)
        self.commit()
        del self.files[path]
        self.origins.pop(path, None)

    def _remove_directory(self, path: str) -> None:
        if path == "/":
            raise os_error(errno.EINVAL)
        if any(True for _ in self.entries(path)):
            raise os_error(errno.ENOTEMPTY)
        self.commit()
        self.directories.discard(path)

    def rename(self, old: str, new: str) -> None:
        if old in self.directories:
            self._rename_directory(old, new)
            return
        if old not in self.files:
            raise os_error(errno.ENOENT)
        if new in self.directories:
            raise os_error(errno.EISDIR)
        self._need_parent(new)
        self.commit()
        self._move(old, new)

    def _rename_directory(self, old: str, new: str) -> None:
        if new in self.files:
            raise os_error(errno.ENOTDIR)
        if new in self.directories and any(True for _ in self.entries(new)):
            raise os_error(errno.ENOTEMPTY)
        self._need_parent(new)
        self.commit()
        for path in [path for path in self.files if path.startswith(old + "/")]:
            self._move(path, new + path[len(old) :])
        moved = {path for path in self.directories if path == old or path.startswith(old + "/")}
        self.directories -= moved
        self.directories |= {new + path[len(old) :] for path in moved}

    def _move(self, old: str, new: str) -> None:
        self.files[new] = self.files.pop(old)
        self.origins.pop(new, None)
        if old in self.origins:
            self.origins[new] = self.origins.pop(old)

    def make_directory(self, path: str) -> None:
        if path in self.directories or path in self.files:
            raise os_error(errno.EEXIST)
        self._need_parent(path)
        self.commit()
        self.directories.add(path)

    def _need_parent(self, path: str) -> None:
        parent = normalise(path + "/..")
        if parent in self.files:
            raise os_error(errno.ENOTDIR)
        if parent not in self.directories:
            raise os_error(errno.ENOENT)

    def entries(self, directory: str) -> list[tuple[str, bool, int]]:
        """(name, is a directory, size) of everything in a directory, in order of name."""
        if directory in self.files:
            raise os_error(errno.ENOTDIR)
        if directory not in self.directories:
            raise os_error(errno.ENOENT)
        prefix = directory.rstrip("/") + "/"
        found = [
            (path[len(prefix) :], True, 0)
            for path in self.directories
            if path != directory and path.startswith(prefix)
        ]
        found += [
            (path[len(prefix) :], False, len(data))
            for path, data in self.files.items()
            if path.startswith(prefix)
        ]
        return sorted(entry for entry in found if "/" not in entry[0])

    def blocks_free(self) -> int:
        used = 2 + 2 * len(self.directories)
        used += sum(-(-len(data) // BLOCK) for data in self.files.values() if len(data) > INLINE)
        return BLOCKS - used


class OpenFile:
    """A file that is open: its content in RAM, until it is committed."""

    def __init__(self, flash: Flash, path: str, mode: str) -> None:
        kinds = [letter for letter in mode if letter in "rwxa"]
        if len(kinds) > 1:
            raise ValueError
        kind = kinds[0] if kinds else "r"
        self.readable = kind == "r" or "+" in mode
        self.writable = kind != "r" or "+" in mode
        self._append = kind == "a"
        self._flash = flash
        self._path = path
        flash.open(path, create=kind != "r", exclusive=kind == "x")
        self._content = bytearray() if kind == "w" else bytearray(flash.files[path])
        self._dirty = kind == "w" and bool(flash.files[path])
        self._unprogrammed = 0
        self.position = 0
        self.closed = False

    def read(self, size: int) -> bytes:
        self._check(self.readable)
        data = bytes(self._content[self.position : self.position + size])
        self.position += len(data)
        return data

    def write(self, data: bytes) -> int:
        self._check(self.writable)
        if self._append:
            self.position = len(self._content)
        if self.position > len(self._content):
            self._content += bytes(self.position - len(self._content))
        self._content[self.position : self.position + len(data)] = data
        self.position += len(data)
        self._dirty = True
        if len(self._content) > INLINE:
            self._unprogrammed += len(data)
            while self._unprogrammed >= BLOCK:
                self._unprogrammed -= BLOCK
                self._flash.program_block()
        return len(data)

    def seek(self, offset: int, whence: int) -> int:
        self._check(True)
        base = (0, self.position, len(self._content))[whence]
        if base + offset < 0:
            raise os_error(errno.EINVAL)
        self.position = base + offset
        return self.position

    def flush(self) -> None:
        self._check(True)
        if self._dirty:
            if self._unprogrammed:
                self._unprogrammed = 0
                self._flash.program_block()
            self._flash.store(self._path, bytes(self._content))
            self._dirty = False

    def close(self) -> None:
        if not self.closed:
            self.flush()
            self.closed = True

    def _check(self, allowed: bool) -> None:
        if self.closed:
            raise ValueError
        if not allowed:
            raise os_error(errno.EBADF)
