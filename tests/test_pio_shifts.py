"""IN, OUT, PUSH and PULL of the virtual board's PIO, after the RP2040 datasheet, section 3.4."""

from __future__ import annotations

import pytest
from pio_rig import GPIOS, ONES, RIGHT, Rig, program, run

from rheobase.sim import pio_machine

# --- IN ---


@pytest.mark.parametrize(
    ("source", "value"),
    [("pins", 0xA5), ("x", 0x15), ("y", 0x0A), ("null", 0), ("osr", 0x77), ("isr", 0x3C)],
)
@pytest.mark.parametrize("options", [{}, RIGHT])
def test_in(source: str, value: int, options: dict[str, int]) -> None:
    rig = Rig()
    machine = rig.start(program("in_({}, 5)".format(source), "nop()", **options), in_base=3)
    rig.pins.pio_inputs = 0xA5 << 3
    machine.x, machine.y, machine.osr = 0xFFF15, 0x12340A, 0x177
    machine.isr = isr = 0x123456 << 6 | 0x3C
    rig.run(1)
    low = value & 31
    expected = isr >> 5 | low << 27 if options else (isr << 5 | low) & ONES
    assert (machine.isr, machine.isr_count) == (expected, 5)


def test_in_pins_wraps_after_pin_31_and_reads_30_and_31_as_zero() -> None:
    rig = Rig()
    rig.pins.pio_inputs = 1 << 29 | 0b101
    machine = rig.start(program("in_(pins, 8)", "nop()"), in_base=29)
    rig.run(1)
    assert machine.isr == 0b0010_1001


def test_in_counts_to_32_and_no_further() -> None:
    rig = Rig()
    machine = run(rig, "set(x, 21)", "in_(x, 30)", "in_(x, 32)", "nop()", clocks=3)
    assert (machine.isr, machine.isr_count) == (21, 32)


def test_autopush_pushes_in_the_same_clock() -> None:
    rig = Rig()
    machine = run(
        rig, "set(x, 5)", "in_(x, 4)", "in_(x, 4)", "nop()",
        clocks=2, autopush=True, push_thresh=8,
    )  # fmt: skip
    assert (machine.isr, machine.isr_count, list(machine.rx)) == (5, 4, [])
    rig.run(1)
    assert (machine.isr, machine.isr_count, list(machine.rx)) == (0, 0, [0x55])
    assert rig.hooks == [("rx", 0, 3)]


def test_autopush_into_a_full_fifo_stalls_and_loses_nothing() -> None:
    rig = Rig()
    machine = run(
        rig, "wrap_target()", "in_(x, 32)", "jmp(x_dec, 'n')", "label('n')", "nop()",
        clocks=100, autopush=True,
    )  # fmt: skip
    assert list(machine.rx) == [0, ONES, ONES - 1, ONES - 2]
    assert machine.pc == 0 and rig.block.fdebug == pio_machine.RXSTALL
    assert machine.rx_get(rig.now) == 0
    rig.run(1)
    assert len(machine.rx) == 3  # the place is free from the next clock on
    rig.run(1)
    assert list(machine.rx) == [ONES, ONES - 1, ONES - 2, ONES - 3]


# --- OUT ---


@pytest.mark.parametrize("options", [{}, RIGHT])
@pytest.mark.parametrize("count", [1, 7, 32])
def test_out_to_registers(options: dict[str, int], count: int) -> None:
    word = 0xC0FFEE5A
    for destination in ("x", "y", "isr", "null"):
        rig = Rig()
        machine = rig.start(
            program("pull()", "out({}, {})".format(destination, count), "nop()", **options)
        )
        machine.tx_put(word, 0)
        rig.run(3)
        value = word & (1 << count) - 1 if options else word >> 32 - count
        left = word >> count if options else word << count & ONES
        if destination != "null":
            assert getattr(machine, destination) == value
        if destination == "isr":
            assert machine.isr_count == count
        assert (machine.osr, machine.osr_count) == (left, count)


def test_out_to_pins_wraps_after_31_and_leaves_others() -> None:
    rig = Rig()
    machine = rig.start(program("pull()", "out(pins, 32)", "nop()"), out=(28, 6))
    rig.block.write_pins(GPIOS, 0b0101 << 4, 0)
    machine.tx_put(0b11_0101, 0)
    rig.run(4)
    assert rig.pins.levels == 0b0101 << 28 & GPIOS | 0b11 | 0b0101 << 4
    assert rig.pins.log[-1] == (3, rig.pins.levels)  # pulled in clock 1, out in 2


def test_out_to_pindirs() -> None:
    rig = Rig()
    machine = rig.start(program("pull()", "out(pindirs, 3)", "nop()", **RIGHT), out=(4, 3))
    machine.tx_put(0b101, 0)
    rig.run(4)
    assert rig.pins.direction_log == [(3, 0b101 << 4)] and rig.pins.log == []


def test_out_pc_jumps() -> None:
    rig = Rig()
    machine = rig.start(program("pull()", "out(pc, 8)", "nop()", "nop()", "nop()", **RIGHT))
    machine.tx_put(0xE4, 0)
    rig.run(3)
    assert machine.pc == 4


def test_out_exec_runs_it_on_the_next_clock_and_pc_stays() -> None:
    rig = Rig()
    machine = rig.start(program("pull()", "out(exec, 16)[7]", "set(y, 1)", "nop()", **RIGHT))
    machine.tx_put(0xE22A, 0)  # set(x, 10) [2]
    rig.run(3)
    assert (machine.pc, machine.x) == (2, 0)  # the delay of OUT does not count
    rig.run(1)
    assert (machine.pc, machine.x, machine.y) == (2, 10, 0)
    rig.run(2)
    assert machine.y == 0
    rig.run(1)  # the delay of the other one does
    assert machine.y == 1


def test_out_exec_of_a_jump_and_of_what_stalls() -> None:
    rig = Rig()
    lines = ("pull()", "out(exec, 16)", "nop()", "nop()", "nop()")
    machine = rig.start(program(*lines, **RIGHT))
    machine.tx_put(0x2083, 0)  # wait(1, gpio, 3)
    rig.run(30)
    assert (machine.pc, machine.latch) == (2, 0x2083)
    rig.pins.pio_inputs = 8
    rig.run(1)
    assert (machine.pc, machine.latch) == (2, -1)
    machine = rig.start(program(*lines, **RIGHT))
    machine.tx_put(0x0004, rig.now)
    rig.run(4)
    assert machine.pc == 4


def test_autopull_refills_with_the_last_bit() -> None:
    rig = Rig()
    machine = rig.start(program("out(x, 16)", autopull=True, pull_thresh=16, **RIGHT))
    machine.osr_count = 0
    for word in (1, 2):
        machine.tx_put(word, 0)
    rig.run(1)  # no word can be had in the clock in which it is written
    assert (machine.osr_count, len(machine.tx)) == (16, 2)
    rig.run(1)  # an empty OSR takes a cycle to fill
    assert (machine.x, machine.osr, machine.osr_count) == (0, 1, 0)
    assert not rig.block.fdebug
    rig.run(1)
    assert (machine.x, machine.osr, machine.osr_count) == (1, 2, 0)
    rig.run(1)
    assert (machine.x, machine.osr_count) == (2, 16)
    rig.run(10)
    assert rig.block.fdebug == pio_machine.TXSTALL
    assert rig.hooks == [("tx", 0, 2), ("tx", 0, 3)]


def test_autopull_refills_in_any_other_cycle_even_of_a_delay() -> None:
    rig = Rig()
    machine = rig.start(program("nop()[31]", "nop()[31]", autopull=True))
    rig.run(40)
    machine.tx_put(77, 40)
    rig.run(1)
    assert machine.osr_count == 32
    rig.run(1)
    assert (machine.osr, machine.osr_count, rig.hooks) == (77, 0, [("tx", 0, 42)])


# --- PUSH and PULL ---


def test_push_blocks_on_a_full_fifo() -> None:
    rig = Rig()
    machine = run(rig, "in_(x, 8)", "push()", "jmp(x_dec, 'n')", "label('n')", clocks=100)
    assert [word & 0xFF for word in machine.rx] == [0, 255, 254, 253]
    assert (machine.pc, machine.isr, rig.block.fdebug) == (1, 252, pio_machine.RXSTALL)
    machine.rx_get(100)
    rig.run(2)
    assert (machine.pc, machine.isr, machine.isr_count, len(machine.rx)) == (2, 0, 0, 4)


def test_push_noblock_drops_the_word_and_says_so() -> None:
    rig = Rig()
    machine = run(rig, "in_(x, 8)", "push(noblock)", clocks=8)
    assert not rig.block.fdebug
    machine.x = 3
    rig.run(2)
    assert list(machine.rx) == [0, 0, 0, 0]
    assert (machine.isr, machine.isr_count, rig.block.fdebug) == (0, 0, pio_machine.RXSTALL)


def test_push_iffull_waits_for_the_threshold() -> None:
    rig = Rig()
    machine = run(rig, "in_(x, 8)", "push(iffull)", clocks=2, push_thresh=16)
    assert (machine.isr_count, len(machine.rx)) == (8, 0)
    rig.run(2)
    assert (machine.isr_count, len(machine.rx)) == (0, 1)


def test_pull_blocks_on_an_empty_fifo() -> None:
    rig = Rig()
    machine = run(rig, "pull()[1]", "set(x, 1)", "nop()", clocks=100)
    assert (machine.pc, rig.block.fdebug) == (0, pio_machine.TXSTALL)
    machine.tx_put(9, 100)
    rig.run(1)
    assert machine.pc == 0
    rig.run(1)
    assert (machine.pc, machine.osr, machine.osr_count) == (1, 9, 0)
    rig.run(1)
    assert machine.x == 0
    rig.run(1)
    assert machine.x == 1


def test_pull_noblock_copies_x() -> None:
    rig = Rig()
    machine = run(rig, "set(x, 11)", "pull(noblock)", "nop()", clocks=2)
    assert (machine.osr, machine.osr_count, rig.block.fdebug) == (11, 0, 0)


def test_pull_ifempty_waits_for_the_threshold() -> None:
    rig = Rig()
    machine = rig.start(program("pull(ifempty)", "out(null, 4)", pull_thresh=8))
    machine.tx_put(1, 0)
    machine.tx_put(2, 0)
    rig.run(5)  # one clock without a word, pull, out, nothing, out
    assert (machine.osr_count, len(machine.tx)) == (8, 1)
    rig.run(1)
    assert (machine.osr, machine.osr_count, len(machine.tx)) == (2, 0, 0)


def test_with_autopull_pull_is_a_fence() -> None:
    """It does nothing if the OSR is full, so that it can't lose a word."""
    rig = Rig()
    machine = rig.start(program("pull()", "nop()", autopull=True))
    for word in (1, 2, 3):
        machine.tx_put(word, 0)
    rig.run(20)
    assert (machine.osr, len(machine.tx)) == (1, 2)
