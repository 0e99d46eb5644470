"""What a person has done since power-up that arming asks for (SR-05).

How it is asked for, and the hash to echo, stand in approving.py, which is imported for it.
"""

from firmware.core.unload import borrow

CHECKLIST = "D1"  # the contraindications that were shown; the texts are the host's
_ASKED = "firmware.safety.approving"


class Approval:
    """Stop button tried, checklist acknowledged, pad areas entered.

    acknowledged: this session's checklist. pads: whether each channel's pad area was entered.
    """

    def __init__(self, board, stimulator):
        self._board = board
        self._stimulator = stimulator
        self._was_pressed = False
        self._tried = False
        self.acknowledged = False
        self.pads = [False, False]

    def look(self, pressed):
        """Once a turn of the loop: a press and a release show that the button works."""
        if pressed:
            self._was_pressed = True
        elif self._was_pressed:
            self._tried = True

    def tried(self):
        """Whether the stop button was pressed and released since power-up."""
        return self._tried

    def checklist(self):
        """The number of the checklist in force."""
        return CHECKLIST

    def acknowledge(self, number):
        """The person has gone through the checklist of that number; Refused (-224) for another."""
        borrow(_ASKED, "acknowledge", self, number)

    def entered(self, channel, values):
        """Settings were put on a channel (0 or 1)."""
        if "pad_mm2" in values:
            self.pads[channel] = True

    def forget(self):
        """*RST: pad areas have to be entered anew."""
        self.pads[0] = self.pads[1] = False

    def used(self):
        """A session has run: the next one needs its own acknowledgement."""
        self.acknowledged = False

    def check(self):
        """Refused (-221) names the first thing that is missing."""
        borrow(_ASKED, "check", self, self._stimulator)

    def hash(self):
        """CRC-32, as eight hex digits, of exactly what would run."""
        return borrow(_ASKED, "settings_hash", self._board, self._stimulator)
