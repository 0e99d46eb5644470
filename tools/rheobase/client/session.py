"""The settings of a session."""

from __future__ import annotations

from rheobase.client.settings import Choice, Count, Group, Number, Switch


class Session(Group):
    """The session's settings: `stimulator.session`."""

    prefix = "SESS:"
    duration_s = Number("DURation", "s", 0, "the session's length")
    pattern = Choice(
        "PATTern",
        ("SIMultaneous", "ALTernating", "OVERlapped", "INDependent"),
        "how the channels share the time",
    )
    trigger = Choice(
        "TRIGger:SOURce",
        ("NONE", "BUTTon", "HEEL", "PHASes", "CRANk", "HOST", "ANALog"),
        "what starts each contraction",
    )
    extend_s = Number("TRIGger:EXTend", "s", 0, "how long a contraction outlasts its trigger")
    timeout_s = Number("TRIGger:TIMeout", "s", 0, "longest triggered contraction")
    trigger_mode = Choice(
        "TRIGger:MODE", ("AUTO", "GATed", "EDGE"), "what ends a triggered contraction"
    )
    trigger_slope = Choice(
        "TRIGger:SLOPe", ("AUTO", "POSitive", "NEGative"), "which level of the input is active"
    )
    trigger_debounce_ms = Number(
        "TRIGger:DEBounce", "ms", -3, "how long the input must be active before it counts"
    )
    trigger_wait_s = Number("TRIGger:WAIT", "s", 0, "longest wait for a trigger")
    trigger_level_v = Number("TRIGger:LEVel", "V", 0, "threshold of the analogue trigger")
    trigger_hysteresis_v = Number("TRIGger:HYSTeresis", "V", 0, "and how far back from it")
    least_cadence_rpm = Count("TRIGger:CADence:LOW", "below it the crank triggers nothing")
    most_cadence_rpm = Count("TRIGger:CADence:HIGH", "and above it")
    seed = Count("SEED", "where the random intervals start")
    standalone = Switch("STANdalone", "goes on without a host")
    warm_up_s = Number("WARMup:DURation", "s", 0, "warm-up before the cycles")
    warm_up_rate_hz = Number("WARMup:FREQuency", "Hz", 0, "its rate")
    warm_up_ramp_up_s = Number("WARMup:RAMP:UP", "s", 0, "its ramp up")
    warm_up_ramp_down_s = Number("WARMup:RAMP:DOWN", "s", 0, "its ramp down")
    cool_down_s = Number("COOLdown:DURation", "s", 0, "cool-down after the cycles")
    cool_down_rate_hz = Number("COOLdown:FREQuency", "Hz", 0, "its rate")
    cool_down_ramp_up_s = Number("COOLdown:RAMP:UP", "s", 0, "its ramp up")
    cool_down_ramp_down_s = Number("COOLdown:RAMP:DOWN", "s", 0, "its ramp down")
