"""`select`: polling the standard streams."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from rheobase.sim import costs
from rheobase.sim.chip import Chip
from rheobase.sim.cpu import Cpu
from rheobase.sim.errors import os_error
from rheobase.sim.modules.arguments import as_int, module
from rheobase.sim.modules.time import wait_ms

POLLIN, POLLOUT, POLLERR, POLLHUP = 1, 4, 8, 16
_ONESHOT = 1


def build(chip: Chip, cpu: Cpu) -> ModuleType:
    usb = chip.usb
    cost = cpu.clocks(costs.POLL)

    class Entry:
        __slots__ = ("events", "found", "stream")

        def __init__(self, stream: Any, events: int) -> None:
            self.stream = stream
            self.events = events
            self.found = 0

    class poll:  # noqa: N801
        def __init__(self) -> None:
            self._entries: dict[int, Entry] = {}
            self._flags = 0

        def register(self, stream: Any, events: int = POLLIN | POLLOUT, /) -> None:
            if getattr(stream, "_poll_flags", None) is None:
                raise OSError("stream operation not supported")
            self._entries[id(stream)] = Entry(stream, as_int(events))

        def unregister(self, stream: Any, /) -> None:
            self._entries.pop(id(stream), None)

        def modify(self, stream: Any, events: int, /) -> None:
            if id(stream) not in self._entries:
                raise os_error(errno.ENOENT)
            self._entries[id(stream)].events = as_int(events)

        def poll(self, timeout: int | None = -1, /) -> list[tuple[Any, int]]:
            self._flags = 0
            if not self._wait(timeout):
                return []
            return [(e.stream, e.found) for e in self._entries.values() if e.found]

        def ipoll(self, timeout: int | None = -1, flags: int = 0, /) -> Iterator[Any]:
            self._flags = flags
            if not self._wait(timeout):
                return iter(())
            return self._found()

        def _found(self) -> Iterator[Any]:
            for entry in self._entries.values():
                if entry.found:
                    if self._flags & _ONESHOT:
                        entry.events = 0
                    yield entry.stream, entry.found

        def _look(self) -> bool:
            if usb.waiting:
                usb.poll()
            hit = False
            for entry in self._entries.values():
                entry.found = found = entry.stream._poll_flags(entry.events)
                if found:
                    hit = True
            return hit

        def _wait(self, timeout: int | None) -> bool:
            cpu.spend(cost)
            ms = -1 if timeout is None else as_int(timeout)
            if ms == 0:
                cpu.sync()
                return self._look()
            if ms > 0:
                return wait_ms(chip, cpu, ms, self._look)
            while not cpu.wait(cpu.clock + cpu.clock_hz, self._look):
                pass
            return True

    def select(*args: Any) -> Any:
        if not 3 <= len(args) <= 4:
            raise TypeError("function expected 3 to 4 arguments")
        poller = poll()
        wanted = tuple(zip(args[:3], (POLLIN, POLLOUT, POLLERR | POLLHUP), strict=True))
        events: dict[int, list[Any]] = {}
        for streams, event in wanted:
            for stream in streams:
                entry = events.setdefault(id(stream), [stream, 0])
                entry[1] |= event
        for stream, event in events.values():
            poller.register(stream, event)
        timeout = args[3] if len(args) == 4 else None
        ms = -1 if timeout is None else int(timeout * 1000)
        found = {id(stream): hit for stream, hit in poller.poll(ms)}
        return tuple(
            [stream for stream in streams if found.get(id(stream), 0) & event]
            for streams, event in wanted
        )

    return module(
        "select",
        {
            "poll": poll, "select": select,
            "POLLIN": POLLIN, "POLLOUT": POLLOUT, "POLLERR": POLLERR, "POLLHUP": POLLHUP,
        },
    )  # fmt: skip
