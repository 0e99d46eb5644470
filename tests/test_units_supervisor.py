"""The supervisor by itself: when it beats, and when it does not."""



from units import WRAP, ticks_diff

from firmware.safety import supervisor
from firmware.safety.supervisor import Supervisor


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
