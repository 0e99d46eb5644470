"""The same session on a genuine MicroPython image and on the virtual board: the same edges."""

import pico_rig
import pytest
from emulator_bench import needs_image
from rig import OUTPUTS, Rig

from firmware.boards import pico_reference as board

pytestmark = [pytest.mark.emulator, needs_image]

SESSIONS = {
    "the demo's programs": [
        'PROG:LOAD "N01",1',
        'PROG:LOAD "D35",2',
        "SOUR1:RAMP:UP 1;DOWN 1;:SOUR1:CYCL:ON 1",
        "SESS:DUR 5",
    ],
    "Russian on both": [
        f"SOUR{n}:STAT ON;FREQ 50;PULS:WIDT 198us;GAP 2us;:SOUR{n}:BURS:COUN 25;INT 400us;"
        f":SOUR{n}:CYCL:ON INF;:SOUR{n}:RAMP:UP 0.2;DOWN 0.2"
        for n in (1, 2)
    ]
    + ["SESS:PATT SIM;DUR 1"],
    "alternating polarity, odd rates": [
        "SOUR1:STAT ON;FREQ 33.333;PULS:WIDT 123us;GAP 77us;POL ALT;:SOUR1:CYCL:ON 0.8;OFF 0.1",
        "SOUR2:STAT ON;FREQ 97.531;PULS:WIDT 50us;GAP 2us;POL NEG;:SOUR2:CYCL:ON INF",
        "SOUR1:RAMP:UP 0.3;DOWN 0.3;TYPE WIDT;:SOUR2:RAMP:UP 0.1;DOWN 0.1",
        "SESS:DUR 3",
    ],
}


@pytest.fixture(scope="module")
def virtual():
    return Rig(keep=("edges",))


def edges_of(rig, lines):
    """[(clock since the first edge, levels of the six outputs)] of a session, changes only."""
    rig.do("*RST")
    for line in lines:
        rig.do(line)
    rig.arm()
    begun = rig.board.now
    rig.do("OUTP ON")
    rig.do("SOUR1:CURR 1mA")
    while rig.state == "RUNNING":
        rig.wait(0.3)
    assert rig.state == "IDLE", rig.ask("FAUL:TEXT?")
    edges = []
    before = 0
    for clock, level in zip(rig.recorder.edge_clocks, rig.recorder.edge_levels, strict=True):
        now = (level & OUTPUTS) >> board.LEGS_BASE
        if now != before and clock > begun:
            edges.append((clock, now))
        before = now
    first = edges[0][0]
    return [(clock - first, now) for clock, now in edges]


@pytest.mark.parametrize("name", SESSIONS)
def test_session_has_the_edges_of_the_virtual_board(virtual, name):
    played = edges_of(pico_rig.ready(), SESSIONS[name])
    expected = edges_of(virtual, SESSIONS[name])
    assert len(played) == len(expected)
    assert played == expected
