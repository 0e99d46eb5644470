"""The chip's watchdog on RP2040 and RP2350, armed with the output and stopped with it.

`machine.WDT` can't be stopped; a stopped output must leave the REPL usable, so ENABLE is cleared
by its register (RP2040 datasheet 4.7.6). Scratch register 0 survives the watchdog's reset and
tells the next boot that the output was armed; the SDK uses 4 to 7.
"""

import sys

import machine

TIMEOUT_MS = 500  # SR-28 allows 1 s
_BASE = 0x400D8000 if "RP2350" in getattr(sys.implementation, "_machine", "") else 0x40058000
_CTRL_CLEAR = _BASE + 0x3000
_ENABLE = 1 << 30
_SCRATCH0 = _BASE + 0x0C
_ARMED = 0x0A12ED  # any value that power-up does not leave


class Watchdog:
    """bit: the last reset was the watchdog's, with the output armed."""

    def __init__(self):
        self.bit = (
            machine.reset_cause() == machine.WDT_RESET and machine.mem32[_SCRATCH0] == _ARMED
        )
        self._timer = None
        self.stop()

    def start(self):
        """From now on it wants to be fed."""
        machine.mem32[_SCRATCH0] = _ARMED
        self._timer = machine.WDT(timeout=TIMEOUT_MS)

    def feed(self):
        if self._timer is not None:
            self._timer.feed()

    def stop(self):
        """The output is off: no more feeding needed."""
        machine.mem32[_CTRL_CLEAR] = _ENABLE
        machine.mem32[_SCRATCH0] = 0
        self._timer = None
