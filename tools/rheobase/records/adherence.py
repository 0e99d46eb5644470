"""How regularly sessions were done: by ISO week, against a schedule of so many a week."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import NamedTuple

from rheobase.records.record import Record


class Week(NamedTuple):
    monday: date
    done: int
    """Sessions that were played to at least 80 % of their length."""
    begun: int
    per_week: int

    @property
    def share(self) -> float:
        """Of the schedule, at most 1."""
        return min(1.0, self.done / self.per_week)


def weeks(records: Iterable[Record], per_week: int, until: date) -> list[Week]:
    """Every week from the first record to `until`, those without sessions included."""
    if per_week < 1:
        raise ValueError(f"{per_week} sessions a week is below 1")
    by_monday: dict[date, list[Record]] = {}
    for record in records:
        day = datetime.fromisoformat(record.started).date()
        by_monday.setdefault(_monday(day), []).append(record)
    if not by_monday:
        return []
    monday, found = min(by_monday), []
    while monday <= until:
        here = by_monday.get(monday, [])
        found.append(Week(monday, sum(r.complete for r in here), len(here), per_week))
        monday += timedelta(days=7)
    return found


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
