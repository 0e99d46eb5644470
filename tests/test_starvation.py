"""The lease: when the loop stops, at most the horizon is played, and then all pins are low."""

import pytest
from rig import OUTPUTS, Rig

HORIZON_CLOCKS = 100 * 125_000


def running(*lines):
    rig = Rig(keep=("edges", "phases"))
    for line in lines:
        rig.do(line)
    rig.do("SESS:DUR 60")
    rig.start()
    rig.do("SOUR1:CURR 1mA")
    return rig


SHAPES = {
    "pulses": ["SOUR1:STAT ON;FREQ 87;PULS:WIDT 400us;:SOUR1:CYCL:ON INF;:SOUR1:RAMP:UP 0"],
    "doublets": ["SOUR1:STAT ON;FREQ 35;BURS:COUN 2;:SOUR1:CYCL:ON INF;:SOUR1:RAMP:UP 0"],
    "Russian on both": [
        f"SOUR{n}:STAT ON;FREQ 50;PULS:WIDT 198us;GAP 2us;:SOUR{n}:BURS:COUN 25;INT 400us;"
        f":SOUR{n}:CYCL:ON INF;:SOUR{n}:RAMP:UP 0"
        for n in (1, 2)
    ]
    + ["SESS:PATT SIM"],
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("after_us", [0, 1_700, 5_100, 8_300, 12_345])
def test_cpu_stands_still(shape, after_us):
    rig = running(*SHAPES[shape])
    assert rig.ask("STAT:OPER:COND?") == "16"
    rig.board.run_for(0.3 + after_us * 1e-6)
    rig.board.hold_cpu()
    held = rig.board.now
    rig.wait(0.4)  # less than the watchdog's time
    assert rig.outputs() == 0
    last = rig.recorder.edge_clocks[-1]
    assert last - held <= HORIZON_CLOCKS
    for channel in (1, 2):
        for pulse in rig.pulses(channel):
            assert pulse.width_1 == pulse.width_2, "a pulse was cut"
    rig.board.hold_cpu(False)
    rig.wait(0.05)
    assert rig.ask("FAUL?") == "2"
    assert rig.state == "FAULT"
    assert "tape ran out" in rig.ask("FAUL:TEXT?")
    assert rig.ask("SYST:ERR?").startswith('2,"tape ran out'), "the fault is in the error queue"
    assert rig.ask("STAT:QUES:COND?;:STAT:OPER:COND?") == "512;0"
    assert not rig.recorder.edge_levels[-1] & OUTPUTS


def test_fault_is_cleared_by_command_and_the_way_up_starts_from_zero():
    rig = running(*SHAPES["pulses"])
    rig.wait(0.1)
    rig.board.hold_cpu()
    rig.wait(0.3)
    rig.board.hold_cpu(False)
    rig.wait(0.05)
    assert "ARM" not in rig.state
    assert "-221" in rig.error(rig.arming())
    rig.do("FAUL:CLE")
    rig.settle()
    assert rig.state == "IDLE"
    rig.start()
    assert rig.ask("SOUR1:CURR?") == "0"


def test_what_would_outlast_the_tape_is_refused_while_it_plays():
    rig = running(*SHAPES["pulses"])
    for line in ("SYST:HELP:HEAD?", "PROG:CAT?", 'PROG:LINE? "N01",1', "ARM:HASH?", "*LRN?"):
        assert "RUNNING" in rig.error(line), line
    assert rig.ask("SESS:STAT?") == "RUNNING"
    rig.do("OUTP OFF")
    for line in ("SYST:HELP:HEAD?", "PROG:CAT?", 'PROG:LINE? "N01",1', "ARM:HASH?", "*LRN?"):
        assert rig.ask(line), line
