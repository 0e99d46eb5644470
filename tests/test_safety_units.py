"""The small guards by themselves, against the words of docs/safety.md: every edge, no board."""

from binascii import crc32
from types import SimpleNamespace

import pytest

from firmware.core.refused import Refused
from firmware.core.settings import CHANNEL, SESSION, Settings
from firmware.safety import faults, link, states, supervisor
from firmware.safety.approval import Approval
from firmware.safety.faults import FaultLatch
from firmware.safety.intensity import Intensity, Lock
from firmware.safety.link import Link
from firmware.safety.states import StateMachine
from firmware.safety.supervisor import Supervisor

WRAP = 1 << 30


def ticks_diff(new, old):
    """As MicroPython's: the counter wraps."""
    return (new - old + WRAP // 2) % WRAP - WRAP // 2


def refusal(call, *values):
    with pytest.raises(Refused) as refused:
        call(*values)
    return refused.value.code, refused.value.text


# Intensity and its lock.


def test_a_lock_is_closed_until_opened_and_again_after_four_seconds():
    lock = Lock(ticks_diff)
    assert lock.is_open(0) is False
    assert refusal(lock.check, 0)[0] == -221
    lock.open(WRAP - 10)
    assert lock.is_open(3_989) is True  # across the wrap
    lock.check(3_989)
    assert lock.is_open(3_990) is False
    assert lock.is_open(0) is False, "what has lapsed does not come back as the counter turns"


def test_use_keeps_a_lock_open_but_does_not_open_it():
    lock = Lock(ticks_diff)
    lock.touch(100)
    assert not lock.is_open(101)
    lock.open(1_000)
    lock.touch(4_999)
    assert lock.is_open(8_998)
    assert not lock.is_open(8_999)
    lock.open(10_000)
    lock.touch(14_000)
    assert not lock.is_open(14_001)


def test_a_lock_can_be_closed():
    lock = Lock(ticks_diff)
    lock.open(5)
    lock.close()
    assert not lock.is_open(5)


def at(current_ua, raised_ms=None):
    """An intensity that stands there, raised last at that time."""
    made = Intensity(ticks_diff)
    assert made.current_ua == 0
    made.current_ua = current_ua
    made._raised_ms = raised_ms
    return made


def test_an_intensity_stays_between_zero_and_its_ceiling():
    one = at(5_000)
    code, text = refusal(one.put, -1, 9_000, "peak", 0, 0)
    assert (code, "-1 uA" in text) == (-222, True)
    code, text = refusal(one.put, 5_001, 5_000, "peak", 0, 0)
    assert (code, "5001" in text, "5000" in text, "peak" in text) == (-222, True, True, True)
    assert one.current_ua == 5_000
    one.put(0, 0, "peak", 0, 0)
    assert one.current_ua == 0
    one.put(500, 500, "peak", 0, 0)
    assert one.current_ua == 500


def test_a_step_up_is_at_most_a_milliampere():
    one = at(3_000)
    code, text = refusal(one.put, 4_001, 50_000, "", 3_000, 0)
    assert (code, "1001" in text, "1000" in text) == (-222, True, True)
    one.put(4_000, 50_000, "", 3_000, 0)
    assert one.current_ua == 4_000


def test_two_steps_up_are_half_a_second_apart_also_over_the_wrap():
    one = at(0)
    one.put(1, 50_000, "", 0, WRAP - 100)
    code, text = refusal(one.put, 2, 50_000, "", 0, 399)
    assert (code, "499" in text, "500" in text) == (-221, True, True)
    assert refusal(one.put, 2, 50_000, "", 0, WRAP - 100)[0] == -221
    one.put(2, 50_000, "", 0, 400)
    assert one.current_ua == 2
    assert refusal(one.put, 3, 50_000, "", 0, 899)[0] == -221


def test_a_lapse_so_long_that_the_counter_wrapped_is_no_step_too_soon():
    one = at(1_000, raised_ms=0)
    one.put(2_000, 50_000, "", 0, WRAP - 1)
    assert one.current_ua == 2_000


def test_down_is_always_allowed_and_is_no_step_up():
    one = at(40_000, raised_ms=0)
    one.put(39_999, 50_000, "", 0, 1)
    one.put(39_999, 50_000, "", 0, 1)
    one.put(7, 50_000, "", 0, 1)
    assert one.current_ua == 7
    one.put(8, 50_000, "", 0, 500)
    assert one.current_ua == 8


def test_the_intensity_leads_what_was_felt_by_at_most_ten_milliamperes():
    one = at(14_500)
    code, text = refusal(one.put, 15_001, 50_000, "", 5_000, 0)
    assert (code, "15001" in text, "10000" in text, "5000" in text) == (-221, True, True, True)
    one.put(15_000, 50_000, "", 5_000, 0)
    assert one.current_ua == 15_000


def test_a_new_intensity_takes_its_first_step_at_any_time():
    one = Intensity(ticks_diff)
    one.put(1_000, 50_000, "", 0, 1)
    assert one.current_ua == 1_000


def test_zero_forgets_the_height_and_the_last_step():
    one = at(7_000, raised_ms=0)
    one.zero()
    assert one.current_ua == 0
    one.put(1_000, 50_000, "", 0, 1)
    assert one.current_ua == 1_000


# States.

WAYS = {
    ("BOOT", "test"): "SELFTEST",
    ("SELFTEST", "pass"): "IDLE",
    ("IDLE", "test"): "SELFTEST",
    ("IDLE", "check"): "CHECKING",
    ("CHECKING", "arm"): "ARMED",
    ("CHECKING", "disarm"): "IDLE",
    ("ARMED", "disarm"): "IDLE",
    ("ARMED", "start"): "RUNNING",
    ("RUNNING", "pause"): "PAUSED",
    ("RUNNING", "end"): "IDLE",
    ("PAUSED", "resume"): "RUNNING",
    ("FAULT", "clear"): "SELFTEST",
}
EVENTS = sorted({event for _, event in WAYS})


@pytest.mark.parametrize("number", range(8))
def test_a_state_is_left_along_the_table_only(number):
    name = states.NAMES[number]
    for event in EVENTS:
        machine = StateMachine()
        assert states.NAMES[machine.state] == "BOOT"
        machine.state = number
        wanted = WAYS.get((name, event))
        assert machine.can(event) == (wanted is not None)
        if wanted:
            machine.take(event)
            assert states.NAMES[machine.state] == wanted
        else:
            code, text = refusal(machine.take, event)
            assert (code, event in text, name in text) == (-221, True, True)
            assert machine.state == number


@pytest.mark.parametrize("number", range(8))
def test_fault_and_stop_are_never_refused(number):
    machine = StateMachine()
    machine.state = number
    assert machine.can("fault")
    assert machine.can("stop")
    machine.take("stop")
    name = states.NAMES[number]
    live = name in ("CHECKING", "ARMED", "RUNNING", "PAUSED")
    assert states.NAMES[machine.state] == ("IDLE" if live else name)
    machine.take("fault")
    assert states.NAMES[machine.state] == "FAULT"


# Faults.

# Numbers are told to hosts and written in logs: they never change.
NUMBERS = {
    "TRIP": 1, "STARVED": 2, "INSPECTOR": 3, "STOP_BUTTON": 4, "STUCK": 5, "EXCEPTION": 6,
    "SELF_TEST": 7, "SUPPLY": 8, "OVER_CURRENT": 10, "OFF_COMMAND": 11, "OPEN": 12,
    "COMPLIANCE": 13, "SHORT": 14, "IMBALANCE": 15, "DIRECT_CURRENT": 16, "DELIVERED": 17,
    "SENSE_ZERO": 18, "REST_CURRENT": 19, "LOST_PULSE": 20, "DRYING": 21, "DIRECT_WARNING": 22,
    "LEAK": 23, "LINK": 30, "LINK_PAUSED": 31, "LINK_ENDED": 32, "SUPERVISOR": 40, "WATCHDOG": 41,
    "CORRUPT": 42, "READ_BACK": 43, "TRIP_PATH": 44, "LATCH": 45, "SUPPLY_RISE": 46,
    "SUPPLY_BY_LATCH": 47, "SUPPLY_BY_HEARTBEAT": 48, "REFERENCE": 49, "PULL_DOWN": 50,
    "FIRMWARE": 51, "MEMORY": 52, "NO_PROFILE": 53, "CONFIG_LOST": 60, "CONFIG_REPAIRED": 61,
    "LOG_FULL": 62,
}  # fmt: skip
ONLY_RECORDED = (12, 13, 14, 21, 22, 23, 31, 32, 60, 61, 62)
UNTIL_POWER_IS_CUT = (7, 10, 16, 42)


def test_a_fault_keeps_its_number_and_has_a_reason():
    for name, number in NUMBERS.items():
        assert getattr(faults, name) == number
        assert faults.reason_of(number)
        assert faults.Reasons().get(number) == faults.reason_of(number)
    assert faults.NONE == 0
    assert faults.reason_of(0) is None


def test_severities():
    for number in NUMBERS.values():
        expected = "warning" if number in ONLY_RECORDED else "stop"
        if number in UNTIL_POWER_IS_CUT:
            expected = "critical"
        assert faults.SEVERITIES[faults.severity(number)] == expected, number
    assert faults.severity(999) == faults.STOP
    assert (faults.WARNING, faults.STOP, faults.CRITICAL) == (0, 1, 2)
    assert set(faults.PAUSING) == {12, 13, 14, 23}


def test_the_first_fault_stays_and_later_ones_count():
    latch = FaultLatch()
    assert (latch.number, latch.detail, latch.later) == (0, "", 0)
    assert latch.text() == "none"
    latch.latch(faults.STUCK, "turn 7")
    latch.latch(faults.TRIP, "other")
    latch.latch(faults.TRIP)
    assert (latch.number, latch.detail, latch.later) == (faults.STUCK, "turn 7", 2)
    assert latch.text() == "tape stands still: turn 7"
    latch.clear()
    assert (latch.number, latch.detail, latch.later) == (0, "", 0)
    latch.latch(faults.STUCK)
    assert latch.text() == "tape stands still"


def test_a_failed_test_tells_number_and_detail():
    failed = faults.Failed(faults.LATCH, "why")
    assert (failed.number, failed.detail, failed.args) == (faults.LATCH, "why", (45, "why"))


# Supervisor.


class Calls:
    """Notes the names of what is called on it."""

    def __init__(self):
        self.calls = []

    def __getattr__(self, name):
        return lambda: self.calls.append(name)

    def taken(self):
        calls = self.calls[:]
        self.calls.clear()
        return calls


def supervised():
    outputs, watchdog = Calls(), Calls()
    made = Supervisor(outputs, watchdog, 20, ticks_diff)
    return made, outputs, watchdog


def test_every_task_has_a_bit_of_its_own():
    tasks = ("LOOP", "TAPE", "INSPECTOR", "SENSE", "LINK", "LIMITS")
    assert [getattr(supervisor, task) for task in tasks] == [1, 2, 4, 8, 16, 32]


def test_the_heartbeat_begins_with_arming_and_ends_with_it():
    one, outputs, watchdog = supervised()
    assert (one.on, one.hold) == (False, False)
    one.stop()
    assert (outputs.taken(), watchdog.taken()) == (["supply_off"], [])
    one.start(0)
    assert one.on is True
    assert (outputs.taken(), watchdog.taken()) == (["beat"], ["start"])
    one.start(5)
    assert (outputs.taken(), watchdog.taken()) == (["beat"], [])
    one.hold = True
    one.stop()
    assert (one.on, one.hold) == (False, False)
    assert (outputs.taken(), watchdog.taken()) == (["supply_off"], ["stop"])


def test_a_beat_comes_when_due_and_when_all_have_checked_in():
    one, outputs, watchdog = supervised()
    one.start(WRAP - 5)
    outputs.taken(), watchdog.taken()
    one.check_in(1)
    one.check_in(4)
    assert one.step(1 | 4, 14) == 0
    assert (outputs.taken(), watchdog.taken()) == ([], []), "19 ms: not due"
    assert one.step(1 | 4, 15) == 0
    assert (outputs.taken(), watchdog.taken()) == (["beat"], ["feed"])
    one.check_in(1)
    assert one.step(1 | 4, 74) == 0, "late by 59 ms, the supply still holds"
    assert one.step(1 | 4, 75) == 4, "at 60 ms it is a fault, and says who"
    assert (outputs.taken(), watchdog.taken()) == ([], [])
    one.check_in(4)
    one.check_in(32)
    assert one.step(1 | 4, 76) == 0
    assert (outputs.taken(), watchdog.taken()) == (["beat"], ["feed"])
    assert one.step(1, 95) == 0
    assert one.step(1, 136) == 1, "every beat needs its own check-in; counted from the last"


def test_start_asks_for_new_check_ins_and_counts_from_now():
    one, outputs, watchdog = supervised()
    one.check_in(63)
    one.start(1_000)
    outputs.taken()
    assert one.step(63, 1_059) == 0
    assert outputs.taken() == []
    assert one.step(63, 1_060) == 63


def test_held_back_beats_still_feed_the_watchdog():
    one, outputs, watchdog = supervised()
    one.start(0)
    outputs.taken(), watchdog.taken()
    one.hold = True
    assert one.step(0, 20) == 0
    assert (outputs.taken(), watchdog.taken()) == ([], ["feed"])


def test_the_missing_tasks_are_named():
    one, _, _ = supervised()
    assert one.names(63) == "input, tape, inspector, sense, link, limits"
    assert one.names(2 | 16) == "tape, link"
    assert one.names(0) == ""


# Approval.


class Asked:
    """Board and stimulator as far as the approval asks them."""

    NAME = "a board"

    def __init__(self, *enabled):
        self.pressed = False
        self.outputs = SimpleNamespace(stop_pressed=lambda: self.pressed)
        self.channels = [Settings(CHANNEL), Settings(CHANNEL)]
        for channel in (0, 1):
            self.channels[channel].enabled = 1 if channel in enabled else 0
        self.session = Settings(SESSION)
        self.approval = Approval(self, self)

    def try_button(self):
        for self.pressed in (True, False):
            self.approval.look()


def test_what_is_missing_is_named_in_its_order():
    asked = Asked(0, 1)
    approval = asked.approval
    missing = []
    for step in (
        lambda: None,
        asked.try_button,
        lambda: approval.acknowledge("D1"),
        lambda: approval.entered(0, {"pad_mm2": 900}),
    ):
        step()
        code, text = refusal(approval.check)
        assert code == -221
        missing.append(text)
    approval.entered(1, {"width_ns": 1})
    refusal(approval.check)
    approval.entered(1, {"width_ns": 1, "pad_mm2": 900})
    approval.check()
    for text, word in zip(
        missing, ("not tried", "checklist", "channel 1", "channel 2"), strict=True
    ):
        assert word in text
    asked.pressed = True
    code, text = refusal(approval.check)
    assert (code, "pressed" in text) == (-221, True)


def test_a_button_counts_as_tried_when_pressed_and_released():
    asked = Asked()
    approval = asked.approval
    approval.look()
    assert not approval.tried()
    asked.pressed = True
    approval.look()
    assert not approval.tried()
    asked.pressed = False
    approval.look()
    assert approval.tried()
    asked.pressed = True
    approval.look()
    assert approval.tried()


@pytest.mark.parametrize("enabled", [(), (0,), (1,)])
def test_a_pad_area_is_asked_for_of_an_enabled_channel_only(enabled):
    asked = Asked(*enabled)
    approval = asked.approval
    asked.try_button()
    approval.acknowledge(approval.checklist())
    for channel in enabled:
        approval.entered(1 - channel, {"pad_mm2": 900})
        assert f"channel {channel + 1}" in refusal(approval.check)[1]
        approval.entered(channel, {"pad_mm2": 900})
    approval.check()
    approval.forget()
    if enabled:
        assert f"channel {enabled[0] + 1}" in refusal(approval.check)[1]
    else:
        approval.check()


def test_an_acknowledgement_is_of_the_checklist_in_force_and_for_one_session():
    asked = Asked()
    approval = asked.approval
    asked.try_button()
    code, text = refusal(approval.acknowledge, "D2")
    assert (code, "D2" in text, "D1" in text) == (-224, True, True)
    assert "checklist" in refusal(approval.check)[1]
    approval.acknowledge("D1")
    approval.check()
    approval.used()
    assert "checklist" in refusal(approval.check)[1]


def test_the_hash_is_over_every_setting():
    asked = Asked(0)
    text = "a board;"
    for mark, fields, values in (
        ("1", CHANNEL, asked.channels[0]),
        ("2", CHANNEL, asked.channels[1]),
        ("s", SESSION, asked.session),
    ):
        for field in fields:
            text += f"{mark}:{field[0]}={getattr(values, field[0])};"
    expected = "{:08X}".format(crc32(text.encode()))
    assert asked.approval.hash() == expected
    asked.channels[1].width_ns += 1
    assert asked.approval.hash() != expected


# The host's sign of life.


class Silent:
    """A stimulator whose host says nothing, and what that leads to."""

    def __init__(self, monkeypatch, state, standalone=0):
        self.state = state
        self.now = 0
        self.done = []
        self.session = SimpleNamespace(standalone=standalone)
        times = {"link_fade_ms": 2_000, "link_end_ms": 10_000}
        self.storage = SimpleNamespace(value=times.get)
        clock = SimpleNamespace(ticks_ms=lambda: self.now, ticks_diff=ticks_diff)
        monkeypatch.setattr(link, "time", clock)
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
