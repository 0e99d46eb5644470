"""The stimulator by itself: what each call does in each state, and in which order it goes off."""

import pytest
from stimulator_bench import (
    ARMED,
    BOOT,
    CHECKING,
    FAULT,
    IDLE,
    PAUSED,
    RUNNING,
    SELFTEST,
    STATES,
    Bench,
)  # fmt: skip
from units import refusal

from firmware.core.refused import Refused
from firmware.safety import arming, faults, selftest, starting, stimulator
from firmware.safety import engine as engines
from firmware.safety.states import NAMES


@pytest.fixture
def bench(monkeypatch):
    return Bench(monkeypatch)


def test_begins_with_nothing_set_and_nothing_on(bench):
    one = bench.one
    assert (one.state, one.mode, one.loaded) == (BOOT, "MAN", ["", ""])
    assert (one.notice, one.notice_text, one.refusal) == (0, "", "")
    assert (one.plan, one.triggered, one.contractions, one.inputs) == (None, None, [0, 0], 0)
    assert [i.current_ua for i in one.intensity] == [0, 0]
    assert one.timing.grid.turns_per_ms == 62_500


def test_the_engine_is_made_once_and_nothing_else_is(bench, monkeypatch):
    made = []

    class Engine:
        def __init__(self, one):
            made.append(one)
            self.monitor = "its monitor"

    monkeypatch.setattr(engines, "Engine", Engine)
    one = bench.one
    del one.engine, one.monitor
    assert one.monitor == "its monitor"
    assert isinstance(one.engine, Engine)
    assert made == [one]
    with pytest.raises(AttributeError):
        one.nonsense  # noqa: B018


# -- boot, arming, session ------------------------------------------------------------------------


def test_boot_begins_the_self_test(bench):
    bench.one.boot()
    assert bench.one.state == SELFTEST
    assert bench.did == ["stay", "trial booting"]


@pytest.mark.parametrize(("state", "event", "then"), [
    (SELFTEST, "pass", IDLE), (CHECKING, "arm", ARMED),
])  # fmt: skip
def test_a_trial_that_passed_leads_on_and_its_time_is_kept(bench, state, event, then):
    one = bench.at(state)
    bench.now = 20_000
    one.passed(event)
    assert one.state == then
    assert one.armed_for(20_500) == 500
    assert one.is_armed() == (then == ARMED)
    assert one.is_idle() == (then == IDLE)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("high", [False, True])
@pytest.mark.parametrize("pressed", [False, True])
def test_the_self_tests_result_is_a_sum(bench, state, high, pressed):
    bench.high, bench.pressed = high, pressed
    expected = high + 2 * pressed + 4 * (state == SELFTEST) + 8 * (state == FAULT)
    assert bench.at(state).test() == expected


@pytest.mark.parametrize("state", STATES)
def test_busy_is_testing_arming_or_fading(bench, state):
    one = bench.at(state)
    assert one.busy() == (state in (SELFTEST, CHECKING))
    one.play.then = "end"
    assert one.busy()


@pytest.mark.parametrize("trigger", [0, 1])
def test_arm_begins_the_trial_from_zero_with_all_memory(bench, monkeypatch, trigger):
    fetched = []
    monkeypatch.setattr(stimulator, "fetch", lambda *names: fetched.extend(names))
    monkeypatch.setattr(arming, "begin", lambda one, echo: bench.did.append(f"begin {echo}"))
    one = bench.at(IDLE)
    one.session.trigger = trigger
    one.intensity[0].current_ua = 5
    one.refusal = "of the last"
    one.arm("AB12")
    assert one.state == CHECKING
    assert bench.did == ["begin AB12", "lend False", "trial arming"]
    assert (one.intensity[0].current_ua, one.refusal) == (0, "")
    assert ("firmware.safety.trains" in fetched) == bool(trigger)
    assert "firmware.safety.approving" in fetched


def test_an_arm_that_is_refused_changes_nothing(bench, monkeypatch):
    def begin(one, echo):
        raise Refused(-221, "no")

    monkeypatch.setattr(stimulator, "fetch", lambda *names: None)
    monkeypatch.setattr(arming, "begin", begin)
    one = bench.at(IDLE)
    one.refusal = "of the last"
    refusal(one.arm, "AB12")
    assert (one.state, one.refusal, bench.did) == (IDLE, "of the last", [])


@pytest.mark.parametrize("state", STATES)
def test_disarm_stops_what_is_armed_and_nothing_else(bench, state):
    one = bench.at(state)
    one.disarm()
    if state in (CHECKING, ARMED):
        assert one.state == IDLE and "kill" in bench.did
    else:
        assert one.state == state and bench.did == []


@pytest.mark.parametrize("event", ["start", "resume"])
def test_start_and_resume_are_borrowed(bench, monkeypatch, event):
    monkeypatch.setattr(starting, event, lambda one: bench.did.append((event, one)))
    getattr(bench.one, event)()
    assert bench.did == [(event, bench.one)]


@pytest.mark.parametrize("state", STATES)
def test_pause_is_of_a_session_that_runs(bench, state):
    one = bench.at(state)
    if state == RUNNING:
        one.pause()
        assert bench.did == ["fade pause"]
        one.play.then = "end"
    code, text = refusal(one.pause)
    assert code == -221 and one.state_name() in text


@pytest.mark.parametrize("state", STATES)
def test_finish_fades_a_session_that_runs_and_stops_all_else(bench, state):
    one = bench.at(state)
    one.finish()
    if state == RUNNING:
        assert bench.did == ["fade end"]
    else:
        assert bench.did[0] == "kill"


def test_a_stop_bytes_turn_stops_and_lets_the_player_go(bench):
    one = bench.at(RUNNING)
    one.stop_byte()
    assert one.state == IDLE and bench.did[0] == "kill"
    assert one.player.halted is False


def test_a_fault_is_cleared_into_the_self_test(bench, monkeypatch):
    monkeypatch.setattr(selftest, "clear_fault", lambda one: bench.did.append("cleared"))
    bench.one.clear_fault()
    assert bench.did == ["cleared", "trial selftest"]


# -- off ------------------------------------------------------------------------------------------

OFF = ["kill", ("tell", "sensed"), "monitor stop", "supply off", "switched off", "lend True",
       "over"]  # fmt: skip


@pytest.mark.parametrize("state", STATES)
def test_stop_cuts_the_legs_first_and_leaves_nothing_on(bench, state):
    one = bench.at(state)
    for intensity in one.intensity:
        intensity.current_ua = 5
    one.approval.acknowledged = True
    one.triggered = bench.triggers
    one.stop()
    ends = ["end trial"] if state == CHECKING else []
    assert bench.did == [
        "kill", "trigger stop", *OFF[1:6], *ends, "over", "trigger close"
    ]  # fmt: skip
    assert one.triggered is None
    assert [i.current_ua for i in one.intensity] == [0, 0]
    assert one.approval.acknowledged == (state != RUNNING)
    on = state in (CHECKING, ARMED, RUNNING, PAUSED)
    assert one.state == (IDLE if on else state)


def test_what_samples_nothing_has_nothing_to_tell(bench):
    bench.sense.running = False
    bench.at(ARMED).stop()
    assert bench.did == ["kill", *OFF[3:]]


@pytest.mark.parametrize(("number", "told"), [(0, []), (12, [("warning", 12, "", 2)])])
def test_hold_pauses_at_zero_with_the_supply_on(bench, number, told):
    one = bench.at(RUNNING)
    one.intensity[0].current_ua = 5
    if number:
        one.hold(number, 2)
    else:
        one.hold()
    warned = [what[:1] + what[2:] for what in bench.did if what[0] == "warning"]
    assert warned == told
    assert [what for what in bench.did if what[0] != "warning"] == [*OFF[:3], "over"]
    assert (one.state, one.intensity[0].current_ua) == (PAUSED, 0)
    assert one.notice == number
    assert one.notice_text == ("channel 2" if number else "")


@pytest.mark.parametrize("state", STATES)
def test_a_fault_goes_off_latches_and_is_recorded_as_it_struck(bench, state):
    one = bench.at(state)
    one.intensity[1].current_ua = 5_000
    bench.lines = 3
    one.fail(faults.SHORT, "why", 2)
    assert one.state == FAULT and one.inputs == 3
    assert (one.fault.number, one.fault.detail) == (faults.SHORT, "why")
    assert bench.did[0] == "kill" and "supply off" in bench.did and "end trial" in bench.did
    assert bench.did[-1] == ("record", one, faults.SHORT, "why", 2, state, (0, 5_000))
    assert one.intensity[1].current_ua == 0


def test_a_fault_names_no_channel_unless_told(bench):
    bench.at(RUNNING).fail(faults.TRIP)
    assert bench.did[-1][3:5] == ("", 0)


def test_a_warning_is_told_and_recorded_and_goes_on(bench):
    one = bench.at(RUNNING)
    one.warn(faults.DRYING)
    assert (one.notice, one.notice_text, one.state) == (faults.DRYING, "", RUNNING)
    assert bench.did == [("warning", one, faults.DRYING, "", 0)]


def test_what_the_monitor_found_names_its_channel(bench):
    one = bench.at(RUNNING)
    one.fail_measured(faults.IMBALANCE)
    assert one.fault.detail == "channel 2"
    assert bench.did[-1][4] == 2


# -- triggers and sampling ------------------------------------------------------------------------


@pytest.mark.parametrize("state", STATES)
def test_a_hosts_trigger_is_for_a_triggered_session_that_runs(bench, state):
    one = bench.at(state)
    code, text = refusal(one.trigger)
    assert code == -211 and NAMES[state] in text
    one.triggered = bench.triggers
    if state == RUNNING:
        one.trigger()
        assert bench.did == ["host"]
    else:
        assert refusal(one.trigger)[0] == -211


def test_a_crank_angle_is_for_a_triggered_session(bench):
    one = bench.at(IDLE)
    assert refusal(one.crank_angle, 90)[0] == -221
    one.triggered = bench.triggers
    one.crank_angle(90)
    assert bench.did == ["angle 90"]


def test_what_is_sampled_is_the_plan_or_all_trains(bench):
    one = bench.at(ARMED)
    one.plan = "plan"
    bench.sense.running = False
    one.measure(True)
    one.triggered = bench.triggers
    one.sample()
    assert bench.did == [("measure", "plan", one.channels, 199, True),
                         ("measure", ("a", "b"), one.channels, 199, False)]  # fmt: skip


def test_a_train_that_was_not_sampled_whole_is_a_lost_pulse(bench):
    one = bench.at(RUNNING)
    assert one.sampled() is False
    assert bench.did == ["monitor stop"] and one.state == RUNNING
    bench.whole = False
    assert one.sampled() is True
    assert one.fault.number == faults.LOST_PULSE


# -- the loop -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("state", "did"), [
    (BOOT, []), (SELFTEST, []), (FAULT, []), (IDLE, ["watch idle"]),
    (CHECKING, ["watch CHECKING"]),
    (ARMED, ["inputs 2", "watch ARMED"]), (PAUSED, ["inputs 2", "watch PAUSED"]),
    (RUNNING, ["play", "inputs 2", "watch RUNNING"]),
])  # fmt: skip
def test_a_turn_in_each_state(bench, state, did):
    one = bench.at(state)
    bench.lines = 2
    one.step()
    assert bench.did == did
    assert one.inputs == 2


def test_a_turn_ends_with_the_session_or_a_bad_input(bench):
    one = bench.at(RUNNING)
    bench.plays = False
    one.step()
    assert bench.did == ["play"]
    bench.plays, bench.quiet = True, False
    one = bench.at(RUNNING)
    one.step()
    assert bench.did == ["play", "inputs 0"]


def test_a_turn_shows_the_stop_button_to_the_approval(bench):
    one = bench.at(IDLE)
    for bench.lines in (1, 0):
        one.step()
    assert not one.approval.tried()
    for bench.lines in (2, 0):
        one.step()
    assert one.approval.tried()


@pytest.mark.parametrize(("state", "then", "did"), [
    (SELFTEST, SELFTEST, []), (SELFTEST, IDLE, []), (CHECKING, FAULT, []), (CHECKING, IDLE, []),
    (CHECKING, CHECKING, ["watch CHECKING"]), (CHECKING, ARMED, ["inputs 0", "watch ARMED"]),
])  # fmt: skip
def test_a_trials_turn_and_where_it_led(bench, state, then, did):
    one = bench.at(state)

    def step():
        bench.did.append("trial step")
        one.states.state = then

    one.trial.on = True
    one.trial.step = step
    one.step()
    assert bench.did == ["trial step", *did]


@pytest.mark.parametrize(("state", "watched"), [(ARMED, True), (PAUSED, True), (RUNNING, False)])
def test_a_trigger_is_watched_armed_and_paused(bench, state, watched):
    one = bench.at(state)
    one.triggered = bench.triggers
    one.step()
    assert ("trigger watch" in bench.did) == watched


# -- what it tells --------------------------------------------------------------------------------


@pytest.mark.parametrize("state", STATES)
def test_the_states_name(bench, state):
    one = bench.at(state)
    assert one.state_name() == NAMES[state]
    one.triggered = bench.triggers
    assert one.state_name() == ("WAITING" if state == RUNNING else NAMES[state])
    one.play.then = "pause"
    assert one.state_name() == ("FADING" if state == RUNNING else NAMES[state])


@pytest.mark.parametrize("state", STATES)
def test_nothing_is_written_while_the_output_may_be_on(bench, state):
    one = bench.at(state)
    assert one.is_on() == (state in (RUNNING, PAUSED))
    why = one.why_not_write()
    if state in (CHECKING, ARMED, RUNNING, PAUSED):
        assert NAMES[state] in why
    else:
        assert why is None


def test_numbers_of_the_session(bench):
    one = bench.at(RUNNING)
    assert one.elapsed_ms() == 77
    assert one.supply_v() == 203
    bench.sense.running = False
    assert one.supply_v() == 199
    assert [one.pulses(channel) for channel in (0, 1)] == [40, 41]
    assert one.moved(1) == (4, 2_000)
    one.tape = None
    assert (one.pulses(0), one.moved(0)) == (0, (0, 0))
