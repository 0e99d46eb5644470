"""Every pulse as a line of CSV."""

from __future__ import annotations

import csv
from typing import TextIO

from rheobase.recording.pulses import Pulse, pulses
from rheobase.recording.times import microseconds_text, seconds_text
from rheobase.sim.bench.recorder import Recorder

COLUMNS = (
    "time_s",
    "channel",
    "first_polarity",
    "commanded_ma",
    "delivered_1_ma",
    "delivered_2_ma",
    "width_us",
    "width_2_us",
    "gap_us",
    "charge_1_uc",
    "charge_2_uc",
    "net_uc",
    "balance_percent",
)


class PulseTable:
    """Writes pulses as they come: `Recorder(keep=(), on_phase=stream(PulseTable(file).write))`.

    Open the file with newline="". Times are exact to the clock; `first_polarity` is + or -;
    currents and charges are signed (commanded_ma is not), with twelve digits. Time counts from
    clock `origin`.
    """

    def __init__(self, file: TextIO, origin: int = 0) -> None:
        self._origin = origin
        self._rows = csv.writer(file, lineterminator="\n")
        self._rows.writerow(COLUMNS)

    def write(self, pulse: Pulse) -> None:
        hz = pulse.clock_hz
        self._rows.writerow(
            (
                seconds_text(pulse.start - self._origin, hz),
                pulse.channel,
                "+" if pulse.first > 0 else "-",
                _number(pulse.commanded_a * 1e3),
                _number(pulse.delivered_1_a * 1e3),
                _number(pulse.delivered_2_a * 1e3),
                microseconds_text(pulse.width_1, hz),
                microseconds_text(pulse.width_2, hz),
                microseconds_text(pulse.gap, hz),
                _number(pulse.charge_1_c * 1e6),
                _number(pulse.charge_2_c * 1e6),
                _number(pulse.net_c * 1e6),
                _number(pulse.balance_percent),
            )
        )


def write_csv(
    recording: Recorder, file: TextIO, channel: int | None = None, origin: int = 0
) -> int:
    """The pulses of a record (or of one channel) in the order of time; returns how many.

    Those from clock `origin` on, from which time counts.
    """
    table = PulseTable(file, origin)
    found = [pulse for pulse in pulses(recording, channel) if pulse.start >= origin]
    for pulse in found:
        table.write(pulse)
    return len(found)


def _number(value: float) -> str:
    return format(value + 0.0, ".12g")  # + 0.0: no "-0"
