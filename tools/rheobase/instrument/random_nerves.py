"""How well X03 finds random nerves: python -m rheobase.instrument.random_nerves [NERVES] [LAW]

Rheobase 1 to 15 mA and chronaxie 100 to 700 us, evenly; 5 % of noise in every threshold; answers
of the nerve itself, without a stimulator between. Each fit is judged by the nerve's own law.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from rheobase.instrument.curve import Point, curve, errors, text_of
from rheobase.instrument.tests import library_fit
from rheobase.sim.bench.nerve import LAPICQUE, WEISS, Nerve

MOST_UA = 120_000
WITHIN = 0.05


class Found(NamedTuple):
    """Relative errors, the chronaxie's standard error, and the pulses it took."""

    rheobase: float
    chronaxie: float
    claimed: float
    pulses: int


def measure(nerve: Nerve, precision: float = 0.05) -> list[Point]:
    """The points of a curve by the answers of a nerve."""
    fit = library_fit()
    by_law = {WEISS: fit.weiss, LAPICQUE: fit.lapicque}[nerve.law]
    trials = curve(lambda p: by_law(fit.parse(text_of(p)))[:2], MOST_UA, precision=precision)
    try:
        width_us, current_ua = next(trials)
        while True:
            nerve.excite(width_us, current_ua / 1e3)
            width_us, current_ua = trials.send(nerve.responds())
    except StopIteration as end:
        return end.value


def judge(nerve: Nerve) -> Found:
    fit = library_fit()
    points = measure(nerve)
    by_law = {WEISS: fit.weiss, LAPICQUE: fit.lapicque}[nerve.law]
    rheobase_ua, chronaxie_us, _ = by_law(fit.parse(text_of(points)))
    return Found(
        rheobase_ua / 1e3 / nerve.rheobase_ma - 1,
        chronaxie_us / nerve.chronaxie_us - 1,
        errors(points, chronaxie_us, nerve.law)[1],
        sum(point.answers for point in points),
    )


def percentiles(values: Sequence[float]) -> str:
    ordered = sorted(abs(value) for value in values)
    parts = [f"{p:g} %: {ordered[min(len(ordered) - 1, int(len(ordered) * p / 100))]:.2%}"
             for p in (50, 90, 95, 99)]  # fmt: skip
    return "  ".join(parts)


def main(arguments: Sequence[str]) -> int:
    count = int(arguments[0]) if arguments else 200
    law = arguments[1] if len(arguments) > 1 else WEISS
    random = Random(5)
    found = [
        judge(Nerve(random.uniform(1, 15), random.uniform(100, 700), law, seed=seed))
        for seed in range(count)
    ]
    good = [f for f in found if abs(f.rheobase) <= WITHIN and abs(f.chronaxie) <= WITHIN]
    pulses = sorted(f.pulses for f in found)
    print(f"{count} nerves, {law}: {len(good) / count:.1%} with both within 5 %")
    print(f"rheobase   {percentiles([f.rheobase for f in found])}")
    print(f"chronaxie  {percentiles([f.chronaxie for f in found])}")
    spread = (sum((f.chronaxie / f.claimed) ** 2 for f in found) / count) ** 0.5
    print(f"chronaxie's error by the error claimed: {spread:.2f} (r.m.s.)")
    print(f"pulses     {pulses[0]} to {pulses[-1]}, half below {pulses[count // 2]}")
    return 0 if len(good) >= 0.97 * count else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
