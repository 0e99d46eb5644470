"""Lines of queries that an instrument knows already: they answer as if they were new."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scpi import instrument as instruments
from scpi.errors import ScpiError
from scpi.instrument import Instrument
from scpi.table import Table

ROWS = b"""
[:SOURce[1|2]]:CURRent[:LEVel] set_current currents.of 0/A-6/0/120000
:COUNt - count
:FLAKy - flaky
:LIMit - limit /#/1/9
:GONE - gone.now
"""


class Currents:
    def __init__(self):
        self.values = [0, 0]

    def of(self, channel):
        return self.values[channel]


class Owner:
    """What queries see changes with every one of some, and one refuses every second time."""

    def __init__(self):
        self.currents = Currents()
        self.counted = 0

    def set_current(self, channel, current_ua):
        self.currents = Currents()  # another object: what was reached through the old one is stale
        self.currents.values[channel] = current_ua

    def count(self):
        self.counted += 1
        return self.counted, "of", True

    def flaky(self):
        self.counted += 1
        if self.counted % 2:
            raise ScpiError(-221, "not now")
        return 7

    def limit(self, number):
        return number

    @property
    def gone(self):
        self.counted += 1
        if self.counted % 3 == 0:
            raise ScpiError(-221, "gone")
        return type("Here", (), {"now": self.counted})


class Talk:
    def __init__(self):
        self.heard = []
        self.instrument = Instrument("A,B,0,1", Table(ROWS, Owner(), 1))
        self.instrument.on_line = self.heard.append

    def say(self, line):
        self.instrument.receive(line.encode() + b"\n")
        said = []
        while (reply := self.instrument.take_reply()) is not None:
            said.append(reply)
        return said


UNITS = (
    "SOUR2:CURR?", ":SOUR1:CURR 1 mA", "CURR?", "COUN?", ":FLAK?", ":GONE?", ":LIM? 3", "*IDN?",
    "*STB?", "SYST:ERR?", "ERR:COUN?", "FOO?", "", ":CURR:LEV?", "*OPC?", "curr? max",
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from(UNITS), min_size=1, max_size=3).map(";".join), max_size=14)
)
def test_a_line_said_before_answers_as_a_new_one(lines):
    knowing, forgetful = Talk(), Talk()
    for line in lines + lines:
        forgetful.instrument._known.clear()
        assert knowing.say(line) == forgetful.say(line)
        assert knowing.instrument.code == forgetful.instrument.code
    assert len(knowing.instrument._known) <= instruments.MOST_KNOWN


def test_polls_are_told_once_and_what_does_something_each_time():
    talk = Talk()
    for line in ("COUN?;*STB?", "CURR 1 mA", "LIM? 3", "CURR?;:CURR 2 mA"):
        for _ in range(3):
            talk.say(line)
    heard = talk.heard
    assert heard.count(b"COUN?;*STB?") == 1
    for line in (b"CURR 1 mA", b"LIM? 3", b"CURR?;:CURR 2 mA"):
        assert heard.count(line) == 3


def test_the_application_gets_its_turns_within_a_known_line_too():
    talk = Talk()
    turns = []
    talk.instrument.on_unit = lambda: turns.append(1)
    for times in (1, 2, 3):
        assert len(talk.say("COUN?;COUN?;COUN?;COUN?;COUN?")) == 1
        assert len(turns) == 2 * times
    talk.say("COUN?;COUN?")
    talk.say("COUN?;COUN?")
    assert len(turns) == 6


@pytest.mark.parametrize("over", [0, 1])
def test_only_short_lines_are_kept(over):
    talk = Talk()
    line = "*STB?;" + "*STB?".rjust(instruments.LONGEST_KNOWN + over - 6)
    assert talk.say(line) == talk.say(line)
    assert talk.heard.count(line.encode()) == 1 + over


def test_more_lines_than_are_kept_are_answered_too():
    talk = Talk()
    queries = ("*IDN?", "*ESE?", "SYST:VERS?", "CURR?")
    lines = [f"{one};:{other}" for one in queries[1:] for other in queries if other[0] != "*"]
    lines += [*queries, "*ese?", "*Ese?", "curr?", "Curr?"]
    assert len(lines) > instruments.MOST_KNOWN
    for _ in range(2):
        for line in lines:
            assert talk.say(line)[0].split(b";")[0] in (b"A,B,0,1", b"0", b"1999.0")
            assert line.encode() in talk.instrument._known
            assert len(talk.instrument._known) <= instruments.MOST_KNOWN
