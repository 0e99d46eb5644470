"""The configuration and the clinician's key, on the virtual board, by command."""

import pytest
from memory_rig import FIRMWARE_THAT_FAILS, RUN, boot, damage, key, power_cycle, record
from rig import Rig

from firmware.safety import config
from firmware.safety.storage import BOARD_NAMES, CHANNEL_NAMES


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
