"""Every block of a lawful session passes the inspector, up to the ceiling of its settings."""

import pytest
from engine_bench import Engine, Session, settings
from hypothesis import assume, given
from hypothesis import strategies as st
from oracle import INDEPENDENT, SIMULTANEOUS, Board
from strategies import examples, sessions

from firmware.boards import pico_reference
from firmware.core.inspector import Inspector
from firmware.core.inspector_reasons import REASONS
from firmware.core.settings import CHANNEL, SESSION
from firmware.safety.ceiling import ceiling
from firmware.safety.rules import rules_for

STEP_UA, STEP_MS, UNFELT_UA = 1_000, 500, 10_000
CONTINUOUS = {"enabled": 1, "on_ms": 0, "ramp_up_ms": 0, "ramp_down_ms": 0, "limit_ua": 120_000}
RUSSIAN = {"width_ns": 198_000, "gap_ns": 2_000, "count": 25, "interval_ns": 400_000}


class WayUp:
    """Raises the plateaus as SR-07 allows: 1 mA every half second of tape, little unfelt."""

    def __init__(self, engine: Engine, session: Session):
        self._engine = engine
        self._current_ua = [0, 0]
        self._raised = [-(10**9)] * 2
        self._step = session.board.ms(STEP_MS)
        shared = settings_of(session)
        self.most_ua = [
            ceiling(channel, shared)[0] if channel.enabled else 0
            for channel in channels_of(session)
        ]

    def go(self) -> None:
        """Raise what may be raised now."""
        turn, scheduler = self._engine.tape.turn, self._engine.scheduler
        for i in (0, 1):
            felt_ua = scheduler.highest(i) * pico_reference.LEVEL_UA
            wanted_ua = min(
                self._current_ua[i] + STEP_UA, self.most_ua[i], felt_ua + UNFELT_UA
            )
            if wanted_ua > self._current_ua[i] and turn - self._raised[i] >= self._step:
                self._current_ua[i] = wanted_ua
                self._raised[i] = turn
            scheduler.level[i] = self._current_ua[i] // pico_reference.LEVEL_UA

    def drop(self) -> None:
        """Down is always allowed."""
        self._current_ua = [0, 0]


def channels_of(session: Session) -> list:
    return [settings(CHANNEL, values) for values in session.channels]


def settings_of(session: Session):
    return settings(SESSION, session.session)


def inspected(session: Session, drops: tuple = ()) -> tuple[list[int], list[int]]:
    """Play a session on its way up; fails if the inspector refuses a block.

    Returns the highest current that the settings allow (uA), and the highest level played.
    """
    engine = Engine(session)
    up = WayUp(engine, session)
    inspector = Inspector(rules_for(pico_reference, session.timing, channels_of(session)))
    while not engine.ended:
        if engine.blocks in drops:
            up.drop()
        up.go()
        words = engine.write()
        reason = inspector.inspect(engine.halves, len(words), engine.writer.turns)
        assert not reason, f"{REASONS[reason]}, word {inspector.index} of block {engine.blocks}"
        engine.play(words)
    return up.most_ua, [engine.scheduler.highest(i) for i in (0, 1)]


@examples(40)
@given(
    sessions(most_ms=6_000),
    st.tuples(st.integers(1_000, 120_000), st.integers(1_000, 120_000)),
    st.lists(st.integers(1, 500), max_size=2),
)
def test_lawful_sessions_pass(session, limits_ua, drops):
    for channel, limit_ua in zip(session.channels, limits_ua, strict=True):
        channel["limit_ua"] = limit_ua
    assume(not session.expectation.refusal)
    inspected(session, drops=tuple(drops))


@pytest.mark.parametrize(
    ("one", "two", "session"),
    [
        (RUSSIAN | {"rate_mhz": 50_000}, None, {}),
        (RUSSIAN | {"rate_mhz": 50_000}, RUSSIAN | {"rate_mhz": 50_000},
         {"pattern": SIMULTANEOUS, "duration_ms": 13_000}),
        ({"rate_mhz": 500_000, "width_ns": 400_000}, None, {}),
        ({"rate_mhz": 100_000, "width_ns": 1_000_000}, {"rate_mhz": 99_999},
         {"pattern": INDEPENDENT, "duration_ms": 40_000}),
        ({"rate_mhz": 2_000, "count": 9, "interval_ns": 11_111_111}, {"rate_mhz": 120_000},
         {"pattern": INDEPENDENT, "duration_ms": 61_000}),
        ({"rate_mhz": 35_000}, None, {"warm_ms": 20_000, "cool_ms": 5_000,
                                      "duration_ms": 65_000}),
    ],
)
def test_the_ceiling_of_the_settings_is_reached_and_passes(one, two, session):
    """What the settings allow, the inspector allows too, be it r.m.s., mean or density."""
    channels = [CONTINUOUS | one | {"pad_mm2": 500}, CONTINUOUS | two if two else {}]
    most_ua, reached = inspected(Session(*channels, {"duration_ms": 20_000} | session, Board()))
    assert reached == [current_ua // pico_reference.LEVEL_UA for current_ua in most_ua]
