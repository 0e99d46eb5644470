"""One session as a record: set, delivered, pauses, faults, notes, skin. No personal data."""

from __future__ import annotations

import csv
import json
from dataclasses import asdict, dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

SCHEMA = 1
COMPLETE = 0.8  # of the planned length: a session counts for adherence (project choice)


@dataclass
class Row:
    """What a channel delivered in one cycle (contraction and rest), or in a minute without."""

    channel: int
    number: int
    start_s: float
    pulses: int
    set_ma: float
    """Highest intensity that was set."""
    peak_ma: float
    """Highest measured current of a phase; 0 if none was measured."""
    charge_uc: float
    """Measured charge of both phases of all pulses."""
    net_uc: float


@dataclass
class Event:
    at_s: float
    kind: str
    """start, pause, resume, fault, end, interrupted."""
    text: str = ""


@dataclass
class Record:
    """A session. Times of rows and events are session seconds; `started` is local time."""

    id: str
    started: str
    firmware: str
    programs: list[str]
    mode: str
    checklist: str
    checklist_digest: str
    settings_hash: str
    planned_s: float
    targets_ma: dict[str, float]
    channels: dict[str, dict[str, Any]]
    session: dict[str, Any]
    played_s: float = 0.0
    outcome: str = "running"
    """ended, fault, interrupted."""
    rows: list[Row] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    skin_before: str = ""
    skin_after: str = ""
    schema: int = SCHEMA

    @property
    def complete(self) -> bool:
        return self.played_s >= COMPLETE * self.planned_s

    def json(self) -> str:
        return json.dumps(asdict(self), indent=1, default=str) + "\n"

    @classmethod
    def read(cls, text: str) -> Record:
        """ValueError names what a text lacks to be a record."""
        values = json.loads(text)
        if not isinstance(values, dict) or values.get("schema") != SCHEMA:
            raise ValueError(f"no record of schema {SCHEMA}")
        try:
            values["rows"] = [Row(**row) for row in values["rows"]]
            values["events"] = [Event(**event) for event in values["events"]]
            return cls(**values)
        except (KeyError, TypeError) as error:
            raise ValueError(f"no record: {error}") from error

    def csv(self) -> str:
        """The rows, one line for each."""
        out = StringIO()
        names = list(Row.__dataclass_fields__)
        writer = csv.DictWriter(out, names, lineterminator="\n")
        writer.writeheader()
        for row in self.rows:
            writer.writerow(asdict(row))
        return out.getvalue()


class Shelf:
    """Records in a folder, one file each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, record: Record) -> Path:
        """Write a record whole, or not at all."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{record.id}.json"
        new = path.with_suffix(".new")
        new.write_text(record.json())
        new.replace(path)
        return path

    def get(self, id: str) -> Record:
        """A record by its id, or `last`. Raises KeyError if there is none."""
        ids = self.ids()
        if id == "last" and ids:
            id = ids[-1]
        if id not in ids:
            raise KeyError(f"no record {id}")
        return Record.read((self.folder / f"{id}.json").read_text())

    def ids(self) -> list[str]:
        """Oldest first."""
        return sorted(path.stem for path in self.folder.glob("*.json"))

    def all(self) -> list[Record]:
        return [self.get(id) for id in self.ids()]
