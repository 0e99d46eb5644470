"""The state machine by itself: every state, every event."""


import pytest
from units import refusal

from firmware.safety import states
from firmware.safety.states import StateMachine

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
