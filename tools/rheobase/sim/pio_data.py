"""IN, OUT, PUSH, PULL, MOV and SET: the PIO instructions that move data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rheobase.sim.pio_config import ALL_ONES
from rheobase.sim.pio_operation import (
    EXEC,
    IN,
    ISR,
    MOV,
    MOV_EXEC,
    NULL,
    OSR,
    OUT_EXEC,
    PC,
    PINDIRS,
    PINS,
    PUSH_PULL,
    RETRY,
    SET,
    STALL,
    STATUS,
    Operation,
    Source,
    Writer,
    X,
    Y,
    pin_writer,
    reserved,
    source,
)

if TYPE_CHECKING:
    from rheobase.sim.pio_machine import StateMachineModel as Machine


def in_(machine: Machine, arg: int, after: int) -> Operation:
    config = machine.config
    read = source(machine, arg >> 5)
    if read is None:
        return reserved(IN << 13 | arg)
    count = arg & 31 or 32
    mask = (1 << count) - 1
    rest = 32 - count
    right = config.in_right
    threshold = config.push_threshold
    autopush = config.autopush
    has_room, push = machine.has_room, machine.push_word

    def operation(time: int) -> int:
        value = read(time) & mask
        if right:
            value = machine.isr >> count | value << rest
        else:
            value |= machine.isr << count & ALL_ONES
        shifted = machine.isr_count + count
        if autopush and shifted >= threshold:
            if not has_room(time):
                machine.flag_rx_stall()
                return STALL
            machine.isr = machine.isr_count = 0
            push(value, time)
            return after
        machine.isr = value
        machine.isr_count = shifted if shifted < 32 else 32
        return after

    return operation


def out(machine: Machine, arg: int, after: int) -> Operation:
    config = machine.config
    which = arg >> 5
    count = arg & 31 or 32
    mask = (1 << count) - 1
    rest = 32 - count
    write = _out_destination(machine, which, count)

    def shift_left(time: int) -> int:
        osr = machine.osr
        machine.osr = osr << count & ALL_ONES
        shifted = machine.osr_count + count
        machine.osr_count = shifted if shifted < 32 else 32
        write(osr >> rest, time)
        return after

    def shift_right(time: int) -> int:
        osr = machine.osr
        machine.osr = osr >> count
        shifted = machine.osr_count + count
        machine.osr_count = shifted if shifted < 32 else 32
        write(osr & mask, time)
        return after

    operation: Operation = shift_right if config.out_right else shift_left
    if which in (PC, OUT_EXEC):
        operation = _going_elsewhere(machine, operation, which == OUT_EXEC)
    return _autopulling(machine, operation) if config.autopull else operation


def _going_elsewhere(machine: Machine, shift: Operation, as_exec: bool) -> Operation:
    """OUT PC and OUT EXEC: what was shifted out (to `machine.latch`) says what comes next."""

    def operation(time: int) -> int:
        after = shift(time)
        if as_exec:
            machine.after = after
            return EXEC
        target = machine.latch & 31
        machine.latch = -1
        return target

    return operation


def _autopulling(machine: Machine, shift: Operation) -> Operation:
    """OUT with autopull: never from an empty OSR, and it may refill with the last bit out."""
    threshold = machine.config.pull_threshold
    has_word, pull = machine.has_word, machine.pull_word

    def operation(time: int) -> int:
        if machine.osr_count >= threshold:
            if has_word(time):
                pull(time)
                return RETRY
            machine.flag_tx_stall()
            return STALL
        target = shift(time)
        if machine.osr_count >= threshold and has_word(time):
            pull(time)
        return target

    return operation


def _out_destination(machine: Machine, which: int, count: int) -> Writer:
    config = machine.config
    if which in (PINS, PINDIRS):
        return pin_writer(machine, config.out_base, config.out_count, which == PINDIRS)

    def to_x(value: int, time: int) -> None:
        machine.x = value

    def to_y(value: int, time: int) -> None:
        machine.y = value

    def to_isr(value: int, time: int) -> None:
        machine.isr = value
        machine.isr_count = count

    def to_latch(value: int, time: int) -> None:
        machine.latch = value & 0xFFFF
        machine.effects += 1

    def nowhere(value: int, time: int) -> None:
        pass

    destinations = {X: to_x, Y: to_y, ISR: to_isr, PC: to_latch, OUT_EXEC: to_latch}
    return destinations.get(which, nowhere)


def push_pull(machine: Machine, arg: int, after: int) -> Operation:
    if arg & 31:
        return reserved(PUSH_PULL << 13 | arg)
    conditional, block = bool(arg & 0x40), bool(arg & 0x20)
    if arg & 0x80:
        return _pull(machine, conditional, block, after)
    return _push(machine, conditional, block, after)


def _push(machine: Machine, conditional: bool, block: bool, after: int) -> Operation:
    threshold = machine.config.push_threshold if conditional else 0
    has_room, push = machine.has_room, machine.push_word

    def operation(time: int) -> int:
        if machine.isr_count < threshold:
            return after
        value = machine.isr
        if not has_room(time):
            machine.flag_rx_stall()
            if block:
                return STALL
            machine.isr = machine.isr_count = 0
            return after
        machine.isr = machine.isr_count = 0
        push(value, time)
        return after

    return operation


def _pull(machine: Machine, conditional: bool, block: bool, after: int) -> Operation:
    # With autopull a full OSR makes PULL do nothing, so that it is a fence and loses no word.
    threshold = machine.config.pull_threshold if conditional else int(machine.config.autopull)
    tx_when, pull = machine.tx_when, machine.pull_word

    def operation(time: int) -> int:
        if machine.osr_count < threshold:
            return after
        if tx_when and tx_when[0] <= time >> 8:
            pull(time)
            return after
        if block:
            machine.flag_tx_stall()
            return STALL
        machine.osr = machine.x
        machine.osr_count = 0
        return after

    return operation


def mov(machine: Machine, arg: int, after: int) -> Operation:
    which, how, origin = arg >> 5, arg >> 3 & 3, arg & 7
    read = _status(machine) if origin == STATUS else source(machine, origin)
    if read is None or which == NULL or how == 3:
        return reserved(MOV << 13 | arg)
    if which == origin and which in (X, Y) and not how:
        return lambda time: after
    if how == 1:
        read = _inverted(read)
    elif how == 2:
        read = _reversed(read)
    return _mov_to(machine, which, read, after)


def _status(machine: Machine) -> Source:
    config = machine.config
    level = machine.rx_level_seen if config.status_uses_rx else machine.tx_level_seen
    limit = config.status_level
    return lambda time: ALL_ONES if level(time) < limit else 0


def _inverted(read: Source) -> Source:
    return lambda time: read(time) ^ ALL_ONES


def _reversed(read: Source) -> Source:
    return lambda time: int("{:032b}".format(read(time))[::-1], 2)


def _mov_to(machine: Machine, which: int, read: Source, after: int) -> Operation:
    config = machine.config
    write = pin_writer(machine, config.out_base, config.out_count, False)

    def to_pins(time: int) -> int:
        write(read(time), time)
        return after

    def to_x(time: int) -> int:
        machine.x = read(time)
        return after

    def to_y(time: int) -> int:
        machine.y = read(time)
        return after

    def to_latch(time: int) -> int:
        machine.latch = read(time) & 0xFFFF
        machine.effects += 1
        machine.after = after
        return EXEC

    def to_pc(time: int) -> int:
        return read(time) & 31

    def to_isr(time: int) -> int:
        machine.isr = read(time)
        machine.isr_count = 0
        return after

    def to_osr(time: int) -> int:
        machine.osr = read(time)
        machine.osr_count = 0
        return after

    return {
        PINS: to_pins, X: to_x, Y: to_y, MOV_EXEC: to_latch,
        PC: to_pc, ISR: to_isr, OSR: to_osr,
    }[which]  # fmt: skip


def set_(machine: Machine, arg: int, after: int) -> Operation:
    which, data = arg >> 5, arg & 31
    config = machine.config
    if which in (PINS, PINDIRS):
        write = pin_writer(machine, config.set_base, config.set_count, which == PINDIRS)

        def to_pins(time: int) -> int:
            write(data, time)
            return after

        return to_pins

    def to_x(time: int) -> int:
        machine.x = data
        return after

    def to_y(time: int) -> int:
        machine.y = data
        return after

    return {X: to_x, Y: to_y}.get(which, reserved(SET << 13 | arg))
