"""What a triggered session is made of, by itself: every refusal, each train's length and rest."""

import time
from types import SimpleNamespace

import pytest
from units import refusal

from firmware.boards import pico_reference as board
from firmware.core import settings as words
from firmware.core.grid import Grid
from firmware.core.settings import CHANNEL, SESSION, Settings
from firmware.core.timing import Timing
from firmware.safety import trains


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    monkeypatch.setattr(time, "ticks_ms", lambda: 0, raising=False)


SOURCES = (words.BUTTON, words.HEEL, words.PHASES, words.CRANK, words.HOST, words.ANALOG)
BUTTON, HEEL, PHASES, CRANK, HOST, ANALOG = SOURCES
CRANKS = ({"crank_from": 20, "crank_to": 130}, {"crank_from": 200, "crank_to": 310})


def stimulating(source, one=None, two=None, analog=3, **session):
    """A stimulator with these settings; a channel that is None is off."""
    made = SimpleNamespace(
        board=SimpleNamespace(TRIGGER_ANALOG=analog),
        timing=Timing(Grid(125_000_000), board.DEAD_NS, board.SEPARATION_NS, board.GATE_LEAD_NS,
                      board.SETTLE_NS),
        session=Settings(SESSION), channels=(Settings(CHANNEL), Settings(CHANNEL)),
    )  # fmt: skip
    made.session.update({"trigger": source, "timeout_ms": 2_000, **session})
    for channel, values in zip(made.channels, (one, two), strict=True):
        channel.update({"enabled": 0})
        if values is not None:
            channel.update({
                "enabled": 1, "rate_mhz": 40_000, "on_ms": 0, "off_ms": 0, "ramp_up_ms": 200,
                "ramp_down_ms": 300, **values,
            })  # fmt: skip
    return made


def made(monkeypatch, *args, **values):
    """(what was prepared, what its decisions were told)."""
    told = []
    real = trains.Trigger
    monkeypatch.setattr(trains, "Trigger", lambda *all: told.append(all) or real(*all))
    return trains.prepared(stimulating(*args, **values)), told[0]


def why_not(*args, **values):
    code, text = refusal(trains.prepared, stimulating(*args, **values))
    assert code == -221
    return text


def lengths_ms(prepared):
    """Of each train: ms of each channel's contraction with its ramps; None: silent."""
    found = []
    for plan in prepared.plans:
        row = []
        for line in plan.channels:
            row.append(None if line is None else line.steps[0][1][0].length_ms)
        found.append(tuple(row))
    return found


# -- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize("source", SOURCES)
def test_no_channel(source):
    assert "no channel" in why_not(source)


@pytest.mark.parametrize("channels", [({}, None), (None, {})])
def test_a_walk_of_two_phases_needs_both(channels):
    assert "both channels" in why_not(PHASES, *channels)


@pytest.mark.parametrize("name", ["warm_ms", "cool_ms"])
def test_no_warm_up_and_no_cool_down(name):
    assert "warm-up" in why_not(BUTTON, {}, **{name: 1_000})


def test_an_analogue_trigger_needs_its_input():
    assert "analogue" in why_not(ANALOG, {}, analog=None)
    trains.prepared(stimulating(ANALOG, {}, analog=0))
    trains.prepared(stimulating(HOST, {}, analog=None))


@pytest.mark.parametrize("channel", [0, 1])
def test_ramps_that_are_longer_than_the_longest_contraction(channel):
    channels = [None, None]
    channels[channel] = {"ramp_up_ms": 1_200, "ramp_down_ms": 801}
    text = why_not(BUTTON, *channels)
    assert f"channel {channel + 1}" in text and "2001 ms" in text and "2000 ms" in text
    channels[channel] = {"ramp_up_ms": 1_200, "ramp_down_ms": 800}
    trains.prepared(stimulating(BUTTON, *channels))


@pytest.mark.parametrize(("values", "refused"), [
    ({"block_ms": 60_000, "on_ms": 500}, True),
    ({"pause_ms": 1_000}, True),
    ({"rest_rate_mhz": 3_000, "off_ms": 5_000, "on_ms": 500}, True),
    ({"rest_rate_mhz": 3_000, "off_ms": 0, "on_ms": 500}, False),
    ({"rest_rate_mhz": 3_000, "off_ms": 5_000, "on_ms": 0}, False),
    ({"rest_rate_mhz": 0, "off_ms": 5_000, "on_ms": 500}, False),
])  # fmt: skip
@pytest.mark.parametrize("channel", [0, 1])
def test_no_blocks_and_no_active_rest(channel, values, refused):
    channels = [None, None]
    channels[channel] = values
    if refused:
        text = why_not(BUTTON, *channels)
        assert f"channel {channel + 1}" in text and "active rest" in text
    else:
        trains.prepared(stimulating(BUTTON, *channels))


def test_trains_together_must_be_equally_long_unless_simultaneous_sees_to_it():
    both = ({"on_ms": 500}, {"on_ms": 600})
    text = why_not(BUTTON, *both, pattern=words.INDEPENDENT)
    assert "1000 and 1100 ms" in text
    trains.prepared(stimulating(BUTTON, {"on_ms": 500}, {"on_ms": 500}, pattern=words.INDEPENDENT))
    trains.prepared(stimulating(PHASES, *both, pattern=words.INDEPENDENT))


def test_a_crank_needs_its_ranges_apart_and_its_cadences_in_order():
    one, two = CRANKS
    assert "channel 2 has no range" in why_not(CRANK, one, {"crank_from": 90, "crank_to": 90})
    assert "overlap at 129" in why_not(CRANK, one, {"crank_from": 129, "crank_to": 200})
    assert "overlap at 20" in why_not(CRANK, one, {"crank_from": 300, "crank_to": 21})
    assert "overlap at 20" in why_not(CRANK, one, {"crank_from": 20, "crank_to": 30})
    trains.prepared(stimulating(CRANK, one, {"crank_from": 130, "crank_to": 20}))
    text = why_not(CRANK, one, two, least_rpm=50, most_rpm=50)
    assert "cadence 50 not below 50" in text
    trains.prepared(stimulating(CRANK, one, two, least_rpm=49, most_rpm=50))


# -- what is made ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("source", "sections"), [
    (BUTTON, ((0, 1),)), (HEEL, ((0, 1),)), (HOST, ((0, 1),)), (ANALOG, ((0, 1),)),
    (PHASES, ((0,), (1,))), (CRANK, ((0,), (1,))),
])  # fmt: skip
def test_which_channels_a_train_has(monkeypatch, source, sections):
    prepared, told = made(monkeypatch, source, *CRANKS)
    assert prepared._sections == sections
    assert told[0] == len(sections) == len(prepared.plans)
    for section, plan in zip(sections, prepared.plans, strict=True):
        assert [plan.channels[i] is not None for i in (0, 1)] == [i in section for i in (0, 1)]
    prepared, _ = made(monkeypatch, BUTTON, None, {})
    assert prepared._sections == ((1,),)


def test_a_train_is_as_long_as_its_contraction_or_the_time_out():
    for values, ms in (({"on_ms": 700}, 1_200), ({"on_ms": 0}, 2_000), ({"on_ms": 1_501}, 2_000)):
        prepared = trains.prepared(stimulating(BUTTON, values))
        assert lengths_ms(prepared) == [(ms, None)]
    prepared = trains.prepared(stimulating(PHASES, {"on_ms": 700}, {"on_ms": 100}))
    assert lengths_ms(prepared) == [(1_200, None), (None, 600)]
    prepared = trains.prepared(stimulating(BUTTON, {"on_ms": 700}, {"on_ms": 700}))
    assert lengths_ms(prepared) == [(1_200, 1_200)]


def test_the_settings_themselves_are_left_alone():
    one = stimulating(BUTTON, {"on_ms": 700}, pattern=words.INDEPENDENT)
    trains.prepared(one)
    assert (one.channels[0].on_ms, one.channels[1].enabled) == (700, 0)
    assert (one.session.trigger, one.session.pattern) == (BUTTON, words.INDEPENDENT)
    assert one.session.pattern != words.SIMULTANEOUS


@pytest.mark.parametrize(("values", "rest_ms"), [
    ({}, 26), ({"on_ms": 700, "off_ms": 900}, 900), ({"on_ms": 0, "off_ms": 900}, 26),
    ({"on_ms": 700, "off_ms": 10}, 26), ({"rate_mhz": 500}, 2_001),
])  # fmt: skip
def test_the_least_rest_is_the_off_time_or_a_period(monkeypatch, values, rest_ms):
    _, told = made(monkeypatch, BUTTON, values)
    assert told[1] == [rest_ms]
    _, told = made(monkeypatch, BUTTON, values, {} if values.get("rate_mhz") else values)
    assert told[1] == [rest_ms]


def test_channels_that_are_apart_rest_for_the_longer_delay(monkeypatch):
    one, two = {**CRANKS[0], "delay_us": 80_000}, {**CRANKS[1], "delay_us": 30_000}
    _, told = made(monkeypatch, CRANK, one, two)
    assert told[1] == [26, 50]
    _, told = made(monkeypatch, PHASES, {"delay_us": 0}, {"delay_us": 90_000})
    assert told[1] == [90, 26]
    _, told = made(monkeypatch, BUTTON, {"delay_us": 80_000}, {"delay_us": 80_000})
    assert told[1] == [26]


@pytest.mark.parametrize(("source", "by_pin", "walk", "gated"), [
    (BUTTON, True, False, True), (HEEL, True, True, True), (PHASES, True, True, True),
    (CRANK, False, False, True), (HOST, False, False, False), (ANALOG, False, False, False),
])  # fmt: skip
def test_how_a_source_starts_and_ends_a_train(monkeypatch, source, by_pin, walk, gated):
    for mode, expected in ((0, gated), (words.GATED, True), (words.EDGE, False)):
        prepared, told = made(
            monkeypatch, source, *CRANKS, trigger_mode=mode, extend_ms=130, wait_ms=4_000
        )
        assert (prepared.by_pin, prepared.walk) == (by_pin, walk)
        assert told[2:] == (130, 4_000 + max(told[1]), expected, walk, source != ANALOG)


@pytest.mark.parametrize("source", [BUTTON, HEEL, PHASES])
def test_the_active_level_is_the_slopes_or_the_sources_own(source):
    for slope, high in ((0, source != BUTTON), (words.RISING, True), (words.FALLING, False)):
        prepared = trains.prepared(stimulating(source, {}, {}, slope=slope))
        assert prepared.high == high


def test_signals_and_the_contacts_debounce(monkeypatch):
    made_of = []
    monkeypatch.setattr(trains, "Contact", lambda ms: made_of.append(ms))
    for us in (0, 1, 1_000, 1_001):
        prepared = trains.prepared(stimulating(BUTTON, {}, debounce_us=us))
        assert prepared.signal is None
    assert made_of == [0, 1, 1, 2]
    low = trains.prepared(stimulating(ANALOG, {}, level_mv=1_000, hysteresis_mv=100,
                                      slope=words.FALLING)).signal  # fmt: skip
    assert [low.step(mv) for mv in (1_500, 990, 1_050, 1_101)] == [0, 1, 1, 0]
    high = trains.prepared(stimulating(ANALOG, {}, level_mv=1_000, hysteresis_mv=100)).signal
    assert [high.step(mv) for mv in (500, 1_010, 950, 899)] == [0, 1, 1, 0]
    crank = trains.prepared(stimulating(CRANK, *CRANKS, least_rpm=10, most_rpm=90)).signal
    for ms in range(0, 1_000, 100):
        crank.read(ms, ms * 36 // 100 % 360)  # 60 turns a minute
    assert crank.section(900) in (0, 1, -1)
