"""What the processor does to a PIO block and its machines: dividers, restarts, instructions."""

from __future__ import annotations

import pytest
from pio_rig import COUNTING, ONES, Rig, program, run

from rheobase.sim.pio_config import CLKDIV_RESET


def test_divider() -> None:
    rig = Rig()
    rig.start(program("set(pins, 1)", "set(pins, 0)"), set_=(0, 1), clkdiv=3 << 16)
    rig.run(12)
    assert [clock for clock, _ in rig.pins.log] == [1, 4, 7, 10]


def test_fractional_divider_stretches_every_other_cycle() -> None:
    """2.5 clocks: the fraction of one period lengthens a later one (datasheet, 3.5.5)."""
    rig = Rig()
    rig.start(program("set(pins, 1)", "set(pins, 0)"), set_=(0, 1), clkdiv=2 << 16 | 128 << 8)
    rig.run(26)
    clocks = [clock for clock, _ in rig.pins.log]
    assert [b - a for a, b in zip(clocks, clocks[1:], strict=False)] == [2, 3] * 5


@pytest.mark.parametrize("fraction", [1, 77, 255])
def test_fractional_divider_is_exact_in_the_long_run(fraction: int) -> None:
    rig = Rig()
    machine = rig.start(program(*COUNTING), clkdiv=1 << 16 | fraction << 8)
    rig.run(256 * (256 + fraction))
    assert -machine.y & ONES == 256 * 256


def test_a_divisor_of_0_is_65536() -> None:
    rig = Rig()
    rig.start(program("set(pins, 1)", "set(pins, 0)"), set_=(0, 1), clkdiv=0)
    rig.run(200_000)
    assert [clock for clock, _ in rig.pins.log] == [1, 65537, 131073, 196609]


def test_the_divider_runs_on_while_a_machine_is_halted() -> None:
    rig = Rig()
    machine = rig.start(program("set(pins, 1)", "set(pins, 0)"), set_=(0, 1), clkdiv=10 << 16)
    rig.run(12)
    machine.enable(False, 12)
    rig.run(31)
    machine.enable(True, 43)
    rig.run(20)
    assert [clock for clock, _ in rig.pins.log] == [1, 11, 51, 61]


def test_a_halted_delay_goes_on_where_it_was() -> None:
    rig = Rig()
    machine = rig.start(program("set(pins, 1)[9]", "set(pins, 0)"), set_=(0, 1))
    rig.run(4)
    machine.enable(False, 4)
    rig.run(100)
    machine.enable(True, 104)
    rig.run(10)
    assert rig.pins.log == [(1, 1), (111, 0), (112, 1)]


def test_restarting_dividers_together_brings_machines_into_step() -> None:
    rig = Rig()
    rig.load(program("set(pins, 1)", "set(pins, 0)").words)
    for index in (0, 1):
        rig.setup(index, wrap=(0, 1), set_=(index, 1), clkdiv=7 << 16)
        rig[index].enable(True, rig.now)
        rig.run(3)
    rig.block.control(0b0011 | 0b0011 << 4 | 0b0011 << 8, rig.now)
    for index in (0, 1):
        rig[index].execute(0, rig.now)
    rig.pins.log.clear()
    rig.run(100)
    assert {level for _, level in rig.pins.log[1:]} == {0b00, 0b11}


def test_several_machines_start_in_the_same_clock() -> None:
    rig = Rig()
    rig.load(program("set(pins, 1)", "set(pins, 0)").words)
    for index in range(4):
        rig.setup(index, wrap=(0, 1), set_=(index, 1))
    rig.run(13)
    rig.block.control(0b1111 | 0b1111 << 8, 13)
    rig.run(3)
    assert rig.pins.log == [(14, 0b1111), (15, 0), (16, 0b1111)]
    assert rig.block.enabled == 0b1111
    rig.block.control(0b0100, rig.now)
    assert [machine.enabled for machine in rig.block.machines] == [False, False, True, False]


def test_restart_clears_what_the_datasheet_lists_and_nothing_else() -> None:
    rig = Rig()
    lines = ("set(x, 5)", "set(y, 6)", "in_(x, 4)", "pull()", "out(null, 3)[31]")
    machine = rig.start(program(*lines))
    for word in (1, 2):
        machine.tx_put(word, 0)
    machine.rx.append(77)
    rig.run(5)
    assert (machine.isr, machine.isr_count, machine.osr_count, machine.pc) == (5, 4, 3, 0)
    machine.restart(5)
    assert (machine.isr, machine.isr_count, machine.osr_count) == (0, 0, 32)
    assert (machine.pc, machine.x, machine.y, machine.osr) == (0, 5, 6, 1 << 3)
    assert (list(machine.tx), list(machine.rx)) == ([2], [77])
    machine.x = 0
    rig.run(1)
    assert machine.x == 5  # the delay is forgotten


def test_restart_forgets_what_was_waited_for() -> None:
    rig = Rig()
    machine = run(rig, "irq(block, 0)", "nop()", clocks=5)
    machine.restart(5)
    rig.block.clear_irq(1, 5)
    rig.run(1)
    assert rig.block.irq == 1  # raised anew


def test_execute_acts_at_once_and_the_program_goes_on_where_it_was() -> None:
    rig = Rig()
    machine = rig.start(program("nop()[31]", "nop()"), clkdiv=100 << 16, set_=(2, 1))
    rig.run(250)
    machine.execute(0xFF01, 250)  # set(pins, 1) [31]
    assert rig.pins.log == [(251, 4)]
    machine.execute(0x0001, 250)
    assert machine.pc == 1


def test_execute_takes_the_place_of_the_instruction_due() -> None:
    rig = Rig()
    machine = rig.start(program(*COUNTING))
    rig.run(10)
    machine.execute(0xA042, 10)
    rig.run(10)
    assert -machine.y & ONES == 19


def test_an_executed_instruction_may_stall_even_in_a_halted_machine() -> None:
    rig = Rig()
    machine = rig.setup()
    machine.execute(0x80A0, 0)  # pull()
    rig.run(10)
    assert machine.exec_stalled
    machine.tx_put(123, 10)
    rig.run(2)
    assert (machine.osr, machine.exec_stalled, machine.pc) == (123, False, 0)


def test_a_stalled_execution_holds_the_program_up_until_it_is_replaced() -> None:
    rig = Rig()
    machine = rig.start(program(*COUNTING))
    machine.execute(0x2083, 0)  # wait(1, gpio, 3)
    rig.run(10)
    assert machine.y == 0
    machine.execute(0xA042, 10)
    rig.run(4)
    assert -machine.y & ONES == 3


def test_init_is_the_sdk_default() -> None:
    rig = Rig()
    machine = rig.start(program("in_(x, 1)", "push()", autopush=True, fifo_join=2), clkdiv=5 << 16)
    rig.run(100)
    machine.init(100, 9)
    config = machine.config
    assert (config.clkdiv, config.pinctrl, config.wrap_top) == (CLKDIV_RESET, 0, 31)
    assert config.in_right and config.out_right and not config.autopush
    assert (machine.enabled, machine.pc, machine.rx_level, rig.block.fdebug) == (False, 9, 0, 0)
    assert machine.tx_depth == machine.rx_depth == 4


def test_reset_lets_the_pins_go() -> None:
    rig = Rig()
    run(rig, "set(pins, 1)", "set(pindirs, 1)", "irq(0)", "jmp('h')", "label('h')", clocks=0)
    rig[0].configure(0, pinctrl=1 << 26)
    rig.run(5)
    assert (rig.pins.levels, rig.pins.directions, rig.block.irq) == (1, 1, 1)
    rig.block.reset(5)
    rig.run(50)
    assert (rig.pins.levels, rig.pins.directions, rig.block.irq) == (0, 0, 0)
    assert rig.block.enabled == 0 and rig.pins.log[-1] == (6, 0)


def test_load_moves_jumps_and_refuses_what_does_not_fit() -> None:
    rig = Rig()
    words = program("nop()", "jmp('a')", "label('a')", "set(x, 1)", "jmp(x_dec, 'a')").words
    rig.load(words, 10)
    assert rig.block.memory[10:14] == [0xA042, 12, 0xE021, 0x0040 | 12]
    with pytest.raises(ValueError):
        rig.load(words, 29)


def test_programs_may_be_changed_while_they_run() -> None:
    rig = Rig()
    machine = run(rig, "set(x, 1)", clocks=5)
    rig.block.write_memory(0, 0xE022)
    rig.run(1)
    assert machine.x == 2
