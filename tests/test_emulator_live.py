"""Live changes one behind the other on genuine MicroPython: no pulse is lost, none is late."""

from itertools import pairwise

import pytest
from emulator_bench import needs_image
from pico_rig import ready

pytestmark = [pytest.mark.emulator, needs_image]

PERIOD = 1_250_000  # clocks at 100 Hz
CLOCKS_PER_US = 125
WIDTHS_US = (200, 198, 196)
MOVED = {1: 0, 2: 2 * 4 * CLOCKS_PER_US}  # channel 2 begins when channel 1's pulse is over


@pytest.mark.parametrize("gap_s", [0.01, 0.1])
def test_widths_changed_again_and_again(gap_s):
    """Each change leaves garbage behind: a collection must not come while the tape is spliced."""
    rig = ready()
    for number in (1, 2):
        rig.do(f"SOUR{number}:STAT ON;FREQ 100;PULS:WIDT 200us;:SOUR{number}:CYCL:ON INF")
        rig.do(f"SOUR{number}:RAMP:UP 0;DOWN 0;:SOUR{number}:PAD:AREA 25")
    rig.do("SESS:DUR 60;PATT SIM")
    rig.start()
    rig.climb(3, 3)
    begun = rig.board.now
    for turn in range(12):
        for number in (1, 2):
            rig.do(f"SOUR{number}:PULS:WIDT {WIDTHS_US[turn % 3]}us")
            rig.wait(gap_s)
    rig.wait(0.1)
    assert rig.state == "RUNNING", rig.ask("FAUL:TEXT?")
    for channel in (1, 2):
        firsts = [
            phase for phase in rig.recorder.phases(channel)
            if phase.polarity > 0 and phase.start > begun
        ]
        starts = [phase.start for phase in firsts]
        off = [after - before - PERIOD for before, after in pairwise(starts)]
        assert max(map(abs, off)) <= MOVED[channel]
        widths_us = {(phase.end - phase.start) // CLOCKS_PER_US for phase in firsts}
        assert widths_us == set(WIDTHS_US)


LOADS = {
    "pulses": "SOUR{0}:STAT ON;FREQ 100;PULS:WIDT 200us;:SOUR{0}:CYCL:ON INF",
    "Russian": (
        "SOUR{0}:STAT ON;FREQ 50;PULS:WIDT 198us;GAP 2us;:SOUR{0}:BURS:COUN 25;INT 400us;"
        ":SOUR{0}:CYCL:ON INF"
    ),
}


@pytest.mark.parametrize("load", LOADS)
def test_intensities_with_much_sent_ahead(load):
    """What comes while the tape is spliced is taken in, too: it must not take the tape's time."""
    rig = ready()
    for number in (1, 2):
        rig.do(LOADS[load].format(number))
        rig.do(f"SOUR{number}:RAMP:UP 0;DOWN 0;:SOUR{number}:PAD:AREA 25")
    rig.do("SESS:DUR 60;PATT SIM")
    rig.start()
    rig.climb(3, 3)
    here = rig.mark()
    for turn in range(10):
        rig.wait(0.05 + turn * 0.0013)
        behind = "SOUR2:CURR 2.4mA\n" * (turn % 3) + "SESS:STAT?\n" * (turn % 12)
        rig.board.serial.write("SOUR1:CURR 2.4mA\n")
        rig.wait(turn % 5 * 0.0007)
        rig.board.serial.write(behind + "SESS:TIME?;STAT?\n" * 4)
        rig.wait(0.3)
        rig.board.serial.read()
        assert rig.state == "RUNNING", rig.ask("FAUL:TEXT?")
        *_, last = rig.recorder.phases(1)
        assert last.commanded_a == pytest.approx(2.4e-3)
        rig.board.restore(here)
