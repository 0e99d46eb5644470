"""The port's irq objects: a handler, whether it is hard, and what triggers it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rheobase.sim.cpu import Cpu
from rheobase.sim.modules.arguments import as_int


class Irq:
    """What `Pin.irq`, `PIO.irq` and `DMA.irq` return. `enable` sets the hardware's mask."""

    def __init__(self, cpu: Cpu, parent: Any, enable: Callable[[int], None]) -> None:
        self._cpu = cpu
        self._parent = parent
        self._enable = enable
        self._handler: Any = None
        self._hard = False
        self._flags = 0
        self._trigger = 0

    def update(self, args: tuple[Any, ...], options: dict[str, Any], default: int) -> Irq:
        """`irq(handler=None, trigger=default, hard=False)`; without arguments nothing changes."""
        if args or options:
            names = ("handler", "trigger", "hard")
            if len(args) > len(names):
                raise TypeError("extra positional arguments given")
            values = {"handler": None, "trigger": default, "hard": False}
            values.update(zip(names, args, strict=False))
            if not options.keys() <= set(names[len(args) :]):
                raise TypeError("extra keyword arguments given")
            values.update(options)
            self._configure(values["handler"], as_int(values["trigger"]), bool(values["hard"]))
        return self

    def _configure(self, handler: Any, trigger: int, hard: bool) -> None:
        self._enable(0)
        self._handler = handler
        self._hard = hard
        self._flags = 0
        self._trigger = trigger
        if handler is not None and trigger:
            self._enable(trigger)

    def fire(self, flags: int) -> None:
        """The interrupt has come; called by its vector."""
        if flags & self._trigger:
            self._flags = flags & self._trigger
            self()

    def __call__(self) -> None:
        handler = self._handler
        if handler is not None and not self._cpu.dispatch(handler, self._parent, self._hard):
            self._enable(0)
            self._trigger = 0
            self._handler = None

    def flags(self) -> int:
        return self._flags

    def trigger(self, *value: int) -> int:
        before = self._trigger
        if value:
            self._flags = 0
            (self._trigger,) = value
            self._enable(self._trigger)
        return before


Irq.__name__ = "irq"
