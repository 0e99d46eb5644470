"""What was measured at the electrodes, as a table: a line for each channel at each look."""

from __future__ import annotations

import csv
import time
from collections.abc import Iterable
from typing import TextIO

from rheobase.client import Measured, Progress, Stimulator

COLUMNS = (
    "unix_s",
    "session_s",
    "state",
    "channel",
    "set_ma",
    "first_ma",
    "second_ma",
    "first_uc",
    "second_uc",
    "net_pulse_uc",
    "net_second_uc",
    "net_session_uc",
    "unsure_uc",
    "rms_ma",
    "mean_ma",
    "dc_ua",
    "impedance_ohm",
    "pulses",
    "charge_session_uc",
)


class MeasuredTable:
    """Writes to `file` as CSV; `look` takes one look, at most every `every_s` seconds."""

    def __init__(
        self, file: TextIO, stimulator: Stimulator, numbers: Iterable[int] = (1, 2),
        every_s: float = 0.0,
    ) -> None:  # fmt: skip
        self._writer = csv.writer(file, lineterminator="\n")
        self._file = file
        self._stimulator = stimulator
        self._numbers = tuple(numbers)
        self._every_s = every_s
        self._due_s = float("-inf")
        self._writer.writerow(COLUMNS)

    def look(self, progress: Progress) -> dict[int, Measured]:
        """Ask for what was measured, and write it; by channel, empty if it is not due yet."""
        now_s = self._stimulator.clock.monotonic()
        if now_s < self._due_s:
            return {}
        self._due_s = now_s + self._every_s
        found = {number: self._stimulator.channel(number).measured for number in self._numbers}
        for number, measured in found.items():
            self._writer.writerow(_row(progress, number, measured))
        self._file.flush()  # whoever ends the program has all that was seen
        return found


def _row(progress: Progress, number: int, one: Measured) -> list[str]:
    return [
        f"{time.time():.3f}",
        f"{progress.elapsed_s:g}",
        str(progress.state),
        str(number),
        f"{progress.current_ma[number - 1]:g}",
        f"{one.current_ma[0]:.6g}",
        f"{one.current_ma[1]:.6g}",
        f"{one.charge_uc[0]:.6g}",
        f"{one.charge_uc[1]:.6g}",
        f"{one.net_pulse_uc:.6g}",
        f"{one.net_second_uc:.6g}",
        f"{one.net_session_uc:.6g}",
        f"{one.unsure_uc:.6g}",
        f"{one.rms_ma:.6g}",
        f"{one.mean_ma:.6g}",
        f"{one.dc_ua:.6g}",
        f"{one.impedance_ohm:g}",
        str(one.pulses),
        f"{one.charge_session_uc:.9g}",
    ]
