"""X03: which pulse comes next in a strength-duration curve, and when it is precise enough.

A generator that knows nothing of ports and people: it yields (width_us, current_ua), is sent
whether that excited, and returns the points of the curve.

From the longest width to the shortest, as there the least current is needed: up from zero (or from
the threshold of the width before, which is below) until it excites, then near the threshold. When
every width has LEAST answers, MORE at a time go where they make the fit most precise, until the
99 % interval of rheobase and chronaxie is within `precision`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from math import log
from typing import NamedTuple

from rheobase.instrument.threshold import LEVEL_UA, Threshold

WIDTHS_US = (1000, 700, 500, 300, 200, 100, 50)
LEAST, MORE = 12, 8
MOST_PULSES = 600
SIGMAS = 2.576  # of 99 %
_EFFICIENCY = 0.5  # what an answer near the threshold tells, by 1 / spread ** 2
_UP = 1.12
_STEP_UA = (480, 1980)  # least and most from pulse to pulse on the way up


class Point(NamedTuple):
    """A threshold. error: its relative standard error. answers: pulses it took."""

    width_us: int
    threshold_ua: float
    error: float
    answers: int


Fit = Callable[[Sequence[Point]], tuple[float, float]]
Trials = Generator[tuple[int, int], bool, "list[Point]"]


class OutOfReach(Exception):
    """The threshold is above the ceiling."""


def text_of(points: Sequence[Point]) -> str:
    """As TEST:FIT? wants them."""
    return ";".join(
        f"{p.width_us},{round(p.threshold_ua)},{max(1, round(p.error * 1e6))}" for p in points
    )


def errors(
    points: Sequence[Point], chronaxie_us: float, law: str = "Weiss"
) -> tuple[float, float]:
    """Relative standard errors of rheobase and chronaxie from those of the points."""
    s = sx = sxx = 0.0
    for point in points:
        weight = point.error**-2
        slope = _slope(point.width_us / chronaxie_us, law)
        s += weight
        sx += weight * slope
        sxx += weight * slope * slope
    det = s * sxx - sx * sx
    if det <= 0:
        return float("inf"), float("inf")
    return (sxx / det) ** 0.5, (s / det) ** 0.5


def _slope(part: float, law: str) -> float:
    """How the logarithm of the threshold grows with that of the chronaxie; part: w / c."""
    if law == "Weiss":
        return 1 / (1 + part)
    return part * log(2) / (2**part - 1)


def up_from(current_ua: int) -> int:
    """The next current on the way up."""
    step = min(max(current_ua * (_UP - 1), _STEP_UA[0]), _STEP_UA[1])
    return current_ua + max(1, round(step / LEVEL_UA)) * LEVEL_UA


def find(width_us: int, first_ua: int, most_ua: int, found: Threshold) -> Trials:
    """Up from first_ua until it excites, and down again until it does not."""
    current_ua = first_ua
    excited = silent = False
    while not (excited and silent):
        if current_ua > most_ua:
            raise OutOfReach(f"no threshold up to {most_ua / 1e3:g} mA at {width_us} us")
        answer = yield width_us, current_ua
        found.add(current_ua, answer)
        if answer:
            excited = True
            current_ua = max(LEVEL_UA, round(current_ua / _UP / LEVEL_UA) * LEVEL_UA)
            if current_ua == LEVEL_UA:
                break
        else:
            silent = True
            current_ua = up_from(current_ua)
    return []


def refine(width_us: int, most_ua: int, found: Threshold, times: int) -> Trials:
    for _ in range(times):
        current_ua = min(found.next_ua(), most_ua // LEVEL_UA * LEVEL_UA)
        found.add(current_ua, (yield width_us, current_ua))
    return []


def curve(
    fit: Fit,
    most_ua: int,
    widths_us: Sequence[int] = WIDTHS_US,
    precision: float = 0.05,
    most_pulses: int = MOST_PULSES,
) -> Trials:
    """fit: rheobase and chronaxie of points. Widths whose threshold is above most_ua are left out.

    Raises OutOfReach if fewer than three widths remain.
    """
    found: dict[int, Threshold] = {}
    first_ua = LEVEL_UA * 8
    for width_us in sorted(widths_us, reverse=True):
        here = Threshold()
        try:
            yield from find(width_us, first_ua, most_ua, here)
        except OutOfReach:
            if len(found) < 3:
                raise
            break
        yield from refine(width_us, most_ua, here, max(MORE, LEAST - here.answers))
        found[width_us] = here
        first_ua = max(1, round(here.estimate[0] / LEVEL_UA)) * LEVEL_UA
    while True:
        points = _points(found)
        chronaxie_us = fit(points)[1]
        worst = max(errors(points, chronaxie_us))
        if worst * SIGMAS <= precision or sum(p.answers for p in points) >= most_pulses:
            return points
        best = min(found, key=lambda width: _promise(points, width, found[width], chronaxie_us))
        yield from refine(best, most_ua, found[best], MORE)


def _points(found: dict[int, Threshold]) -> list[Point]:
    return [Point(width, *one.estimate, one.answers) for width, one in found.items()]


def _promise(
    points: Sequence[Point], width_us: int, here: Threshold, chronaxie_us: float
) -> float:
    """The fit's worst error after MORE answers at a width."""
    gain = MORE * _EFFICIENCY / here.spread**2
    after = [
        point._replace(error=(point.error**-2 + gain) ** -0.5)
        if point.width_us == width_us else point
        for point in points
    ]  # fmt: skip
    return max(errors(after, chronaxie_us))
