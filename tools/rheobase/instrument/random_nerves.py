"""How well X03 finds random nerves: python -m rheobase.instrument.random_nerves

    random_nerves [N] [LAW] [SEED] [PRECISION in per cent]

Rheobase 1 to 15 mA and chronaxie 100 to 700 us, evenly; 5 % of noise in every threshold; answers
of the nerve itself, without a stimulator between. X03 is not told the nerve's law; each fit is
judged by it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from rheobase.instrument.curve import PRECISION, Point, Trials, certainty, curve, errors
from rheobase.instrument.tests import library_fits
from rheobase.sim.bench.nerve import WEISS, Nerve

MOST_UA = 120_000
WITHIN = 0.05


class Found(NamedTuple):
    """Relative errors, the chronaxie's standard error, and the pulses it took."""

    rheobase: float
    chronaxie: float
    claimed: float
    pulses: int
    certain: bool
    """As X03 says it, of every law that may be the nerve's."""

    @property
    def good(self) -> bool:
        return abs(self.rheobase) <= WITHIN and abs(self.chronaxie) <= WITHIN


def measure(nerve: Nerve, precision: float = PRECISION) -> list[Point]:
    """The points of a curve by the answers of a nerve."""
    return answered(curve(library_fits, MOST_UA, precision=precision), nerve)


def answered(trials: Trials, nerve: Nerve) -> list[Point]:
    """What trials come to when this nerve answers all of them."""
    try:
        width_us, current_ua = next(trials)
        while True:
            nerve.excite(width_us, current_ua / 1e3)
            width_us, current_ua = trials.send(nerve.responds())
    except StopIteration as end:
        return end.value


def judge(nerve: Nerve, precision: float = PRECISION) -> Found:
    points = measure(nerve, precision)
    fits = library_fits(points)
    rheobase_ua, chronaxie_us = fits[nerve.law]
    return Found(
        rheobase_ua / 1e3 / nerve.rheobase_ma - 1,
        chronaxie_us / nerve.chronaxie_us - 1,
        errors(points, chronaxie_us, nerve.law)[1],
        sum(point.answers for point in points),
        max(one.worst for one in certainty(points, fits)) <= precision,
    )


def percentiles(values: Sequence[float]) -> str:
    ordered = sorted(abs(value) for value in values)
    parts = [f"{p:g} %: {ordered[min(len(ordered) - 1, int(len(ordered) * p / 100))]:.2%}"
             for p in (50, 95, 99, 100)]  # fmt: skip
    return "  ".join(parts)


def main(arguments: Sequence[str]) -> int:
    """Exit code 1 if a nerve that X03 calls certain is missed, or one in a hundred of all."""
    count = int(arguments[0]) if arguments else 200
    law = arguments[1] if len(arguments) > 1 else WEISS
    seed = int(arguments[2]) if len(arguments) > 2 else 5
    precision = float(arguments[3]) / 100 if len(arguments) > 3 else PRECISION
    random = Random(seed)
    found = []
    for n in range(count):
        nerve = Nerve(
            random.uniform(1, 15), random.uniform(100, 700), law, seed=seed * 10_000 + n
        )
        found.append(judge(nerve, precision))
    good = sum(f.good for f in found)
    certain = [f for f in found if f.certain]
    missed = sum(not f.good for f in certain)
    pulses = sorted(f.pulses for f in found)
    print(f"{count} nerves, {law}, seed {seed}: {good} with both within {WITHIN:.0%}")
    print(f"called certain to +-{precision:.0%} (99 %): {len(certain)}, of them missed: {missed}")
    print(f"rheobase   {percentiles([f.rheobase for f in found])}")
    print(f"chronaxie  {percentiles([f.chronaxie for f in found])}")
    spread = (sum((f.chronaxie / f.claimed) ** 2 for f in found) / count) ** 0.5
    print(f"chronaxie's error by the error claimed: {spread:.2f} (r.m.s.)")
    print(f"questions  median {pulses[count // 2]}, 95 % up to {pulses[int(count * 0.95)]}, "
          f"{pulses[0]} to {pulses[-1]}")  # fmt: skip
    return 0 if missed == 0 and good >= 0.99 * count else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
