"""The tape on genuine MicroPython: PIO, DMA list, level words and the trip, to the clock."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from emulator_bench import REPOSITORY, boot, needs_image

pytestmark = [pytest.mark.emulator, needs_image]

BASE, TRIP = 2, 10
SIX = 0x3F << BASE
GATE, SYNC = 1 << 4, 1 << 5
PHASE_1, PHASE_2, PHASE_3, PHASE_4 = (GATE | leg for leg in (1, 2, 4, 8))
LEVEL_CLOCKS = 8
PWM_PERIOD = 2048

FILES = {
    "firmware/__init__.py": "",
    "firmware/hal/__init__.py": "",
    "firmware/hal/tape_program.py": (REPOSITORY / "firmware/hal/tape_program.py").read_text(),
    "main.py": Path(__file__).with_name("emulator_tape_main.py").read_text(),
}


def segment(hold, pins):
    return hold << 6 | pins


def level(one, two):
    return 1 << 31 | two << 16 | one


def array_of(words):
    halves = [half for word in words for half in (word & 0xFFFF, word >> 16)]
    return f"array('H', {halves})"


def expected(words, start):
    """Clocks and pins that these words give, ended by zeros, from the first pins on."""
    edges, clock, before = [], start, 0
    for word in [*words, segment(0, 0)]:
        if word >> 31:
            clock += LEVEL_CLOCKS
            continue
        pins = word & 63
        if pins != before:
            edges.append((clock, pins))
        before = pins
        clock += 2 * (word >> 6) + 10
    return edges


def lasts(words):
    return sum(LEVEL_CLOCKS if word >> 31 else 2 * (word >> 6) + 10 for word in words)


@pytest.fixture(scope="module")
def shared():
    with boot(FILES, recorded=SIX, synchronised=False) as pico:
        pico.drive(TRIP, 0)
        pico.run_until_text(">>> ")
        pico.run_python("from machine import mem32")
        yield pico


@pytest.fixture
def pico(shared):
    shared.drive(TRIP, 0)
    shared.run_python("setup()")
    shared.take_edges()
    return shared


def play(pico, tapes, ring=False, more="", clocks=0):
    """Plays the tapes and returns the pins' edges."""
    text = ", ".join(array_of(words) for words in tapes)
    pico.run_python(f"put([{text}], {ring})")
    pico.take_edges()
    pico.run_python(f"go()\n{more}")
    pico.run_for(clocks=clocks)
    return edges_of(pico)


def edges_of(pico):
    edges, before = [], 0
    for clock, levels in pico.take_edges():
        pins = levels >> BASE & 63
        if pins != before:
            edges.append((clock, pins))
        before = pins
    return edges


def stretches(edges):
    """Pins, and for how many clocks, between two edges."""
    return [(pins, after - clock) for (clock, pins), (after, _) in pairwise(edges)]


PULSE = [
    segment(1250, GATE),
    segment(12500, PHASE_1 | SYNC),
    segment(6250, GATE),
    segment(12500, PHASE_2),
    segment(20000, 0),
]


def test_every_segment_lasts_twice_its_hold_and_ten_clocks(pico):
    holds = [0, 1, 2, 3, 7, 100, 12_345, 99_999]
    words = [segment(hold, GATE | i % 4) for i, hold in enumerate(holds)]
    edges = play(pico, [words], clocks=300_000)
    assert stretches(edges) == [(GATE | i % 4, 2 * h + 10) for i, h in enumerate(holds)]
    assert edges[-1][1] == 0, "a starved machine lets all pins fall at the segment's end"


def test_a_level_word_adds_eight_clocks_and_reaches_both_outputs(pico):
    words = [segment(50, GATE), level(321, 1234), segment(50, PHASE_1), segment(5000, 0)]
    edges = play(pico, [words], clocks=20_000)
    assert stretches(edges) == [(GATE, 110 + LEVEL_CLOCKS), (PHASE_1, 110)]
    one, two = pico.pwm_changes[-2:]
    assert (one.pin, one.high, one.period) == (16, 321, PWM_PERIOD)
    assert (two.pin, two.high, two.period) == (17, 1234, PWM_PERIOD)
    pushed = edges[1][0]
    assert one.clock == two.clock and pushed - 20 <= one.clock < pushed + PWM_PERIOD


def test_a_list_of_blocks_plays_gapless_and_stops_at_the_null(pico):
    short = [segment(0, GATE | leg) for leg in (0, 1, 0, 2, 0, 1, 0, 2)]
    tapes = [PULSE, [level(5, 6), *PULSE], [segment(0, 0)] * 7, [*short, segment(0, 0)], PULSE]
    words = [word for tape in tapes for word in tape]
    edges = play(pico, tapes, more="print(playing())", clocks=lasts(words) + 1000)
    assert edges == expected(words, edges[0][0])
    assert pico.run_python("print(playing(), control.read - base[0])") == f"False {16 * 6}\n"


def test_blocks_of_the_shortest_words_leave_the_machine_no_time_and_yet_no_gap(pico):
    """Five words a block, the least that the feeder makes: DMA keeps up with ten clocks a word."""
    tape = [segment(0, pins) for pins in (GATE, GATE | 1, GATE | 2, GATE | 4, GATE | 8)]
    edges = play(pico, [tape] * 3, ring=True, more="time.sleep_ms(2)\nend(1)", clocks=2000)
    gaps = {clocks for _, clocks in stretches(edges)}
    assert gaps == {10} and len(edges) > 10_000


def test_a_ring_plays_without_jitter_while_python_allocates(pico):
    tapes = [PULSE, [level(100, 200), *PULSE]]
    more = "rounds = busy(300)\nprint(rounds)\nend(0)\nend(1)"
    edges = play(pico, tapes, ring=True, more=more, clocks=2 * sum(map(lasts, tapes)))
    times = {}
    for (pins, clocks), (after, _) in pairwise(stretches(edges)):
        times.setdefault((pins, after), set()).add(clocks)
    assert times == {
        (GATE, PHASE_1 | SYNC): {2510},
        (PHASE_1 | SYNC, GATE): {25010},
        (GATE, PHASE_2): {12510},
        (PHASE_2, 0): {25010},
        (0, GATE): {40010, 40010 + LEVEL_CLOCKS},
    }
    assert len(edges) > 300 / 0.85 * 4
    assert pico.run_python("print(playing())") == "False\n"


def test_a_new_entry_ahead_of_the_block_in_play_is_taken(pico):
    other = [segment(700, GATE), segment(300, PHASE_3), segment(100_000, 0)]
    more = (
        f"spare = {array_of(other)}\nbusy(5)\n"
        "enter(1, forward, TXF0, 3, uctypes.addressof(spare))"
    )
    long = [segment(2_000_000, 0), *PULSE]
    edges = play(pico, [long, PULSE], more=more, clocks=lasts(long) + 300_000)
    words = [*PULSE, *other]
    assert edges == expected(words, edges[0][0])


def trip_latency(pico, words, after):
    """Clocks from a trip `after` clocks from the first edge to all pins low, None if they were."""
    pico.drive(TRIP, 0)
    pico.run_python(f"setup()\nput([{array_of(words)}], False)")
    pico.take_edges()
    pico.serial.write("go()\r")
    start = pico.run_until_pin(BASE + 4, 1)
    pico.drive(TRIP, 1, start + after)
    pico.run_for(clocks=after + 20)
    high = [clock for clock, levels in pico.edges if levels]
    low = next(clock for clock, levels in pico.edges if not levels and clock > start)
    pico.run_until_text(">>> ")
    return low - start - after if high and low > start + after else None


SHORT = [
    segment(2, GATE),
    segment(3, PHASE_1),
    segment(1, GATE),
    level(7, 8),
    segment(0, PHASE_2),
    segment(1, GATE),
]


@pytest.mark.parametrize("synchronised", [False, True])
def test_a_trip_ends_the_tape_within_four_clocks_wherever_it_comes(pico, synchronised):
    pico.synchronise(synchronised)
    late = 2 if synchronised else 0
    latencies = {}
    for after in range(1, lasts(SHORT) - 8):
        latencies[after] = trip_latency(pico, SHORT, after)
    pico.synchronise(False)
    assert set(latencies.values()) == {2 + late, 3 + late, 4 + late}, latencies


def test_a_trip_latches_and_only_a_new_setup_plays_again(pico):
    assert trip_latency(pico, PULSE, 10_000) in (2, 3)
    pico.drive(TRIP, 0)
    pico.take_edges()
    pico.run_python("go()")
    pico.run_for(0.01)
    assert not edges_of(pico)
    assert pico.run_python("print(mem32[0x50200030])") == "1\n", "the PIO's flag is up"
    pico.run_python("mem32[0x50200030] = 1\nsetup()")
    edges = play(pico, [PULSE], clocks=200_000)
    assert edges == expected(PULSE, edges[0][0])


def test_the_tape_goes_on_when_the_cpu_is_halted_and_ends_by_itself(pico):
    pico.run_python(f"put([{array_of(PULSE)}] * 4, False)")
    pico.take_edges()
    pico.serial.write("go()\r")
    pico.run_until_pin(BASE + 4, 1)
    pico.hold_cpu()
    pico.run_for(0.05)
    edges = edges_of(pico)
    pico.hold_cpu(False)
    pico.run_until_text(">>> ")
    assert edges == expected(PULSE * 4, edges[0][0])
