"""A real stimulator whose parts are notes: what its calls do, state by state."""

import sys
import time
from types import SimpleNamespace

from firmware.boards import pico_reference as board
from firmware.core import unload
from firmware.safety import ceiling as ceilings
from firmware.safety import stimulator
from firmware.safety.states import NAMES
from firmware.safety.stimulator import Stimulator

BOOT, SELFTEST, IDLE, ARMED, RUNNING, PAUSED, FAULT, CHECKING = range(len(NAMES))
STATES = (BOOT, SELFTEST, IDLE, CHECKING, ARMED, RUNNING, PAUSED, FAULT)


class Bench:
    """A real stimulator on a board of notes. The play, trial and watch are notes too."""

    def __init__(self, monkeypatch):
        self.now = 10_000
        monkeypatch.setattr(time, "ticks_ms", lambda: self.now, raising=False)
        monkeypatch.setattr(time, "ticks_diff", lambda new, old: new - old, raising=False)
        # What is borrowed stays, with what a test has put into it.
        monkeypatch.setattr(unload, "_stays", set(sys.modules))
        monkeypatch.setattr(unload, "_lending", [True])
        monkeypatch.setattr(stimulator, "stay", self.note("stay"))
        monkeypatch.setattr(stimulator, "lend", lambda on: self.did.append(f"lend {on}"))
        self.monkeypatch = monkeypatch
        self.did = []
        self.lines = 0  # what the inputs read
        self.high = self.pressed = False
        self.outputs = SimpleNamespace(
            inputs=lambda: self.lines, trip=lambda: self.high, stop_pressed=lambda: self.pressed,
            supply_v=lambda: 199, supply_off=self.note("supply off"), beat=self.note("beat"),
        )  # fmt: skip
        self.player = SimpleNamespace(kill=self.note("kill"), halted=True)
        self.numbers = {"sink_gain_ppm": (1_000_000, 500_000), "supply_gain_ppm": 1_010_000,
                        "pad_mm2": (700, 800)}  # fmt: skip
        self.storage = SimpleNamespace(
            value=self.value, sensed="sensed", fault=self.noted("record"),
            warn=self.noted("warning"), ceilings=lambda channel: (),
        )  # fmt: skip
        self.sense = SimpleNamespace(running=True)
        watchdog = SimpleNamespace(start=self.note("dog"), stop=self.note("no dog"))
        self.one = Stimulator(
            board, self.outputs, self.player, 125_000_000, self.storage, self.sense, watchdog,
            None,
        )  # fmt: skip
        one = self.one
        one.play = SimpleNamespace(
            then=None, over=self.note("over"), fade=lambda then: self.did.append(f"fade {then}"),
            step=lambda: self.did.append("play") or self.plays, elapsed_ms=lambda: 77,
        )  # fmt: skip
        self.plays = True
        one.trial = SimpleNamespace(
            on=False, begin=lambda name: self.did.append(f"trial {name}"),
            end=self.note("end trial"), step=self.note("trial step"),
        )  # fmt: skip
        self.quiet = True
        one.watch = SimpleNamespace(
            switched_off=self.note("switched off"), idle=self.note("watch idle"),
            inputs=lambda lines: self.did.append(f"inputs {lines}") or self.quiet,
            step=lambda state: self.did.append(f"watch {NAMES[state]}"),
        )  # fmt: skip
        self.whole = True
        one.monitor = SimpleNamespace(
            channel=1, tell=self.noted("tell"), stop=self.note("monitor stop"),
            complete=lambda: self.whole, supply_v=lambda: 203,
            begin=lambda *told: self.did.append(("measure", *told)),
        )  # fmt: skip
        one.engine = SimpleNamespace(levels=lambda channel, ua: (channel, ua))
        self.felt = 100
        one.tape = SimpleNamespace(
            change=self.note("tape changes"), pulses=lambda channel: 40 + channel,
            scheduler=SimpleNamespace(level=[0, 0], highest=lambda channel: self.felt,
                                      moved=lambda channel: (3 + channel, 125)),
        )  # fmt: skip
        self.triggers = SimpleNamespace(
            stop=self.note("trigger stop"), close=self.note("trigger close"),
            changed=self.note("trigger changed"), watch=self.note("trigger watch"),
            host=self.note("host"), angle=lambda angle: self.did.append(f"angle {angle}"),
            state_name=lambda: "WAITING", plans=["a", "b"], both=lambda plans: tuple(plans),
        )  # fmt: skip
        for channel in one.channels:
            channel.enabled = 1
        self.did.clear()

    def note(self, what):
        return lambda: self.did.append(what)

    def noted(self, what):
        return lambda *told: self.did.append((what, *told))

    def value(self, name, channel=None):
        number = self.numbers[name]
        return number if channel is None else number[channel]

    def at(self, state):
        self.one.states.state = state
        self.did.clear()
        return self.one

    def ceiling(self, most_ua=20_000):
        def ceiling_of(one, channel):
            self.did.append(f"ceiling {channel}")
            return most_ua, "the pad"

        self.monkeypatch.setattr(ceilings, "ceiling_of", ceiling_of)
