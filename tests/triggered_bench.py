"""A triggered session between a switch, decisions and a tape of notes."""

import time
from types import SimpleNamespace

from firmware.core import settings as words
from firmware.core.held import DOWN, HELD, PLAYING
from firmware.core.trigger import NOTHING
from firmware.safety.triggered import BOTH_SEEN, Triggered

SOURCES = (words.BUTTON, words.HEEL, words.PHASES, words.CRANK, words.HOST, words.ANALOG)
BUTTON, HEEL, PHASES, CRANK, HOST, ANALOG = SOURCES
BY_PIN = (BUTTON, HEEL, PHASES)
PLANS = ["first train", "second train"]


class Waiting:
    """`did` is what switch, decisions and tape were told."""

    def __init__(self, monkeypatch, source, sections=((0,), (1,)), opened=True):
        self.now = 1_000
        self.now_us = 9_000
        monkeypatch.setattr(time, "ticks_ms", lambda: self.now, raising=False)
        monkeypatch.setattr(time, "ticks_us", lambda: self.now_us, raising=False)
        monkeypatch.setattr(time, "ticks_diff", lambda new, old: new - old, raising=False)
        self.did = []
        self.fires = self.level = self.sampling = self.just_sampled = False
        self.value = 0
        self.elapsed = 0
        self.mv = 700
        self.line = SimpleNamespace(
            armed=False, fired=lambda: self.fires, high=lambda: self.level, end=self.note("end"),
            arm=self.armed, disarm=self.disarmed, since_us=lambda: 8_700, close=self.note("close"),
        )  # fmt: skip
        self.tape = SimpleNamespace(
            phase=DOWN, over=False, line=None, go=self.gone, down=self.noted("down"),
            prepare=lambda *told: self.did.append(("prepare", *told)) or 17,
            release=self.note("release"), change=self.noted("change"),
        )  # fmt: skip
        self.action = NOTHING
        self.decisions = SimpleNamespace(
            section=0, standing=False, armed=lambda section: self.to_come,
            begin=lambda *told: self.did.append(("begin", *told)),
            started=self.note("started"), step=self.decided,
        )  # fmt: skip
        self.to_come = True
        self.asked = []
        session = SimpleNamespace(trigger=source, duration_ms=60_000, debounce_us=30_000)
        self.stimulator = SimpleNamespace(
            session=session, tape=self.tape, plan="none", contractions=[0, 0],
            channels=(SimpleNamespace(ramp_down_ms=300), SimpleNamespace(ramp_down_ms=400)),
            player=SimpleNamespace(trigger_line=lambda: self.line),
            board=SimpleNamespace(TRIGGER_ANALOG=3),
            outputs=SimpleNamespace(analog_mv=lambda: self.did.append("read") or self.mv),
            monitor=SimpleNamespace(
                stop=self.note("monitor stop"),
                sense=SimpleNamespace(running=False, select=self.noted("select")),
            ),
            elapsed_ms=lambda: self.elapsed, finish=self.note("finish"), pause=self.note("pause"),
            sample=self.note("sample"), sampled=lambda: self.just_sampled,
        )  # fmt: skip
        self.one = Triggered(self.stimulator, sections, self.decisions)
        self.one.plans = PLANS
        self.one.high = True
        self.one.by_pin = source in BY_PIN
        self.one.contact = SimpleNamespace(
            seen=BOTH_SEEN, value=0, step=self.stepped, set=self.noted("set")
        )
        self.one.signal = SimpleNamespace(
            section=lambda now: self.did.append(("section", now)) or 1,
            step=lambda mv: mv > 500, read=self.noted("angle"),
        )  # fmt: skip
        self.levels = []
        if opened:
            self.one.open()

    def note(self, what):
        return lambda: self.did.append(what)

    def noted(self, what):
        return lambda *told: self.did.append((what, *told))

    def gone(self, *told):
        self.tape.phase = PLAYING
        self.did.append(("go", *told))

    def armed(self, high, debounce_us):
        self.line.armed = True
        self.did.append(("arm", high, debounce_us))

    def disarmed(self):
        self.line.armed = False
        self.did.append("disarm")
        return self.fires

    def decided(self, now_ms, section, phase):
        self.asked.append((now_ms, section, phase))
        return self.action

    def stepped(self, now_ms, level):
        self.levels.append((now_ms, level))
        return self.value

    def turn(self, action=NOTHING, after_ms=0, **changed):
        """One turn, and what was done in it."""
        self.now += after_ms
        self.action = action
        for name, value in changed.items():
            setattr(self.tape, name, value)
        self.did.clear()
        self.answer = self.one.step()
        return self.did[:]

    def held(self):
        """A train is held, was looked at, and the hardware may start it."""
        self.tape.phase = HELD
        self.one.rests()
        self.turn()
        assert self.line.armed
