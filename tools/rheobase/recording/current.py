"""The electrode current as points to draw: jumps where it jumps, as many points as curves need."""

from __future__ import annotations

from collections.abc import Iterator

from rheobase.sim.bench.circuit import State
from rheobase.sim.bench.loop import Loop
from rheobase.sim.bench.recorder import Recorder

Point = tuple[float, float]
_DEEPEST = 24


def current_points(
    recording: Recorder, channel: int, start: float, end: float, tolerance_a: float = 10e-6
) -> list[Point]:
    """(clock, amperes) from `start` to `end`; straight lines between them are the current.

    They leave it nowhere by more than about `tolerance_a`. Two points at one clock are a jump.
    Clocks may have fractions (compliance is reached between two clocks).
    Raises LookupError if the record kept no waveform.
    """
    return list(iter_points(recording, channel, start, end, tolerance_a))


def iter_points(
    recording: Recorder,
    channel: int,
    start: float,
    end: float,
    tolerance_a: float,
    held: bool = False,
) -> Iterator[Point]:
    """`current_points`, one after the other.

    `held`: each value is good to about `tolerance_a` until the next point, without lines.
    """
    at = start
    last: Point | None = None

    def fresh(point: Point) -> Iterator[Point]:
        nonlocal last
        if point != last:
            last = point
            yield point

    for begun, ended, way, loop, state in recording.stretches(channel, start, end):
        if begun > at:
            yield from fresh((at, 0.0))
            yield from fresh((begun, 0.0))
        first, final = max(begun, start), min(ended, end)
        if final <= first:
            continue
        scale = 1.0 / recording.clock_hz
        if first > begun:
            state = loop.advance(way, state, (first - begun) * scale)
        duration = (final - first) * scale
        for offset, amps in _curve(loop, way, state, duration, tolerance_a, held):
            clock = final if offset is None else first + offset * recording.clock_hz
            yield from fresh((clock, amps))
        at = final
    if at < end:
        yield from fresh((at, 0.0))
        yield from fresh((end, 0.0))


def _curve(
    loop: Loop, way: int, state: State, duration: float, tolerance_a: float, held: bool
) -> Iterator[tuple[float | None, float]]:
    """(seconds, amperes) along one stretch; None stands for its end."""

    def amps(t: float) -> float:
        return loop.current(way, loop.advance(way, state, t)) if t else loop.current(way, state)

    def between(a: float, i_a: float, b: float, i_b: float, depth: int) -> Iterator[Point]:
        step = (b - a) / 4
        i_1, i_2, i_3 = amps(a + step), amps(a + 2 * step), amps(a + 3 * step)
        slope = 0.0 if held else (i_b - i_a) / 4
        off = max(abs(i_1 - i_a - slope), abs(i_2 - i_a - 2 * slope), abs(i_3 - i_a - 3 * slope))
        if off > tolerance_a and depth < _DEEPEST:
            middle = a + 2 * step
            yield from between(a, i_a, middle, i_2, depth + 1)
            yield middle, i_2
            yield from between(middle, i_2, b, i_b, depth + 1)

    i_start, i_end = amps(0.0), amps(duration)
    yield 0.0, i_start
    yield from between(0.0, i_start, duration, i_end, 0)
    yield None, i_end
