"""A threshold from yes and no: which current excites in half of all cases, and how sure that is.

Bayes' rule over a grid of thresholds (steps of 0.5 %) and spreads (2 to 10 %, not known
beforehand), with answers that are a cumulative normal curve over the logarithm of the current, and
one answer in a hundred a mistake. No law of the nerve is assumed.
"""

from __future__ import annotations

from math import erf, exp, log

import numpy as np

LEVEL_UA = 60  # the step of the output
_SPREADS = (0.02, 0.035, 0.06, 0.10)
_MISTAKES = 0.01
_LOGS = np.arange(log(50.0), log(300_000.0), 0.005)
_Z = np.arange(-6.0, 6.0, 0.01)
_NORMAL = np.array([0.5 * (1 + erf(z / 2**0.5)) for z in _Z])
_APART = 0.03  # pulses are put this far above and below the threshold, by turns


class Threshold:
    """What the answers at one width tell."""

    def __init__(self) -> None:
        self.answers = 0
        self._log = np.zeros((len(_SPREADS), len(_LOGS)))

    def add(self, current_ua: float, yes: bool) -> None:
        """One pulse of this current, and whether it excited."""
        self.answers += 1
        for row, spread in enumerate(_SPREADS):
            chance = np.interp((log(current_ua) - _LOGS) / spread, _Z, _NORMAL)
            chance = _MISTAKES / 2 + (1 - _MISTAKES) * chance
            self._log[row] += np.log(chance if yes else 1 - chance)

    def _likely(self) -> np.ndarray:
        likely = np.exp(self._log - self._log.max())
        return likely / likely.sum()

    @property
    def estimate(self) -> tuple[float, float]:
        """(threshold in uA, its relative standard error)."""
        over = self._likely().sum(axis=0)
        mean = float((over * _LOGS).sum())
        return exp(mean), float((over * (_LOGS - mean) ** 2).sum()) ** 0.5

    @property
    def spread(self) -> float:
        """The most likely relative spread of the answers."""
        return float((self._likely().sum(axis=1) * np.array(_SPREADS)).sum())

    def next_ua(self) -> int:
        """Where the next pulse tells most: just above or just below, a whole level."""
        around = self.estimate[0] * (1 + (_APART if self.answers % 2 else -_APART))
        return max(1, round(around / LEVEL_UA)) * LEVEL_UA
