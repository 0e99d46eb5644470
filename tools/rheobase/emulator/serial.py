"""The host's end of the emulated Pico's USB serial port."""

from __future__ import annotations

import base64
from collections.abc import Iterable

from rheobase.emulator.process import EmulatorProcess


class SerialPort:
    """What a program on the host has open."""

    def __init__(self, process: EmulatorProcess) -> None:
        self._process = process
        self.unread = bytearray()
        self._reading = True
        self.log: list[tuple[int, bytes]] = []
        """Everything the device ever sent: (clock at which a packet arrived, its bytes)."""

    def write(self, data: bytes | str, at: int | None = None) -> None:
        """Send to the device, now or at clock `at`; it takes its time over the bus.

        What is sent before the device is there waits for it; a reset of the chip loses it.
        """
        content = data.encode() if isinstance(data, str) else data
        self._process.ask("write", bytes=plain(content), at=at)

    def read(self, size: int = -1) -> bytes:
        """What the device has sent and was not read yet: all of it, or at most `size` bytes."""
        count = len(self.unread) if size < 0 else size
        data = bytes(self.unread[:count])
        del self.unread[:count]
        return data

    def open(self) -> None:
        """A program on the host opens the port (as it is from the beginning): DTR is set."""
        self._process.ask("port", open=True)

    def close(self) -> None:
        """Nobody has the port open: DTR is cleared."""
        self._process.ask("port", open=False)

    @property
    def reading(self) -> bool:
        """False: the port is open, but the host takes nothing: the device's writes stall."""
        return self._reading

    @reading.setter
    def reading(self, on: bool) -> None:
        self._reading = on
        self._process.ask("port", reading=on)

    @property
    def connected(self) -> bool:
        """The host has enumerated the device."""
        return bool(self._process.ask("port")["connected"])

    def take(self, output: Iterable[tuple[float, str]]) -> None:
        for clock, text in output:
            data = base64.b64decode(text)
            self.log.append((int(clock), data))
            self.unread += data


def plain(data: bytes) -> str:
    return base64.b64encode(data).decode()
