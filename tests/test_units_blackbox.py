"""The black box by itself: every byte of what it notes, where it wraps, what it leaves out."""

import pytest

from firmware.safety import blackbox
from firmware.safety.blackbox import BlackBox

FULL = 0x01234567


def event(box, number):
    """(time, kind, text) of the event noted at this place."""
    data = bytes(box.event_bytes[32 * number : 32 * number + 32])
    return int.from_bytes(data[:4], "little", signed=True), data[4], data[6 : 6 + data[5]]


def test_an_empty_box():
    box = BlackBox()
    assert (box.pulses, box.events, box.frozen, box.now_ms) == (0, 0, False, 0)
    assert len(box.pulse_words) == 4 * 64 and len(box.pulse_times) == 64
    assert len(box.event_bytes) == 32 * 32 and not any(box.event_bytes)
    assert box.pulse_words.itemsize == 2 and box.pulse_times.itemsize == 4
    assert blackbox.KINDS == ("none", "state", "inputs", "command")
    assert (blackbox.STATE, blackbox.INPUTS, blackbox.COMMAND) == (1, 2, 3)
    sizes = blackbox.PULSES, blackbox.EVENTS, blackbox.PULSE_WORDS, blackbox.EVENT_BYTES
    assert (*sizes, blackbox.TEXT) == (64, 32, 4, 32, 26)


def test_a_pulses_words_and_time():
    box = BlackBox()
    box.watch(FULL, 0, 0)
    box.note((1, 2_000, 65_534, 65_535, 65_536))
    assert list(box.pulse_words[:8]) == [4_096 + 2_000, 65_534, 65_535, 65_535, 0, 0, 0, 0]
    assert list(box.pulse_times[:2]) == [FULL, 0]
    box.note((0, 1, 2, 3, 4))
    assert list(box.pulse_words[4:8]) == [1, 2, 3, 4]
    assert box.pulses == 2


def test_the_sixty_fifth_pulse_takes_the_firsts_place():
    box = BlackBox()
    for i in range(65):
        box.watch(i + 1, 0, 0)
        box.note((0, i, i, i, i))
    assert list(box.pulse_words[:8]) == [64] * 4 + [1] * 4
    assert list(box.pulse_words[-4:]) == [63] * 4
    assert list(box.pulse_times) == [65, *range(2, 65)]
    assert box.pulses == 65


def test_state_and_inputs_are_noted_when_they_change():
    box = BlackBox()
    for now, state, inputs in ((FULL, 0, 0), (5, 0, 0), (6, 3, 0), (7, 3, 2), (8, 3, 2)):
        box.watch(now, state, inputs)
    assert [event(box, i) for i in range(box.events)] == [
        (FULL, 1, b"\0"), (FULL, 2, b"\0"), (6, 1, b"\3"), (7, 2, b"\2"),
    ]  # fmt: skip
    assert box.now_ms == 8


def test_the_thirty_third_event_takes_the_firsts_place():
    box = BlackBox()
    box.watch(1, 0, 0)
    for i in range(31):
        box.watch(10 + i, i + 1, 0)
    assert box.events == 33
    assert event(box, 0) == (40, 1, bytes([31]))
    assert event(box, 1) == (1, 2, b"\0")
    assert event(box, 31) == (39, 1, bytes([30]))


@pytest.mark.parametrize(
    "line, kept",
    [
        (b"", None),
        (b"*IDN?", None),
        (b"?", None),
        (b"SESS:STAR;:SYST:ERR?", b"SESS:STAR;:SYST:ERR?"),
        (b"*RST", b"*RST"),
        (b"SOUR1:CURR 10 mA;:SOUR2:CU", b"SOUR1:CURR 10 mA;:SOUR2:CU"),  # 26
        (b"SOUR1:CURR 10 mA;:SOUR2:CUR", b"SOUR1:CURR 10 mA;:SOUR2:CU"),
        (b'SYST:KEY "open sesame"', b"SYST:KEY"),
        (b'syst:key:new "a"', b"syst:key:new"),
        (b"SYST:KEY:LOCK", b"SYST:KEY:LOCK"),
        (b"A" * 30 + b" KEY", b"A" * 26),
    ],
)
def test_what_is_kept_of_a_command(line, kept):
    box = BlackBox()
    box.command(line)
    assert box.events == (kept is not None)
    if kept is not None:
        assert event(box, 0) == (0, 3, kept)
        assert not any(box.event_bytes[6 + len(kept) :])


def test_nothing_is_noted_while_it_is_frozen():
    box = BlackBox()
    box.watch(1, 0, 0)
    assert box.freeze() and box.frozen and not box.freeze()
    before = bytes(box.event_bytes), bytes(box.pulse_words), bytes(box.pulse_times)
    box.note((1, 2, 3, 4, 5))
    box.command(b"*RST")
    box.watch(2, 1, 1)
    assert (bytes(box.event_bytes), bytes(box.pulse_words), bytes(box.pulse_times)) == before
    assert (box.pulses, box.events, box.now_ms) == (0, 2, 2), "time goes on"
    box.thaw()
    assert not box.frozen
    box.note((1, 2, 3, 4, 5))
    box.command(b"*RST")
    assert (box.pulses, box.events) == (1, 3)
    assert event(box, 2) == (2, 3, b"*RST")
