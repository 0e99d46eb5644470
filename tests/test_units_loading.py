"""How a program is taken over, and the way from reset to the self-test, by themselves."""

import importlib.util
import sys
from types import SimpleNamespace

import pytest
from units import refusal

from firmware.boards import pico_reference as board
from firmware.core.grid import Grid
from firmware.core.settings import BUTTON, CHANNEL, SESSION, Settings
from firmware.core.timing import Timing
from firmware.safety import booting, changes, defaults, faults, loading, needs, reasons, selftest
from firmware.safety.faults import Failed
from firmware.safety.states import NAMES

BOOT, SELFTEST, IDLE, ARMED, RUNNING, PAUSED, FAULT, CHECKING = range(len(NAMES))
PLAYABLE = {"trigger": 0, "duration_ms": 60_000}
SINGLE = {"rate_mhz": 40_000, "width_ns": 300_000}
UNPLAYABLE = {"rate_mhz": 500_000, "width_ns": 1_000_000}  # 2 ms of phases every 2 ms


class Idle:
    """A stimulator at rest, with its settings as after a reset."""

    def __init__(self):
        self.state = IDLE
        self.intensity = (SimpleNamespace(current_ua=0), SimpleNamespace(current_ua=0))
        self.session = Settings(SESSION)
        self.channels = (Settings(CHANNEL), Settings(CHANNEL))
        times = board.DEAD_NS, board.SEPARATION_NS, board.GATE_LEAD_NS, board.SETTLE_NS
        self.timing = Timing(Grid(125_000_000), *times)
        self.loaded = ["old", "older"]
        self.mode = "none"
        self.told = 0

    def state_name(self):
        return NAMES[self.state]

    def configured(self):
        self.told += 1

    def all(self):
        parts = (self.session, SESSION), (self.channels[0], CHANNEL), (self.channels[1], CHANNEL)
        values = [[getattr(one, name) for name in fields.names()] for one, fields in parts]
        return values, self.loaded[:], self.mode, self.told


@pytest.mark.parametrize("state", range(len(NAMES)))
def test_a_program_loads_only_when_nothing_is_armed(state):
    one = Idle()
    one.state = state
    if state in (ARMED, RUNNING, PAUSED):
        expected = -221, f"not in state {NAMES[state]}; stop first"
        assert refusal(loading.need_rest, one) == expected
    else:
        loading.need_rest(one)


@pytest.mark.parametrize("i", [0, 1])
def test_a_program_loads_only_at_zero(i):
    one = Idle()
    one.intensity[i].current_ua = 1
    expected = -221, f"channel {i + 1} at 1 uA; a program loads at 0"
    assert refusal(loading.need_rest, one) == expected
    before = one.all()
    assert refusal(loading.load, one, "p", "fes", PLAYABLE, (SINGLE, None)) == expected
    assert refusal(loading.load_channel, one, "p", "fes", PLAYABLE, i, SINGLE) == expected
    assert one.all() == before


@pytest.mark.parametrize("i", [0, 1])
def test_a_program_of_one_channel_switches_the_other_off(i):
    one = Idle()
    one.channels[1 - i].update({"pad_mm2": 1_234, "enabled": 1})
    parts = [None, None]
    parts[i] = SINGLE
    loading.load(one, "p", "fes", PLAYABLE, parts)
    assert [c.enabled for c in one.channels] == [int(i == 0), int(i == 1)]
    assert one.loaded == ["p" if k == i else "" for k in (0, 1)]
    assert (one.mode, one.told) == ("fes", 1)
    assert (one.channels[i].rate_mhz, one.channels[i].width_ns) == (40_000, 300_000)
    assert one.channels[1 - i].pad_mm2 == 1_234, "the pads stay"
    assert one.session.duration_ms == 60_000


def test_a_program_of_both_channels():
    one = Idle()
    loading.load(one, "p", "tens", PLAYABLE, (SINGLE, {**SINGLE, "rate_mhz": 20_000}))
    assert [c.enabled for c in one.channels] == [1, 1]
    assert [c.rate_mhz for c in one.channels] == [40_000, 20_000]
    assert (one.loaded, one.mode) == (["p", "p"], "tens")


@pytest.mark.parametrize("i", [0, 1])
def test_a_program_that_can_not_be_played_changes_nothing(i):
    one = Idle()
    before = one.all()
    parts = [None, None]
    parts[i] = UNPLAYABLE
    assert refusal(loading.load, one, "p", "fes", PLAYABLE, parts)[0] in (-221, -222)
    parts[i] = {"rate_mhz": 1}
    assert refusal(loading.load, one, "p", "fes", PLAYABLE, parts)[0] == -222
    wrong = {**PLAYABLE, "duration_ms": -1}
    parts[i] = SINGLE
    assert refusal(loading.load, one, "p", "fes", wrong, parts)[0] == -222
    assert one.all() == before


def test_a_triggered_program_is_planned_when_it_is_armed():
    one = Idle()
    loading.check(one, {"trigger": BUTTON}, (UNPLAYABLE, None))


@pytest.mark.parametrize("i", [0, 1])
def test_one_channels_part_of_a_program(i):
    one = Idle()
    other = one.all()[0][2 - i]
    one.channels[i].update({"enabled": 0})
    loading.load_channel(one, "q", "nmes", {"duration_ms": 5_000}, i, SINGLE)
    values = one.all()[0]
    assert values[2 - i] == other
    assert (one.channels[i].enabled, one.channels[i].rate_mhz) == (1, 40_000)
    assert one.session.duration_ms == 5_000
    expected = ["old", "older"]
    expected[i] = "q"
    assert (one.loaded, one.mode, one.told) == (expected, "nmes", 1)


def test_a_bad_session_value_changes_no_channel():
    one = Idle()
    before = one.all()
    values = {"duration_ms": -1}
    assert refusal(loading.load_channel, one, "q", "nmes", values, 0, SINGLE)[0] == -222
    assert one.all() == before


# -- from reset to the self-test


class Waking:
    """A stimulator in SELFTEST, and what was done with it."""

    def __init__(self, monkeypatch):
        self.did = []
        self.latched = 0
        self.storage = SimpleNamespace(open=self.opened, latched=0)
        self.watchdog = SimpleNamespace(bit=False)
        monkeypatch.setattr(defaults, "use_stored", lambda one: self.did.append("stored"))
        monkeypatch.setattr(booting.gc, "collect", lambda: self.did.append("collect"))
        monkeypatch.setattr(booting, "stay", self.did.append)
        monkeypatch.setattr(booting, "borrow", self.borrowed)
        monkeypatch.setattr(selftest, "sequence", self.tested)

    def borrowed(self, module, name, one):
        assert one is self
        getattr(sys.modules[module], name)(one)

    def opened(self):
        self.did.append("open")
        self.storage.latched = self.latched

    def tested(self, one):
        assert one is self
        yield
        self.did.append("tested")


ENGINE = ("safety.engine", "core.fit", "safety.ceiling", "safety.changes")


def test_what_is_done_after_a_reset_turn_by_turn(monkeypatch):
    one = Waking(monkeypatch)
    turns = []
    for _ in booting.sequence(one):
        turns.append(one.did[:])
        one.did.clear()
    assert turns == [
        [], ["open", "stored"],
        *(["collect", f"firmware.{name}"] for name in ENGINE),
    ]  # fmt: skip
    assert one.did == ["tested"]


def failure(one):
    with pytest.raises(Failed) as failed:
        for _ in booting.sequence(one):
            pass
    return failed.value.number, failed.value.detail


def test_a_critical_fault_of_before_is_told_before_anything_is_loaded(monkeypatch):
    one = Waking(monkeypatch)
    one.latched = faults.DIRECT_CURRENT
    assert failure(one) == (faults.DIRECT_CURRENT, "until the power is cut")
    assert one.did == ["open", "stored"]


def test_a_bite_of_the_watchdog_is_a_fault_with_all_loaded(monkeypatch):
    one = Waking(monkeypatch)
    one.watchdog.bit = True
    assert failure(one) == (faults.WATCHDOG, "")
    assert one.did[-1] == "firmware.safety.changes" and "tested" not in one.did


# -- settings before anybody sets them


def test_settings_begin_as_the_table_and_the_configuration_say(monkeypatch):
    one = Idle()
    fresh = Idle().all()[0]
    did = []
    one.storage = SimpleNamespace(value=lambda name, i: {"pad_mm2": (700, 800)}[name][i])
    one.approval = SimpleNamespace(forget=lambda: did.append("forget"))
    monkeypatch.setattr(changes, "by_hand", lambda what: did.append(what))
    one.session.update({"duration_ms": 5_000})
    for channel in one.channels:
        channel.update({"rate_mhz": 7_000, "enabled": 0, "pad_mm2": 300})
    defaults.reset(one)
    for i in (0, 1):
        assert one.channels[i].pad_mm2 == (700, 800)[i]
        one.channels[i].put("pad_mm2", Settings(CHANNEL).pad_mm2)
    assert one.all()[0] == fresh
    assert (did, one.told) == ([one, "forget"], 1)


# -- words and names


OTHERS = ("NONE", "WARNING", "STOP", "CRITICAL")
NUMBERS = {
    name: value
    for name, value in vars(faults).items()
    if name.isupper() and type(value) is int and name not in OTHERS
}


def test_every_fault_has_its_own_reason_in_words():
    assert set(reasons.REASONS) == set(NUMBERS.values())
    assert len(set(reasons.REASONS.values())) == len(NUMBERS)
    assert all(reasons.text(number) for number in NUMBERS.values())
    assert reasons.text(0) is None and reasons.text(99) is None


def test_what_an_arming_borrows_can_be_imported():
    plain, triggered = needs.names(0), needs.names(1)
    assert triggered[: len(plain)] == plain and len(triggered) > len(plain)
    assert "firmware.safety.rules" in plain and "firmware.safety.triggered" in triggered
    for name in triggered:
        assert importlib.util.find_spec(name), name
