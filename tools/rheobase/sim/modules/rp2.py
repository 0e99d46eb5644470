"""`rp2`: PIO, state machines and DMA as MicroPython 1.28 has them."""

from __future__ import annotations

import errno
import weakref
from types import ModuleType
from typing import Any

from rheobase.sim import costs, gpio
from rheobase.sim import pio_asm as asm
from rheobase.sim.chip import PIO_BLOCKS, Chip
from rheobase.sim.cpu import Cpu
from rheobase.sim.errors import os_error
from rheobase.sim.modules.arguments import MASK, as_int, module
from rheobase.sim.modules.irq import Irq
from rheobase.sim.modules.micropython import const
from rheobase.sim.modules.rp2_dma import DMA
from rheobase.sim.pio_machine import StateMachineModel

_MACHINES = 4
_MEMORY = 32
_ALL_FLAGS = 0xF00


class Used:
    """What this boot has placed in the PIO blocks: taken instructions, and first instructions."""

    def __init__(self) -> None:
        self.instructions = [0] * PIO_BLOCKS
        self.first = [0] * (_MACHINES * PIO_BLOCKS)


class PIO:
    IN_LOW, IN_HIGH, OUT_LOW, OUT_HIGH = 0, 1, 2, 3
    SHIFT_LEFT, SHIFT_RIGHT = 0, 1
    JOIN_NONE, JOIN_TX, JOIN_RX = 0, 1, 2
    IRQ_SM0, IRQ_SM1, IRQ_SM2, IRQ_SM3 = 0x100, 0x200, 0x400, 0x800

    _chip: Chip
    _cpu: Cpu
    _used: Used
    _blocks: dict[int, Any]
    _machine: type[StateMachine]
    _irq: Irq | None
    _id: int

    def __new__(cls, id: int, /) -> Any:
        if not 0 <= as_int(id) < PIO_BLOCKS:
            raise ValueError("invalid PIO")
        made = cls._blocks.get(id)
        if made is None:
            made = cls._blocks[id] = object.__new__(cls)
            made._id = id
            made._irq = None
        return made

    def add_program(self, program: Any, /) -> None:
        self._cpu.touch(self._cpu.clocks(costs.PIO_INIT))
        words = _program(program)[0]
        mask = (1 << len(words)) - 1
        for offset in range(_MEMORY - len(words), -1, -1):
            if not self._used.instructions[self._id] & mask << offset:
                break
        else:
            raise os_error(errno.ENOMEM)
        self._used.instructions[self._id] |= mask << offset
        self._chip.pio[self._id].block.load(words, offset)
        program[1 + self._id] = offset

    def remove_program(self, *program: Any) -> None:
        self._cpu.touch(self._cpu.clocks(costs.PIO))
        mask, offset = MASK, 0
        if program:
            words = _program(*program)[0]
            mask = (1 << len(words)) - 1
            offset = program[0][1 + self._id]
            program[0][1 + self._id] = -1
            if offset < 0:
                return  # the port means to refuse this, and does not
        self._used.instructions[self._id] &= ~(mask << offset)

    def state_machine(self, id: int, /, *args: Any, **options: Any) -> Any:
        if not 0 <= as_int(id) < _MACHINES:
            raise ValueError("invalid StateMachine")
        return self._machine(_MACHINES * self._id + id, *args, **options)

    def irq(self, *args: Any, **options: Any) -> Irq:
        """irq(handler=None, trigger=IRQ_SM0 | IRQ_SM1 | IRQ_SM2 | IRQ_SM3, hard=False)"""
        self._cpu.touch(self._cpu.clocks(costs.PIO))
        if self._irq is None:
            self._irq = Irq(self._cpu, self, self._enable)
        return self._irq.update(args, options, _ALL_FLAGS)

    def _enable(self, trigger: int) -> None:
        self._cpu.guard(self._chip.pio[self._id].enable_interrupts, trigger)

    def __repr__(self) -> str:
        return f"PIO({self._id})"


class StateMachine:
    """One of the eight; there is one object for each."""

    _chip: Chip
    _cpu: Cpu
    _used: Used
    _machines: dict[int, Any]
    _block: type[PIO]
    _pin: Any
    _irq: Irq | None
    _model: StateMachineModel
    _id: int

    def __new__(cls, id: int, /, *args: Any, **options: Any) -> Any:
        if not 0 <= as_int(id) < _MACHINES * PIO_BLOCKS:
            raise ValueError("invalid StateMachine")
        made = cls._machines.get(id)
        if made is None:
            made = cls._machines[id] = object.__new__(cls)
            made._id = id
            cls._chip.pio[id // _MACHINES].use()
            made._model = cls._chip.pio[id // _MACHINES].block.machines[id % _MACHINES]
            made._irq = None
        return made

    def __init__(self, id: int, /, *args: Any, **options: Any) -> None:
        if args or options:
            self.init(*args, **options)

    def init(
        self, prog: Any, freq: int = -1, *, in_base: Any = None, out_base: Any = None,
        set_base: Any = None, jmp_pin: Any = None, sideset_base: Any = None,
        in_shiftdir: Any = None, out_shiftdir: Any = None, push_thresh: Any = None,
        pull_thresh: Any = None,
    ) -> None:
        cpu, model = self._cpu, self._model
        cpu.touch(cpu.clocks(costs.PIO_INIT))
        program = _program(prog)
        index = self._id // _MACHINES
        block = self._chip.pio[index].block
        if program[1 + index] < 0:
            self._block(index).add_program(program)
        offset = program[1 + index]
        self._used.first[self._id] = offset
        divider = self._divider(as_int(freq))
        clock = cpu.clock
        model.init(clock, offset)

        execctrl = (as_int(program[4]) & MASK) + (offset << 12) + (offset << 7)
        shiftctrl = as_int(program[5]) & MASK
        pinctrl = 0
        if in_base is not None:
            pinctrl |= self._number(in_base) << 15
        outputs = []
        for init, base, place, count_place in (
            (program[6], out_base, 0, 20), (program[7], set_base, 5, 26),
        ):  # fmt: skip
            pins = _pin_inits(init)
            if base is not None:
                first = self._number(base)
                pinctrl |= first << place | len(pins) << count_place
                outputs.append((first, pins))
        execctrl &= ~(31 << 24)
        if jmp_pin is not None:
            execctrl |= self._number(jmp_pin) << 24
        if sideset_base is not None:
            pins = _pin_inits(program[8])
            first = self._number(sideset_base)
            count = len(pins) + (execctrl >> 30 & 1)
            pinctrl |= first << 10 | count << 29
            outputs.append((first, pins))
        for value, mask, place in (
            (in_shiftdir, 1, 18), (out_shiftdir, 1, 19), (push_thresh, 31, 20),
            (pull_thresh, 31, 25),
        ):  # fmt: skip
            if value is not None:
                shiftctrl = shiftctrl & ~(mask << place) | (as_int(value) & mask) << place
        cpu.guard(
            lambda: model.configure(
                clock, clkdiv=divider, execctrl=execctrl, shiftctrl=shiftctrl, pinctrl=pinctrl
            )
        )
        for first, pins in outputs:
            self._take_over(block, first, pins, clock)

    def _divider(self, freq: int) -> int:
        """The CLKDIV register for a frequency; the machine runs at the system clock for -1."""
        if freq < 0:
            return 1 << 16
        if freq == 0:
            return 0
        divisor = self._cpu.clock_hz * 256 // freq
        if not 256 <= divisor <= 65536 * 256:
            raise ValueError("freq out of range")
        return (divisor & 0xFFFFFF) << 8

    def _number(self, pin: Any) -> int:
        return self._pin._of(pin)._id

    def _take_over(self, block: Any, first: int, pins: list[int], clock: int) -> None:
        """Levels and directions first, then the function: a pin changes hands without an edge."""
        mask = values = directions = 0
        for place, init in enumerate(pins, first):
            bit = 1 << place % 32
            mask |= bit
            values |= bit if init & 1 else 0
            directions |= bit if init >> 1 else 0
        block.write_pins(mask, values, clock)
        block.write_directions(mask, directions, clock)
        for pin in range(gpio.PINS):
            if mask >> pin & 1:
                self._chip.gpio.set_function(pin, gpio.PIO0 + block.index, clock)

    def active(self, *value: Any) -> bool:
        self._cpu.touch(self._cpu.clocks(costs.PIO))
        if value:
            self._model.enable(bool(value[0]), self._cpu.clock)
        return self._model.enabled

    def restart(self) -> None:
        self._cpu.touch(self._cpu.clocks(costs.PIO))
        self._model.restart(self._cpu.clock)
        self._model.execute(self._used.first[self._id], self._cpu.clock)

    def exec(self, instr: Any, /) -> None:
        self._cpu.touch(self._cpu.clocks(costs.PIO))
        if isinstance(instr, str):
            config = self._model.config
            # the port passes the count with the enable bit, and the enable bit again
            instr = asm.asm_pio_encode(instr, config.sideset_count, config.side_en)
        self._cpu.guard(self._model.execute, as_int(instr) & 0xFFFF, self._cpu.clock)
        self._cpu.settle()

    def put(self, value: Any, shift: int = 0, /) -> None:
        cpu, model = self._cpu, self._model
        for word in _words(value):
            cpu.touch(cpu.clocks(costs.PIO))
            while model.tx_full:
                cpu.wait(cpu.clock + cpu.clocks(1))
            model.tx_put(word << as_int(shift) & MASK, cpu.clock)

    def get(self, buffer: Any = None, shift: int = 0, /) -> Any:
        if buffer is None:
            return self._get_word() >> as_int(shift)
        view = memoryview(buffer)
        if view.format not in ("b", "B", "h", "H", "i", "I"):
            raise ValueError("unsupported buffer type")
        size = view.itemsize
        data = view.cast("B")
        for start in range(0, len(data), size):
            word = self._get_word() >> as_int(shift) & (1 << 8 * size) - 1
            data[start : start + size] = word.to_bytes(size, "little")
        return buffer

    def _get_word(self) -> int:
        cpu, model = self._cpu, self._model
        cpu.touch(cpu.clocks(costs.PIO))
        while not model.rx_level:
            cpu.wait(cpu.clock + cpu.clocks(1))
        return model.rx_get(cpu.clock)

    def rx_fifo(self) -> int:
        self._cpu.touch(self._cpu.clocks(costs.PIO))
        return self._model.rx_level

    def tx_fifo(self) -> int:
        self._cpu.touch(self._cpu.clocks(costs.PIO))
        return self._model.tx_level

    def irq(self, *args: Any, **options: Any) -> None:
        """Not modelled: in 1.28 its flags and its auto-disable act on another state machine."""
        self._cpu.not_modelled("StateMachine.irq (use PIO.irq)")

    def _bus_address(self, write: bool) -> int:
        registers = self._chip.pio[self._id // _MACHINES]
        place = self._id % _MACHINES
        return registers.tx_address(place) if write else registers.rx_address(place)

    def __repr__(self) -> str:
        return f"StateMachine({self._id})"


def _program(program: Any) -> Any:
    if not isinstance(program, (list, tuple)):
        raise TypeError("object isn't a tuple or list")
    if len(program) != 9:
        raise ValueError(f"requested length 9 but object has length {len(program)}")
    return program


def _pin_inits(init: Any) -> list[int]:
    if init is None:
        return []
    if isinstance(init, int):
        return [init]
    return [as_int(one) for one in init]


def _words(value: Any) -> Any:
    """What `put` sends: a number, or the elements of a buffer."""
    if isinstance(value, str):
        value = value.encode()
    try:
        view = memoryview(value)
    except TypeError:
        return (as_int(value) & MASK,)
    if view.format not in ("B", "H", "I"):
        raise ValueError("unsupported buffer type")
    return view


def build(chip: Chip, cpu: Cpu, pin: Any) -> ModuleType:
    used = Used()
    bound = {"_chip": chip, "_cpu": cpu}
    machines: Any = type(
        "StateMachine", (StateMachine,), {**bound, "_used": used, "_machines": {}, "_pin": pin}
    )
    blocks: Any = type(
        "PIO", (PIO,), {**bound, "_used": used, "_blocks": {}, "_machine": machines}
    )
    machines._block = blocks
    channels: Any = type(
        "DMA", (DMA,),
        {**bound, "_irqs": {}, "_open": weakref.WeakSet(), "__slots__": ()},
    )  # fmt: skip

    def pio_interrupt(index: int) -> None:
        cpu.touch(0)
        registers = chip.pio[index]
        flags = registers.pending
        registers.block.clear_irq(flags >> 8, cpu.clock)
        block = blocks._blocks.get(index)
        if block is not None and block._irq is not None:
            block._irq.fire(flags)

    def dma_interrupt() -> None:
        for index, irq in list(channels._irqs.items()):
            if chip.dma.pending & chip.dma.enabled[0] & 1 << index:
                chip.dma.acknowledge(1 << index)
                irq.fire(1)

    cpu.vectors["pio0"] = lambda: pio_interrupt(0)
    cpu.vectors["pio1"] = lambda: pio_interrupt(1)
    cpu.vectors["dma"] = dma_interrupt

    def bootsel_button() -> int:
        cpu.touch(cpu.clocks(costs.PIN))
        return int(chip.bootsel)

    return module(
        "rp2",
        {
            "DMA": channels, "PIO": blocks, "PIOASMError": asm.PIOASMError,
            "StateMachine": machines, "asm_pio": asm.asm_pio,
            "asm_pio_encode": asm.asm_pio_encode, "bootsel_button": bootsel_button,
            "const": const,
        },
    )  # fmt: skip
