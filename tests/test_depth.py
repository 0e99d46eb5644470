"""The tape's memory: blocks as large as what is played needs them, and how deep the queue is."""

import pytest
from rig import Rig

KEPT_MS = 45  # of tape at least: a collection takes 24 ms, a long command 20
FULL_MS = 55  # so much lets a collection begin: firmware/app.py


def both(settings):
    return [settings.replace("SOUR", f"SOUR{n}") for n in (1, 2)]


LOADS = {
    "100 Hz on both, ramps": (
        2_000, both("SOUR:STAT ON;FREQ 100;:SOUR:CYCL:ON 1;OFF 0.2;:SOUR:RAMP:UP 1;DOWN 1")
    ),
    "500 Hz on both": (4_096, both("SOUR:STAT ON;FREQ 500;PULS:WIDT 100us;:SOUR:CYCL:ON INF")),
    "triplets, 40 Hz on both": (
        2_500, both("SOUR:STAT ON;FREQ 40;BURS:COUN 3;INT 5ms;:SOUR:CYCL:ON INF")
    ),
    "Russian on both": (
        7_704,
        both("SOUR:STAT ON;FREQ 50;PULS:WIDT 198us;GAP 2us;:SOUR:BURS:COUN 25;INT 400us;"
             ":SOUR:CYCL:ON INF") + ["SESS:PATT SIM"],
    ),
    "bursts of 50 at 5 kHz, 90 Hz": (
        7_704,
        ["SOUR1:STAT ON;FREQ 90;PULS:WIDT 40us;GAP 20us;:SOUR1:BURS:COUN 50;INT 200us;"
         ":SOUR1:CYCL:ON INF"],
    ),
    "bursts of 20 at 5 kHz, 110 Hz on both": (
        7_704,
        both("SOUR:STAT ON;FREQ 110;PULS:WIDT 40us;GAP 20us;:SOUR:BURS:COUN 20;INT 200us;"
             ":SOUR:CYCL:ON INF"),
    ),
}


def player_of(rig):
    return rig.board.names["app"].player


def bytes_of(player):
    return sum(2 * len(block) for block in player.blocks)


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
        print(f"\n{load}: {bytes_of(player)} B of words, "
              f"{min(depths):.1f} to {max(depths):.1f} ms queued")
    assert rig.state == "RUNNING"
    assert bytes_of(player) <= most_bytes
    assert min(depths) >= KEPT_MS
    assert max(depths) >= FULL_MS
