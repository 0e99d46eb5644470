"""The line assembler must not allocate: shown with the heap locked, and by counting."""

import gc

import micropython
from scpi.lines import IMMEDIATE, INVALID, LINE, OVERRUN, LineAssembler

STREAM = b"SOUR1:CURR 5 mA\r\nOUTP!\nCURR\x00\n" + b"x" * 300 + b"\n" + b"*IDN?\r"
PIECE = 7


def receive(assembler, stream, counts):
    """Feed the stream in pieces of its buffer and count what the assembler reports."""
    at = 0
    end = len(stream)
    while at < end:
        stop = at + PIECE
        if stop > end:
            stop = end
        while at < stop:
            at = assembler.feed(stream, at, stop)
            event = assembler.event
            if event == LINE:
                counts[0] += 1
            elif event == IMMEDIATE:
                counts[1] += 1
            elif event == INVALID:
                counts[2] += 1
            elif event == OVERRUN:
                counts[3] += 1


def test_receiving_works_with_the_heap_locked():
    assembler = LineAssembler(256, b"!")
    counts = [0, 0, 0, 0]
    micropython.heap_lock()
    try:
        receive(assembler, STREAM, counts)
    finally:
        micropython.heap_unlock()
    if counts != [2, 1, 1, 1]:
        raise AssertionError(counts)


def test_the_lock_would_have_shown_an_allocation():
    assembler = LineAssembler(256, b"!")
    assembler.feed(b"*IDN?\n", 0, 6)
    micropython.heap_lock()
    try:
        assembler.line()
    except MemoryError:
        return
    finally:
        micropython.heap_unlock()
    raise AssertionError("copying a line must allocate")


def test_a_thousand_lines_leave_the_heap_as_it_was():
    assembler = LineAssembler(256, b"!")
    counts = [0, 0, 0, 0]
    receive(assembler, STREAM, counts)
    before = gc.mem_alloc()
    for _ in range(500):
        receive(assembler, STREAM, counts)
    used = gc.mem_alloc() - before
    if used:
        raise AssertionError("{} bytes of heap for {} lines".format(used, counts[0]))
    if counts != [1002, 501, 501, 501]:
        raise AssertionError(counts)


def test_lines_are_what_was_sent():
    assembler = LineAssembler()
    lines = []
    at = 0
    while at < len(STREAM):
        at = assembler.feed(STREAM, at, len(STREAM))
        if assembler.event == LINE:
            lines.append(assembler.line())
    if lines != [b"SOUR1:CURR 5 mA", b"OUTP!", b"*IDN?"]:
        raise AssertionError(lines)
