"""A triggered session by itself: what each answer of the decisions does, and what it is told."""

from types import SimpleNamespace

import pytest
from triggered_bench import (
    ANALOG,
    BUTTON,
    BY_PIN,
    CRANK,
    HEEL,
    HOST,
    PHASES,
    PLANS,
    SOURCES,
    Waiting,
)  # fmt: skip
from units import refusal

from firmware.core.held import DOWN, HELD, OPENING, PLAYING
from firmware.core.trigger import DROP, FADE, NONE, PAUSE, PREPARE, START
from firmware.safety.triggered import LOOK_US


@pytest.fixture
def waiting(monkeypatch):
    return lambda *told, **named: Waiting(monkeypatch, *told, **named)


GO = [("go",), "started"]
FIRED = ["disarm", ("go", 8_700), ("set", 0, 1), "started"]


# -- before it starts


@pytest.mark.parametrize("source", SOURCES)
def test_only_a_pin_claims_the_hardware(waiting, source):
    one = waiting(source)
    assert one.tape.line is (one.line if source in BY_PIN else None)
    one.one.stop()
    one.one.close()
    assert one.did == (["disarm", "end", "close"] if source in BY_PIN else [])
    assert one.tape.line is None and one.tape.phase == DOWN


def test_a_session_that_was_not_opened_has_nothing_to_close(waiting):
    one = waiting(BUTTON, opened=False)
    one.tape.phase = HELD
    one.one.stop()
    one.one.close()
    assert one.did == [] and one.tape.phase == DOWN and one.one.rests() == 0


def test_a_start_needs_a_switch_that_was_seen(waiting):
    one = waiting(HEEL).one
    one.contact.seen = 0
    assert refusal(one.check) == (-221, "trigger input not steady yet; it needs a moment")
    one.walk = True
    assert refusal(one.check) == (-221, "trigger input not steady yet; it needs a moment")
    expected = -221, "foot switch not seen in both positions: lift the heel, put it down"
    for seen in (1, 2):
        one.contact.seen = seen
        one.walk = True
        assert refusal(one.check) == expected
        one.walk = False
        one.check()
    one.walk = True
    one.contact.seen = 3
    one.check()


def test_a_session_of_the_loop_needs_no_switch(waiting):
    one = waiting(HOST).one
    one.contact = None
    one.check()


@pytest.mark.parametrize("source", SOURCES)
def test_a_session_begins_now_with_what_the_input_asks_for(waiting, source):
    one = waiting(source)
    one.now += 250
    one.level = True
    one.value = 1
    one.one.begin()
    asked = {PHASES: 0, CRANK: 1, HOST: NONE}.get(source, 0)
    assert one.did[-1] == ("begin", 250, asked)
    assert ("monitor stop" in one.did) == (source == ANALOG)


# -- what the input asks for


@pytest.mark.parametrize("high", [False, True])
@pytest.mark.parametrize("level", [False, True])
def test_a_pin_is_active_at_its_level(waiting, high, level):
    one = waiting(BUTTON)
    one.one.high, one.level = high, level
    one.now += 7
    one.one.watch()
    assert one.levels == [(7, int(high == level))]


@pytest.mark.parametrize("source, sections", [(BUTTON, (NONE, NONE, 0)), (PHASES, (NONE, 1, 0))])
def test_a_contacts_value_is_a_section(waiting, source, sections):
    one = waiting(source)
    for value, section in zip((-1, 0, 1), sections, strict=True):
        one.value = value
        one.turn(after_ms=1)
        assert one.asked[-1] == (one.now - 1_000, section, DOWN)


def test_an_analogue_input_is_read_while_nothing_samples(waiting):
    one = waiting(ANALOG)
    one.value = 1
    assert one.turn() == [("select", 3), "read", ("select", 0)]
    assert (one.levels, one.asked) == ([(0, True)], [(0, 0, DOWN)])
    one.mv, one.value = 500, 0
    one.stimulator.monitor.sense.running = True
    assert one.turn() == [] and one.asked[-1][1] == 0, "as it was last read"
    one.stimulator.monitor.sense.running = False
    one.turn()
    assert one.levels[-1] == (0, False) and one.asked[-1][1] == NONE


def test_an_analogue_input_that_was_never_read_asks_for_nothing(waiting):
    one = waiting(ANALOG)
    one.value = 1
    one.stimulator.monitor.sense.running = True
    assert one.turn() == [] and one.asked == [(0, NONE, DOWN)]


def test_the_crank_is_asked_with_the_time_and_told_the_angle(waiting):
    one = waiting(CRANK)
    assert one.turn(after_ms=40) == [("section", 40)]
    assert one.asked == [(40, 1, DOWN)]
    one.now += 5
    one.one.angle(33)
    assert one.did[-1] == ("angle", 45, 33)
    for source in SOURCES:
        if source != CRANK:
            expected = -221, "the session's trigger is not a crank"
            assert refusal(waiting(source).one.angle, 33) == expected


# -- what each answer does


@pytest.mark.parametrize("source", [BUTTON, HOST])
@pytest.mark.parametrize("section", [0, 1])
def test_a_train_is_prepared_with_the_rest_that_was(waiting, source, section):
    one = waiting(source)
    one.decisions.section = section
    one.now += 100
    one.one.begin()
    assert one.turn(PREPARE, after_ms=30) == [("prepare", PLANS[section], 30, 0)]
    assert one.answer == 17 and one.stimulator.plan == PLANS[section]
    assert one.turn(START, after_ms=200, phase=HELD) == GO
    assert one.answer == 0
    assert one.stimulator.contractions == [int(section == 0), int(section == 1)]
    one.turn(after_ms=10, phase=PLAYING)
    one.turn(after_ms=1_000)
    one.turn(after_ms=1, phase=DOWN)  # the rest begins
    one.turn(after_ms=60)
    assert one.turn(PREPARE, after_ms=40) == [("prepare", PLANS[section], 100, 200)]
    assert one.turn(PREPARE, after_ms=5) == [("prepare", PLANS[section], 5, 0)]


def test_a_train_of_both_channels_counts_for_both(waiting):
    one = waiting(HOST, ((0, 1),))
    one.turn(START, phase=HELD)
    one.turn(START, phase=HELD)
    assert one.stimulator.contractions == [2, 2]


@pytest.mark.parametrize("section", [0, 1])
def test_a_train_whose_section_was_left_goes_down_in_its_ramp(waiting, section):
    one = waiting(BUTTON)
    one.decisions.section = section
    assert one.turn(FADE, phase=PLAYING) == [("down", (300, 400)[section])]


def test_drop_and_pause(waiting):
    one = waiting(BUTTON)
    assert one.turn(DROP, phase=OPENING) == ["release"]
    assert one.turn(PAUSE) == ["pause"]
    one.held()
    assert one.turn(DROP) == ["disarm", "release"]
    one.held()
    assert one.turn(PAUSE) == ["disarm", "pause"]
    assert one.answer == 0


def test_the_session_ends_with_its_time(waiting):
    one = waiting(BUTTON)
    one.held()
    one.elapsed = 59_999
    assert one.turn() == []
    one.elapsed = 60_000
    asked = len(one.asked)
    assert one.turn(PREPARE) == ["disarm", "finish"] and one.answer == 0
    assert len(one.asked) == asked, "nothing more is decided"


def test_a_session_that_is_over_decides_nothing_more(waiting):
    one = waiting(BUTTON)
    one.elapsed = 60_000
    assert one.turn(PREPARE, over=True) == [] and one.answer == 0
    assert one.asked == []


def test_an_analogue_session_samples_along_its_trains(waiting):
    one = waiting(ANALOG)
    assert one.turn(PREPARE)[-2:] == ["sample", ("prepare", PLANS[0], 0, 0)]
    one.turn(phase=PLAYING)
    one.just_sampled = True
    asked = len(one.asked)
    one.turn(PREPARE, phase=DOWN)
    assert one.answer == 0 and len(one.asked) == asked, "the verdict comes first"
    one.turn(PREPARE)
    assert one.answer == 17


def test_the_verdict_of_others_is_not_the_sessions(waiting):
    one = waiting(HOST)
    one.just_sampled = True
    one.turn(phase=PLAYING)
    one.turn(PREPARE, phase=DOWN)
    assert one.answer == 17


# -- the hardware starts


@pytest.mark.parametrize("source, section, high", [
    (BUTTON, 0, True), (BUTTON, 0, False), (PHASES, 0, True), (PHASES, 1, True),
    (PHASES, 0, False), (PHASES, 1, False), (HEEL, 1, True),
])  # fmt: skip
def test_the_edge_that_starts_a_train(waiting, source, section, high):
    one = waiting(source)
    one.one.high = high
    one.decisions.section = section
    one.tape.phase = HELD
    assert one.turn() == [], "the current at rest was not looked at"
    assert one.one.rests() == 2
    one.to_come = False
    assert one.turn() == [], "its section is still there"
    one.to_come = True
    assert one.turn(phase=OPENING) == []
    expected = high != (source == PHASES and section == 1)
    assert one.turn(phase=HELD) == [("arm", expected, 30_000)]
    assert one.turn() == [], "once"


@pytest.mark.parametrize("source, section, active", [
    (BUTTON, 0, 1), (HEEL, 1, 1), (PHASES, 0, 1), (PHASES, 1, 0)
])  # fmt: skip
def test_a_train_that_the_hardware_has_started(waiting, source, section, active):
    one = waiting(source)
    one.decisions.section = section
    one.held()
    one.fires = True
    expected = ["disarm", ("go", 8_700), ("set", 50, active), "started"]
    assert one.turn(after_ms=50) == expected
    assert one.one.latency_us == 300
    assert one.stimulator.contractions[section] == 1
    assert one.turn() == []


def test_a_start_of_the_loop_leaves_an_armed_train_to_the_hardware(waiting):
    one = waiting(BUTTON)
    one.held()
    assert one.turn(START) == []
    one.line.armed = False
    assert one.turn(START) == GO


@pytest.mark.parametrize("action", [PREPARE, DROP, PAUSE])
def test_a_train_that_fired_just_now_plays(waiting, action):
    one = waiting(BUTTON)
    one.held()
    real = one.decisions.step

    def late(*told):
        one.fires = True
        return real(*told)

    one.decisions.step = late
    assert one.turn(action) == FIRED and one.answer == 0


def test_a_fade_starts_nothing_more(waiting):
    one = waiting(BUTTON)
    one.did.clear()
    one.one.still()
    assert one.did == []
    one.held()
    one.one.still()
    assert one.did == [("arm", True, 30_000), "disarm"] and not one.line.armed
    one = waiting(HOST)
    one.one.still()
    assert one.did == []


@pytest.mark.parametrize("phase", [DOWN, OPENING, HELD, PLAYING])
def test_a_change_takes_back_what_is_held(waiting, phase):
    one = waiting(BUTTON)
    one.tape.phase = phase
    one.one.changed()
    assert one.did == (["release"] if phase in (OPENING, HELD) else [])


@pytest.mark.parametrize("section", [0, 1])
def test_a_change_meets_a_train_that_has_just_fired(waiting, section):
    one = waiting(HEEL)
    one.decisions.section = section
    one.held()
    one.fires = True
    one.did.clear()
    one.one.changed()
    assert one.did == [*FIRED, ("change", PLANS[section])]
    assert one.one.current("ab") == "ab"[section]


# -- the host, the look at rest, and what is told


def test_the_host_starts_what_is_held(waiting):
    one = waiting(HOST)
    one.tape.phase = HELD
    one.one.host()
    assert one.did == GO
    for phase, over, name in (
        (DOWN, False, "RESTING"), (OPENING, False, "RESTING"), (PLAYING, False, "RUNNING"),
        (HELD, True, "WAITING"),
    ):  # fmt: skip
        one.tape.phase, one.tape.over = phase, over
        assert refusal(one.one.host) == (-211, f"not in state {name}")
    for source in SOURCES:
        if source != HOST:
            other = waiting(source)
            other.tape.phase = HELD
            assert refusal(other.one.host) == (-211, "the session's trigger is not the host")


def test_states_names(waiting):
    one = waiting(BUTTON)
    for phase, standing, name in (
        (DOWN, False, "RESTING"), (OPENING, False, "RESTING"), (HELD, False, "WAITING"),
        (PLAYING, False, "RUNNING"), (PLAYING, True, "RUNNING"), (DOWN, True, "STANDING"),
        (HELD, True, "STANDING"),
    ):  # fmt: skip
        one.tape.phase, one.decisions.standing = phase, standing
        assert one.one.state_name() == name


def test_the_monitor_is_ready_for_every_channel_of_any_train(waiting):
    plans = [SimpleNamespace(channels=pair) for pair in ((None, "b"), (None, None))]
    assert waiting(BUTTON).one.both(plans).channels == [None, "b"]
    plans = [SimpleNamespace(channels=pair) for pair in (("a", None), (None, "b"))]
    assert waiting(BUTTON).one.both(plans).channels == ["a", "b"]


def test_the_look_at_rest(waiting):
    one = waiting(BUTTON)
    for phase in (DOWN, OPENING, PLAYING):
        one.tape.phase = phase
        assert one.one.rests() == 0
    one.tape.phase = HELD
    assert [one.one.rests() for _ in range(3)] == [2, 1, 1]
    one.turn(PREPARE)
    assert one.one.rests() == 2, "each train anew"
    assert waiting(HOST).one.rests() == 0


@pytest.mark.parametrize("high", [False, True])
def test_a_look_at_rest_while_the_hardware_may_start(waiting, high):
    one = waiting(BUTTON)
    one.one.high = high
    one.level = not high
    one.held()
    rests = one.one.rests
    assert rests() == 1
    one.stimulator.session.debounce_us = LOOK_US
    assert LOOK_US == 5_000 and rests() == 1
    one.stimulator.session.debounce_us = LOOK_US - 1
    assert rests() == 0
    one.stimulator.session.debounce_us = 30_000
    one.fires = True
    assert rests() == 0
    one.fires = False
    one.level = high
    assert rests() == 0, "the input is active"
    one.level = not high
    one.one.contact.value = 1
    assert rests() == 0, "it was active just now"
    one.one.contact.value = 0
    assert rests() == 1
