"""Tells the stimulator in the background that its host is there."""

from __future__ import annotations

import threading
from collections.abc import Callable

from rheobase.client.line import Clock, Line

EVERY_S = 0.5  # the stimulator goes to zero after 2 s of silence


class KeepAlive:
    """Between `start` and `stop`: a sign of life whenever nothing else was said for a while.

    In a thread of its own, or, with a clock that is simulated and has `every`, by that.
    """

    def __init__(self, line: Line, clock: Clock, every_s: float = EVERY_S) -> None:
        self._line = line
        self._every = getattr(clock, "every", None)
        self._every_s = every_s
        self._cancel: Callable[[], None] | None = None

    def start(self) -> None:
        if self._cancel is not None:
            return
        if self._every is not None:
            self._cancel = self._every(self._every_s, self._beat)
            return
        ended = threading.Event()

        def run() -> None:
            while not ended.wait(self._every_s):
                self._beat()

        thread = threading.Thread(target=run, name="rheobase keepalive", daemon=True)
        thread.start()

        def cancel() -> None:
            ended.set()
            if threading.current_thread() is not thread:
                thread.join()

        self._cancel = cancel

    def stop(self) -> None:
        """Returns when no sign of life is under way any more."""
        if self._cancel is not None:
            self._cancel()
            self._cancel = None

    def _beat(self) -> None:
        self._line.keep_alive(self._every_s)
