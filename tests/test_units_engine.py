"""The engine's parts by themselves: what each is made of, and what an arming asks it."""

from types import SimpleNamespace

import pytest
from units import refusal

from firmware.boards import pico_reference as board
from firmware.core.grid import Grid
from firmware.core.settings import CHANNEL, SESSION, Settings
from firmware.core.timing import Timing
from firmware.safety import engine
from firmware.safety.engine import Engine, levels


class Made:
    """An engine of a stimulator with notes for hardware; every part says with what it was made."""

    def __init__(self, monkeypatch, levels_na=(60_000, 60_000)):
        self.did = []
        for name in ("Scheduler", "TapeWriter", "Expectation", "Monitor", "Inspector"):
            made = self.part(name)
            monkeypatch.setattr(engine, name, made)
        monkeypatch.setattr(engine.gc, "collect", lambda: self.did.append("collect"))
        times = board.DEAD_NS, board.SEPARATION_NS, board.GATE_LEAD_NS, board.SETTLE_NS
        self.full = False
        self.most_ua = [[(120_000, "clinician")], [(120_000, "clinician")]]
        self.stimulator = SimpleNamespace(
            board=board,
            timing=Timing(Grid(125_000_000), *times),
            session=Settings(SESSION),
            channels=(Settings(CHANNEL), Settings(CHANNEL)),
            player=SimpleNamespace(SLOTS=9, room=self.room),
            sense=SimpleNamespace(hold=lambda count: self.did.append(("sense", count))),
            storage=SimpleNamespace(
                box=SimpleNamespace(note="note"),
                value="value",
                ceilings=lambda channel: self.most_ua[channel],
            ),
            level_na=lambda channel: levels_na[channel],
        )
        for channel in self.stimulator.channels:
            channel.update({"enabled": 1, "limit_ua": 100_000})
        self.one = Engine(self.stimulator)

    def part(self, name):
        def make(*told):
            return SimpleNamespace(
                name=name, told=told, hold=lambda count: self.did.append((name, count))
            )

        return make

    def room(self, words):
        if self.full:
            raise MemoryError
        self.did.append(("room", words))


def test_the_monitor_is_told_what_it_compares(monkeypatch):
    made = Made(monkeypatch)
    s = made.stimulator
    told = made.one.monitor.told
    assert told[:3] == (board, s.timing, s.sense) and told[4:] == (s.player, "note", "value")
    assert (told[3].name, told[3].told) == ("Expectation", (9,))


def test_a_tape_has_this_engines_parts(monkeypatch):
    made = Made(monkeypatch)
    parts = made.one.tape(lambda *told: told, "inspector")
    assert [part.name for part in parts[:2]] == ["Scheduler", "TapeWriter"]
    assert parts[2:] == ("inspector", made.stimulator.player, made.one.monitor.told[3])


def test_a_plan_is_that_of_the_settings(monkeypatch):
    made = Made(monkeypatch)
    made.stimulator.channels[0].update({"rate_mhz": 50_000})
    made.stimulator.channels[1].update({"enabled": 0})
    plan = made.one.plan()
    assert plan.channels[1] is None and plan.channels[0].least_turns == 20 * 62_500
    made.stimulator.channels[0].update({"rate_mhz": 500_000, "width_ns": 1_000_000})
    assert refusal(made.one.plan)[0] in (-221, -222)


def test_as_much_memory_is_held_as_the_plan_needs(monkeypatch):
    made = Made(monkeypatch)
    asked = []
    monkeypatch.setattr(engine, "borrow", lambda *told: asked.append(told) or (77, 11))
    made.one.need(SimpleNamespace(channels="both"))
    assert asked == [("firmware.core.room", "room_for", "both", 62_500)]
    assert made.did == []
    made.one.hold()
    assert made.did == ["collect", ("sense", 22), ("Expectation", 11), ("room", 77)]
    made.full = True
    expected = -221, "memory in too small pieces for this session; reset"
    assert refusal(made.one.hold) == expected


def test_without_a_plan_nothing_is_held(monkeypatch):
    made = Made(monkeypatch)
    made.one.hold()
    assert made.did == ["collect", ("sense", 0), ("Expectation", 0), ("room", 0)]


@pytest.mark.parametrize("levels_na", [(60_000, 50_000), (50_000, 60_000)])
def test_levels_of_each_channel_as_it_is_calibrated(monkeypatch, levels_na):
    one = Made(monkeypatch, levels_na).one
    for i in (0, 1):
        assert one.levels(i, 30_000) == 30_000_000 // levels_na[i]


@pytest.mark.parametrize("i", [0, 1])
def test_the_inspectors_ceiling_is_the_lowest_of_all(monkeypatch, i):
    made = Made(monkeypatch, (60_000, 50_000))
    highest = [round(100_000 / 60), 2_000]
    made.most_ua[i] = [(12_000, "person"), (24_000, "clinician")]
    found = made.one.inspector()
    rules, slots = found.told
    assert (found.name, slots) == ("Inspector", 9)
    expected = highest[:]
    expected[i] = 12_000 // (60, 50)[i]
    assert rules.ceiling == expected
    assert rules.level_ua == 60, "of the larger one"
    made.most_ua[i] = [(120_000, "person")]
    assert made.one.inspector().told[0].ceiling == highest


@pytest.mark.parametrize("level_na", [60_000, 59_999])
@pytest.mark.parametrize("level", [0, 1, 2, 1_999])
def test_the_nearest_level(level_na, level):
    half_ua = (2 * level + 1) * level_na / 2_000
    assert levels(level_na, int(half_ua - 1)) == level
    assert levels(level_na, int(half_ua + 1)) == level + 1
    assert levels(60_000, 30) == 1, "a half goes up"


def test_trains_without_a_trigger_are_fed_by_the_plain_feeder():
    assert Engine.FEEDER.__name__ == "Feeder"
