"""`micropython`, and the names that its compiler knows without an import."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

from rheobase.sim import costs
from rheobase.sim.chip import Chip
from rheobase.sim.cpu import Cpu
from rheobase.sim.modules.arguments import MASK, as_int, module


def const(value: Any, /) -> Any:
    return value


def native(function: Callable[..., Any], /) -> Callable[..., Any]:
    """Runs as ordinary Python here."""
    return function


def viper(function: Callable[..., Any], /) -> Callable[..., Any]:
    """Runs as ordinary Python, its arguments converted as annotated (ptr8/16/32, int, uint)."""
    names = function.__code__.co_varnames[: function.__code__.co_argcount]
    kinds = [function.__annotations__.get(name) for name in names]
    converters = [_VIPER_INTEGERS.get(kind, kind) for kind in kinds]

    def call(*args: Any) -> Any:
        if len(args) != len(names):
            raise TypeError(f"function takes {len(names)} positional arguments")
        return function(
            *(
                value if convert is None or convert in (object, bool) else convert(value)
                for value, convert in zip(args, converters, strict=True)
            )
        )

    return call if any(kinds) else function


def _signed(value: Any) -> int:
    number = as_int(value) & MASK
    return number - (number >> 31 << 32)


def _unsigned(value: Any) -> int:
    return as_int(value) & MASK


_VIPER_INTEGERS: dict[Any, Callable[[Any], int]] = {int: _signed, _unsigned: _unsigned}


class BufferPointer:
    """viper's ptr8, ptr16 and ptr32 into a buffer: unsigned elements, cut to size."""

    def __init__(self, size: int, buffer: Any) -> None:
        self.target = buffer
        data: Any = memoryview(buffer).cast("B")
        self._items = data[: len(data) // size * size].cast({1: "B", 2: "H", 4: "I"}[size])
        self._mask = (1 << 8 * size) - 1

    def __getitem__(self, index: int) -> int:
        return self._items[index]

    def __setitem__(self, index: int, value: int) -> None:
        self._items[index] = value & self._mask


class BusPointer:
    """The same to an address."""

    def __init__(self, chip: Chip, cpu: Cpu, size: int, address: int) -> None:
        self._chip = chip
        self._cpu = cpu
        self._size = size
        self.target = self._address = as_int(address)
        self._cost = cpu.clocks(costs.POINTER)

    def __getitem__(self, index: int) -> int:
        cpu = self._cpu
        cpu.touch(self._cost)
        address = self._address + index * self._size & MASK
        return cpu.guard(self._chip.bus.read, address, self._size, cpu.clock)

    def __setitem__(self, index: int, value: int) -> None:
        cpu = self._cpu
        cpu.touch(self._cost)
        address = self._address + index * self._size & MASK
        value &= (1 << 8 * self._size) - 1
        cpu.guard(self._chip.bus.write, address, value, self._size, cpu.clock)


def compiler_names(chip: Chip, cpu: Cpu) -> dict[str, Any]:
    """What firmware may use without an import: const, and viper's types."""

    def pointer(size: int, target: Any) -> Any:
        if isinstance(target, (BufferPointer, BusPointer)):
            target = target.target
        if isinstance(target, int):
            return BusPointer(chip, cpu, size, target)
        return BufferPointer(size, target)

    names: dict[str, Any] = {f"ptr{8 * size}": partial(pointer, size) for size in (1, 2, 4)}
    names["ptr"] = chip.address_of
    names["uint"] = _unsigned
    names["const"] = const
    return names


def build(chip: Chip, cpu: Cpu) -> ModuleType:
    state = {"opt_level": 0, "heap_locks": 0}

    def schedule(function: Callable[[Any], Any], argument: Any, /) -> None:
        cpu.spend(cpu.clocks(costs.SCHEDULE))
        if not cpu.schedule(function, argument):
            raise RuntimeError("schedule queue full")

    def kbd_intr(char: int, /) -> None:
        cpu.touch(0)
        chip.usb.interrupt_char = as_int(char)

    def opt_level(*level: int) -> Any:
        if not level:
            return state["opt_level"]
        (state["opt_level"],) = level
        return None

    def heap_lock() -> None:
        state["heap_locks"] += 1

    def heap_unlock() -> int:
        state["heap_locks"] -= 1
        return state["heap_locks"]

    def alloc_emergency_exception_buf(size: int, /) -> None:
        as_int(size)

    def show(*args: Any) -> None:
        """mem_info and qstr_info print what only the real port has."""

    return module(
        "micropython",
        {
            "alloc_emergency_exception_buf": alloc_emergency_exception_buf, "const": const,
            "heap_lock": heap_lock, "heap_unlock": heap_unlock, "kbd_intr": kbd_intr,
            "mem_info": show, "native": native, "opt_level": opt_level, "qstr_info": show,
            "schedule": schedule, "stack_use": lambda: 800, "viper": viper,
        },
    )  # fmt: skip
