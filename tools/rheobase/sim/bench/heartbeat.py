"""The one-shot between the heartbeat pin and the supply's enable."""

from __future__ import annotations

from collections.abc import Callable

from rheobase.sim.kernel import Kernel


class Heartbeat:
    """Alive for `hold` clocks after every edge, rising or falling; a level is no heartbeat."""

    def __init__(self, kernel: Kernel, hold: int, changed: Callable[[int], None]) -> None:
        self.alive = False
        self._kernel = kernel
        self._hold = hold
        self._until = 0
        self._changed = changed

    def beat(self, clock: int) -> None:
        """An edge at `clock`."""
        self._until = clock + self._hold
        if not self.alive:
            self.alive = True
            self._kernel.at(self._until, self._check)
            self._changed(clock)

    def _check(self) -> None:
        now = self._kernel.now
        if self._until > now:  # beats came since: one event a hold time, not one a beat
            self._kernel.at(self._until, self._check)
        else:
            self.alive = False
            self._changed(now)
