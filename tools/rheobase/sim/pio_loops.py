"""What can be told of a PIO program without running it: counted loops, and pins it looks at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from rheobase.sim.pio_config import GPIO_MASK, pin_mask
from rheobase.sim.pio_operation import (
    EXEC_DESTINATIONS,
    IN,
    JMP,
    LOOP,
    MOV,
    OUT,
    PC,
    PINDIRS,
    PINS,
    SET,
    WAIT,
    Operation,
    X,
    Y,
    pin_writes,
)

if TYPE_CHECKING:
    from rheobase.sim.pio_machine import StateMachineModel as Machine

_NOT_X, _X_DEC, _NOT_Y, _Y_DEC, _PIN, _NOT_OSRE = 1, 2, 3, 4, 6, 7
_PIN_LOW = 8  # no condition of the chip's: see _is_over


class Loop(NamedTuple):
    """A loop back from `jmp(x_dec, ...)` or `jmp(y_dec, ...)` that does nothing but count."""

    period: int  # in 1/256 clocks
    counter: str  # "x" or "y"
    broken: Callable[[], bool]  # it does something now: a jump out is taken, or a pin changes


def find_loop(machine: Machine, address: int) -> Loop | None:
    """The counted loop that ends at `address`, if there is one.

    Its body may hold jumps out on what can't change between two events (a jump on the pin over an
    unconditional one is such a jump with the pin low), settings of pins that have that state
    already, and nothing else.
    """
    config, memory = machine.config, machine.block.memory
    word = memory[address]
    first, condition = word & 31, word >> 5 & 7
    if word >> 13 != JMP or condition not in (_X_DEC, _Y_DEC) or first > address:
        return None
    if first <= config.wrap_top < address:
        return None
    counter, other = ("x", _NOT_Y) if condition == _X_DEC else ("y", _NOT_X)
    jumps = set()
    levels: dict[int, int] = {}
    directions: dict[int, int] = {}
    cycles = 0
    over = None  # not executed: the pin is high
    for place in range(first, address + 1):
        if place == over:
            continue
        word = memory[place]
        if place != address:
            if _is_over(memory, place, address):
                jumps.add(_PIN_LOW)
                over = place + 1
            elif word >> 13 == JMP and word >> 5 & 7 in (_PIN, _NOT_OSRE, other):
                jumps.add(word >> 5 & 7)
            elif not _is_harmless(word):
                return None
        for pins, values, as_directions in pin_writes(config, word):
            known = directions if as_directions else levels
            for pin in range(32):
                level = values >> pin & 1
                if pins >> pin & 1 and known.setdefault(pin, level) != level:
                    return None
        cycles += 1 + config.side_and_delay(word)[1]
    broken = _guard(machine, jumps, levels, directions)
    return Loop(cycles * config.divisor, counter, broken)


def _is_over(memory: list[int], place: int, address: int) -> bool:
    """A jump on the pin over an unconditional jump, within the loop."""
    word, following = memory[place], memory[place + 1]
    return (
        word >> 13 == JMP
        and word >> 5 & 7 == _PIN
        and word & 31 == place + 2 <= address
        and following >> 13 == JMP
        and not following >> 5 & 7
    )


def _is_harmless(word: int) -> bool:
    """A nop, or a SET of pins (which `find_loop` checks)."""
    kind, which = word >> 13, word >> 5 & 7
    if kind == MOV:
        return which in (X, Y) and word & 31 == which
    return kind == SET and which in (PINS, PINDIRS)


def _guard(
    machine: Machine, jumps: set[int], levels: dict[int, int], directions: dict[int, int]
) -> Callable[[], bool]:
    config, block = machine.config, machine.block
    pins = block.pins
    jmp_pin = 1 << config.jmp_pin if _PIN in jumps else 0
    high_pin = 1 << config.jmp_pin if _PIN_LOW in jumps else 0
    not_x, not_y, not_osre = _NOT_X in jumps, _NOT_Y in jumps, _NOT_OSRE in jumps
    threshold, autopull = config.pull_threshold, config.autopull
    level_pins, level_bits = _as_mask(levels)
    direction_pins, direction_bits = _as_mask(directions)

    def only_pin() -> bool:
        return bool(pins.pio_inputs & jmp_pin)

    def anything() -> bool:
        return bool(
            pins.pio_inputs & jmp_pin
            or (high_pin and not pins.pio_inputs & high_pin)
            or (not_x and not machine.x)
            or (not_y and not machine.y)
            or (not_osre and machine.osr_count < threshold)
            or (autopull and machine.osr_count >= threshold and machine.tx)
            or block.levels & level_pins != level_bits
            or block.directions & direction_pins != direction_bits
        )

    simple = not (high_pin or not_x or not_y or not_osre or autopull or levels or directions)
    return only_pin if simple else anything


def _as_mask(pins: dict[int, int]) -> tuple[int, int]:
    return sum(1 << pin for pin in pins), sum(level << pin for pin, level in pins.items())


def as_loop(machine: Machine, loop: Loop, plain: Operation) -> Operation:
    """The loop's last instruction, which offers to skip turns instead where it can."""
    broken = loop.broken

    def x_operation(time: int) -> int:
        return plain(time) if not machine.x or broken() else LOOP

    def y_operation(time: int) -> int:
        return plain(time) if not machine.y or broken() else LOOP

    return x_operation if loop.counter == "x" else y_operation


def inputs_seen(machine: Machine) -> int:
    """The GPIOs that the machine's program looks at, from where it is now."""
    block = machine.block
    seen = 0
    for address in _reachable(machine):
        seen |= inputs_of(machine, block.memory[address])
    return seen


def inputs_of(machine: Machine, word: int) -> int:
    """The GPIOs that one instruction looks at."""
    config = machine.config
    kind, arg = word >> 13, word & 0xFF
    mask = 0
    if kind == JMP and arg >> 5 == _PIN:
        mask = 1 << config.jmp_pin
    elif kind == WAIT and arg >> 5 & 3 < 2:
        mask = 1 << (arg + (config.in_base if arg & 0x20 else 0) & 31)
    elif kind == IN and arg >> 5 == PINS:
        mask = pin_mask(config.in_base, arg & 31 or 32)
    elif kind == MOV and arg & 7 == PINS:
        mask = GPIO_MASK
    return mask & GPIO_MASK


def _reachable(machine: Machine) -> set[int]:
    block = machine.block
    found: set[int] = set()
    ahead = [machine.pc]
    while ahead:
        address = ahead.pop()
        if address not in found:
            found.add(address)
            ahead.extend(_successors(machine, address, block.memory[address]))
    return found


def _successors(machine: Machine, address: int, word: int) -> Iterator[int]:
    kind, which = word >> 13, word >> 5 & 7
    if kind == JMP:
        yield word & 31
        if not which:
            return
    if (kind in (OUT, MOV) and which == PC) or (kind, which) in EXEC_DESTINATIONS:
        yield from machine.block.loaded  # wherever it goes, it goes to what was loaded
    yield machine.config.after(address)
