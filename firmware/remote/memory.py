"""Commands for what outlives a power cut: fault log, black box, configuration, clinician's key.

What does the work is imported for one command and dropped.
"""

from firmware.core.refused import Refused
from firmware.core.unload import unload
from scpi import Boolean, Optional, Quantity, ScpiError, Text, quoted

_WORK = "firmware.remote.memory_work"


class Memory:
    """The handlers of one stimulator's memory."""

    def __init__(self, stimulator):
        self._stimulator = stimulator
        self._edit = None  # the configuration in editing, by field name; None: nothing changed

    def _do(self, name, *values):
        """Run a function of memory_work; only while the output is off."""
        stimulator = self._stimulator
        try:
            why = stimulator.why_not_write()
            if why:
                raise Refused(-221, why.replace("written", "read or written"))
            from firmware.remote import memory_work

            return getattr(memory_work, name)(self, stimulator.storage, *values)
        except Refused as refusal:
            raise ScpiError(refusal.code, refusal.text)
        finally:
            unload(_WORK)
            unload("firmware.safety.config")
            unload("firmware.safety.record")

    def _call(self, name):
        return lambda *values: self._do(name, *values)

    def rows(self):
        """The command table's part."""
        storage = self._stimulator.storage
        call = self._call
        number = Quantity(None, 0, 1, None, None)
        first = Optional(Quantity(None, 0, 1, None, None), 1)
        newest = Optional(Quantity(None, 0, 0, None, None), 0)
        return [
            ("SYSTem:LOG:COUNt", None, call("count")),
            ("SYSTem:LOG[:RECord]", None, call("record"), number),
            ("SYSTem:LOG:ALL", None, call("records"), first),
            ("SYSTem:LOG:CLEar", call("clear_log"), None),
            ("SYSTem:BBOX[:COUNt]", None, call("box"), newest),
            ("SYSTem:BBOX:PULSes", None, call("box_pulses"), number, first),
            ("SYSTem:BBOX:EVENts", None, call("box_events"), number, first),
            ("SYSTem:CONFig:COUNt", None, call("lines")),
            ("SYSTem:CONFig:LINE", None, call("line"), number),
            ("SYSTem:CONFig[:VALue]", None, call("value"), Text(24)),
            ("SYSTem:CONFig:SET", call("assign"), None, Text(110)),
            ("SYSTem:CONFig:SAVE", call("save"), None),
            ("SYSTem:CONFig:REVert", call("revert"), None),
            ("SYSTem:CONFig:RESTore", call("restore"), None),
            ("SYSTem:CONFig:STATe", None, lambda: quoted(storage.trouble or "good")),
            ("SYSTem:KEY", call("unlock"), None, Text(32)),
            ("SYSTem:KEY:NEW", call("new_key"), None, Text(32)),
            ("SYSTem:KEY:OPEN", self._lock, lambda: storage.unlocked, Boolean()),
            ("SYSTem:CLOCk", storage.set_clock, storage.wall_s, Quantity("S", 0, 1, 4_294_967_295)),
        ]
