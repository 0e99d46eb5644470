"""What operations have in common: PIO instructions as Python functions.

An operation takes the time (in 1/256 clocks, see `pio_machine`) and returns the address to go on
at, or one of the negative codes below. What it writes takes effect at the end of its clock.
Everything follows the RP2040 datasheet, sections 3.4 and 3.5; encodings it calls reserved raise
NotModelled when they are executed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from rheobase.sim.errors import NotModelled
from rheobase.sim.pio_config import ALL_ONES, MachineConfig, pin_mask, rotated

if TYPE_CHECKING:
    from rheobase.sim.pio_machine import StateMachineModel as Machine

STALL = -1  # the same instruction again, until something from outside changes
RETRY = -2  # the same instruction again on the next cycle, because something has changed
EXEC = -3  # `machine.latch` holds the next instruction; then on at `machine.after`
DRAG = -4  # on at `machine.after`, but every delay cycle counts: the OSR may refill in one
LOOP = -5  # at the end of a loop that only counts (see `pio_loops`); nothing done yet

Operation = Callable[[int], int]
Writer = Callable[[int, int], None]
Source = Callable[[int], int]

JMP, WAIT, IN, OUT, PUSH_PULL, MOV, IRQ, SET = range(8)

PINS, X, Y, NULL, PINDIRS, PC, ISR, OSR = range(8)
STATUS, MOV_EXEC, OUT_EXEC = 5, 4, 7
EXEC_DESTINATIONS = ((OUT, OUT_EXEC), (MOV, MOV_EXEC))


def reserved(word: int) -> Operation:
    def operation(time: int) -> int:
        raise NotModelled("PIO: reserved instruction 0x{:04x}".format(word))

    return operation


def pin_writer(machine: Machine, base: int, count: int, directions: bool) -> Writer:
    """A function that puts the low bits of a value on `count` pins from `base` on."""
    block = machine.block
    mask = pin_mask(base, count)
    keep = ALL_ONES & ~mask
    spill = 32 - base

    def write_levels(value: int, time: int) -> None:
        levels = block.levels & keep | (value << base | value >> spill) & mask
        if levels != block.levels:
            block.levels = levels
            machine.effects += 1
            if not block.deferring:
                block.show(time)

    def write_directions(value: int, time: int) -> None:
        outputs = block.directions & keep | (value << base | value >> spill) & mask
        if outputs != block.directions:
            block.directions = outputs
            machine.effects += 1
            if not block.deferring:
                block.show(time)

    return write_directions if directions else write_levels


def pin_writes(config: MachineConfig, word: int) -> Iterator[tuple[int, int, bool]]:
    """(pins, values, directions) of each constant an instruction puts on pins."""
    which = word >> 5 & 7
    if word >> 13 == SET and which in (PINS, PINDIRS):
        mask = pin_mask(config.set_base, config.set_count)
        yield mask, rotated(word & 31, config.set_base) & mask, which == PINDIRS
    side, _ = config.side_and_delay(word)
    if side is not None:
        mask = pin_mask(config.sideset_base, config.side_pins)
        yield mask, rotated(side, config.sideset_base) & mask, config.side_pindir


def input_reader(machine: Machine) -> Source:
    pins = machine.block.pins
    base = machine.config.in_base
    spill = 32 - base
    if not base:
        return lambda time: pins.pio_inputs

    def read(time: int) -> int:
        inputs = pins.pio_inputs
        return (inputs >> base | inputs << spill) & ALL_ONES

    return read


def source(machine: Machine, which: int) -> Source | None:
    """Sources that IN and MOV have in common."""
    if which == PINS:
        return input_reader(machine)
    if which == X:
        return lambda time: machine.x
    if which == Y:
        return lambda time: machine.y
    if which == NULL:
        return lambda time: 0
    if which == ISR:
        return lambda time: machine.isr
    if which == OSR:
        return lambda time: machine.osr
    return None


def irq_flag(machine: Machine, index: int) -> int:
    """The flag's mask; bit 4 of the index adds the machine's number, modulo 4."""
    number = index & 7
    if index & 16:
        number = number & 4 | number + machine.index & 3
    return 1 << number
