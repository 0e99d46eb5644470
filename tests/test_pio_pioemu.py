"""The virtual PIO against rp2040-pio-emulator, on random programs (pio_cases.py)."""

from __future__ import annotations

from collections import deque
from random import Random
from typing import Any

import pioemu
import pytest
from pio_cases import Case, Machine, Writer, same, start
from pio_rig import IN, JMP, MOV, OUT, PULL, PUSH, SET, WAIT

PIOEMU_DIFFERS: dict[str, tuple[str, Case]] = {
    "IRQ": ("not modelled: the emulation ends", Case([0xC000, 0x0001])),
    "WAIT PIN, WAIT IRQ": (
        "both wait for a GPIO of that number (datasheet 3.4.3.2)",
        Case([0x20C3, 0x0001], inputs=[(5, 8)]),
    ),
    "OUT EXEC, MOV EXEC": ("not modelled: the emulation ends", Case([0xA083, 0x0001])),
    "MOV STATUS": ("not modelled: the emulation ends", Case([0xA025, 0x0001])),
    "MOV with bits reversed": (
        "moves them as they are (3.4.8.2)", Case([0xA051, 0x0001], [Machine(x=1)]),
    ),
    "MOV PINS": (
        "writes all pins, not those mapped to OUT (3.4.8.2)",
        Case([0xA001, 0x0001], [Machine(x=3, out=(4, 1))]),
    ),
    "inputs": (
        "IN and MOV count pins from GPIO 0, not from IN_BASE (3.5.6.2)",
        Case([0x4004, 0x0001], [Machine(in_base=2)], inputs=[(0, 4)]),
    ),
    "thresholds": (
        "JMP !OSRE, IFEMPTY and IFFULL compare with 32 (3.4.2.2, 3.4.6.2, 3.4.7.2)",
        Case([0x80A0, 0x6064, 0x00E0, 0x0003], [Machine(shiftctrl=4 << 25)], puts=[(0, 0, 0)]),
    ),
    "delay of a PULL IFEMPTY that does nothing": (
        "left out (3.2.4: only a stall defers it)",
        Case([0xA0E3, 0x85E0, 0xE021, 0x0003]),
    ),
    "autopull between OUTs": (
        "an OSR refills in OUT cycles only (3.5.4.2)",
        Case([0xA042], [Machine(shiftctrl=1 << 17, wrap=(0, 0))], puts=[(0, 0, 9)]),
    ),
    "autopush into a full FIFO": (
        "the IN is done, the next one stalls (3.5.4.1)",
        Case([0x4021, 0x0040], [Machine(shiftctrl=1 << 16 | 1 << 20 | 1 << 18, x=9, wrap=(0, 1))]),
    ),
    "optional side-set": (
        "every instruction sets the pins (3.5.1)",
        Case([0xB842, 0xA042, 0x0002], [Machine(side=(0, 2), execctrl=1 << 30)]),
    ),
    "side-set on directions": (
        "sets levels (3.5.1)", Case([0xB042, 0x1001], [Machine(side=(0, 1), execctrl=1 << 29)]),
    ),
    "pins beyond 31": (
        "a group of pins does not wrap (3.5.6)", Case([0xE01F, 0x0001], [Machine(set_=(28, 5))]),
    ),
}  # fmt: skip


def emu_trace(case: Case) -> list[list[Any]]:
    """[clock, pins, directions, pc, x, y, osr, count, isr, count, rx, tx left] after each step."""
    (machine,) = case.machines
    shift = machine.shiftctrl
    program = case.memory
    osr_count = 0 if shift & 1 << 17 else 32

    def inputs(clock: int) -> int:
        return max([(0, 0), *(pair for pair in case.inputs if pair[0] <= clock)])[1]

    inputs.__annotations__["clock"] = int  # it looks at the type, which is a string here

    steps = pioemu.emulate(
        program,
        stop_when=lambda opcode, state: state.clock >= case.clocks,
        initial_state=pioemu.State(
            program_counter=machine.pc,
            x_register=machine.x, y_register=machine.y,
            transmit_fifo=deque(word for _, _, word in case.puts),
            output_shift_register=pioemu.ShiftRegister(0, osr_count),
        ),
        input_source=inputs if case.inputs else None,
        auto_push=bool(shift & 1 << 16), push_threshold=shift >> 20 & 31 or 32,
        auto_pull=bool(shift & 1 << 17), pull_threshold=shift >> 25 & 31 or 32,
        shift_isr_right=bool(shift & 1 << 18), shift_osr_right=bool(shift & 1 << 19),
        out_base=machine.out[0], out_count=machine.out[1],
        set_base=machine.set_[0], set_count=machine.set_[1],
        side_set_base=machine.side[0], side_set_count=machine.side[1],
        jmp_pin=machine.execctrl >> 24 & 31,
        wrap_target=machine.wrap[0], wrap_top=machine.wrap[1],
    )  # fmt: skip
    return [
        [
            before.clock, None if case.inputs else after.pin_values & 0x3FFFFFFF,
            after.pin_directions & 0x3FFFFFFF, after.program_counter,
            after.x_register, after.y_register,
            after.output_shift_register.contents, after.output_shift_register.counter,
            after.input_shift_register.contents, after.input_shift_register.counter,
            list(after.receive_fifo), len(after.transmit_fifo),
        ]
        for before, after in steps
    ]  # fmt: skip


def our_steps(case: Case, clocks: list[int]) -> list[list[Any]]:
    """The same of ours, after the instructions at these clocks."""
    rig = start(case)
    machine = rig[0]
    if machine.config.autopull:
        machine.osr_count = 0
    for _, _, word in case.puts:
        machine.tx_put(word, -1)
    steps = []
    for clock in clocks:
        while rig.now <= clock:
            for when, levels in case.inputs:
                if when == rig.now:
                    rig.pins.pio_inputs = levels
            rig.run(1)
        steps.append([
            clock, rig.block.levels, rig.block.directions, machine.pc, machine.x, machine.y,
            machine.osr, machine.osr_count, machine.isr, machine.isr_count,
            list(machine.rx), len(machine.tx),
        ])  # fmt: skip
    return steps


def emu_case(writer: Writer, with_inputs: bool) -> Case:
    random = writer.random
    kinds = [JMP, IN, OUT, PUSH, PULL, MOV, SET] + [WAIT] * with_inputs
    autopull = random.random() < 0.3
    autopush = random.random() < 0.3
    if autopull:
        kinds.remove(PULL)
    writer.conditions = [*range(6)] + [6] * with_inputs + [7] * (not autopull)
    writer.in_sources = (0, 1, 2, 3, 6, 7) if with_inputs else (1, 2, 3, 6, 7)
    writer.mov_sources = writer.in_sources
    # without inputs pins are outputs that nobody reads, with them inputs that nobody writes
    writer.mov_destinations = (1, 2, 5, 6, 7) if with_inputs else (0, 1, 2, 5, 6, 7)
    writer.out_destinations = (1, 2, 3, 5, 6) if with_inputs else (0, 1, 2, 3, 4, 5, 6)
    program = writer.program(tuple(kinds))
    if with_inputs:
        program = [word if word >> 13 != 7 else word & ~0xC0 | 0x20 for word in program]
    machine = writer.machine(program, execctrl=random.randrange(3) << 24)
    machine.side = (machine.side[0], 0 if with_inputs else machine.side[1])
    if any(word & 0xE0E0 == 0xA000 for word in program):
        machine.out = (0, 32)
    length = len(program)
    machine.wrap = (machine.wrap[0], length - 1)
    if length == 1:
        program.append(program[0])
        machine.wrap = (0, 1)  # it takes a wrap of 0 for none
    machine.shiftctrl |= autopush << 16 | autopull << 17
    if autopush:
        machine.shiftctrl |= random.choice((0, 1, 8, 31)) << 20
    if autopull:
        machine.shiftctrl |= random.choice((0, 1, 8, 31)) << 25
    inputs = []
    if with_inputs:
        later = [(random.randrange(1, 80), random.getrandbits(11)) for _ in range(4)]
        inputs = sorted([(0, random.getrandbits(11)), *dict(later).items()])
    puts = [(0, 0, writer.word32()) for _ in range(random.randrange(5))]
    return Case(program, [machine], 80, inputs, puts)


def until_full(case: Case, steps: list[list[Any]]) -> list[list[Any]]:
    """Up to where autopush meets a full FIFO, which it does not model."""
    if not case.machines[0].shiftctrl & 1 << 16:
        return steps
    return [step for step in steps if len(step[10]) < 4]


@pytest.mark.parametrize("with_inputs", [False, True])
def test_pioemu_agrees(with_inputs: bool) -> None:
    writer = Writer(Random(5 + with_inputs))
    writer.wait_sources = (0,)
    writer.out_counts = range(1, 33)
    writer.mov_operations = (0, 0, 1)
    compared = 0
    for _ in range(250):
        case = emu_case(writer, with_inputs)
        theirs = until_full(case, emu_trace(case))
        ours = our_steps(case, [step[0] for step in theirs])
        for one, other in zip(ours, theirs, strict=True):
            assert same(one, other), "clock {} of {!r}".format(one[0], case)
        compared += len(ours)
    assert compared > 5000


@pytest.mark.parametrize("what", sorted(PIOEMU_DIFFERS))
def test_pioemu_still_differs(what: str) -> None:
    reason, case = PIOEMU_DIFFERS[what]
    theirs = emu_trace(case)
    assert not theirs or not same(our_steps(case, [step[0] for step in theirs]), theirs), reason
