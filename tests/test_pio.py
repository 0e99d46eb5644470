"""Every PIO instruction of the virtual board, after the RP2040 datasheet, section 3.4.

An instruction in clock c sees the state at c's start; pins follow from c + 1 on.
"""

from __future__ import annotations

import pytest
from pio_rig import GPIOS, ONES, RIGHT, Rig, program, run

from rheobase.sim import pio_machine

# --- JMP ---


@pytest.mark.parametrize(
    ("condition", "registers", "taken"),
    [
        ("", {}, True),
        ("not_x", {"x": 0}, True),
        ("not_x", {"x": 5}, False),
        ("x_dec", {"x": 1}, True),
        ("x_dec", {"x": 0}, False),
        ("not_y", {"y": 0}, True),
        ("not_y", {"y": ONES}, False),
        ("y_dec", {"y": ONES}, True),
        ("y_dec", {"y": 0}, False),
        ("x_not_y", {"x": 1, "y": 2}, True),
        ("x_not_y", {"x": 2, "y": 2}, False),
        ("not_osre", {"osr_count": 7}, True),
        ("not_osre", {"osr_count": 8}, False),
    ],
)
def test_jmp(condition: str, registers: dict[str, int], taken: bool) -> None:
    rig = Rig()
    jump = "jmp({}'away')".format(condition + ", " if condition else "")
    machine = rig.start(program(jump, "nop()", "label('away')", "nop()", pull_thresh=8))
    for name, value in registers.items():
        setattr(machine, name, value)
    rig.run(1)
    assert machine.pc == (2 if taken else 1)
    for name, value in registers.items():
        counted = condition == name + "_dec"
        assert getattr(machine, name) == ((value - 1) & ONES if counted else value)


def test_jmp_pin_takes_the_pin_of_execctrl_whatever_the_input_mapping() -> None:
    rig = Rig()
    machine = rig.start(program("jmp(pin, 'b')", "label('b')", "nop()"), jmp_pin=9, in_base=4)
    machine.block.write_memory(0, 0x00C0)  # jmp(pin, 0)
    rig.pins.pio_inputs = 1 << 9
    rig.run(3)
    assert machine.pc == 0
    rig.pins.pio_inputs = GPIOS ^ 1 << 9
    rig.run(1)
    assert machine.pc == 1


def test_delay_follows_a_jmp_taken_or_not() -> None:
    for x in (0, 1):
        rig = Rig()
        machine = rig.start(program("jmp(x_dec, 'b')[3]", "label('b')", "set(y, 9)", "nop()"))
        machine.x = x
        rig.run(4)
        assert machine.y == 0
        rig.run(1)
        assert machine.y == 9


# --- WAIT ---


@pytest.mark.parametrize(
    ("line", "before", "after"),
    [
        ("wait(1, gpio, 3)", GPIOS ^ 8, 8),
        ("wait(0, gpio, 3)", 8, GPIOS ^ 8),
        ("wait(1, pin, 3)", GPIOS ^ 1 << 5, 1 << 5),  # in_base is 2
        ("wait(0, pin, 31)", 2, GPIOS ^ 2),  # wraps: 2 + 31 is pin 1
    ],
)
def test_wait_for_a_pin(line: str, before: int, after: int) -> None:
    rig = Rig()
    rig.pins.pio_inputs = before
    machine = rig.start(program(line + "[2]", "set(x, 7)", "nop()"), in_base=2)
    rig.run(50)
    assert machine.pc == 0
    rig.pins.pio_inputs = after
    rig.run(3)  # the instruction is done in the first of these, and its delay begins only now
    assert (machine.pc, machine.x) == (1, 0)
    rig.run(1)
    assert machine.x == 7


def test_wait_for_gpio_30_sees_a_zero() -> None:
    rig = Rig()
    assert run(rig, "wait(0, gpio, 30)", "nop()", clocks=1).pc == 1


def test_wait_for_a_flag_takes_it() -> None:
    rig = Rig()
    machine = run(rig, "wait(1, irq, 5)", "set(x, 1)", "nop()", clocks=20)
    assert machine.pc == 0
    rig.block.force_irq(0xFF, rig.now)
    rig.run(1)
    assert (machine.pc, rig.block.irq) == (1, 0xFF ^ 1 << 5)
    assert ("irq", 0xFF ^ 1 << 5, 21) in rig.hooks


def test_wait_for_no_flag_leaves_it() -> None:
    rig = Rig()
    rig.block.force_irq(3, 0)
    machine = run(rig, "wait(0, irq, 1)", "nop()", clocks=20)
    assert machine.pc == 0
    rig.block.clear_irq(2, rig.now)
    rig.run(1)
    assert (machine.pc, rig.block.irq) == (1, 1)


@pytest.mark.parametrize(
    ("machine", "index", "flag"),
    [(0, 3, 3), (1, 3, 0), (2, 0, 2), (2, 3, 1), (3, 6, 5), (3, 4, 7)],
)
def test_relative_flags_add_the_machine_modulo_4(machine: int, index: int, flag: int) -> None:
    rig = Rig()
    lines = ("irq(rel({}))", "wait(1, irq, rel({}))")
    rig.start(program(*(line.format(index) for line in lines)), machine)
    rig.run(1)
    assert rig.block.irq == 1 << flag
    rig.run(1)
    assert rig.block.irq == 0


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


# --- MOV ---


MOV_VALUES = {
    "pins": 0b110 | 1 << 25, "x": 0x12345678, "y": 0x9ABCDEF0, "null": 0,
    "isr": 0x0F0F0F0F, "osr": 0x80000001,
}  # fmt: skip


@pytest.mark.parametrize("operation", ["{}", "invert({})", "reverse({})"])
@pytest.mark.parametrize("source", sorted(MOV_VALUES))
@pytest.mark.parametrize("destination", ["x", "y", "isr", "osr"])
def test_mov(destination: str, source: str, operation: str) -> None:
    rig = Rig()
    line = "mov({}, {})".format(destination, operation.format(source))
    machine = rig.start(program(line, "nop()"), in_base=2)
    machine.x, machine.y = MOV_VALUES["x"], MOV_VALUES["y"]
    machine.isr, machine.osr = MOV_VALUES["isr"], MOV_VALUES["osr"]
    machine.isr_count = machine.osr_count = 9
    pins = MOV_VALUES["pins"]
    rig.pins.pio_inputs = (pins << 2 | pins >> 30) & GPIOS
    rig.run(1)
    bits = "{:032b}".format(MOV_VALUES[source])
    if "invert" in operation:
        bits = bits.translate({48: 49, 49: 48})
    elif "reverse" in operation:
        bits = bits[::-1]
    assert getattr(machine, destination) == int(bits, 2)
    assert machine.isr_count == (0 if destination == "isr" else 9)
    assert machine.osr_count == (0 if destination == "osr" else 9)


def test_mov_to_pins_uses_the_mapping_of_out() -> None:
    rig = Rig()
    rig.block.write_pins(GPIOS, 1 << 20, 0)
    machine = rig.start(program("mov(pins, invert(null))", "nop()"), out=(5, 3), set_=(9, 2))
    rig.run(1)
    assert (rig.pins.levels, machine.pc) == (7 << 5 | 1 << 20, 1)


def test_mov_pc_and_mov_exec() -> None:
    rig = Rig()
    machine = rig.start(program("mov(pc, x)", "nop()", "mov(exec, y)[9]", "nop()", "nop()"))
    machine.x, machine.y = 0xFFFFFFE2, 0xABCD0004  # 2; jmp 4
    rig.run(1)
    assert machine.pc == 2
    rig.run(1)
    assert machine.pc == 3
    rig.run(1)
    assert machine.pc == 4


@pytest.mark.parametrize(("rx", "limit"), [(False, 2), (True, 3)])
def test_mov_status_compares_a_level(rx: bool, limit: int) -> None:
    rig = Rig()
    rig.load(program("mov(x, status)", "in_(null, 1)" if not rx else "push()").words)
    machine = rig.setup(wrap=(0, 1), execctrl=rx << 4 | limit)
    machine.enable(True, 0)
    seen = []
    for _ in range(4):
        if not rx:
            machine.tx_put(0, rig.now)
        rig.run(1)
        seen.append(machine.x)
        rig.run(1)
    # a word written in this very clock does not count yet
    assert seen == ([ONES, ONES, 0, 0] if not rx else [ONES, ONES, ONES, 0])


# --- IRQ and SET ---


def test_irq_raises_and_clears_flags() -> None:
    rig = Rig()
    run(rig, "irq(2)", "irq(7)", "irq(clear, 2)", "nop()", clocks=4)
    assert rig.block.irq == 1 << 7
    assert rig.hooks == [("irq", 4, 1), ("irq", 0x84, 2), ("irq", 0x80, 3)]


def test_irq_block_waits_until_somebody_clears_it() -> None:
    rig = Rig()
    machine = run(rig, "irq(block, 1)[1]", "set(x, 1)", "nop()", clocks=50)
    assert (machine.pc, rig.block.irq) == (0, 2)
    rig.block.clear_irq(2, 50)
    rig.run(2)
    assert (machine.pc, machine.x, rig.block.irq) == (1, 0, 0)
    rig.run(1)
    assert machine.x == 1


def test_set() -> None:
    rig = Rig()
    machine = rig.start(
        program("set(x, 31)", "set(y, 17)", "set(pins, 21)", "set(pindirs, 7)", "nop()"),
        set_=(29, 5),
    )
    machine.x = machine.y = ONES
    rig.run(4)
    assert (machine.x, machine.y) == (31, 17)
    assert rig.pins.log == [(3, (21 << 29 | 21 >> 3) & GPIOS)]
    assert rig.pins.direction_log == [(4, (7 << 29 | 7 >> 3) & GPIOS)]
