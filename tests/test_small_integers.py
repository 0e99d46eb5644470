"""No number in the hot path reaches 2**30, where MicroPython would begin to allocate."""

import engine_bench
import pytest
from engine_bench import Engine, Session
from hypothesis import assume, given
from oracle import ALTERNATING, INDEPENDENT, OVERLAPPED, Board
from small_integers import LIMIT, Watch, watched_core
from strategies import examples, plateaus, sessions

from firmware.core.envelope import TICKS_PER_MS

HOUR_MS = 3_600_000
CONTINUOUS = {"enabled": 1, "on_ms": 0, "ramp_up_ms": 0, "ramp_down_ms": 0}
FAST = Board(clock_hz=150_000_000)


@pytest.fixture
def watch(monkeypatch) -> Watch:
    """The engine bench plays the watched core while a test runs."""
    watch, core = watched_core("grid", "timing", "settings", "plan", "scheduler", "tape")
    for module, names in (
        ("grid", ["Grid"]),
        ("timing", ["Timing"]),
        ("plan", ["make_plan"]),
        ("settings", ["CHANNEL", "SESSION", "Settings"]),
        ("scheduler", ["Scheduler", "STATE_SIZE"]),
        ("tape", ["TapeWriter", "BLOCK_WORDS"]),
    ):
        for name in names:
            monkeypatch.setattr(engine_bench, name, getattr(core[module], name))
    return watch


def run(watch, session, until_ms=None, target_ms=10, plateaus=(2000, 2000)) -> Engine:
    """Play with the watch on; as the feeder does, saving the state before each block."""
    engine = Engine(session, plateaus)
    slot = engine.slot()
    until = None if until_ms is None else until_ms * session.board.ms(1)
    while not engine.ended and (until is None or engine.tape.turn < until):
        with watch.watching():
            engine.scheduler.save(slot)
            words = engine.write(target_ms)
        assert all(-LIMIT <= value < LIMIT for value in slot)
        engine.play(words)
        for forgotten in (*engine.tape.pulses, engine.tape.gates, engine.tape.syncs):
            del forgotten[:-1]
    return engine


def test_the_watch_sees_numbers_on_their_way():
    watch, core = watched_core("envelope")
    with watch.watching():
        core["envelope"].share_at([5, 0, 10], 0, 2)
    assert watch.seen and not watch.outside
    with watch.watching():
        assert core["envelope"].share_at([0, 1, 1 << 31], 0, 3) == 8192
    assert watch.outside


@pytest.mark.parametrize(
    ("one", "two", "session", "until_ms"),
    [
        # A contraction of four hours, from its beginning (its end: see the envelope below).
        (CONTINUOUS, CONTINUOUS | {"rate_mhz": 500},
         {"duration_ms": 4 * HOUR_MS, "pattern": INDEPENDENT}, 20_000),
        # The longest ramps, widest pulses, slowest rate.
        ({"enabled": 1, "ramp_up_ms": HOUR_MS, "on_ms": HOUR_MS, "ramp_down_ms": HOUR_MS,
          "width_ns": 1_000_000, "gap_ns": 1_000_000, "rate_mhz": 500, "delay_us": 1_000_000},
         {"enabled": 1, "ramp_up_ms": HOUR_MS, "on_ms": HOUR_MS, "ramp_down_ms": HOUR_MS,
          "ramp_by": 1, "width_ns": 1_000_000, "rate_mhz": 10_000, "count": 8,
          "interval_ns": 10_000_000}, {"duration_ms": 4 * HOUR_MS, "pattern": INDEPENDENT},
         30_000),
        # An off time of an hour, then the next contraction.
        ({"enabled": 1, "ramp_up_ms": 0, "ramp_down_ms": 0, "on_ms": 10, "off_ms": HOUR_MS},
         {"enabled": 1, "ramp_up_ms": 0, "ramp_down_ms": 0, "on_ms": 10, "off_ms": HOUR_MS,
          "delay_us": 1_000_000}, {"duration_ms": 2 * HOUR_MS}, None),
        # One channel alone, the other's clock must not run away.
        (CONTINUOUS | {"rate_mhz": 500}, {}, {"duration_ms": 120_000}, None),
        ({}, CONTINUOUS | {"rate_mhz": 500}, {"duration_ms": 120_000}, None),
        # Odd rates have the largest remainders.
        (CONTINUOUS | {"rate_mhz": 499_999, "width_ns": 20_000},
         CONTINUOUS | {"rate_mhz": 399_999, "width_ns": 20_000},
         {"duration_ms": 4 * HOUR_MS, "pattern": INDEPENDENT}, 2_000),
        # The longest burst.
        (CONTINUOUS | {"rate_mhz": 9_000, "count": 50, "interval_ns": 1_999_999,
                       "width_ns": 900_000}, {},
         {"duration_ms": 4 * HOUR_MS, "warm_ms": HOUR_MS, "warm_up_ms": HOUR_MS,
          "warm_down_ms": 0, "warm_rate_mhz": 5_000}, 2_000),
        ({"enabled": 1, "ramp_up_ms": HOUR_MS, "off_ms": 0, "on_ms": HOUR_MS},
         {"enabled": 1, "ramp_up_ms": HOUR_MS, "off_ms": 0, "on_ms": 1_000},
         {"duration_ms": 4 * HOUR_MS, "pattern": OVERLAPPED}, 2_000),
        ({"enabled": 1, "ramp_up_ms": 0, "off_ms": HOUR_MS, "on_ms": 10},
         {"enabled": 1, "ramp_up_ms": 0, "off_ms": HOUR_MS, "on_ms": 10},
         {"duration_ms": 4 * HOUR_MS, "pattern": ALTERNATING}, 2_000),
    ],
)
def test_numbers_stay_small_at_the_ends_of_the_ranges(watch, one, two, session, until_ms):
    run(watch, Session(one, two, session, FAST), until_ms, target_ms=10 if until_ms else 100)
    assert watch.seen > 1_000
    assert not watch.outside


@examples(30)
@given(sessions(most_ms=2_000), plateaus)
def test_numbers_stay_small_in_any_session(watch, session, plateaus):
    assume(not session.expectation.refusal)
    run(watch, session, plateaus=plateaus)
    assert not watch.outside


def test_numbers_stay_small_while_fading(watch):
    channel = CONTINUOUS | {"rate_mhz": 100_000}
    session = Session(channel, channel, {"pattern": INDEPENDENT}, FAST)
    engine = run(watch, session, until_ms=500)
    for fade_ms in (100, 1_000, 3_000):
        with watch.watching():
            engine.scheduler.fade(fade_ms * session.board.ms(1))
        while not engine.ended:
            with watch.watching():
                words = engine.write()
            engine.play(words)
        with watch.watching():
            engine.scheduler.resume()
        engine.writer.ended = False
        engine.set_plateaus((2000, 2000))
        while engine.blocks % 50:
            with watch.watching():
                words = engine.write()
            engine.play(words)
    assert not watch.outside


def test_the_envelope_of_the_longest_trains():
    watch, core = watched_core("envelope")
    four_hours, hour = 4 * HOUR_MS * TICKS_PER_MS, HOUR_MS * TICKS_PER_MS
    spans = [(0, 4 * HOUR_MS, 0), (HOUR_MS,) * 2 + (0,), (HOUR_MS, 3 * HOUR_MS, HOUR_MS),
             (HOUR_MS, 4 * HOUR_MS, HOUR_MS), (2_621, 10_000, 2_622), (1, 2, 1)]
    for up, length, down in spans:
        envelope = [time_ms * TICKS_PER_MS for time_ms in (up, down, length)]
        last = min(four_hours, length * TICKS_PER_MS) - 1
        with watch.watching():
            for ticks in {0, 1, last // 3, last // 2, last - 1, last, min(hour - 1, last)}:
                assert 0 <= core["envelope"].share_at(envelope, 0, ticks) <= 8192
    assert not watch.outside
    assert watch.seen > 100
