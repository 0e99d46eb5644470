"""The commands every instrument has: IEEE 488.2 common commands, SYSTem and STATus of SCPI-99."""

from .parameters import Boolean, Integer

_BYTE = Integer(0, 255)
_MASK = Integer(0, 65535)

# The names are looked up below the instrument (scpi.tree). Nothing is overlapped, so that *WAI has
# nothing to do: a held line would also hold the command that switches off.
STANDARD_COMMANDS = (
    ("*CLS", "clear_status", None),
    ("*ESE", "status.set_event_enable", "status.event_enable", _BYTE),
    ("*ESR", None, "status.take_event"),
    ("*IDN", None, "identify"),
    ("*OPC", "note_completion", "wait_completion"),
    ("*RST", "reset", None),
    ("*SRE", "status.set_request_enable", "status.request_enable", _BYTE),
    ("*STB", None, "status_byte"),
    ("*TST", None, "self_test"),
    ("*WAI", "wait", None),
    ("SYSTem:ERRor[:NEXT]", None, "errors.pop"),
    ("SYSTem:ERRor:COUNt", None, "errors.count"),
    ("SYSTem:HELP:HEADers", None, "headers"),
    ("SYSTem:PROMpt", "set_prompt", "prompt", Boolean()),
    ("SYSTem:VERSion", None, "SCPI_VERSION"),
    ("STATus:OPERation[:EVENt]", None, "status.operation.take_event"),
    ("STATus:OPERation:CONDition", None, "status.operation.condition"),
    (
        "STATus:OPERation:ENABle",
        "status.operation.set_enable",
        "status.operation.enable",
        _MASK,
    ),
    ("STATus:QUEStionable[:EVENt]", None, "status.questionable.take_event"),
    ("STATus:QUEStionable:CONDition", None, "status.questionable.condition"),
    (
        "STATus:QUEStionable:ENABle",
        "status.questionable.set_enable",
        "status.questionable.enable",
        _MASK,
    ),
    ("STATus:PRESet", "status.preset", None),
)

# Of an instrument that offers checked mode (scpi.checked).
CHECKED_COMMANDS = (
    ("SYSTem:CHECked", "checked.switch", "checked.on", Boolean()),
    ("SYSTem:LINK", None, "checked.counts"),
)
