"""The host's sign of life: who started a session from a host must stay within its reach (SR-31).

Any line that makes sense is one. A silent host costs the session first its intensity, then the
session; a new one starts from zero (SR-25). A standalone session needs no host. Whether the USB
cable is plugged in or the port open can't be told by a program on this port of MicroPython in a
way to rely on, so only what is said counts.
"""

import time

from firmware.safety import faults
from firmware.safety.states import ARMED, PAUSED, RUNNING

_LEAST_MS = 500  # no configuration makes it shorter


class Link:
    """When the host was heard last, and what its silence leads to."""

    def __init__(self, stimulator):
        self._stimulator = stimulator
        self._heard_ms = time.ticks_ms()

    def heard(self):
        """A line came in that makes sense."""
        self._heard_ms = time.ticks_ms()

    def spoilt(self):
        """Too many damaged lines in a row (SR-42): a fault, if there is output to lose."""
        stimulator = self._stimulator
        if stimulator.state in (ARMED, RUNNING, PAUSED):
            stimulator.fail(faults.LINK)

    def watch(self, now_ms):
        """Once a turn while armed, running or paused."""
        silent_ms = time.ticks_diff(now_ms, self._heard_ms)
        if silent_ms <= _LEAST_MS:
            return
        stimulator = self._stimulator
        if stimulator.state not in (ARMED, RUNNING, PAUSED):
            return
        if stimulator.session.standalone:
            self._heard_ms = now_ms  # so that the difference never wraps
            return
        value = stimulator.storage.value
        if silent_ms > value("link_end_ms"):
            stimulator.stop()
            stimulator.warn(faults.LINK_ENDED)
        elif silent_ms > value("link_fade_ms") and stimulator.state == RUNNING:
            if stimulator.state_name() == "FADING":
                return
            stimulator.pause()
            stimulator.warn(faults.LINK_PAUSED)
