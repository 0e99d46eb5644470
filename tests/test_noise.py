"""Random and mutated lines into the whole firmware: no exception, nothing at the electrodes that
must not be, and the parser still answers. `make nightly` sends a million.
"""

import binascii
import random

import pytest
from judge import CLOCKS_PER_S, Judge
from rig import Rig
from strategies import NIGHTLY
from test_sequences import ARGUMENTS, headers

from firmware.safety.faults import EXCEPTION

LINES = 1_000_000 if NIGHTLY else 2_000
BATCH = 50  # lines between two looks
PIECES = [";", ":", ",", '"', "'", "?", "*", " ", "#", "(", "E-", "\t", "9" * 40, "\0", "\r",
          "A" * 300, "\xff\xfe", "!", ";:", "#1 ", " *0000", "SOUR", "UP", "INF"]
USUAL = ["SOUR1:STAT ON;FREQ 100;:SOUR1:RAMP:UP 0;:SOUR1:CYCL:ON INF", "ARM", "OUTP ON",
         "SOUR1:CURR 1mA", "SESS:STAN ON", "SESS:DUR 2", "*RST", "FAUL:CLE", "SESS:RES"]


class Typist:
    """Makes lines: usual ones, any header with any argument, both with damage, and plain noise."""

    def __init__(self, seed):
        self._random = random.Random(seed)
        self._headers = headers()

    def line(self):
        draw = self._random
        kind = draw.random()
        if kind < 0.2:
            return draw.choice(USUAL).encode()
        if kind < 0.3:
            return bytes(draw.randrange(256) for _ in range(draw.randrange(40)))
        units = []
        for _ in range(draw.choice((1, 1, 1, 2, 4))):
            unit = draw.choice(self._headers)
            units.append(f"{unit} {draw.choice(ARGUMENTS)}".strip())
        text = bytearray(";:".join(units).encode())
        if kind < 0.5:
            return bytes(text)
        for _ in range(draw.randrange(1, 4)):
            at = draw.randrange(len(text) + 1)
            text[at : at + draw.randrange(4)] = draw.choice(PIECES).encode("latin-1")
        return bytes(text)


def without_ctrl_c(line):
    """Ctrl-C ends the program, as it should; it has tests of its own."""
    return line.replace(b"\x03", b"")


def frame(line):
    """A sound frame under number 0, which is executed every time."""
    body = b"#0 " + line.strip()
    return body + b" *%04X" % binascii.crc_hqx(body, 0xFFFF)


def begin(rig, judge, checked):
    """A session with current, into which the lines fall."""
    if checked:
        rig.say(frame(b"SYST:CHEC OFF").decode())
    rig.settle()
    rig.do("*RST")
    rig.do(USUAL[0])
    judge.may_start(rig.board.now)
    rig.arm()
    rig.do("OUTP ON")
    rig.do("CURR:LOCK OFF")
    rig.do("SOUR1:CURR 1mA")
    rig.wait(0.05)
    if checked:
        rig.say(frame(b"SYST:CHEC ON").decode())


@pytest.mark.parametrize("checked", (False, True), ids=("plain", "checked"))
def test_lines_of_all_kinds(checked):
    judge = Judge()
    rig = Rig((), judge.phase, on_edge=judge.edge)
    typist = Typist(1 if checked else 2)
    sent = 0
    while sent < LINES // 2:
        lines = [without_ctrl_c(typist.line()) for _ in range(BATCH)]
        if checked:
            lines = [frame(line) if typist._random.random() < 0.7 else line for line in lines]
        sent += len(lines)
        stream = b"\n".join(lines) + b"\n"
        begin(rig, judge, checked)
        while stream:  # in pieces, as a port brings them
            size = typist._random.choice((1, 7, 64, 500))
            rig.board.usb.write(stream[:size])
            stream = stream[size:]
            rig.wait(typist._random.choice((0.0, 0.001, 0.02)))
        rig.wait(1.0)  # a stop byte is heard when no more than KEPT bytes are ahead of it
        judge.must_stop(rig.board.now + round(0.05 * CLOCKS_PER_S))
        rig.board.usb.write(b"\n!\n")
        rig.wait(0.3)
        while rig.board.usb.read():
            rig.wait(0.1)
        judge.look(rig.recorder)
        judge.wrong.clear()
        assert rig.say("*IDN?", 0.1).startswith("Rheobase,"), lines
        said = [
            rig.say(frame(line.encode()).decode() if checked else line, 0.1)
            for line in ("FAUL?", "FAUL:TEXT?", "FAUL:CLE", "*CLS")
        ]
        number = said[0].removeprefix("#0 OK ").split(" *")[0]
        assert number.isdecimal() and int(number) != EXCEPTION, (said, lines)
    assert rig.board.crashes == []
    assert judge.currents > 20  # else it has shown little
