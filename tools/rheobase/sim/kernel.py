"""Virtual time: whole clocks of the system clock, and what is due at them."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Protocol

FOREVER = 1 << 62


class Runner(Protocol):
    """Something that lives through the time between events (a PIO block)."""

    def run(self, until: int) -> None:
        """Live up to, not including, clock `until`.

        Whatever it does may make an event due before `until`; then it must go no further than
        that event: it reads `Kernel.next_clock` again after every effect it has on others.
        """


class Event:
    """A call that is due at a clock; `cancel` makes it never happen."""

    __slots__ = ("action", "clock")

    def __init__(self, clock: int, action: Callable[[], None] | None) -> None:
        self.clock = clock
        self.action = action

    def cancel(self) -> None:
        self.action = None


class Kernel:
    """The board's only clock. `now` is in clocks since power-up and never goes back."""

    def __init__(self) -> None:
        self.now = 0
        self.next_clock = FOREVER
        self.runners: list[Runner] = []
        self._queue: list[tuple[int, int, Event]] = []
        self._sequence = 0

    def at(self, clock: int, action: Callable[[], None]) -> Event:
        """Call `action` at `clock` (events of one clock in the order they were asked for)."""
        event = Event(clock, action)
        self._sequence += 1
        heapq.heappush(self._queue, (clock, self._sequence, event))
        if clock < self.next_clock:
            self.next_clock = clock
        return event

    def advance_to(self, target: int) -> None:
        """Let time pass up to `target`; everything due at or before it has then happened."""
        while True:
            stop = min(target, self.next_clock)
            for runner in self.runners:
                runner.run(stop)
            if self.next_clock < stop:
                continue
            if stop > self.now:
                self.now = stop
            self._fire(stop)
            if stop >= target:
                return

    def _fire(self, clock: int) -> None:
        queue = self._queue
        while queue and queue[0][0] <= clock:
            event = heapq.heappop(queue)[2]
            self.next_clock = queue[0][0] if queue else FOREVER
            action = event.action
            if action is not None:
                event.action = None
                action()
        self.next_clock = queue[0][0] if queue else FOREVER
