"""A serial port into a board in virtual time: waiting for a reply lets the board's time
pass, and nothing waits for the wall clock."""

from __future__ import annotations

from typing import Protocol

_SLICE_S = 1e-3


class _Serial(Protocol):
    def write(self, data: bytes, /) -> None: ...

    def read(self) -> bytes: ...


class Board(Protocol):
    """A board in virtual time: `VirtualBoard`, or an emulated Pico."""

    @property
    def usb(self) -> _Serial: ...

    @property
    def now_s(self) -> float: ...

    def run_for(self, seconds: float) -> object: ...


class VirtualPort:
    """What the client needs of a port and of a clock, for one host alone with its board.

        port = VirtualPort(board)
        with rheobase.Stimulator(port, clock=port) as stimulator: ...
    """

    name = "the virtual board"

    def __init__(self, board: Board, timeout_s: float = 0.05) -> None:
        self.board = board
        self.timeout_s = timeout_s
        self.closed = False
        self._received = bytearray()

    def write(self, data: bytes) -> int:
        self.board.usb.write(data)
        return len(data)

    def read(self, size: int = 1) -> bytes:
        """Up to `size` bytes; lets up to `timeout_s` of the board's time pass for the first."""
        self._take()
        waited = 0.0
        while not self._received and waited < self.timeout_s:
            self.board.run_for(_SLICE_S)
            waited += _SLICE_S
            self._take()
        data = bytes(self._received[:size])
        del self._received[:size]
        return data

    @property
    def in_waiting(self) -> int:
        self._take()
        return len(self._received)

    def close(self) -> None:
        self.closed = True

    def monotonic(self) -> float:
        return self.board.now_s

    def sleep(self, seconds: float) -> None:
        self.board.run_for(seconds)

    def _take(self) -> None:
        self._received += self.board.usb.read()
