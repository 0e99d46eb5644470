"""A plan of sessions by weekday, and what became of each: done, moved, missed, still to come.

A plan is kept beside the records, in `plan/plan.json`, so that it is no record; like them it
names nobody.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import NamedTuple

from rheobase.records.record import Record

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
PLACE = Path("plan", "plan.json")
MOST_WEEKS = 104
DONE, MOVED, MISSED, DUE = "done", "moved", "missed", "due"


@dataclass
class Plan:
    """Sessions on some weekdays, for some weeks from the one that `first` lies in.

    programs: what is to be played; empty: anything. Raises ValueError, naming value and limit.
    """

    first: str
    weeks: int
    days: list[str]
    programs: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        date.fromisoformat(self.first)
        if not 1 <= self.weeks <= MOST_WEEKS:
            raise ValueError(f"{self.weeks} weeks, allowed are 1 to {MOST_WEEKS}")
        unknown = [day for day in self.days if day not in DAYS]
        if unknown or not self.days:
            raise ValueError(f"days {','.join(self.days)}, known are {','.join(DAYS)}")
        if len(set(self.days)) != len(self.days):
            raise ValueError(f"days {','.join(self.days)}: one is named twice")

    def dates(self) -> list[date]:
        """The day of every session, in order; none before `first`."""
        first = date.fromisoformat(self.first)
        monday = first - timedelta(days=first.weekday())
        places = sorted(DAYS.index(day) for day in self.days)
        found = [
            monday + timedelta(days=7 * week + place)
            for week in range(self.weeks)
            for place in places
        ]
        return [day for day in found if day >= first]

    def suits(self, record: Record) -> bool:
        """Whether a session was one of the plan's: whole, with one of its programs."""
        if not record.complete:
            return False
        return not self.programs or any(program in self.programs for program in record.programs)

    def save(self, folder: Path) -> None:
        place = folder / PLACE
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps(asdict(self), indent=1) + "\n")

    @classmethod
    def load(cls, folder: Path) -> Plan | None:
        """The folder's plan, None without one. ValueError for one that is damaged."""
        place = folder / PLACE
        if not place.exists():
            return None
        try:
            return cls(**json.loads(place.read_text()))
        except TypeError as error:
            raise ValueError(f"{place}: {error}") from error


class Planned(NamedTuple):
    """A session of the plan: on which day, what became of it, and the record's id."""

    day: date
    outcome: str
    record: str


def outcomes(plan: Plan, records: Iterable[Record], today: date) -> list[Planned]:
    """What became of every session of the plan.

    A session counts in its own week: on its day as done, on another one as moved. Each record
    stands for one session of the plan. A day is missed when its week is over, till then due.
    """
    played: dict[date, list[str]] = {}
    for record in sorted(records, key=lambda one: one.started):
        if plan.suits(record):
            day = datetime.fromisoformat(record.started).date()
            played.setdefault(day, []).append(record.id)
    days = plan.dates()
    found: dict[date, Planned] = {}
    for day in days:
        if played.get(day):
            found[day] = Planned(day, DONE, played[day].pop(0))
    for day in days:
        if day in found:
            continue
        monday = day - timedelta(days=day.weekday())
        week = [monday + timedelta(days=k) for k in range(7)]
        other = next((one for one in week if played.get(one)), None)
        if other is not None:
            found[day] = Planned(day, MOVED, played[other].pop(0))
        else:
            over = today > week[-1]
            found[day] = Planned(day, MISSED if over else DUE, "")
    return [found[day] for day in days]


def share(found: Iterable[Planned]) -> float | None:
    """Of the sessions that are not still due, the part that was played; None if there is none."""
    past = [one for one in found if one.outcome != DUE]
    if not past:
        return None
    return sum(one.outcome in (DONE, MOVED) for one in past) / len(past)


def as_json(plan: Plan, found: list[Planned]) -> str:
    rows = [{"day": p.day.isoformat(), "outcome": p.outcome, "record": p.record} for p in found]
    return json.dumps({"plan": asdict(plan), "share": share(found), "sessions": rows}, indent=1)


def as_csv(found: list[Planned]) -> str:
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(Planned._fields)
    for one in found:
        writer.writerow([one.day.isoformat(), one.outcome, one.record])
    return out.getvalue()
