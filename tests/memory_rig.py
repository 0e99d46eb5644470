"""What the tests of the memory share: a board that trips, loses its power and boots again."""

import csv

from rheobase.sim.board import repository_files

FIELDS = [
    "number", "boot", "uptime", "wall", "fault", "severity", "channel", "reason", "detail",
    "state", "supply", "commanded_1", "measured_1", "width_1", "rate_1", "ohm_1", "commanded_2",
    "measured_2", "width_2", "rate_2", "ohm_2", "cause", "firmware",
]  # fmt: skip
RUN = "SOUR1:STAT ON;FREQ 50;:SOUR1:CYCL:ON INF;:SOUR1:PULS:WIDT 200us"
MAIN = b"""
import machine

from firmware.app import App
from firmware.boards import pico_reference
from firmware.safety import faults

app = App(pico_reference)

def on_line(line):
    if line.startswith(b"FAIL"):
        app.stimulator.fail(faults.SELF_TEST, "injected")
    if line == b"FLIP":
        app.storage.numbers[1] ^= 1 << 20
    if line.endswith(b"RESET"):
        machine.reset()

app.instrument.on_line = on_line
app.run()
"""
FIRMWARE_THAT_FAILS = {**repository_files(), "/main.py": MAIN}


def record(rig, place=1):
    row = next(csv.reader([rig.say(f"SYST:LOG? {place}", 0.3)]))
    assert len(row) == len(FIELDS)
    return dict(zip(FIELDS, row, strict=True))


def trip(rig, current_ma=3):
    rig.do(RUN)
    rig.start()
    rig.climb(current_ma)
    rig.bench.force_trip(rig.board.now)
    rig.wait(0.3)
    assert rig.state == "FAULT"


def power_cycle(rig):
    rig.board.power_off()
    rig.wait(1.0)
    boot(rig, rig.board.power_on)


def boot(rig, reset):
    reset()
    assert rig.board.run_while(lambda: not rig.board.usb.connected, 5.0)
    rig.bench.try_stop()
    rig.wait(0.3)
    rig.board.usb.read()
    rig.settle()


def key(rig, word="secret"):
    rig.do(f'SYST:KEY:NEW "{word}"')
    rig.wait(0.3)


def damage(rig, copy, harm):
    path = f"/data/config.{copy}"
    content = rig.board.flash.files[path]
    if harm == "missing":
        del rig.board.flash.files[path]
    elif harm == "short":
        rig.board.flash.install(path, content[:-20])
    else:
        rig.board.flash.install(path, content[:100] + b"?" + content[101:])
