"""Commands for what outlives a power cut: fault log, black box, configuration, clinician's key.

What does the work (memory_work.py) is imported for one command and dropped.
"""

from firmware.core.refused import Refused
from firmware.core.unload import unload
from scpi import Integer, Optional, Quantity, Text

_BORROWED = (
    "firmware.remote.memory_work",
    "firmware.safety.config",
    "firmware.safety.record",
    "firmware.safety.boxtext",
)
# Header, set handler, query handler, parameters: n a number, f one that may be left out, t a
# text, k a key, s seconds.
_ROWS = (
    ("SYSTem:LOG:COUNt", None, "count", ""),
    ("SYSTem:LOG[:RECord]", None, "one_record", "n"),
    ("SYSTem:LOG:ALL", None, "records", "f"),
    ("SYSTem:LOG:CLEar", "clear_log", None, ""),
    ("SYSTem:BBOX[:COUNt]", None, "box", "f"),
    ("SYSTem:BBOX:PULSes", None, "box_pulses", "nf"),
    ("SYSTem:BBOX:EVENts", None, "box_events", "nf"),
    ("SYSTem:CONFig:COUNt", None, "line_count", ""),
    ("SYSTem:CONFig:LINE", None, "line", "n"),
    ("SYSTem:CONFig[:VALue]", None, "value", "t"),
    ("SYSTem:CONFig:SET", "assign", None, "t"),
    ("SYSTem:CONFig:SAVE", "save", None, ""),
    ("SYSTem:CONFig:REVert", "revert", None, ""),
    ("SYSTem:CONFig:RESTore", "restore", None, ""),
    ("SYSTem:CONFig:STATe", None, "state", ""),
    ("SYSTem:KEY", "unlock", None, "k"),
    ("SYSTem:KEY:NEW", "new_key", None, "k"),
    ("SYSTem:KEY:LOCK", "lock", None, ""),
    ("SYSTem:KEY:OPEN", None, "is_open", ""),
    ("SYSTem:CLOCk", "set_clock", "clock", "s"),
)


def _kind(letter):
    if letter == "t":
        return Text(120)
    if letter == "k":
        return Text(32)
    if letter == "s":
        return Quantity("S", 0, 1, 4_000_000_000)
    return Integer(1) if letter == "n" else Optional(Integer(1), 0)


class MemoryRows:
    """The table of these commands; a row is made when it is asked for, as memory is scarce."""

    def __len__(self):
        return len(_ROWS)

    def headers(self):
        for row in _ROWS:
            yield row[0]

    def __getitem__(self, place):
        header, setter, getter, kinds = _ROWS[place]
        return (
            header,
            setter and "memory." + setter,
            getter and "memory." + getter,
        ) + tuple([_kind(letter) for letter in kinds])


class Memory:
    """The handlers: every function of memory_work under its own name.

    edit: the configuration in editing, by field name; None while nothing was changed.
    """

    def __init__(self, stimulator):
        self.stimulator = stimulator
        self.edit = None

    def __getattr__(self, name):
        if name[:1] == "_":
            raise AttributeError(name)
        return lambda *values: self._do(name, values)

    def _do(self, name, values):
        stimulator = self.stimulator
        if stimulator.why_not_write():
            state = stimulator.state_name()
            raise Refused(-221, f"not in state {state}: flash is used only with the output off")
        try:
            from firmware.remote import memory_work

            return getattr(memory_work, name)(self, stimulator.storage, *values)
        finally:
            for borrowed in _BORROWED:
                unload(borrowed)
