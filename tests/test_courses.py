"""What rates, widths and cycles do over a session: in plain numbers, and against the oracle."""

import pytest
from engine_bench import Session, play
from hypothesis import assume, given
from oracle import SAWTOOTH, SIMULTANEOUS, SWEEP, TRIANGLE, WIDTH
from small_integers import watched_core
from strategies import examples, plateaus, sessions
from tape_check import check

from firmware.core.refused import Refused

MS = 62_500  # turns
CONTINUOUS = {"enabled": 1, "on_ms": 0, "ramp_up_ms": 0, "ramp_down_ms": 0}


def starts_ms(session, channel=0):
    pulses = play(session, (100, 100)).tape.pulses[channel]
    return [pulse.start / MS for pulse in pulses]


def intervals_ms(session, channel=0):
    starts = starts_ms(session, channel)
    return [b - a for a, b in zip(starts, starts[1:], strict=False)]


def test_a_sweep_from_9_to_1_hz_in_9_steps():
    channel = CONTINUOUS | {
        "rate_mhz": 9_000, "rate_to_mhz": 1_000, "modulation": SWEEP, "mod_steps": 9
    }
    session = Session(channel, {}, {"duration_ms": 90_000})
    found = {round(1000 / interval, 3) for interval in intervals_ms(session)}
    assert found == set(range(1, 10))
    starts = starts_ms(session)
    for hertz in range(9, 0, -1):  # 10 s each
        begin = (9 - hertz) * 10_000
        inside = [t for t in starts if begin <= t < begin + 10_000]
        assert abs(len(inside) - 10 * hertz) <= 1


def test_there_and_back_from_125_to_2_hz_with_the_width():
    channel = CONTINUOUS | {
        "rate_mhz": 125_000, "rate_to_mhz": 2_000, "width_ns": 100_000, "width_to_ns": 200_000,
        "modulation": TRIANGLE, "mod_ms": 12_000, "mod_steps": 42,
    }
    pulses = play(Session(channel, {}, {"duration_ms": 36_000})).tape.pulses[0]
    for cycle in range(3):
        inside = [p for p in pulses if cycle * 12_000 <= p.start / MS < (cycle + 1) * 12_000]
        widths = [p.width for p in inside]
        narrow, wide = min(widths), max(widths)
        assert (narrow, wide) == (6_250, 12_500)
        assert abs(inside[widths.index(wide)].start / MS % 12_000 - 6_000) < 600
        assert widths[0] == narrow
        assert abs(len(inside) - 12 * (125 + 2) / 2) < 12
    assert max(b.start - a.start for a, b in zip(pulses, pulses[1:], strict=False)) == 500 * MS


def test_two_widths_in_turn_and_the_rate_unmoved():
    channel = CONTINUOUS | {
        "rate_mhz": 80_000, "width_ns": 330_000, "width_to_ns": 200_000,
        "modulation": SAWTOOTH, "mod_ms": 2_000, "mod_steps": 2,
    }
    pulses = play(Session(channel, {}, {"duration_ms": 10_000})).tape.pulses[0]
    assert [p.start for p in pulses] == [k * 781_250 for k in range(len(pulses))]
    for pulse in pulses:
        assert pulse.width == (20_625 if pulse.start // (1000 * MS) % 2 == 0 else 12_500)


def test_a_train_opens_with_a_doublet():
    channel = {
        "enabled": 1, "rate_mhz": 20_000, "opening_ns": 5_000_000, "on_ms": 300, "off_ms": 1_000,
        "ramp_up_ms": 0, "ramp_down_ms": 0,
    }
    starts = starts_ms(Session(channel, {}, {"duration_ms": 4_000}))
    assert starts[:7] == [0, 5, 55, 105, 155, 205, 255]
    assert starts[7:9] == [1_300, 1_305]


def test_contractions_in_blocks():
    channel = {
        "enabled": 1, "on_ms": 1_000, "off_ms": 4_000, "ramp_up_ms": 200, "ramp_down_ms": 200,
        "block_ms": 30_000, "pause_ms": 70_000, "rate_mhz": 50_000,
    }
    session = Session(channel, channel, {"duration_ms": 300_000, "pattern": SIMULTANEOUS})
    assert session.plan().contractions == [18, 18]
    starts = starts_ms(session)
    begins = [b for a, b in zip([-9_999.0, *starts], starts, strict=False) if b - a > 1_000]
    assert begins == [block * 100_000 + k * 5_400 for block in range(3) for k in range(6)]


def test_random_times_are_bound_repeatable_and_do_not_drift():
    channel = CONTINUOUS | {"rate_mhz": 50_000, "jitter_ns": 5_000_000}
    session = {"duration_ms": 60_000, "seed": 1_234}
    starts = starts_ms(Session(channel, {}, session))
    late = [start - 20 * k for k, start in enumerate(starts)]
    assert late[0] == 0
    assert all(0 <= t < 5 for t in late)
    assert 2.4 < sum(late) / len(late) < 2.6
    assert len(set(late)) > 1_800
    assert starts == starts_ms(Session(channel, {}, session))
    assert starts != starts_ms(Session(channel, {}, session | {"seed": 1_235}))


def test_channels_that_tick_together_are_late_together():
    """Unequal widths: the last group of a train may fit on one channel alone."""
    one = {
        "enabled": 1, "rate_mhz": 100_000, "jitter_ns": 2_000_000, "on_ms": 299, "off_ms": 150,
        "ramp_up_ms": 0, "ramp_down_ms": 0, "width_ns": 50_000,
    }
    two = one | {"width_ns": 500_000}
    session = Session(one, two, {"duration_ms": 9_000, "pattern": SIMULTANEOUS})
    engine = play(session, (100, 100))
    check(engine, session, (100, 100))
    assert session.expectation.lockstep
    assert engine.scheduler.moved(0)[0] == engine.scheduler.moved(1)[0] == 0


@examples(40)
@given(sessions(most_ms=3_000, lockstep=True), plateaus)
def test_sessions_in_lockstep(session, plateaus):
    assume(not session.expectation.refusal)
    check(play(session, plateaus), session, plateaus)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"rate_mhz": 100_000, "jitter_ns": 9_000_000}, "free between pulses"),
        ({"rate_mhz": 10_000, "rate_to_mhz": 490_000, "modulation": SWEEP, "width_ns": 500_000},
         "free between pulses"),
        ({"opening_ns": 2_000_000, "width_ns": 500_000}, "free between pulses"),
        ({"opening_ns": 5_000_000, "count": 2}, "opening doublet"),
        ({"pause_ms": 1_000}, "pause of 1000 ms without blocks"),
        ({"block_ms": 1_000, "on_ms": 0}, "need an on time"),
        ({"block_ms": 1_000, "on_ms": 2_000}, "does not fit the 1000 ms of a block"),
        ({"block_ms": 60_000, "on_ms": 2_000}, "block of 60000 ms does not fit"),
    ],
)
def test_what_does_not_fit_is_refused(values, words):
    with pytest.raises(Refused, match=words):
        Session(CONTINUOUS | values, {}, {"duration_ms": 20_000}).plan()


def test_a_triggered_session_is_no_program_for_the_clock():
    with pytest.raises(Refused, match="HEEL"):
        Session(CONTINUOUS, {}, {"trigger": 2}).plan()


def test_the_longest_course_and_the_latest_group_stay_small_integers():
    watch, core = watched_core("course", "line", "grid", "settings")
    settings = core["settings"].Settings(core["settings"].CHANNEL)
    hour = 3_600_000
    for shape, span in ((SWEEP, 4 * hour), (SAWTOOTH, hour), (TRIANGLE, hour)):
        settings.update({"modulation": shape, "mod_steps": 64, "mod_ms": span if span <= hour
                         else hour, "rate_mhz": 500_000, "rate_to_mhz": 500, "ramp_by": WIDTH})
        course = core["course"].Course(settings, core["grid"].Grid(150_000_000), span)
        with watch.watching():
            places = {core["line"].place_at(course, at * (span // 1_000) + at % 7)
                      for at in range(1_000)}
        assert places == set(range(64))
    state = memoryview(bytearray(4 * core["line"].SIZE)).cast("i")
    line = core["line"].Line(state, [0] * core["line"].FIGURES)
    state[core["line"].RANDOM] = 1
    most = 20 * 75_000 // core["line"].SPREAD_TURNS
    with watch.watching():
        drawn = [line._random(most) for _ in range(65_535)]
    assert not watch.outside
    assert 0 <= min(drawn) < 400 and 20 * 75_000 - 400 < max(drawn) < 20 * 75_000
    assert state[core["line"].RANDOM] == 1  # the whole period
