"""Random programs for the virtual PIO, to be held against emulators written by others.

Each of them lacks or gets wrong some of what the RP2040 datasheet says. What that is stands here
as data, the random programs keep away from it, and a program for each entry shows that it is
still so: a new version that has it right fails the test, and the entry goes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from pio_rig import IN, IRQ, JMP, MOV, OUT, PULL, PUSH, SET, WAIT, Rig

from rheobase.sim.errors import NotModelled

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


def same(ours: Any, theirs: Any) -> bool:
    """Equal but for what the reference has as None."""
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    return theirs is None or ours == theirs
