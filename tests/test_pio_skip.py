"""Skipping what only repeats itself gives what stepping through every clock gives."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pio_rig import GPIOS, Rig, program, programs, words

ALL = range(9)
LENGTH = 8
WORDS32 = st.one_of(
    st.integers(0, 3), st.integers(0, 2**32 - 1), st.sampled_from((0xFFFFFFFF, 1 << 31))
)
SETTINGS: dict[str, Any] = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large],
}


def groups(bases: tuple[int, ...], counts: tuple[int, ...]) -> st.SearchStrategy[tuple[int, int]]:
    return st.tuples(st.sampled_from(bases), st.sampled_from(counts))


@st.composite
def machines(draw: st.DrawFn) -> dict[str, Any]:
    """A configuration and what the registers begin with."""
    threshold = st.sampled_from((0, 1, 8, 16, 31))
    shiftctrl = (
        draw(st.integers(0, 15)) << 16 | draw(threshold) << 20 | draw(threshold) << 25
        | draw(st.sampled_from((0, 0, 0, 1, 2))) << 30
    )  # fmt: skip
    return {
        "shiftctrl": shiftctrl,
        "execctrl": draw(st.integers(0, 3)) << 29 | draw(st.integers(0, 31)),
        "out": draw(groups((0, 1, 30), (0, 1, 3, 32))),
        "set_": draw(groups((0, 3, 29), (0, 1, 5))),
        "side": draw(groups((0, 2, 5), (0, 0, 1, 2, 5))),
        "in_base": draw(st.sampled_from((0, 1, 30))),
        "jmp_pin": draw(st.sampled_from((0, 1, 2))),
        "clkdiv": draw(st.sampled_from((1 << 16,) * 3 + (2 << 16, 0x18000, 0x24000, 0x3FF00))),
        "pc": draw(st.integers(0, LENGTH - 1)),
        "x": draw(WORDS32),
        "y": draw(WORDS32),
    }


ACTIONS = st.one_of(
    st.tuples(st.just("put"), st.integers(0, 2), WORDS32),
    st.tuples(st.just("put later"), st.integers(0, 2), WORDS32),
    st.tuples(st.just("get"), st.integers(0, 2), st.just(0)),
    st.tuples(st.just("inputs"), st.just(0), st.sampled_from((0, 1, 2, 3, 5, GPIOS))),
    st.tuples(st.just("force irq"), st.just(0), st.integers(0, 255)),
    st.tuples(st.just("clear irq"), st.just(0), st.integers(0, 255)),
    st.tuples(st.just("enable"), st.integers(0, 2), st.integers(0, 1)),
    st.tuples(st.just("restart"), st.integers(0, 2), st.just(0)),
    st.tuples(st.just("restart divider"), st.integers(0, 2), st.just(0)),
    st.tuples(st.just("execute"), st.integers(0, 2), words(ALL, LENGTH)),
    st.tuples(st.just("clear fdebug"), st.just(0), st.just(0)),
    st.tuples(st.just("write pins"), st.just(0), st.sampled_from((0, GPIOS))),
)
PAUSES = st.one_of(st.integers(0, 90), st.integers(500, 2000))
SCENARIOS = st.lists(st.tuples(PAUSES, ACTIONS), max_size=14)


def act(rig: Rig, count: int, what: str, index: int, value: int) -> None:
    machine, block, now = rig[index % count], rig.block, rig.now
    if what == "put":
        machine.tx_put(value, now)
    elif what == "put later":
        machine.tx_put(value, now + value % 23)
    elif what == "get":
        machine.rx_get(now)
    elif what == "inputs":
        rig.pins.pio_inputs = value
    elif what == "force irq":
        block.force_irq(value, now)
    elif what == "clear irq":
        block.clear_irq(value, now)
    elif what == "enable":
        machine.enable(bool(value), now)
    elif what == "restart":
        machine.restart(now)
    elif what == "restart divider":
        machine.restart_divider(now)
    elif what == "execute":
        machine.execute(value, now)
    elif what == "clear fdebug":
        block.clear_fdebug(0xFFFFFFFF)
    else:
        block.write_pins(GPIOS, value, now)


def relay(rig: Rig, index: int, clock: int) -> None:
    """A pulled word makes some DMA put one into the next machine's FIFO, a little later."""
    rig.note("tx", index, clock)
    rig[(index + 1) % 3].tx_put(clock, clock + 3)


def play(
    skip: bool,
    program: list[int],
    configurations: list[dict[str, Any]],
    scenario: list[tuple[int, tuple[str, int, int]]],
) -> list[Any]:
    """Everything that can be told of a run from outside."""
    rig = Rig(skip)
    if len(configurations) == 3:
        rig.block.on_tx_space = partial(relay, rig)
    rig.load(program)
    for index, options in enumerate(configurations):
        setup = {key: value for key, value in options.items() if key not in ("x", "y", "pc")}
        pc = options["pc"] % len(program)
        machine = rig.setup(index, wrap=(0, len(program) - 1), pc=pc, **setup)
        machine.x, machine.y = options["x"], options["y"]
        machine.enable(True, 0)
    states = []
    for pause, action in scenario:
        look = pause % 3 > 0  # that wakes machines up: they must also sleep through actions
        rig.run(pause, look)
        if look:
            states.append(rig.state())
        act(rig, len(configurations), *action)
    rig.run(150)
    return [states, rig.state(), rig.pins.log, rig.pins.direction_log, rig.hooks]


def check(program: list[int], configurations: list[dict[str, Any]], scenario: list[Any]) -> None:
    quick = play(True, program, configurations, scenario)
    slow = play(False, program, configurations, scenario)
    for one, other in zip(quick, slow, strict=True):
        assert one == other


@pytest.mark.parametrize("line", ["push()", "pull()"])
def test_a_machine_asleep_over_many_runs_goes_on_when_its_fifo_does(line: str) -> None:
    hooks = []
    for skip in (True, False):
        rig = Rig(skip)
        machine = rig.start(program(line))
        for _ in range(5):
            rig.run(10, look=False)
        before = len(rig.hooks)
        if line == "push()":
            machine.rx_get(rig.now)
        else:
            machine.tx_put(1, rig.now + 3)
        rig.run(20, look=False)
        assert len(rig.hooks) == before + 1
        hooks.append(rig.hooks)
    assert hooks[0] == hooks[1]


@settings(max_examples=250, **SETTINGS)
@given(programs(ALL, LENGTH), machines(), SCENARIOS)
def test_one_machine(program: list[int], machine: dict[str, Any], scenario: list[Any]) -> None:
    check(program, [machine], scenario)


@settings(max_examples=200, **SETTINGS)
@given(programs(ALL, LENGTH), st.lists(machines(), min_size=2, max_size=3), SCENARIOS)
def test_several_machines(
    program: list[int], configurations: list[dict[str, Any]], scenario: list[Any]
) -> None:
    check(program, configurations, scenario)


@settings(max_examples=150, **SETTINGS)
@given(st.data(), st.sampled_from((0x40, 0x80)), machines(), SCENARIOS)
def test_counted_loops(
    data: st.DataObject, jump: int, machine: dict[str, Any], scenario: list[Any]
) -> None:
    """Loops around what may be harmless: other jumps, settings of pins, nops."""
    body = data.draw(st.lists(words((0, 6, 8), 5), max_size=3))
    late = data.draw(st.sampled_from((0, 0x100, 0x900, 0x1F00)))
    ending = data.draw(st.lists(words(ALL, 5), max_size=1))
    check([*body, jump | late, *ending], [machine], scenario)


# --- what random programs seldom meet ---

PLAIN: dict[str, Any] = {
    "shiftctrl": 0b11 << 18, "execctrl": 0, "out": (0, 0), "set_": (0, 1), "side": (3, 0),
    "in_base": 0, "jmp_pin": 0, "clkdiv": 1 << 16, "pc": 0, "x": 50, "y": 0,
}  # fmt: skip
SET_PINS_1, SET_PINS_0, NOP, STAY = 0xE001, 0xE000, 0xA042, 0x0003


@pytest.mark.parametrize("counter", [0x40, 0x80])
@pytest.mark.parametrize(
    ("inside", "begin"),
    [
        ([0x00C3], {}),  # jmp(pin, ...), which is high later
        ([0x00E3], {}),  # jmp(not_osre, ...), with an empty OSR
        ([0x00E3], {"pull": True}),  # and with a full one
        ([0x0063], {"x": 50, "y": 0}),
        ([0x0063], {"x": 50, "y": 1}),
        ([0x0023], {"x": 0, "y": 50}),
        ([SET_PINS_1], {}),  # is high only from the second turn on
        ([SET_PINS_1, SET_PINS_0], {}),
        ([SET_PINS_1, SET_PINS_0, SET_PINS_1], {}),
        ([NOP, 0xA021, 0xA042], {}),
        ([0xA041], {}),  # mov(y, x) is no nop
        ([0xE081], {}),
        ([0x4021], {}),
    ],
)
@pytest.mark.parametrize("top", [0, 1, 31])
def test_loops_entered_at_their_end(
    counter: int, inside: list[int], begin: dict[str, Any], top: int
) -> None:
    """The first turn has not been through the body, so that nothing of it can be presumed."""
    begin = dict(begin)
    full = begin.pop("pull", False)
    machine = PLAIN | {"x": 50, "y": 50} | begin | {"pc": len(inside)}
    results = []
    for skip in (True, False):
        rig = Rig(skip)
        program = [*inside, counter, *[NOP] * (3 - len(inside))]
        for address, word in enumerate(program):
            rig.block.write_memory(address, word)
        if len(inside) < 3:
            rig.block.write_memory(3, STAY)
        setup = {key: machine[key] for key in ("shiftctrl", "set_", "side", "jmp_pin", "pc")}
        one = rig.setup(wrap=(2, top), **setup)
        one.x, one.y = machine["x"], machine["y"]
        if full:
            one.osr_count = 0
        one.enable(True, 0)
        seen = []
        for clocks in (40, 1, 10, 17, 500):
            rig.run(clocks)
            rig.pins.pio_inputs = int(clocks >= 17)
            seen.append(rig.state())
        results.append([seen, rig.pins.log])
    assert results[0] == results[1]


@pytest.mark.parametrize("phase", range(6))
def test_a_polling_loop_sees_its_pin_whenever_it_changes(phase: int) -> None:
    program = [NOP, 0x00C3, 0x0200, SET_PINS_1]  # the loop takes 5 clocks
    machine = PLAIN | {"pc": 0}
    changes = [(1000 + phase, ("inputs", 0, 1))]
    check(program, [machine], changes)
    assert play(True, program, [machine], changes)[2][0][0] in range(1002 + phase, 1008 + phase)


@pytest.mark.parametrize("phase", range(4))
def test_a_counted_loop_that_needs_its_pin_high_ends_when_it_falls(phase: int) -> None:
    # jmp(pin, 2); jmp(4); 2: jmp(x_dec, 0); set(pins, 1); 4: set(pins, 0); jmp(4)
    program = [0x00C2, 0x0004, 0x0040, SET_PINS_1, SET_PINS_0, 0x0004]
    for x, falls in ((5000, 1000 + phase), (300, 1000 + phase)):
        machine = PLAIN | {"pc": 0, "x": x}
        changes = [(0, ("inputs", 0, 1)), (falls, ("inputs", 0, 0))]
        check(program, [machine], changes)
        edges = play(True, program, [machine], changes)[2]
        assert any(level & 1 for _, level in edges) == (x < falls // 2)


@pytest.mark.parametrize("clock", range(0, 24, 5))
def test_a_slow_machine_sees_a_flag_on_its_own_next_cycle(clock: int) -> None:
    waiting = PLAIN | {"clkdiv": 10 << 16, "pc": 0}
    raising = PLAIN | {"pc": 2, "set_": (1, 1), "x": clock}
    program = [0x20C1, SET_PINS_1, 0x0042, 0xC001, SET_PINS_1, 0x0005]
    check(program, [waiting, raising], [])
    edges = play(True, program, [waiting, raising], [])[2]
    raised = next(when for when, level in edges if level & 2) - 1
    seen = next(when for when, level in edges if level & 1)
    assert seen == -(-raised // 10) * 10 + 11


def test_a_loop_around_a_flag_does_not_pass_for_idle() -> None:
    polling = PLAIN | {"pc": 0}
    raising = PLAIN | {"pc": 3, "set_": (1, 1), "x": 500}
    program = [0xB442, 0x2041, 0x0000, 0x0043, 0xC001, 0x0005]
    check(program, [polling, raising], [(600, ("clear fdebug", 0, 0))])


def test_autopull_finds_in_a_delay_what_another_machine_brought_about() -> None:
    refilling = PLAIN | {"pc": 0, "shiftctrl": 0b111 << 17}
    resting, pulling = PLAIN | {"pc": 4}, PLAIN | {"pc": 2}
    program = [0xBF42, 0x0000, 0x80A0, 0x0002, 0x0004]
    machines = [refilling, resting, pulling]
    scenario = [(40, ("put", 2, 0))]
    check(program, machines, scenario)
    hooks = play(True, program, machines, scenario)[4]
    assert hooks == [("tx", 2, 42), ("tx", 0, 47)]
