"""`gc`, `uctypes` and `array`: what there is of the port's heap."""

from __future__ import annotations

import array as host_array
import gc as host_gc
from types import ModuleType
from typing import Any

from rheobase.sim import costs
from rheobase.sim.chip import Chip
from rheobase.sim.cpu import Cpu
from rheobase.sim.modules.arguments import as_int, module

HEAP_FREE = 180_000  # bytes; about what a Pico has left with the firmware loaded
HEAP_USED = 60_000

_SIZES = {"l": "i", "L": "I"}  # longs have four bytes on the board


class array(host_array.array):  # type: ignore[type-arg]  # noqa: N801
    def __new__(cls, typecode: str, *values: Any) -> array:
        return super().__new__(cls, _SIZES.get(typecode, typecode), *values)


class _AnyBytearray(type):
    """Sums and slices of the subclass below are plain bytearrays; the board sees one type."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, bytearray)


class bytearray_on_board(bytearray, metaclass=_AnyBytearray):  # noqa: N801
    """A bytearray whose end of life can be noticed."""


bytearray_on_board.__name__ = bytearray_on_board.__qualname__ = "bytearray"
bytearray_on_board.__module__ = "builtins"


def build_array() -> ModuleType:
    return module("array", {"array": array})


def build_gc(chip: Chip, cpu: Cpu) -> ModuleType:
    state = {"enabled": True, "threshold": -1}

    def collect() -> None:
        cpu.touch(cpu.clocks(costs.COLLECT))

    def switch(on: bool) -> None:
        state["enabled"] = on

    def threshold(*amount: int) -> Any:
        if not amount:
            return state["threshold"]
        state["threshold"] = as_int(amount[0])
        return None

    return module(
        "gc",
        {
            "collect": collect, "disable": lambda: switch(False), "enable": lambda: switch(True),
            "isenabled": lambda: state["enabled"], "mem_alloc": lambda: HEAP_USED,
            "mem_free": lambda: HEAP_FREE, "threshold": threshold,
        },
    )  # fmt: skip


def build_uctypes(chip: Chip, cpu: Cpu) -> ModuleType:
    def addressof(buffer: Any, /) -> int:
        if isinstance(buffer, int):
            raise TypeError("object with buffer protocol required")
        return chip.address_of(buffer)

    def bytes_at(address: int, size: int, /) -> bytes:
        read = chip.bus.read
        return bytes(
            cpu.guard(read, as_int(address) + i, 1, cpu.clock) for i in range(as_int(size))
        )

    def bytearray_at(address: int, size: int, /) -> Any:
        region = cpu.guard(chip.bus.memory.find, as_int(address))
        start = address - region.start
        return memoryview(cpu.guard(region.buffer)).cast("B")[start : start + as_int(size)]

    return module(
        "uctypes", {"addressof": addressof, "bytes_at": bytes_at, "bytearray_at": bytearray_at}
    )


def collect_garbage() -> None:
    """Drop what a finished firmware left behind in cycles."""
    host_gc.collect(1)
