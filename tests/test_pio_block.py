"""What holds for a whole PIO block: side-set, FIFOs, several machines."""

from __future__ import annotations

import pytest
from pio_rig import GPIOS, ONES, Rig, program, run

from rheobase.sim import pio_machine
from rheobase.sim.errors import NotModelled

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
