"""The line assembler: which bytes make a line, and that the pieces they come in don't matter."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scpi.lines import IMMEDIATE, INVALID, LINE, NOTHING, OVERRUN, LineAssembler


def events(pieces, size=256, immediate=b"!"):
    """Everything that happens when these pieces of a stream come in, one after the other."""
    assembler = LineAssembler(size, immediate)
    seen = []
    for piece in pieces:
        start = 0
        while start < len(piece):
            start = assembler.feed(piece, start, len(piece))
            if assembler.event == LINE:
                seen.append(assembler.line())
            elif assembler.event in (IMMEDIATE, INVALID):
                seen.append((assembler.event, assembler.byte))
            elif assembler.event:
                seen.append(assembler.event)
    return seen


def expected(stream, size, immediate):
    """The same in the plainest words: a state for the line, one byte at a time."""
    seen, line, verdict = [], b"", None
    for byte in stream:
        if byte in immediate:
            seen.append((IMMEDIATE, byte))
            if line and verdict is None:
                verdict = "dropped"
        elif byte in b"\r\n":
            if verdict is None and line:
                seen.append(line)
            elif verdict not in (None, "dropped"):
                seen.append(verdict)
            line, verdict = b"", None
        else:
            printable = 32 <= byte < 127 or byte == 9
            if verdict is None and not printable:
                verdict = (INVALID, byte)
            if verdict is None and len(line) == size:
                verdict = OVERRUN
            line += bytes([byte])
    return seen


@pytest.mark.parametrize(("stream", "seen"), [
    (b"A\n", [b"A"]), (b"A\r", [b"A"]), (b"A\r\n", [b"A"]), (b"\n\r\n\r\r", []),
    (b"A\nB\rC\r\nD", [b"A", b"B", b"C"]), (b"  \n", [b"  "]), (b"A\tB\n", [b"A\tB"]),
    (b"A\0B\nC\n", [(INVALID, 0), b"C"]), (b"\x7f\n", [(INVALID, 127)]),
    (b"5 \xc2\xb5s\nC\n", [(INVALID, 0xC2), b"C"]), (b"\x1b[A\n", [(INVALID, 27)]),
    (b"x" * 256 + b"\n", [b"x" * 256]), (b"x" * 257 + b"\nC\n", [OVERRUN, b"C"]),
    (b"x" * 100_000, []), (b"x" * 5000 + b"\0\nC\n", [OVERRUN, b"C"]),
    (b"\0" + b"x" * 5000 + b"\nC\n", [(INVALID, 0), b"C"]),
])
def test_lines(stream, seen):
    assert events([stream]) == seen


@pytest.mark.parametrize(("stream", "seen"), [
    (b"!", [(IMMEDIATE, 33)]), (b"!!A\n", [(IMMEDIATE, 33), (IMMEDIATE, 33), b"A"]),
    (b"A\n!B\n", [b"A", (IMMEDIATE, 33), b"B"]),
    # The line it stands in is gone, its tail too: ON after it must not switch on.
    (b"OUTP 0;!OUTP ON\nB\n", [(IMMEDIATE, 33), b"B"]), (b'"a!b"\nB\n', [(IMMEDIATE, 33), b"B"]),
    (b"A!!\nB\n", [(IMMEDIATE, 33), (IMMEDIATE, 33), b"B"]),
    (b"A!\r\nB\n", [(IMMEDIATE, 33), b"B"]),
    # In a line that was already refused.
    (b"\0!A\nB\n", [(IMMEDIATE, 33), (INVALID, 0), b"B"]),
    (b"x" * 300 + b"!A\nB\n", [(IMMEDIATE, 33), OVERRUN, b"B"]),
])
def test_an_immediate_byte_is_met_at_once_and_takes_its_line_along(stream, seen):
    assert events([stream]) == seen


def test_an_immediate_byte_may_be_a_control_character():
    assert events([b"A\x03\x18\nB\n"], immediate=b"\x03\x18") == [(2, 3), (2, 24), b"B"]
    assert events([b"A\x03\nB\n"], immediate=b"!") == [(INVALID, 3), b"B"]


streams = st.lists(
    st.one_of(
        st.sampled_from([b"\n", b"\r", b"\r\n", b"!", b"\x03", b"\0", b"\xff", b"\t", b"x" * 9]),
        st.binary(max_size=6),
        st.text("AB;, \"'", max_size=8).map(str.encode),
    ),
    max_size=40,
).map(b"".join)


@settings(deadline=None)
@given(streams, st.integers(1, 20), st.sampled_from([b"", b"!", b"!\x03"]))
def test_the_assembler_does_what_a_plain_reading_says(stream, size, immediate):
    assert events([stream], size, immediate) == expected(stream, size, immediate)


@settings(deadline=None)
@given(streams, st.lists(st.integers(0, 400), max_size=30))
def test_any_splitting_of_the_stream_gives_the_same(stream, cuts):
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    pieces = [stream[a:b] for a, b in zip(edges, edges[1:], strict=False)]
    assert events(pieces, 10) == events([stream], 10)
    assert events([bytes([byte]) for byte in stream], 10) == events([stream], 10)


def test_only_the_given_span_of_a_buffer_is_read():
    assembler = LineAssembler()
    buffer = bytearray(b"junkA\njunk")
    assert assembler.feed(buffer, 4, 6) == 6
    assert assembler.event == LINE
    assert assembler.line() == b"A"
    assert assembler.feed(buffer, 6, 6) == 6
    assert assembler.event == NOTHING


def test_clear_forgets_the_line_begun():
    assembler = LineAssembler(8)
    for begun in (b"half", b"\0bad", b"x" * 99):
        assembler.feed(begun, 0, len(begun))
        assembler.clear()
        assert assembler.feed(b"whole\n", 0, 6) == 6
        assert assembler.event == LINE
        assert assembler.line() == b"whole"
