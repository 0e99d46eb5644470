"""The command tree: what can be said to the stimulator, as tables of text (scpi/table.py).

The settings' rows are those of firmware/core/settings.py, so that header, unit and range stand in
one place. docs/commands.md lists them all. Handlers know channels as 0 and 1.
"""

from firmware.core.limits import limit
from firmware.core.refused import Refused
from firmware.core.settings import CHANNEL, SESSION
from firmware.core.unload import borrow, fetch, unload
from firmware.remote.version import VERSION
from firmware.safety import faults
from firmware.safety.states import RUNNING
from scpi.checked import Checked
from scpi.errors import quoted
from scpi.instrument import Instrument
from scpi.numbers import format_quantity
from scpi.quantity import made, shown
from scpi.table import Table

# What is imported for a command, in this order, so that no import has to wait for another: the
# stack is short.
MEMORY = (
    "firmware.safety.config",
    "firmware.safety.record",
    "firmware.safety.boxtext",
    "firmware.remote.memory_work",
)
PROGRAMS = (
    "scpi.refusals",
    "firmware.programs.format",
    "firmware.programs.classes",
    "firmware.safety.loading",
    "firmware.hal.texts",
    "firmware.hal.shelf",
    "firmware.remote.program_work",
)
PLAN = ("firmware.core.course", "firmware.core.fit", "firmware.core.plan")

STOP_BYTE = b"!"  # unframed, in any state, even within a line
BAD_LINES = 5  # in a row, in checked mode: a fault (SR-42)
IDENTITY = "Rheobase,Two-channel stimulator,0," + VERSION
_MULTIPLE = "firmware.remote.multiple"

ROWS = b"""
[:SOURce[1|2]]:CURRent[:LEVel] stimulator.set_current current 0/A-6/0/most_ua
[:SOURce[1|2]]:CURRent:CEILing - ceiling
[:SOURce[1|2]]:CURRent:MULTiple set_multiple - 0/-3/0/20000 0/MOTor|SENSory?0
[:SOURce[1|2]]:CURRent:THReshold - thresholds
:SESSion:STARt stimulator.start -
:SESSion:STOP stimulator.finish -
:SESSion:PAUSe stimulator.pause -
:SESSion:RESume stimulator.resume -
*TRG stimulator.trigger -
:SESSion:TRIGger:ANGLe stimulator.crank_angle - /-0/0/359
:SESSion:STATe - stimulator.state_name
:SESSion:TIME - stimulator.elapsed_ms=3
:SESSion:CONTractions - stimulator.contractions
:ARM stimulator.arm armed "8
:ARM:HASH - hash
:CHECklist - checklist
:CHECklist:ACKNowledge stimulator.approval.acknowledge - "8
:CURRent:LOCK stimulator.set_lock stimulator.locked 0/OFF|ON
:DISarm stimulator.disarm -
:OUTPut[:STATe] output stimulator.is_on 0/OFF|ON
:ABORt stimulator.stop -
:MEASure[1|2]:PULSes - stimulator.pulses
:MEASure[1|2]:MOVed[:COUNt] - moved
:MEASure[1|2]:MOVed:MOST - moved_most=9
:INPut:BUTTon - stimulator.outputs.button
:MEASure:SUPPly - stimulator.supply_v
:MEASure[1|2]:CURRent - stimulator.monitor.current_ua=6
:MEASure[1|2]:CURRent:RMS - stimulator.monitor.rms_ua=6
:MEASure[1|2]:CURRent:MEAN - stimulator.monitor.mean_ua=6
:MEASure[1|2]:CHARge - stimulator.monitor.charge_nc=9
:MEASure[1|2]:CHARge:NET - stimulator.monitor.net_nc=9
:MEASure[1|2]:DC - direct=9
:MEASure[1|2]:IMPedance - stimulator.monitor.ohm
:LEDGer[1|2] - ledger
:LEDGer[1|2]:UNCertainty - stimulator.monitor.unsure_nc=9
:FAULt[:NUMBer] - stimulator.fault.number
:FAULt:TEXT - fault_text
:FAULt:CLEar stimulator.clear_fault -
*LRN - learn
:TEST:FIT - fit "200
:SYSTem:KEEPalive stimulator.link.heard -
:SYSTem:LOG:COUNt - memory.count
:SYSTem:LOG[:RECord] - memory.one_record /#/1/
:SYSTem:LOG:ALL - memory.records /#/1/?0
:SYSTem:LOG:CLEar memory.clear_log -
:SYSTem:BBOX[:COUNt] - memory.box /#/1/?0
:SYSTem:BBOX:PULSes - memory.box_pulses /#/1/ /#/1/?0
:SYSTem:BBOX:EVENts - memory.box_events /#/1/ /#/1/?0
:SYSTem:CONFig:COUNt - memory.line_count
:SYSTem:CONFig:LINE - memory.line /#/1/
:SYSTem:CONFig[:VALue] - memory.value "120
:SYSTem:CONFig:SET memory.assign - "120
:SYSTem:CONFig:SAVE memory.save -
:SYSTem:CONFig:REVert memory.revert -
:SYSTem:CONFig:RESTore memory.restore -
:SYSTem:CONFig:STATe - memory.state
:SYSTem:KEY memory.unlock - "32
:SYSTem:KEY:NEW memory.new_key - "32
:SYSTem:KEY:LOCK memory.lock -
:SYSTem:KEY:OPEN - memory.is_open
:SYSTem:CLOCk memory.set_clock memory.clock /S-0/1/4000000000
:PROGram:CATalog - programs.catalog
:PROGram:CATalog:USER - programs.own
:PROGram:LOAD programs.load - "40 /#/1/2?0
:PROGram:SELected - selected
:PROGram:MODE - stimulator.mode
:SESSion:MODE - stimulator.mode
:PROGram:LINE:COUNt - programs.line_count "40
:PROGram:LINE - programs.line "40 /#/1/
:PROGram:IMPort:BEGin programs.begin -
:PROGram:IMPort:LINE programs.add - "200
:PROGram:IMPort:END programs.end -
:PROGram:DELete programs.delete - "40
"""


class SettingTable:
    """The rows of a table of fields as commands; what Table's functions do, for their form.

    settings: of each channel, or the session's alone. ready: called before one is set.
    """

    base = 1

    def __init__(self, stimulator, fields, head, settings, ready):
        self.text = fields.text
        self.head = head
        self._stimulator = stimulator
        self._settings = settings
        self._ready = ready
        self._name = ""  # of the field whose handler was asked for last

    def row(self, at):
        """Where the field's name begins."""
        return at + 1

    def has(self, row, query):
        return True

    def names(self, row):
        return (str(self.text[row : self.text.find(b"=", row)], "ascii"),)

    def ask(self, row, names, numbers):
        settings = self._settings[numbers[0] if numbers else 0]
        return shown(self.text, row + len(names[0]) + 1, getattr(settings, names[0]))

    def handler(self, row, query):
        self._name = self.names(row)[0]
        return self.get if query else self.put

    def put(self, *values):
        self._ready()
        settings = self._settings[values[0] if len(values) > 1 else 0]
        self._stimulator.put(settings, self._name, values[-1])

    def get(self, channel=0):
        return getattr(self._settings[channel], self._name)

    def kinds(self, row):
        row = self.text.find(b"=", row) + 1
        return (made(str(self.text[row : row + 80], "ascii").split(None, 1)[0], limit),)

    def answers_as_set(self, row):
        return True

    def answer(self, row, value):
        return shown(self.text, self.text.find(b"=", row) + 1, value)


class Commands:
    """The handlers of one stimulator that are more than a name below it.

    ready: called before a command that lasts long while the tape plays, to make time for it.
    """

    def __init__(self, stimulator, shelf, ready):
        self.stimulator = stimulator
        self._ready = ready
        self.memory = Memory(stimulator)
        self.programs = Programs(stimulator, shelf)

    def setting_tables(self):
        """The tables of the channels' and the session's settings."""
        s = self.stimulator
        return (
            SettingTable(s, CHANNEL, b"[:SOURce[1|2]] ", s.channels, self._ready),
            SettingTable(s, SESSION, b":SESSion ", (s.session,), self._ready),
        )

    def tables(self):
        """All tables of commands."""
        return self.setting_tables() + (Table(ROWS, self, 1),)

    def instrument(self):
        """The SCPI instrument in front of the stimulator."""
        s = self.stimulator
        instrument = Instrument(
            IDENTITY,
            *self.tables(),
            explain=explain,
            reset=s.reset,
            self_test=s.test,
            busy=s.busy,
            immediate=STOP_BYTE,
            on_immediate=lambda _byte: s.stop_byte(),
            on_heard=s.link.heard,
            messages=faults.Reasons(),
            checked=Checked(BAD_LINES, s.link.spoilt),
        )
        instrument.on_long = self.not_running
        return instrument

    def _idle(self, module, *values):
        """Borrow a module that needs memory or time, so only with the output off."""
        if not self.stimulator.is_idle():
            raise Refused(-221, f"not in state {self.stimulator.state_name()}; stop first")
        return borrow(module, "answer", *values)

    def not_running(self):
        """Refused (-221) while the tape plays: what follows would outlast it."""
        if self.stimulator.state == RUNNING:
            raise Refused(-221, f"not in state {self.stimulator.state_name()}; stop first")

    def learn(self):
        """*LRN?"""
        return self._idle("firmware.remote.learn", self.setting_tables())

    def fit(self, points):
        """TEST:FIT?"""
        return self._idle("firmware.remote.fit", points)

    def set_multiple(self, channel, thousandths, name):
        self._ready()
        borrow(_MULTIPLE, "put", self.stimulator, channel, thousandths, name)

    def thresholds(self, channel):
        self._ready()
        return borrow(_MULTIPLE, "told", self.stimulator, channel)

    def current(self, channel):
        return self.stimulator.intensity[channel].current_ua

    def most_ua(self, channel):
        return self.stimulator.ceiling(channel)[0]

    def ceiling(self, channel):
        """The most that the intensity may be as things are set, and what sets it."""
        most_ua, why = self.stimulator.ceiling(channel)
        return format_quantity(most_ua, 6), quoted(why)

    def hash(self):
        self.not_running()
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

    def moved(self, channel):
        return self.stimulator.moved(channel)[0]

    def moved_most(self, channel):
        return self.stimulator.moved(channel)[1]

    def direct(self, channel):
        return self.stimulator.monitor.net_nc(channel)[1]

    def ledger(self, channel):
        """Pulses measured, charge and net charge of the session."""
        monitor = self.stimulator.monitor
        return (
            monitor.measured(channel),
            format_quantity(monitor.charge_uc(channel), 6),
            format_quantity(monitor.net_nc(channel)[2], 9),
        )

    def fault_text(self):
        return quoted(self.stimulator.fault.text())

    def selected(self):
        return tuple([quoted(id) for id in self.stimulator.loaded])


class Memory:
    """Commands for what outlives a power cut: fault log, black box, configuration, key, clock.

    Every function of memory_work.py is a handler under its own name; it is imported for one
    command. edit: the configuration in editing, by field name; None while nothing was changed.
    """

    def __init__(self, stimulator):
        self.stimulator = stimulator
        self.edit = None

    def __getattr__(self, name):
        if name[:1] == "_":
            raise AttributeError(name)
        stimulator = self.stimulator
        if stimulator.why_not_write():
            state = stimulator.state_name()
            raise Refused(-221, f"not in state {state}: flash is used only with the output off")
        module = None
        for borrowed in MEMORY:
            module = __import__(borrowed, None, None, ("__name__",))
        stimulator.storage.borrowed = MEMORY
        call = getattr(module, name)
        return lambda *values: call(self, stimulator.storage, *values)


class Programs:
    """Commands for programs: list, load, read as text, store and delete.

    Every function of program_work.py is a handler under its own name; it is imported for one
    command. lines: of a text that is being sent, stored when its end is sent or not at all.
    """

    def __init__(self, stimulator, shelf):
        self.stimulator = stimulator
        self.shelf = shelf  # imports and returns hal/shelf.py
        self.lines = None

    def __getattr__(self, name):
        if name[:1] == "_":
            raise AttributeError(name)
        stimulator = self.stimulator
        if stimulator.state == RUNNING:
            state = stimulator.state_name()
            raise Refused(-221, f"not in state {state}: programs are read with the output off")

        def work(*values):
            try:
                fetch(*PROGRAMS)
                if name in ("load", "end"):
                    fetch(*PLAN)
                module = __import__(PROGRAMS[-1], None, None, (name,))
                return getattr(module, name)(self, *values)
            finally:
                for borrowed in PROGRAMS:
                    unload(borrowed)

        return work


def explain(error):
    """A refusal as SCPI says it; None for what is a bug."""
    return (error.code, error.text) if isinstance(error, Refused) else None
