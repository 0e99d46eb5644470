"""Numbers: exact both ways, against fractions.Fraction."""

import ast
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scpi.errors import ScpiError
from scpi.numbers import format_quantity, parse_quantity
from scpi.refusals import describe

MULTIPLIERS = {
    "EX": 18, "PE": 15, "T": 12, "G": 9, "MA": 6, "K": 3, "": 0,
    "M": -3, "U": -6, "N": -9, "P": -12, "F": -15, "A": -18,
}


def half_away(value):
    """A Fraction rounded half away from zero."""
    whole = int(abs(value) + Fraction(1, 2))
    return -whole if value < 0 else whole


def refusal(text, *args, **kwargs):
    with pytest.raises(ScpiError) as caught:
        parse_quantity(text, *args, **kwargs)
    return caught.value.code


@pytest.mark.parametrize("text", [
    "400us", "0.4 ms", "4E-4", "400E-6S", ".0004", "+4.e-4",
    "400000NS", " 0.4mS ", "0.0000004ks", "4000e-7", b"400US", "00000.00040000000000000000000000",
])
def test_many_spellings_of_one_width(text):
    assert parse_quantity(text, "S", 9) == 400_000


@pytest.mark.parametrize(("text", "unit", "scale", "value"), [
    ("5 mA", "A", 6, 5000), ("5MA", "A", 6, 5000), ("0.005", "A", 6, 5000),
    ("5000UA", "A", 6, 5000), ("1MAA", "A", 6, 10**12), ("1AA", "A", 18, 1), ("2A", "A", 3, 2000),
    ("1MHZ", "HZ", 3, 10**9), ("1mHz", "HZ", 3, 10**9), ("35", "HZ", 3, 35_000),
    ("1.5 kHz", "HZ", 3, 1_500_000), ("2MOHM", "OHM", 0, 2_000_000), ("5KOHM", "OHM", 0, 5000),
    ("20MIN", "S", 0, 1200), ("1.5 HR", "S", 0, 5400), ("0.5 min", "S", 3, 30_000),
    ("80PCT", "PCT", 0, 80), ("25 CM2", "CM2", 0, 25), ("3 UC", "C", 9, 3000),
    ("-12.5 V", "V", 3, -12_500), ("12", None, 0, 12), ("1E3", None, 0, 1000), ("1.0", None, 0, 1),
    ("9.9E37", None, 0, 99 * 10**36), ("-0", None, 0, 0), ("0E32000", None, 0, 0),
    ("1E-32000", None, 0, 0), ("1EXA", "A", 0, 10**18), ("1E2EXA", "A", 0, 10**20),
])
def test_units_and_multipliers(text, unit, scale, value):
    assert parse_quantity(text, unit, scale) == value


@pytest.mark.parametrize(("text", "unit", "code"), [
    ("", "S", -104), ("abc", "S", -104), ("$1", "S", -104), ("+", "S", -120), (".", "S", -120),
    ("-.", None, -120), ("--5", None, -121), ("1.2.3", None, -121), ("1..2", "S", -121),
    ("5+", None, -121), ("1E", None, -121), ("1E+", None, -121), ("1E-x", None, -121),
    ("1_000", None, -121), ("1 000", None, -121), ("0x1F", None, -138),
    ("1e32001", None, -123), ("1e-32001", None, -123), ("1e9999999999999999999", None, -123),
    ("1" * 41, None, -124), ("0." + "1" * 41, None, -124),
    ("5 A", "S", -131), ("5 mA", "S", -131), ("5 QS", "S", -131), ("5 S S", "S", -131),
    ("5 MINS", "S", -131), ("5 MPCT", "PCT", -131), ("5 mohms", "OHM", -131),
    ("5 milliseconds", "S", -131), ("5 milliiseconds", "S", -134), ("5 MIN", "A", -131),
    ("5 S", None, -138), ("5 %", None, -121), ("5\u00b5s", "S", -121),
    ("1E61", None, -222), ("-1E300", "S", -222), ("1E32000", None, -222),
])
def test_what_is_no_number_is_refused_by_the_standards_number(text, unit, code):
    assert refusal(text, unit, 0) == code


def test_leading_zeros_are_no_digits():
    assert parse_quantity("0" * 200 + "7") == 7


def test_the_refusal_says_what_unit_is_expected():
    with pytest.raises(ScpiError) as caught:
        parse_quantity("4 A", "S", 9)
    assert caught.value.detail == "A where s is expected"


@pytest.mark.parametrize(("text", "value"), [
    ("0.4", 0), ("0.5", 1), ("-0.5", -1), ("1.4999999", 1), ("2.5", 3), ("-2.5", -3), ("-0.4", 0),
    ("0.05", 0), ("0.0000000000000005", 0), ("0.30000000000000004E3", 300),
])
def test_digits_finer_than_the_unit_round_half_away_from_zero(text, value):
    assert parse_quantity(text) == value


@pytest.mark.parametrize("text", ["0.4", "1.5", "1E-1", "0.00000000000000000001", "1E-30000"])
def test_exact_refuses_what_does_not_fit_instead(text):
    assert refusal(text, None, 0, exact=True) == -224
    assert parse_quantity("3.000", None, 0, exact=True) == 3
    assert parse_quantity("30E-1", None, 0, exact=True) == 3


@settings(deadline=None)
@given(st.integers(-(10**25), 10**25), st.integers(0, 15))
def test_format_then_parse_is_identity(value, scale):
    text = format_quantity(value, scale)
    assert parse_quantity(text, "S", scale, exact=True) == value
    assert Fraction(text) == Fraction(value, 10**scale)
    assert "e" not in text.lower()
    assert text == "0" or not (text.endswith("0") and "." in text)
    assert not text.endswith(".")
    float(text)


@settings(deadline=None)
@given(
    st.integers(-(10**25), 10**25),
    st.integers(0, 15),
    st.sampled_from(["A", "C", "S", "HZ", "OHM"]),
)
def test_what_a_reader_is_shown_is_also_exact(value, scale, unit):
    text = describe(value, scale, unit)
    assert parse_quantity(text, unit, scale, exact=True) == value


@pytest.mark.parametrize(("value", "scale", "unit", "text"), [
    (5_000_000, 9, "S", "5 ms"), (20_000, 9, "S", "20 us"), (0, 9, "S", "0 s"),
    (120_000, 6, "A", "120 mA"), (500, 3, "HZ", "0.5 Hz"), (1_500_000, 3, "HZ", "1.5 kHz"),
    (5000, 0, "OHM", "5 kohm"), (80, 0, "PCT", "80 %"), (7, 0, None, "7"), (-1, 9, "S", "-1 ns"),
    (999_999, 9, "S", "999.999 us"), (1_000_000, 9, "S", "1 ms"), (10**13, 0, "OHM", "10000 Gohm"),
])
def test_readable_quantities(value, scale, unit, text):
    assert describe(value, scale, unit) == text


decimals = st.builds(
    lambda sign, whole, point, places, exponent: (
        sign + whole + (point + places if point else ""),
        exponent,
    ),
    st.sampled_from(["", "+", "-"]),
    st.text("0123456789", min_size=1, max_size=12),
    st.sampled_from(["", "."]),
    st.text("0123456789", max_size=12),
    st.one_of(st.none(), st.integers(-20, 15)),
)


@settings(deadline=None)
@given(
    decimals,
    st.sampled_from(["E", "e", "E+0", "e-0"]),
    st.sampled_from(["A", "S", "V"]),
    st.sampled_from(sorted(MULTIPLIERS)),
    st.sampled_from(["", " ", "  "]),
    st.integers(0, 12),
    st.booleans(),
)
def test_parse_agrees_with_fractions(number, mark, unit, prefix, space, scale, lower):
    mantissa, exponent = number
    text = mantissa
    if exponent is not None:
        mark = mark[0] if exponent < 0 else mark.replace("-", "+")
        text = mantissa + mark + str(exponent)
    text = text + space + prefix + unit
    expected = Fraction(mantissa) * Fraction(10) ** (exponent or 0)
    expected *= Fraction(10) ** (MULTIPLIERS[prefix] + scale)
    value = parse_quantity(text.lower() if lower else text, unit, scale)
    assert value == half_away(expected)
    assert type(value) is int
    if expected.denominator == 1:
        assert parse_quantity(text, unit, scale, exact=True) == expected
    else:
        assert refusal(text, unit, scale, exact=True) == -224


@settings(deadline=None)
@given(st.one_of(st.text(max_size=40), st.binary(max_size=40), st.text("0123456789.eE+- msMA")))
def test_any_text_is_a_number_or_a_refusal(text):
    try:
        assert type(parse_quantity(text, "S", 9)) is int
    except ScpiError as error:
        assert -138 <= error.code <= -104 or error.code == -222


def test_the_library_knows_no_floating_point():
    """One float on the way would be wrong in the 16th digit, and allocates on the device."""
    for path in sorted((Path(__file__).parents[1] / "lib/scpi").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            place = f"{path.name}:{getattr(node, 'lineno', 0)}"
            assert not isinstance(node, ast.Div), place
            assert not (isinstance(node, ast.Constant) and isinstance(node.value, float)), place
            assert not (isinstance(node, ast.Name) and node.id in ("float", "round")), place
