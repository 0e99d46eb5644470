"""X03: which pulse comes next in a strength-duration curve, and when it is precise enough.

A generator that knows nothing of ports and people: it yields (width_us, current_ua), is sent
whether that excited, and returns the points of the curve.

From the longest width to the shortest, as there the least current is needed: up from zero (or from
the threshold of the width before, which is below) until it excites, then near the threshold. When
every width has LEAST answers, more go where they make the fit most precise, until half the 99 %
interval of rheobase and chronaxie is within `precision`, by every law that may be this nerve's.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from math import erfc, exp, log
from typing import NamedTuple

import numpy as np

from rheobase.instrument.threshold import LEVEL_UA, Threshold, spread_by

WIDTHS_US = (1000, 700, 500, 300, 200, 100, 50)
LEAST, MORE = 12, 8
PART = 6  # that part of a width's answers is asked again at a time, as going to and fro costs time
MOST_PULSES = 1500
PRECISION = 0.03
SIGMAS = 2.576  # of 99 %
_CLEARLY = 9.0  # a law this much worse in squared standard errors is not this nerve's: 3 sigma
_EFFICIENCY = 0.5  # what an answer near the threshold tells, by 1 / spread ** 2
_UP = 1.12
_STEP_UA = (480, 1980)  # least and most from pulse to pulse on the way up


class Point(NamedTuple):
    """A threshold. error: its relative standard error. answers: pulses it took."""

    width_us: int
    threshold_ua: float
    error: float
    answers: int


Fit = Callable[[Sequence[Point]], Mapping[str, tuple[float, float]]]
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


class Sure(NamedTuple):
    """How certain a law's rheobase and chronaxie are: half their 99 % intervals, relative."""

    law: str
    rheobase: float
    chronaxie: float

    @property
    def worst(self) -> float:
        return max(self.rheobase, self.chronaxie)


def certainty(points: Sequence[Point], fits: Mapping[str, tuple[float, float]]) -> list[Sure]:
    """Of every law that may be this nerve's, the one that fits best first."""
    by_misfit = sorted((_misfit(points, law, *fits[law]), law) for law in fits)
    return [
        Sure(law, *[SIGMAS * error for error in errors(points, fits[law][1], law)])
        for misfit, law in by_misfit
        if misfit <= by_misfit[0][0] + _CLEARLY
    ]


def _misfit(points: Sequence[Point], law: str, rheobase_ua: float, chronaxie_us: float) -> float:
    """In squared standard errors."""
    return sum(
        (log(p.threshold_ua / _by_law(p.width_us, law, rheobase_ua, chronaxie_us)) / p.error) ** 2
        for p in points
    )


def _by_law(width_us: float, law: str, rheobase_ua: float, chronaxie_us: float) -> float:
    """The threshold."""
    part = width_us / chronaxie_us
    return rheobase_ua * (1 + 1 / part if law == "Weiss" else 1 / (1 - 2**-part))


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
    precision: float = PRECISION,
    most_pulses: int = MOST_PULSES,
) -> Trials:
    """fit: rheobase and chronaxie of points by every law that they allow.

    Widths whose threshold is above most_ua are left out. Ends at the precision or after
    most_pulses: `certainty` of the points tells which.
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
        fits = fit(points)
        left = most_pulses - sum(point.answers for point in points)
        sure = certainty(points, fits)
        if left <= 0 or (sure and max(one.worst for one in sure) <= precision):
            return points
        spread = spread_by([one.evidence for one in found.values()])
        best = _where(points, sure, fits, spread, most_ua)
        times = min(left, max(MORE, found[best].answers // PART))
        yield from refine(best, most_ua, found[best], times)


def _points(found: dict[int, Threshold]) -> list[Point]:
    """The relative spread of the answers is taken to be the same at every width."""
    evidence = {width: one.evidence for width, one in found.items()}
    total = np.sum(list(evidence.values()), axis=0)
    return [
        Point(width, *one.estimate_with(total - evidence[width]), one.answers)
        for width, one in found.items()
    ]


def _where(
    points: Sequence[Point],
    sure: Sequence[Sure],
    fits: Mapping[str, tuple[float, float]],
    spread: float,
    most_ua: int,
) -> int:
    """The width whose next MORE answers make the least certain law most certain."""
    if not sure:  # no law fits at all yet
        return max(points, key=lambda point: point.error).width_us
    law = max(sure, key=lambda one: one.worst).law

    def promise(best: Point) -> float:
        gain = MORE * told(best.threshold_ua, spread, most_ua)
        after = [
            point._replace(error=(point.error**-2 + gain) ** -0.5) if point is best else point
            for point in points
        ]
        return max(errors(after, fits[law][1], law))

    return min(points, key=promise).width_us


def told(threshold_ua: float, spread: float, most_ua: float) -> float:
    """What an answer tells, in 1 / squared relative error: the less, the further below it stays.

    Near the threshold _EFFICIENCY / spread ** 2; a threshold above most_ua is asked at most_ua.
    """
    z = max(0.0, log(threshold_ua / most_ua) / spread)
    yes = 0.5 * erfc(z / 2**0.5)
    dense = exp(-z * z / 2)  # by that at the threshold
    return _EFFICIENCY / spread**2 * dense**2 / max(4 * yes * (1 - yes), 1e-9)
