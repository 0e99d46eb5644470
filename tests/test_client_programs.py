"""The client's programs and triggers: a program of one's own, the host's trigger, a crank."""

import pytest
from host_rig import Host

from rheobase.client import StimulatorError
from rheobase.programs.library import text
from rheobase.sim_port import approve

MINE = text("N12").replace("program N12", "program mine")


def test_a_program_of_ones_own_is_stored_read_loaded_and_deleted():
    stimulator = Host(keep=()).stimulator
    before = stimulator.programs
    assert stimulator.own_programs == ()
    stimulator.store_program(MINE)
    assert stimulator.own_programs == ("mine",)
    assert stimulator.programs == (*before, "mine")
    assert stimulator.program_text("mine") == MINE
    stimulator.load_program("mine", channel=1)
    assert stimulator.loaded == ("mine", "")
    stimulator.delete_program("mine")
    assert stimulator.programs == before


def test_a_program_that_is_refused_says_where_and_is_not_stored():
    stimulator = Host(keep=()).stimulator
    wrong = MINE.replace("width", "wideness", 1)
    number = next(n for n, line in enumerate(wrong.splitlines(), 1) if "wideness" in line)
    with pytest.raises(StimulatorError, match=f"line {number}: unknown"):
        stimulator.store_program(wrong)
    assert stimulator.own_programs == ()


def playing(source):
    host = Host(keep=("phases",))
    line = host.stimulator.line
    line.set("SOUR1:STAT ON;FREQ 40;:SOUR1:CYCL:ON 0.3;:SOUR1:RAMP:UP 0.1;DOWN 0.1")
    line.set(f"SOUR1:CRAN:STAR 20;STOP 130;:SESS:DUR 60;TRIG:SOUR {source};TIM 3")
    approve(host.stimulator)
    host.stimulator.arm()
    host.stimulator.start()
    host.bench.recorder.forget()
    host.stimulator.channel(1).current_ma = 1
    host.port.sleep(0.5)
    assert not host.pulses()
    return host


def test_the_hosts_trigger_plays_one_contraction():
    host = playing("HOST")
    host.stimulator.trigger()
    host.port.sleep(1.0)
    assert len(host.pulses()) == pytest.approx(0.5 * 40, abs=2)
    assert host.stimulator.contractions[0] == 1


def test_angles_of_a_crank_play_where_its_range_is():
    host = playing("CRAN")
    angles = []
    for angle in range(0, 700, 18):  # 30 turns a minute
        host.stimulator.send_angle(angle % 360)
        count = len(host.pulses())
        host.port.sleep(0.1)
        if len(host.pulses()) > count + 2:
            angles.append(angle % 360)
    assert angles and all(15 <= angle <= 150 for angle in angles)
    assert {angle < 90 for angle in angles} == {True, False}
