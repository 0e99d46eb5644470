"""The record as a value change dump, for PulseView, GTKWave and the like."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from heapq import merge
from itertools import groupby
from operator import itemgetter
from typing import TextIO

from vcd import VCDWriter

from rheobase.recording.current import iter_points
from rheobase.sim.bench.recorder import Recorder

Change = tuple[int, int, float]  # time in ticks, signal number, value


def write_vcd(
    recording: Recorder,
    file: TextIO,
    start: int | None = None,
    end: int | None = None,
    tolerance_a: float = 250e-6,
    origin: int = 0,
) -> None:
    """Legs, GATE, SYNC and the trip line, and both electrode currents in mA as real numbers.

    From clock `start` to `end` (the whole record by default); time counts from clock `origin`,
    which is not after `start`. Ticks are 1 ns where the clock's
    period is a whole number of them (125 MHz: steps of 8), else 1 ps, rounded.
    A VCD holds a value until the next one, so curved currents come as steps of `tolerance_a` or
    so. A record without waveform shows each phase's mean current, one without phases no current.
    GTKWave reads all of it; PulseView all from libsigrok 0.6 on, before that the pins only.
    Raises LookupError if the record kept no edges.
    """
    recording.demand("edges")
    clocks = recording.edge_clocks
    start = (clocks[0] if clocks else 0) if start is None else start
    if end is None:
        end = max(recording.end_clock, clocks[-1] if clocks else 0, start)
    ticks_hz, timescale = _ticks(recording.clock_hz)
    pins = _pins(recording)
    with_current = bool({"waveform", "phases"} & recording.keeps)

    def tick(clock: float) -> int:
        clock -= origin
        if isinstance(clock, int):
            return (clock * ticks_hz * 2 + recording.clock_hz) // (2 * recording.clock_hz)
        return round(clock * ticks_hz / recording.clock_hz)

    sources = [_edges(recording, pins, start, end, tick)]
    if with_current:
        for channel in (1, 2):
            number = len(pins) + channel - 1
            sources.append(_current(recording, channel, number, start, end, tolerance_a, tick))
    levels = recording.levels_at(start)
    with VCDWriter(
        file,
        timescale,
        date="virtual time since power-up",
        version="rheobase",
        init_timestamp=tick(start),
    ) as writer:
        signals = [
            writer.register_var("rheobase", name, "wire", size=1, init=levels >> pin & 1)
            for name, pin in pins
        ]
        if with_current:
            for channel in (1, 2):
                signals.append(
                    writer.register_var("rheobase", f"ch{channel}_current_ma", "real", init=0.0)
                )
        for time, changes in _by_time(merge(*sources, key=itemgetter(0))):
            for number, value in changes.items():
                writer.change(signals[number], time, value)
        writer.close(tick(end))


def _ticks(clock_hz: int) -> tuple[int, str]:
    if 1_000_000_000 % clock_hz == 0:
        return 1_000_000_000, "1 ns"
    return 1_000_000_000_000, "1 ps"


def _pins(recording: Recorder) -> list[tuple[str, int]]:
    wired = recording.wiring
    (plus_1, minus_1), (plus_2, minus_2) = wired.legs
    return [
        ("ch1_plus", plus_1),
        ("ch1_minus", minus_1),
        ("ch2_plus", plus_2),
        ("ch2_minus", minus_2),
        ("gate", wired.gate),
        ("sync", wired.sync),
        ("trip", wired.trip),
    ]


def _edges(
    recording: Recorder,
    pins: list[tuple[str, int]],
    start: int,
    end: int,
    tick: Callable[[float], int],
) -> Iterator[Change]:
    before = recording.levels_at(start)
    first = bisect_right(recording.edge_clocks, start)
    for index in range(first, len(recording.edge_clocks)):
        clock, levels = recording.edge_clocks[index], recording.edge_levels[index]
        if clock > end:
            return
        changed = levels ^ before
        before = levels
        for number, (_, pin) in enumerate(pins):
            if changed >> pin & 1:
                yield tick(clock), number, levels >> pin & 1


def _current(
    recording: Recorder,
    channel: int,
    number: int,
    start: int,
    end: int,
    tolerance_a: float,
    tick: Callable[[float], int],
) -> Iterator[Change]:
    if recording.keeps_waveform:
        for clock, amps in iter_points(recording, channel, start, end, tolerance_a, True):
            yield tick(clock), number, amps * 1e3
        return
    for phase in recording.phases(channel):
        if start <= phase.on < phase.end <= end:
            yield tick(phase.on), number, phase.mean_a * 1e3
            yield tick(phase.end), number, 0.0


def _by_time(changes: Iterable[Change]) -> Iterator[tuple[int, dict[int, float]]]:
    """Changes of one moment together; the last of a signal counts."""
    for time, together in groupby(changes, key=itemgetter(0)):
        yield time, {number: value for _, number, value in together}
