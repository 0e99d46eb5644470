"""The sums of tape that tests/micropython/core_session.py holds genuine MicroPython to."""

import importlib.util
from pathlib import Path

import pytest
from engine_bench import Session
from engine_bench import play as play_bench
from oracle import Board
from tape_check import check

PATH = Path(__file__).parent / "micropython" / "core_session.py"
_spec = importlib.util.spec_from_file_location("core_session", PATH)
core_session = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(core_session)


@pytest.mark.parametrize("name", core_session.SESSIONS)
def test_the_sum_that_micropython_must_find_too(name):
    assert core_session.play(name) == core_session.EXPECTED[name]


@pytest.mark.parametrize("name", core_session.SESSIONS)
def test_the_session_behind_the_sum_is_as_the_oracle_says(name):
    clock_hz, one, two, shared = core_session.SESSIONS[name]
    session = Session(one, two, shared, Board(clock_hz=clock_hz))
    engine = play_bench(session, core_session.LEVELS, until_ms=20_000)
    check(engine, session, core_session.LEVELS)


if __name__ == "__main__":
    for name in core_session.SESSIONS:
        print(f'    "{name}": {core_session.play(name)},')
