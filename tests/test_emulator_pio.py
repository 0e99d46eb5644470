"""The emulator's PIO keeps the chip's clocks: by the datasheet's counts, and as the virtual one.

The CPU is halted, so that no image is needed; the tests write the registers.
"""

from __future__ import annotations

from itertools import pairwise

import pytest
from emulator_bench import PIO0, BareChip, needs_emulator
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pio_rig import IRQ, JMP, MOV, OUT, PULL, SET, WAIT, Pins, Rig, words

from rheobase.sim.errors import NotModelled

pytestmark = needs_emulator

CTRL, FSTAT, FDEBUG, FLEVEL, TXF0, RXF0, IRQ_FLAGS = 0x00, 0x04, 0x08, 0x0C, 0x10, 0x20, 0x30
SM0_ADDR, SM0_INSTR = 0xD4, 0xD8
FUNCTION_PIO0 = 6
ENABLED = 3 << 12  # the pin's output enable, overridden
SHIFT_LEFT = 0


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    chip = BareChip(tmp_path_factory.mktemp("chip"))
    yield chip
    chip.close()


@pytest.fixture
def chip(shared):
    shared.restart(synchronised=True)
    return shared


def start(chip, code, **registers):
    """Load a program that drives GP0; it begins at clock 11."""
    chip.load(code)
    registers.setdefault("execctrl", (len(code) - 1) << 12)
    chip.machine(0, pinctrl=1 << 20 | 1 << 26, **registers)
    chip.select(FUNCTION_PIO0 | ENABLED, 0)
    chip.run_until(10)
    chip.write(PIO0 + CTRL, 1 | 1 << 8)


def intervals(edges):
    return [after[0] - before[0] for before, after in pairwise(edges)]


TOGGLE = [0xE001, 0xE000]  # set pins, 1; set pins, 0


@pytest.mark.parametrize("divider", [1, 2, 5, 125])
def test_a_whole_divider_gives_the_same_interval_for_ever(chip, divider):
    start(chip, TOGGLE, clkdiv=divider << 16)
    chip.run(divider * 100)
    gaps = intervals(chip.edges())
    assert len(gaps) > 90 and set(gaps) == {divider}


def test_a_divider_with_a_fraction_makes_up_for_it(chip):
    start(chip, TOGGLE, clkdiv=2 << 16 | 64 << 8)  # 2.25
    chip.run(9 * 100)
    gaps = intervals(chip.edges())
    assert set(gaps) == {2, 3}
    assert all(sum(gaps[i : i + 4]) == 9 for i in range(0, 300, 4))


def test_delays_count(chip):
    start(chip, [0xE001 | 6 << 8, 0xE000 | 31 << 8])
    chip.run(2000)
    assert set(intervals(chip.edges())) == {7, 32}


def test_an_instruction_in_one_clock_shows_at_the_pin_in_the_next(chip):
    start(chip, TOGGLE)
    chip.run(20)
    assert chip.edges()[0] == (12, 1)  # CTRL written in clock 10, instruction in 11


# The heart of a tape program: set(x, 0), pull(noblock), jmp(pin), out(y, 26), out(pins, 6),
# jmp(pin), jmp(y_dec) back, wrap; the trip clears the pins and stays
TAPE = [0xE020, 0x8080, 0x00C7, 0x605A, 0x6006, 0x00C7, 0x0085, 0xA003, 0x0008]
TRIP = 10


def prepare_tape(chip, words):
    chip.select(FUNCTION_PIO0 | ENABLED, *range(6))
    chip.load(TAPE)
    chip.machine(0, execctrl=6 << 12 | 1 << 7 | TRIP << 24, shiftctrl=SHIFT_LEFT, pinctrl=6 << 20)
    chip.drive(TRIP, 0)
    chip.run_until(100)
    for word in words:
        chip.write(PIO0 + TXF0, word)
    chip.write(PIO0 + CTRL, 1)


def tape(chip, words, trip_at=None):
    prepare_tape(chip, words)
    if trip_at is not None:
        chip.drive(TRIP, 1, trip_at)
    chip.run_until(100_000)
    return six_pins(chip)


def six_pins(chip):
    return [(clock, levels & 0x3F) for clock, levels in chip.edges() if clock > 100]


def drop_repeats(edges, before=0):
    kept = []
    for clock, levels in edges:
        if levels != before:
            kept.append((clock, levels))
            before = levels
    return kept


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(st.integers(0, 9000), st.integers(1, 31)), min_size=1, max_size=4))
def test_holds_are_counted_to_the_clock_and_a_starved_machine_goes_low(shared, segments):
    shared.restart()
    edges = drop_repeats(tape(shared, [hold << 6 | pins for hold, pins in segments]))
    clock, expected = edges[0][0], []
    for hold, pins in segments:
        expected.append((clock, pins))
        clock += 2 * hold + 6
    assert edges == drop_repeats([*expected, (clock, 0)])


@pytest.mark.parametrize("synchronised", [False, True])
def test_a_trip_ends_a_hold_within_its_loop_and_the_synchroniser(chip, synchronised):
    latencies = set()
    for offset in range(12):
        chip.restart(synchronised=synchronised)
        at = 500 + offset
        edges = drop_repeats(tape(chip, [5000 << 6 | 1], trip_at=at))
        assert [levels for _, levels in edges] == [1, 0]
        latencies.add(edges[1][0] - at)
    late = 2 if synchronised else 0
    assert latencies == {2 + late, 3 + late}  # seen, MOV PINS, output register
    assert chip.read(PIO0 + SM0_ADDR) == 8


def test_a_starved_poll_and_a_long_hold_are_skipped_but_come_out_exact(chip):
    """Millions of clocks of doing nothing must neither take time nor lose a clock."""
    tape(chip, [])
    chip.run_until(1_000_000_007)
    chip.write(PIO0 + TXF0, (1 << 25) << 6 | 3)
    chip.run_until(1_100_000_000)
    edges = [edge for edge in chip.edges() if edge[0] > 1_000_000_000]
    assert [levels & 63 for _, levels in edges] == [3, 0]
    assert edges[1][0] - edges[0][0] == 2 * (1 << 25) + 6
    assert edges[0][0] - 1_000_000_007 <= 8 + 5


def test_looking_at_a_machine_does_not_change_its_clocks(chip):
    word = 700 << 6 | 1
    plain = tape(chip, [word])
    chip.restart(synchronised=True)
    prepare_tape(chip, [word])
    for clock in range(101, 2000, 7):
        chip.run_until(clock)
        assert chip.read(PIO0 + SM0_ADDR) < 9
    assert six_pins(chip) == plain


def test_fifo_join_doubles_a_fifo_and_empties_both(chip):
    chip.machine(0)
    for word in range(6):
        chip.write(PIO0 + TXF0, word)
    assert chip.read(PIO0 + FLEVEL) & 15 == 4
    assert chip.read(PIO0 + FDEBUG) >> 16 & 1, "words too many are noted"
    chip.machine(0, shiftctrl=1 << 30)
    assert chip.read(PIO0 + FLEVEL) & 15 == 0
    for word in range(9):
        chip.write(PIO0 + TXF0, word)
    assert chip.read(PIO0 + FLEVEL) & 15 == 8
    chip.machine(0, shiftctrl=0)
    assert chip.read(PIO0 + FLEVEL) & 15 == 0


def test_a_word_the_cpu_jumps_over_leaves_the_stall(chip):
    start(chip, [0x80A0, 0xE001, 0xE000])  # pull(block); set pins 1; set pins 0
    chip.run(50)
    assert chip.read(PIO0 + SM0_ADDR) == 0
    chip.write(PIO0 + SM0_INSTR, 0x0001)  # jmp 1
    chip.run(10)
    assert [levels for _, levels in chip.edges()] == [1, 0]
    assert chip.read(PIO0 + SM0_ADDR) == 0


@pytest.mark.parametrize("enabled", [0, 1])
def test_an_instruction_of_the_cpu_that_stalls_holds_the_program_up(chip, enabled):
    stalled = 1 << 31
    start(chip, TOGGLE)
    chip.run(100)
    chip.write(PIO0 + CTRL, enabled)
    chip.write(PIO0 + SM0_INSTR, 0x80A0)  # pull(block)
    chip.run(100)
    assert chip.read(PIO0 + 0xCC) & stalled
    assert chip.edges()[-1][0] < 115
    chip.write(PIO0 + TXF0, 5)
    chip.run(100)
    assert not chip.read(PIO0 + 0xCC) & stalled
    assert chip.read(PIO0 + FLEVEL) == 0
    assert (chip.edges()[-1][0] > 300) == bool(enabled)


# --- the virtual board's PIO, which others hold against two more emulators ---

CLOCKS = 300


class LoopedPins(Pins):
    """Pins whose outputs come back as inputs, and which something outside drives."""

    def __init__(self, kernel):
        super().__init__()
        self.kernel = kernel
        self.outside = 0
        self.pads = []

    def drive(self, levels, clock):
        self.outside = levels
        self.settle(clock)

    def pio_output(self, block, clock, mask, values):
        super().pio_output(block, clock, mask, values)
        self.settle(clock)

    def pio_direction(self, block, clock, mask, values):
        super().pio_direction(block, clock, mask, values)
        self.settle(clock)

    def settle(self, clock):
        level = self.levels & self.directions | self.outside & ~self.directions
        if self.pads and self.pads[-1][0] == clock:
            self.pads.pop()
        self.pads.append((clock, level))
        self.kernel.at(clock, lambda: setattr(self, "pio_inputs", level))


@st.composite
def cases(draw):
    length = draw(st.integers(2, 10))
    kinds = draw(st.sampled_from([(JMP, SET, MOV, OUT, PULL), (JMP, WAIT, IRQ, SET), range(9)]))
    code = draw(st.lists(words(kinds, length), min_size=length, max_size=length))
    machines = []
    for _ in range(draw(st.integers(1, 3))):
        side = draw(st.integers(0, 2))
        small = st.integers(0, 3)
        execctrl = (length - 1) << 12 | draw(st.integers(0, 29)) << 24 | draw(st.integers(0, 5))
        thresholds = draw(st.sampled_from([0, 8, 31])) << 20 | draw(st.integers(0, 31)) << 25
        machines.append(
            {
                "clkdiv": draw(st.sampled_from([1 << 16, 1 << 16, 2 << 16, 3 << 16 | 128 << 8])),
                "execctrl": execctrl | (side and draw(st.integers(0, 1))) << 30,
                # no autopush: what IN samples while it waits is not known for sure
                "shiftctrl": draw(st.integers(0, 7)) << 17 | thresholds,
                "pinctrl": draw(small) | draw(small) << 5 | draw(small) << 10 | draw(small) << 15
                | draw(st.integers(0, 4)) << 20 | draw(small) << 26 | side << 29,
            }
        )  # fmt: skip
    puts = []
    for index in range(len(machines)):
        for _ in range(draw(st.integers(0, 4))):
            word = draw(st.integers(0, 15) | st.integers(0, 2**32 - 1))
            puts.append((draw(st.integers(2, CLOCKS - 50)), index, word))
    clocks = draw(st.sets(st.integers(2, CLOCKS - 20), max_size=5))
    inputs = [(clock, draw(st.integers(0, 15))) for clock in sorted(clocks)]
    return code + [0] * (32 - length), machines, sorted(puts), inputs


def in_virtual_pio(case):
    code, machines, puts, inputs = case
    rig = Rig()
    rig.pins = rig.block.pins = pins = LoopedPins(rig.kernel)
    for address, word in enumerate(code):
        rig.block.write_memory(address, word)
    rig.run(1)
    for index, registers in enumerate(machines):
        rig[index].configure(1, **registers)
        rig[index].restart_divider(1)
    for clock, levels in inputs:
        rig.kernel.at(clock, lambda levels=levels, clock=clock: pins.drive(levels, clock))
    for clock, index, word in puts:
        rig.kernel.at(clock, lambda i=index, w=word, c=clock: rig[i].tx_put(w, c))
    rig.block.control((1 << len(machines)) - 1, 1)
    rig.kernel.advance_to(CLOCKS)
    rig.block.wake()
    state = [(list(m.rx), m.tx_level, m.pc) for m in rig.block.machines[: len(machines)]]
    return within(pins.pads), rig.block.irq, state


def in_emulator(chip, case):
    code, machines, puts, inputs = case
    chip.restart(synchronised=False)
    chip.load(code)
    for index, registers in enumerate(machines):
        chip.machine(index, **registers)
    chip.select(FUNCTION_PIO0, *range(30))
    chip.write(PIO0 + CTRL, (1 << len(machines)) - 1 | 15 << 8)
    before = 0
    for clock, levels in inputs:
        for pin in range(4):
            if (levels ^ before) >> pin & 1:
                chip.drive(pin, levels >> pin & 1, clock)
        before = levels
    for clock, index, word in puts:
        chip.run_until(clock)
        chip.write(PIO0 + TXF0 + 4 * index, word)
    chip.run_until(CLOCKS - 1)
    flags = chip.read(PIO0 + IRQ_FLAGS)
    fifos = chip.read(PIO0 + FLEVEL)
    state = []
    for index in range(len(machines)):
        received = [chip.read(PIO0 + RXF0 + 4 * index) for _ in range(fifos >> 8 * index + 4 & 15)]
        address = chip.read(PIO0 + SM0_ADDR + 0x18 * index)
        state.append((received, fifos >> 8 * index & 15, address))
    return within(chip.edges()), flags, state


def within(edges):
    return drop_repeats([edge for edge in edges if edge[0] < CLOCKS])


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(cases())
def test_random_programs_run_as_in_the_virtual_pio(shared, case):
    try:
        expected = in_virtual_pio(case)
    except NotModelled:
        return
    assert in_emulator(shared, case) == expected
