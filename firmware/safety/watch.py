"""What is looked at in every turn beside the tape: inputs, supply, rest, limits; then it beats."""

import time

from firmware.core.limits import limit
from firmware.safety import faults, supervisor
from firmware.safety.states import ARMED, CHECKING, RUNNING

REST_MS = 100  # how often the current at rest and the supply are looked at
LIMITS_MS = 500  # how often the limits in memory are compared with their copies
SUPPLY_LEAST = 90  # per cent of the board's supply voltage
SUPPLY_MOST = 115
SUPPLY_SAFE_V = 20  # more than this while switched off: the supply does not fall
SUPPLY_FALL_MS = 1_000  # from off to safe; the bleeder needs less than 200 ms
NEEDED = supervisor.LOOP | supervisor.LINK | supervisor.SENSE | supervisor.LIMITS
NEEDED_TO_PLAY = NEEDED | supervisor.TAPE | supervisor.INSPECTOR


class Watch:
    """Looks after one stimulator, and has its supervisor beat while all is well.

    The methods that return a truth value tell whether all is well; if not, the fault has struck.
    """

    def __init__(self, stimulator):
        self._stimulator = stimulator
        now_ms = time.ticks_ms()
        self._rest_ms = self._limits_ms = self._supply_ms = self._off_ms = now_ms

    def switched_off(self):
        """The supply was switched off now."""
        self._off_ms = time.ticks_ms()

    def idle(self):
        """Idle: the supply must have fallen (SR-01)."""
        now_ms = time.ticks_ms()
        if time.ticks_diff(now_ms, self._rest_ms) < REST_MS:
            return
        self._rest_ms = now_ms
        stimulator = self._stimulator
        supply_v = stimulator.outputs.supply_v()
        if supply_v <= SUPPLY_SAFE_V:
            self._off_ms = now_ms
        elif time.ticks_diff(now_ms, self._off_ms) >= SUPPLY_FALL_MS:
            stimulator.fail(faults.SUPPLY, f"{supply_v} V while switched off")

    def inputs(self, inputs):
        """The inputs of this turn (hal/board_io.py), while armed, running or paused."""
        if inputs:
            trip = inputs & 1
            self._stimulator.fail(faults.TRIP if trip else faults.STOP_BUTTON)
        return not inputs

    def step(self, state):
        """Supply, rest and limits now and then; and beat if everybody has checked in."""
        stimulator = self._stimulator
        now_ms = time.ticks_ms()
        task = stimulator.supervisor
        if state != CHECKING and time.ticks_diff(now_ms, self._supply_ms) >= REST_MS:
            self._supply_ms = now_ms
            if not self._supply_holds():
                return
        if state == CHECKING:
            task.check_in(supervisor.SENSE)
        elif state != RUNNING or not stimulator.sense.running or self._waits(stimulator):
            if not self._rests(now_ms):
                return
            task.check_in(supervisor.SENSE)
        stimulator.link.watch(now_ms)
        if time.ticks_diff(now_ms, self._limits_ms) >= LIMITS_MS:
            self._limits_ms = now_ms
            if not stimulator.tape.inspector.intact():
                stimulator.fail(faults.CORRUPT)
                return
        task.check_in(supervisor.LOOP | supervisor.LINK | supervisor.LIMITS)
        needed = NEEDED_TO_PLAY if stimulator.states.state == RUNNING else NEEDED
        missing = task.step(needed, now_ms)
        if missing:
            stimulator.fail(faults.SUPERVISOR, task.names(missing))
        elif state == ARMED and stimulator.armed_for(now_ms) >= limit("arm_ms"):
            stimulator.disarm()

    def _supply_holds(self):
        """Whether the supply is within its range while it is on."""
        stimulator = self._stimulator
        supply_v = stimulator.supply_v()
        least_v = self.least_supply_v()
        most_v = stimulator.board.SUPPLY_V * SUPPLY_MOST // 100
        if least_v <= supply_v <= most_v:
            return True
        stimulator.fail(faults.SUPPLY, f"{supply_v} V, not {least_v} to {most_v} V")
        return False

    def least_supply_v(self):
        """The supply's voltage from which a session may start."""
        return self._stimulator.board.SUPPLY_V * SUPPLY_LEAST // 100

    def _waits(self, stimulator):
        """Whether a train waits with GATE up, and the current at rest may be looked at."""
        may = stimulator.triggered and stimulator.triggered.rests()
        if may == 2:
            self._rest_ms = time.ticks_add(self._rest_ms, -REST_MS)  # at once
        return may

    def _rests(self, now_ms):
        """Armed, paused, or a train waits: whether the current at rest is none."""
        if time.ticks_diff(now_ms, self._rest_ms) >= REST_MS:
            self._rest_ms = now_ms
            stimulator = self._stimulator
            number = stimulator.monitor.rest()
            if number:
                stimulator.fail_measured(number)
                return False
        return True
