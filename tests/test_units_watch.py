"""What is looked at in every turn, by itself: each bound, each order, and when it beats."""

from types import SimpleNamespace

import pytest
from units import Clock

from firmware.safety import faults, supervisor, watch
from firmware.safety.states import ARMED, CHECKING, PAUSED, RUNNING
from firmware.safety.supervisor import INSPECTOR, LIMITS, LINK, LOOP, SENSE, TAPE


class Watched(Clock):
    """A stimulator at which all is well until a test changes it; time stands until told."""

    def __init__(self, monkeypatch):
        monkeypatch.setattr(watch, "time", self)
        self.board = SimpleNamespace(SUPPLY_V=200)
        self.volts = 200
        self.outputs = SimpleNamespace(supply_v=lambda: self.volts)
        self.supply_v = lambda: self.volts
        self.sense = SimpleNamespace(running=False)
        self.monitor = SimpleNamespace(rest=self.rest)
        self.link = SimpleNamespace(watch=lambda now: self.did.append(f"link {now}"))
        self.sound = True
        self.tape = SimpleNamespace(inspector=SimpleNamespace(intact=lambda: self.sound))
        self.states = SimpleNamespace(state=ARMED)
        self.supervisor = self
        self.triggered = None
        self.failed = []
        self.at_rest = 0
        self.missing = 0
        self.tasks = 0
        self.needed = []
        self.did = []
        self.armed_ms = 0
        self.one = watch.Watch(self)

    def fail(self, number, detail=""):
        self.failed.append((number, detail))

    def fail_measured(self, number):
        self.fail(number)

    def rest(self):
        self.did.append("rest")
        return self.at_rest

    def check_in(self, task):
        self.tasks |= task

    def step(self, needed, now):
        assert now == self.now
        self.needed.append(needed)
        return self.missing

    def names(self, missing):
        return f"tasks {missing}"

    def armed_for(self, now):
        assert now == self.now
        return self.armed_ms

    def disarm(self):
        self.did.append("disarmed")

    def turn(self, state, after_ms=0):
        """One step; what was done in it."""
        self.now += after_ms
        self.states.state = state
        self.did.clear()
        self.needed.clear()
        self.tasks = 0
        self.one.step(state)
        return self.did

    @property
    def beat(self):
        return bool(self.needed)


@pytest.fixture
def watched(monkeypatch):
    return Watched(monkeypatch)


# -- idle -----------------------------------------------------------------------------------------


def test_idle_a_supply_that_has_not_fallen_after_a_second_is_a_fault(watched):
    watched.volts = 21
    for _ in range(9):
        watched.now += 100
        watched.one.idle()
    watched.now += 99
    watched.one.idle()
    assert watched.failed == []
    watched.now += 1
    watched.one.idle()
    number, detail = watched.failed.pop()
    assert number == faults.SUPPLY and "21 V" in detail


def test_idle_it_is_looked_at_ten_times_a_second(watched):
    asked = []
    watched.outputs.supply_v = lambda: asked.append(watched.now) or 0
    for watched.now in range(0, 350, 7):
        watched.one.idle()
    assert asked == [105, 210, 315]


def test_idle_the_second_counts_from_when_it_was_switched_off_or_last_low(watched):
    watched.volts = 150
    watched.now = 500
    watched.one.switched_off()
    watched.now = 1_499
    watched.one.idle()
    assert watched.failed == []
    watched.volts = 20
    watched.now = 1_600
    watched.one.idle()
    watched.volts = 150
    watched.now = 2_599
    watched.one.idle()
    assert watched.failed == []
    watched.now = 2_700
    watched.one.idle()
    assert len(watched.failed) == 1


# -- inputs ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("inputs", "number"), [
    (1, faults.TRIP), (2, faults.STOP_BUTTON), (3, faults.TRIP),
])  # fmt: skip
def test_an_input_is_a_fault_and_the_trip_line_comes_first(watched, inputs, number):
    assert not watched.one.inputs(inputs)
    assert watched.failed == [(number, "")]


def test_quiet_inputs_are_well(watched):
    assert watched.one.inputs(0)
    assert watched.failed == []


# -- supply ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [ARMED, PAUSED, RUNNING])
@pytest.mark.parametrize(("volts", "holds"), [
    (180, True), (230, True), (179, False), (231, False),
])  # fmt: skip
def test_the_supply_while_on(watched, state, volts, holds):
    watched.volts = volts
    watched.sense.running = state == RUNNING
    watched.turn(state, 99)
    assert watched.failed == [] and watched.beat, "not looked at yet"
    watched.turn(state, 1)
    assert watched.beat == holds
    if holds:
        assert watched.failed == []
    else:
        number, detail = watched.failed.pop()
        assert (number, detail) == (faults.SUPPLY, f"{volts} V, not 180 to 230 V")
        assert watched.tasks == 0 and watched.did == []


def test_the_supply_is_not_looked_at_while_arming_moves_it(watched):
    watched.volts = 0
    watched.turn(CHECKING, 1_000)
    assert watched.failed == [] and watched.beat


def test_least_supply_of_a_start_is_nine_tenths(watched):
    assert watched.one.least_supply_v() == 180


# -- rest -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [ARMED, PAUSED])
def test_the_current_at_rest_is_looked_at_ten_times_a_second(watched, state):
    seen = [watched.now for _ in range(50) if "rest" in watched.turn(state, 7)]
    assert seen == [105, 210, 315]
    assert watched.tasks & SENSE
    watched.at_rest = faults.REST_CURRENT
    watched.turn(state, 100)
    assert watched.failed == [(faults.REST_CURRENT, "")]
    assert not watched.beat and watched.tasks == 0


def test_while_pulses_are_sampled_the_current_is_not_at_rest(watched):
    watched.sense.running = True
    assert "rest" not in watched.turn(RUNNING, 1_000)
    assert not watched.tasks & SENSE, "the tape's step checks in for it"
    watched.sense.running = False
    assert "rest" in watched.turn(RUNNING, 0)
    watched.sense.running = True
    assert "rest" in watched.turn(PAUSED, 100)
    assert "rest" not in watched.turn(CHECKING, 100)
    assert watched.tasks & SENSE


@pytest.mark.parametrize(("may", "rested"), [(0, []), (1, [200]), (2, [150, 200])])
def test_while_a_train_waits_it_is_looked_at_where_it_may(watched, may, rested):
    watched.sense.running = True
    watched.triggered = SimpleNamespace(rests=lambda: 0)
    watched.turn(RUNNING, 100)
    watched.sense.running = False
    watched.turn(RUNNING, 0)
    watched.sense.running = True
    watched.triggered = SimpleNamespace(rests=lambda: may)
    seen = [watched.now for _ in range(2) if "rest" in watched.turn(RUNNING, 50)]
    assert seen == rested
    assert bool(watched.tasks & SENSE) == bool(may)


# -- limits, tasks, lapse -------------------------------------------------------------------------


@pytest.mark.parametrize("state", [CHECKING, ARMED, PAUSED, RUNNING])
def test_the_limits_in_memory_are_compared_twice_a_second(watched, state):
    watched.sound = False
    watched.turn(state, 499)
    assert watched.failed == [] and watched.beat
    watched.turn(state, 1)
    assert watched.failed == [(faults.CORRUPT, "")]
    assert not watched.beat
    watched.sound = True
    watched.turn(state, 499)
    watched.sound = False
    watched.turn(state, 0)
    assert len(watched.failed) == 1, "counted from the last comparison"


def test_every_task_is_needed_for_a_beat_those_of_the_tape_while_it_plays(watched):
    rest = LOOP | LINK | SENSE | LIMITS
    for state in (CHECKING, ARMED, PAUSED, RUNNING):
        watched.turn(state)
        needed = rest | TAPE | INSPECTOR if state == RUNNING else rest
        assert watched.needed == [needed]
        assert watched.tasks == rest
        assert f"link {watched.now}" in watched.did
    watched.sense.running = True
    watched.turn(RUNNING)
    assert watched.tasks == rest & ~SENSE


def test_a_task_that_is_missing_is_a_fault_and_named(watched):
    watched.missing = TAPE
    watched.armed_ms = 60_000
    assert "disarmed" not in watched.turn(ARMED)
    assert watched.failed == [(faults.SUPERVISOR, f"tasks {TAPE}")]


@pytest.mark.parametrize("state", [CHECKING, ARMED, PAUSED, RUNNING])
def test_an_arming_lapses_after_a_minute(watched, state):
    watched.armed_ms = 59_999
    assert "disarmed" not in watched.turn(state)
    watched.armed_ms = 60_000
    assert ("disarmed" in watched.turn(state)) == (state == ARMED)


def test_what_the_link_does_in_a_turn_counts_in_it(watched):
    """The silence of the host pauses: from then on the tape's tasks are not needed."""

    def silent(now):
        watched.states.state = PAUSED

    watched.link.watch = silent
    watched.turn(RUNNING)
    assert watched.needed == [supervisor.LOOP | LINK | SENSE | LIMITS]
