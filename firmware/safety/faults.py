"""Why the output was cut: numbered, static reasons. A fault latches until it is cleared."""

from firmware.core.unload import borrow

NONE = 0
TRIP = 1
STARVED = 2
INSPECTOR = 3
STOP_BUTTON = 4
STUCK = 5
EXCEPTION = 6
SELF_TEST = 7
SUPPLY = 8
# From the measured output; those marked "pause" hold the session instead of latching.
OVER_CURRENT = 10
OFF_COMMAND = 11
OPEN = 12  # pause
COMPLIANCE = 13  # pause
SHORT = 14  # pause
IMBALANCE = 15
DIRECT_CURRENT = 16
DELIVERED = 17
SENSE_ZERO = 18
REST_CURRENT = 19
LOST_PULSE = 20
DRYING = 21  # warning
DIRECT_WARNING = 22  # warning
LEAK = 23  # pause

PAUSING = (OPEN, COMPLIANCE, SHORT, LEAK)
LINK = 30
LINK_PAUSED = 31
LINK_ENDED = 32

# Supervisor and self-test.
SUPERVISOR = 40
WATCHDOG = 41
CORRUPT = 42
READ_BACK = 43
TRIP_PATH = 44
LATCH = 45
SUPPLY_RISE = 46
SUPPLY_BY_LATCH = 47
SUPPLY_BY_HEARTBEAT = 48
REFERENCE = 49
PULL_DOWN = 50
FIRMWARE = 51
MEMORY = 52
NO_PROFILE = 53
# Memory; none of them stops an output, but the first and the last refuse the next ARM.
CONFIG_LOST = 60
CONFIG_REPAIRED = 61
LOG_FULL = 62

WARNING, STOP, CRITICAL = 0, 1, 2
SEVERITIES = ("warning", "stop", "critical")
# A warning is only recorded. A stop latches until a person clears it, its cause gone. A critical
# fault stays until the power is cut (SR-39). What is in neither list is a stop.
WARNINGS: tuple = (
    OPEN, COMPLIANCE, SHORT, LEAK, DRYING, DIRECT_WARNING, LINK_PAUSED, LINK_ENDED,
    CONFIG_LOST, CONFIG_REPAIRED, LOG_FULL,
)  # fmt: skip
CRITICALS: tuple = (SELF_TEST, OVER_CURRENT, DIRECT_CURRENT, CORRUPT)


def reason_of(number):
    """The static reason in words (firmware/safety/reasons.py), or None for no such fault."""
    return borrow("firmware.safety.reasons", "text", number)


class Reasons:
    """The reasons by number, as the error queue asks for them."""

    def get(self, number):
        return reason_of(number)


def severity(number):
    """WARNING, STOP or CRITICAL."""
    if number in CRITICALS:
        return CRITICAL
    return WARNING if number in WARNINGS else STOP


class Failed(Exception):
    """A test found a fault: its number and a detail."""

    def __init__(self, number, detail):
        super().__init__(number, detail)
        self.number = number
        self.detail = detail


class FaultLatch:
    """The first fault since the last clear; later ones only count."""

    def __init__(self):
        self.clear()

    def clear(self):
        self.number = NONE
        self.detail = ""
        self.later = 0

    def latch(self, number, detail=""):
        """Keep the reason; the first one stays."""
        if self.number:
            self.later += 1
            return
        self.number = number
        self.detail = detail

    def text(self):
        if not self.number:
            return "none"
        text = reason_of(self.number)
        return f"{text}: {self.detail}" if self.detail else text
