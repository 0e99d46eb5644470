"""A plan of sessions and what became of each, from records alone."""

import csv
import json
from datetime import date, timedelta

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from strategies import examples

from rheobase.cli import main
from rheobase.records.record import Record, Shelf
from rheobase.records.schedule import DAYS, DONE, DUE, MISSED, MOVED, Plan, outcomes, share

MONDAY = date(2026, 3, 2)


def made(day, hour=12, played_s=100.0, program="N01"):
    started = f"{day.isoformat()}T{hour:02}:00:00"
    return Record(
        started.replace("-", "").replace(":", "").replace("T", "-"), started, "1", [program],
        "NMES", "D1", "", "", 100.0, {}, {}, {}, played_s=played_s, outcome="ended",
    )


def test_what_became_of_each_session():
    plan = Plan("2026-03-04", 3, ["mon", "wed", "fri"], ["N01"])  # from a Wednesday on
    day = [MONDAY + timedelta(days=k) for k in range(21)]
    records = [
        made(day[2]),  # Wednesday, on its day
        made(day[5]),  # Saturday for Friday
        made(day[7], played_s=50.0), made(day[9], program="T01"),  # neither counts
        made(day[14]), made(day[14], 18),  # twice on a Monday: one stands for another day
    ]
    found = outcomes(plan, records, day[16])
    assert [(one.day, one.outcome) for one in found] == [
        (day[2], DONE), (day[4], MOVED), (day[7], MISSED), (day[9], MISSED), (day[11], MISSED),
        (day[14], DONE), (day[16], MOVED), (day[18], DUE),
    ]
    assert share(found) == 4 / 7
    assert share(outcomes(plan, [], MONDAY)) is None


@given(
    days=st.lists(st.integers(0, 27), max_size=16),
    places=st.sets(st.integers(0, 6), min_size=1),
    today=st.integers(0, 40),
)
@examples(60)
def test_no_record_counts_twice_and_none_is_lost(days, places, today):
    plan = Plan(MONDAY.isoformat(), 4, [DAYS[k] for k in sorted(places)])
    records = [made(MONDAY + timedelta(days=d), hour=k) for k, d in enumerate(days)]
    found = outcomes(plan, records, MONDAY + timedelta(days=today))
    used = [one.record for one in found if one.record]
    assert len(found) == 4 * len(places)
    assert len(set(used)) == len(used)
    for week in range(4):
        here = [d for d in days if d // 7 == week]
        told = [one for one in found if (one.day - MONDAY).days // 7 == week]
        assert sum(bool(one.record) for one in told) == min(len(here), len(places))
        for one in told:
            at = (one.day - MONDAY).days
            if at in here:
                assert one.outcome == DONE
            if not one.record:
                assert one.outcome == (MISSED if today // 7 > week else DUE)


@pytest.mark.parametrize(
    ("first", "weeks", "days", "words"),
    [
        ("2026-03-02", 0, ["mon"], "0 weeks"), ("2026-03-02", 105, ["mon"], "1 to 104"),
        ("2026-03-02", 1, [], "known are"), ("2026-03-02", 1, ["day"], "days day"),
        ("2026-03-02", 1, ["mon", "mon"], "twice"), ("March", 1, ["mon"], "March"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(first, weeks, days, words):
    with pytest.raises(ValueError, match=words):
        Plan(first, weeks, days)


def test_the_command_keeps_the_plan_and_tells_it_in_three_forms(tmp_path):
    Shelf(tmp_path).put(made(MONDAY))

    def run(*words, code=0):
        done = CliRunner().invoke(main, ["records", "plan", "--folder", str(tmp_path), *words])
        assert done.exit_code == code, done.output
        return done.output

    assert "no plan" in run(code=1)
    assert "0 weeks" in run("--days", "mon", code=1)
    until = ("--until", "2026-03-10")
    said = run("--from", "2026-03-02", "--weeks", "2", "--days", "mon,thu", *until)
    assert "2026-03-02 done missed" in " ".join(said.split())
    assert "4 sessions of any program: adherence 50%" in said
    rows = list(csv.DictReader(run("--as", "csv", *until).splitlines()))
    assert [row["outcome"] for row in rows] == [DONE, MISSED, DUE, DUE]
    told = json.loads(run("--as", "json", *until))
    assert told["share"] == 0.5
    assert told["plan"]["days"] == ["mon", "thu"]
    assert Shelf(tmp_path).ids() == ["20260302-120000"]
