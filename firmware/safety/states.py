"""The states of the stimulator and every way between them, in one table.

Rule 1: a state changes only by `StateMachine.take`, and only along this table.
Rule 2: FAULT is left by "clear" alone. Rule 3: "fault" and "stop" are never refused.
"""

from firmware.core.refused import Refused

BOOT, SELFTEST, IDLE, ARMED, RUNNING, PAUSED, FAULT, CHECKING = range(8)

NAMES = ("BOOT", "SELFTEST", "IDLE", "ARMED", "RUNNING", "PAUSED", "FAULT", "CHECKING")

TABLE = {
    (BOOT, "test"): SELFTEST,
    (SELFTEST, "pass"): IDLE,
    (IDLE, "test"): SELFTEST,
    (IDLE, "check"): CHECKING,
    (CHECKING, "arm"): ARMED,
    (CHECKING, "disarm"): IDLE,
    (ARMED, "disarm"): IDLE,
    (ARMED, "start"): RUNNING,
    (RUNNING, "pause"): PAUSED,
    (RUNNING, "end"): IDLE,
    (PAUSED, "resume"): RUNNING,
    (FAULT, "clear"): SELFTEST,
}


class StateMachine:
    """Where the stimulator stands; `state` is one of the numbers above."""

    def __init__(self):
        self.state = BOOT

    def can(self, event):
        return event in ("fault", "stop") or (self.state, event) in TABLE

    def take(self, event):
        """Go where `event` leads; Refused (-221) when the table has no such way."""
        if event == "fault":
            self.state = FAULT
            return
        if event == "stop":
            if self.state in (CHECKING, ARMED, RUNNING, PAUSED):
                self.state = IDLE
            return
        key = (self.state, event)
        if key not in TABLE:
            raise Refused(-221, f"{event} not possible in state {NAMES[self.state]}")
        self.state = TABLE[key]
