"""The command tree: what can be said to the stimulator, as one table.

The settings' rows are made from the table of fields (firmware/core/settings.py), so that header,
unit and range stand in one place; they are made when they are asked for, as memory is scarce.
docs/commands.md lists them all.
"""

from firmware.core.refused import Refused
from firmware.core.settings import CHANNEL, SESSION, words_of
from firmware.core.unload import borrow, unload
from firmware.remote.measured import Measured
from firmware.remote.memory import Memory, MemoryRows
from firmware.remote.programs import ProgramRows, Programs
from firmware.remote.version import VERSION
from firmware.safety import faults
from scpi import (
    Boolean,
    Checked,
    Choice,
    Instrument,
    Optional,
    Quantity,
    Text,
    format_quantity,
    quoted,
)

STOP_BYTE = b"!"  # unframed, in any state, even within a line
BAD_LINES = 5  # in a row, in checked mode: a fault (SR-42)
_MULTIPLE = "firmware.instrument.multiple"
IDENTITY = "Rheobase,Two-channel stimulator,0," + VERSION


def _kind(field):
    """The SCPI parameter of a settings field."""
    name, _, scale, unit, low, high, default, _, _, also = field
    if scale is None:
        choice = "|".join(words_of(name))
        return Boolean() if choice == "OFF|ON" else Choice(choice)
    if also == "INFinity":
        return Quantity(unit, -scale, low, high, default, infinity=0)
    if also:
        low = 0
    return Quantity(unit or None, -scale, low, high, default)


class SettingRows:
    """The rows of a table of fields, made anew whenever one is asked for.

    settings: of the channel that the header's suffix names, or of the session.
    """

    def __init__(self, stimulator, fields, head, settings):
        self._stimulator = stimulator
        self._fields = fields
        self._head = head
        self._settings = settings

    def __len__(self):
        return len(self._fields)

    def headers(self):
        for field in self._fields:
            yield self._head + field[1]

    def __getitem__(self, place):
        field = self._fields[place]
        name = field[0]
        stimulator = self._stimulator
        settings = self._settings

        def put(*values):
            stimulator.put(settings(*values[:-1]), name, values[-1])

        def get(*channel):
            return getattr(settings(*channel), name)

        return self._head + field[1], put, get, _kind(field)


class Commands:
    """The handlers of one stimulator; what they refuse is said in SCPI's words (`explain`)."""

    def __init__(self, stimulator, shelf):
        self.stimulator = stimulator
        self.memory = Memory(stimulator)
        self.measured = Measured(stimulator)
        self.programs = Programs(stimulator, shelf)

    def rows(self):
        """The commands that are no settings; a handler that is a name is below this object."""
        s = self.stimulator
        current = Quantity("A", 6, 0, lambda channel: s.ceiling(channel - 1)[0], 0)
        return (
            ("[SOURce[1|2]]:CURRent[:LEVel]", "set_current", "current", current),
            ("[SOURce[1|2]]:CURRent:CEILing", None, "ceiling"),
            (
                "[SOURce[1|2]]:CURRent:MULTiple", "set_multiple", None,
                Quantity(None, 3, 0, 20_000, 0), Optional(Choice("MOTor|SENSory"), 0),
            ),
            ("[SOURce[1|2]]:CURRent:THReshold", None, "thresholds"),
            ("SESSion:STARt", "stimulator.start", None),
            ("SESSion:STOP", "stimulator.finish", None),
            ("SESSion:PAUSe", "stimulator.pause", None),
            ("SESSion:RESume", "stimulator.resume", None),
            ("*TRG", "stimulator.trigger", None),
            ("SESSion:TRIGger:ANGLe", "stimulator.crank_angle", None, Quantity(None, 0, 0, 359)),
            ("SESSion:STATe", None, "stimulator.state_name"),
            ("SESSion:TIME", None, "time"),
            ("SESSion:CONTractions", None, "contractions"),
            ("ARM", "stimulator.arm", "armed", Text(8)),
            ("ARM:HASH", None, "hash"),
            ("CHECklist", None, "checklist"),
            ("CHECklist:ACKNowledge", "stimulator.approval.acknowledge", None, Text(8)),
            ("CURRent:LOCK", "stimulator.set_lock", "stimulator.locked", Boolean()),
            ("DISarm", "stimulator.disarm", None),
            ("OUTPut[:STATe]", "output", "stimulator.is_on", Boolean()),
            ("ABORt", "stimulator.stop", None),
            ("MEASure[1|2]:PULSes", None, "pulses"),
            ("MEASure[1|2]:MOVed[:COUNt]", None, "moved"),
            ("MEASure[1|2]:MOVed:MOST", None, "moved_most"),
            ("MEASure:SUPPly", None, "stimulator.supply_v"),
            ("MEASure[1|2]:CURRent", None, "measured.current"),
            ("MEASure[1|2]:CURRent:RMS", None, "measured.rms"),
            ("MEASure[1|2]:CURRent:MEAN", None, "measured.mean"),
            ("MEASure[1|2]:CHARge", None, "measured.charge"),
            ("MEASure[1|2]:CHARge:NET", None, "measured.net"),
            ("MEASure[1|2]:DC", None, "measured.direct"),
            ("MEASure[1|2]:IMPedance", None, "measured.ohm"),
            ("LEDGer[1|2]", None, "measured.ledger"),
            ("LEDGer[1|2]:UNCertainty", None, "measured.unsure"),
            ("FAULt[:NUMBer]", None, "stimulator.fault.number"),
            ("FAULt:TEXT", None, "fault_text"),
            ("FAULt:CLEar", "stimulator.clear_fault", None),
            ("*LRN", None, "learn"),
            ("TEST:FIT", None, "fit", Text(200)),
            ("SYSTem:KEEPalive", "stimulator.link.heard", None),
        )

    def setting_rows(self):
        """The tables of the channels' and the session's settings."""
        s = self.stimulator
        return (
            SettingRows(s, CHANNEL, "[SOURce[1|2]]:", lambda channel: s.channels[channel - 1]),
            SettingRows(s, SESSION, "SESSion:", lambda: s.session),
        )

    def tables(self):
        """All tables of commands."""
        return self.setting_rows() + (
            self.rows(),
            MemoryRows(),
            ProgramRows(),
        )

    def _need_idle(self):
        if not self.stimulator.is_idle():
            raise Refused(-221, f"not in state {self.stimulator.state_name()}; stop first")

    def learn(self):
        """*LRN?: needs some kilobytes, so only with the output off."""
        self._need_idle()
        from firmware.remote.learn import learn

        try:
            return learn(self.setting_rows())
        finally:
            unload("firmware.remote.learn")

    def fit(self, points):
        """TEST:FIT?: takes longer than the tape lasts, so only with the output off."""
        self._need_idle()
        return borrow("firmware.instrument.fit", "answer", points)

    def set_current(self, channel, current_ua):
        self.stimulator.set_current(channel - 1, current_ua)

    def set_multiple(self, channel, thousandths, name):
        borrow(_MULTIPLE, "put", self.stimulator, channel - 1, thousandths, name)

    def thresholds(self, channel):
        return borrow(_MULTIPLE, "told", self.stimulator, channel - 1)

    def current(self, channel):
        return self.stimulator.intensity[channel - 1].current_ua

    def ceiling(self, channel):
        """The most that the intensity may be as things are set, and what sets it."""
        most_ua, why = self.stimulator.ceiling(channel - 1)
        return format_quantity(most_ua, 6), quoted(why)

    def time(self):
        return format_quantity(self.stimulator.elapsed_ms(), 3)

    def contractions(self):
        return tuple(self.stimulator.contractions)

    def hash(self):
        return quoted(self.stimulator.approval.hash())

    def checklist(self):
        return quoted(self.stimulator.approval.checklist())

    def armed(self):
        """The hash that is armed, empty when none is."""
        return self.stimulator.approval.hash() if self.stimulator.is_armed() else ""

    def output(self, on):
        if on:
            self.stimulator.start()
        else:
            self.stimulator.stop()

    def pulses(self, channel):
        return self.stimulator.pulses(channel - 1)

    def moved(self, channel):
        return self.stimulator.moved(channel - 1)[0]

    def moved_most(self, channel):
        return format_quantity(self.stimulator.moved(channel - 1)[1], 9)

    def fault_text(self):
        return quoted(self.stimulator.fault.text())


def explain(error):
    """A refusal as SCPI says it; None for what is a bug."""
    return (error.code, error.text) if isinstance(error, Refused) else None


def instrument_for(stimulator, shelf):
    """The SCPI instrument in front of a stimulator. `shelf`: imports and returns hal/shelf.py."""
    commands = Commands(stimulator, shelf)
    return Instrument(
        IDENTITY,
        *commands.tables(),
        owner=commands,
        explain=explain,
        reset=stimulator.reset,
        self_test=stimulator.test,
        busy=stimulator.busy,
        immediate=STOP_BYTE,
        on_immediate=lambda _byte: stimulator.stop_byte(),
        on_heard=stimulator.link.heard,
        messages=faults.Reasons(),
        checked=Checked(BAD_LINES, stimulator.link.spoilt),
    )
