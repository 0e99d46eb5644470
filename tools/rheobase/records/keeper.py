"""Writes a record while a session runs: give it every look at the session."""

from __future__ import annotations

import math
from datetime import datetime

from rheobase.checklist import CHECKLISTS
from rheobase.client import Progress, RheobaseError, State, Stimulator
from rheobase.client.words import floats, numbers
from rheobase.records.record import Event, Record, Row

_TWO, _THREE = numbers(2), numbers(3)
_MINUTE_S = 60.0


class Keeper:
    """The record of one session: made before it starts, fed while it runs, closed after."""

    def __init__(
        self, stimulator: Stimulator, targets_ma: dict[int, float], started: datetime
    ) -> None:
        self._stimulator = stimulator
        self._line = stimulator.line
        self._numbers = sorted(targets_ma)
        number = stimulator.checklist
        digest = CHECKLISTS[number].digest() if number in CHECKLISTS else ""
        session = stimulator.session.read()
        self.record = Record(
            id=started.strftime("%Y%m%d-%H%M%S"),
            started=started.isoformat(timespec="seconds"),
            firmware=stimulator.identity.version,
            programs=list(stimulator.loaded),
            mode=stimulator.mode,
            checklist=number,
            checklist_digest=digest,
            settings_hash=stimulator.settings_hash,
            planned_s=stimulator.session.duration_s,
            targets_ma={str(n): value for n, value in targets_ma.items()},
            channels={str(n): dict(stimulator.channel(n).read()) for n in self._numbers},
            session=dict(session),
        )
        self._warm_s = stimulator.session.warm_up_s
        self._periods = {n: self._period(n) for n in self._numbers}
        self._early_s = {n: self._early(n) for n in self._numbers}
        self._open: dict[int, Row] = {}
        self._before = dict.fromkeys(self._numbers, (0, 0.0, 0.0))
        self._state: State | None = None

    def _period(self, number: int) -> float:
        """From contraction to contraction; a minute if there is no cycle."""
        channel = self._stimulator.channel(number)
        if math.isinf(channel.on_s) or channel.off_s == 0:
            return _MINUTE_S
        return channel.ramp_up_s + channel.on_s + channel.ramp_down_s + channel.off_s

    def _early(self, number: int) -> float:
        """How long before a contraction its row begins: amid the rest, where nothing is lost."""
        if self._periods[number] == _MINUTE_S or number == 2:
            return 0.0  # channel 2 may play in the rests of channel 1
        return self._stimulator.channel(number).off_s / 2

    def _cycle(self, number: int, elapsed_s: float) -> int:
        """0 is the warm-up, where there is one."""
        if elapsed_s < self._warm_s:
            return 0
        return int(
            (elapsed_s - self._warm_s + self._early_s[number]) / self._periods[number]
        ) + 1

    def look(self, progress: Progress) -> None:
        """One look at the session; a few of them a second are enough."""
        if progress.state != self._state:
            self._changed(progress)
        self.record.played_s = max(self.record.played_s, progress.elapsed_s)
        for number in self._numbers:
            cycle = self._cycle(number, progress.elapsed_s)
            row = self._open.get(number)
            if row is not None and row.number != cycle:
                self._end_row(number)
                row = None
            if row is None:
                start_s = 0.0
                if cycle:
                    start_s = self._warm_s + (cycle - 1) * self._periods[number]
                if start_s >= self.record.planned_s:
                    continue  # the last look is a little later than the end
                row = self._open[number] = Row(number, cycle, start_s, 0, 0.0, 0.0, 0.0, 0.0)
            set_ma = progress.current_ma[number - 1]
            row.set_ma = max(row.set_ma, round(set_ma, 6))
            if progress.state == State.RUNNING and set_ma:
                shown = floats(self._line.query(f"MEAS{number}:CURR?", _TWO))
                peak_ma = max(map(abs, shown)) * 1e3
                row.peak_ma = max(row.peak_ma, round(peak_ma, 3))

    def _changed(self, progress: Progress) -> None:
        kinds = {State.PAUSED: "pause", State.FAULT: "fault"}
        if progress.state == State.RUNNING:
            kind = "resume" if self._state == State.PAUSED else "start"
            self.event(progress.elapsed_s, kind)
        elif progress.state in kinds:
            self.event(progress.elapsed_s, kinds[progress.state])
        self._state = progress.state

    def event(self, at_s: float, kind: str, text: str = "") -> None:
        self.record.events.append(Event(round(at_s, 3), kind, text))

    def _end_row(self, number: int) -> None:
        row = self._open.pop(number)
        count, charge_c, net_c = floats(self._line.query(f"LEDG{number}?", _THREE))
        now = int(count), charge_c * 1e6, net_c * 1e6
        before = self._before[number]
        row.pulses = now[0] - before[0]
        row.charge_uc = round(now[1] - before[1], 3)
        row.net_uc = round(now[2] - before[2], 4)
        self._before[number] = now
        self.record.rows.append(row)

    def close(self, outcome: str, text: str = "") -> Record:
        """The session is over; what it delivered last is asked for once more."""
        for number in list(self._open):
            try:
                self._end_row(number)
            except (RheobaseError, OSError):
                self._open.pop(number, None)
        self.record.outcome = outcome
        self.event(self.record.played_s, outcome, text)
        return self.record
