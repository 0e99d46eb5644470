"""Stand-ins for MicroPython's modules, as strict as MicroPython 1.28 on the rp2 port.

Each file has `build(board context) -> module`; every boot gets fresh ones. What the port refuses
is refused with the same type of exception, and a name the port does not have is not there.
"""
