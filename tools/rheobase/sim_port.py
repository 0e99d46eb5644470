"""A serial port into a board in virtual time: waiting for a reply lets the board's time
pass, and nothing waits for the wall clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from rheobase.client import Stimulator
from rheobase.sim.bench import Bench
from rheobase.sim.board import VirtualBoard

_SLICE_S = 1e-3
_TEST_S = 5.0  # longest self-test after power-up


def powered(bench: Bench) -> VirtualBoard:
    """A board with a person beside it, who tries the stop button; past its self-test."""
    board = VirtualBoard(bench=bench)
    board.start()
    bench.try_stop()
    port = VirtualPort(board)
    with_port = Stimulator(port, clock=port)
    port.sleep(0.1)
    end = port.monotonic() + _TEST_S
    while with_port.state == "SELFTEST" and port.monotonic() < end:
        port.sleep(0.02)
    return board


def approve(stimulator: Stimulator) -> None:
    """What a person does before arming: checklist gone through, pad areas entered."""
    stimulator.acknowledge(stimulator.checklist)
    for number in (1, 2):
        channel = stimulator.channel(number)
        channel.pad_cm2 = channel.pad_cm2


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


@dataclass(eq=False)
class _Timer:
    due_s: float
    every_s: float
    action: Callable[[], None]


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
        self._timers: list[_Timer] = []

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
        end = self.monotonic() + seconds
        while self._timers:
            timer = min(self._timers, key=lambda timer: timer.due_s)
            if timer.due_s > end:
                break
            self.board.run_for(max(0.0, timer.due_s - self.monotonic()))
            timer.due_s = self.monotonic() + timer.every_s
            timer.action()
        self.board.run_for(max(0.0, end - self.monotonic()))

    def every(self, seconds: float, action: Callable[[], None]) -> Callable[[], None]:
        """Do something again and again while somebody sleeps; call the result to end it."""
        timer = _Timer(self.monotonic() + seconds, seconds, action)
        self._timers.append(timer)
        return lambda: self._timers.remove(timer)

    def _take(self) -> None:
        self._received += self.board.usb.read()
