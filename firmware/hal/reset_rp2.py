"""What this boot came from, and a few bits that only a loss of power clears (RP2040).

Scratch registers of the watchdog survive its reset and a soft reset; the RUN pin and power-up
clear them (RP2040 datasheet 4.7.3). Register 0 is the watchdog's own (hal/watchdog_rp2.py), the
SDK uses 4 to 7; this takes 1 and 2.
"""

import time

import machine

POWER_UP, RUN_PIN, WATCHDOG, RESTART, SOFT = 1, 2, 3, 4, 5

_REASON = 0x40058008  # bit 0: the watchdog's timer, bit 1: machine.reset
_MARK = 0x40058010  # scratch 1
_KEPT = 0x40058014  # scratch 2: bits 0..7 fault number, 8..15 wrong keys
_CHIP_RESET = 0x40064008  # bit 8: power-on or brown-out, bit 16: RUN pin (2.12.8)
_ALIVE = 0x2E0BA5E
_SOFT_MS = 3_000  # a hard reset starts the clock; nothing but a soft reset boots so late


class Reset:
    """cause: one of the above. `latched` and `wrong_keys` hold until the power is cut."""

    def __init__(self):
        mem32 = machine.mem32
        if mem32[_MARK] != _ALIVE:
            had = mem32[_CHIP_RESET]
            self.cause = RUN_PIN if had & 0x10000 and not had & 0x100 else POWER_UP
            mem32[_KEPT] = 0
            mem32[_MARK] = _ALIVE
        elif mem32[_REASON] & 3 and time.ticks_ms() < _SOFT_MS:  # type: ignore[operator]
            self.cause = WATCHDOG if mem32[_REASON] & 1 else RESTART
        else:
            self.cause = SOFT

    def latched(self):
        """The critical fault since power-up, or 0."""
        return machine.mem32[_KEPT] & 255

    def latch(self, number):
        machine.mem32[_KEPT] = machine.mem32[_KEPT] & 0xFF00 | number

    def wrong_keys(self):
        """Wrong clinician keys in a row since power-up."""
        return machine.mem32[_KEPT] >> 8 & 255

    def count_wrong_keys(self, count):
        machine.mem32[_KEPT] = machine.mem32[_KEPT] & 0xFF | count << 8
