"""JMP, WAIT, MOV, IRQ and SET of the virtual board's PIO, after the RP2040 datasheet, section 3.4.

An instruction in clock c sees the state at c's start; pins follow from c + 1 on.
"""

from __future__ import annotations

import pytest
from pio_rig import GPIOS, ONES, Rig, program, run

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
