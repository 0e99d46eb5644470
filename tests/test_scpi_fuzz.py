"""Whatever comes in: no exception, nothing half applied, and *IDN? still answers."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st
from scpi_device import IDENTITY, Device
from strategies import examples

GOOD = [
    "SOUR1:CURR 5 mA", "source2:current:level:amplitude 0.012", "CURR MAX", "CURR?", "*IDN?",
    "SOUR2:PULS:WIDT 400us", ":PULSE:WIDTH? MIN", "PULS:POL ALT", "OUTP2 ON", "OUTP2:STAT?",
    "ELEC:WIND 200,3 KOHM", "ELEC:WIND?", "TRA:COUN INF", "TRA:COUN #H1F", "TRIG 2", "TRIG",
    "SYST:NAME \"a;b,'c'\"", "SYST:NAME?", "MEAS2:IMP? 1mA", "*ESE 32", "*SRE?", "*STB?", "*ESR?",
    "*OPC", "*OPC?", "*CLS", "*RST", "*TST?", "*WAI", "SYST:ERR?", "SYST:ERR:COUN?", "SYST:VERS?",
    "SYST:HELP:HEAD?", "STAT:OPER:ENAB 5", "STAT:QUES?", "STAT:PRES", "SYST:PROM OFF",
]
BAD = [
    "FOO", "SOUR3:CURR 1mA", "CURR 1 A", "CURR", "CURR 1mA,2mA", "PULS:POL UP",
    "ELEC:WIND 300,200", "ELEC:WIND 300,9E9", "OUTP 2", "TRA:COUN 2.5", "SYST:NAME x",
    "DIAG:FAIL", "MEAS:IMP",
    "PULS:WIDT 1E-3 A", "*FOO", "*ESE 256", "TRIG 3", "DIAG:NOTH?", "CURR 1..2", "1", "CURR=1",
]

ERROR = re.compile(r'-?\d+,"([^"]|"")*"')


def sound(device):
    """What must hold after anything."""
    for channel in (1, 2):
        assert 20_000 <= device.width[channel] <= 1_000_000
        assert 0 <= device.current[channel] <= device.ceiling[channel]
        assert device.polarity[channel] in (1, -1, 0)
        assert device.on[channel] in (True, False)
    assert 100 <= device.window[0] <= device.window[1] <= 5000
    assert 0 <= device.count <= 10_000
    for text in device.error_texts():
        assert len(text) <= 255
        assert ERROR.fullmatch(text)
    for reply in device.replies():
        assert "\n" not in reply
        assert reply.isascii()
    device.instrument.receive(b"\n")
    assert device.ask("SYST:PROM OFF;*IDN?") == [IDENTITY]
    assert device.errors() == []


def joined(units):
    """The units as one line, each from the root."""
    return ";:".join(units).replace(":*", "*").replace("::", ":")


@st.composite
def mutated(draw):
    """A valid line with bytes put in, taken out, doubled or changed."""
    units = draw(st.lists(st.sampled_from(GOOD), min_size=1, max_size=4))
    line = bytearray(joined(units), "ascii")
    for _ in range(draw(st.integers(1, 5))):
        place = draw(st.integers(0, len(line)))
        count = draw(st.integers(0, 3))
        junk = draw(st.one_of(
            st.sampled_from([bytes([byte]) for byte in b";:,\"'?* #(E-\n!M\0"] + [b"9" * 50]),
            st.binary(max_size=3),
        ))
        line[place:place + count] = junk
    return bytes(line)


@examples(200)
@given(st.lists(st.one_of(st.binary(max_size=80), mutated()), max_size=8))
def test_anything_may_come_in(lines):
    device = Device()
    for line in lines:
        device.send(line + b"\n")
        sound(device)


@settings(deadline=None)
@given(
    st.lists(st.sampled_from([unit for unit in GOOD if unit != "*IDN?"]), max_size=5),
    st.sampled_from(BAD),
    st.lists(st.sampled_from(GOOD), max_size=3),
)
def test_units_before_a_bad_one_are_applied_whole_and_none_after_it(before, bad, after):
    device, alone = Device(), Device()
    device.ask(joined([*before, bad, *after]))
    for unit in [*before, bad]:
        alone.ask(unit)
        if len(alone.instrument.errors):  # a good one too may be refused, being on
            break
    assert device.calls == alone.calls
    assert device.state() == alone.state()
    errors = device.errors()
    assert errors == alone.errors()
    assert len(errors) == 1


@settings(deadline=None)
@given(st.sampled_from(BAD))
def test_a_bad_line_by_itself_changes_nothing(bad):
    device = Device()
    before = device.state()
    assert device.ask(bad) == []
    assert device.state() == before
    assert device.calls == []
    assert len(device.errors()) == 1


@settings(deadline=None)
@given(
    st.lists(
        st.one_of(st.sampled_from(GOOD + BAD).map(str.encode), mutated()), max_size=8
    ),
    st.sampled_from([b"\n", b"\r", b"\r\n"]),
    st.lists(st.integers(0, 600), max_size=40),
)
def test_the_pieces_a_stream_comes_in_do_not_matter(lines, end, cuts):
    stream = b"".join(line + end for line in lines)
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    whole, pieces, single = Device(), Device(), Device()
    whole.send(stream)
    for first, last in zip(edges, edges[1:], strict=False):
        pieces.send(stream[first:last])
    for byte in stream:
        single.send(bytes([byte]))
    expected = (whole.calls, whole.stops, whole.replies(), whole.error_texts(), whole.state())
    for other in (pieces, single):
        seen = (other.calls, other.stops, other.replies(), other.error_texts(), other.state())
        assert seen == expected


@settings(deadline=None)
@given(st.sampled_from(GOOD), st.data())
def test_letter_case_does_not_matter_outside_of_strings(line, data):
    parts = line.split('"')
    for place in range(0, len(parts), 2):
        lower = data.draw(st.lists(st.booleans(), min_size=len(line), max_size=len(line)))
        parts[place] = "".join(
            letter.lower() if small else letter.upper()
            for letter, small in zip(parts[place], lower, strict=False)
        )
    one, other = Device(), Device()
    assert one.ask(line) == other.ask('"'.join(parts))
    assert one.calls == other.calls
    assert one.errors() == other.errors() == []
