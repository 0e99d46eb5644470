"""The demo: its expectation against the oracle, its check against corrupted recordings."""

import copy
import csv
import time
from math import inf

import oracle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from firmware.core.settings import CHANNEL, SESSION
from rheobase import scope
from rheobase.client import Channel
from rheobase.demo import run
from rheobase.expected import expected_pulses
from rheobase.sim.realtime import RealTimeBoard

SECONDS = 2.0


# -- the expectation -----------------------------------------------------------------------------


def drawn_channel():
    return st.fixed_dictionaries(
        {
            "enabled": st.just(1),
            "width_ns": st.integers(20_000, 500_000),
            "gap_ns": st.integers(2_000, 300_000),
            "polarity": st.integers(0, 2),
            "rate_mhz": st.integers(1_000, 60_000),
            "count": st.integers(1, 3),
            "interval_ns": st.sampled_from((1_500_000, 1_999_999, 4_000_000, 5_000_013)),
            "delay_us": st.integers(0, 50_000),
            "ramp_up_ms": st.integers(0, 700),
            "ramp_down_ms": st.integers(0, 700),
            "on_ms": st.sampled_from((0, 300, 1234)),
            "off_ms": st.integers(0, 900),
        }
    )


def as_the_client_reads(values):
    """Raw fields of the firmware's table as the client's attributes."""
    seen = {}
    for (name, setting), field in zip(Channel.settings.items(), CHANNEL, strict=True):
        raw = values[field[0]]
        if hasattr(setting, "power"):
            seen[name] = float(f"{raw}e{field[2] - setting.power}")
        elif hasattr(setting, "words"):
            seen[name] = setting.words[raw].lower()
        else:
            seen[name] = raw
    if not values["on_ms"]:
        seen["on_s"] = inf
    return seen


def defaults(table):
    return {field[0]: field[6] for field in table}


def of_the_oracle(expectation):
    """The oracle's pulses as (channel, start, width, gap, polarity) in clocks."""
    line = oracle.Line(expectation.board.separation)
    for unit in expectation.line():
        width = unit.widths[0]
        start = line.place(unit, width)
        for at in unit.pulse_at(start):
            polarity = -1 if unit.minus_first else 1
            yield unit.channel + 1, 2 * at, 2 * width, 2 * unit.gap, polarity, unit.level_share


@settings(max_examples=100, deadline=None)
@given(drawn_channel(), drawn_channel(), st.booleans(), st.integers(500, 5_000))
def test_the_expectation_agrees_with_the_oracle(one, two, both, duration_ms):
    channels = [{**defaults(CHANNEL), **one}, {**defaults(CHANNEL), **two, "enabled": int(both)}]
    session = {**defaults(SESSION), "duration_ms": duration_ms}
    expectation = oracle.Expectation(channels, session)
    if expectation.refusal:
        return
    found = expected_pulses(
        {number: as_the_client_reads(values) for number, values in enumerate(channels, 1)},
        {"duration_s": duration_ms / 1000, "pattern": "independent", "warm_up_s": 0,
         "cool_down_s": 0},
    )  # fmt: skip
    wanted = list(of_the_oracle(expectation))
    # A burst's pulses stand together in both, so the order is the same.
    assert [(p.channel, p.start, p.width, p.gap, p.first) for p in found] == [
        want[:5] for want in wanted
    ]
    for pulse, want in zip(found, wanted, strict=True):
        for plateau in (0, 17, 333, 2000):
            levels = pulse.levels(plateau)
            assert (levels[0], levels[-1]) == want[5].levels(plateau)


@pytest.mark.parametrize(
    "change",
    ({"ramp_by": "width"}, {"rest_rate_hz": 5.0}),
)
def test_the_expectation_refuses_what_it_does_not_cover(change):
    channel = {**as_the_client_reads({**defaults(CHANNEL), "enabled": 1}), **change}
    session = {"duration_s": 20, "pattern": "independent", "warm_up_s": 0, "cool_down_s": 0}
    with pytest.raises(ValueError, match="only amplitude ramps and passive rests"):
        expected_pulses({1: channel}, session)


# -- the demo itself -----------------------------------------------------------------------------


def play(tmp_path, *more, after=None):
    return run.main(["--seconds", str(SECONDS), "--out", str(tmp_path), *more], after)


def test_the_demo_behind_a_port_and_its_files(tmp_path, capsys):
    assert play(tmp_path) == 0
    said = capsys.readouterr().out
    assert "Every edge is where it belongs." in said
    assert "/dev/" in said
    assert (tmp_path / "session.png").read_bytes().startswith(b"\x89PNG")
    edges = (tmp_path / "edges.txt").read_text()
    assert "worst edge off by" in edges and "0 clocks" in edges
    with (tmp_path / "pulses.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["channel"] for row in rows} == {"1", "2"}
    assert max(float(row["commanded_ma"]) for row in rows) >= 1  # the intensity went up
    lines = [line for line in edges.splitlines() if line.endswith("  0 0 0 0")]
    assert len(lines) == len(rows)
    # The VCD holds the same pulses with the same charge.
    from_csv = scope.read(tmp_path / "pulses.csv")
    from_vcd = scope.read(tmp_path / "session.vcd")[-len(from_csv) :]  # behind the check
    assert [p[:6] for p in from_vcd] == [p[:6] for p in from_csv]
    for one, two in zip(from_vcd, from_csv, strict=True):
        assert one.charge_1_c == pytest.approx(two.charge_1_c, abs=5e-12)


def test_a_machine_too_slow_for_real_time_changes_nothing(monkeypatch):
    """The wall clock runs ahead of the board by more than it ever catches up."""
    began = time.monotonic()

    def hurried():
        elapsed = time.monotonic() - began
        return elapsed + 1.5 * (elapsed // 0.4)

    original = RealTimeBoard.__init__

    def replaced(self, make_board, **options):
        original(self, make_board, clock=hurried)

    monkeypatch.setattr(RealTimeBoard, "__init__", replaced)
    boards = []
    start = RealTimeBoard.start
    monkeypatch.setattr(RealTimeBoard, "start", lambda self: boards.append(self) or start(self))
    findings = run.examine(*run.record(SECONDS, False, Console(quiet=True)))
    assert findings.problems == []
    assert boards[0].slips > 3


@pytest.fixture(scope="module")
def played():
    """A recording of the demo's session, and what the host did."""
    return run.record(SECONDS, True, Console(quiet=True))


def shift_a_pulse(recording):
    """One phase two clocks late."""
    recording._clocks[3 * 100] += 2


def lose_a_pulse(recording):
    del recording._clocks[3 * 40 : 3 * 42]
    del recording._values[3 * 40 : 3 * 42]
    del recording._legs[40:42]


def unbalance(recording):
    """One phase carries two per cent more charge."""
    recording._values[3 * 150 + 1] *= 1.02


def wrong_level(recording):
    recording._values[3 * 150] += 2 * 60e-6


def other_leg_first(recording):
    for index in (60, 61):
        recording._legs[index] = -recording._legs[index]
        recording._values[3 * index + 1] *= -1


def legs_together(recording):
    recording.edge_levels[len(recording.edge_levels) // 2] |= 0b1100


def no_dead_time(recording):
    """The opposite leg rises where the first one falls."""
    levels = recording.edge_levels
    both = 0b1100
    for index in range(len(levels) // 2, len(levels) - 1):
        if levels[index - 1] & both == 0b0100 and levels[index] & both == 0:
            levels[index] |= 0b1000
            return


def early_leg(recording):
    """GATE comes with the leg instead of ahead of it."""
    levels = recording.edge_levels
    for index in range(len(levels) // 2, len(levels)):
        if levels[index] & 0b1111100 == 1 << 6 and not levels[index - 1] & 1 << 6:
            levels[index] &= ~(1 << 6)
            return


@pytest.mark.parametrize(
    ("corrupt", "words"),
    (
        (shift_a_pulse, "clocks, "),
        (lose_a_pulse, "pulses, "),
        (unbalance, "charge off balance by"),
        (wrong_level, "level"),
        (other_leg_first, "the wrong leg first"),
        (legs_together, "two legs high together"),
        (no_dead_time, "dead time of 0 clocks"),
        (early_leg, "gate lead of"),
    ),
)
def test_a_corrupted_recording_is_found_out(played, corrupt, words):
    recording, session = played
    assert run.examine(recording, session).problems == []
    spoiled = copy.deepcopy(recording)
    corrupt(spoiled)
    problems = " ".join(run.examine(spoiled, session).problems)
    assert words in problems


def test_a_corrupted_recording_fails_the_demo(tmp_path, capsys):
    assert play(tmp_path, "--virtual-time", after=shift_a_pulse) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "Not as expected: channel" in said and "start" in said
    assert "Not as expected" in (tmp_path / "edges.txt").read_text()


def test_a_session_that_fails_is_told(tmp_path, capsys, monkeypatch):
    from rheobase.demo import session

    monkeypatch.setattr(session, "TARGETS_MA", {1: 20.0, 2: 500.0})
    assert play(tmp_path, "--virtual-time") == 2
    assert "target 500 mA above" in " ".join(capsys.readouterr().out.split())


def test_an_interrupted_demo_is_told(tmp_path, capsys, monkeypatch):
    from rheobase.demo import session

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(session, "_raise", interrupt)
    assert play(tmp_path, "--virtual-time") == run.INTERRUPTED
    assert "the output is off" in capsys.readouterr().out
