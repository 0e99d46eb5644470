"""A PIO block's registers on the bus, and its interrupt to the processor."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from rheobase.sim.bus import PIO0, PIO1
from rheobase.sim.errors import NotModelled
from rheobase.sim.kernel import Kernel
from rheobase.sim.pio import PioBlock

_CTRL, _FSTAT, _FDEBUG, _FLEVEL = 0x000, 0x004, 0x008, 0x00C
_TXF0, _RXF0, _IRQ, _IRQ_FORCE = 0x010, 0x020, 0x030, 0x034
_DBG_PADOUT, _DBG_PADOE, _DBG_CFGINFO = 0x03C, 0x040, 0x044
_INSTR_MEM0, _SM0, _INTR = 0x048, 0x0C8, 0x128
_IRQ0_INTE, _IRQ0_INTF, _IRQ0_INTS, _END = 0x12C, 0x130, 0x134, 0x144
_SM_STRIDE = 0x18
_CLKDIV, _EXECCTRL, _SHIFTCTRL, _ADDR, _INSTR, _PINCTRL = 0x00, 0x04, 0x08, 0x0C, 0x10, 0x14

_FLAGS = 0xF00  # the interrupts that are state machine flags; the others are FIFO levels


class PioRegisters:
    """`on_interrupt` is called when the block's IRQ 0 goes up."""

    def __init__(self, block: PioBlock, kernel: Kernel) -> None:
        self.block = block
        self._kernel = kernel
        self.on_interrupt: Callable[[], None] = lambda: None
        self.inte0 = 0
        self._used = False
        block.on_irq = self._changed

    def tx_address(self, machine: int) -> int:
        """The bus address of a machine's TX FIFO."""
        return (PIO1 if self.block.index else PIO0) + _TXF0 + 4 * machine

    def rx_address(self, machine: int) -> int:
        return (PIO1 if self.block.index else PIO0) + _RXF0 + 4 * machine

    def use(self) -> None:
        """Let the block run from now on; one that nobody touches costs nothing."""
        if not self._used:
            self._used = True
            self._kernel.runners.append(self.block)

    def reset(self, clock: int) -> None:
        self.block.reset(clock)
        self.inte0 = 0

    # --- interrupts ---

    def enable_interrupts(self, mask: int) -> None:
        if mask & ~_FLAGS:
            raise NotModelled("PIO interrupts on FIFO levels")
        self.inte0 = mask
        self._check()

    @property
    def raw(self) -> int:
        return (self.block.irq & 15) << 8

    @property
    def pending(self) -> int:
        return self.raw & self.inte0

    def _changed(self, clock: int) -> None:
        if self.pending:
            if clock > self._kernel.now:
                self._kernel.at(clock, self._check)
            else:
                self._check()

    def _check(self) -> None:
        if self.pending:
            self.on_interrupt()

    # --- on the bus ---

    def read(self, offset: int, clock: int) -> int:
        block = self.block
        if _TXF0 <= offset < _RXF0:
            return 0
        if _RXF0 <= offset < _IRQ:
            return block.machines[offset - _RXF0 >> 2].rx_get(clock)
        if _SM0 <= offset < _INTR:
            return self._read_machine(offset - _SM0)
        if _INSTR_MEM0 <= offset < _SM0:
            return 0  # write-only
        if offset == _FSTAT:
            return sum(
                (m.rx_full | (not m.rx_level) << 8 | m.tx_full << 16 | (not m.tx_level) << 24)
                << m.index
                for m in block.machines
            )
        if offset == _FLEVEL:
            return sum((m.tx_level | m.rx_level << 4) << 8 * m.index for m in block.machines)
        return {
            _CTRL: block.enabled,
            _FDEBUG: block.fdebug,
            _IRQ: block.irq,
            _DBG_PADOUT: block.levels,
            _DBG_PADOE: block.directions,
            _DBG_CFGINFO: 32 << 16 | 4 << 8 | 4,
            _INTR: self.raw,
            _IRQ0_INTE: self.inte0,
            _IRQ0_INTS: self.pending,
        }.get(offset, 0)

    def write(self, offset: int, value: int, clock: int) -> None:
        self.use()
        block = self.block
        if _TXF0 <= offset < _RXF0:
            block.machines[offset - _TXF0 >> 2].tx_put(value, clock)
        elif offset == _CTRL:
            self._later(clock, partial(block.control, value))
        elif offset == _FDEBUG:
            block.clear_fdebug(value)
        elif offset == _IRQ:
            self._later(clock, partial(block.clear_irq, value & 0xFF))
        elif offset == _IRQ_FORCE:
            self._later(clock, partial(block.force_irq, value & 0xFF))
        elif _INSTR_MEM0 <= offset < _SM0:
            block.write_memory(offset - _INSTR_MEM0 >> 2, value & 0xFFFF)
        elif _SM0 <= offset < _INTR:
            self._later(clock, partial(self._write_machine, offset - _SM0, value))
        elif offset == _IRQ0_INTE:
            self.enable_interrupts(value)
        elif offset == _IRQ0_INTF or _IRQ0_INTS < offset < _END:
            raise NotModelled("PIO IRQ 1 and forced interrupts")

    def _later(self, clock: int, action: Callable[[int], None]) -> None:
        """Do it now, or (when DMA writes ahead of the kernel) when its clock has come."""
        if clock > self._kernel.now:
            self._kernel.at(clock, lambda: action(clock))
        else:
            action(clock)

    def _read_machine(self, offset: int) -> int:
        self.block.wake()
        machine = self.block.machines[offset // _SM_STRIDE]
        config = machine.config
        register = offset % _SM_STRIDE
        if register == _EXECCTRL:
            return config.execctrl | machine.exec_stalled << 31
        if register == _INSTR:
            return self.block.memory[machine.pc]
        return {
            _CLKDIV: config.clkdiv,
            _SHIFTCTRL: config.shiftctrl,
            _ADDR: machine.pc,
            _PINCTRL: config.pinctrl,
        }[register]

    def _write_machine(self, offset: int, value: int, clock: int) -> None:
        machine = self.block.machines[offset // _SM_STRIDE]
        register = offset % _SM_STRIDE
        if register == _INSTR:
            machine.execute(value, clock)
        elif register == _CLKDIV:
            machine.configure(clock, clkdiv=value)
        elif register == _EXECCTRL:
            machine.configure(clock, execctrl=value)
        elif register == _SHIFTCTRL:
            machine.configure(clock, shiftctrl=value)
        elif register == _PINCTRL:
            machine.configure(clock, pinctrl=value)
