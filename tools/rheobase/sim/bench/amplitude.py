"""The two-pole low-pass between the amplitude PWM and the current sink."""

from __future__ import annotations

from math import exp

from rheobase.sim.bench.relax import SETTLED


class AmplitudeFilter:
    """Two equal poles (critically damped) fed with the PWM's duty; clocks in, duty out.

    The PWM's ripple (61 kHz, 63 dB down behind the two poles) is left out.
    """

    __slots__ = ("_clock", "_first", "_period", "_second", "_settled", "target", "tau_s")

    def __init__(self, tau_s: float, clock_hz: int) -> None:
        self.tau_s = tau_s
        self.target = 0.0
        self._first = 0.0  # deviation of each pole from the target, at _clock
        self._second = 0.0
        self._clock = 0
        self._period = 1.0 / clock_hz
        self._settled = SETTLED * tau_s * clock_hz

    def piece(self, clock: int) -> tuple[float, float, float]:
        """(u, b, d): from `clock` on the output is u + (b + d*t/tau)*exp(-t/tau)."""
        elapsed = clock - self._clock
        if not (self._first or self._second):
            return self.target, 0.0, 0.0
        if elapsed > self._settled:
            self._first = self._second = 0.0
            return self.target, 0.0, 0.0
        z = elapsed * self._period / self.tau_s
        fading = exp(-z)
        return self.target, (self._second + self._first * z) * fading, self._first * fading

    def set(self, clock: int, duty: float) -> None:
        """The PWM's duty is `duty` from `clock` on."""
        target, second, first = self.piece(clock)
        self._second = second + target - duty
        self._first = first + target - duty
        self.target = duty
        self._clock = clock
