"""Headers: long and short forms, optional nodes, suffixes, and the path rule."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scpi.check import check
from scpi.errors import ScpiError
from scpi.interpreter import Interpreter
from scpi.listing import headers as listed
from scpi.rows import Rows

TABLE = (
    "*IDN", "*RST", "[SOURce[1|2]]:CURRent[:LEVel][:AMPLitude]", "[SOURce[1|2]]:PULSe:WIDTh",
    "[SOURce[1|2]]:PULSe:GAP", "OUTPut[1|2][:STATe]", "STATus:PRESet", "STATus:OPERation[:EVENt]",
    "INPut[3..12]:PORT[0|1]:LEVel", "SYSTem:ERRor[:NEXT]", "GAP", ":ROOT:ONE",
)


def tree(*headers):
    return Interpreter(Rows([(header, None, None) for header in headers or TABLE]))


def find(path, text):
    """(header as declared, suffixes) of what `text` leads to, or the error's number."""
    try:
        path.find(text.encode())
    except ScpiError as error:
        return error.code
    return (path.table.row(path.at)[0].lstrip(":"), *path.numbers)


def follow(*texts):
    """What the units of one line lead to."""
    path = tree()
    return [find(path, text) for text in texts]


CURRENT = "[SOURce[1|2]]:CURRent[:LEVel][:AMPLitude]"
WIDTH = "[SOURce[1|2]]:PULSe:WIDTh"
GAP = "[SOURce[1|2]]:PULSe:GAP"


@pytest.mark.parametrize(("text", "found"), [
    ("SOURce:CURRent:LEVel:AMPLitude", (CURRENT, 1)), ("curr", (CURRENT, 1)),
    ("SOUR2:CURR", (CURRENT, 2)), ("source2:current:ampl", (CURRENT, 2)),
    ("CURR:LEV", (CURRENT, 1)),
    ("sOuR02:cUrReNt", (CURRENT, 2)), (":CURR", (CURRENT, 1)), ("PULS:WIDT", (WIDTH, 1)),
    ("OUTP", ("OUTPut[1|2][:STATe]", 1)), ("OUTPUT2:STATE", ("OUTPut[1|2][:STATe]", 2)),
    ("outp:stat", ("OUTPut[1|2][:STATe]", 1)), ("STAT:PRES", ("STATus:PRESet",)),
    ("STATUS:OPER", ("STATus:OPERation[:EVENt]",)), ("*idn", ("*IDN",)), ("GAP", ("GAP",)),
    ("INP:PORT:LEV", ("INPut[3..12]:PORT[0|1]:LEVel", 3, 0)), ("ROOT:ONE", ("ROOT:ONE",)),
    ("INP12:PORT1:LEV", ("INPut[3..12]:PORT[0|1]:LEVel", 12, 1)),
    ("SOUR3:CURR", -114), ("SOUR0:CURR", -114), ("SOUR99999999999:CURR", -114), ("CURR2", -114),
    ("SOUR:PULS2:WIDT", -114), ("INP2:PORT:LEV", -114), ("INP13:PORT:LEV", -114), ("GAP1", -114),
    ("INP:PORT2:LEV", -114),
    ("SOURC:CURR", -113), ("SOU:CURR", -113), ("CURRE", -113), ("SOUR", -113), ("SOUR:PULS", -113),
    ("SOUR:SOUR:CURR", -113), ("STATE:PRES", -113), ("STATE:OPERATION", -113),
    ("OUTP:STATUS", -113), ("OUTPUT:STATUS", -113),
    ("SOUR::CURR", -113), ("::CURR", -113), (":", -113), ("CURR:", -113), ("*ABC", -113),
    (":*IDN", -113), ("SOUR:*IDN", -113), ("*CURR", -113), ("1", -113), ("2SOUR:CURR", -113),
    ("A:A:A:A:A:A:A:A:A:A:A", -113), ("CURR:" * 9 + "CURR", -113),
    ("CURRENTLEVELX", -112), ("SOUR:AMPLITUDELEVEL", -112), ("AMPLITUDELEVEL:CURR", -112),
    ("SOUR,CURR", -103), ("CURR,5", -103), ("CURR=5", -111), ("CURR(5)", -111), ("CURR?5", -111),
    ('CURR"A"', -111), ("SOUR:#H1", -102), ("+5", -102), ("(", -102), ("$", -102), ('"A"', -102),
])
def test_one_header(text, found):
    assert follow(text) == [found]


@pytest.mark.parametrize(("line", "found"), [
    # IEEE 488.2, A.1: what a header without a colon continues.
    (["SOUR2:PULS:WIDT", "GAP"], [(WIDTH, 2), (GAP, 2)]),
    (["SOUR2:PULS:WIDT", ":GAP"], [(WIDTH, 2), ("GAP",)]),
    (["SOUR2:PULS:WIDT", "*RST", "GAP"], [(WIDTH, 2), ("*RST",), (GAP, 2)]),
    (["PULS:WIDT", "GAP"], [(WIDTH, 1), (GAP, 1)]),
    (["SOUR2:CURR", "PULS:WIDT", "GAP"], [(CURRENT, 2), (WIDTH, 2), (GAP, 2)]),
    (["SOUR2:CURR:LEV:AMPL", "LEV"], [(CURRENT, 2), -113]),
    (["SOUR2:CURR", "SOUR1:CURR"], [(CURRENT, 2), -113]),
    (["SOUR2:CURR", ":SOUR1:CURR"], [(CURRENT, 2), (CURRENT, 1)]),
    (["CURR", "SOUR2:CURR"], [(CURRENT, 1), (CURRENT, 2)]),
    (["SOUR2:CURR:LEV", "AMPL"], [(CURRENT, 2), (CURRENT, 2)]),
    (["SOUR2:CURR:LEV:AMPL", "AMPL"], [(CURRENT, 2), (CURRENT, 2)]),
    (["SOUR2:CURR:AMPL", "LEV"], [(CURRENT, 2), (CURRENT, 2)]),
    (["OUTP2:STAT", "STAT"], [("OUTPut[1|2][:STATe]", 2), ("OUTPut[1|2][:STATe]", 2)]),
    (["OUTP2", "STAT"], [("OUTPut[1|2][:STATe]", 2), -113]),
    (["INP5:PORT1:LEV", "LEV"], [("INPut[3..12]:PORT[0|1]:LEVel", 5, 1)] * 2),
    (["INP5:PORT1:LEV", "GAP"], [("INPut[3..12]:PORT[0|1]:LEVel", 5, 1), -113]),
    (["*IDN", "GAP"], [("*IDN",), ("GAP",)]),
])
def test_the_path_rule(line, found):
    assert follow(*line) == found


def test_a_new_line_begins_at_the_root():
    path = tree()
    assert find(path, "SOUR2:PULS:WIDT") == (WIDTH, 2)
    path.begin_line()
    assert find(path, "GAP") == ("GAP",)


def test_the_name_of_what_was_found_is_complete():
    path = tree()
    find(path, "source2:pulse:width")
    assert path.name() == "SOUR2:PULS:WIDT"
    find(path, "gap")
    assert path.name() == "SOUR2:PULS:GAP"
    find(path, "*idn")
    assert path.name() == "*IDN"
    find(path, ":curr")
    assert path.name() == "CURR"


def written(header):
    """Every way to write a declared header, with the suffixes it means; ranges at their ends."""
    nodes = []
    for part in header.replace("[:", ":[").split(":"):
        optional = part.startswith("[")
        name = part[1:-1] if optional else part
        name, _, span = name.partition("[")
        ways = [""] if optional else []
        numbers = span.rstrip("]").replace("..", "|").split("|") if span else [""]
        short = "".join(letter for letter in name if letter.isupper())
        for word in {short, name.upper()}:
            ways += [word] + [word + number for number in numbers]
        nodes.append([(way, span and numbers[0], name) for way in ways if way or optional])
    for choice in itertools.product(*nodes):
        text = ":".join(way for way, _, _ in choice if way)
        suffixes = [
            int("".join(filter(str.isdigit, way)) or first) for way, first, _ in choice if first
        ]
        yield text, tuple(suffixes)


@pytest.mark.parametrize("header", [header for header in TABLE if header[0] not in "*:"])
def test_every_way_to_write_a_header_leads_to_it(header):
    path = tree()
    count = 0
    for text, numbers in written(header):
        for case in (text, text.lower(), text.title()):
            path.begin_line()
            assert find(path, case) == (header, *numbers)
            assert find(path, ":" + case) == (header, *numbers)
        count += 1
    assert count >= 2 ** header.count(":")


@settings(deadline=None)
@given(st.data())
def test_no_other_cut_of_a_mnemonic_is_taken(data):
    """Only the short and the long form; nothing between, below or beyond."""
    word = data.draw(st.sampled_from(["SOURCE", "PULSE", "WIDTH"]))
    length = data.draw(st.integers(1, len(word) + 2))
    cut = (word + "XX")[:length]
    header = ["SOUR", "PULS", "WIDT"]
    header[["SOURCE", "PULSE", "WIDTH"].index(word)] = cut
    found = follow(":".join(header))
    if cut == word or cut == word[:4]:
        assert found == [(WIDTH, 1)]
    else:
        assert found == [-113]


@pytest.mark.parametrize("headers", [
    ["SOURce:CURRent", "[SOURce]:CURRent"], ["A:B", ":A:B"], ["*IDN", "*IDN"],
    ["CURR", "CURRent"], ["OUTPut[:STATe]", "OUTPut"], ["[A][:B]"], ["AbC"], ["A[2|1]"],
    ["A[:B:C]"], ["A[1|2"], ["A]"], ["A1"],
    ["[A"], ["A:[1|2]"], ["OUTPut:STATe", "OUTPut:STATus"],
])
def test_a_table_that_says_two_things_is_refused(headers):
    with pytest.raises(ValueError):
        check(Rows([(header, None, None) for header in headers]))


def test_a_sound_table_passes():
    check(Rows([(header, None, None) for header in TABLE]))


def test_headers_are_listed_with_what_they_can_do():
    def nothing():
        return

    commands = (("*RST", nothing, None), ("A:B", nothing, nothing), ("MEAS:C", None, nothing))
    assert listed([Rows(commands)]) == "*RST/nquery/,A:B,MEAS:C?/qonly/"
