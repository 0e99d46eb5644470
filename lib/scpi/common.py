"""The commands every instrument has: IEEE 488.2 common commands, SYSTem and STATus of SCPI-99."""

from .parameters import Boolean, Integer

VERSION = "1999.0"


def standard_commands(instrument):
    """Their rows, to stand in one table with the device's own."""
    status = instrument.status
    operation = status.operation
    questionable = status.questionable
    byte = Integer(0, 255)
    mask = Integer(0, 65535)
    return (
        ("*CLS", instrument.clear_status, None),
        ("*ESE", status.set_event_enable, lambda: status.event_enable, byte),
        ("*ESR", None, status.take_event),
        ("*IDN", None, instrument.identify),
        ("*OPC", instrument.note_completion, instrument.wait_completion),
        ("*RST", instrument.reset, None),
        ("*SRE", status.set_request_enable, lambda: status.request_enable, byte),
        ("*STB", None, instrument.status_byte),
        ("*TST", None, instrument.self_test),
        # Nothing is overlapped: a held line would also hold the command that switches off.
        ("*WAI", _nothing, None),
        ("SYSTem:ERRor[:NEXT]", None, instrument.errors.pop),
        ("SYSTem:ERRor:COUNt", None, lambda: len(instrument.errors)),
        ("SYSTem:HELP:HEADers", None, instrument.headers),
        ("SYSTem:PROMpt", instrument.set_prompt, lambda: instrument.prompt, Boolean()),
        ("SYSTem:VERSion", None, lambda: VERSION),
        ("STATus:OPERation[:EVENt]", None, operation.take_event),
        ("STATus:OPERation:CONDition", None, lambda: operation.condition),
        ("STATus:OPERation:ENABle", operation.set_enable, lambda: operation.enable, mask),
        ("STATus:QUEStionable[:EVENt]", None, questionable.take_event),
        ("STATus:QUEStionable:CONDition", None, lambda: questionable.condition),
        ("STATus:QUEStionable:ENABle", questionable.set_enable, lambda: questionable.enable, mask),
        ("STATus:PRESet", status.preset, None),
    )


def _nothing():
    pass
