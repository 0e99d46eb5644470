"""The fault log and the black box: what the board remembers of its faults. Output off only."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from rheobase.client.line import Line
from rheobase.client.words import NUMBER, TEXT, numbers, unquoted

LEVEL_MA = 0.06  # one level of the reference board's current
TURN_US = 0.016  # one turn of the tape
_COUNT = numbers(2)
_BOX = numbers(3)
_FIELD = f"(?:{NUMBER.pattern}|[A-Za-z]+|{TEXT.pattern}|[0-9a-f]+)"
_RECORD = re.compile(f"{_FIELD}(?:,{_FIELD})*")


class ChannelThen(NamedTuple):
    """A channel when a fault struck; None for what was not measured."""

    commanded_ma: float
    measured_ma: float | None
    width_us: float
    rate_hz: float
    impedance_ohm: int | None


class LogRecord(NamedTuple):
    """One fault. channel: 1, 2, or 0 for neither. time: None if the board had no clock."""

    number: int
    boot: int
    uptime_s: float
    time: datetime | None
    fault: int
    severity: str
    channel: int
    reason: str
    detail: str
    state: str
    supply_v: int | None
    channels: tuple[ChannelThen, ChannelThen]
    reset_cause: str
    firmware_crc: str


class BoxPulse(NamedTuple):
    """A pulse before a fault; delivered_ma: of the plus and of the minus leg."""

    uptime_ms: int
    channel: int
    commanded_ma: float
    width_us: float
    delivered_ma: tuple[float, float]


class BoxEvent(NamedTuple):
    """A change of state or inputs, or the beginning of a command line."""

    uptime_ms: int
    kind: str
    what: str


class Box(NamedTuple):
    """What the black box kept of a fault, newest first. record: the log record it belongs to."""

    record: int
    pulses: list[BoxPulse]
    events: list[BoxEvent]


class FaultLog:
    """`stimulator.log`: iterate for the records, newest first; `len` tells how many there are."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def __len__(self) -> int:
        return self._counts()[0]

    @property
    def damaged(self) -> int:
        """Records that can't be read any more."""
        return self._counts()[1]

    def _counts(self) -> tuple[int, int]:
        good, lost = self._line.query("SYST:LOG:COUN?", _COUNT).split(",")
        return int(good), int(lost)

    def __getitem__(self, place: int) -> LogRecord:
        """The newest record is 0. Raises IndexError if there are not so many."""
        if not 0 <= place < len(self):
            raise IndexError(f"record {place} of {len(self)}")
        return self._record(place)

    def __iter__(self) -> Iterator[LogRecord]:
        for place in range(len(self)):
            yield self._record(place)

    def _record(self, place: int) -> LogRecord:
        return record_of(self._line.query(f"SYST:LOG? {place + 1}", _RECORD))

    def clear(self) -> None:
        """Empty it but for a record of that. Needs the clinician's key: `configuration.unlock`."""
        self._line.set("SYST:LOG:CLE")

    def box(self, record: int = 0) -> Box:
        """The black box of a log record, by the record's number; 0: of the newest that has one.

        The last four are kept. Raises StimulatorError (-224) if there is none, (-230) if it is
        damaged.
        """
        asked = f"SYST:BBOX? {record}" if record else "SYST:BBOX?"
        number, pulses, events = map(int, self._line.query(asked, _BOX).split(","))
        return Box(
            number,
            [_pulse(text) for text in self._entries("PULS", number, pulses)],
            [_event(text) for text in self._entries("EVEN", number, events)],
        )

    def _entries(self, what: str, record: int, count: int) -> list[str]:
        found: list[str] = []
        while len(found) < count:
            answer = self._line.query(f"SYST:BBOX:{what}? {record},{len(found) + 1}", TEXT)
            more = [text for text in unquoted(answer).split(";") if text]
            if not more:
                break
            found += more
        return found


def record_of(answer: str) -> LogRecord:
    """A record as SYSTem:LOG? tells it."""
    f = next(csv.reader([answer]))
    unix_s = int(f[3])
    return LogRecord(
        number=int(f[0]),
        boot=int(f[1]),
        uptime_s=float(f[2]),
        time=datetime.fromtimestamp(unix_s, UTC) if unix_s else None,
        fault=int(f[4]),
        severity=f[5],
        channel=int(f[6]),
        reason=f[7],
        detail=f[8],
        state=f[9],
        supply_v=_known(f[10]),
        channels=(_channel(f[11:16]), _channel(f[16:21])),
        reset_cause=f[21],
        firmware_crc=f[22],
    )


def _known(text: str) -> int | None:
    return None if int(text) < 0 else int(text)


def _channel(f: list[str]) -> ChannelThen:
    measured_ua = _known(f[1])
    return ChannelThen(
        commanded_ma=int(f[0]) / 1e3,
        measured_ma=None if measured_ua is None else measured_ua / 1e3,
        width_us=int(f[2]) / 1e3,
        rate_hz=int(f[3]) / 1e3,
        impedance_ohm=_known(f[4]),
    )


def _pulse(text: str) -> BoxPulse:
    uptime_ms, channel, level, turns, plus, minus = map(int, text.split(","))
    return BoxPulse(
        uptime_ms,
        channel,
        round(level * LEVEL_MA, 3),
        round(turns * TURN_US, 3),
        (round(plus * LEVEL_MA, 3), round(minus * LEVEL_MA, 3)),
    )


def _event(text: str) -> BoxEvent:
    uptime_ms, kind, what = text.split(",", 2)
    return BoxEvent(int(uptime_ms), kind, what)
