"""What is stuck to the skin: electrodes as R_s in series with (R_p || C_p)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Load:
    """An electrode pair. `r_p` and `c_p` both 0 mean a plain resistor.

    Ohms and farads. Raises ValueError for values no electrode has.
    """

    r_s: float
    r_p: float = 0.0
    c_p: float = 0.0

    def __post_init__(self) -> None:
        if not self.r_s >= 0 or not self.r_p >= 0 or not self.c_p >= 0:
            raise ValueError(f"negative part in {self}")
        if (self.r_p == 0) != (self.c_p == 0):
            raise ValueError(f"R_p and C_p come together or not at all: {self}")

    @property
    def resistive(self) -> bool:
        return self.c_p == 0


LOADS = {
    "nominal": Load(500.0, 3e3, 220e-9),
    "good": Load(300.0, 1e3, 470e-9),
    "dry": Load(1e3, 20e3, 47e-9),
    "open": Load(1e6),
    "short": Load(10.0),
    "500": Load(500.0),
    "2k": Load(2e3),
    "10k": Load(10e3),
}
"""The simulator set: skin models are plausible pads of 5 x 5 cm, not measured ones; open is above
200 kohm and short below 50 ohm; 500, 2k and 10k are the loads of the FDA's output table."""
