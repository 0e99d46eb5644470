"""The engine core writes the same tape here as on CPython, and allocates nothing while it does.

tests/test_core_tape.py computes the same sums on CPython.
"""

import gc
from array import array

from firmware.core.grid import Grid
from firmware.core.plan import make_plan
from firmware.core.scheduler import STATE_SIZE, Scheduler
from firmware.core.settings import CHANNEL, SESSION, Settings
from firmware.core.tape import BLOCK_WORDS, TapeWriter
from firmware.core.timing import Timing

TARGET_MS = 10
LEVELS = (500, 300)

RUSSIAN = {
    "enabled": 1, "width_ns": 198_000, "gap_ns": 2_000, "count": 25, "interval_ns": 400_000,
    "rate_mhz": 50_000, "ramp_up_ms": 500, "on_ms": 3_000, "off_ms": 2_000,
}
# name: (clock, channel 1, channel 2, session)
SESSIONS = {
    "collisions": (
        125_000_000,
        {"enabled": 1, "rate_mhz": 50_000, "width_ns": 400_000, "ramp_up_ms": 2_000,
         "on_ms": 3_000, "off_ms": 2_000, "polarity": 2},
        {"enabled": 1, "rate_mhz": 33_333, "count": 2, "on_ms": 1_000, "off_ms": 1_000,
         "ramp_up_ms": 500, "ramp_down_ms": 500, "ramp_by": 1},
        {"duration_ms": 20_000},
    ),
    "russian": (150_000_000, RUSSIAN, RUSSIAN, {"duration_ms": 20_000, "pattern": 0}),
    "everything": (
        125_000_000,
        {"enabled": 1, "rate_mhz": 35_000, "on_ms": 2_000, "off_ms": 5_500, "rest_rate_mhz": 3_000,
         "delay_us": 12_345},
        {"enabled": 1, "rate_mhz": 2_000, "count": 9, "interval_ns": 11_111_111, "on_ms": 2_000,
         "off_ms": 5_500},
        {"duration_ms": 20_000, "pattern": 1, "warm_ms": 4_000, "cool_ms": 4_500},
    ),
    "varied": (
        125_000_000,
        {"enabled": 1, "rate_mhz": 125_000, "rate_to_mhz": 2_000, "width_ns": 100_000,
         "width_to_ns": 200_000, "modulation": 3, "mod_ms": 3_000, "mod_steps": 42, "on_ms": 0,
         "jitter_ns": 1_000_000},
        {"enabled": 1, "rate_mhz": 20_000, "opening_ns": 5_000_000, "on_ms": 1_000, "off_ms": 500,
         "ramp_up_ms": 0, "ramp_down_ms": 0, "block_ms": 4_000, "pause_ms": 1_000},
        {"duration_ms": 20_000},
    ),
    "long": (
        150_000_000,
        {"enabled": 1, "rate_mhz": 499_999, "width_ns": 300_000, "on_ms": 0,
         "ramp_up_ms": 3_600_000},
        {},
        {"duration_ms": 14_400_000},
    ),
}
# name: (sum over the halves of 20 s of tape, pulses of channel 1, of channel 2);
# `python tests/test_core_tape.py` prints them.
EXPECTED = {
    "collisions": (1117527, 600, 938),
    "russian": (14967709, 16875, 16875),
    "everything": (10014112, 230, 432),
    "varied": (2726394, 1237, 252),
    "long": (9402278, 10000, 0),
}


def begin(name):
    """Scheduler, writer and buffer at the start of a session."""
    clock_hz, one, two, shared = SESSIONS[name]
    timing = Timing(Grid(clock_hz), 2_000, 2_000, 20_000, 1_000_000)
    channels = [Settings(CHANNEL), Settings(CHANNEL)]
    channels[0].update(one)
    channels[1].update(two)
    session = Settings(SESSION)
    session.update(shared)
    scheduler = Scheduler()
    scheduler.load(make_plan(channels, session, timing))
    scheduler.level[0], scheduler.level[1] = LEVELS
    return scheduler, TapeWriter(), array("H", [0] * (2 * BLOCK_WORDS))


def add(total, halves, words):
    """A sum over a block in which order counts; its steps stay small integers."""
    for i in range(2 * words):
        total = (total * 31 + halves[i]) & 0xFFFFFF
    return total


def play(name, time_ms=20_000):
    """What EXPECTED holds, of so much time of a session."""
    scheduler, writer, halves = begin(name)
    turns_per_ms = scheduler.timing.grid.turns_per_ms
    turns = total = 0
    while not writer.ended and turns < time_ms * turns_per_ms:
        words = writer.block(halves, scheduler, TARGET_MS * turns_per_ms)
        total = add(total, halves, words)
        turns += writer.turns
    return total, scheduler.pulses(0), scheduler.pulses(1)


def test_collisions():
    assert play("collisions") == EXPECTED["collisions"]


def test_russian():
    assert play("russian") == EXPECTED["russian"]


def test_everything():
    assert play("everything") == EXPECTED["everything"]


def test_long():
    assert play("long") == EXPECTED["long"]


def write(blocks, scheduler, writer, halves, target, slot):
    """As the feeder does: save the state, write a block."""
    while blocks:
        scheduler.save(slot)
        writer.block(halves, scheduler, target)
        blocks -= 1


def allocated(name):
    """Bytes that 200 blocks take from the heap, after as many to get into the steady state."""
    scheduler, writer, halves = begin(name)
    target = TARGET_MS * scheduler.timing.grid.turns_per_ms
    slot = memoryview(array("i", [0] * STATE_SIZE))
    write(200, scheduler, writer, halves, target, slot)
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    write(200, scheduler, writer, halves, target, slot)
    after = gc.mem_alloc()
    gc.enable()
    assert not writer.ended
    return after - before


def test_the_count_sees_an_allocation():
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    kept = [before]
    after = gc.mem_alloc()
    gc.enable()
    assert kept and after > before


def test_writing_allocates_nothing():
    for name in SESSIONS:
        assert allocated(name) == 0, (name, allocated(name))
