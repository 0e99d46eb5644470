"""What can go wrong in the virtual board, apart from the firmware's own exceptions."""

from __future__ import annotations

import errno


class SimulationError(Exception):
    """The firmware did what no simulation can go on from; it surfaces in the test, not in it."""


class HardFault(SimulationError):
    """An access that locks a real RP2040 up: an address where nothing answers."""


class UseAfterFree(SimulationError):
    """DMA or mem32 reached memory whose Python object no longer exists."""


class WildAccess(SimulationError):
    """DMA or mem32 reached SRAM that belongs to no buffer the firmware took the address of."""


class NotModelled(SimulationError):
    """The real chip or port can do this, the virtual one can't."""


class FirmwareCrash(Exception):
    """The firmware ended in, or an interrupt handler of it raised, an uncaught exception.

    `__cause__` is that exception, with its traceback into the firmware's files.
    """


class ChipReset(BaseException):
    """Unwinds the firmware when its chip is reset; no firmware code can stop it for long."""


def os_error(code: int) -> OSError:
    """An OSError of the firmware's, whose `errno` and only argument is `code`, as on the port."""
    error = OSError(code)
    error.errno = code
    error.strerror = errno.errorcode.get(code)
    return error
