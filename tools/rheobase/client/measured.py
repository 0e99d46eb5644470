"""What flowed, as the stimulator measured it at the electrodes."""

from __future__ import annotations

from typing import NamedTuple

from rheobase.client.line import Line
from rheobase.client.words import NUMBER, floats, numbers

_PAIR, _THREE = numbers(2), numbers(3)


class Measured(NamedTuple):
    """A channel's delivered output. Net charge is positive from the plus to the minus leg."""

    current_ma: tuple[float, float]
    """Magnitudes in the last pulse's phases, the first and the second."""
    charge_uc: tuple[float, float]
    """Of the same two."""
    net_pulse_uc: float
    """Net charge of the last pulse,"""
    net_second_uc: float
    """of the last second,"""
    net_session_uc: float
    """and of the session."""
    rms_ma: float
    """Over the last second, as are the next two."""
    mean_ma: float
    """Of the current's magnitude."""
    dc_ua: float
    impedance_ohm: float
    """Output voltage by current at the end of a phase; 0 while it is not known."""
    pulses: int
    """Measured in the session."""
    charge_session_uc: float
    """Delivered in the session, both phases of all pulses."""


def measure(line: Line, number: int) -> Measured:
    """What is known of a channel now.

    Three short queries, as a long one would keep the board from its tape for longer.
    """
    head = f"MEAS{number}:"
    phases = line.query(f"{head}CURR?;CHAR?;CHAR:NET?", _PAIR, _PAIR, _THREE)
    second = line.query(f"{head}CURR:RMS?;MEAN?", NUMBER, NUMBER)
    rest = line.query(f"{head}DC?;IMP?;:LEDG{number}?", NUMBER, NUMBER, _THREE)
    current, charge, net = map(floats, phases.split(";"))
    rms_a, mean_a = map(float, second.split(";"))
    (dc_a,), (ohm,), ledger = map(floats, rest.split(";"))
    return Measured(
        current_ma=(current[0] * 1e3, current[1] * 1e3),
        charge_uc=(charge[0] * 1e6, charge[1] * 1e6),
        net_pulse_uc=net[0] * 1e6,
        net_second_uc=net[1] * 1e6,
        net_session_uc=ledger[2] * 1e6,
        rms_ma=rms_a * 1e3,
        mean_ma=mean_a * 1e3,
        dc_ua=dc_a * 1e6,
        impedance_ohm=ohm,
        pulses=int(ledger[0]),
        charge_session_uc=ledger[1] * 1e6,
    )
