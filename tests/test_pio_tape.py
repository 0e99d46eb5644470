"""The firmware's tape program on the virtual PIO: every promise about it, to the clock."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pio_rig import Rig

from rheobase.sim import pio_asm
from rheobase.sim.pio_asm import Program

BASE, TRIP = 2, 10
SOURCE = Path(__file__).parent.parent / "firmware" / "hal" / "tape_program.py"
POLL = 10  # clocks between two looks for a word
LEVEL = 8  # clocks a level word adds
BEGIN = 10  # the pins of a word that waits follow at most so many clocks after the start
SEEN_WITHIN = 4


def load_program(monkeypatch: pytest.MonkeyPatch) -> Program:
    """The program from the firmware's own file, assembled by our assembler."""
    names = SimpleNamespace(
        OUT_LOW=pio_asm.OUT_LOW, SHIFT_LEFT=pio_asm.SHIFT_LEFT, SHIFT_RIGHT=pio_asm.SHIFT_RIGHT
    )
    monkeypatch.setitem(sys.modules, "rp2", SimpleNamespace(asm_pio=pio_asm.asm_pio, PIO=names))
    spec = importlib.util.spec_from_file_location("tape_program", SOURCE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.tape


with pytest.MonkeyPatch.context() as patch:
    TAPE = load_program(patch)


def segment(hold: int, pins: int) -> int:
    return hold << 6 | pins


def level(first: int, second: int) -> int:
    return 1 << 31 | second << 16 | first


class Player:
    """The program on machine 0, its words delivered as DMA does it."""

    def __init__(self, words: list[int], late: int = 4) -> None:
        self.rig = rig = Rig()
        self.levels: list[tuple[int, int]] = []
        self._words = iter(words)
        self._late = late
        self.machine = rig.start(TAPE, out=(BASE, 6), jmp_pin=TRIP)
        rig.block.on_tx_space = lambda machine, clock: self._feed(clock + self._late)
        rig.block.on_rx_data = lambda machine, clock: self._drain(clock)
        for _ in range(4):
            self._feed(0)

    def _feed(self, clock: int) -> None:
        word = next(self._words, None)
        if word is not None:
            assert self.machine.tx_put(word, clock)

    def _drain(self, clock: int) -> None:
        self.levels.append((clock, self.machine.rx_get(clock + self._late)))

    @property
    def edges(self) -> list[tuple[int, int]]:
        """(clock, six pins) of every change."""
        return [(clock, pins >> BASE) for clock, pins in self.rig.pins.log]


def test_it_fits_into_memory_and_its_pins_are_low_at_first() -> None:
    assert len(TAPE.words) <= 32
    assert TAPE.out_init == (pio_asm.OUT_LOW,) * 6


SEGMENTS = st.tuples(st.integers(0, 400), st.integers(0, 63)).map(lambda s: segment(*s))
LEVELS = st.tuples(st.integers(0, 2047), st.integers(0, 2047)).map(lambda s: level(*s))


@settings(max_examples=150)
@given(st.lists(SEGMENTS | SEGMENTS | LEVELS, max_size=25), st.integers(1, 6))
def test_every_word_lasts_exactly_as_long_as_it_says(words: list[int], late: int) -> None:
    words = [segment(0, 0), *words]
    player = Player(words, late)
    expected, levels = [], []
    elapsed = pins = 0
    player.rig.run(100_000)
    for word in words:
        if word >> 31:
            elapsed += LEVEL
            levels.append(word & 0x7FFFFFFF)
        else:
            if word & 63 != pins:
                pins = word & 63
                expected.append((elapsed, pins))
            elapsed += 2 * (word >> 6) + 10
    if pins:
        expected.append((elapsed, 0))  # starved at the very end of the last word
    start = player.edges[0][0] - expected[0][0] if expected else 0
    assert start <= BEGIN
    assert player.edges == [(start + when, pins) for when, pins in expected]
    assert [word for _, word in player.levels] == levels


def test_a_long_hold_is_exact() -> None:
    player = Player([segment(0, 0), segment((1 << 24) - 1, 1)])
    player.rig.run(40_000_000)
    (start, _), (end, _) = player.edges
    assert end - start == 2 * ((1 << 24) - 1) + 10


def test_a_level_is_pushed_where_the_segment_before_it_would_have_ended() -> None:
    player = Player([segment(0, 0), segment(20, 16), level(3, 2047), segment(5, 17)])
    player.rig.run(1000)
    (start, _), (end, _), _ = player.edges
    assert player.levels == [(start + 2 * 20 + 10, 2047 << 16 | 3)]
    assert end == start + 2 * 20 + 10 + LEVEL


@pytest.mark.parametrize("phase", range(POLL))
def test_a_starved_tape_looks_for_a_word_every_10_clocks(phase: int) -> None:
    player = Player([])
    player.rig.run(1_000_000 + phase)
    player.machine.tx_put(segment(3, 5), player.rig.now)
    player.rig.run(100)
    (start, _), (end, _) = player.edges
    first = Player([segment(3, 5)])
    first.rig.run(100)
    assert (start - first.edges[0][0]) % POLL == 0
    assert player.rig.now - 100 < start <= player.rig.now - 100 + POLL + BEGIN
    assert end - start == 16


def test_a_starved_tape_has_all_pins_low_for_ever() -> None:
    player = Player([segment(0, 63)])
    player.rig.run(10_000_000)
    (start, _), end = player.edges
    assert end == (start + 10, 0)
    assert player.rig.block.irq == 0


PULSE = [
    segment(0, 0), level(100, 200), segment(6, 16), segment(5, 16 | 32 | 1), segment(2, 16),
    segment(5, 16 | 2), segment(3, 0), level(1, 2), segment(4, 16 | 4), segment(0, 16 | 8),
]  # fmt: skip
WHOLE = 40 + sum(LEVEL if word >> 31 else 2 * (word >> 6) + 10 for word in PULSE)


@pytest.mark.parametrize("length", [SEEN_WITHIN, None])
def test_a_trip_at_any_clock_of_a_pulse_ends_it_for_good(length: int | None) -> None:
    """Pins low 4 clocks after the state machine can see it, and a short trip is no less one."""
    for clock in range(WHOLE):
        player = Player(PULSE * 3)
        rig = player.rig
        rig.run(clock)
        rig.pins.pio_inputs = 1 << TRIP
        rig.run(SEEN_WITHIN)
        if length is not None:
            rig.pins.pio_inputs = 0
        rig.run(1)
        assert rig.pins.levels == 0, clock
        assert all(when <= clock + SEEN_WITHIN for when, _ in player.edges), clock
        rig.run(3)
        assert rig.block.irq == 1, clock
        rig.pins.pio_inputs = 0
        edges = len(player.edges)
        rig.run(100_000)
        assert len(player.edges) == edges, clock
        assert rig.pins.levels == 0


def test_a_trip_before_the_start_lets_nothing_out() -> None:
    player = Player(PULSE)
    player.rig.pins.pio_inputs = 1 << TRIP
    player.rig.run(10_000)
    assert (player.edges, player.rig.block.irq) == ([], 1)


def test_only_setting_up_anew_ends_the_latch() -> None:
    player = Player(PULSE)
    rig = player.rig
    rig.run(60)
    rig.pins.pio_inputs = 1 << TRIP
    rig.run(20)
    rig.pins.pio_inputs = 0
    rig.block.clear_irq(1, rig.now)
    rig.run(1000)
    assert rig.pins.levels == 0
    rig.pins.log.clear()
    rig.block.on_tx_space = None
    machine = rig.start(TAPE, out=(BASE, 6), jmp_pin=TRIP)
    machine.tx_put(segment(0, 7), rig.now)
    rig.run(30)
    assert [pins for _, pins in player.edges] == [7, 0]


def test_levels_nobody_fetches_stop_the_tape_with_the_pins_as_they_are() -> None:
    player = Player([segment(0, 0), *[level(1, 1)] * 6, segment(0, 63)])
    player.rig.block.on_rx_data = None
    player.rig.run(10_000)
    assert player.edges == [] and player.machine.rx_level == 4
    player.machine.rx_get(player.rig.now)
    player.machine.rx_get(player.rig.now)
    player.rig.run(100)
    assert [pins for _, pins in player.edges] == [63, 0]


def executed(player: Player, clocks: int) -> int:
    """How many instructions the model looks at in so many clocks."""
    count = 0

    def counting(operation):
        def counted(time: int) -> int:
            nonlocal count
            count += 1
            return operation(time)

        return counted

    player.rig.run(200)
    machine = player.machine
    for operations in (machine.ops, machine.plain):
        operations[:] = [counting(operation) for operation in operations]
    player.rig.run(clocks)
    return count


def test_what_only_repeats_itself_is_not_executed() -> None:
    assert executed(Player([]), 125_000_000) < 100
    assert executed(Player([segment((1 << 24) - 1, 1)] * 3), 125_000_000 // 2) < 150
    stopped = Player([])
    stopped.rig.pins.pio_inputs = 1 << TRIP
    assert executed(stopped, 125_000_000) < 20
