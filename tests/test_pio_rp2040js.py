"""The virtual PIO against rp2040js, on random programs (pio_cases.py)."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from random import Random
from typing import Any

import pytest
from pio_cases import KINDS, NOP, Case, Machine, Writer, our_trace, same
from pio_rig import IN, IRQ, JMP, MOV, OUT, PULL, SET, WAIT

REFERENCE = Path(__file__).parent / "js" / "pio_reference.mjs"
MODULES = Path(__file__).parent.parent / "node_modules" / "rp2040js"

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
