"""The sense amplifier: electrode current as a voltage for the ADC."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random


@dataclass
class SenseAmplifier:
    """Volts around mid-rail, proportional to the signed electrode current, cut at the rails.

    It sits in the electrode lead: it sees what flows, the discharge between pulses included.
    """

    zero_v: float
    volts_per_amp: float
    rail_v: float
    offset_v: float = 0.0
    """Fault: added to the output."""
    gain_error: float = 0.0
    """Fault: 0.1 reads 10 % too much."""
    stuck_v: float | None = None
    """Fault: the output, whatever flows."""
    noise_v: float = 0.0
    """r.m.s., white; the same sequence in every run."""
    random: Random = field(default_factory=lambda: Random(1))

    def volts(self, amps: float) -> float:
        if self.stuck_v is not None:
            return self.stuck_v
        noise = self.random.gauss(0.0, self.noise_v) if self.noise_v else 0.0
        signal = noise + amps * self.volts_per_amp * (1 + self.gain_error)
        return min(self.rail_v, max(0.0, self.zero_v + self.offset_v + signal))
