"""What can be set: one table for the command tree, the docs, the programs and the tests.

A field is (name, header, scale, unit, lowest, highest, default, live, meaning).
Values are whole numbers of 10**scale of the SI unit, as the name's ending says; `scale` None
marks a choice, whose values are indices into CHOICES[name], and -- for `unit` "" -- a count.
`live` fields may change while the output runs; they act at a pulse boundary.
Zero as a value of CONTINUOUS fields means without end (SCPI: INFinity).
"""

from firmware.core.limits import limit
from firmware.core.refused import Refused

TYPE_CHECKING = False

BUTTON, HEEL, PHASES, CRANK, HOST, ANALOG = 1, 2, 3, 4, 5, 6
GATED, EDGE = 1, 2
RISING, FALLING = 1, 2  # of the trigger's slope; 0: as the source has it
SIMULTANEOUS, ALTERNATING, OVERLAPPED, INDEPENDENT = 0, 1, 2, 3
POSITIVE, NEGATIVE, ALTERNATE = 0, 1, 2
AMPLITUDE, WIDTH = 0, 1
STEADY, SWEEP, SAWTOOTH, TRIANGLE = 0, 1, 2, 3
HOUR_MS = 3_600_000

CHOICES = {
    "polarity": ("POSitive", "NEGative", "ALTernate"),
    "ramp_by": ("AMPLitude", "WIDTh"),
    "enabled": ("OFF", "ON"),
    "standalone": ("OFF", "ON"),
    "pattern": ("SIMultaneous", "ALTernating", "OVERlapped", "INDependent"),
    "modulation": ("NONE", "SWEep", "SAWTooth", "TRIangle"),
    "trigger": ("NONE", "BUTTon", "HEEL", "PHASes", "CRANk", "HOST", "ANALog"),
    "trigger_mode": ("AUTO", "GATed", "EDGE"),
    "slope": ("AUTO", "POSitive", "NEGative"),
}
# A field that also takes 0, for "without end" or "none", below its lowest value.
ALSO_ZERO = {
    "on_ms": "INFinity",
    "rest_rate_mhz": "0",
    "warm_rate_mhz": "0",
    "cool_rate_mhz": "0",
    "rate_to_mhz": "0",
    "width_to_ns": "0",
    "opening_ns": "0",
}

CHANNEL = (
    ("enabled", "STATe", None, "", 0, 1, 0, False, "the channel takes part in the session"),
    ("width_ns", "PULSe:WIDTh", -9, "S", limit("width_min_ns"), limit("width_max_ns"), 300_000,
     True, "phase width"),
    ("gap_ns", "PULSe:GAP", -9, "S", 2_000, limit("gap_max_ns"), 100_000, True,
     "interphase gap, from the end of a phase to the start of the next"),
    ("polarity", "PULSe:POLarity", None, "", 0, 2, 0, False,
     "which phase comes first, or alternating from pulse to pulse"),
    ("rate_mhz", "FREQuency", -3, "HZ", 500, 500_000, 35_000, False, "pulses or groups a second"),
    ("count", "BURSt:COUNt", 0, "", 1, 50, 1, False,
     "pulses in a group: 1 single, 2 doublet, up to 8 an n-let, more a burst"),
    ("interval_ns", "BURSt:INTerval", -9, "S", 200_000, 20_000_000, 5_000_000, False,
     "from pulse to pulse in a group; below 2 ms the group is a carrier burst"),
    ("opening_ns", "BURSt:OPENing", -9, "S", 2_000_000, 20_000_000, 0, False,
     "first interval of every contraction: it opens with a doublet; 0 for none"),
    ("jitter_ns", "FREQuency:JITTer", -9, "S", 0, 20_000_000, 0, False,
     "most by which a group comes later than its rate has it, at random"),
    ("modulation", "MODulation:SHAPe", None, "", 0, 3, 0, False,
     "how rate and width go from their own values to the second ones, in steps: once over a "
     "contraction, again and again, or there and back"),
    ("rate_to_mhz", "MODulation:FREQuency", -3, "HZ", 500, 500_000, 0, False,
     "the second rate; 0: as the first"),
    ("width_to_ns", "MODulation:WIDTh", -9, "S", limit("width_min_ns"), limit("width_max_ns"), 0,
     False, "the second width; 0: as the first"),
    ("mod_ms", "MODulation:PERiod", -3, "S", 100, HOUR_MS, 1_000, False,
     "length of a saw tooth, or of a triangle there and back"),
    ("mod_steps", "MODulation:STEPs", 0, "", 2, 64, 2, False,
     "steps from the first value to the second, both counted"),
    ("delay_us", "DELay", -6, "S", 0, 1_000_000, 0, False,
     "from the start of the session to the channel's own"),
    ("ramp_up_ms", "RAMP:UP", -3, "S", 0, HOUR_MS, 2_000, False, "ramp to the plateau"),
    ("ramp_down_ms", "RAMP:DOWN", -3, "S", 0, HOUR_MS, 1_000, False, "ramp from the plateau"),
    ("ramp_by", "RAMP:TYPE", None, "", 0, 1, 0, False, "what a ramp changes"),
    ("on_ms", "CYCLe:ON", -3, "S", 10, HOUR_MS, 10_000, False,
     "plateau of a contraction, without its ramps; INFinity for no cycle"),
    ("off_ms", "CYCLe:OFF", -3, "S", 0, HOUR_MS, 20_000, False,
     "rest between contractions, ramps not counted"),
    ("block_ms", "CYCLe:BLOCk", -3, "S", 0, HOUR_MS, 0, False,
     "contractions come in blocks of this length; 0 for none"),
    ("pause_ms", "CYCLe:PAUSe", -3, "S", 0, HOUR_MS, 0, False, "rest between blocks"),
    ("rest_rate_mhz", "REST:FREQuency", -3, "HZ", 500, 500_000, 0, False,
     "rate of an active rest in the off time; 0 for none"),
    ("rest_up_ms", "REST:RAMP:UP", -3, "S", 0, HOUR_MS, 500, False, "ramp into the active rest"),
    ("rest_down_ms", "REST:RAMP:DOWN", -3, "S", 0, HOUR_MS, 500, False, "ramp out of it"),
    ("crank_from", "CRANk:STARt", 0, "", 0, 359, 0, False,
     "crank angle in degrees from which the channel is stimulated"),
    ("crank_to", "CRANk:STOP", 0, "", 0, 359, 0, False, "and to which; as the start: never"),
    ("limit_ua", "CURRent:LIMit", -6, "A", 0, limit("peak_ua"), 30_000, False,
     "the channel's ceiling; its intensity stays at or below it"),
    ("pad_mm2", "PAD:AREA", -2, "CM2", 100, 40_000, limit("pad_mm2"), False,
     "area of the smaller of the channel's two pads"),
)

SESSION = (
    ("duration_ms", "DURation", -3, "S", 100, 4 * HOUR_MS, 900_000, False, "the session's length"),
    ("pattern", "PATTern", None, "", 0, 3, INDEPENDENT, False, "how the channels share the time"),
    ("trigger", "TRIGger:SOURce", None, "", 0, 6, 0, False, "what starts each contraction"),
    ("extend_ms", "TRIGger:EXTend", -3, "S", 0, 1_500, 0, False,
     "how long a triggered contraction goes on after its trigger has ended"),
    ("timeout_ms", "TRIGger:TIMeout", -3, "S", 100, 20_000, 3_000, False,
     "longest triggered contraction"),
    ("trigger_mode", "TRIGger:MODE", None, "", 0, 2, 0, False,
     "what ends a contraction: the trigger's end (gated), or its own length (edge); AUTO: gated "
     "but for HOST and ANALog"),
    ("slope", "TRIGger:SLOPe", None, "", 0, 2, 0, False,
     "which level of the input is active; AUTO: low (closed) for a button, high (open) for a heel "
     "switch, above the level for ANALog"),
    ("debounce_us", "TRIGger:DEBounce", -6, "S", 0, 100_000, 20_000, False,
     "how long the input must be active before it counts; 0 for a laboratory trigger"),
    ("wait_ms", "TRIGger:WAIT", -3, "S", 1_000, 600_000, 5_000, False,
     "longest wait for a trigger; then the session pauses, or a walk stands still"),
    ("level_mv", "TRIGger:LEVel", -3, "V", 0, 3_300, 1_000, False, "threshold of ANALog"),
    ("hysteresis_mv", "TRIGger:HYSTeresis", -3, "V", 1, 3_300, 100, False,
     "how far back from it before it may trigger again"),
    ("least_rpm", "TRIGger:CADence:LOW", 0, "", 5, 120, 10, False,
     "turns of the crank a minute below which nothing is stimulated"),
    ("most_rpm", "TRIGger:CADence:HIGH", 0, "", 5, 120, 60, False, "and above which"),
    ("seed", "SEED", 0, "", 1, 65_535, 1, False, "where the random intervals start"),
    ("standalone", "STANdalone", None, "", 0, 1, 0, False,
     "goes on without a host; else 2 s of silence pause it and 10 s end it"),
    ("warm_ms", "WARMup:DURation", -3, "S", 0, HOUR_MS, 0, False, "warm-up before the cycles"),
    ("warm_rate_mhz", "WARMup:FREQuency", -3, "HZ", 500, 500_000, 6_000, False, "its rate"),
    ("warm_up_ms", "WARMup:RAMP:UP", -3, "S", 0, HOUR_MS, 1_500, False, "its ramp up"),
    ("warm_down_ms", "WARMup:RAMP:DOWN", -3, "S", 0, HOUR_MS, 2_000, False, "its ramp down"),
    ("cool_ms", "COOLdown:DURation", -3, "S", 0, HOUR_MS, 0, False, "cool-down after the cycles"),
    ("cool_rate_mhz", "COOLdown:FREQuency", -3, "HZ", 500, 500_000, 3_000, False, "its rate"),
    ("cool_up_ms", "COOLdown:RAMP:UP", -3, "S", 0, HOUR_MS, 1_500, False, "its ramp up"),
    ("cool_down_ms", "COOLdown:RAMP:DOWN", -3, "S", 0, HOUR_MS, 3_000, False, "its ramp down"),
)


class Settings:
    """The values of one table's fields, as attributes; they start at the defaults."""

    def __init__(self, fields):
        self._fields = fields
        self.reset()

    def reset(self):
        for field in self._fields:
            setattr(self, field[0], field[6])

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> int: ...

    def field(self, name):
        """The table's row of a name; Refused (-224) for a name that is not in it."""
        for field in self._fields:
            if field[0] == name:
                return field
        raise Refused(-224, f"no setting {name}")

    def put(self, name, value):
        """Set one field; Refused (-222) names the value and the limit it breaks."""
        self.check(name, value)
        setattr(self, name, value)

    def check(self, name, value):
        field = self.field(name)
        if value == 0 and name in ALSO_ZERO:
            return
        if value < field[4]:
            raise Refused(-222, f"{name} {value} below {field[4]}")
        if value > field[5]:
            raise Refused(-222, f"{name} {value} above {field[5]}")

    def update(self, values):
        """Set several fields (a dict); all of them or, when one is refused, none."""
        for name in values:
            self.check(name, values[name])
        for name in values:
            setattr(self, name, values[name])

    def values(self):
        """A dict of every field's value."""
        return {field[0]: getattr(self, field[0]) for field in self._fields}
