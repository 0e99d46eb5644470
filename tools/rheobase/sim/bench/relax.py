"""Answers of first-order systems to exponentials, exact also where the rates coincide."""

from __future__ import annotations

from math import exp, expm1

SETTLED = 40.0
"""After this many time constants what is left is below the resolution of a float."""


def mean_exp(z: float) -> float:
    """Mean of exp(z*u) over u = 0..1; z <= 0."""
    return expm1(z) / z if z else 1.0


def mean_ramp_exp(z: float) -> float:
    """Mean of u*exp(z*u) over u = 0..1; z <= 0."""
    if z < -0.5:
        return (exp(z) * (z - 1.0) + 1.0) / (z * z)
    total, term, k = 0.5, 1.0, 0
    while abs(term) > 1e-18:  # the closed form cancels near zero, the series does not
        k += 1
        term *= z / k
        total += term / (k + 2)
    return total


def echo(pole: float, rate: float, t: float) -> float:
    """Integral of exp(-pole*(t-s)) * exp(-rate*s) over s = 0..t; rates >= 0."""
    if pole > rate:
        pole, rate = rate, pole
    return t * exp(-pole * t) * mean_exp((pole - rate) * t)


def echo_ramp(pole: float, rate: float, t: float) -> float:
    """Integral of exp(-pole*(t-s)) * s * exp(-rate*s) over s = 0..t; rates >= 0."""
    if pole < rate:
        return t * t * exp(-pole * t) * mean_ramp_exp((pole - rate) * t)
    z = (rate - pole) * t
    return t * t * exp(-rate * t) * (mean_exp(z) - mean_ramp_exp(z))
