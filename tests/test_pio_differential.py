"""The virtual PIO against two emulators written by others, on random programs.

Each of them lacks or gets wrong some of what the RP2040 datasheet says. What that is stands here
as data, the random programs keep away from it, and a program for each entry shows that it is
still so: a new version that has it right fails the test, and the entry goes.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import pioemu
import pytest
from pio_rig import IN, IRQ, JMP, MOV, OUT, PULL, PUSH, SET, WAIT, Rig

from rheobase.sim.errors import NotModelled

REFERENCE = Path(__file__).parent / "js" / "pio_reference.mjs"
MODULES = Path(__file__).parent.parent / "node_modules" / "rp2040js"
ONES = 0xFFFFFFFF
KINDS = (JMP, WAIT, IN, OUT, PUSH, PULL, MOV, IRQ, SET)
NOP = 0xA042


@dataclass
class Machine:
    """What a state machine begins with; the groups are (base, count)."""

    out: tuple[int, int] = (0, 0)
    set_: tuple[int, int] = (0, 0)
    side: tuple[int, int] = (0, 0)
    in_base: int = 0
    execctrl: int = 0
    shiftctrl: int = 0b11 << 18
    wrap: tuple[int, int] = (0, 31)
    clkdiv: int = 1 << 16
    pc: int = 0
    x: int = 0
    y: int = 0

    def registers(self) -> dict[str, int]:
        return {
            "clkdiv": self.clkdiv,
            "execctrl": self.execctrl | self.wrap[0] << 7 | self.wrap[1] << 12,
            "shiftctrl": self.shiftctrl,
            "pinctrl": self.out[0] | self.set_[0] << 5 | self.side[0] << 10 | self.in_base << 15
            | self.out[1] << 20 | self.set_[1] << 26 | self.side[1] << 29,
        }  # fmt: skip


@dataclass
class Case:
    """A program and what happens to it."""

    program: list[int]
    machines: list[Machine] = field(default_factory=lambda: [Machine()])
    clocks: int = 100
    inputs: list[tuple[int, int]] = field(default_factory=list)
    puts: list[tuple[int, int, int]] = field(default_factory=list)
    gets: list[tuple[int, int]] = field(default_factory=list)

    @property
    def memory(self) -> list[int]:
        return self.program + [0] * (32 - len(self.program))

    def as_json(self) -> dict[str, Any]:
        return {
            "memory": self.memory,
            "machines": [
                {**m.registers(), "pc": m.pc, "x": m.x, "y": m.y} for m in self.machines
            ],
            "clocks": self.clocks,
            "inputs": self.inputs, "puts": self.puts, "gets": self.gets,
        }  # fmt: skip


# --- our side ---


def start(case: Case) -> Rig:
    rig = Rig()
    for address, word in enumerate(case.memory):
        rig.block.write_memory(address, word)
    for index, settings in enumerate(case.machines):
        machine = rig[index]
        machine.init(0, settings.pc)
        machine.configure(0, **settings.registers())
        machine.x, machine.y = settings.x, settings.y
    rig.block.control((1 << len(case.machines)) - 1, 0)
    return rig


def our_trace(case: Case) -> list[list[Any]]:
    """The state at the end of every clock, in the form that pio_reference.mjs has.

    It ends early where data that is executed as an instruction is none.
    """
    rig = start(case)
    block = rig.block
    machines = block.machines[: len(case.machines)]
    trace = []
    for clock in range(case.clocks):
        for when, levels in case.inputs:
            if when == clock:
                rig.pins.pio_inputs = levels
        for when, index, word in case.puts:
            if when == clock:
                rig[index].tx_put(word, clock)
        for when, index in case.gets:
            if when == clock and rig[index].rx:
                rig[index].rx_get(clock)
        try:
            rig.run(1)
        except NotModelled:
            break
        row: list[Any] = [block.levels, block.directions, block.irq, block.fdebug & 0x0F00000F]
        row += [
            [m.pc, m.x, m.y, m.osr, m.osr_count, m.isr, m.isr_count, *m.rx] for m in machines
        ]
        trace.append(row)
    return trace


# --- random programs ---


class Writer:
    """Writes random cases, with what is common to both emulators."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.choice = random.choice
        self.conditions: Sequence[int] = range(8)
        self.wait_sources: Sequence[int] = (0, 1)
        self.in_sources: Sequence[int] = (0, 1, 2, 3, 6, 7)
        self.out_destinations: Sequence[int] = (0, 1, 2, 3, 4, 6)
        self.out_counts: Sequence[int] = range(1, 32)
        self.mov_destinations: Sequence[int] = (0, 1, 2, 6, 7)
        self.mov_operations: Sequence[int] = (0, 0, 1, 2)
        self.mov_sources: Sequence[int] = (0, 1, 2, 3, 5, 6, 7)

    def word32(self) -> int:
        bits = self.random.getrandbits(32)
        return self.choice((0, 1, 3, ONES, bits, bits))

    def instruction(self, kind: int, length: int) -> int:
        choice = self.choice
        late = choice((0, 0, 0, self.random.randrange(4), self.random.randrange(32))) << 8
        flag = choice((0, 1, 2, 4, 5, 16, 17))
        if kind == JMP:
            word = choice(self.conditions) << 5 | self.random.randrange(length)
        elif kind == WAIT:
            source = choice(self.wait_sources)
            word = 0x2000 | choice((0, 0x80)) | source << 5
            word |= flag if source == 2 else choice((0, 1, 2, 7))
        elif kind == IN:
            word = 0x4000 | choice(self.in_sources) << 5 | self.random.randrange(32)
        elif kind == OUT:
            word = 0x6000 | choice(self.out_destinations) << 5 | choice(self.out_counts) & 31
        elif kind in (PUSH, PULL):
            word = 0x8000 if kind == PUSH else 0x8080
            word |= choice((0, 0x20))
        elif kind == MOV:
            word = 0xA000 | choice(self.mov_destinations) << 5
            word |= choice(self.mov_operations) << 3 | choice(self.mov_sources)
        elif kind == IRQ:
            word = 0xC000 | choice((0, 0x20, 0x40)) | flag
        else:
            word = 0xE000 | choice((0, 1, 2, 4)) << 5 | self.random.randrange(32)
        return word | late

    def program(self, kinds: tuple[int, ...]) -> list[int]:
        length = self.random.randint(1, 8)
        return [self.instruction(self.choice(kinds), length) for _ in range(length)]

    def machine(self, program: list[int], **options: Any) -> Machine:
        length = len(program)
        target = self.random.randrange(length)
        settings: dict[str, Any] = {
            "out": self.choice(((0, 32), (0, 1), (1, 3), (4, 6), (9, 8))),
            "set_": (self.choice((0, 2, 8)), self.choice((0, 1, 5))),
            "side": (self.choice((0, 3, 10)), self.choice((0, 0, 0, 1, 2, 3, 5))),
            "wrap": (target, length - 1),
            "shiftctrl": self.random.getrandbits(2) << 18,
            "pc": self.random.randrange(length),
            "x": self.word32(),
            "y": self.word32(),
        }
        return Machine(**(settings | options))


# --- rp2040js ---

RP2040JS_DIFFERS: dict[str, tuple[str, Case]] = {
    "clock divider": (
        "the register is kept and never used (datasheet 3.5.5)",
        Case([0x0040], [Machine(clkdiv=2 << 16, x=9, wrap=(0, 0))]),
    ),
    "FIFO join": (
        "FIFOs have four words whatever FJOIN says (3.5.3)",
        Case([0x8080 | 0x20, 0x0001], [Machine(shiftctrl=2 << 30)], puts=[(3, 0, 7)]),
    ),
    "autopull": (
        "an OSR refills in the OUT that needs it and in no other cycle (3.5.4.2)",
        Case([0x6021], [Machine(shiftctrl=1 << 17, wrap=(0, 0))], puts=[(3, 0, 1 << 31)]),
    ),
    "PULL with autopull": (
        "PULL takes a word even if the OSR is full (3.4.7.2)",
        Case([0x80A0], [Machine(shiftctrl=1 << 17)], puts=[(0, 0, 1), (0, 0, 2)]),
    ),
    "OUT of 32 bits": (
        "the OSR keeps its content, it does not fill with zeroes (3.4.5.2)",
        Case([0x80A0, 0x6020, 0x0002], puts=[(0, 0, 5)]),
    ),
    "IFFULL, IFEMPTY": (
        "heeded only together with autopush and autopull (3.4.6.2, 3.4.7.2)",
        Case([0x8040, 0x0001]),
    ),
    "pins beyond 31": (
        "a group of pins does not wrap (3.5.6)",
        Case([0xE01F, 0x0001], [Machine(set_=(28, 5))]),
    ),
    "WAIT for GPIO 30 and 31": (
        "never satisfied, though these inputs read as zero (3.5.6.2)",
        Case([0x201E, 0x0001]),
    ),
    "PULL NOBLOCK": (
        "flags TXSTALL, which only a blocking PULL does (3.7, FDEBUG)",
        Case([0x8080, 0x0001]),
    ),
    "side-set of a stall": (
        "done once; silicon repeats it every cycle (raspberrypi/pico-feedback issue 185)",
        Case(
            [NOP, 0x90A0, 0xE000, 0x0003],
            [Machine(side=(0, 1), pc=1), Machine(set_=(0, 1), pc=2), Machine(pc=3)],
        ),
    ),
    "flags between machines": (
        "a flag is seen by higher-numbered machines in the clock in which it is raised (3.4.9)",
        Case([0xC001, 0x0001, 0x20C1, 0x0003], [Machine(pc=0), Machine(pc=2)]),
    ),
    "IN that autopush stalls": (
        "shifts what it saw first, not what it sees when there is room (3.2.4, 3.5.4.1)",
        Case(
            [0x4001], [Machine(shiftctrl=1 << 16 | 1 << 20, wrap=(0, 0))],
            inputs=[(20, 1)], gets=[(40, 0)],
        ),
    ),
}  # fmt: skip


def js_case(writer: Writer) -> Case:
    random = writer.random
    autopush = random.random() < 0.4
    program = writer.program(KINDS)
    machine = writer.machine(program)
    machine.execctrl = random.getrandbits(2) << 29 | random.getrandbits(5)
    machine.execctrl |= random.randrange(3) << 24
    if not machine.side[1]:
        machine.execctrl &= ~(1 << 30)
    machine.in_base = random.choice((0, 1, 2, 5))
    machine.shiftctrl |= autopush << 16 | random.choice((0, 1, 8, 31)) << 20
    machine.shiftctrl |= random.choice((0, 1, 8, 31)) << 25
    clocks = 100
    inputs = [] if autopush else [
        (random.randrange(clocks), random.getrandbits(11)) for _ in range(random.randrange(5))
    ]  # fmt: skip
    puts = [(random.randrange(clocks), 0, writer.word32()) for _ in range(random.randrange(9))]
    gets = {(random.randrange(clocks), 0) for _ in range(random.randrange(9))}
    return Case(program, [machine], clocks, sorted(inputs), sorted(puts), sorted(gets))


def js_exec(writer: Writer) -> Case:
    """Instructions that come with the data, by OUT EXEC and MOV EXEC."""
    random = writer.random
    late = random.randrange(32) << 8
    program = [0x80A0, 0x60F0 | late, *writer.program((JMP, SET, IN)), 0xA081, 0x80A0, 0x6030]
    kinds = (JMP, WAIT, IN, PULL, MOV, IRQ, SET)
    puts = [
        (random.randrange(100), 0, writer.instruction(random.choice(kinds), len(program)))
        for _ in range(random.randrange(8))
    ]
    machine = writer.machine(program, side=(0, 0), shiftctrl=0b11 << 18)
    machine.x, machine.pc = NOP, 0
    inputs = [(random.randrange(100), random.getrandbits(11)) for _ in range(4)]
    return Case(program, [machine], 100, sorted(inputs), sorted(puts))


def js_crowd(writer: Writer) -> Case:
    """Several machines that meet only at the pins."""
    kinds = (JMP, IN, OUT, MOV, SET)
    program = writer.program(kinds)
    count = writer.random.randint(2, 4)
    return Case(program, [writer.machine(program) for _ in range(count)], 40)


def js_writer(seed: int) -> Writer:
    writer = Writer(Random(seed))
    writer.wait_sources = (0, 1, 2)
    return writer


def js_traces(cases: list[Case]) -> list[list[list[Any]]]:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed, so that rp2040js can't be asked")
    if not MODULES.is_dir():
        pytest.skip("node_modules/rp2040js is missing: npm ci")
    done = subprocess.run(
        [node, str(REFERENCE)],
        input=json.dumps({"cases": [case.as_json() for case in cases]}),
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def same(ours: Any, theirs: Any) -> bool:
    """Equal but for what the reference has as None."""
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    return theirs is None or ours == theirs


def compare_js(cases: list[Case]) -> None:
    for case, theirs in zip(cases, js_traces(cases), strict=True):
        pulls_noblock = any(word & 0xE0A0 == 0x8080 for word in case.program)
        ours = our_trace(case)
        assert len(ours) == case.clocks or any(word & 0xE0E0 == 0xA080 for word in case.program)
        for clock, (one, other) in enumerate(zip(ours, theirs, strict=False)):
            if pulls_noblock:
                other[3] = None
            assert same(one, other), "clock {} of {!r}".format(clock, case)


@pytest.mark.parametrize("seed", range(2))
def test_rp2040js_agrees_on_one_machine(seed: int) -> None:
    writer = js_writer(seed)
    compare_js([js_case(writer) for _ in range(600)])


def test_rp2040js_agrees_on_jumps_to_what_is_in_a_register() -> None:
    writer = js_writer(2)
    writer.out_destinations, writer.mov_destinations = (0, 1, 5, 5), (0, 2, 5, 5, 7)
    compare_js([js_case(writer) for _ in range(200)])


def test_rp2040js_agrees_on_instructions_in_the_data() -> None:
    writer = js_writer(3)
    compare_js([js_exec(writer) for _ in range(200)])


def test_rp2040js_agrees_on_who_wins_a_pin() -> None:
    writer = js_writer(4)
    compare_js([js_crowd(writer) for _ in range(200)])


@pytest.mark.parametrize("what", sorted(RP2040JS_DIFFERS))
def test_rp2040js_still_differs(what: str) -> None:
    reason, case = RP2040JS_DIFFERS[what]
    (theirs,) = js_traces([case])
    assert not same(our_trace(case), theirs), reason


# --- rp2040-pio-emulator ---

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
