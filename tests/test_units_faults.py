"""Faults and their latch by themselves."""



from firmware.safety import faults
from firmware.safety.faults import FaultLatch

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
