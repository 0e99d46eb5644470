"""A nerve and its muscle under a channel's electrodes, whose rheobase and chronaxie are known.

It is excited by the current really recorded at the electrodes, phase by phase, and tells what a
person would feel and see. It has no part in the output and knows nothing of the firmware.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from math import erf, exp, log, sqrt
from random import Random

from rheobase.sim.bench.recorder import Phase, Recorder

SENSORY, MOTOR, FUNCTIONAL = "sensory", "motor", "functional"
WEISS, LAPICQUE = "Weiss", "Lapicque"
_SPECIFICATION = re.compile(r"\s*([0-9.]+)\s*mA\s*,\s*([0-9.]+)\s*us\s*")


@dataclass(eq=False)
class Nerve:
    """rheobase_ma, chronaxie_us: of the motor threshold at the motor point.

    law: Weiss I = b (1 + c / w), or Lapicque I = b / (1 - 2 ** (-w / c)). spread: relative
    standard deviation of the threshold from pulse to pulse. sensory, functional: these
    thresholds as multiples of the motor one. The plus leg's phase excites, the other only
    balances it. reach_mm: that far from the motor point the threshold is twice as high.
    """

    rheobase_ma: float
    chronaxie_us: float
    law: str = WEISS
    spread: float = 0.05
    sensory: float = 0.6
    functional: float = 1.5
    channel: int = 1
    distance_mm: float = 0.0
    reach_mm: float = 20.0
    twitch_s: float = 0.05
    """Time to a twitch's peak."""
    tiring: float = 4e-4
    """Part of its strength that the recruited muscle loses with every pulse."""
    seed: int = 1
    pulses: int = 0
    strength: float = 0.0
    """Of the last pulse, in multiples of the motor threshold of that moment."""
    fitness: float = 1.0
    """What is left of a rested muscle's force."""
    _random: Random = field(init=False)
    _force: tuple[float, float] = (0.0, 0.0)
    _at_s: float = 0.0

    def __post_init__(self) -> None:
        self._random = Random(self.seed)

    @classmethod
    def of(cls, specification: str, **options: object) -> Nerve:
        """A nerve of words like "3.2mA,300us"; ValueError if they are none."""
        found = _SPECIFICATION.fullmatch(specification)
        if not found:
            raise ValueError(f"nerve {specification!r} is not like 3.2mA,300us")
        return cls(float(found[1]), float(found[2]), **options)  # type: ignore[arg-type]

    def threshold_ma(self, width_us: float, kind: str = MOTOR) -> float:
        """The current that excites in half of all cases, without noise."""
        part = width_us / self.chronaxie_us
        rise = 1 + 1 / part if self.law == WEISS else 1 / (1 - 2**-part)
        away = 1 + (self.distance_mm / self.reach_mm) ** 2
        return self.rheobase_ma * rise * away * self._factor(kind)

    def _factor(self, kind: str) -> float:
        return {SENSORY: self.sensory, MOTOR: 1.0, FUNCTIONAL: self.functional}[kind]

    def responds(self, kind: str = MOTOR) -> bool:
        """Whether the last pulse was felt, twitched, or moved the joint."""
        return self.strength >= self._factor(kind)

    # In the electrodes' way

    def listen(self, recorder: Recorder) -> None:
        """Be excited by what this record takes down from now on."""
        before = recorder.on_phase

        def heard(phase: Phase) -> None:
            if before is not None:
                before(phase)
            if phase.channel == self.channel and phase.polarity > 0:
                hz = phase.clock_hz
                width_us = (phase.end - phase.on) / hz * 1e6
                self.excite(width_us, abs(phase.mean_a) * 1e3, phase.end / hz)

        recorder.on_phase = heard

    def excite(self, width_us: float, current_ma: float, at_s: float = 0.0) -> None:
        """One pulse."""
        self.pulses += 1
        noise = exp(self._random.gauss(0, self.spread))
        self.strength = current_ma * noise / self.threshold_ma(width_us) if width_us > 0 else 0.0
        recruited = self.recruited()
        p, q = self._forces(at_s)
        self._force = p + recruited * self.fitness, q
        self._at_s = at_s
        self.fitness *= 1 - self.tiring * recruited

    def recruited(self) -> float:
        """Part of the muscle's fibres that the last pulse made twitch, 0 to 1."""
        if self.strength <= 0:
            return 0.0
        return 0.5 * (1 + erf(log(self.strength / 1.8) / (0.35 * sqrt(2))))

    # The muscle: twitches of a critically damped system add up

    def _forces(self, at_s: float) -> tuple[float, float]:
        past = max(0.0, at_s - self._at_s) / self.twitch_s
        fade = exp(-past)
        p, q = self._force
        return p * fade, (q + p * past) * fade

    def force(self, at_s: float) -> float:
        """In twitches of the whole rested muscle."""
        return self._forces(at_s)[1] * exp(1)
