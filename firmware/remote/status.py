"""What the stimulator's state says in the SCPI status registers and in the error queue."""

from firmware.safety.states import ARMED, CHECKING, FAULT, PAUSED, RUNNING, SELFTEST

# STATus:OPERation (SCPI-99 volume 2, 9.3: bit 4 measuring is taken for stimulating).
OPERATION = {
    SELFTEST: 1,  # bit 0, calibrating
    CHECKING: 1,
    RUNNING: 16,  # bit 4
    ARMED: 64,  # bit 6, waiting for ARM's start
    PAUSED: 256,  # bit 8, the first that a device may use as it likes
}
QUESTIONABLE_FAULT = 512  # bit 9, device-defined: a fault is latched


class StatusReporter:
    """Tells the instrument when the stimulator's state has changed."""

    def __init__(self, stimulator, instrument):
        self._stimulator = stimulator
        self._instrument = instrument
        self._state = None

    def update(self):
        """Once a turn of the loop; a new fault also enters the error queue, under its number."""
        stimulator = self._stimulator
        if stimulator.notice:
            self._instrument.error(stimulator.notice, stimulator.notice_text)
            stimulator.notice = 0
            stimulator.notice_text = ""
        if stimulator.refusal:
            self._instrument.error(-221, stimulator.refusal)
            stimulator.refusal = ""
        state = stimulator.state
        if state == self._state:
            return
        self._state = state
        status = self._instrument.status
        status.operation.update(OPERATION.get(state, 0))
        status.questionable.update(QUESTIONABLE_FAULT if state == FAULT else 0)
        if state == FAULT:
            fault = stimulator.fault
            self._instrument.error(fault.number, fault.detail)
