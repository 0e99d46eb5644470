"""The high-voltage supply, which only a beating heart keeps on."""

from __future__ import annotations

from math import exp

from rheobase.sim.bench.relax import SETTLED


class Supply:
    """Rises and falls exponentially; stiff (no droop under load)."""

    __slots__ = ("_clock", "_excess", "_period", "_taus", "enabled", "nominal_v", "target_v",
                 "tau_s")

    def __init__(self, nominal_v: float, rise_s: float, fall_s: float, clock_hz: int) -> None:
        self.nominal_v = nominal_v
        self.enabled = False
        self.target_v = 0.0
        self._taus = (fall_s, rise_s)
        self.tau_s = fall_s
        self._excess = 0.0  # voltage above the target, at _clock
        self._clock = 0
        self._period = 1.0 / clock_hz

    def piece(self, clock: int) -> tuple[float, float, float]:
        """(v, w, rate): from `clock` on the voltage is v + w*exp(-rate*t)."""
        if not self._excess:
            return self.target_v, 0.0, 0.0
        z = (clock - self._clock) * self._period / self.tau_s
        if z > SETTLED:
            self._excess = 0.0
            return self.target_v, 0.0, 0.0
        return self.target_v, self._excess * exp(-z), 1.0 / self.tau_s

    def volts(self, clock: int) -> float:
        v, w, _ = self.piece(clock)
        return v + w

    def switch(self, clock: int, enabled: bool) -> None:
        """On or off from `clock` on, towards `nominal_v` as it is now."""
        volts = self.volts(clock)
        self.enabled = enabled
        self.target_v = self.nominal_v if enabled else 0.0
        self._excess = volts - self.target_v
        self.tau_s = self._taus[self._excess < 0]
        self._clock = clock
