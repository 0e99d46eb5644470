"""A small player on the board: PIO, DMA control blocks and PWM, edge for edge."""

import json
from pathlib import Path

import pytest
from board_rig import MS, US
from hypothesis import given, settings
from hypothesis import strategies as st

from rheobase.sim.board import VirtualBoard

PLAYER = Path(__file__).with_name("board_tape_firmware.py")
TRIP = 10
LEGS = 0b111111 << 2
PLUS_1, MINUS_1, PLUS_2, MINUS_2, GATE, SYNC = (1 << bit for bit in range(6))
LEVEL_CLOCKS = 8  # a level word prolongs the segment before it by four turns


def segment(turns, pins):
    return turns - 5 << 6 | pins


def level(one, two):
    return 1 << 31 | two << 16 | one


def pulse(width=18_750, gap=6_250, rest=1_000_000, levels=None):
    """Words of one pulse of channel 1, in turns; ends with a rest, in which the level is set."""
    words = [
        segment(1_250, GATE),
        segment(width, GATE | SYNC | PLUS_1),
        segment(gap, GATE),
        segment(width, GATE | MINUS_1),
        segment(rest, 0),
    ]
    return words if levels is None else [*words, level(*levels)]


class Bench:
    watched = 0

    def __init__(self):
        self.duties = []

    def connect(self, chip):
        pass

    def reset(self, clock):
        pass

    def pins_changed(self, clock, levels, changed):
        pass

    def pwm_changed(self, clock, pin, high, top_plus_1):
        self.duties.append((clock, pin, high, top_plus_1))

    def adc_volts(self, clock, pin):
        return 0.0


def player(blocks, closed=False, **job):
    board = VirtualBoard(
        {"main.py": PLAYER, "tape.json": json.dumps({"blocks": blocks, "closed": closed, **job})},
        bench=Bench(),
    )
    board.power_on()
    board.drive(TRIP, 0)
    return board


def legs(board):
    """(clock, pins) of the six tape pins, changes only."""
    found = [(0, 0)]
    for clock, levels in board.edges:
        pins = (levels & LEGS) >> 2
        if pins != found[-1][1]:
            found.append((clock, pins))
    return found[1:]


def played(edges):
    """(clocks, pins) of what the pins did, from the first edge on."""
    return [(b[0] - a[0], a[1]) for a, b in zip(edges, edges[1:], strict=False)]


def expected(words):
    """The same from the tape's definition: 2h + 10 clocks a segment, 8 more for a level."""
    out = []
    for word in words:
        if word >> 31:
            out[-1][0] += LEVEL_CLOCKS
            continue
        clocks, pins = 2 * (word >> 6) + 10, word & 63
        if out and out[-1][1] == pins:
            out[-1][0] += clocks
        else:
            out.append([clocks, pins])
    return [tuple(one) for one in out]


def test_every_edge_of_a_tape_is_where_its_words_say():
    blocks = [pulse(), pulse(width=2_000, gap=125), pulse(rest=50_000)]
    board = player(blocks)
    board.run_for(0.3)
    words = [word for block in blocks for word in block]
    assert played(legs(board)) == expected(words)[:-1]


def test_a_starved_tape_ends_with_all_pins_low_and_stays_so():
    board = player([pulse()[:3]])  # ends in the middle of a pulse, with GATE high
    board.run_for(0.3)
    edges = legs(board)
    assert played(edges) == expected(pulse()[:3])
    assert edges[-1][1] == 0


def test_a_closed_list_goes_on_without_gaps():
    blocks = [pulse(rest=200_000), pulse(width=3_000, rest=300_000)]
    board = player(blocks, closed=True)
    board.run_for(0.5)
    words = [word for block in blocks for word in block] * 60
    found = played(legs(board))
    assert len(found) > 300
    assert found == expected(words)[: len(found)]


def test_levels_reach_the_pwm_between_the_pulses():
    blocks = [pulse(levels=(100 + n, 200 + n), rest=500_000) for n in range(4)]
    board = player(blocks)
    board.run_for(0.3)
    duties = [duty for duty in board.bench.duties if duty[2]]
    assert [(pin, high, top) for _, pin, high, top in duties] == [
        (16 + channel, 100 * (channel + 1) + n, 2047) for n in range(4) for channel in (0, 1)
    ]
    pulses_end = [clock for clock, pins in legs(board) if not pins]
    for n in range(4):
        # taken from the stream when the rest is over, and from then on at the next PWM wrap
        due = pulses_end[n] + 2 * 500_000
        assert due - 20 < duties[2 * n][0] < due + 2047 + 40


def test_truncating_the_list_plays_the_block_begun_and_no_more():
    blocks = [pulse(rest=10_000) for _ in range(12)]
    board = player(blocks, closed=True, truncate_after_ms=100)
    board.run_for(0.4)
    edges = legs(board)
    assert edges[-1][1] == 0
    whole = played([*edges, (edges[-1][0] + 2 * 10_000, -1)])
    assert len(whole) % 5 == 0
    assert whole == expected(pulse(rest=10_000)) * (len(whole) // 5)
    assert 30 * MS < edges[-1][0] < 110 * MS


@pytest.mark.parametrize("place", range(0, 37_600, 1_571))
def test_a_trip_ends_everything_within_six_clocks_of_the_edge(place):
    board = player([pulse()], closed=True)
    board.run_for(0.1)
    begin = next(clock for clock, pins in legs(board) if pins & PLUS_1)
    period = sum(clocks for clocks, _ in expected(pulse()))
    clock = begin + period * 4 + place
    board.kernel.at(clock, lambda: board.drive(TRIP, 1))
    board.run_until(clock + 5 * MS)
    edges = legs(board)
    assert edges[-1][1] == 0
    if edges[-1][0] > clock:
        assert edges[-1][0] - clock <= 6
    count = len(edges)
    board.drive(TRIP, 0)
    board.run_for(0.2)
    assert len(legs(board)) == count  # latched


def test_the_trip_interrupt_reaches_its_handler():
    board = player([pulse()], closed=True)
    board.start()
    board.drive(TRIP, 1)
    board.run_for(0.01)
    board.usb.write(b"\x03")
    board.run_for(0.05)
    board.usb.read()
    board.usb.write(b"player.trips\r")
    board.run_for(0.05)
    assert b"\r\n1\r\n" in board.usb.read()


def test_a_busy_or_held_processor_does_not_move_an_edge():
    board = player([pulse(rest=100_000)], closed=True)
    board.run_for(0.1)
    board.hold_cpu()
    board.run_for(0.5)
    found = played(legs(board))
    assert found == (expected(pulse(rest=100_000)) * 1000)[: len(found)]


def test_ctrl_c_leaves_the_hardware_playing():
    board = player([pulse(rest=100_000)], closed=True)
    board.start()
    board.usb.write(b"\x03")
    board.run_for(0.2)
    assert board.usb.read().endswith(b">>> ")
    count = len(legs(board))
    board.run_for(0.1)
    assert len(legs(board)) > count + 50


def high_leg(board):
    """Run until the plus leg is high for another while."""
    while not board.chip.gpio.levels >> 2 & PLUS_1:
        board.run_for(clocks=1000)


def test_a_soft_reset_with_a_leg_high_leaves_it_high_until_boot_takes_the_pin():
    board = player([pulse(width=100_000)], closed=True)
    board.start()
    board.usb.write(b"\x03")
    board.run_for(0.05)
    board.flash.install("/main.py", b"")
    board.flash.install("/boot.py", b"import machine\nmachine.Pin(2, machine.Pin.OUT, value=0)\n")
    high_leg(board)
    board.usb.write(b"\x04")
    board.run_for(0.01)
    begun = board.now
    assert board.chip.gpio.levels >> 2 & PLUS_1
    assert not board.chip.pio[0].block.enabled
    board.run_for(0.01)
    fall = next(clock for clock, pins in reversed(legs(board)) if not pins & PLUS_1)
    assert fall > begun  # milliseconds after the reset, not with it
    assert board.chip.gpio.levels >> 2 & GATE  # nobody took that pin


def test_pwm_after_a_soft_reset_stands_still_where_it_was():
    board = player([pulse(levels=(2047, 5))], closed=True)
    board.start()
    board.run_for(0.1)
    board.usb.write(b"\x03\x04")
    board.flash.install("/main.py", b"")
    board.run_for(0.05)
    assert not board.chip.pwm.slices[0].enabled
    # always high before, high for ever now: the port's trap
    assert [duty for duty in board.bench.duties if duty[1] == 16][-1][2:] == (1, 1)
    assert board.level(16) == 1


def test_a_watchdog_reset_drops_all_pins_at_once_and_plays_again():
    board = player([pulse(width=100_000, rest=100_000)], closed=True, watchdog_ms=200)
    board.run_for(0.2)
    board.run_while(lambda: board.resets == 1, 1.0, 1e-5)
    reset_edges = [(clock, levels) for clock, levels in board.edges if clock > board.now - 2 * MS]
    assert all(not levels & LEGS for _, levels in reset_edges[-1:])
    board.run_for(0.15)
    assert board.chip.pio[0].block.enabled


@given(
    st.lists(
        st.lists(
            st.one_of(
                st.tuples(st.integers(5, 5000), st.integers(0, 63)),
                st.tuples(st.integers(-2047, -1), st.integers(0, 2047)),
            ),
            min_size=1, max_size=6,
        ),
        min_size=1, max_size=6,
    )
)  # fmt: skip
@settings(max_examples=15, deadline=None)
def test_any_tape_plays_as_written(blocks):
    """Random segments and levels, in blocks of random length."""
    tape = [
        [segment(a, b) if a > 0 else level(-a, b) for a, b in block] for block in blocks
    ]
    board = player([[segment(100, GATE)], *tape, [segment(10, 0)]])
    board.run_for(0.1)
    words = [segment(100, GATE), *(word for block in tape for word in block), segment(10, 0)]
    found = played(legs(board))
    due = expected(words)
    while due and due[-1][1] == 0:
        due.pop()
    assert found == due


SAVER = """
import machine, os
boots = machine.mem32[0x4005800C] + 1
try:
    with open("settings") as f:
        old = f.read()
except OSError:
    old = "none"
if old not in ("old", "new"):
    raise ValueError(old)
with open("next", "w") as f:
    f.write("new")
os.rename("next", "settings")
machine.Pin(3, machine.Pin.OUT, value=1)
"""


def test_power_lost_at_each_flash_operation_leaves_a_board_that_boots():
    for operation in range(1, 20):
        board = VirtualBoard({"main.py": SAVER, "settings": "old"})
        board.power_on()
        board.flash.cut_power_at(operation)
        board.run_for(0.3)
        if board.powered:
            break
        assert board.flash.files["/settings"] in (b"old", b"new")
        board.power_on()
        board.run_for(0.3)
        assert board.level(3) == 1
        assert board.flash.files["/settings"] == b"new"
    assert operation == 4  # the new file, its content, the rename


def test_one_clock_is_one_clock():
    """The recorder, the kernel and the tape count the same clocks."""
    board = player([pulse()])
    seen = []
    board.on_edge(lambda clock, levels: seen.append((clock, levels)))
    board.run_for(0.1)
    assert seen == board.edges
    assert all(clock <= board.now for clock, _ in seen)
    assert board.now == round(0.1 * 125_000_000) == 100_000 * US
