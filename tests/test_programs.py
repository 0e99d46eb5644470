"""The library's texts, the format and the validator; and the commands, on the virtual board."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rig import Rig
from strategies import examples

from firmware.core.refused import Refused
from firmware.core.settings import CHANNEL, SESSION
from firmware.programs import classes
from firmware.programs.format import (
    CERTAINTIES,
    CHANNEL_WORDS,
    HEADS,
    LONGEST_LINE,
    SESSION_WORDS,
    Program,
    lines_of,
    parse,
    text_of,
)
from rheobase.programs.library import IDS, plan_of, program, text

REQUIRED = [f"N{n:02}" for n in range(1, 30)] + [f"T{n:02}" for n in range(1, 7)]
REQUIRED += [f"X{n:02}" for n in range(1, 5)]


def test_the_library_is_complete():
    assert sorted(IDS) == sorted([*REQUIRED, "D35"])


@pytest.mark.parametrize("name", REQUIRED)
def test_a_text_of_the_library_is_canonical_allowed_and_has_a_source_for_every_number(name):
    made = program(name)
    assert made.id == name
    assert text_of(made) == text(name)
    assert len(text(name)) <= 2048
    classes.check(made)
    said = [word for _, words, _ in made.sources for word in words]
    assert len(said) == len(set(said)), "two sources for one number"
    for values, table in ((made.session, SESSION_WORDS),
                          *((c, CHANNEL_WORDS) for c in made.channels if c)):
        for field, word, usual, _ in table:
            assert (values[field] == usual) or word in said, word


# The table of presets, typed from the reference independently of the texts:
# Hz, us, on s, off s, up s, down s, ceiling mA, pattern.
PRESETS = {
    "N01": (50, 400, 10, 50, 2, 1, 100, "SIM"), "N02": (50, 250, 15, 45, 3, 1, 100, "SIM"),
    "N03": (30, 300, 5, 14, 3, 1.5, 100, "SIM"), "N04": (35, 300, 6, 7, 1.5, 0.75, 100, "SIM"),
    "N05": (45, 300, 6, 5, 1.5, 0.75, 100, "SIM"), "N06": (50, 400, 5, 10, 2, 0.8, 80, "ALT"),
    "N07": (50, 350, 2, 15, 1, 1, 80, "SIM"), "N08": (10, 400, 10, 10, 1, 1, 80, "SIM"),
    "N09": (15, 500, 5, 10, 1, 1, 80, "SIM"), "N10": (85, 400, 4, 20, 0.75, 0.5, 120, "SIM"),
    "N11": (100, 400, 3, 17, 0.75, 0.5, 120, "SIM"), "N12": (5, 300, 0, 0, 2, 2, 60, "SIM"),
    "N13": (9, 300, 0, 0, 2, 2, 60, "SIM"), "N14": (8, 250, 0, 0, 2, 2, 60, "SIM"),
    "N15": (50, 300, 5, 5, 1, 1, 60, "SIM"), "N16": (80, 300, 0, 0, 3, 3, 50, "SIM"),
    "N17": (40, 250, 10, 420, 2, 1, 100, "SIM"), "N18": (50, 300, 1, 4, 0.2, 0.2, 100, "SIM"),
    "N19": (50, 300, 8, 5, 2, 1, 80, "TRG"), "N20": (40, 300, 6, 13, 2, 1, 80, "ALT"),
    "N21": (35, 300, 5, 12, 2, 1, 50, "ALT"), "N22": (40, 300, 6, 22, 6, 2, 50, "ALT"),
    "N23": (30, 250, 10, 0, 3, 3, 60, "OVL"), "N24": (40, 300, 0, 0, 0.1, 0.1, 100, "TRG"),
    "N25": (40, 300, 0, 0, 0.2, 0.2, 80, "TRG"), "N26": (40, 300, 0, 0, 0.2, 0.2, 80, "TRG"),
    "N27": (50, 198, 10, 50, 2, 1, 100, "SIM"), "N28": (50, 198, 10, 50, 2, 1, 100, "SIM"),
    "N29": (20, 300, 1, 2, 0, 0, 80, "SIM"), "T01": (80, 180, 0, 0, 2, 2, 60, "IND"),
    "T02": (2, 200, 0, 0, 2, 2, 80, "IND"), "T03": (2, 180, 0, 0, 2, 2, 60, "IND"),
    "T04": (100, 200, 0, 0, 2, 2, 60, "IND"), "T05": (125, 100, 0, 0, 2, 2, 60, "IND"),
    "T06": (80, 330, 0, 0, 2, 2, 50, "IND"), "X01": (2, 250, 0, 0, 0, 0, 30, "IND"),
    "X02": (1, 400, 0, 0, 0, 0, 40, "IND"), "X03": (0.5, 1000, 0, 0, 0, 0, 40, "IND"),
    "X04": (40, 300, 0.33, 0.67, 0, 0, 100, "IND"),
}
MINUTES = {
    "N01": 15, "N02": 15.25, "N03": 54, "N04": 25, "N05": 25, "N06": 60, "N07": 30, "N08": 40,
    "N09": 40, "N10": 22.625, "N11": 27, "N12": 25, "N13": 25, "N14": 25, "N15": 20, "N16": 20,
    "N17": 180, "N18": 180, "N19": 20, "N20": 20, "N21": 30, "N22": 30, "N23": 45, "N24": 15,
    "N25": 60, "N26": 60, "N27": 10.5, "N28": 10.5, "N29": 20, "T01": 30, "T02": 30, "T03": 30,
    "T04": 15, "T05": 30, "T06": 30, "X01": 5, "X02": 5, "X03": 10, "X04": 4,
}
COUNTS = {"N01": 15, "N02": 15, "N10": 30, "N11": 48, "N27": 10, "N28": 10}


@pytest.mark.parametrize("name", REQUIRED)
def test_a_program_has_the_numbers_of_the_table_of_presets(name):
    hz, us, on, off, up, down, ceiling, pattern = PRESETS[name]
    made = program(name)
    c = made.channels[0]
    assert c["rate_mhz"] == hz * 1000 and c["width_ns"] == us * 1000
    assert (c["on_ms"], c["off_ms"]) == (on * 1000, off * 1000)
    assert (c["ramp_up_ms"], c["ramp_down_ms"]) == (up * 1000, down * 1000)
    assert c["limit_ua"] == ceiling * 1000
    assert classes.pattern_word(made) == pattern
    assert made.session["duration_ms"] == MINUTES[name] * 60_000
    if not made.session["trigger"]:
        count = plan_of(made).contractions[0]
        assert count == COUNTS.get(name, count)


def test_each_mistake_is_refused_with_its_line():
    good = lines_of(text("N05"))
    for old, new, words in (
        ("program", "programm", "begins with"),
        ("atrophy", "", "not of the form"),
        ("purpose", "porpoise", "unknown: porpoise"),
        ("source V", "source W", "none of V, G, P"),
        ("; ", ", ", "words it is for"),
        ("warm-up rate", "warm-up speed", "unknown word"),
        ("25 min", "25 mn", "MN where s"),
        ("simultaneous", "together", "none of simultaneous"),
        ("width 300 us", "width 300 ms", "above 1 ms"),
        ("ramp up 1.5 s", "ramp up 1.5", "without a unit"),
        ("rest rate 4 Hz", "rest rate 4 Hz, rest rate 4 Hz", "said twice"),
        ("100 mA", "100 mA!", "plain ASCII"),
    ):
        lines = list(good)
        place = next(i for i, line in enumerate(good) if old in line)
        lines[place] = lines[place].replace(old, new, 1)
        with pytest.raises(Refused, match=re.escape(words)) as caught:
            parse(lines)
        assert caught.value.text.startswith(f"line {place + 1}: ")


@pytest.mark.parametrize("missing", ["name: ", "source", "rate 45 Hz, ", "length 25 min, "])
def test_what_must_be_said_is_asked_for(missing):
    lines = [line.replace(missing, "") for line in lines_of(text("N05"))
             if not (missing in ("name: ", "source") and line.startswith(missing))]
    with pytest.raises(Refused, match="N05: "):
        parse(lines)


def test_a_line_too_long_and_a_text_too_long():
    with pytest.raises(Refused, match="line 2: .* above 200"):
        parse(["program A", "name: " + "x" * LONGEST_LINE])
    with pytest.raises(Refused, match="line 61: "):
        parse(["program A", *(["source V: rate; x"] * 60)])


# -- text to program and back --------------------------------------------------------------------

names = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcz0189-_", min_size=1, max_size=12)
phrases = st.text(
    st.characters(min_codepoint=32, max_codepoint=126, exclude_characters="!"), min_size=1,
    max_size=60,
).map(str.strip).filter(bool)


def values(table, words):
    rows = {row[0]: row for row in table}
    made = {}
    for field, _, usual, _ in words:
        row = rows[field]
        value = st.integers(row[4], row[5])
        if row[9] or usual == 0:
            value = st.one_of(st.just(0), value)
        made[field] = value if usual is None else st.one_of(st.just(usual), value)
    return st.fixed_dictionaries(made)


@st.composite
def programs(draw):
    made = Program(draw(names))
    made.head = {head: draw(phrases) for head in HEADS}
    words = [row[1] for row in CHANNEL_WORDS + SESSION_WORDS]
    made.sources = [
        (draw(st.sampled_from(CERTAINTIES)),
         draw(st.lists(st.sampled_from(words), min_size=1, max_size=4)), draw(phrases))
        for _ in range(draw(st.integers(1, 4)))
    ]
    made.session = draw(values(SESSION, SESSION_WORDS))
    one, two = draw(values(CHANNEL, CHANNEL_WORDS)), draw(values(CHANNEL, CHANNEL_WORDS))
    made.channels = draw(st.sampled_from([[one, two], [one, dict(one)], [one, None], [None, one]]))
    return made


@examples(150)
@given(programs())
def test_any_program_comes_back_from_its_text(made):
    written = text_of(made)
    again = parse(lines_of(written))
    assert again == made
    assert text_of(again) == written


@examples(300)
@given(st.sampled_from(REQUIRED), st.data())
def test_a_damaged_text_is_refused_or_means_what_it_says(name, data):
    """Any change of one character: refused with a line, or a text that is read back as written."""
    whole = text(name)
    at = data.draw(st.integers(0, len(whole) - 1))
    byte = data.draw(st.characters(min_codepoint=9, max_codepoint=200))
    lines = lines_of(whole[:at] + byte + whole[at + 1 :])
    try:
        made = parse(lines)
    except Refused as error:
        assert re.match(r"line \d+: |[\w-]+: ", error.text)
        return
    assert parse(lines_of(text_of(made))) == made


# -- what a class allows -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "channel", "session", "words"),
    [
        ("N01", {"off_ms": 999}, {}, "rest of 999 ms below 1000"),
        ("N01", {"on_ms": 0}, {}, "contraction without end"),
        ("N01", {"on_ms": 61_000}, {}, "plateau of 61000 ms"),
        ("N01", {"ramp_up_ms": 499}, {}, "ramp up 499 ms below 500"),
        ("N01", {"ramp_down_ms": 0}, {}, "no ramp down"),
        ("N01", {"width_ns": 500_001}, {}, "width_ns 500001 above 500000"),
        ("N01", {"rate_mhz": 150_001}, {}, "rate_mhz 150001 above 150000"),
        ("N01", {"rest_rate_mhz": 20_001}, {}, "rest rate"),
        ("N01", {}, {"duration_ms": 3_600_001}, "above 60 min"),
        ("N01", {}, {"trigger": 2}, "trigger heel outside of FES"),
        ("N01", {}, {"warm_ms": 1_000, "warm_rate_mhz": 20_001}, "warm rate"),
        ("N03", {"limit_ua": 100_001}, {}, "ceiling 100001 uA above 100000"),
        ("N16", {"limit_ua": 60_001}, {}, "ceiling"),
        ("N17", {"ramp_up_ms": 199}, {}, "ramp up"),
        ("N17", {}, {"duration_ms": 14_400_001}, "above 240 min"),
        ("N18", {"pause_ms": 999}, {}, "pause of 999 ms"),
        ("N23", {"ramp_down_ms": 12_001}, {}, "rest of 999 ms"),
        ("N25", {"ramp_up_ms": 99}, {}, "ramp up 99 ms below 100"),
        ("N25", {}, {"timeout_ms": 3_001}, "time-out 3001 ms above 3000"),
        ("N27", {"interval_ns": 1_000_001}, {}, "carrier below 1 kHz"),
        ("N29", {"rate_mhz": 20_001}, {}, "ramp up 0 ms"),
        ("T05", {"rate_mhz": 9_000, "rate_to_mhz": 20_001, "ramp_up_ms": 0}, {}, "ramp up 0 ms"),
        ("T05", {"width_to_ns": 500_001}, {}, "width_to_ns"),
    ],
)
def test_what_the_class_does_not_allow(name, channel, session, words):
    made = program(name)
    classes.check(made)
    for c in made.channels:
        if c:
            c.update(channel)
    made.session.update(session)
    with pytest.raises(Refused, match=words):
        classes.check(made)


def test_an_unknown_class_is_refused():
    made = program("N01")
    made.head["class"] = "magic"
    with pytest.raises(Refused, match="magic is none of strength"):
        classes.check(made)


# -- on the board ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rig():
    return Rig(keep=())


def read_back(rig, name):
    count = int(rig.ask(f'PROG:LINE:COUN? "{name}"'))
    lines = [rig.ask(f'PROG:LINE? "{name}",{n}') for n in range(1, count + 1)]
    return "".join(line[1:-1].replace('""', '"') + "\n" for line in lines)


def send(rig, content):
    rig.do("PROG:IMP:BEG")
    for line in lines_of(content):
        quoted = line.replace('"', '""')
        rig.do(f'PROG:IMP:LINE "{quoted}"')
    return refusal_of_write(rig, "PROG:IMP:END")


def refusal_of_write(rig, line):
    """As Rig.refusal, with time for the flash."""
    rig.say(f"*CLS;{line}", 0.3)
    error = rig.ask("SYST:ERR?")
    return None if error.startswith("0,") else error


def delete(rig, name):
    assert refusal_of_write(rig, f'PROG:DEL "{name}"') is None


def settings(rig):
    heads = [f"SOUR{n}:{field[1]}" for n in (1, 2) for field in CHANNEL]
    heads += ["SESS:" + field[1] for field in SESSION]
    return [rig.ask(head + "?") for head in heads]


@pytest.mark.parametrize("name", ["N05", "N13", "N18", "N23", "N26", "T05", "X03"])
def test_a_program_goes_to_the_device_and_back(rig, name):
    """Read as text, stored under another id, loaded: the settings are the same."""
    content = read_back(rig, name)
    assert content == text(name)
    copy = content.replace(f"program {name}", "program copy-1", 1)
    assert send(rig, copy) is None
    assert read_back(rig, "copy-1") == copy
    assert rig.say("PROG:CAT?", 0.2).endswith(',"copy-1"')
    assert rig.ask("PROG:CAT:USER?") == '"copy-1"'
    rig.do("*RST")
    rig.do(f'PROG:LOAD "{name}"')
    loaded = settings(rig)
    mode = rig.ask("PROG:MODE?;:SESS:MODE?")
    assert mode == ";".join([classes.mode_of(program(name))] * 2)
    rig.do("*RST")
    assert rig.ask("PROG:MODE?") == "MAN"
    rig.do('PROG:LOAD "copy-1"')
    assert settings(rig) == loaded
    assert rig.ask("PROG:SEL?").split(",")[0] in ('"copy-1"', '""')
    delete(rig, "copy-1")
    assert rig.ask("PROG:CAT:USER?") == '""'


def test_every_program_of_the_library_loads(rig):
    for name in IDS:
        rig.do("*RST")
        rig.do(f'PROG:LOAD "{name}"')
        assert rig.ask("PROG:MODE?") == classes.mode_of(program(name))


def test_settings_by_hand_leave_the_mode_and_pads_do_not(rig):
    rig.do('*RST;PROG:LOAD "T01"')
    rig.do("SOUR1:PAD:AREA 25;:SOUR2:PAD:AREA 16")
    assert rig.ask("PROG:MODE?;SEL?") == 'TENS;"T01","T01"'
    rig.do("SOUR2:PULS:WIDT 190us")
    assert rig.ask("PROG:MODE?;SEL?") == 'MAN;"",""'
    assert rig.ask("SOUR1:PAD:AREA?") == "25"


def test_one_channel_at_a_time_and_modes_do_not_mix(rig):
    rig.do('*RST;PROG:LOAD "N01",1')
    assert rig.ask("PROG:SEL?;:SOUR2:STAT?;:SESS:PATT?") == '"N01","";0;IND'
    rig.do('PROG:LOAD "D35",2')
    assert rig.ask("PROG:SEL?;MODE?;:SESS:DUR?") == '"N01","D35";NMES;900'
    before = settings(rig)
    assert "mode NMES" in rig.error('PROG:LOAD "T01",2')
    assert settings(rig) == before and rig.ask("PROG:MODE?") == "NMES"
    rig.do('PROG:LOAD "T02"')  # a whole program replaces both
    assert rig.ask("PROG:SEL?;MODE?") == '"T02","T02";TENS'


def test_a_program_is_loaded_only_while_both_outputs_are_zero(rig):
    rig.do('*RST;PROG:LOAD "T02"')
    rig.start()
    rig.do("SOUR1:CURR 1mA")
    assert "RUNNING" in rig.error('PROG:LOAD "N01"')
    rig.do("SESS:PAUS")
    rig.wait(1.5)
    assert "PAUSED" in rig.error('PROG:LOAD "N01"')
    assert rig.ask("PROG:MODE?") == "TENS"
    rig.do("OUTP OFF")
    rig.do('PROG:LOAD "N01"')
    assert rig.ask("SOUR1:CURR?;:SOUR2:CURR?") == "0;0"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("program N01", "program N02"), "program of the library"),
        (("program N01", "program own"), None),
        (("off 50 s", "off 500 ms"), "rest of 500 ms"),
        (("rate 50 Hz", "rate 50 kg"), "line 12: KG"),
        (("width 400 us", "width 400 us, colour 3"), "line 12: unknown: colour 3"),
        (("length 15 min", "length 1 s"), "does not fit"),
    ],
)
def test_an_import_is_whole_or_nothing(rig, change, words):
    content = text("N01").replace(*change)
    if words != "program of the library":
        content = content.replace("program N01", "program own")
    before = rig.ask("PROG:CAT:USER?")
    error = send(rig, content)
    if words is None:
        assert error is None
        delete(rig, "own")
    else:
        assert words in error
    assert rig.ask("PROG:CAT:USER?") == before
    assert "no import" in rig.error('PROG:IMP:LINE "x"')
    assert "no import" in rig.error("PROG:IMP:END")


def test_ids_that_are_none(rig):
    for name in ("N99", "../boot", "", "x" * 13, "a b"):
        for line in (f'PROG:LOAD "{name}"', f'PROG:DEL "{name}"'):
            assert rig.error(line).startswith("-224")
    assert "library" in rig.error('PROG:DEL "N01"')
    assert rig.error('PROG:LOAD "N01",3').startswith("-222")


def test_a_damaged_stored_program_is_refused_with_its_reason(rig):
    assert send(rig, text("N12").replace("program N12", "program own")) is None
    files = rig.board.chip.flash.files
    path = next(path for path in files if path.endswith("/own"))
    whole = files[path]
    files[path] = whole.replace(b"rate 5 Hz", b"rate 9 Hz")
    assert "damaged" in rig.error('PROG:LOAD "own"')
    files[path] = whole
    rig.do('PROG:LOAD "own"')
    delete(rig, "own")


def test_a_damaged_library_text_is_refused_with_the_line(rig):
    files = rig.board.chip.flash.files
    path = "/firmware/programs.txt"
    whole = files[path]
    head, mark, tail = whole.partition(b"program N12")
    files[path] = head + mark + tail.replace(b"rate 5 Hz", b"rate 5 H", 1)
    error = rig.error('PROG:LOAD "N12"')
    assert "N12: line 11: " in error, error
    files[path] = whole


def test_32_programs_of_the_users_own():
    rig = Rig(keep=())
    for n in range(32):
        content = text("T02").replace("program T02", f"program P{n:02}")
        for line in ("PROG:IMP:BEG", *(f'PROG:IMP:LINE "{x}"' for x in lines_of(content)),
                     "PROG:IMP:END"):
            rig.say(line, 0.3 if line.endswith("END") else 0.01)
    assert rig.ask("SYST:ERR?").startswith("0,")
    assert len(rig.ask("PROG:CAT:USER?").split(",")) == 32
    assert read_back(rig, "P31") == text("T02").replace("program T02", "program P31")


MACHINES = {"firmware.hal.tape_program", "firmware.hal.sense_program"}


def test_the_parsers_modules_are_dropped(rig):
    rig.do('*RST;PROG:LOAD "N01"')
    assert rig.ask("PROG:MODE?") == "NMES"
    rig.board.usb.write(b"\x03")  # to the prompt
    rig.wait(0.2)
    rig.board.usb.read()
    answer = rig.say("import sys; [n for n in sys.modules if 'program' in n or 'shelf' in n]", 0.2)
    names = set(re.findall(r"'([\w.]+)'", answer.splitlines()[1]))
    assert names <= {"firmware.programs", "firmware.remote.programs"} | MACHINES


def test_words_of_the_format_are_those_of_the_settings():
    assert {row[0] for row in CHANNEL_WORDS} == {f[0] for f in CHANNEL} - {"enabled", "pad_mm2"}
    assert {row[0] for row in SESSION_WORDS} == {f[0] for f in SESSION} - {"standalone"}
