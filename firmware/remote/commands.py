"""The command tree: what can be said to the stimulator, as one table.

The settings' rows are made from the table of fields (firmware/core/settings.py), so that header,
unit and range stand in one place. docs/commands.md lists them all.
"""

from firmware.core.refused import Refused
from firmware.core.settings import ALSO_ZERO, CHANNEL, CHOICES, SESSION
from firmware.programs.library import PROGRAMS
from firmware.remote.version import VERSION
from firmware.safety import faults
from scpi import Boolean, Choice, Instrument, Quantity, ScpiError, Text, format_quantity, quoted

STOP_BYTE = b"!"  # unframed, in any state, even within a line
IDENTITY = "Rheobase,Two-channel stimulator,0," + VERSION


class _Said:
    """Calls a method of ours and says its refusal in SCPI's words."""

    def __init__(self, call):
        self._call = call

    def __call__(self, *values):
        try:
            return self._call(*values)
        except Refused as refusal:
            raise ScpiError(refusal.code, refusal.text)


def _kind(field):
    """The SCPI parameter of a settings field."""
    name, _, scale, unit, low, high, default, _, _ = field
    if name == "enabled":
        return Boolean()
    if scale is None:
        return Choice("|".join(CHOICES[name]))
    also = ALSO_ZERO.get(name)
    if also == "INFinity":
        return Quantity(unit, -scale, low, high, default, infinity=0)
    if also:
        low = 0
    return Quantity(unit or None, -scale, low, high, default)


class Commands:
    """The handlers of one stimulator."""

    def __init__(self, stimulator):
        self.stimulator = stimulator

    def rows(self):
        """The command table, as scpi.Instrument takes it."""
        s = self.stimulator
        rows = []
        for field in CHANNEL:
            rows.append(self._channel_row(field))
        for field in SESSION:
            rows.append(self._session_row(field))
        current = Quantity("A", 6, 0, lambda channel: s.ceiling(channel - 1)[0], 0)
        rows += [
            (
                "[SOURce[1|2]]:CURRent[:LEVel]",
                _Said(lambda channel, ua: s.set_current(channel - 1, ua)),
                lambda channel: s.intensity[channel - 1].current_ua,
                current,
            ),
            ("[SOURce[1|2]]:CURRent:CEILing", None, self._ceiling),
            ("SESSion:STARt", _Said(s.start), None),
            ("SESSion:STOP", _Said(s.finish), None),
            ("SESSion:PAUSe", _Said(s.pause), None),
            ("SESSion:RESume", _Said(s.resume), None),
            ("SESSion:STATe", None, s.state_name),
            ("SESSion:TIME", None, lambda: format_quantity(s.elapsed_ms(), 3)),
            ("SESSion:CONTractions", None, lambda: tuple(s.contractions)),
            ("ARM", _Said(s.arm), lambda: s.state_name() == "ARMED"),
            ("DISarm", _Said(s.disarm), None),
            ("OUTPut[:STATe]", _Said(self._output), s.is_on, Boolean()),
            ("ABORt", s.stop, None),
            ("MEASure[1|2]:PULSes", None, lambda channel: s.pulses(channel - 1)),
            ("MEASure[1|2]:MOVed[:COUNt]", None, lambda channel: s.moved(channel - 1)[0]),
            (
                "MEASure[1|2]:MOVed:MOST",
                None,
                lambda channel: format_quantity(s.moved(channel - 1)[1], 9),
            ),
            ("MEASure:SUPPly", None, lambda: s.outputs.supply_v()),
            ("FAULt[:NUMBer]", None, lambda: s.fault.number),
            ("FAULt:TEXT", None, lambda: quoted(s.fault.text())),
            ("FAULt:CLEar", _Said(s.clear_fault), None),
            ("PROGram:CATalog", None, lambda: tuple([quoted(name) for name in sorted(PROGRAMS)])),
            ("PROGram:LOAD", _Said(self._load), None, Text(), Quantity(None, 0, 1, 2)),
        ]
        return tuple(rows)

    def _channel_row(self, field):
        s = self.stimulator
        name = field[0]
        return (
            "[SOURce[1|2]]:" + field[1],
            _Said(lambda channel, value: s.put(s.channels[channel - 1], name, value)),
            lambda channel: getattr(s.channels[channel - 1], name),
            _kind(field),
        )

    def _session_row(self, field):
        s = self.stimulator
        name = field[0]
        return (
            "SESSion:" + field[1],
            _Said(lambda value: s.put(s.session, name, value)),
            lambda: getattr(s.session, name),
            _kind(field),
        )

    def _ceiling(self, channel):
        """The most that the intensity may be as things are set, and what sets it."""
        most_ua, why = self.stimulator.ceiling(channel - 1)
        return format_quantity(most_ua, 6), quoted(why)

    def _output(self, on):
        if on:
            self.stimulator.start()
        else:
            self.stimulator.stop()

    def _load(self, name, channel):
        program = PROGRAMS.get(name)
        if program is None:
            raise Refused(-224, f"no program {name}")
        self.stimulator.load(channel - 1, program)


def instrument_for(stimulator):
    """The SCPI instrument in front of a stimulator."""
    return Instrument(
        IDENTITY,
        Commands(stimulator).rows(),
        reset=stimulator.reset,
        self_test=stimulator.test,
        busy=stimulator.busy,
        immediate=STOP_BYTE,
        on_immediate=lambda _byte: stimulator.stop(),
        messages=faults.REASONS,
    )
