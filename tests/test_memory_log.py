"""The fault log and the faults that outlive a reset, on the virtual board, by command."""

import csv

from memory_rig import FIRMWARE_THAT_FAILS, RUN, boot, damage, key, power_cycle, record, trip
from rig import Rig


def test_a_fault_is_recorded_as_it_was_and_found_after_a_power_cycle():
    rig = Rig()
    rig.do("SYST:CLOC 1790000000")
    trip(rig)
    seen = record(rig)
    assert seen["fault"] == "1" and seen["severity"] == "stop" and "trip line" in seen["reason"]
    assert seen["state"] == "RUNNING" and seen["cause"] == "power-up"
    assert (seen["commanded_1"], seen["width_1"], seen["rate_1"]) == ("3000", "200000", "50000")
    assert (seen["commanded_2"], seen["measured_2"]) in (("0", "-1"), ("0", "0"))
    assert 0 < int(seen["measured_1"]) <= 3300
    assert 2 < float(seen["uptime"]) < 10
    assert abs(int(seen["wall"]) - 1790000000 - float(seen["uptime"])) < 2
    power_cycle(rig)
    assert rig.ask("SYST:LOG:COUN?") == "1,0"
    assert record(rig) == seen
    assert rig.state == "IDLE"


def test_nothing_is_written_while_the_output_may_be_on():
    rig = Rig()
    rig.do(RUN)
    before = rig.board.flash.operations
    for action in (rig.arm, lambda: rig.do("OUTP ON"), lambda: rig.do("SESS:PAUS")):
        action()
        rig.wait(1.2)
        for refused in (
            'SYST:CONF:SET "pad_mm2_1 = 500"', "SYST:CONF:SAVE", "SYST:CONF:REST", "SYST:LOG:CLE",
            'SYST:KEY:NEW "12345"',
        ):  # fmt: skip
            assert "-221" in rig.error(refused) and "output off" in rig.error(refused)
    assert rig.board.flash.operations == before
    rig.bench.force_trip(rig.board.now)
    rig.wait(0.3)
    assert rig.board.flash.operations > before
    assert record(rig)["state"] == "PAUSED"


def test_the_log_is_written_only_with_the_supply_off_and_the_legs_low():
    rig = Rig()
    levels = []
    flash = rig.board.flash
    busy = flash.busy

    def watch(us):
        levels.append((rig.outputs(), rig.board.chip.gpio.levels >> 18 & 1))
        busy(us)

    flash.busy = watch
    trip(rig)
    assert len(levels) >= 4
    assert set(levels) == {(0, 0)}


def test_the_same_fault_is_recorded_once_until_it_is_cleared():
    rig = Rig()
    trip(rig)
    for _ in range(2):
        rig.do("FAUL:CLE")
        trip(rig, 1)
    assert rig.ask("SYST:LOG:COUN?") == "3,0"
    assert [record(rig, n)["number"] for n in (1, 2, 3)] == ["3", "2", "1"]
    assert record(rig)["commanded_1"] == "1000"
    whole = next(csv.reader([rig.ask("SYST:LOG:ALL? 2")]))
    assert [row.split(",")[0] for row in whole] == ["2", "1"]
    assert "-222" in rig.error("SYST:LOG? 4")


def test_the_log_is_cleared_only_with_the_key_and_says_so():
    rig = Rig()
    trip(rig)
    rig.do("FAUL:CLE")
    assert "-203" in rig.error("SYST:LOG:CLE")
    key(rig)
    rig.do("SYST:KEY:LOCK")
    assert "-203" in rig.error("SYST:LOG:CLE")
    assert rig.ask("SYST:LOG:COUN?") == "1,0"
    rig.do('SYST:KEY "secret"')
    rig.do("SYST:LOG:CLE")
    rig.wait(0.3)
    assert rig.ask("SYST:LOG:COUN?") == "1,0"
    assert record(rig)["reason"] == "log cleared" and record(rig)["number"] == "2"


def test_what_was_found_bad_at_boot_is_in_the_log():
    rig = Rig()
    damage(rig, "a", "flipped")
    power_cycle(rig)
    assert record(rig)["fault"] == "61" and "config.a: CRC-32" in record(rig)["detail"]
    damage(rig, "a", "flipped")
    damage(rig, "b", "missing")
    power_cycle(rig)
    assert record(rig)["fault"] == "60" and record(rig)["severity"] == "warning"
    assert rig.ask("SYST:LOG:COUN?") == "2,0"


# -- critical faults


def soft_reset(rig):
    def reset():
        rig.board.usb.write(b"\x03")
        rig.wait(0.1)
        rig.board.usb.write(b"\x04")
        rig.wait(0.2)

    return reset


def test_a_critical_fault_is_cleared_only_by_cutting_the_power():
    rig = Rig(files=FIRMWARE_THAT_FAILS)
    rig.say("FAIL", 0.3)
    assert rig.state == "FAULT"
    assert record(rig)["severity"] == "critical"
    for reset in (None, rig.board.chip.watchdog.force, soft_reset(rig), rig.board.reset):
        if reset:
            boot(rig, reset)
        assert rig.state == "FAULT", reset
        assert rig.ask("FAUL?") == "7"
        assert "cutting the power" in rig.error("FAUL:CLE")
        rig.do(RUN)
        assert "-221" in rig.error(rig.arming())
    assert rig.ask("SYST:LOG:COUN?") == "1,0"
    power_cycle(rig)
    assert rig.state == "IDLE"
    rig.do(RUN)
    rig.arm()
    assert rig.state == "ARMED"


def test_a_reset_before_the_record_is_written_keeps_a_critical_fault():
    rig = Rig(files=FIRMWARE_THAT_FAILS)
    resets = rig.board.resets
    rig.say("FAIL AND RESET", 0.02)
    assert rig.board.resets > resets
    boot(rig, lambda: None)
    assert (rig.state, rig.ask("FAUL?")) == ("FAULT", "7")
    assert rig.ask("SYST:LOG:COUN?") == "0,0"
