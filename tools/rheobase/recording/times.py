"""Clocks as decimal text from which the clock can be read back."""

from __future__ import annotations

from fractions import Fraction


def seconds_text(clocks: int, clock_hz: int) -> str:
    """Seconds, exact where the clock's period is a whole number of ns, else to the picosecond."""
    digits = 9 if 1_000_000_000 % clock_hz == 0 else 12
    return _decimal(Fraction(clocks, clock_hz), digits)


def microseconds_text(clocks: int, clock_hz: int) -> str:
    """The same in microseconds."""
    digits = 3 if 1_000_000_000 % clock_hz == 0 else 6
    return _decimal(Fraction(clocks * 1_000_000, clock_hz), digits)


def _decimal(value: Fraction, digits: int) -> str:
    scaled = round(value * 10**digits)
    whole, part = divmod(abs(scaled), 10**digits)
    return f"{'-' if scaled < 0 else ''}{whole}.{part:0{digits}d}"
