"""The virtual board at the pace of the wall clock, behind a pseudo-terminal.

Any program that talks to a serial port can open `RealTimeBoard.port`, close it and open it again.
A pseudo-terminal has no modem lines: a client that sets DTR after opening gets ENOTTY from the
operating system, and the board goes on.
"""

from __future__ import annotations

import logging
import os
import select
import threading
import time
import tty
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from rheobase.sim.board import VirtualBoard
from rheobase.sim.errors import FirmwareCrash

_log = logging.getLogger(__name__)

STEP_S = 0.002
_PORTION_S = 0.05  # how long a board that is late runs before it looks at its port again
_LONGEST_WAIT_S = 0.05  # of a board that was run ahead: its port and `call` are served
_GIVE_UP_S = 1.0  # behind by more than this, it lets the missed time go


class RealTimeBoard:
    """Runs a board in a thread of its own, from `start` to `stop`.

    make_board is called in that thread. `late_s` is how far the board has been behind the wall
    clock at most, `slips` how often it fell so far behind that it skipped wall time.
    `clock` and `wait` may be replaced in tests; `wait(port, seconds)` returns early on input.
    """

    def __init__(
        self,
        make_board: Callable[[], VirtualBoard] = VirtualBoard,
        *,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[int, float], object] | None = None,
    ) -> None:
        self._make_board = make_board
        self._clock = clock
        self._wait = wait or _wait_for_input
        self._calls: deque[tuple[Callable[[VirtualBoard], Any], Future[Any]]] = deque()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._unsent = b""
        self.port = ""
        self.late_s = 0.0
        self.slips = 0
        self.failure: BaseException | None = None

    def start(self) -> str:
        """Power the board on; returns the name of its port."""
        if self._thread is not None:
            raise RuntimeError("it runs already")
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.port = os.ttyname(self._slave)
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="virtual board", daemon=True)
        self._thread.start()
        return self.port

    def stop(self) -> None:
        """Pull the plug; raises what the simulation failed with, if it did."""
        if self._thread is None:
            return
        self._stopping.set()
        self._thread.join()
        self._thread = None
        os.close(self._master)
        os.close(self._slave)
        if self.failure is not None:
            raise self.failure

    def __enter__(self) -> RealTimeBoard:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    @property
    def running(self) -> bool:
        """False before `start`, after `stop`, and when the simulation has failed."""
        return self._thread is not None and self._thread.is_alive()

    def call(self, action: Callable[[VirtualBoard], Any], timeout_s: float = 60.0) -> Any:
        """Do something with the board (press a button, look at a pin) in its thread."""
        if not self.running:
            raise RuntimeError("the board does not run")
        future: Future[Any] = Future()
        self._calls.append((action, future))
        return future.result(timeout_s)

    # --- in the thread ---

    def _run(self) -> None:
        try:
            self._live(self._make_board())
        except BaseException as exc:
            self.failure = exc
            _log.error("the virtual board has failed", exc_info=exc)
        finally:
            while self._calls:
                self._calls.popleft()[1].cancel()

    def _live(self, board: VirtualBoard) -> None:
        board.power_on()
        origin = self._clock() - board.now_s
        while not self._stopping.is_set():
            self._do_calls(board)
            self._receive(board)
            behind = self._clock() - origin - board.now_s
            self.late_s = max(self.late_s, behind - STEP_S)
            if behind > _GIVE_UP_S:
                self.slips += 1
                origin += behind
                behind = STEP_S
            try:
                board.run_for(min(behind, _PORTION_S))
            except FirmwareCrash as crash:
                _log.warning("firmware: %s", crash, exc_info=crash)
            self._send(board)
            spare = board.now_s + STEP_S - (self._clock() - origin)
            self._wait(self._master, min(max(spare, 0.0), _LONGEST_WAIT_S))
        board.power_off()
        board.run_for(clocks=1)

    def _do_calls(self, board: VirtualBoard) -> None:
        while self._calls:
            action, future = self._calls.popleft()
            try:
                future.set_result(action(board))
            except BaseException as exc:
                future.set_exception(exc)

    def _receive(self, board: VirtualBoard) -> None:
        try:
            data = os.read(self._master, 4096)
        except (BlockingIOError, OSError):
            return
        if data:
            board.usb.write(data)

    def _send(self, board: VirtualBoard) -> None:
        """Pass on what the board sent; if nobody reads that, it finds its host not reading."""
        self._unsent += board.usb.read()
        if self._unsent:
            try:
                self._unsent = self._unsent[os.write(self._master, self._unsent) :]
            except (BlockingIOError, OSError):
                pass
        board.usb.reading = not self._unsent


def _wait_for_input(port: int, seconds: float) -> None:
    select.select([port], [], [], seconds)
