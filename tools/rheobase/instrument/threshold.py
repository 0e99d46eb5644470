"""A threshold from yes and no: which current excites in half of all cases, and how sure that is.

Bayes' rule over a grid of thresholds (steps of 0.5 %) and spreads (2 to 10 %, not known
beforehand), with answers that are a cumulative normal curve over the logarithm of the current, and
one answer in a hundred a mistake. No law of the nerve is assumed. Several thresholds of one nerve
can share what they tell about its relative spread.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import erf, exp, log

import numpy as np

LEVEL_UA = 60  # the step of the output
_SPREADS = np.array((0.02, 0.025, 0.032, 0.04, 0.05, 0.063, 0.08, 0.10))
_MISTAKES = 0.01
_LOGS = np.arange(log(50.0), log(300_000.0), 0.005)
_PER_Z, _MOST_Z = 200, 6.0  # of the table of the normal curve
_CHANCE = _MISTAKES / 2 + (1 - _MISTAKES) * np.array([
    0.5 * (1 + erf(step / _PER_Z / 2**0.5))
    for step in range(round(-_MOST_Z * _PER_Z), round(_MOST_Z * _PER_Z) + 1)
])  # fmt: skip
_TOLD = {True: np.log(_CHANCE), False: np.log(1 - _CHANCE)}
_APART = 0.03  # pulses are put this far above and below the threshold, by turns
_NEVER = 25.0  # thresholds e ** 25 times less likely than the likeliest are looked at no more


class Threshold:
    """What the answers at one width tell."""

    def __init__(self) -> None:
        self.answers = 0
        self._logs = _LOGS
        self._log = np.zeros((len(_SPREADS), len(_LOGS)))

    def add(self, current_ua: float, yes: bool) -> None:
        """One pulse of this current, and whether it excited."""
        self.answers += 1
        z = (log(current_ua) - self._logs) / _SPREADS[:, None]
        z = np.clip(z, -_MOST_Z, _MOST_Z) + _MOST_Z
        self._log += _TOLD[yes][(z * _PER_Z + 0.5).astype(int)]
        if self.answers % 8 == 0:
            self._leave_out_what_cannot_be()

    def _leave_out_what_cannot_be(self) -> None:
        here = np.flatnonzero(self._log.max(axis=0) > self._log.max() - _NEVER)
        self._log = self._log[:, here[0] : here[-1] + 1]
        self._logs = self._logs[here[0] : here[-1] + 1]

    def _likely(self, elsewhere: np.ndarray | None = None) -> np.ndarray:
        sums = self._log if elsewhere is None else self._log + elsewhere[:, None]
        likely = np.exp(sums - sums.max())
        return likely / likely.sum()

    @property
    def evidence(self) -> np.ndarray:
        """Logarithm of how likely each spread is by these answers alone."""
        most = self._log.max()
        return most + np.log(np.exp(self._log - most).sum(axis=1))

    @property
    def estimate(self) -> tuple[float, float]:
        """(threshold in uA, its relative standard error)."""
        return self.estimate_with(None)

    def estimate_with(self, elsewhere: np.ndarray | None) -> tuple[float, float]:
        """`estimate`, with the evidence of other thresholds that have the same spread."""
        over = self._likely(elsewhere).sum(axis=0)
        mean = float((over * self._logs).sum())
        return exp(mean), float((over * (self._logs - mean) ** 2).sum()) ** 0.5

    def next_ua(self) -> int:
        """Where the next pulse tells most: just above or just below, a whole level."""
        around = self.estimate[0] * (1 + (_APART if self.answers % 2 else -_APART))
        return max(1, round(around / LEVEL_UA)) * LEVEL_UA


def spread_by(evidence: Sequence[np.ndarray]) -> float:
    """The relative spread of the answers, as the evidence of several thresholds has it."""
    total = np.sum(evidence, axis=0)
    likely = np.exp(total - total.max())
    return float((likely * _SPREADS).sum() / likely.sum())
