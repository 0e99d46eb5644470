"""The readers that work byte by byte, each against a plain reading with Python's own means."""

import re
from array import array
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scpi import interpreter, lines, numbers, quantity, table
from scpi.errors import ScpiError

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
few = settings(max_examples=200, deadline=None)
any_bytes = st.binary(max_size=60)
likely = st.text("abCD09:;,.?*'\" \t+-eE[]|/=\n", max_size=60).map(str.encode)
texts = st.one_of(any_bytes, likely)
words = st.text(LETTERS + LETTERS.lower() + "_=.9", min_size=1, max_size=12)


# -- units and their parts


@few
@given(texts, st.integers(0, 60), st.sampled_from([b";", b","]))
def test_a_part_ends_at_the_next_mark_outside_of_quotes(text, start, mark):
    start = min(start, len(text))
    part = re.match(rb"(?s:[^'\"%s]|\"[^\"]*(?:\"|$)|'[^']*(?:'|$))*" % mark, text[start:])
    assert interpreter.part_end(text, start, len(text), mark) == start + part.end()


@few
@given(texts)
def test_a_header_ends_at_white_space(text):
    assert interpreter._header_end(text, len(text)) == len(re.split(rb"[ \t]", text)[0])


@few
@given(st.binary(min_size=3, max_size=12), st.integers(0, 3))
def test_a_mark_tells_three_letters_apart_and_no_cases(text, count):
    bits = "".join(f"{byte & 31:05b}" if i < count else "00000" for i, byte in enumerate(text[:3]))
    assert interpreter._mark(text, 0, count) == int(bits, 2)
    assert interpreter._mark(b"cur", 0, 3) == interpreter._mark(b"CURRENT", 0, 3)


@few
@given(st.lists(st.tuples(*[st.integers(0, 5)] * 3), max_size=9), st.integers(0, 9))
def test_the_next_row_with_a_mark(rows, begun):
    flat = array("H", [number for row in rows for number in row])
    begun = min(begun, len(rows))
    found = [3 * i for i, row in enumerate(rows) if i >= begun and row[0] == 2]
    assert interpreter._next(flat, 3 * begun, len(flat), 2) == (found[0] if found else -1)


nodes = st.tuples(
    st.text(LETTERS + LETTERS.lower() + "_", min_size=1, max_size=14),
    st.one_of(st.just(""), st.integers(0, 70_000).map(str), st.just("007")),
)


@few
@given(st.lists(nodes, min_size=1, max_size=10), st.integers(0, 7))
def test_the_mnemonics_of_a_header_and_their_suffixes(said, depth):
    sent = bytearray(interpreter.DEEPEST * interpreter.LONGEST)
    levels = array("H", bytes(4 * interpreter.DEEPEST + 2))
    unit = ":".join(word + digits for word, digits in said).encode()
    reached = interpreter._take(unit, 0, len(unit), sent, levels, depth)
    if depth + len(said) > interpreter.DEEPEST or any(len(word) > 12 for word, _ in said):
        assert reached == 0
        return
    assert reached == depth + len(said) and levels[2 * reached] == 0
    for level, (word, digits) in enumerate(said, depth):
        begun = level * interpreter.LONGEST
        length, suffix = levels[2 * level], levels[2 * level + 1]
        assert bytes(sent[begun : begun + length]) == word.upper().encode()
        if not digits:
            assert suffix == interpreter.NOT_SENT
        elif int(digits) < 6000:
            assert suffix == int(digits)
        else:  # only that it is out of every range
            assert suffix >= 6000


@few
@given(st.text("ab1", min_size=1, max_size=9))
def test_letters_behind_digits_are_no_mnemonic(text):
    sent = bytearray(interpreter.DEEPEST * interpreter.LONGEST)
    levels = array("H", bytes(4 * interpreter.DEEPEST + 2))
    reached = interpreter._take(b"x" + text.encode(), 0, len(text) + 1, sent, levels, 0)
    assert bool(reached) == bool(re.fullmatch("[ab]*1*", text))


def shape(name, optional, high):
    """A node as it is declared, and the pattern of what may be sent for it."""
    short = "".join(letter for letter in name if letter.isupper())
    span = f"[1..{high}]" if high else ""
    digits = r"\d*" if high else ""
    pattern = f"(?:{short}|{name.upper()}){digits}"
    return (f"[:{name}{span}]", f"(?::{pattern})?") if optional else (
        f":{name}{span}", f":{pattern}"
    )


HEADERS = [
    [("SOURce", True, 2), ("PULSe", False, 0), ("WIDTh", False, 0)],
    [("MEASure", False, 4), ("CURRent", True, 0)],
    [("OUTPut", False, 0), ("STATe", True, 3), ("ON", False, 0)],
]
mnemonics = st.sampled_from(["SOUR", "SOURCE", "SOUR1", "SOURC", "PULS", "PULSE", "WIDT", "WIDTH",
                             "MEAS", "MEAS3", "CURR", "OUTP", "STAT2", "ON", "STATE", "WIDTHS"])


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(HEADERS), st.lists(mnemonics, min_size=1, max_size=4))
def test_a_declared_header_means_what_its_pattern_means(header, said):
    parts = [shape(*node) for node in header]
    declared = "".join(part[0] for part in parts).encode() + b" "
    pattern = "".join(part[1] for part in parts)
    sent = bytearray(interpreter.DEEPEST * interpreter.LONGEST)
    levels = array("H", bytes(4 * interpreter.DEEPEST + 2))
    unit = ":".join(said).encode()
    depth = interpreter._take(unit, 0, len(unit), sent, levels, 0)
    found = array("H", bytes(2 * interpreter.DEEPEST + 6))
    end = interpreter._follow(declared, 0, sent, levels, found)
    whole = bool(end) and found[0] == depth and not found[1]
    assert whole == bool(re.fullmatch(pattern, ":" + ":".join(said)))
    if whole:
        assert end == len(declared) - 1
        assert found[2] == sum(1 for node in header if node[2])


# -- tables


@few
@given(words, words, st.lists(words, max_size=3), st.one_of(st.none(), st.integers(1, 9)))
def test_the_words_of_a_row(on_set, on_query, takes, power):
    on_query = on_query.rstrip("=9.") or "q"
    query = on_query if power is None else f"{on_query}={power}"
    if power is None and query[-2:-1] == "=":
        return
    row = f":HEADer {on_set} {query}" + "".join(" " + word for word in takes) + "\n:"
    found = array("H", bytes(10))
    table._find_words(row.encode(), len(":HEADer"), found)
    starts = [match.start() for match in re.finditer(r"(?<= )\S", row.split("\n")[0])] + [0]
    assert list(found[:3]) == starts[:3]
    assert row[found[1] : found[3]] == on_query
    assert found[4] == (0 if power is None else power)


@few
@given(
    st.integers(0, 9),
    st.sampled_from(["A", "HZ", "CM2", ""]),
    st.sampled_from(["", "/0", "/INFinity"]),
)
def test_how_a_quantity_is_answered(power, unit, also):
    takes = f" 5/{unit}-{power}/1/99{also}\n"
    assert quantity._form(takes.encode(), 1) == power + (16 if also == "/INFinity" else 0)


@few
@given(st.lists(st.text(LETTERS, min_size=2, max_size=5), min_size=2, max_size=5), st.data())
def test_words_are_answered_in_their_short_form(shorts, data):
    takes = " 0/" + "|".join(word + "ending" for word in shorts) + "\n"
    place = data.draw(st.integers(0, len(shorts) - 1))
    said = quantity.shown(takes.encode(), 1, place)
    assert said.decode() == shorts[place]


# -- numbers: NR1, NR2, NR3


@few
@given(texts, st.integers(0, 3))
def test_a_numeral_ends_with_its_digits(text, start):
    start = min(start, len(text))
    match = re.match(rb"[0-9]*(?:\.[0-9]*)?", text[start:])
    assert numbers._numeral_end(text, start, len(text)) == start + match.end()


@few
@given(st.integers(0, 9), st.sampled_from("eE"), st.sampled_from(["", "-", "+", "--"]))
def test_a_small_exponent_is_read_at_once(digit, letter, sign):
    text = f"5{letter}{sign}{digit}".encode()
    power = -digit if sign == "-" else 99
    assert numbers._plain_suffix(text, 1, len(text), ord("A")) == power


@few
@given(texts, st.sampled_from("ACFJSVW"))
def test_a_usual_suffix_is_one_of_four_words(text, unit):
    known = {"": 0, "M": -3, "U": -6, "K": 3}
    text = text or b" "
    said = text.lstrip(b" ").decode("latin-1")
    if any(not (c.isascii() and (c.isalpha() or c == " ")) for c in said):
        return  # only what can't be a letter's twin
    power = known.get(said[:-1].upper(), 99) if said[-1:].upper() == unit else 99
    assert numbers._plain_suffix(text, 0, len(text), ord(unit)) == power


@few
@given(st.integers(-(10**9), 10**9), st.integers(0, 8), st.integers(-6, 6),
       st.sampled_from(["", "m", "U", "k", " m"]), st.sampled_from("AVS"))
def test_integers_decimals_and_exponents(digits, point, e, mark, unit):
    number = Decimal(digits).scaleb(-point)
    powers = {"": 0, "m": -3, "U": -6, "k": 3, " m": -3}
    for text in (f"{number:f}", f"{number:f}E{e}"):
        scaled = Decimal(text).scaleb(powers[mark] + 9)
        whole = int(abs(scaled) + Decimal("0.5")) * (-1 if digits < 0 else 1)
        assert numbers.parse_quantity(f"{text}{mark}{unit}", unit, 9) == whole


def test_no_suffix_is_taken_for_a_unit_that_has_none():
    for text, unit in ((b"5mX", "X"), (b"5kM", "M")):
        with pytest.raises(ScpiError) as caught:
            numbers.parse_quantity(text, unit, 3)
        assert caught.value.code == -131


@few
@given(st.integers(0, 0x3FFFFFFE), st.integers(0, 9))
def test_a_decimal_is_written_without_zeros_behind(value, scale):
    text = f"{Decimal(value).scaleb(-scale):f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    assert numbers.format_quantity(value, scale) == text


# -- lines


@few
@given(texts, st.sampled_from([b"", b"!", b"!\x03"]))
def test_plain_bytes_are_those_of_a_line(data, immediate):
    plain = bytes(b for b in [9, *range(32, 127)] if b not in immediate)
    expected = len(data) - len(data.lstrip(plain))
    assert lines._plain(data, 0, len(data), immediate + b"\0") == expected


@few
@given(st.binary(min_size=1, max_size=30), st.data())
def test_copies_are_exact_and_touch_nothing_else(data, draw):
    at = draw.draw(st.integers(0, len(data)))
    count = draw.draw(st.integers(0, len(data) - at))
    place = draw.draw(st.integers(0, 10))
    target = bytearray(b"\xee" * 45)
    lines._copy(data, at, count, target, place)
    assert target[place : place + count] == data[at : at + count]
    assert target[:place] == b"\xee" * place and set(target[place + count :]) == {0xEE}
