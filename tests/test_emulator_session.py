"""The same session on a genuine MicroPython image and on the virtual board: the same edges."""

import pytest
from emulator_bench import needs_image
from rig import OUTPUTS, Rig

from firmware.boards import pico_reference as board
from rheobase.build import files_of_firmware
from rheobase.emulator.image import named_files
from rheobase.emulator.pico import EmulatedPico

pytestmark = needs_image

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


def output_edges(clocks, levels):
    """[(clock since the first edge, levels of the six outputs)], changes only."""
    edges = []
    before = 0
    for clock, level in zip(clocks, levels, strict=True):
        now = (level & OUTPUTS) >> board.LEGS_BASE
        if now != before:
            edges.append((clock, now))
            before = now
    first = edges[0][0]
    return [(clock - first, now) for clock, now in edges]


def on_the_virtual_board(lines):
    rig = Rig(keep=("edges",))
    for line in lines:
        rig.do(line)
    rig.start()
    rig.do("SOUR1:CURR 1mA")
    while rig.state == "RUNNING":
        rig.wait(0.2)
    assert rig.state == "IDLE"
    return output_edges(rig.recorder.edge_clocks, rig.recorder.edge_levels)


class Pico:
    """The emulated Pico with the firmware running, driven by typed lines."""

    def __init__(self):
        image, bootrom = named_files()
        self.pico = EmulatedPico(image, bootrom, files_of_firmware(compiled=True))
        self.pico.drive(board.TRIP, 0)
        self.pico.drive(board.STOP_BUTTON, 0)
        self.pico.adc(board.SUPPLY_SENSE, 2.5)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.pico.close()

    def say(self, line, wait=0.1):
        self.pico.serial.write(line + "\n")
        self.pico.run_for(wait)
        return self.pico.serial.read().decode().strip()

    def boot(self):
        for _ in range(40):
            self.pico.run_for(0.1)
            if not self.pico.serial.connected:
                continue
            if "Rheobase" in self.say("*IDN?"):
                return
        raise AssertionError("no answer from the firmware")

    def state(self):
        answer = ""
        while not answer:
            answer = self.say("SESS:STAT?")
        return answer.splitlines()[-1]


@pytest.mark.parametrize("name", SESSIONS)
def test_session_has_the_edges_of_the_virtual_board(name):
    with Pico() as pico:
        pico.boot()
        for line in SESSIONS[name]:
            pico.say(line)
        assert pico.say("SYST:ERR?", 0.2) == '0,"No error"'
        pico.say("SESS:STAN ON;:ARM", 0.3)
        assert pico.state() == "ARMED", pico.say("SYST:ERR?")
        pico.pico.take_edges()
        pico.say("OUTP ON", 0.3)
        pico.say("SOUR1:CURR 1mA", 0.3)
        while pico.state() == "RUNNING":
            pico.pico.run_for(0.3)
        assert pico.state() == "IDLE", pico.say("FAUL:TEXT?")
        edges = pico.pico.edges
        played = output_edges([e[0] for e in edges], [e[1] for e in edges])
    expected = on_the_virtual_board(SESSIONS[name])
    assert len(played) == len(expected)
    assert played == expected


def test_trip_and_stop_byte_on_the_device():
    with Pico() as pico:
        pico.boot()
        pico.say("SOUR1:STAT ON;FREQ 100;PULS:WIDT 500us;:SOUR1:CYCL:ON INF;:SESS:DUR 60")
        for stop in ("trip", "byte"):
            pico.say("SESS:STAN ON;:ARM", 0.3)
            pico.say("OUTP ON", 0.3)
            assert pico.state() == "RUNNING"
            clock = pico.pico.run_until_pin(board.LEGS_BASE, 1) + 5_000
            pico.pico.take_edges()
            if stop == "trip":
                pico.pico.drive(board.TRIP, 1, clock)
            else:
                pico.pico.serial.write("!", at=clock)
            pico.pico.run_for(0.3)
            legs = [e for e in pico.pico.edges if e[0] >= clock]
            last = [e[0] for e in legs if not e[1] & OUTPUTS][0]
            assert last - clock <= (6 if stop == "trip" else 5 * 125_000), stop
            assert all(not level & OUTPUTS for at, level in legs if at > last)
            pico.pico.drive(board.TRIP, 0)
            if stop == "trip":
                assert pico.state() == "FAULT"
                pico.say("FAUL:CLE", 0.2)
            assert pico.state() == "IDLE"
