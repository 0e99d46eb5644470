"""Commands for what outlives a power cut: fault log, black box, configuration, clinician's key.

What does the work (memory_work.py) is imported for one command and dropped.
"""

from firmware.core.refused import Refused
from scpi import Integer, Optional, Quantity, Text

# What is imported, in this order, so that no import has to wait for another: the stack is short.
_BORROWED = (
    "firmware.safety.config",
    "firmware.safety.record",
    "firmware.safety.boxtext",
    "firmware.remote.memory_work",
)
# Header, set handler or -, query handler or -, parameters: n a number, f one that may be left
# out, t a text, k a key, s seconds. One string takes less memory than its parts.
_ROWS = """\
SYSTem:LOG:COUNt - count
SYSTem:LOG[:RECord] - one_record n
SYSTem:LOG:ALL - records f
SYSTem:LOG:CLEar clear_log -
SYSTem:BBOX[:COUNt] - box f
SYSTem:BBOX:PULSes - box_pulses nf
SYSTem:BBOX:EVENts - box_events nf
SYSTem:CONFig:COUNt - line_count
SYSTem:CONFig:LINE - line n
SYSTem:CONFig[:VALue] - value t
SYSTem:CONFig:SET assign - t
SYSTem:CONFig:SAVE save -
SYSTem:CONFig:REVert revert -
SYSTem:CONFig:RESTore restore -
SYSTem:CONFig:STATe - state
SYSTem:KEY unlock - k
SYSTem:KEY:NEW new_key - k
SYSTem:KEY:LOCK lock -
SYSTem:KEY:OPEN - is_open
SYSTem:CLOCk set_clock clock s"""


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
        return _ROWS.count("\n") + 1

    def headers(self):
        for row in _ROWS.split("\n"):
            yield row.split(" ")[0]

    def __getitem__(self, place):
        parts = _ROWS.split("\n")[place].split(" ")
        kinds = [_kind(letter) for letter in parts[3]] if len(parts) > 3 else []
        return (parts[0], _handler(parts[1]), _handler(parts[2])) + tuple(kinds)


def _handler(name):
    return None if name == "-" else "memory." + name


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
        stimulator = self.stimulator
        if stimulator.why_not_write():
            state = stimulator.state_name()
            raise Refused(-221, f"not in state {state}: flash is used only with the output off")
        module = None
        for borrowed in _BORROWED:
            module = __import__(borrowed, None, None, ("__name__",))
        stimulator.storage.borrowed = _BORROWED
        call = getattr(module, name)
        return lambda *values: call(self, stimulator.storage, *values)
