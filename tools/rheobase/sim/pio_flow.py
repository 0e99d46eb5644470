"""JMP, WAIT and IRQ: the PIO instructions that decide what comes next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rheobase.sim.pio_config import ALL_ONES
from rheobase.sim.pio_operation import IRQ, RETRY, STALL, WAIT, Operation, irq_flag, reserved

if TYPE_CHECKING:
    from rheobase.sim.pio_machine import StateMachineModel as Machine


def jmp(machine: Machine, arg: int, after: int) -> Operation:
    target = arg & 31
    return _CONDITIONS[arg >> 5](machine, target, after)


def _jmp_always(machine: Machine, target: int, after: int) -> Operation:
    return lambda time: target


def _jmp_not_x(machine: Machine, target: int, after: int) -> Operation:
    return lambda time: after if machine.x else target


def _jmp_x_dec(machine: Machine, target: int, after: int) -> Operation:
    def operation(time: int) -> int:
        x = machine.x
        if x:
            machine.x = x - 1
            return target
        machine.x = ALL_ONES
        return after

    return operation


def _jmp_not_y(machine: Machine, target: int, after: int) -> Operation:
    return lambda time: after if machine.y else target


def _jmp_y_dec(machine: Machine, target: int, after: int) -> Operation:
    def operation(time: int) -> int:
        y = machine.y
        if y:
            machine.y = y - 1
            return target
        machine.y = ALL_ONES
        return after

    return operation


def _jmp_x_not_y(machine: Machine, target: int, after: int) -> Operation:
    return lambda time: target if machine.x != machine.y else after


def _jmp_pin(machine: Machine, target: int, after: int) -> Operation:
    pins = machine.block.pins
    bit = 1 << machine.config.jmp_pin
    return lambda time: target if pins.pio_inputs & bit else after


def _jmp_not_osre(machine: Machine, target: int, after: int) -> Operation:
    threshold = machine.config.pull_threshold
    return lambda time: target if machine.osr_count < threshold else after


_CONDITIONS = (
    _jmp_always, _jmp_not_x, _jmp_x_dec, _jmp_not_y,
    _jmp_y_dec, _jmp_x_not_y, _jmp_pin, _jmp_not_osre,
)


def wait(machine: Machine, arg: int, after: int) -> Operation:
    source = arg >> 5 & 3
    if source == 3 or (source == 2 and arg & 8):
        return reserved(WAIT << 13 | arg)
    if source == 2:
        return _wait_irq(machine, irq_flag(machine, arg & 31), arg & 0x80, after)
    pins = machine.block.pins
    pin = arg & 31 if source == 0 else arg + machine.config.in_base & 31
    bit = 1 << pin
    wanted = bit if arg & 0x80 else 0
    return lambda time: after if pins.pio_inputs & bit == wanted else STALL


def _wait_irq(machine: Machine, flag: int, for_one: int, after: int) -> Operation:
    block = machine.block

    def wait_high(time: int) -> int:
        if not block.irq & flag:
            return STALL
        block.change_irq(machine, 0, flag, time)
        return after

    def wait_low(time: int) -> int:
        if block.irq & flag:
            return STALL
        machine.effects += 1  # so that a loop around it never passes for idle
        return after

    return wait_high if for_one else wait_low


def irq(machine: Machine, arg: int, after: int) -> Operation:
    if arg & 0x88:
        return reserved(IRQ << 13 | arg)
    block = machine.block
    flag = irq_flag(machine, arg & 31)

    def clear(time: int) -> int:
        block.change_irq(machine, 0, flag, time)
        return after

    def raise_it(time: int) -> int:
        block.change_irq(machine, flag, 0, time)
        return after

    def raise_and_wait(time: int) -> int:
        if not machine.irq_wait:
            block.change_irq(machine, flag, 0, time)
            machine.irq_wait = True
            return RETRY
        if block.irq & flag:
            return STALL
        machine.irq_wait = False
        return after

    if arg & 0x40:
        return clear
    return raise_and_wait if arg & 0x20 else raise_it
