"""Programs played and measured against their data, and a figure that is wrong is seen."""

import copy
import io

import pytest
from rich.console import Console
from strategies import NIGHTLY

from rheobase.programs import __main__ as table
from rheobase.programs import triggered
from rheobase.programs.library import IDS, program
from rheobase.programs.measure import measure
from rheobase.programs.play import Played, clocked, on_board, whole

# Steps, opening doublets, blocks of both sorts, patterns, n-lets, carriers, triggers.
QUICK = ("D35", "N13", "N18", "N20", "N26", "N27", "N29", "T03", "X04")
ON_BOARD = ("N15", "N29", "X01")


@pytest.mark.parametrize("name", IDS if NIGHTLY else QUICK)
def test_a_whole_session_is_as_its_data_say(name):
    for row in measure(whole(program(name))):
        assert not row.wrong


@pytest.mark.parametrize("name", IDS if NIGHTLY else ON_BOARD)
def test_a_shortened_session_at_the_electrodes_is_as_its_data_say(name):
    for row in measure(on_board(program(name))):
        assert not row.wrong


@pytest.fixture(scope="module")
def played():
    """One program with everything: warm-up, cool-down, active rest, two channels in turn."""
    made = program("N20")
    made.session.update({
        "duration_ms": 100_000, "warm_ms": 10_000, "warm_rate_mhz": 6_000, "cool_ms": 9_000,
        "cool_rate_mhz": 3_000,
    })
    return whole(made)


def test_it_measures_right(played):
    assert all(not row.wrong for row in measure(played))


@pytest.mark.parametrize(
    ("where", "name", "change"),
    [
        ("channel", "rate_mhz", 40), ("channel", "width_ns", 32), ("channel", "gap_ns", 32),
        ("channel", "on_ms", 10), ("channel", "off_ms", 10), ("channel", "ramp_up_ms", 20),
        ("channel", "ramp_down_ms", 20), ("channel", "count", 1), ("session", "duration_ms", 200),
        ("session", "warm_rate_mhz", 10), ("session", "cool_rate_mhz", 10),
        ("session", "warm_ms", 2), ("session", "pattern", 1),
    ],
)
def test_data_that_differ_from_what_was_played_are_seen(played, where, name, change):
    """The measuring itself: each figure of the data made wrong by a little."""
    made = copy.deepcopy(played.made)
    target = made.session if where == "session" else made.channels[0]
    target[name] = 0 if name == "pattern" else target[name] + change
    rows = measure(Played(made, played.pulses, played.turns, played.plateau))
    assert any(row.wrong for row in rows)


@pytest.mark.parametrize("spoil", ["missing", "late", "wide", "early"])
def test_a_wrong_pulse_is_seen(played, spoil):
    pulses = list(played.pulses[0])
    middle = len(pulses) // 2
    if spoil == "missing":
        del pulses[middle]
    elif spoil == "wide":
        pulses[middle] = pulses[middle]._replace(width=pulses[middle].width + 1)
    else:
        by = 100_000 if spoil == "late" else -100_000
        pulses[middle] = pulses[middle]._replace(start=pulses[middle].start + by)
    spoiled = Played(played.made, (pulses, played.pulses[1]), played.turns, played.plateau)
    assert measure(spoiled)[0].wrong


def test_a_step_of_a_course_that_is_missing_is_seen():
    made = program("N13")
    made.session["duration_ms"] = 90_000
    played = whole(made)
    assert not measure(played)[0].wrong
    played.made.channels[0]["mod_steps"] = 8
    assert measure(played)[0].wrong


def test_the_command_prints_one_table_and_ends_with_1_for_a_difference(monkeypatch):
    shown = io.StringIO()
    assert table.run(["X04"], ["whole"], Console(file=shown, width=190)) == 0
    assert "X04  whole" in shown.getvalue() and "0 differences" in shown.getvalue()

    def slow(made):
        made.channels[0]["rate_mhz"] -= 100
        played = whole(made)
        made.channels[0]["rate_mhz"] += 100
        return played

    monkeypatch.setitem(table.PLAYERS, "whole", slow)
    shown = io.StringIO()
    assert table.run(["X04"], ["whole"], Console(file=shown, width=190)) == 1
    assert "39.9 not 40" in shown.getvalue()


def test_triggered_programs_are_played_at_their_longest():
    made = clocked(program("N25"))
    c = made.channels[0]
    assert c["ramp_up_ms"] + c["on_ms"] + c["ramp_down_ms"] == 3_000


@pytest.mark.parametrize("name", triggered.TRIGGERED)
def test_a_triggered_session_is_as_its_data_and_its_trace_say(name):
    for row in triggered.measured(program(name), 10 if NIGHTLY else 0.35):
        assert not row.wrong
        assert int(row.cells["pulses"]) > 100


@pytest.mark.parametrize(
    ("where", "name", "change"),
    [
        ("channel", "rate_mhz", 1), ("channel", "width_ns", 32), ("channel", "ramp_up_ms", 40),
        ("session", "extend_ms", -150), ("session", "timeout_ms", -2_700),
    ],
)
def test_a_triggered_session_that_differs_from_its_data_is_seen(where, name, change, monkeypatch):
    made = program("N25")
    on_board = triggered.OnBoard

    def other(played):
        session = on_board(copy.deepcopy(played))
        target = played.session if where == "session" else played.channels[0]
        target[name] += change  # what it is measured against
        return session

    monkeypatch.setattr(triggered, "OnBoard", other)
    assert any(row.wrong for row in triggered.measured(made, 0.15))
