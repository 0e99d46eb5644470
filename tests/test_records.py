"""Session records: what was set and delivered, events, notes, adherence; checklist texts."""

import csv
import json
from datetime import date, datetime

import pytest
from cli_rig import ask, at_every_port
from host_rig import Host
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.safety.approval import CHECKLIST
from rheobase.checklist import CHECKLISTS, EFFORT
from rheobase.cli import usage
from rheobase.client import State, Stimulator
from rheobase.records.adherence import weeks
from rheobase.records.keeper import Keeper
from rheobase.records.record import Event, Record, Row, Shelf
from rheobase.sim_port import approve

EMPTY = {
    "firmware": "1", "programs": ["N01", ""], "mode": "NMES", "checklist": "D1",
    "checklist_digest": "", "settings_hash": "00000000", "planned_s": 100.0, "targets_ma": {},
    "channels": {}, "session": {},
}  # fmt: skip


def made(started, played_s=100.0, **values):
    moment = datetime.fromisoformat(started)
    return Record(
        **{**EMPTY, **values}, id=moment.strftime("%Y%m%d-%H%M%S"), started=started,
        played_s=played_s,
    )  # fmt: skip


@pytest.fixture
def records(tmp_path):
    """Run `rheobase records`; what it said."""

    def run(*arguments, code=0):
        result = ask("records", *arguments, "--folder", tmp_path)
        assert result.code == code, result.text
        return result.text

    return run


# -- a session at the electrodes --------------------------------------------------------------


def session(host, seconds=9.0, at_look=None):
    """Plays three contractions of 2 s on, 1 s off at 2 mA; its keeper."""
    stimulator = host.stimulator
    stimulator.channel(1).configure(
        enabled=True, rate_hz=50, width_us=300, on_s=1.5, off_s=1, ramp_up_s=0.25,
        ramp_down_s=0.25,
    )  # fmt: skip
    stimulator.session.duration_s = seconds
    approve(stimulator)
    keeper = Keeper(stimulator, {1: 2}, datetime(2026, 5, 4, 10, 0, 0))
    stimulator.arm()
    host.bench.recorder.forget()
    stimulator.start()
    climb = stimulator.raise_current({1: 2})
    for look in stimulator.watch(0.1):
        keeper.look(look)
        if at_look:
            at_look(look)
        if look.state == State.RUNNING:
            climb.advance()
    return keeper


def test_what_each_contraction_delivered_is_what_the_electrodes_saw():
    host = Host(keep=("edges", "phases"))
    with host.stimulator:
        record = session(host).close("ended")
    assert [row.number for row in record.rows] == [1, 2, 3]
    assert [row.start_s for row in record.rows] == [0, 3, 6]
    phases = list(host.bench.recorder.phases(1))
    first = phases[0].start / phases[0].clock_hz
    for row in record.rows:
        begun_s = first + row.start_s - 0.5  # amid the rest
        mine = [p for p in phases if begun_s <= p.start / p.clock_hz < begun_s + 3]
        assert row.pulses == len(mine) / 2
        seen_uc = sum(abs(p.charge_c) for p in mine) * 1e6
        assert row.charge_uc == pytest.approx(seen_uc, rel=0.05)
    assert sum(row.pulses for row in record.rows) == len(phases) / 2
    assert record.rows[2].set_ma == 2
    assert record.rows[2].peak_ma == pytest.approx(2, rel=0.05)
    assert [event.kind for event in record.events] == ["start", "ended"]
    assert record.complete
    assert record.channels["1"]["width_us"] == 300
    assert record.checklist_digest == CHECKLISTS["D1"].digest()


def test_a_pause_and_a_resume_are_told():
    host = Host(keep=("phases",))
    seen = []

    def at_look(look):
        seen.append(look.state)
        if len(seen) == 20:
            host.stimulator.pause()
        if look.state == State.PAUSED and seen.count(State.PAUSED) == 5:
            host.stimulator.resume()

    with host.stimulator:
        record = session(host, 6.0, at_look).close("ended")
    assert [event.kind for event in record.events] == ["start", "pause", "resume", "ended"]


@pytest.fixture
def host(monkeypatch):
    host = Host(keep=("phases",))
    at_every_port(monkeypatch, host)
    return host


RUN = ("run", "D35", "--current", "2", "--pad", "9", "--checklist", "D1", "-p", "here")


def test_run_writes_a_record_and_prompts(host, records, tmp_path):
    result = ask(
        *RUN, "-d", "5", "--folder", tmp_path, "--note", "first", "--skin", "fine",
        "--csv", tmp_path / "measured.csv",
    )  # fmt: skip
    assert result.code == 0, result.text
    assert "Look at the skin" in result.text and "stop button" in result.text
    kept = Shelf(tmp_path).get("last")
    assert (kept.outcome, kept.notes, kept.skin_before) == ("ended", ["first"], "fine")
    told = f"channel 1: {sum(row.pulses for row in kept.rows)} pulses"
    assert told in result.said
    rows = list(csv.DictReader((tmp_path / "measured.csv").open()))
    assert 5 <= len(rows) <= 8 and {row["channel"] for row in rows} == {"1"}
    assert max(float(row["first_ma"]) for row in rows) == pytest.approx(2, abs=0.1)
    charges = [float(row["charge_session_uc"]) for row in rows]
    assert charges == sorted(charges) and charges[-1] > 10
    assert kept.id in records("list")


def test_a_fault_is_in_the_record_with_its_words(host, tmp_path, monkeypatch):
    before = Keeper.look

    def look(keeper, progress):
        before(keeper, progress)
        if progress.elapsed_s > 1 and not host.bench.trip_line:
            host.bench.press_stop()

    monkeypatch.setattr(Keeper, "look", look)
    result = ask(*RUN, "-d", "5", "--folder", tmp_path)
    assert result.code == 1
    kept = Shelf(tmp_path).get("last")
    assert kept.outcome == "fault"
    assert not kept.complete
    assert kept.events[-1].kind == "fault" and kept.events[-1].text


def test_an_interrupt_stops_before_the_record_is_written(host, tmp_path, monkeypatch):
    order = []
    before = Keeper.look
    abort = Stimulator.abort

    def look(keeper, progress):
        before(keeper, progress)
        if progress.elapsed_s > 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(Keeper, "look", look)
    monkeypatch.setattr(Stimulator, "abort", lambda s: (order.append("off"), abort(s)))
    close = Keeper.close
    monkeypatch.setattr(Keeper, "close", lambda *v: (order.append("close"), close(*v))[1])
    result = ask(*RUN, "-d", "5", "--folder", tmp_path)
    assert result.code == usage.INTERRUPTED
    assert order[:2] == ["off", "close"]
    assert Shelf(tmp_path).get("last").outcome == "interrupted"


# -- the shelf ---------------------------------------------------------------------------------


def test_a_record_read_again_is_the_same(tmp_path):
    record = made("2026-05-04T10:00:00", notes=["a"], skin_after="red, gone after 5 min")
    record.rows.append(Row(1, 1, 0.0, 50, 12.0, 11.9, 360.2, 0.01))
    record.events.append(Event(0.0, "start"))
    Shelf(tmp_path).put(record)
    assert Shelf(tmp_path).get("last") == record
    assert record.csv().splitlines()[1] == "1,1,0.0,50,12.0,11.9,360.2,0.01"
    for text, words in (("[]", "schema"), ('{"schema": 1}', "no record")):
        with pytest.raises(ValueError, match=words):
            Record.read(text)


def test_notes_and_skin_are_added(records, tmp_path):
    Shelf(tmp_path).put(made("2026-05-04T10:00:00"))
    records("add-note", "last", "felt strong", "--skin-after", "clear")
    shown = json.loads(records("show", "20260504-100000"))
    assert (shown["notes"], shown["skin_after"]) == (["felt strong"], "clear")
    assert records("show", "last", "--as", "csv").startswith("channel,number,start_s,pulses")
    assert "no record nobody" in records("show", "nobody", code=1)
    assert "a NOTE" in records("add-note", "last", code=2)


@given(days=st.lists(st.integers(0, 41), max_size=20), per_week=st.integers(1, 7))
@settings(max_examples=25)
def test_adherence_counts_every_complete_session_in_its_week(days, per_week):
    monday = date(2026, 3, 2)
    made_ones = [
        made(f"{date.fromordinal(monday.toordinal() + day)}T12:00:00", 100.0 if day % 3 else 50.0)
        for day in days
    ]
    found = weeks(made_ones, per_week, date(2026, 4, 12))
    assert sum(week.begun for week in found) == len(days)
    for week in found:
        first = (week.monday - monday).days
        here = [day for day in days if first <= day < first + 7]
        assert (week.begun, week.done) == (len(here), sum(day % 3 > 0 for day in here))
        assert week.share == min(1, week.done / per_week)
    if days:
        assert len(found) == 6 - min(days) // 7


def test_adherence_is_told(records, tmp_path):
    for day in ("04", "06", "12"):
        Shelf(tmp_path).put(made(f"2026-05-{day}T10:00:00"))
    said = records("adherence", "--per-week", "2", "--until", "2026-05-17")
    assert "2026-05-04 2 2 2 100%" in " ".join(said.split())
    assert "adherence 75%" in said


# -- checklist ---------------------------------------------------------------------------------


def test_the_device_asks_for_a_checklist_whose_texts_are_here():
    assert CHECKLIST in CHECKLISTS
    assert CHECKLISTS["D1"].digest() == "fd7051c4850de515", "texts changed: a new number"
    said = ask("checklist").said
    assert "pacemaker" in said and "carotid" in said
    assert ask("checklist", "D9").code == 1


def test_every_mode_has_its_prompt():
    from firmware.programs.classes import MODES

    assert set(EFFORT) == set(MODES)
