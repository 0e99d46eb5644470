"""From a PIO instruction's 16 bits to an operation, decoded once and called once per execution."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rheobase.sim.pio_data import in_, mov, out, push_pull, set_
from rheobase.sim.pio_flow import irq, jmp, wait
from rheobase.sim.pio_operation import DRAG, OUT, Operation, pin_writer

if TYPE_CHECKING:
    from rheobase.sim.pio_machine import StateMachineModel as Machine


def decode(machine: Machine, word: int, after: int) -> tuple[Operation, int]:
    """(operation, delay) of an instruction that is followed by the one at `after`."""
    config = machine.config
    kind = word >> 13
    side, delay = config.side_and_delay(word)
    operation = _DECODERS[kind](machine, word & 0xFF, after)
    if config.autopull:
        if kind != OUT:
            operation = _refilling(machine, operation)
        if delay:
            operation = _dragging(machine, operation)
    if side is not None:
        operation = _side_setting(machine, operation, side)
    return operation, delay


def _refilling(machine: Machine, inner: Operation) -> Operation:
    """Autopull on cycles without OUT: an empty OSR takes the next word when there is one."""
    threshold = machine.config.pull_threshold
    has_word, pull = machine.has_word, machine.pull_word

    def operation(time: int) -> int:
        target = inner(time)
        if machine.osr_count >= threshold and has_word(time):
            pull(time)
        return target

    return operation


def _dragging(machine: Machine, inner: Operation) -> Operation:
    threshold = machine.config.pull_threshold

    def operation(time: int) -> int:
        target = inner(time)
        if target >= 0 and machine.osr_count >= threshold:
            machine.after = target
            return DRAG
        return target

    return operation


def _side_setting(machine: Machine, inner: Operation, side: int) -> Operation:
    """Side-set wins over OUT and SET, and is repeated on every cycle of a stall.

    (The latter: raspberrypi/pico-feedback issue 185; the datasheet only has the first cycle.)
    """
    config = machine.config
    block = machine.block
    write = pin_writer(machine, config.sideset_base, config.side_pins, config.side_pindir)

    def operation(time: int) -> int:
        outer = block.deferring
        block.deferring = True
        target = inner(time)
        write(side, time)
        block.deferring = outer
        if not outer:
            block.commit(time)
        return target

    return operation


_DECODERS = (jmp, wait, in_, out, push_pull, mov, irq, set_)
