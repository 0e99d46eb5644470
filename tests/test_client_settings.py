"""The client's settings, against the firmware's own table."""

import math

import pytest
from host_rig import Host
from hypothesis import given, settings
from hypothesis import strategies as st

import rheobase
from firmware.core.settings import CHANNEL, SESSION, words_of
from rheobase.client import Channel, Session, State
from rheobase.client.settings import Choice, Number


@pytest.fixture(scope="module")
def idle():
    """A board that only has its settings changed."""
    return Host(keep=())


def test_every_setting_of_the_firmware_is_an_attribute():
    assert [s.header for s in Channel.settings.values()] == [field[1] for field in CHANNEL]
    assert [s.header for s in Session.settings.values()] == [field[1] for field in SESSION]


@pytest.mark.parametrize("group, fields", ((Channel, CHANNEL), (Session, SESSION)))
def test_units_are_in_the_names_and_fit_the_firmware(group, fields):
    by_header = {field[1]: field for field in fields}
    ending = {"us": "us", "ms": "ms", "s": "s", "mA": "ma", "Hz": "hz", "cm2": "cm2", "V": "v"}
    for name, setting in group.settings.items():
        if isinstance(setting, Number):
            assert name.endswith("_" + ending[setting.unit]), name
            unit = by_header[setting.header][3]
            assert setting.unit.upper().endswith(unit), name
        if isinstance(setting, Choice):
            assert setting.words == words_of(by_header[setting.header][0])


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_what_is_set_is_read_back(idle, data):
    """Every value that the firmware's grid holds goes there and back unchanged."""
    stimulator = idle.stimulator
    group, fields = data.draw(
        st.sampled_from(
            ((stimulator.channel(1), CHANNEL), (stimulator.channel(2), CHANNEL),
             (stimulator.session, SESSION))
        )
    )  # fmt: skip
    name, setting = data.draw(st.sampled_from(list(group.settings.items())))
    _, _, scale, _, low, high = next(f for f in fields if f[1] == setting.header)[:6]
    raw = data.draw(st.integers(low, high))
    value = raw
    if isinstance(setting, Number):
        value = float(f"{raw}e{scale - setting.power}")
    elif isinstance(setting, Choice):
        value = setting.words[raw].lower()
    elif name == "enabled":
        value = bool(raw)
    setattr(group, name, value)
    assert getattr(group, name) == value


def test_infinity_and_none(idle):
    channel = idle.stimulator.channel(1)
    channel.on_s = math.inf
    assert channel.on_s == math.inf
    channel.configure(on_s=4, rest_rate_hz=0)
    assert (channel.on_s, channel.rest_rate_hz) == (4, 0)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    (
        ("width_us", 5, "5 us below 20 us"),
        ("rate_hz", 1000, "1 kHz above 500 Hz"),
        ("limit_ma", 121, "121 mA above 120 mA"),
        ("gap_us", -3, "-3 us below 2 us"),
    ),
)
def test_a_refusal_names_value_and_limit(idle, name, value, words):
    channel = idle.stimulator.channel(2)
    before = getattr(channel, name)
    with pytest.raises(rheobase.StimulatorError, match=words) as caught:
        setattr(channel, name, value)
    assert caught.value.code == -222
    assert getattr(channel, name) == before


def test_configure_is_all_or_nothing(idle):
    channel = idle.stimulator.channel(1)
    before = channel.read()
    with pytest.raises(rheobase.StimulatorError):
        channel.configure(width_us=333, gap_us=77, polarity="alternate", rate_hz=9999, count=3)
    assert channel.read() == before
    channel.configure(width_us=333, gap_us=77, polarity="ALT", rate_hz=44, count=3)
    assert channel.read("width_us", "gap_us", "polarity", "rate_hz", "count") == {
        "width_us": 333, "gap_us": 77, "polarity": "alternate", "rate_hz": 44, "count": 3,
    }  # fmt: skip


def test_configure_takes_more_than_a_line_holds(idle):
    channel = idle.stimulator.channel(2)
    values = idle.stimulator.channel(1).read()
    channel.configure(**values)
    assert channel.read() == values


@pytest.mark.parametrize(
    ("values", "error"),
    (
        ({"width_ms": 1}, TypeError),
        ({"width_us": "wide"}, TypeError),
        ({"width_us": True}, TypeError),
        ({"width_us": math.nan}, ValueError),
        ({"count": 2.5}, TypeError),
        ({"enabled": "yes"}, TypeError),
        ({"polarity": "upward"}, ValueError),
    ),
)
def test_what_is_no_value_is_not_sent(idle, values, error):
    with pytest.raises(error):
        idle.stimulator.channel(1).configure(**values)


def test_programs(idle):
    stimulator = idle.stimulator
    assert {"N01", "D35"} <= set(stimulator.programs)
    stimulator.load_program("D35", 2)
    assert stimulator.channel(2).count == 2
    with pytest.raises(rheobase.StimulatorError, match="no program X"):
        stimulator.load_program("X")
    with pytest.raises(ValueError, match="channel 3"):
        stimulator.load_program("D35", 3)


def test_reset_and_self_test(idle):
    stimulator = idle.stimulator
    stimulator.channel(1).width_us = 77
    stimulator.reset()
    assert stimulator.channel(1).width_us == 300
    assert stimulator.self_test() in (0, 1)  # the latch may still be set from power-up
    assert stimulator.state == State.IDLE
    assert stimulator.fault is None
