"""The configuration by itself: its table, every edge and line of its text, each refusal."""

from hashlib import sha256

import pytest
from units import refusal

from firmware.safety import config
from firmware.safety.config import CLINICIAN, USER

# The table of docs/safety.md and SR-09, SR-13, SR-31 again: lowest, highest, first, whose.
CHANNEL = {
    "clinician_ua": (0, 120_000, 120_000, CLINICIAN),
    "person_ua": (0, 120_000, 30_000, CLINICIAN),
    "pad_mm2": (100, 40_000, 900, USER),
    "sensory_ua": (0, 120_000, 0, USER),
    "motor_ua": (0, 120_000, 0, USER),
    "sense_zero_ua": (-5_000, 5_000, 0, CLINICIAN),
    "sense_gain_ppm": (800_000, 1_200_000, 1_000_000, CLINICIAN),
    "sink_gain_ppm": (800_000, 1_200_000, 1_000_000, CLINICIAN),
}
BOARD = {
    "supply_gain_ppm": (800_000, 1_200_000, 1_000_000, CLINICIAN),
    "link_fade_ms": (500, 2_000, 2_000, USER),
    "link_end_ms": (2_000, 10_000, 10_000, USER),
}
TABLE = {name + number: row for number in ("_1", "_2") for name, row in CHANNEL.items()} | BOARD
CODE = "0123456789abcdef" + "f" * 64


def test_ranges_defaults_and_whose_each_field_is():
    assert {f[0]: (f[1], f[2], f[3], f[4]) for f in config.fields()} == TABLE
    assert [f[0] for f in config.fields()] == list(TABLE)
    assert config.defaults() == {n: row[2] for n, row in TABLE.items()} | {"code": ""}
    assert config.numbers(config.defaults()) == [row[2] for row in TABLE.values()]
    assert (USER, CLINICIAN) == (0, 1)


@pytest.mark.parametrize("name", TABLE)
def test_the_edges_of_a_fields_range(name):
    lowest, highest, _, _ = TABLE[name]
    assert config.assignment(f"{name} = {lowest}") == (name, lowest)
    assert config.assignment(f" {name}={highest} ") == (name, highest)
    below, above = lowest - 1, highest + 1
    told = config.assignment, f"{name} = {below}"
    assert refusal(*told) == (-222, f"{name} {below} below {lowest}")
    told = config.assignment, f"{name} = {above}"
    assert refusal(*told) == (-222, f"{name} {above} above {highest}")


@pytest.mark.parametrize(
    "line, text",
    [
        ("", " is not name = value"),
        ("x" * 40, "x" * 30 + " is not name = value"),
        ("code", "code is not name = value"),
        ("colour = 3", "no field colour"),
        ("y" * 40 + " = 3", "no field " + "y" * 30),
        ("motor_ua = 3", "no field motor_ua"),
        ("motor_ua_1 = ", "motor_ua_1  is not a whole number"),
        ("motor_ua_1 = -", "motor_ua_1 - is not a whole number"),
        ("motor_ua_1 = --3", "motor_ua_1 --3 is not a whole number"),
        ("motor_ua_1 = +3", "motor_ua_1 +3 is not a whole number"),
        ("motor_ua_1 = 1.5", "motor_ua_1 1.5 is not a whole number"),
        ("motor_ua_1 = 1 = 2", "motor_ua_1 1 = 2 is not a whole number"),
        ("motor_ua_1 = " + "z" * 30, "motor_ua_1 " + "z" * 20 + " is not a whole number"),
        ("motor_ua_1 = 1234567890", "motor_ua_1 1234567890 is not a whole number"),
        ("code = 12", "code is not 80 hexadecimal digits"),
        ("code = " + CODE[1:], "code is not 80 hexadecimal digits"),
        ("code = " + CODE + "0", "code is not 80 hexadecimal digits"),
        ("code = " + CODE[1:] + "g", "code is not 80 hexadecimal digits"),
        ("code = G" + CODE[1:], "code is not 80 hexadecimal digits"),
    ],
)
def test_a_line_that_is_no_assignment(line, text):
    assert refusal(config.assignment, line) == (-224, text)


def test_nine_digits_are_a_number_with_or_without_a_sign():
    for digits in ("000000007", "-000000007"):
        assert config.assignment(f"sense_zero_ua_2 = {digits}") == ("sense_zero_ua_2", int(digits))
    assert refusal(config.assignment, "motor_ua_1 = 123456789")[0] == -222


def test_a_code_is_empty_or_eighty_digits():
    assert config.assignment("code = ") == ("code", "")
    assert config.assignment(f"code={CODE}") == ("code", CODE)


def stored(code="", **changed):
    """The whole text as it lies in the flash, written out here once more."""
    values = {name: row[2] for name, row in TABLE.items()} | changed
    rows = [f"{name} = {value}" for name, value in values.items()]
    return "\n".join(["rheobase-config 1", *rows, f"code = {code}", ""])


def test_the_text_word_for_word_and_back():
    values = config.defaults() | {"motor_ua_2": 8_000, "code": CODE}
    assert config.text(values) == stored(CODE, motor_ua_2=8_000)
    assert config.parse(stored(CODE, motor_ua_2=8_000)) == values
    shown = list(config.lines(values))
    assert shown == stored(motor_ua_2=8_000).split("\n")[:-2], "without the code"


def without(name):
    return "\n".join(row for row in stored().split("\n") if not row.startswith(name + " "))


@pytest.mark.parametrize(
    "content, text",
    [
        ("", "line 1:  is not rheobase-config 1"),
        ("x" * 40, "line 1: " + "x" * 30 + " is not rheobase-config 1"),
        (stored().replace("config 1", "config 2"),
         "line 1: rheobase-config 2 is not rheobase-config 1"),
        (stored(pad_mm2_1=99), "line 4: pad_mm2_1 99 below 100"),
        (stored(code="0"), "line 21: code is not 80 hexadecimal digits"),
        (stored() + "\n\ncolour = 3", "line 24: no field colour"),
        (stored() + "motor_ua_1 = 0", "line 22: motor_ua_1 again"),
        (stored() + "code = ", "line 22: code again"),
        (without("link_end_ms"), "link_end_ms is missing"),
        (without("code"), "code is missing"),
    ],
)  # fmt: skip
def test_a_text_that_is_bad_is_refused_with_its_line(content, text):
    assert refusal(config.parse, content) == (-230, text)


def test_blank_lines_are_none():
    assert config.parse(stored().replace("\n", "\n\n")) == config.defaults()


@pytest.mark.parametrize("number", ["_1", "_2"])
def test_a_person_has_at_most_what_the_clinician_says(number):
    person, clinician = "person_ua" + number, "clinician_ua" + number
    config.check(config.defaults() | {person: 5_000, clinician: 5_000})
    values = config.defaults() | {person: 5_001, clinician: 5_000}
    expected = -221, f"{person} 5001 above {clinician} 5000"
    assert refusal(config.check, values) == expected
    assert refusal(config.parse, config.text(values)) == expected


def test_the_end_of_a_silent_link_comes_behind_the_way_down():
    config.check(config.defaults() | {"link_end_ms": 2_001})
    values = config.defaults() | {"link_end_ms": 2_000}
    assert refusal(config.check, values) == (-221, "link_end_ms 2000 not above link_fade_ms")


def test_what_needs_the_clinicians_key():
    for name, row in TABLE.items():
        assert config.is_clinicians(name) == (row[3] == CLINICIAN), name
    assert config.is_clinicians("code") and config.is_clinicians("colour")


class Store:
    """Two copies of a text, of which one may be bad."""

    def __init__(self, content, *troubles):
        self.told = content, list(troubles)

    def load(self, name):
        assert name == "config"
        return self.told


def test_what_is_stored_is_loaded_with_its_troubles():
    values, troubles = config.load(Store(stored(motor_ua_1=5).encode(), "a: short"))
    assert (values, troubles) == (config.defaults() | {"motor_ua_1": 5}, ["a: short"])
    assert config.load(Store(None, "a: missing", "b: missing")) == (
        None, ["a: missing", "b: missing"]
    )  # fmt: skip


def test_an_intact_copy_that_says_nothing_good_is_a_trouble():
    bad = stored(person_ua_1=120_001).encode()
    values, troubles = config.load(Store(bad, "b: short"))
    assert values is None
    assert troubles == ["b: short", "line 3: person_ua_1 120001 above 120000"]
    values, troubles = config.load(Store(b"\xff" + stored().encode()))
    assert values is None and len(troubles) == 1


SALT = bytes(range(8))


@pytest.mark.parametrize("key", ["four", "x" * 32, "\u00e4\u00f6\u00fc\u00df"])
def test_a_key_is_stored_as_salt_and_digest(key):
    code = config.code_of(key, SALT)
    assert code == SALT.hex() + sha256(SALT + key.encode()).hexdigest()
    assert config.fits(key, code)
    assert not config.fits(key + " ", code) and not config.fits("", code)
    assert config.code_of(key, bytes(8)) != code


@pytest.mark.parametrize("key", ["", "abc", "x" * 33])
def test_a_key_too_short_or_too_long(key):
    expected = -224, f"key of {len(key)} characters, not 4 to 32"
    assert refusal(config.code_of, key, SALT) == expected


@pytest.mark.parametrize("at", range(80))
def test_a_code_of_which_one_digit_differs_fits_no_key(at):
    code = config.code_of("secret", SALT)
    other = code[:at] + ("0" if code[at] != "0" else "1") + code[at + 1 :]
    assert not config.fits("secret", other)
