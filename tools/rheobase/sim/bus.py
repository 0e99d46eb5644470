"""The address map: which part answers at which address, for mem8/16/32 and for DMA."""

from __future__ import annotations

from typing import Protocol

from rheobase.sim.errors import HardFault, NotModelled
from rheobase.sim.memory import SRAM, SRAM_END, Memory

RESETS = 0x4000C000
IO_BANK0 = 0x40014000
PADS_BANK0 = 0x4001C000
ADC = 0x4004C000
PWM = 0x40050000
TIMER = 0x40054000
WATCHDOG = 0x40058000
VREG_AND_CHIP_RESET = 0x40064000
DMA = 0x50000000
PIO0 = 0x50200000
PIO1 = 0x50300000
SIO = 0xD0000000

_OTHERS = {
    0x40000000: "SYSINFO", 0x40004000: "SYSCFG", 0x40008000: "CLOCKS", 0x40010000: "PSM",
    0x40018000: "IO_QSPI", 0x40020000: "PADS_QSPI", 0x40024000: "XOSC", 0x40028000: "PLL_SYS",
    0x4002C000: "PLL_USB", 0x40030000: "BUSCTRL", 0x40034000: "UART0", 0x40038000: "UART1",
    0x4003C000: "SPI0", 0x40040000: "SPI1", 0x40044000: "I2C0", 0x40048000: "I2C1",
    0x4005C000: "RTC", 0x40060000: "ROSC", 0x4006C000: "TBMAN",
}  # fmt: skip
_REGIONS = (
    (0x00000000, 0x00004000, "boot ROM"),
    (0x10000000, 0x18000000, "flash (XIP)"),
    (0x21000000, 0x21040000, "unstriped SRAM"),
    (0x50100000, 0x50120000, "USB"),
    (0xE0000000, 0xE0100000, "the processor's own registers"),
)


class Device(Protocol):
    """A peripheral's 32-bit registers."""

    def read(self, offset: int, clock: int) -> int: ...

    def write(self, offset: int, value: int, clock: int) -> None: ...


class Bus:
    """32-bit addresses to devices and memory.

    Reading and writing raise HardFault where the real bus has nothing (the processor would lock
    up) and NotModelled where it has something that the virtual chip lacks.
    """

    def __init__(self, memory: Memory) -> None:
        self.memory = memory
        self._devices: dict[int, Device] = {}

    def attach(self, base: int, device: Device) -> None:
        self._devices[base] = device

    def read(self, address: int, size: int, clock: int) -> int:
        """Read `size` (1, 2 or 4) bytes."""
        if SRAM <= address < SRAM_END:
            return self.memory.find(address).read(address, size)
        device, offset, _ = self._find(address)
        word = device.read(offset & ~3, clock)
        return word >> 8 * (address & 3) & ((1 << 8 * size) - 1)

    def write(self, address: int, value: int, size: int, clock: int) -> None:
        """Write; a peripheral sees a narrow value on all lanes of its 32 bits."""
        if SRAM <= address < SRAM_END:
            self.memory.find(address).write(address, value, size)
            return
        device, offset, alias = self._find(address)
        if size == 1:
            value = (value & 0xFF) * 0x01010101
        elif size == 2:
            value = (value & 0xFFFF) * 0x00010001
        offset &= ~3
        if alias:
            old = device.read(offset, clock)
            value = (value, old ^ value, old | value, old & ~value)[alias]
        device.write(offset, value & 0xFFFFFFFF, clock)

    def _find(self, address: int) -> tuple[Device, int, int]:
        """(device, offset in it, atomic alias: 0 none, 1 xor, 2 set, 3 clear)"""
        base = address & ~0x3FFF
        device = self._devices.get(base)
        if device is not None:
            if base == SIO:
                return device, address & 0xFFF, 0
            return device, address & 0xFFF, address >> 12 & 3
        if base in _OTHERS:
            raise NotModelled(f"{_OTHERS[base]} at {address:#010x}")
        for start, end, name in _REGIONS:
            if start <= address < end:
                raise NotModelled(f"{name} at {address:#010x}")
        raise HardFault(f"nothing answers at {address:#010x}")
