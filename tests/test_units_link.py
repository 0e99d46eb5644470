"""The host's sign of life, by itself: every edge."""

from types import SimpleNamespace

import pytest
from units import Clock

from firmware.safety import faults, link, states
from firmware.safety.link import Link


class Silent(Clock):
    """A stimulator whose host says nothing, and what that leads to."""

    def __init__(self, monkeypatch, state, standalone=0):
        self.state = state
        self.done = []
        self.session = SimpleNamespace(standalone=standalone)
        times = {"link_fade_ms": 2_000, "link_end_ms": 10_000}
        self.storage = SimpleNamespace(value=times.get)
        monkeypatch.setattr(link, "time", self)
        self.link = Link(self)

    def state_name(self):
        return states.NAMES[self.state]

    def stop(self):
        self.done.append("stop")

    def pause(self):
        self.done.append("pause")

    def warn(self, number):
        self.done.append(number)

    fail = warn

    def watched(self, now):
        self.done.clear()
        self.link.watch(now)
        return self.done


LIVE = (states.ARMED, states.RUNNING, states.PAUSED)


@pytest.mark.parametrize("state", range(8))
def test_silence_costs_first_the_intensity_then_the_session(monkeypatch, state):
    silent = Silent(monkeypatch, state)
    assert silent.watched(2_000) == []
    assert silent.watched(2_001) == (["pause", 31] if state == states.RUNNING else [])
    assert silent.watched(10_000) == (["pause", 31] if state == states.RUNNING else [])
    assert silent.watched(10_001) == (["stop", 32] if state in LIVE else [])


def test_a_line_heard_begins_the_time_anew(monkeypatch):
    silent = Silent(monkeypatch, states.RUNNING)
    silent.now = 5_000
    silent.link.heard()
    assert silent.watched(7_000) == []
    assert silent.watched(7_001) == ["pause", 31]


def test_no_configuration_makes_the_silence_shorter_than_half_a_second(monkeypatch):
    silent = Silent(monkeypatch, states.RUNNING)
    silent.storage.value = {"link_fade_ms": 0, "link_end_ms": 0}.get
    assert silent.watched(500) == []
    assert silent.watched(501) == ["stop", 32]


def test_a_standalone_session_needs_no_host_and_its_silence_never_wraps(monkeypatch):
    silent = Silent(monkeypatch, states.RUNNING, standalone=1)
    assert silent.watched(20_000) == []
    silent.session.standalone = 0
    assert silent.watched(22_000) == []
    assert silent.watched(22_001) == ["pause", 31]


@pytest.mark.parametrize("state", range(8))
def test_damaged_lines_are_a_fault_while_there_is_output_to_lose(monkeypatch, state):
    silent = Silent(monkeypatch, state)
    silent.link.spoilt()
    assert silent.done == ([faults.LINK] if state in LIVE else [])
