"""What holds for a whole PIO block: side-set, FIFOs, dividers, the processor, several machines."""

from __future__ import annotations

import pytest
from pio_rig import COUNTING, GPIOS, ONES, Rig, program, run

from rheobase.sim import pio_machine
from rheobase.sim.errors import NotModelled
from rheobase.sim.pio_config import CLKDIV_RESET

# --- side-set ---


def test_side_set_comes_with_its_instruction_even_if_that_stalls() -> None:
    rig = Rig()
    lines = ("set(pins, 0).side(1)", "pull().side(2)[3]", "nop().side(3)")
    machine = rig.start(program(*lines, sideset_init=(2, 2)), side=(4, 2))
    rig.run(20)
    machine.tx_put(0, 20)
    rig.run(10)
    assert rig.pins.log == [(1, 1 << 4), (2, 2 << 4), (26, 3 << 4), (27, 1 << 4), (28, 2 << 4)]


def test_optional_side_set_leaves_the_pins_of_other_instructions() -> None:
    rig = Rig()
    rig.start(program("nop().side(1)", "nop()[1]", "nop().side(0)", sideset_init=2), side=(7, 2))
    rig.run(5)
    assert rig.pins.log == [(1, 1 << 7), (4, 0), (5, 1 << 7)]


def test_side_set_on_directions() -> None:
    rig = Rig()
    lines = ("nop().side(1)", "nop().side(0)")
    rig.start(program(*lines, sideset_init=2, side_pindir=True), side=(7, 1))
    rig.run(2)
    assert rig.pins.direction_log == [(1, 1 << 7), (2, 0)] and not rig.pins.log


def test_side_set_wins_over_set_and_there_is_no_glitch() -> None:
    rig = Rig()
    rig.start(program("set(pins, 3).side(0)", sideset_init=2), set_=(0, 2), side=(1, 1))
    rig.run(5)
    assert rig.pins.log == [(1, 0b01)]


def test_a_stalled_instruction_repeats_its_side_set() -> None:
    """As measured on silicon (raspberrypi/pico-feedback issue 185)."""
    rig = Rig()
    rig.start(program("pull().side(1)", sideset_init=2), side=(0, 1))
    rig.run(10)
    rig.block.write_pins(1, 0, 10)
    rig.run(1)
    assert rig.pins.log == [(1, 1), (11, 0), (11, 1)]


# --- wrap, FIFOs ---


def test_wrap_costs_nothing_and_a_jump_has_precedence() -> None:
    rig = Rig()
    machine = rig.start(
        program("set(y, 1)", "wrap_target()", "nop()", "jmp(x_dec, 'end')", "wrap()",
                "label('end')", "set(x, 0)", "jmp('end')")
    )  # fmt: skip
    rig.run(3)
    assert machine.pc == 1
    machine.x = 1
    rig.run(2)
    assert machine.pc == 3


def test_pc_goes_on_at_0_after_31() -> None:
    rig = Rig()
    rig.load([0xA042] * 32)
    machine = rig.setup(wrap=(5, 7), pc=30)
    machine.enable(True, 0)
    rig.run(2)
    assert machine.pc == 0


@pytest.mark.parametrize(("join", "tx", "rx"), [(0, 4, 4), (1, 8, 0), (2, 0, 8), (3, 0, 0)])
def test_fifo_join(join: int, tx: int, rx: int) -> None:
    rig = Rig()
    machine = rig.start(program("push()", fifo_join=join))
    assert [machine.tx_put(1, 0) for _ in range(9)] == [True] * tx + [False] * (9 - tx)
    rig.run(20)
    assert (machine.tx_level, machine.rx_level) == (tx, rx)
    assert machine.tx_full and machine.rx_full
    assert bool(rig.block.fdebug & pio_machine.TXOVER) and rig.block.fdebug & pio_machine.RXSTALL


def test_changing_the_join_empties_the_fifos_and_nothing_else_does() -> None:
    rig = Rig()
    machine = rig.start(program("in_(x, 1)", "push()", "jmp('w')", "label('w')", "jmp('w')"))
    machine.tx_put(1, 0)
    rig.run(10)
    machine.configure(10, shiftctrl=machine.config.shiftctrl ^ 1 << 18)
    assert (machine.tx_level, machine.rx_level) == (1, 1)
    machine.configure(10, shiftctrl=machine.config.shiftctrl | 1 << 30)
    assert (machine.tx_level, machine.rx_level) == (0, 0)
    assert rig.hooks == [("rx", 0, 2)]
    for word in range(8):
        machine.tx_put(word, 10)
    machine.clear_fifos(12)
    assert rig.hooks[1:] == [("tx", 0, 12)]  # there is room again


def test_overflow_and_underflow_are_flagged_and_change_nothing() -> None:
    rig = Rig()
    machine = rig[2]
    for word in range(5):
        machine.tx_put(word, 0)
    assert list(machine.tx) == [0, 1, 2, 3]
    assert machine.rx_get(0) == 0
    assert rig.block.fdebug == (pio_machine.TXOVER | pio_machine.RXUNDER) << 2
    rig.block.clear_fdebug(pio_machine.TXOVER << 2)
    assert rig.block.fdebug == pio_machine.RXUNDER << 2


def test_a_stall_is_flagged_again_after_it_was_cleared() -> None:
    rig = Rig()
    run(rig, "pull()", clocks=10)
    rig.block.clear_fdebug(ONES)
    rig.run(1)
    assert rig.block.fdebug == pio_machine.TXSTALL


def test_words_for_later_come_in_order_and_on_time() -> None:
    """What a DMA model does in `on_tx_space`: put a word at a clock still to come."""
    rig = Rig()
    machine = rig.start(program("pull()", "out(pins, 32)"), out=(0, 4))
    machine.tx_put(5, 19)
    machine.tx_put(6, 3)  # can't overtake
    assert machine.tx_level == 2
    rig.run(60)
    assert rig.pins.log == [(22, 5), (24, 6)]


# --- the processor's side ---


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


# --- several machines ---


def two(first: int, second: int, skip: bool = True, **options: object) -> Rig:
    """Machine 0 and machine 1, each repeating one instruction."""
    rig = Rig(skip)
    rig.block.write_memory(0, first)
    rig.block.write_memory(1, second)
    for index in (0, 1):
        rig.setup(index, wrap=(index, index), pc=index, **options)  # type: ignore[arg-type]
    rig.block.control(3, 0)
    return rig


def test_the_highest_numbered_machine_wins_a_pin() -> None:
    rig = two(0xE003, 0xE002, set_=(0, 2))
    rig.run(10)
    assert rig.pins.log == [(1, 0b10)]


def test_it_wins_even_if_its_cycle_begins_earlier_in_the_clock() -> None:
    rig = two(0xE001, 0xE000, set_=(0, 1))
    rig[0].configure(0, clkdiv=1 << 16 | 128 << 8)  # cycles at 0, 1.5, 3
    rig.run(100)
    assert [clock for clock, level in rig.pins.log if level] == []


def test_level_and_direction_of_a_pin_may_come_from_two_machines() -> None:
    rig = two(0xE001, 0xE081, set_=(0, 1))
    rig.run(3)
    assert (rig.pins.log, rig.pins.direction_log) == ([(1, 1)], [(1, 1)])


@pytest.mark.parametrize("skip", [True, False])
def test_a_flag_is_seen_one_clock_after_it_was_raised(skip: bool) -> None:
    for first, second in ((0xC000, 0x20C0), (0x20C0, 0xC000)):
        rig = two(first, second, skip)
        waiter = rig[0 if first == 0x20C0 else 1]
        rig.block.write_memory(2, 0x0002)
        waiter.configure(0, execctrl=31 << 12)
        rig.run(1)
        assert waiter.pc == waiter.index
        rig.run(1)
        assert waiter.pc == waiter.index + 1


def test_machines_that_wait_for_each_other_take_turns() -> None:
    rig = Rig()
    lines = ("wait(1, irq, rel(0))", "set(pins, 1)[9]", "set(pins, 0)", "irq(rel(1))")
    rig.load(program(*lines).words)
    for index in range(4):
        rig.setup(index, wrap=(0, 3), set_=(index, 1))
    rig.block.control(0b1111, 0)
    rig.block.force_irq(1, 0)
    rig.run(13 * 8)
    rises = [clock for clock, level in rig.pins.log if level]
    assert rises == [2 + 13 * turn for turn in range(8)]
    assert [level for _, level in rig.pins.log if level] == [1, 2, 4, 8] * 2


# --- what the pins are told, what is refused ---


@pytest.mark.parametrize(
    ("lines", "watched"),
    [
        (["nop()"], 0),
        (["jmp(pin, 'a')", "label('a')"], 1 << 9),
        (["wait(1, gpio, 4)"], 1 << 4),
        (["wait(1, pin, 4)"], 1 << 6),
        (["in_(pins, 3)"], 7 << 2),
        (["in_(x, 3)", "wait(1, irq, 4)"], 0),
        (["mov(x, pins)"], GPIOS),
        (["jmp('over')", "wait(1, gpio, 4)", "label('over')", "nop()", "jmp('over')"], 0),
        (["wait(1, gpio, 4)", "wait(1, gpio, 5)"], 0b11 << 4),
    ],
)
def test_watched_are_the_pins_that_reachable_instructions_look_at(
    lines: list[str], watched: int
) -> None:
    rig = Rig()
    rig.start(program(*lines, "wait(1, gpio, 20)", "wrap_target()", "nop()")
              if "over" in lines[0] else program(*lines), jmp_pin=9, in_base=2)  # fmt: skip
    rig.run(1)
    assert rig.pins.watched == watched


@pytest.mark.parametrize(
    "word",
    [
        0x2060, 0x20C8, 0x4085, 0x40A5, 0x8001, 0x8090,
        0xA060, 0xA004, 0xA019, 0xC080, 0xC008, 0xE0A0,
    ],
)
def test_reserved_encodings_are_refused_when_they_are_executed(word: int) -> None:
    rig = Rig()
    rig.block.write_memory(1, word)
    rig.setup().enable(True, 0)
    rig.block.write_memory(0, 0xA042)
    rig.run(1)
    with pytest.raises(NotModelled, match="{:04x}".format(word)):
        rig.run(1)


@pytest.mark.parametrize(
    ("register", "value", "error"),
    [
        ("execctrl", 1 << 17, NotModelled),
        ("execctrl", 1 << 18, NotModelled),
        ("pinctrl", 33 << 20, ValueError),
        ("pinctrl", 6 << 26, ValueError),
        ("pinctrl", 6 << 29, ValueError),
        ("clkdiv", 1 << 8, ValueError),
    ],
)
def test_impossible_configurations_are_refused_and_change_nothing(
    register: str, value: int, error: type[Exception]
) -> None:
    rig = Rig()
    machine = rig.setup()
    before = getattr(machine.config, register)
    with pytest.raises(error):
        machine.configure(0, **{register: value})
    assert getattr(machine.config, register) == before


def test_hooks_may_use_fifos_but_not_change_the_block() -> None:
    rig = Rig()
    machine = rig.start(program("pull()", "irq(0)"))
    rig.block.on_tx_space = lambda index, clock: machine.tx_put(clock, clock)
    rig.block.on_irq = lambda clock: rig.block.clear_irq(1, clock)
    machine.tx_put(1, 0)
    with pytest.raises(RuntimeError):
        rig.run(10)
    assert list(machine.tx) == [2]
