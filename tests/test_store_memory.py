"""Fault log, black box, configuration and key, on the virtual board, by command."""

import csv

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rig import Rig

from firmware.safety import boxtext, config
from firmware.safety.blackbox import BlackBox
from firmware.safety.states import NAMES
from firmware.safety.storage import BOARD_NAMES, CHANNEL_NAMES
from rheobase.sim.board import repository_files

FIELDS = [
    "number", "boot", "uptime", "wall", "fault", "severity", "channel", "reason", "detail",
    "state", "supply", "commanded_1", "measured_1", "width_1", "rate_1", "ohm_1", "commanded_2",
    "measured_2", "width_2", "rate_2", "ohm_2", "cause", "firmware",
]  # fmt: skip
RUN = "SOUR1:STAT ON;FREQ 50;:SOUR1:CYCL:ON INF;:SOUR1:PULS:WIDT 200us"


def record(rig, place=1):
    row = next(csv.reader([rig.say(f"SYST:LOG? {place}", 0.3)]))
    assert len(row) == len(FIELDS)
    return dict(zip(FIELDS, row, strict=True))


def trip(rig, current_ma=3):
    rig.do(RUN)
    rig.start()
    rig.climb(current_ma)
    rig.bench.force_trip(rig.board.now)
    rig.wait(0.3)
    assert rig.state == "FAULT"


def power_cycle(rig):
    rig.board.power_off()
    rig.wait(1.0)
    boot(rig, rig.board.power_on)


def boot(rig, reset):
    reset()
    assert rig.board.run_while(lambda: not rig.board.usb.connected, 5.0)
    rig.bench.try_stop()
    rig.wait(0.3)
    rig.board.usb.read()
    rig.settle()


def key(rig, word="secret"):
    rig.do(f'SYST:KEY:NEW "{word}"')
    rig.wait(0.3)


# -- fault log


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


# -- black box


def test_the_black_box_tells_what_came_before_the_fault():
    rig = Rig()
    trip(rig, 2)
    power_cycle(rig)
    number, pulses, events = map(int, rig.say("SYST:BBOX?", 0.3).split(","))
    assert number == 1 and events > 5
    told = rig.say("SYST:BBOX:PULS? 1", 0.3).strip('"').split(";")
    assert 16 == len(told) <= pulses <= 64
    levels = [tuple(map(int, pulse.split(",")))[1:] for pulse in told]
    for channel, level, width, plus, minus in levels:
        assert (channel, width) == (1, 12_500)  # 200 us in turns of 16 ns
        assert abs(plus - level) <= 8 and abs(minus - level) <= 8  # half a mA
    assert 0 < levels[0][1] <= round(2_000 / 60)  # in the ramp
    told = []
    for first in range(1, events + 1, 8):
        told += rig.say(f"SYST:BBOX:EVEN? 1,{first}", 0.3).strip('"').split(";")
    assert len(told) == events
    kinds = [event.split(",", 1)[1] for event in told]
    assert kinds[:3] == [
        "inputs,trip 1 stop 0", "state,FAULT", "command,*CLS|SOUR1:CURR 2 mA"
    ]  # fmt: skip
    assert "state,RUNNING" in kinds and "state,ARMED" in kinds
    times = [int(event.split(",")[0]) for event in told]
    assert times == sorted(times, reverse=True)
    assert times[0] == times[1] and 450 < times[1] - times[2] < 600


def saved(box):
    return b"".join(bytes(part) for part in boxtext.written(box, 7))


def test_delivered_pulses_are_kept_newest_first():
    box = BlackBox()
    for i in range(70):
        box.watch(1000 + i, 0, 0)
        box.note(i % 2, i, 18_750, i + 1, i + 2)
    assert box.freeze() and not box.freeze()
    box.note(0, 2000, 1, 1, 1)
    data = saved(box)
    number, noted, _ = boxtext.head(data)
    assert (number, noted) == (7, 70)
    rows = [list(boxtext.pulses(data, noted, first, 16)) for first in (1, 17, 33, 49, 65)]
    assert [len(row) for row in rows] == [16, 16, 16, 16, 0]
    assert [row for part in rows for row in part] == [
        f"{1000 + i},{i % 2 + 1},{i},18750,{i + 1},{i + 2}" for i in range(69, 5, -1)
    ]
    box.thaw()
    box.note(0, 2000, 1, 1, 1)
    assert box.pulses == 71


@settings(max_examples=40, deadline=None)
@given(st.lists(st.one_of(st.integers(0, 6), st.binary(min_size=1, max_size=60)), max_size=50))
def test_the_last_events_are_kept_newest_first(happenings):
    box = BlackBox()
    expected = []
    before = None
    for i, one in enumerate(happenings):
        box._box[2] = 1 << 24 | i  # now
        if isinstance(one, bytes):
            box.command(one)
            if not (one.endswith(b"?") and b";" not in one):
                if b"KEY" in one.upper() and b" " in one:
                    one = one[: one.index(b" ")]
                shown = "".join(chr(c) if 32 <= c < 127 and c != 34 else "?" for c in one[:26])
                expected.append(f"{box.now_ms},command,{shown.replace(';', '|')}")
        else:
            box.watch(1 << 24 | i, one, 0)
            if one != before:
                expected.append(f"{box.now_ms},state,{NAMES[one]}")
                if before is None:
                    expected.append(f"{box.now_ms},inputs,trip 0 stop 0")
                before = one
    data = saved(box)
    assert len(data) < 2048
    events = boxtext.head(data)[2]
    assert events == len(expected)
    assert list(boxtext.events(data, events, 1, 99)) == expected[::-1][:32]


def test_noting_never_writes_beyond_a_pulse():
    box = BlackBox()
    box.note(1, 4095, 1 << 20, 1 << 20, 1 << 20)
    assert list(box.pulse_words[:5]) == [4096 + 4095, 65535, 65535, 65535, 0]


def test_a_key_never_gets_into_the_black_box():
    rig = Rig()
    rig.say('SYST:KEY:NEW "Xyzzy1"', 0.3)
    rig.say('*CLS;SYST:KEY "Xyzzy1"', 0.3)
    trip(rig, 1)
    files = b"".join(v for k, v in rig.board.flash.files.items() if k.startswith("/data/"))
    assert b"KEY" in files and b"Xyzzy1" not in files


# -- configuration


def test_the_configuration_survives_and_sets_the_ceilings():
    rig = Rig()
    rig.do(RUN + ";:SOUR1:PAD:AREA 100;:SOUR1:CURR:LIM 100mA")
    assert rig.ask("SOUR1:CURR:CEIL?") == '0.03,"the person\'s ceiling"'
    key(rig)
    rig.do('SYST:CONF:SET "person_ua_1 = 20000"')
    rig.do('SYST:CONF:SET "pad_mm2_2 = 2500"')
    assert rig.ask("SOUR1:CURR? MAX") == "0.03"
    rig.do("SYST:CONF:SAVE")
    rig.wait(0.3)
    assert rig.ask("SOUR1:CURR? MAX") == "0.02"
    power_cycle(rig)
    assert rig.ask("SYST:CONF:STAT?") == '"good"'
    assert rig.ask('SYST:CONF? "person_ua_1"') == "20000"
    assert rig.ask("SOUR2:PAD:AREA?") == "25"
    assert rig.ask("SYST:KEY:OPEN?") == "0"
    assert "-203" in rig.error('SYST:CONF:SET "person_ua_1 = 30000"')


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("person_ua_1 = 120001", ["-222", "120001 above 120000"]),
        ("link_fade_ms = 499", ["-222", "499 below 500"]),
        ("person = 3", ["-224", "no field person"]),
        ("pad_mm2_1", ["-224", "name = value"]),
        ("pad_mm2_1 = 1e3", ["-224", "whole number"]),
        ("code = ", ["-224", "KEY:NEW"]),
    ],
)
def test_a_bad_line_changes_nothing(line, words):
    rig = Rig()
    error = rig.error(f'SYST:CONF:SET "{line}"')
    assert all(word in error for word in words), error
    rig.do("SYST:CONF:SAVE")


def test_a_person_is_never_allowed_more_than_the_clinician_says():
    rig = Rig()
    key(rig)
    rig.do('SYST:CONF:SET "clinician_ua_1 = 10000"')
    assert "person_ua_1 30000 above clinician_ua_1 10000" in rig.error("SYST:CONF:SAVE")
    rig.do("SYST:CONF:REV")
    assert rig.ask('SYST:CONF? "clinician_ua_1"') == "120000"


def test_what_is_exported_line_by_line_can_be_imported():
    rig = Rig()
    key(rig)
    for line in ("person_ua_2 = 12000", "motor_ua_1 = 9000", "sense_zero_ua_1 = -40"):
        rig.do(f'SYST:CONF:SET "{line}"')
    rig.do("SYST:CONF:SAVE")
    rig.wait(0.3)
    lines = [
        rig.ask(f"SYST:CONF:LINE? {n}").strip('"')
        for n in range(1, 1 + int(rig.ask("SYST:CONF:COUN?")))
    ]
    assert lines[0] == "rheobase-config 1" and "sense_zero_ua_1 = -40" in lines
    assert not any("code" in line for line in lines)
    other = Rig()
    key(other)
    for line in lines:
        other.do(f'SYST:CONF:SET "{line}"')
    other.do("SYST:CONF:SAVE")
    other.wait(0.3)
    assert config_of(other) == config_of(rig)


def config_of(rig):
    text = rig.board.flash.files["/data/config.a"].decode().splitlines()
    return [line for line in text[1:] if not line.startswith(("#", "code"))]


@pytest.mark.parametrize("copy", "ab")
@pytest.mark.parametrize("harm", ["missing", "flipped", "short"])
def test_one_bad_copy_is_made_anew_from_the_good_one(copy, harm):
    rig = Rig()
    key(rig)
    rig.do('SYST:CONF:SET "person_ua_1 = 21000"')
    rig.do("SYST:CONF:SAVE")
    rig.wait(0.3)
    damage(rig, copy, harm)
    power_cycle(rig)
    assert rig.ask("SYST:CONF:STAT?") == '"good"'
    assert rig.ask('SYST:CONF? "person_ua_1"') == "21000"
    files = rig.board.flash.files
    assert files["/data/config.a"] == files["/data/config.b"]


def damage(rig, copy, harm):
    path = f"/data/config.{copy}"
    content = rig.board.flash.files[path]
    if harm == "missing":
        del rig.board.flash.files[path]
    elif harm == "short":
        rig.board.flash.install(path, content[:-20])
    else:
        rig.board.flash.install(path, content[:100] + b"?" + content[101:])


@pytest.mark.parametrize("harm", ["missing", "flipped", "short"])
def test_with_both_copies_bad_the_board_has_safe_values_and_cannot_be_armed(harm):
    rig = Rig()
    key(rig)
    rig.do('SYST:CONF:SET "person_ua_1 = 90000"')
    rig.do("SYST:CONF:SAVE")
    rig.wait(0.3)
    damage(rig, "a", harm)
    damage(rig, "b", harm)
    power_cycle(rig)
    assert "configuration lost" in rig.ask("SYST:CONF:STAT?")
    assert rig.ask('SYST:CONF? "person_ua_1"') == "30000"
    rig.do(RUN)
    assert "configuration lost" in rig.error(rig.arming())
    assert "restore it first" in rig.error('SYST:KEY:NEW "mine"')
    rig.do("SYST:CONF:REST")
    rig.wait(0.3)
    rig.arm()
    assert rig.state == "ARMED"


def test_an_intact_file_with_a_value_out_of_range_is_bad():
    rig = Rig()
    import binascii

    text = rig.board.flash.files["/data/config.a"].partition(b"#crc32")[0]
    text = text.replace(b"person_ua_1 = 30000", b"person_ua_1 = 130000")
    sealed = text + b"#crc32 %08x\n" % binascii.crc32(text)
    for copy in "ab":
        rig.board.flash.install(f"/data/config.{copy}", sealed)
    power_cycle(rig)
    assert "person_ua_1 130000 above 120000" in rig.ask("SYST:CONF:STAT?")
    rig.do(RUN)
    assert "configuration lost" in rig.error(rig.arming())


def test_a_bit_that_flips_in_the_configuration_in_memory_stops_the_output():
    rig = Rig(files=FIRMWARE_THAT_FAILS)
    rig.do(RUN)
    rig.start()
    rig.do("SOUR1:CURR 1mA")
    rig.say("FLIP", 1.1)
    rig.wait(0.3)
    assert rig.state == "FAULT" and rig.outputs() == 0
    assert record(rig)["reason"] == "limits in memory have changed"
    assert record(rig)["severity"] == "critical"
    assert "cutting the power" in rig.error("FAUL:CLE")
    power_cycle(rig)
    assert rig.state == "IDLE"


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


def test_the_arrays_of_names_follow_the_table():
    assert tuple(field[0] for field in config.CHANNEL) == CHANNEL_NAMES
    assert tuple(field[0] for field in config.BOARD) == BOARD_NAMES


# -- key


def test_five_wrong_keys_close_it_until_the_power_is_cut():
    rig = Rig()
    key(rig)
    rig.do("SYST:KEY:LOCK")
    for left in (4, 3, 2, 1):
        assert f"wrong key, {left} left" in rig.error('SYST:KEY "wrong"')
    boot(rig, rig.board.chip.watchdog.force)
    assert "wrong key, 0 left" in rig.error('SYST:KEY "wrong"')
    assert "5 wrong keys" in rig.error('SYST:KEY "secret"')
    boot(rig, rig.board.chip.watchdog.force)
    assert "5 wrong keys" in rig.error('SYST:KEY "secret"')
    power_cycle(rig)
    rig.do('SYST:KEY "secret"')
    assert rig.ask("SYST:KEY:OPEN?") == "1"


def test_a_right_key_starts_the_count_anew():
    rig = Rig()
    key(rig)
    for _ in range(2):
        for _ in range(4):
            rig.error('SYST:KEY "wrong"')
        rig.do('SYST:KEY "secret"')


def test_another_key_needs_the_old_one():
    rig = Rig()
    key(rig)
    rig.do("SYST:KEY:LOCK")
    assert "-203" in rig.error('SYST:KEY:NEW "other"')
    rig.do('SYST:KEY "secret"')
    key(rig, "other")
    rig.do("SYST:KEY:LOCK")
    assert "wrong key" in rig.error('SYST:KEY "secret"')
    rig.do('SYST:KEY "other"')


# -- critical faults


MAIN = b"""
import machine

from firmware.app import App
from firmware.boards import pico_reference
from firmware.safety import faults

app = App(pico_reference)

def on_line(line):
    if line.startswith(b"FAIL"):
        app.stimulator.fail(faults.SELF_TEST, "injected")
    if line == b"FLIP":
        app.storage.numbers[1] ^= 1 << 20
    if line.endswith(b"RESET"):
        machine.reset()

app.instrument.on_line = on_line
app.run()
"""
FIRMWARE_THAT_FAILS = {**repository_files(), "/main.py": MAIN}


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
