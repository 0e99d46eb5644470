"""What can be set: one table for the command tree, the docs, the programs and the tests.

A row is its SCPI header, its name=what it takes, and its meaning. What it takes is

    300000/S-9/20000/1000000    default, unit with its power of ten (here ns), lowest, highest
    .../0  .../INFinity         also zero below its lowest, for "none" or "without end"
    .../live                    may change while the output runs, at a pulse boundary
    0/POSitive|NEGative         words, whose places (0, 1, ...) are the values

A value is a whole number of that unit, as the name's ending says; no unit is a count. A limit may
be told by its name in core/limits.py. On the device the meanings are left out (tools/rheobase/
build.py), and a row is read from the text when it is asked for: as tuples they take 8 KB.
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


class Fields:
    """A table of fields.

    A field is a tuple (name, header, scale, unit, lowest, highest, default, live, meaning, also):
    `scale` is the power of ten, None for words; `unit` "" for a count; `also` "0", "INFinity" or
    "".
    """

    def __init__(self, text):
        self.text = text  # every row begins with a new line and a colon

    def __len__(self):
        return self.text.count(b"\n:")

    def __iter__(self):
        at = 0
        while at >= 0:
            yield self._at(at)
            at = self.text.find(b"\n:", at + 1)

    def names(self):
        """The names alone, in order."""
        text = self.text
        at = 0
        while at >= 0:
            at = text.find(b" ", at) + 1
            yield str(text[at : text.find(b"=", at)], "ascii")
            at = text.find(b"\n:", at)

    def named(self, name):
        """The field of a name; None if it has none."""
        at = self.text.find(b" " + name.encode() + b"=")
        return None if at < 0 else self._at(self.text.rfind(b"\n:", 0, at))

    def __getitem__(self, place):
        at = 0
        for _ in range(place):
            at = self.text.find(b"\n:", at + 1)
        return self._at(at)

    def defaults(self, target):
        """Set every field's name to its default, as attributes; they alone are read, for speed."""
        text = self.text
        end = 0
        while end >= 0:
            at = text.find(b" ", end) + 1
            middle = text.find(b"=", at)
            end = text.find(b"/", middle)
            setattr(target, str(text[at:middle], "ascii"), _number(text[middle + 1 : end]))
            end = text.find(b"\n:", end)

    def _at(self, start):
        end = self.text.find(b"\n:", start + 1)
        parts = str(self.text[start : end if end > 0 else len(self.text)], "ascii").split(None, 2)
        name, takes = parts[1].split("=")
        meaning = " ".join(parts[2].split()) if len(parts) > 2 else ""
        return _field(name, parts[0][1:], takes.split("/"), meaning)


def _field(name, header, takes, meaning):
    also = takes.pop() if len(takes) in (3, 5) else ""
    live = also == "live"
    if live:
        also = ""
    default = _number(takes[0])
    if "|" in takes[1]:
        return name, header, None, "", 0, takes[1].count("|"), default, live, meaning, also
    unit, scale = takes[1].split("-")
    low, high = _number(takes[2]), _number(takes[3])
    return name, header, -int(scale), unit, low, high, default, live, meaning, also


def _number(text):
    """Digits, or a limit by its name."""
    if text.isdigit():
        return int(text)
    return limit(text if isinstance(text, str) else str(text, "ascii"))


# fmt: off
CHANNEL = Fields(b"""
:STATe enabled=0/OFF|ON  the channel takes part in the session
:PULSe:WIDTh width_ns=300000/S-9/width_min_ns/width_max_ns/live  phase width
:PULSe:GAP gap_ns=100000/S-9/2000/gap_max_ns/live
    interphase gap, from the end of a phase to the start of the next
:PULSe:POLarity polarity=0/POSitive|NEGative|ALTernate
    which phase comes first, or alternating from pulse to pulse
:FREQuency rate_mhz=35000/HZ-3/500/500000  pulses or groups a second
:BURSt:COUNt count=1/-0/1/50
    pulses in a group: 1 single, 2 doublet, up to 8 an n-let, more a burst
:BURSt:INTerval interval_ns=5000000/S-9/200000/20000000
    from pulse to pulse in a group; below 2 ms the group is a carrier burst
:BURSt:OPENing opening_ns=0/S-9/2000000/20000000/0
    first interval of every contraction: it opens with a doublet; 0 for none
:FREQuency:JITTer jitter_ns=0/S-9/0/20000000
    most by which a group comes later than its rate has it, at random
:MODulation:SHAPe modulation=0/NONE|SWEep|SAWTooth|TRIangle
    how rate and width go from their own values to the second ones, in steps: once over a
    contraction, again and again, or there and back
:MODulation:FREQuency rate_to_mhz=0/HZ-3/500/500000/0  the second rate; 0: as the first
:MODulation:WIDTh width_to_ns=0/S-9/width_min_ns/width_max_ns/0  the second width; 0: as the first
:MODulation:PERiod mod_ms=1000/S-3/100/3600000
    length of a saw tooth, or of a triangle there and back
:MODulation:STEPs mod_steps=2/-0/2/64  steps from the first value to the second, both counted
:DELay delay_us=0/S-6/0/1000000  from the start of the session to the channel's own
:RAMP:UP ramp_up_ms=2000/S-3/0/3600000  ramp to the plateau
:RAMP:DOWN ramp_down_ms=1000/S-3/0/3600000  ramp from the plateau
:RAMP:TYPE ramp_by=0/AMPLitude|WIDTh  what a ramp changes
:CYCLe:ON on_ms=10000/S-3/10/3600000/INFinity
    plateau of a contraction, without its ramps; INFinity for no cycle
:CYCLe:OFF off_ms=20000/S-3/0/3600000  rest between contractions, ramps not counted
:CYCLe:BLOCk block_ms=0/S-3/0/3600000  contractions come in blocks of this length; 0 for none
:CYCLe:PAUSe pause_ms=0/S-3/0/3600000  rest between blocks
:REST:FREQuency rest_rate_mhz=0/HZ-3/500/500000/0
    rate of an active rest in the off time; 0 for none
:REST:RAMP:UP rest_up_ms=500/S-3/0/3600000  ramp into the active rest
:REST:RAMP:DOWN rest_down_ms=500/S-3/0/3600000  ramp out of it
:CRANk:STARt crank_from=0/-0/0/359  crank angle in degrees from which the channel is stimulated
:CRANk:STOP crank_to=0/-0/0/359  and to which; as the start: never
:CURRent:LIMit limit_ua=30000/A-6/0/peak_ua
    the channel's ceiling; its intensity stays at or below it
:PAD:AREA pad_mm2=pad_mm2/CM2-2/100/40000  area of the smaller of the channel's two pads
""")

SESSION = Fields(b"""
:DURation duration_ms=900000/S-3/100/14400000  the session's length
:PATTern pattern=3/SIMultaneous|ALTernating|OVERlapped|INDependent  how the channels share the time
:TRIGger:SOURce trigger=0/NONE|BUTTon|HEEL|PHASes|CRANk|HOST|ANALog  what starts each contraction
:TRIGger:EXTend extend_ms=0/S-3/0/1500
    how long a triggered contraction goes on after its trigger has ended
:TRIGger:TIMeout timeout_ms=3000/S-3/100/20000  longest triggered contraction
:TRIGger:MODE trigger_mode=0/AUTO|GATed|EDGE
    what ends a contraction: the trigger's end (gated), or its own length (edge); AUTO: gated but
    for HOST and ANALog
:TRIGger:SLOPe slope=0/AUTO|POSitive|NEGative
    which level of the input is active; AUTO: low (closed) for a button, high (open) for a heel
    switch, above the level for ANALog
:TRIGger:DEBounce debounce_us=20000/S-6/0/100000
    how long the input must be active before it counts; 0 for a laboratory trigger
:TRIGger:WAIT wait_ms=5000/S-3/1000/600000
    longest wait for a trigger; then the session pauses, or a walk stands still
:TRIGger:LEVel level_mv=1000/V-3/0/3300  threshold of ANALog
:TRIGger:HYSTeresis hysteresis_mv=100/V-3/1/3300  how far back from it before it may trigger again
:TRIGger:CADence:LOW least_rpm=10/-0/5/120
    turns of the crank a minute below which nothing is stimulated
:TRIGger:CADence:HIGH most_rpm=60/-0/5/120  and above which
:SEED seed=1/-0/1/65535  where the random intervals start
:STANdalone standalone=0/OFF|ON
    goes on without a host; else 2 s of silence pause it and 10 s end it
:WARMup:DURation warm_ms=0/S-3/0/3600000  warm-up before the cycles
:WARMup:FREQuency warm_rate_mhz=6000/HZ-3/500/500000/0  its rate
:WARMup:RAMP:UP warm_up_ms=1500/S-3/0/3600000  its ramp up
:WARMup:RAMP:DOWN warm_down_ms=2000/S-3/0/3600000  its ramp down
:COOLdown:DURation cool_ms=0/S-3/0/3600000  cool-down after the cycles
:COOLdown:FREQuency cool_rate_mhz=3000/HZ-3/500/500000/0  its rate
:COOLdown:RAMP:UP cool_up_ms=1500/S-3/0/3600000  its ramp up
:COOLdown:RAMP:DOWN cool_down_ms=3000/S-3/0/3600000  its ramp down
""")


def words_of(name):
    """The words that a field takes, in the order of its values; empty for a number."""
    mark = b" " + name.encode() + b"="
    for fields in (CHANNEL, SESSION):
        at = fields.text.find(mark)
        if at >= 0:
            takes = str(fields.text[at : at + 80], "ascii").split("/")[1].split()[0]
            return tuple(takes.split("|")) if "|" in takes else ()
    return ()


class Settings:
    """The values of one table's fields, as attributes; they start at the defaults."""

    def __init__(self, fields):
        self._fields = fields
        self.reset()

    def reset(self):
        self._fields.defaults(self)

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> int: ...

    def field(self, name):
        """The table's row of a name; Refused (-224) for a name that is not in it."""
        field = self._fields.named(name)
        if field is None:
            raise Refused(-224, f"no setting {name}")
        return field

    def put(self, name, value):
        """Set one field; Refused (-222) names the value and the limit it breaks."""
        self.check(name, value)
        setattr(self, name, value)

    def check(self, name, value):
        field = self.field(name)
        if value == 0 and field[9]:
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
        return {name: getattr(self, name) for name in self._fields.names()}
