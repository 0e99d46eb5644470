"""One channel: its settings, its intensity, what it delivered."""

from __future__ import annotations

import re

from rheobase.client.line import Line
from rheobase.client.measured import Measured, measure
from rheobase.client.settings import Choice, Count, Group, Number, Switch
from rheobase.client.told import Ceiling, Moved
from rheobase.client.words import NUMBER, TEXT, floats, numbers, quoted, unquoted

_CEILING = re.compile(NUMBER.pattern + "," + TEXT.pattern)


class Channel(Group):
    """One channel: `stimulator.channel(1)`. Settings are attributes; see also `configure`."""

    enabled = Switch("STATe", "the channel takes part in the session")
    width_us = Number("PULSe:WIDTh", "us", -6, "phase width")
    gap_us = Number("PULSe:GAP", "us", -6, "interphase gap, end of a phase to start of the next")
    polarity = Choice(
        "PULSe:POLarity", ("POSitive", "NEGative", "ALTernate"), "which phase comes first"
    )
    rate_hz = Number("FREQuency", "Hz", 0, "pulses or groups a second")
    count = Count("BURSt:COUNt", "pulses in a group: 1 single, 2 doublet, ...")
    interval_ms = Number("BURSt:INTerval", "ms", -3, "from pulse to pulse in a group")
    opening_ms = Number("BURSt:OPENing", "ms", -3, "first interval of a contraction; 0 for none")
    jitter_ms = Number("FREQuency:JITTer", "ms", -3, "most by which a group is late at random")
    modulation = Choice(
        "MODulation:SHAPe",
        ("NONE", "SWEep", "SAWTooth", "TRIangle"),
        "how rate and width go to their second values",
    )
    rate_to_hz = Number("MODulation:FREQuency", "Hz", 0, "the second rate; 0: as the first")
    width_to_us = Number("MODulation:WIDTh", "us", -6, "the second width; 0: as the first")
    modulation_s = Number("MODulation:PERiod", "s", 0, "length of a saw tooth or triangle")
    modulation_steps = Count("MODulation:STEPs", "steps from the first value to the second")
    delay_ms = Number("DELay", "ms", -3, "from the session's start to the channel's own")
    ramp_up_s = Number("RAMP:UP", "s", 0, "ramp to the plateau")
    ramp_down_s = Number("RAMP:DOWN", "s", 0, "ramp from the plateau")
    ramp_by = Choice("RAMP:TYPE", ("AMPLitude", "WIDTh"), "what a ramp changes")
    on_s = Number("CYCLe:ON", "s", 0, "plateau of a contraction; math.inf for no cycle")
    off_s = Number("CYCLe:OFF", "s", 0, "rest between contractions")
    block_s = Number("CYCLe:BLOCk", "s", 0, "contractions come in blocks this long; 0: no blocks")
    pause_s = Number("CYCLe:PAUSe", "s", 0, "rest between blocks")
    rest_rate_hz = Number("REST:FREQuency", "Hz", 0, "rate of an active rest; 0 for none")
    rest_up_s = Number("REST:RAMP:UP", "s", 0, "ramp into the active rest")
    rest_down_s = Number("REST:RAMP:DOWN", "s", 0, "ramp out of it")
    crank_from_deg = Count("CRANk:STARt", "crank angle from which the channel is stimulated")
    crank_to_deg = Count("CRANk:STOP", "and to which")
    limit_ma = Number("CURRent:LIMit", "mA", -3, "the channel's ceiling")
    pad_cm2 = Number("PAD:AREA", "cm2", 0, "area of the smaller of the two pads")

    def __init__(self, line: Line, number: int) -> None:
        super().__init__(line)
        self.number = number
        self.prefix = f"SOUR{number}:"

    @property
    def current_ma(self) -> float:
        """The intensity (plateau current). Zero at every start and resume.

        Down at once; up by at most 1 mA at a time, twice a second, else StimulatorError: see
        `Stimulator.raise_current`.
        """
        return float(self.line.query(f"{self.prefix}CURR?", NUMBER)) * 1e3

    @current_ma.setter
    def current_ma(self, value: float) -> None:
        self.line.set(f"{self.prefix}CURR {Channel._current.write(value)}")

    _current = Number("CURRent", "mA", -3, "")

    @property
    def thresholds_ma(self) -> dict[str, float]:
        """Stored motor and sensory threshold; 0 for one that is not known."""
        answer = self.line.query(f"{self.prefix}CURR:THR?", numbers(2))
        motor_a, sensory_a = floats(answer)
        return {"motor": motor_a * 1e3, "sensory": sensory_a * 1e3}

    @property
    def ceiling(self) -> Ceiling:
        """The most that `current_ma` may be as things are set."""
        amperes, reason = self.line.query(f"{self.prefix}CURR:CEIL?", _CEILING).split(",", 1)
        return Ceiling(float(amperes) * 1e3, unquoted(reason))

    def load_program(self, name: str) -> None:
        """Load what a program has for one channel on this one.

        The session's settings come along unless the other channel is on; the channels are then
        independent.
        """
        self.line.set(f"PROG:LOAD {quoted(name)},{self.number}")

    @property
    def pulses(self) -> int:
        """Pulses that have begun since the start."""
        return int(self.line.query(f"MEAS{self.number}:PULS?", NUMBER))

    @property
    def measured(self) -> Measured:
        """What was delivered, as the stimulator measured it."""
        return measure(self.line, self.number)

    @property
    def moved(self) -> Moved:
        """Pulses moved because the channels met."""
        unit = f"MEAS{self.number}:MOV:COUN?;MOST?"
        count, most = self.line.query(unit, NUMBER, NUMBER).split(";")
        return Moved(int(count), float(most) * 1e6)
