"""SCPI for MicroPython: the language of bench instruments, without I/O and without floats.

    from scpi.instrument import Instrument
    from scpi.kinds import Boolean, Quantity
    from scpi.rows import Rows

    width = Quantity("S", 9, low=20_000, high=1_000_000)     # held in nanoseconds
    commands = Rows((
        # header                            set               query
        ("[SOURce[1|2]]:PULSe:WIDTh",       device.set_width, device.width,  width),
        ("OUTPut[1|2][:STATe]",             device.switch,    device.is_on,  Boolean()),
        ("MEASure[1|2]:VOLTage",            None,             device.volts),
    ))
    instrument = Instrument("Maker,Model,0,1.0", commands)
    instrument.receive(b"sour2:puls:widt 0.4 ms; widt?")  # in pieces of any size
    instrument.receive(b"\\n")
    instrument.take_reply()                               # b"0.0004"

Where memory is scarce the same table is one text (scpi.table): a tenth of the heap.

What it keeps of the standards: program messages with the path rule, long and short forms, the
numeric suffixes and units, error numbers and queue, the status registers, the common commands.
This is no claim of complete IEEE 488.2 or SCPI-99 conformance. What differs on purpose:
- every refused unit ends its line, execution errors too; what stood before it is executed;
- *WAI waits for nothing: a line held back might hold the command that switches off;
- SYSTem:HELP:HEADers? answers one line with commas, no block, for clients that read lines;
- input has no blocks and expressions, registers have no transition filters.
"""
