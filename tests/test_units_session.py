"""The session in play and a trial under way, by themselves: what each turn and each end does."""

from types import SimpleNamespace

import pytest
from units import Clock, refusal

from firmware.core.feeder import STARVED
from firmware.core.refused import Refused
from firmware.safety import faults, playing, starting, trial
from firmware.safety.faults import Failed
from firmware.safety.playing import Play
from firmware.safety.states import ARMED, CHECKING, IDLE, NAMES, PAUSED, RUNNING, SELFTEST
from firmware.safety.supervisor import INSPECTOR, SENSE, TAPE
from firmware.safety.trial import Trial

TURNS_PER_MS = 62_500


class Stimulating(Clock):
    """A stimulator in play at which all is well until a test changes it; it notes what is done."""

    def __init__(self, monkeypatch):
        self.now = 1_000
        for module in (playing, starting):
            monkeypatch.setattr(module, "time", self)
        self.did = []
        self.state = RUNNING
        self.states = self
        self.player = SimpleNamespace(
            tripped=False, halted=False, kill=lambda: self.did.append("kill"),
            queued_turns=lambda: self.queued,
        )  # fmt: skip
        self.queued = 0
        self.reason = self.verdict = 0
        self.tape = SimpleNamespace(
            fill=lambda: self.reason, inspected=7, ended=False, running=True,
            finished=lambda: self.all_played, fade=lambda ms: self.did.append(f"fade {ms}"),
            begin=lambda plan: self.did.append(f"begin {plan}") or self.reason,
            resume=lambda plan: self.did.append(f"resume {plan}") or self.reason,
        )  # fmt: skip
        self.all_played = False
        self.plan = "the plan"
        self.sense = SimpleNamespace(running=True)
        self.monitor = SimpleNamespace(
            warning=0, channel=1, step=lambda: self.verdict, complete=lambda: self.all_sampled
        )
        self.all_sampled = True
        self.supervisor = self
        self.tasks = 0
        self.timing = SimpleNamespace(grid=SimpleNamespace(turns_per_ms=TURNS_PER_MS))
        self.triggered = None
        self.volts = 200
        self.supply_v = lambda: self.volts
        self.watch = SimpleNamespace(least_supply_v=lambda: 180)
        self.lock = SimpleNamespace(open=lambda now: self.did.append(f"unlocked {now}"))
        self.play = Play(self)

    # the stimulator
    def take(self, event):
        self.did.append(event)

    def can(self, event):
        return (NAMES[self.state], event) in (("ARMED", "start"), ("PAUSED", "resume"))

    def fail(self, number, detail=""):
        self.state = IDLE
        self.did.append(("fail", number, detail))

    def fail_measured(self, number):
        self.fail(number)

    def warn(self, number, channel):
        self.did.append(("warn", number, channel))

    def hold(self, number=0, channel=0):
        self.state = PAUSED
        self.did.append(("hold", number, channel))

    def off(self):
        self.state = IDLE
        self.did.append("off")

    def check_in(self, task):
        self.tasks |= task

    def zero(self):
        self.did.append("zero")

    def measure(self, fresh):
        self.did.append(f"measure {fresh}")

    def turn(self):
        """One step: (whether it goes on, what was done)."""
        self.did.clear()
        self.tasks = 0
        return self.play.step(), self.did


@pytest.fixture
def session(monkeypatch):
    return Stimulating(monkeypatch)


# -- a turn of the session ------------------------------------------------------------------------


def test_a_turn_that_goes_well_checks_in(session):
    assert session.turn() == (True, [])
    assert session.tasks == TAPE | SENSE | INSPECTOR
    session.turn()
    assert session.tasks == TAPE | SENSE, "the inspector has passed nothing new"
    session.tape.inspected += 1
    session.turn()
    assert session.tasks & INSPECTOR


@pytest.mark.parametrize(("name", "value"), [("ended", True), ("running", False)])
def test_the_inspector_is_not_asked_for_news_where_there_can_be_none(session, name, value):
    session.turn()
    setattr(session.tape, name, value)
    session.turn()
    assert session.tasks & INSPECTOR


def test_a_trip_comes_before_all_else(session):
    session.player.tripped = session.player.halted = True
    session.reason = STARVED
    assert session.turn() == (False, [("fail", faults.TRIP, "")])


def test_a_halted_player_waits_for_its_stop_byte(session):
    session.player.halted = True
    session.reason = STARVED
    assert session.turn() == (True, [])
    assert session.tasks == TAPE | SENSE | INSPECTOR


def test_a_tape_that_ran_out(session):
    session.reason = STARVED
    assert session.turn() == (False, [("fail", faults.STARVED, "")])


def test_a_refused_tape_is_cut_before_its_reason_is_found(session, monkeypatch):
    session.reason = 4
    goes_on, did = session.turn()
    assert not goes_on
    assert did[0] == "kill"
    assert did[1][:2] == ("fail", faults.INSPECTOR) and len(did[1][2]) > 5
    monkeypatch.setattr(playing, "borrow", no_memory)
    assert session.turn() == (False, ["kill", ("fail", faults.INSPECTOR, "reason 4")])


def no_memory(*_):
    raise MemoryError


def test_a_triggered_sessions_reason_comes_first(session):
    session.triggered = SimpleNamespace(step=lambda: STARVED)
    session.tape.fill = lambda: session.did.append("filled") or 0
    assert session.turn() == (False, [("fail", faults.STARVED, "")])
    session.state = RUNNING
    session.triggered = SimpleNamespace(step=lambda: 0)
    assert session.turn() == (True, ["filled"])


@pytest.mark.parametrize("number", [faults.OPEN, faults.COMPLIANCE, faults.SHORT, faults.LEAK])
def test_what_an_electrode_does_holds_the_session(session, number):
    session.verdict = number
    assert session.turn() == (False, [("hold", number, 2)])
    assert session.tasks == 0


def test_what_the_output_stage_does_is_a_fault(session):
    session.verdict = faults.IMBALANCE
    assert session.turn() == (False, [("fail", faults.IMBALANCE, "")])


def test_a_warning_is_told_once_and_it_goes_on(session):
    session.monitor.warning = faults.DRYING
    assert session.turn() == (True, [("warn", faults.DRYING, 2)])
    assert session.turn() == (True, [])


def test_nothing_is_measured_while_nothing_is_sampled(session):
    session.sense.running = False
    session.verdict = faults.IMBALANCE
    assert session.turn() == (True, [])


# -- the end --------------------------------------------------------------------------------------


def test_the_end_waits_for_the_last_block(session):
    session.tape.ended = True
    session.queued = -20 * TURNS_PER_MS
    assert session.turn() == (True, [])
    session.all_played = True
    assert session.turn() == (False, ["off", "end"])


def test_a_last_block_that_does_not_move_is_stuck(session):
    session.tape.ended = True
    session.queued = -20 * TURNS_PER_MS - 1
    assert session.turn() == (False, [("fail", faults.STUCK, "")])


@pytest.mark.parametrize("sampling", [True, False])
def test_a_pulse_that_was_not_sampled_is_found_at_the_end(session, sampling):
    session.tape.ended = session.all_played = True
    session.all_sampled = False
    session.sense.running = sampling
    expected = ("fail", faults.LOST_PULSE, "") if sampling else "off"
    assert session.turn()[1][0] == expected


def test_a_pause_fades_first_and_then_holds(session):
    session.triggered = SimpleNamespace(still=lambda: session.did.append("still"), step=lambda: 0)
    session.play.fade("pause")
    assert session.did == ["still", "fade 1000"]
    assert session.play.then == "pause"
    session.tape.ended = session.all_played = True
    assert session.turn() == (True, [("hold", 0, 0)])


def test_when_it_is_over_its_time_counts_and_nothing_follows(session):
    session.play.began(0, "start")
    session.now += 250
    assert session.play.elapsed_ms() == 250
    session.play.then = "end"
    session.play.over()
    assert (session.play.then, session.tape.running) == (None, False)
    session.state = PAUSED
    session.now += 1_000
    assert session.play.elapsed_ms() == 250
    session.play.over()
    assert session.play.elapsed_ms() == 250
    session.state = RUNNING
    session.play.began(0, "resume")
    session.now += 50
    assert session.play.elapsed_ms() == 300
    session.tape = None
    session.play.over()
    assert session.play.elapsed_ms() == 350


# -- start and resume -----------------------------------------------------------------------------


def test_a_start_is_from_zero_measured_anew_and_unlocked(session):
    session.state = ARMED
    session.play.elapsed_before_ms = 99
    session.play.then = "end"
    starting.start(session)
    assert session.did == ["zero", "measure True", "unlocked 1000", "begin the plan", "start"]
    assert (session.play.elapsed_before_ms, session.play.then) == (0, None)


def test_a_resume_is_from_zero_with_its_time_kept(session):
    session.state = PAUSED
    session.play.elapsed_before_ms = 99
    starting.resume(session)
    assert session.did == ["zero", "measure False", "unlocked 1000", "resume the plan", "resume"]
    assert session.play.elapsed_before_ms == 99


@pytest.mark.parametrize("state", [IDLE, CHECKING, ARMED, RUNNING, PAUSED])
@pytest.mark.parametrize("event", ["start", "resume"])
def test_both_are_refused_in_other_states_and_below_the_least_supply(session, state, event):
    session.state = state
    begin = getattr(starting, event)
    if session.can(event):
        session.volts = 179
        code, text = refusal(begin, session)
        assert code == -221 and "179 V" in text and "180 V" in text
        session.volts = 180
        begin(session)
        assert event in session.did
    else:
        code, text = refusal(begin, session)
        assert code == -221 and event in text and NAMES[state] in text
        assert session.did == []


def test_a_tape_that_is_refused_at_its_start_is_a_fault(session):
    session.state = ARMED
    session.reason = 4
    starting.start(session)
    assert session.did[-2] == "kill" and session.did[-1][:2] == ("fail", faults.INSPECTOR)
    assert "start" not in session.did


def test_a_triggered_session_is_asked_before_it_starts_and_begins_behind_it(session):
    session.state = ARMED
    session.triggered = SimpleNamespace(
        check=lambda: session.did.append("check"), begin=lambda: session.did.append("wait")
    )
    starting.start(session)
    assert session.did[0] == "check" and session.did[-1] == "wait"
    session.did.clear()
    session.state = PAUSED
    starting.resume(session)
    assert "check" not in session.did and session.did[-1] == "wait"


# -- a trial --------------------------------------------------------------------------------------


class Tried:
    def __init__(self, monkeypatch, state, *steps):
        self.state = state
        self.refusal = ""
        self.did = []
        self.steps = steps
        monkeypatch.setattr(
            trial, "__import__", lambda *_: SimpleNamespace(sequence=self.sequence), raising=False
        )
        monkeypatch.setattr(trial, "lend", lambda on: self.did.append(f"lend {on}"))
        self.trial = Trial(self)

    def sequence(self, stimulator):
        assert stimulator is self
        try:
            for step in self.steps:
                if isinstance(step, Exception):
                    raise step
                yield
        finally:
            self.did.append("closed")

    def passed(self, event):
        assert not self.trial.on
        self.did.append(event)

    def stop(self):
        assert not self.trial.on
        self.did.append("stop")

    def fail(self, number, detail):
        assert not self.trial.on
        self.did.append((number, detail))


@pytest.mark.parametrize(("state", "did"), [
    (CHECKING, ["closed", "lend False", "arm"]), (SELFTEST, ["closed", "lend True", "pass"]),
])  # fmt: skip
def test_a_trial_takes_a_step_a_turn_and_passes_at_its_end(monkeypatch, state, did):
    tried = Tried(monkeypatch, state, 1, 2)
    assert not tried.trial.on
    tried.trial.begin("whatever")
    for _ in range(2):
        assert tried.trial.on
        tried.trial.step()
        assert tried.did == []
    tried.trial.step()
    assert not tried.trial.on
    assert tried.did == did


def test_a_trial_that_is_refused_stops_and_says_why(monkeypatch):
    tried = Tried(monkeypatch, CHECKING, Refused(-221, "no electrode"))
    tried.trial.begin("arming")
    tried.trial.step()
    assert (tried.did, tried.refusal) == (["closed", "stop"], "no electrode")


def test_a_trial_that_fails_is_a_fault(monkeypatch):
    tried = Tried(monkeypatch, CHECKING, 1, Failed(faults.LATCH, "why"))
    tried.trial.begin("arming")
    tried.trial.step()
    tried.trial.step()
    assert tried.did == ["closed", (faults.LATCH, "why")]


def test_a_trial_that_is_ended_gives_up_what_it_holds(monkeypatch):
    tried = Tried(monkeypatch, CHECKING, 1, 2)
    tried.trial.end()
    tried.trial.begin("arming")
    tried.trial.step()
    tried.trial.end()
    assert tried.did == ["closed"]
    assert not tried.trial.on
