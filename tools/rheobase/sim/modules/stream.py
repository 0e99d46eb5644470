"""The methods that all of the port's streams share."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from typing import Any

from rheobase.sim.errors import os_error


class Stream:
    """Files, stdin and stdout. Text streams decode UTF-8 when reading; all write str and bytes."""

    _is_text = False

    def _read_bytes(self, size: int) -> bytes:
        """Up to `size` bytes; empty at the end."""
        raise os_error(errno.EPERM)

    def _write_bytes(self, data: bytes) -> int:
        """Write some; how many."""
        raise os_error(errno.EPERM)

    def read(self, size: int = -1, /) -> Any:
        if size is None or size < 0:
            return self._convert(self._read_all())
        data = self._read_exactly(size)
        if self._is_text:
            # read as many characters as asked for, however many bytes they take
            while (missing := size - _characters(data)) > 0 or not _whole(data):
                more = self._read_exactly(max(missing, 1))
                if not more:
                    break
                data += more
        return self._convert(data)

    def readinto(self, buffer: Any, size: int = -1, /) -> int:
        view = memoryview(buffer).cast("B")
        if view.readonly:
            raise TypeError("object with buffer protocol required")
        count = len(view) if size < 0 else min(size, len(view))
        data = self._read_exactly(count)
        view[: len(data)] = data
        return len(data)

    def readline(self, size: int = -1, /) -> Any:
        data = bytearray()
        while size < 0 or len(data) < size:
            byte = self._read_bytes(1)
            data += byte
            if not byte or byte == b"\n":
                break
        return self._convert(bytes(data))

    def readlines(self) -> list[Any]:
        return list(self)

    def __iter__(self) -> Iterator[Any]:
        while line := self.readline():
            yield line

    def __next__(self) -> Any:
        line = self.readline()
        if not line:
            raise StopIteration
        return line

    def write(self, data: Any, *limits: int) -> int:
        if len(limits) > 2:
            raise TypeError("function expected at most 4 arguments")
        raw = data.encode() if isinstance(data, str) else bytes(memoryview(data).cast("B"))
        if len(limits) == 2:
            raw = raw[limits[0] :]
        if limits:
            raw = raw[: limits[-1]]
        done = 0
        while done < len(raw):
            count = self._write_bytes(raw[done:])
            if not count:
                break
            done += count
        return done

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *exc_info: Any) -> None:
        self.close()

    def close(self) -> None:
        pass

    def _read_exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            part = self._read_bytes(size - len(data))
            if not part:
                break
            data += part
        return data

    def _read_all(self) -> bytes:
        data = b""
        while part := self._read_bytes(256):
            data += part
        return data

    def _convert(self, data: bytes) -> Any:
        if not self._is_text:
            return data
        try:
            return data.decode()
        except UnicodeDecodeError:
            raise UnicodeError from None


def _characters(data: bytes) -> int:
    return sum(byte & 0xC0 != 0x80 for byte in data)


def _whole(data: bytes) -> bool:
    """Whether the last character is complete."""
    for back in range(1, min(4, len(data)) + 1):
        byte = data[-back]
        if byte & 0xC0 != 0x80:
            length = 1 if byte < 0x80 else 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return back >= length
    return True
