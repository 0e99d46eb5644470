"""The stimulator by itself: what each call does in each state, and in which order it goes off."""

import sys
import time
from types import SimpleNamespace

import pytest
from units import refusal

from firmware.boards import pico_reference as board
from firmware.core import fit, unload
from firmware.core.refused import Refused
from firmware.safety import arming, changes, faults, selftest, starting, stimulator
from firmware.safety import ceiling as ceilings
from firmware.safety import engine as engines
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


# -- settings -------------------------------------------------------------------------------------


def test_what_is_set_follows_its_rules(bench, monkeypatch):
    monkeypatch.setattr(changes, "update", lambda *told: bench.did.append(told))
    bench.one.put("channel", "width_ns", 5)
    assert bench.did == [(bench.one, "channel", {"width_ns": 5})]


def test_a_reset_stops_and_sets_everything_to_its_default(bench):
    one = bench.at(RUNNING)
    one.channels[0].put("width_ns", 50_000)
    one.session.put("duration_ms", 5_000)
    one.approval.pads = [True, True]
    one.mode, one.loaded = "THER", ["N01", "N01"]
    one.reset()
    assert one.state == IDLE and bench.did[0] == "kill"
    assert one.channels[0].width_ns == one.channels[0].field("width_ns")[6]
    assert one.session.duration_ms == one.session.field("duration_ms")[6]
    assert [channel.pad_mm2 for channel in one.channels] == [700, 800], "the configuration's"
    assert (one.mode, one.loaded, one.approval.pads) == ("MAN", ["", ""], [False, False])
    assert bench.outputs.supply_ppm == 1_010_000


def test_a_level_is_the_sinks(bench):
    assert [bench.one.level_na(channel) for channel in (0, 1)] == [60_000, 30_000]


def test_a_ceiling_is_reckoned_once_until_something_is_set(bench):
    bench.ceiling()
    one = bench.at(IDLE)
    for _ in range(2):
        assert one.ceiling(1) == (20_000, "the pad")
    assert one.ceiling(0) == (20_000, "the pad")
    assert bench.did == ["ceiling 1", "ceiling 0"]
    for channel, again in ((0, ["ceiling 0"]), (1, ["ceiling 1"]), (None, ["ceiling 0",
                                                                            "ceiling 1"])):
        one.configured(channel)
        bench.did.clear()
        one.ceiling(0), one.ceiling(1)
        assert bench.did == again


# -- what a person changes (changes.py) -----------------------------------------------------------


def test_a_setting_disarms_is_by_hand_and_counts_as_entered(bench):
    one = bench.at(ARMED)
    one.mode, one.loaded = "THER", ["N01", ""]
    one.update(one.channels[1], {"pad_mm2": 1_000})
    assert one.state == IDLE
    assert one.approval.pads == [False, True]
    assert (one.mode, one.loaded) == ("THER", ["N01", ""]), "a pad is the person's"
    one.at = bench.at(IDLE)
    one.update(one.session, {"standalone": 1})
    assert one.mode == "THER"
    one.update(one.channels[0], {"rate_mhz": 30_000})
    assert (one.mode, one.loaded) == ("MAN", ["", ""])
    assert one.approval.pads == [False, True]


def test_a_channels_setting_is_its_own_ceilings_the_sessions_both(bench):
    bench.ceiling()
    one = bench.at(IDLE)
    for settings, again in ((one.channels[0], 1), (one.channels[1], 1), (one.session, 2)):
        one.ceiling(0), one.ceiling(1)
        name = "duration_ms" if settings is one.session else "rate_mhz"
        one.put(settings, name, 40_000)
        bench.did.clear()
        one.ceiling(0), one.ceiling(1)
        assert len(bench.did) == again


@pytest.mark.parametrize("state", [RUNNING, PAUSED])
def test_while_it_runs_only_what_is_live_is_taken(bench, state):
    one = bench.at(state)
    code, text = refusal(one.put, one.channels[0], "rate_mhz", 30_000)
    assert code == -221 and "stop it first" in text
    assert one.channels[0].rate_mhz != 30_000
    refusal(one.update, one.channels[0], {"width_ns": 100_000, "rate_mhz": 30_000})
    assert one.channels[0].width_ns != 100_000
    assert one.state == state and bench.did == []


def replanned(bench, state=RUNNING):
    bench.ceiling()
    bench.monkeypatch.setattr(fit, "refitted", lambda plan, channels: f"new {plan}")
    one = bench.at(state)
    one.plan = "plan"
    one.tape.change = lambda plan: bench.did.append(("tape", plan))
    one.monitor.change = lambda plan: bench.did.append(("monitor", plan))
    return one


@pytest.mark.parametrize("state", [RUNNING, PAUSED])
def test_a_live_change_goes_to_sampler_and_tape(bench, state):
    one = replanned(bench, state)
    one.mode = "THER"
    one.put(one.channels[0], "width_ns", 100_000)
    assert one.plan == "new plan" and one.channels[0].width_ns == 100_000
    told = [what for what in bench.did if isinstance(what, tuple)]
    sampled = [("monitor", "new plan")] if state == RUNNING else []
    assert told == [*sampled, ("tape", "new plan")]
    assert (one.state, one.mode) == (state, "MAN")


def test_a_live_change_of_a_triggered_session_goes_to_every_train(bench):
    one = replanned(bench)
    one.triggered = bench.triggers
    one.triggered.current = lambda plans: plans[1]
    one.put(one.channels[0], "width_ns", 100_000)
    assert one.plan == "new b" and one.triggered.plans == ["new a", "new b"]
    assert bench.did[-3:] == [("monitor", ("new a", "new b")), ("tape", "new b"),
                              "trigger changed"]  # fmt: skip


@pytest.mark.parametrize("channel", [0, 1])
def test_a_live_change_that_would_be_too_much_is_taken_back_whole(bench, channel):
    one = replanned(bench)
    one.ceiling(0), one.ceiling(1)
    one.intensity[channel].current_ua = 20_001
    width_ns = one.channels[0].width_ns
    code, text = refusal(one.put, one.channels[0], "width_ns", 100_000)
    assert code == -221
    assert f"channel {channel + 1}" in text and "20001 uA" in text and "20000 uA (the pad)" in text
    assert one.channels[0].width_ns == width_ns and one.plan == "plan"
    bench.did.clear()
    one.ceiling(0)
    assert bench.did == ["ceiling 0"], "reckoned anew for what is in force again"
    one.intensity[channel].current_ua = 20_000
    one.put(one.channels[0], "width_ns", 100_000)


# -- intensity ------------------------------------------------------------------------------------


def running(bench):
    bench.ceiling()
    one = bench.at(RUNNING)
    one.set_lock(False)
    return one


def test_intensity_goes_up_while_it_runs_and_to_the_tape(bench):
    one = running(bench)
    one.set_current(1, 1_000)
    assert one.intensity[1].current_ua == 1_000
    assert one.tape.scheduler.level == [0, (1, 1_000)]
    assert "tape changes" in bench.did and "trigger changed" not in bench.did
    one.triggered = bench.triggers
    one.set_current(0, 500)
    assert bench.did[-1] == "trigger changed"
    assert one.tape.scheduler.level == [(0, 500), (1, 1_000)]


@pytest.mark.parametrize("state", STATES)
def test_intensity_goes_up_in_no_other_state_and_not_while_it_fades(bench, state):
    one = running(bench)
    one.states.state = state
    if state == RUNNING:
        one.play.then = "end"
    code, text = refusal(one.set_current, 0, 1)
    assert code == -221 and "only while a session runs" in text
    one.intensity[0].current_ua = 2_000
    one.set_current(0, 1_500)
    assert one.intensity[0].current_ua == 1_500, "down always"
    assert "tape changes" not in bench.did


def test_a_channel_that_is_off_has_no_intensity(bench):
    one = running(bench)
    one.channels[1].enabled = 0
    code, text = refusal(one.set_current, 1, 1)
    assert (code, text) == (-221, "channel 2 is switched off")
    one.set_current(1, 0)


def test_intensity_is_held_to_ceiling_lock_and_what_was_felt(bench):
    one = running(bench)
    bench.felt = 10  # levels: 0.6 mA of channel 1, 0.3 mA of channel 2
    one.intensity[1].current_ua = 10_000
    code, text = refusal(one.set_current, 1, 10_301)
    assert code == -221 and "300 uA" in text
    one.set_current(1, 10_300)
    one.intensity[0].current_ua = 19_500
    bench.felt = 1_000
    code, text = refusal(one.set_current, 0, 20_001)
    assert code == -222 and "the pad" in text
    one.set_lock(True)
    assert one.locked()
    code, text = refusal(one.set_current, 0, 19_600)
    assert code == -221 and "locked" in text
    one.set_current(0, 19_000)
    one.set_lock(False)
    assert not one.locked()
    bench.now += 3_000
    one.set_current(0, 18_000)  # a change keeps it open
    bench.now += 3_999
    assert not one.locked()
    bench.now += 1
    assert one.locked()


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
