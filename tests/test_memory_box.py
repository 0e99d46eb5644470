"""The black box, on the virtual board, by command, and its rings by themselves."""

from hypothesis import given, settings
from hypothesis import strategies as st
from memory_rig import power_cycle, trip
from rig import Rig

from firmware.safety import boxtext
from firmware.safety.blackbox import BlackBox
from firmware.safety.states import NAMES


def test_the_black_box_tells_what_came_before_the_fault():
    rig = Rig()
    trip(rig, 2)
    power_cycle(rig)
    number, pulses, events = map(int, rig.say("SYST:BBOX?", 0.3).split(","))
    assert number == 1 and events > 5
    told = rig.say("SYST:BBOX:PULS? 1", 0.3).strip('"').split(";")
    assert 16 == len(told) <= pulses <= 64
    levels = [tuple(map(int, pulse.split(",")))[1:] for pulse in told]
    for channel, level, width, plus, minus in levels:
        assert (channel, width) == (1, 12_500)  # 200 us in turns of 16 ns
        assert abs(plus - level) <= 8 and abs(minus - level) <= 8  # half a mA
    assert 0 < levels[0][1] <= round(2_000 / 60)  # in the ramp
    told = []
    for first in range(1, events + 1, 8):
        told += rig.say(f"SYST:BBOX:EVEN? 1,{first}", 0.3).strip('"').split(";")
    assert len(told) == events
    kinds = [event.split(",", 1)[1] for event in told]
    assert kinds[:3] == [
        "inputs,trip 1 stop 0", "state,FAULT", "command,*CLS|SOUR1:CURR 2 mA"
    ]  # fmt: skip
    assert "state,RUNNING" in kinds and "state,ARMED" in kinds
    times = [int(event.split(",")[0]) for event in told]
    assert times == sorted(times, reverse=True)
    assert times[0] == times[1] and 450 < times[1] - times[2] < 600


def saved(box):
    return b"".join(bytes(part) for part in boxtext.written(box, 7))


def test_delivered_pulses_are_kept_newest_first():
    box = BlackBox()
    for i in range(70):
        box.watch(1000 + i, 0, 0)
        box.note((i % 2, i, 18_750, i + 1, i + 2))
    assert box.freeze() and not box.freeze()
    box.note((0, 2000, 1, 1, 1))
    data = saved(box)
    number, noted, _ = boxtext.head(data)
    assert (number, noted) == (7, 70)
    rows = [list(boxtext.pulses(data, noted, first, 16)) for first in (1, 17, 33, 49, 65)]
    assert [len(row) for row in rows] == [16, 16, 16, 16, 0]
    assert [row for part in rows for row in part] == [
        f"{1000 + i},{i % 2 + 1},{i},18750,{i + 1},{i + 2}" for i in range(69, 5, -1)
    ]
    box.thaw()
    box.note((0, 2000, 1, 1, 1))
    assert box.pulses == 71


@settings(max_examples=40, deadline=None)
@given(st.lists(st.one_of(st.integers(0, 6), st.binary(min_size=1, max_size=60)), max_size=50))
def test_the_last_events_are_kept_newest_first(happenings):
    box = BlackBox()
    expected = []
    before = None
    for i, one in enumerate(happenings):
        box._box[2] = 1 << 24 | i  # now
        if isinstance(one, bytes):
            box.command(one)
            if not (one.endswith(b"?") and b";" not in one):
                if b"KEY" in one.upper() and b" " in one:
                    one = one[: one.index(b" ")]
                shown = "".join(chr(c) if 32 <= c < 127 and c != 34 else "?" for c in one[:26])
                expected.append(f"{box.now_ms},command,{shown.replace(';', '|')}")
        else:
            box.watch(1 << 24 | i, one, 0)
            if one != before:
                expected.append(f"{box.now_ms},state,{NAMES[one]}")
                if before is None:
                    expected.append(f"{box.now_ms},inputs,trip 0 stop 0")
                before = one
    data = saved(box)
    assert len(data) < 2048
    events = boxtext.head(data)[2]
    assert events == len(expected)
    assert list(boxtext.events(data, events, 1, 99)) == expected[::-1][:32]


def test_noting_never_writes_beyond_a_pulse():
    box = BlackBox()
    box.note((1, 4095, 1 << 20, 1 << 20, 1 << 20))
    assert list(box.pulse_words[:5]) == [4096 + 4095, 65535, 65535, 65535, 0]


def test_a_key_never_gets_into_the_black_box():
    rig = Rig()
    rig.say('SYST:KEY:NEW "Xyzzy1"', 0.3)
    rig.say('*CLS;SYST:KEY "Xyzzy1"', 0.3)
    trip(rig, 1)
    files = b"".join(v for k, v in rig.board.flash.files.items() if k.startswith("/data/"))
    assert b"KEY" in files and b"Xyzzy1" not in files
