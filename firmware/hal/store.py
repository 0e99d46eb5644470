"""Non-volatile memory as the safety part sees it; what does the work is imported for it."""

from firmware.hal.reset_rp2 import Reset

# What is imported, in this order, so that no import has to wait for another: the stack is short.
_BORROWED = (
    "firmware.hal.files",
    "firmware.hal.log",
    "firmware.hal.copies",
    "firmware.hal.store_work",
)


class Store:
    """The log, the black boxes, texts in two copies, and the count of boots.

    Its other methods are the functions of hal/store_work.py, with the store as their first
    argument. Those that write raise Refused: -221 not now, -320 flash full or failing.
    """

    def __init__(self):
        self.reset = Reset()
        self.first = False  # nothing was ever stored on this board
        self.boots = 0  # since the board's first, this one included
        self.power_boot = 0  # the boot that was the last power-up

    def __getattr__(self, name):
        if name[:1] == "_":
            raise AttributeError(name)
        module = None
        for borrowed in _BORROWED:
            module = __import__(borrowed, None, None, ("__name__",))
        call = getattr(module, name)
        return lambda *values: call(self, *values)
