"""Why the output was cut: numbered, static reasons. A fault latches until it is cleared."""

NONE = 0
TRIP = 1
STARVED = 2
INSPECTOR = 3
STOP_BUTTON = 4
STUCK = 5
EXCEPTION = 6
SELF_TEST = 7
SUPPLY = 8
# From the measured output; the three marked "pause" hold the session instead of latching.
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

PAUSING = (OPEN, COMPLIANCE, SHORT)
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

REASONS = {
    TRIP: "trip line: over-current, stop button or an open wire",
    STARVED: "tape ran out: the loop came too late",
    INSPECTOR: "tape refused by the inspector",
    STOP_BUTTON: "stop button pressed or not connected",
    STUCK: "tape stands still",
    EXCEPTION: "program error",
    SELF_TEST: "self-test failed",
    SUPPLY: "supply out of range",
    OVER_CURRENT: "measured current above the peak limit",
    OFF_COMMAND: "measured current off its command",
    OPEN: "electrode open",
    COMPLIANCE: "current below its command: electrode drying or supply at its limit",
    SHORT: "electrodes shorted",
    IMBALANCE: "phases carry unequal charge",
    DIRECT_CURRENT: "direct current above its limit",
    DELIVERED: "delivered output above a limit of a second or a pulse",
    SENSE_ZERO: "current sense off its zero",
    REST_CURRENT: "current at rest",
    LOST_PULSE: "phases measured differ from those played",
    DRYING: "electrode impedance rises: drying or lifting",
    DIRECT_WARNING: "direct current above half of its limit",
    LINK: "five damaged lines in a row",
    LINK_PAUSED: "host silent: paused; SESS:STAN ON before ARM lets it go on alone",
    LINK_ENDED: "host silent: ended",
    SUPERVISOR: "a task did not check in",
    WATCHDOG: "the watchdog reset the chip while the output was armed",
    CORRUPT: "limits in memory have changed",
    READ_BACK: "an output pin is not what it was set to",
    TRIP_PATH: "an injected trip did not stop the tape",
    LATCH: "the trip latch does not hold or does not clear",
    SUPPLY_RISE: "the supply does not come up",
    SUPPLY_BY_LATCH: "the latch does not cut the supply",
    SUPPLY_BY_HEARTBEAT: "the supply stays on without a heartbeat",
    REFERENCE: "ADC reference out of range",
    PULL_DOWN: "an output pin has no pull-down",
    FIRMWARE: "a file of the firmware is damaged",
    MEMORY: "memory does not hold what was written",
    NO_PROFILE: "the board has no hardware safety profile",
    CONFIG_LOST: "both copies of the configuration lost: safe defaults, no arming",
    CONFIG_REPAIRED: "one copy of the configuration was bad: made anew from the other",
    LOG_FULL: "the fault log can't be written",
}

WARNING, STOP, CRITICAL = 0, 1, 2
SEVERITIES = ("warning", "stop", "critical")
# A warning is only recorded. A stop latches until a person clears it, its cause gone. A critical
# fault stays until the power is cut (SR-39). What is in neither list is a stop.
WARNINGS: tuple = (
    OPEN, COMPLIANCE, SHORT, DRYING, DIRECT_WARNING, LINK_PAUSED, LINK_ENDED,
    CONFIG_LOST, CONFIG_REPAIRED, LOG_FULL,
)  # fmt: skip
CRITICALS: tuple = (SELF_TEST, OVER_CURRENT, DIRECT_CURRENT, CORRUPT)


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
        text = REASONS[self.number]
        return f"{text}: {self.detail}" if self.detail else text
