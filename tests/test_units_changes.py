"""What a person sets and changes, at a stimulator by itself: refused, taken, or taken back."""

import pytest
from stimulator_bench import ARMED, IDLE, PAUSED, RUNNING, STATES, Bench
from units import refusal

from firmware.core import fit
from firmware.safety import changes


@pytest.fixture
def bench(monkeypatch):
    return Bench(monkeypatch)


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
    assert bench.did[-2:] == ["trigger changed", "play"], "the tape takes it at once"
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
    one.set_current(0, 1_500)
    assert one.intensity[0].current_ua == 1_500, "down always, and what it is already"
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
    one.set_current(0, 19_500)  # what it is already
    one.set_current(0, 19_000)
    one.set_lock(False)
    assert not one.locked()
    bench.now += 3_000
    one.set_current(0, 18_000)  # a change keeps it open
    bench.now += 3_999
    assert not one.locked()
    bench.now += 1
    assert one.locked()
