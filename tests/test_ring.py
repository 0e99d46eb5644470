"""The tape's memory: blocks behind each other in a ring, as large as what is played needs it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rig import Rig
from strategies import examples

KEPT_MS = 45  # of tape at least: a collection takes 24 ms, a long command 20
FULL_MS = 55  # so much lets a collection begin: firmware/app.py


def both(settings):
    return [settings.replace("SOUR", f"SOUR{n}") for n in (1, 2)]


LOADS = {
    "100 Hz on both, ramps": (
        1_024, both("SOUR:STAT ON;FREQ 100;:SOUR:CYCL:ON 1;OFF 0.2;:SOUR:RAMP:UP 1;DOWN 1")
    ),
    "500 Hz on both": (4_096, both("SOUR:STAT ON;FREQ 500;PULS:WIDT 100us;:SOUR:CYCL:ON INF")),
    "triplets, 40 Hz on both": (
        2_048, both("SOUR:STAT ON;FREQ 40;BURS:COUN 3;INT 5ms;:SOUR:CYCL:ON INF")
    ),
    "Russian on both": (
        7_168,
        both("SOUR:STAT ON;FREQ 50;PULS:WIDT 198us;GAP 2us;:SOUR:BURS:COUN 25;INT 400us;"
             ":SOUR:CYCL:ON INF") + ["SESS:PATT SIM"],
    ),
    "bursts of 50 at 5 kHz, 90 Hz": (
        7_168,
        ["SOUR1:STAT ON;FREQ 90;PULS:WIDT 40us;GAP 20us;:SOUR1:BURS:COUN 50;INT 200us;"
         ":SOUR1:CYCL:ON INF"],
    ),
    "bursts of 20 at 5 kHz, 110 Hz on both": (
        7_168,
        both("SOUR:STAT ON;FREQ 110;PULS:WIDT 40us;GAP 20us;:SOUR:BURS:COUN 20;INT 200us;"
             ":SOUR:CYCL:ON INF"),
    ),
}


def player_of(rig):
    return rig.board.names["app"].player


@pytest.mark.parametrize("load", LOADS)
def test_the_queue_is_as_deep_as_it_must_be(load, capsys):
    most_bytes, lines = LOADS[load]
    rig = Rig(keep=())
    for line in lines:
        rig.do(line)
    rig.do("SESS:DUR 60")
    rig.start()
    rig.wait(0.3)
    player = player_of(rig)
    depths = []
    for _ in range(150):
        rig.wait(0.0011)
        depths.append(player.queued_turns() / 62_500)
    with capsys.disabled():
        print(f"\n{load}: {2 * len(player.ring)} B of words, "
              f"{min(depths):.1f} to {max(depths):.1f} ms queued")
    assert rig.state == "RUNNING"
    assert 2 * len(player.ring) <= most_bytes
    assert min(depths) >= KEPT_MS
    assert max(depths) >= FULL_MS


# -- where blocks lie, block by block ------------------------------------------------------------

LATE_TURNS = 62_500  # by which the tape may be behind the reckoning


@pytest.fixture(scope="module")
def idle():
    return player_of(Rig(keep=()))


@examples(150)
@given(
    st.sampled_from([256, 768, 1_792]),
    st.lists(
        st.tuples(
            st.sampled_from(["write"] * 6 + ["play"] * 3 + ["drop"]),
            st.integers(18, 214),  # words that a block needs
            st.integers(0, 100),  # per cent of its room that it takes
            st.integers(70_000, 700_000),  # turns
        ),
        max_size=120,
    ),
)
def test_no_word_that_may_still_be_played_is_written_over(idle, size, steps):
    player = idle
    pass_by = type(player).update.__globals__["_pass"]
    player.room(size)
    player._empty(0)
    blocks = []  # (slot, start, words, turns) of the one played last, then of what is queued
    over = 0  # of them
    left = 0  # of the block in play
    for what, need, share, turns in steps:
        if what == "play" and len(blocks) > over:
            turns = min(turns, left)
            pass_by(player._state, turns * 16 // 1_000 * 1_000 // 1_000, 62_500)
            left = player._state[2]
            count = player._state[1]
            over = min(over + (len(blocks) - over - count), len(blocks))
            blocks = blocks[max(over - 1, 0):]
            over = min(over, 1)
        elif what == "drop":
            first = player.drop(LATE_TURNS)
            slots = [slot for slot, *_ in blocks]
            if first >= 0:
                blocks = blocks[: slots.index(first)]
        else:
            slot = player.free_slot(need)
            if slot < 0:
                continue
            start, end = player.at, player.end
            assert start >= 0 and end <= 2 * size and start % 2 == 0
            assert end - start >= 2 * need
            for other, begin, words, _ in blocks:
                assert end <= begin or start >= begin + 2 * words
                assert slot != other
            words = need + (end - start - 2 * need) * share // 200
            player.queue(slot, words, turns)
            assert player._list[4 * slot + 3] == player._address + 2 * start
            blocks.append((slot, start, words, turns))
            left = player._state[2]
    player.room(0)


def test_a_ring_takes_blocks_for_ever(idle):
    """However long they are, there is always room again once the tape has gone on."""
    player = idle
    pass_by = type(player).update.__globals__["_pass"]
    for words in (18, 100, 214):
        player.room(1_792)
        player._empty(0)
        for number in range(500):
            slot = player.free_slot(words)
            while slot < 0:
                assert player._state[1] >= 5, number
                pass_by(player._state, 10_000, 62_500)
                slot = player.free_slot(words)
            player.queue(slot, words, 625_000)
    player.room(0)
