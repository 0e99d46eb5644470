"""`rp2.DMA` as MicroPython 1.28 has it."""

from __future__ import annotations

import errno
import weakref
from typing import Any

from rheobase.sim import bus as at
from rheobase.sim import costs, dma
from rheobase.sim.chip import Chip
from rheobase.sim.cpu import Cpu
from rheobase.sim.errors import os_error
from rheobase.sim.modules.arguments import MASK, as_int
from rheobase.sim.modules.irq import Irq


class Registers:
    """`DMA.registers`: a memoryview of hardware registers, by word."""

    def __init__(self, chip: Chip, cpu: Cpu, address: int, words: range) -> None:
        self._chip = chip
        self._cpu = cpu
        self._address = address
        self._words = words

    def __len__(self) -> int:
        return len(self._words)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            words = self._words[index]
            if words.step != 1:
                raise NotImplementedError("only slices with step=1 (aka None) are supported")
            return Registers(self._chip, self._cpu, self._address, words)
        self._cpu.touch(self._cpu.clocks(costs.MEMORY))
        address = self._address + 4 * self._words[index]
        return self._chip.bus.read(address, 4, self._cpu.clock)

    def __setitem__(self, index: int, value: int) -> None:
        self._cpu.touch(self._cpu.clocks(costs.MEMORY))
        address = self._address + 4 * self._words[index]
        value = as_int(value) & MASK
        self._cpu.guard(self._chip.bus.write, address, value, 4, self._cpu.clock)

    def _bus_address(self, write: bool) -> int:
        return self._address + 4 * self._words.start


_FIELDS = {
    "enable": (0, 1), "high_pri": (1, 1), "size": (2, 2), "inc_read": (4, 1), "inc_write": (5, 1),
    "ring_size": (6, 4), "ring_sel": (10, 1), "chain_to": (11, 4), "treq_sel": (15, 6),
    "irq_quiet": (21, 1), "bswap": (22, 1), "sniff_en": (23, 1), "busy": (24, 1),
    "write_err": (29, 1), "read_err": (30, 1), "ahb_err": (31, 1),
}  # fmt: skip
_READ_ONLY = ("busy", "ahb_err")
_DEFAULT_CTRL = 1 << 21 | dma.PERMANENT << 15 | 1 << 5 | 1 << 4 | 2 << 2 | 1


def _register(name: str, held: str) -> property:
    """A register as an attribute; `held` is what the channel calls it."""

    def look(dma: DMA) -> int:
        dma._cpu.touch(dma._cpu.clocks(costs.DMA_LOOK))
        return getattr(dma._registers(), held)

    return property(look, lambda dma, value: dma._assign(name, value))


class DMA:
    """A claimed channel. It is closed, and its transfer aborted, when its object is collected."""

    __slots__ = ("__weakref__", "_closed", "_index", "_irq")

    _chip: Chip
    _cpu: Cpu
    _irqs: dict[int, Irq]

    _open: weakref.WeakSet[DMA]

    def __init__(self) -> None:
        self._closed = True
        self._cpu.touch(self._cpu.clocks(costs.DMA))
        claimed = self._chip.dma.claimed
        for index in range(dma.CHANNELS):
            if index not in claimed:
                break
        else:
            raise os_error(errno.EBUSY)
        claimed.add(index)
        self._index = index
        self._closed = False
        self._open.add(self)

    def _registers(self) -> dma.Channel:
        if self._closed:
            raise ValueError("channel closed")
        return self._chip.dma.channels[self._index]

    def _write(self, offset: int, value: int) -> None:
        """Write one of the channel's registers, by its place among the aliases."""
        self._cpu.guard(
            self._chip.dma.write, self._index * 0x40 + offset, value & MASK, self._cpu.clock
        )
        self._cpu.settle()

    def _set(self, name: str, value: Any, trigger: bool) -> None:
        """Set one register, through the alias that triggers or one that does not."""
        if name == "read":
            self._write(0x3C if trigger else 0x00, self._chip.address_of(value))
        elif name == "write":
            self._write(0x2C if trigger else 0x04, self._chip.address_of(value, write=True))
        elif name == "count":
            self._write(0x1C if trigger else 0x08, as_int(value))
        else:
            self._write(0x0C if trigger else 0x10, as_int(value))

    def config(self, **options: Any) -> None:
        self._registers()
        trigger = bool(options.pop("trigger", False))
        if not options.keys() <= {"read", "write", "count", "ctrl"}:
            raise TypeError("extra keyword arguments given")
        self._cpu.touch(self._cpu.clocks(costs.DMA))
        if trigger and not options:
            self._chip.dma.start(1 << self._index, self._cpu.clock)
            return
        left = len(options)
        for name in ("read", "write", "count", "ctrl"):
            if name in options:
                left -= 1
                self._set(name, options[name], trigger and not left)

    def active(self, *value: Any) -> bool:
        channel = self._registers()
        self._cpu.touch(self._cpu.clocks(costs.DMA_LOOK))
        if value:
            if value[0]:
                self._cpu.guard(self._chip.dma.start, 1 << self._index, self._cpu.clock)
            else:
                self._chip.dma.abort(1 << self._index)
        return channel.busy

    def pack_ctrl(self, **fields: Any) -> int:
        value = _DEFAULT_CTRL | ((15 if self._closed else self._index) << 11)
        if "default" in fields:
            value = as_int(fields.pop("default")) & MASK
        for name, field in fields.items():
            if name not in _FIELDS:
                raise TypeError("extra keyword arguments given")
            if name in _READ_ONLY:
                continue
            place, bits = _FIELDS[name]
            number = as_int(field) & MASK
            if number >> bits:
                raise ValueError("bad field value")
            value = value & ~((1 << bits) - 1 << place) | number << place
        return value

    @staticmethod
    def unpack_ctrl(value: int, /) -> dict[str, int]:
        number = as_int(value) & MASK
        return {
            name: number >> place & (1 << bits) - 1 for name, (place, bits) in _FIELDS.items()
        }

    def irq(self, *args: Any, **options: Any) -> Irq:
        """irq(handler=None, hard=False)"""
        if len(args) > 2 or "trigger" in options:
            raise TypeError("extra arguments given")
        channels = self._chip.dma
        index = self._index
        irq = self._irqs.get(index)
        if irq is None:
            irq = Irq(self._cpu, self, lambda on: channels.enable_irq(index, bool(on)))
            self._irqs[index] = irq
            channels.acknowledge(1 << index)
        return irq.update((*args[:1], 1, *args[1:]) if args else (), options, 1)

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        channels = self._chip.dma
        self._cpu.touch(self._cpu.clocks(costs.DMA))
        self._release(channels)

    def _release(self, channels: dma.Dma) -> None:
        channels.enable_irq(self._index, False)
        channels.abort(1 << self._index)
        channels.channels[self._index].clear()
        channels.claimed.discard(self._index)
        self._irqs.pop(self._index, None)

    def __del__(self) -> None:
        if not getattr(self, "_closed", True) and self._cpu.alive:
            self._closed = True
            self._release(self._chip.dma)

    @property
    def channel(self) -> int:
        return self._index

    @property
    def registers(self) -> Registers:
        return Registers(self._chip, self._cpu, at.DMA + 0x40 * self._index, range(16))

    read = _register("read", "read")
    write = _register("write", "write")
    count = _register("count", "remaining")

    @property
    def ctrl(self) -> int:
        self._cpu.touch(self._cpu.clocks(costs.MEMORY))
        channel = self._registers()
        return channel.ctrl | (dma.BUSY if channel.busy else 0)

    @ctrl.setter
    def ctrl(self, value: Any) -> None:
        self._assign("ctrl", value)

    def _assign(self, name: str, value: Any) -> None:
        self._registers()
        self._cpu.touch(self._cpu.clocks(costs.MEMORY))
        self._set(name, value, trigger=False)

    def __repr__(self) -> str:
        return f"DMA({self._index})"
