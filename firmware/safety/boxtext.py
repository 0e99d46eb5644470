"""A saved black box for a reader: its pulses and events as text. Imported when used."""

import struct

from firmware.safety.blackbox import (
    COMMAND,
    EVENT_BYTES,
    EVENTS,
    KINDS,
    PULSE_WORDS,
    PULSES,
    STATE,
)
from firmware.safety.states import NAMES

_TIMES = 2 * PULSE_WORDS * PULSES  # where the times begin
_EVENTS = _TIMES + 4 * PULSES
BODY = _EVENTS + EVENT_BYTES * EVENTS
_MARK = b"rheobase-box 1 "


def written(box, number):
    """The parts of the file of a black box (safety/blackbox.py) that belongs to a log record."""
    head = b"%s%d %d %d\n" % (_MARK, number, box.pulses, box.events)
    return head, box.pulse_words, box.pulse_times, box.event_bytes


def head(data):
    """(number of the log record, pulses noted, events noted); zeros for what is no black box."""
    if data[: len(_MARK)] != _MARK:
        return 0, 0, 0
    words = data[len(_MARK) :].split(b"\n")[0].split()
    return int(words[0]), int(words[1]), int(words[2])


def _places(noted, size, first, count):
    """Places in a ring of the first-th newest entry and the `count` - 1 before it."""
    return [
        (noted - back) % size for back in range(first, min(first + count, min(noted, size) + 1))
    ]


def pulses(data, noted, first, count):
    """Texts "time ms,channel,level,width turns,plus level,minus level", newest first."""
    start = len(data) - BODY
    for place in _places(noted, PULSES, first, count):
        words = struct.unpack_from("<HHHH", data, start + 2 * PULSE_WORDS * place)
        time_ms = struct.unpack_from("<i", data, start + _TIMES + 4 * place)[0]
        values = (time_ms, (words[0] >> 12) + 1, words[0] & 0xFFF) + words[1:]
        yield ",".join([str(value) for value in values])


def events(data, noted, first, count):
    """Texts "time ms,kind,what", newest first."""
    start = len(data) - BODY + _EVENTS
    for place in _places(noted, EVENTS, first, count):
        at = start + EVENT_BYTES * place
        time_ms, kind, length = struct.unpack_from("<iBB", data, at)
        told = data[at + 6 : at + 6 + length]
        if kind == STATE:
            what = NAMES[told[0]]
        elif kind == COMMAND:
            what = "".join([chr(b) if 32 <= b < 127 and b != 34 else "?" for b in told])
        else:
            what = f"trip {told[0] & 1} stop {told[0] >> 1 & 1}"
        yield f"{time_ms},{KINDS[kind]},{what.replace(';', '|')}"
