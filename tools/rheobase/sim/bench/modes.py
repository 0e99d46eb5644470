"""Two capacitors discharging through a resistance, as decoupled modes."""

from __future__ import annotations

from math import atan2, cos, exp, expm1, sin, sqrt

from rheobase.sim.bench.loads import Load
from rheobase.sim.bench.relax import echo


class Modes:
    """C_p (with R_p across it) and the blocking capacitor, in a loop of `ohm` with a source."""

    __slots__ = ("modes",)

    def __init__(self, ohm: float, load: Load, c_b: float | None) -> None:
        # A mode: decay rate; its amount from v_p and v_b; what a source of 1 V adds to it per
        # second; what v_p and v_b it stands for.
        self.modes: list[tuple[float, float, float, float, float, float]] = []
        if load.c_p:
            a = (1 / ohm + 1 / load.r_p) / load.c_p
            force = 1 / (ohm * load.c_p)
            if c_b is None:
                self.modes.append((a, 1.0, 0.0, force, 1.0, 0.0))
                return
            root_p, root_b = sqrt(load.c_p), sqrt(c_b)
            b = 1 / (ohm * root_p * root_b)
            d = 1 / (ohm * c_b)
            angle = atan2(2 * b, a - d) / 2
            c, s = cos(angle), sin(angle)
            fast = a * c * c + 2 * b * c * s + d * s * s
            slow = 1 / (ohm * load.r_p * load.c_p * c_b) / fast  # the determinant, no cancelling
            for decay, x, y in ((fast, c, s), (slow, -s, c)):
                pull = (x / root_p + y / root_b) / ohm
                self.modes.append((decay, x * root_p, y * root_b, pull, x / root_p, y / root_b))
        elif c_b is not None:
            self.modes.append((1 / (ohm * c_b), 0.0, 1.0, 1 / (ohm * c_b), 0.0, 1.0))

    def relax(self, v_p: float, v_b: float, t: float) -> tuple[float, float]:
        """Both voltages after `t` with no source."""
        new_p = new_b = 0.0
        for decay, from_p, from_b, _, to_p, to_b in self.modes:
            amount = (from_p * v_p + from_b * v_b) * exp(-decay * t)
            new_p += to_p * amount
            new_b += to_b * amount
        return new_p, new_b

    def follow(
        self, v_p: float, v_b: float, v: float, w: float, rate: float, t: float
    ) -> tuple[float, float]:
        """Both voltages after `t` behind a source v + w*exp(-rate*t)."""
        new_p = new_b = 0.0
        for decay, from_p, from_b, force, to_p, to_b in self.modes:
            amount = (from_p * v_p + from_b * v_b) * exp(-decay * t)
            amount += force * v * -expm1(-decay * t) / decay
            if w:
                amount += force * w * echo(decay, rate, t)
            new_p += to_p * amount
            new_b += to_b * amount
        return new_p, new_b
