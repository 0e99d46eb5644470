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
    """and of the session,"""
    unsure_uc: float
    """which may be off by so much: what the ADC can't tell from nothing is not counted."""
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
    """What is known of a channel now."""
    head = f"MEAS{number}:"
    current, charge, net, rms, mean, dc, ohm, ledger, unsure = map(
        floats,
        line.each(
            {
                f"{head}CURR?": _PAIR,
                f"{head}CHAR?": _PAIR,
                f"{head}CHAR:NET?": _THREE,
                f"{head}CURR:RMS?": NUMBER,
                f"{head}CURR:MEAN?": NUMBER,
                f"{head}DC?": NUMBER,
                f"{head}IMP?": NUMBER,
                f"LEDG{number}?": _THREE,
                f"LEDG{number}:UNC?": NUMBER,
            }
        ),
    )
    pulses, charge_c, net_c = ledger
    return Measured(
        current_ma=(current[0] * 1e3, current[1] * 1e3),
        charge_uc=(charge[0] * 1e6, charge[1] * 1e6),
        net_pulse_uc=net[0] * 1e6,
        net_second_uc=net[1] * 1e6,
        net_session_uc=net_c * 1e6,
        unsure_uc=unsure[0] * 1e6,
        rms_ma=rms[0] * 1e3,
        mean_ma=mean[0] * 1e3,
        dc_ua=dc[0] * 1e6,
        impedance_ohm=ohm[0],
        pulses=int(pulses),
        charge_session_uc=charge_c * 1e6,
    )
