"""Trip: comparators and stop button set a latch, the latch drives the trip line."""

from __future__ import annotations

from collections.abc import Callable

from rheobase.sim.kernel import Event, Kernel


class Latch:
    """Set beats clear. It keeps through a reset of the chip: it is the board's, not the chip's.

    A rising edge on the clear input resets it if no cause stands at that moment; a level does
    nothing, so that a clear line stuck high can't hold a fault off.
    """

    def __init__(
        self,
        kernel: Kernel,
        delay: int,
        causes: Callable[[int], str | None],
        changed: Callable[[], None],
    ) -> None:
        self.closed = False
        """Tripped."""
        self.cause = ""
        self._clearing: Event | None = None
        self._kernel = kernel
        self._delay = delay
        self._causes = causes
        self._changed = changed

    def trip(self, clock: int, cause: str) -> None:
        """There is a cause at `clock`; the latch acts one propagation delay later."""
        self._kernel.at(clock + self._delay, lambda: self.trip_now(cause))

    def trip_now(self, cause: str) -> None:
        """The latch itself closes, at `kernel.now`."""
        if self._clearing is not None:
            self._clearing.cancel()
            self._clearing = None
        if not self.closed:
            self.closed = True
            self.cause = cause
            self._changed()

    def clear(self, clock: int) -> None:
        """A rising edge of the clear input at `clock`."""
        if self.closed and self._causes(clock) is None:
            self._clearing = self._kernel.at(clock + self._delay, self._open)

    def _open(self) -> None:
        self._clearing = None
        if self.closed and self._causes(self._kernel.now) is None:
            self.closed = False
            self.cause = ""
            self._changed()
