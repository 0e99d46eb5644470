"""The hardware start on genuine MicroPython: the firmware's player and trigger, to the clock."""

import pytest
from emulator_bench import boot, needs_image

from firmware.boards import pico_reference as board
from rheobase.build import files_of_firmware

pytestmark = [pytest.mark.emulator, needs_image]

CLOCK = 125_000_000
OUTPUTS = 0x3F << board.LEGS_BASE
LEGS = 0x0F << board.LEGS_BASE
GATE = 0x10 << board.LEGS_BASE
DEVICE = """
import time
from firmware.boards import pico_reference as board
from firmware.hal.player_rp2 import Player

player = Player(board)
line = player.trigger_line()
OPENING = [12500, 0] * 5 + [1250, 0x10]
TRAIN = [5, 0x10, 18750, 0x31, 6250, 0x10, 18750, 0x12, 20000, 0, 20000, 0]

def put(slot, segments):
    halves = player.blocks[slot]
    turns = 0
    for n in range(0, len(segments), 2):
        hold, pins = segments[n] - 5, segments[n + 1]
        halves[n] = (hold & 0x3FF) << 6 | pins
        halves[n + 1] = hold >> 10
        turns += segments[n]
    player.queue(slot, len(segments) // 2, turns)

def wait_for_trigger(high, debounce_us):
    line.disarm()
    player.begin()
    put(0, OPENING)
    line.open(player.blocks[0], len(OPENING) // 2)
    player.start()
    time.sleep_ms(3)
    player.update()
    print(player.drained())
    player.hold()
    line.hold()
    put(1, TRAIN)
    line.arm(high, debounce_us)

def heed():
    print(line.fired())
    since = line.since_us()
    player.go(since)
    line.end()
    print(0 <= time.ticks_diff(time.ticks_us(), since) < 100_000)
    player.update()
    line.disarm()
"""


@pytest.fixture(scope="module")
def pico():
    files = dict(files_of_firmware(compiled=True, apart=True))
    files["main.py"] = DEVICE
    files["boot.py"] = ""
    with boot(files, recorded=OUTPUTS, synchronised=False) as pico:
        pico.drive(board.TRIP, 0)
        pico.drive(board.FOOT_SWITCH, 0)
        pico.run_until_text(">>> ")
        yield pico


@pytest.mark.parametrize("high", [True, False])
@pytest.mark.parametrize("debounce_us", [0, 2_000])
def test_the_pin_starts_the_tape_without_the_processor(pico, high, debounce_us):
    found = []
    for after in (20_001, 31_007, 25_550):
        pico.drive(board.FOOT_SWITCH, int(not high))
        pico.take_edges()
        assert pico.run_python(f"wait_for_trigger({high}, {debounce_us})").split() == ["True"]
        at = pico.run_for(clocks=100_000) + after
        opened = [level & OUTPUTS for _, level in pico.take_edges()]
        assert [level for level in opened if level] == [GATE]  # and it waits
        pico.drive(board.FOOT_SWITCH, int(high), at)
        pico.run_for(clocks=after + debounce_us * 125 + 200_000)
        edges = [(clock, level & OUTPUTS) for clock, level in pico.take_edges()]
        leg, level = edges[0]
        assert level & LEGS and level & GATE
        found.append(leg - at - debounce_us * 125)
        assert pico.run_python("heed()").split() == ["True", "True"]
    # RP2040: its input synchroniser, which the emulator lacks, adds 2 clocks.
    assert min(found) > 0
    assert max(found) <= 2e-6 * CLOCK - 2, found
    print(f"debounce {debounce_us} us: {min(found)} to {max(found)} clocks to the first leg")


@pytest.mark.parametrize("high", [True, False])
def test_a_wait_that_nobody_renews_ends_and_then_nothing_starts(pico, high):
    pico.drive(board.FOOT_SWITCH, int(not high))
    pico.run_python(f"wait_for_trigger({high}, 0)")
    pico.run_for(clocks=CLOCK // 100)
    pico.take_edges()
    pico.run_for(clocks=CLOCK // 10)
    assert [level & OUTPUTS for _, level in pico.take_edges()] == [0]
    pico.drive(board.FOOT_SWITCH, int(high))
    pico.run_for(clocks=CLOCK // 100)
    assert not any(level & OUTPUTS for _, level in pico.take_edges())
    assert pico.run_python("print(line.renew(), line.fired())").split() == ["False", "False"]


def test_a_wait_that_is_renewed_has_no_gap(pico):
    pico.drive(board.FOOT_SWITCH, 0)
    pico.run_python("wait_for_trigger(True, 0)")
    pico.run_for(clocks=CLOCK // 100)
    pico.take_edges()
    renew = "for _ in range(8):\n    time.sleep_ms(20)\n    print(line.renew())"
    assert pico.run_python(renew).split() == ["True"] * 8
    assert not pico.take_edges()


def test_one_trigger_starts_one_train(pico):
    pico.drive(board.FOOT_SWITCH, 0)
    pico.run_python("wait_for_trigger(True, 0)")
    pico.run_for(clocks=50_000)
    pico.take_edges()
    for _ in range(3):
        pico.drive(board.FOOT_SWITCH, 1)
        pico.run_for(clocks=150_000)
        pico.drive(board.FOOT_SWITCH, 0)
        pico.run_for(clocks=150_000)
    legs = [level >> board.LEGS_BASE & 15 for _, level in pico.take_edges()]
    assert legs.count(1) == 1 and legs.count(2) == 1


def test_a_killed_player_is_not_started(pico):
    pico.drive(board.FOOT_SWITCH, 0)
    pico.run_python("wait_for_trigger(True, 0)")
    pico.run_python("player.kill()")
    pico.run_for(clocks=1_000)
    pico.take_edges()
    pico.drive(board.FOOT_SWITCH, 1)
    pico.run_for(clocks=200_000)
    assert not any(level & OUTPUTS for _, level in pico.take_edges())
