"""The session in play: its tape kept full and watched, its time, its end."""

import time

from firmware.core.feeder import STARVED
from firmware.core.limits import limit
from firmware.core.unload import borrow
from firmware.safety import faults, supervisor
from firmware.safety.states import PAUSED, RUNNING

STUCK_MS = 20  # the tape is late by this much: it does not move


class Play:
    """Of one stimulator. then: what follows the fade under way, "end" or "pause", or None.

    elapsed_before_ms: of the session's time what was played before the last start or resume.
    """

    def __init__(self, stimulator):
        self._stimulator = stimulator
        self.then = None
        self.elapsed_before_ms = 0
        self._started_ms = time.ticks_ms()
        self._inspected = 0  # the tape's count when it was last looked at

    def began(self, reason, event):
        """The tape was begun: `reason` if it was refused. event: "start" or "resume"."""
        self.then = None
        if reason:
            self._refused(reason)
            return
        self._stimulator.states.take(event)
        self._started_ms = time.ticks_ms()

    def fade(self, then):
        """Go to zero, and then "end" the session or "pause" it."""
        stimulator = self._stimulator
        if stimulator.triggered:
            stimulator.triggered.still()
        self.then = then
        stimulator.tape.fade(limit("fade_ms"))

    def over(self):
        """The tape plays no more: its time counts, nothing follows."""
        stimulator = self._stimulator
        if stimulator.state == RUNNING:
            self.elapsed_before_ms = self.elapsed_ms()
        if stimulator.tape:
            stimulator.tape.running = False
        self.then = None

    def step(self):
        """One turn: fill and watch the tape; False when the session has ended by it."""
        stimulator = self._stimulator
        if stimulator.player.tripped:
            stimulator.fail(faults.TRIP)
            return False
        task = stimulator.supervisor
        if stimulator.player.halted:  # by a stop byte whose turn is to come: the legs are low
            task.check_in(supervisor.TAPE | supervisor.SENSE | supervisor.INSPECTOR)
            return True
        tape = stimulator.tape
        reason = stimulator.triggered.step() if stimulator.triggered else 0
        reason = reason or tape.fill()
        if reason:
            self._refused(reason)
            return False
        if stimulator.sense.running and self._measured(stimulator.monitor.step()):
            return False
        task.check_in(supervisor.TAPE | supervisor.SENSE)
        if tape.inspected != self._inspected or tape.ended or not tape.running:
            self._inspected = tape.inspected
            task.check_in(supervisor.INSPECTOR)
        if tape.ended:
            self._watch_end()
        return stimulator.state in (RUNNING, PAUSED)

    def _refused(self, reason):
        """The tape ran out, or the inspector has refused it."""
        stimulator = self._stimulator
        if reason == STARVED:
            stimulator.fail(faults.STARVED)
            return
        stimulator.player.kill()  # first of all; what it means takes a moment to find
        try:
            text = borrow("firmware.core.inspector_reasons", "why_refused", reason)
        except MemoryError:
            text = f"reason {reason}"
        stimulator.fail(faults.INSPECTOR, text)

    def _measured(self, number):
        """Act on what the monitor found; whether the output is off now."""
        stimulator = self._stimulator
        monitor = stimulator.monitor
        if monitor.warning:
            stimulator.warn(monitor.warning, monitor.channel + 1)
            monitor.warning = 0
        if not number:
            return False
        if number in faults.PAUSING:
            stimulator.hold(number, monitor.channel + 1)
        else:
            stimulator.fail_measured(number)
        return True

    def _watch_end(self):
        """The last block is queued: wait until it was played."""
        stimulator = self._stimulator
        if stimulator.tape.finished():
            if stimulator.sense.running and not stimulator.monitor.complete():
                stimulator.fail(faults.LOST_PULSE)
            elif self.then == "pause":
                stimulator.hold()
            else:
                stimulator.off()
                stimulator.states.take("end")
        elif stimulator.player.queued_turns() < -STUCK_MS * stimulator.timing.grid.turns_per_ms:
            stimulator.fail(faults.STUCK)

    def elapsed_ms(self):
        """Session time played, without pauses."""
        if self._stimulator.state == RUNNING:
            return self.elapsed_before_ms + time.ticks_diff(time.ticks_ms(), self._started_ms)
        return self.elapsed_before_ms
