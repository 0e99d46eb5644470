"""What a person has to have done before the output may be armed (SR-05), and the hash to echo."""

from binascii import crc32

from firmware.core.refused import Refused
from firmware.core.settings import CHANNEL, SESSION

CHECKLIST = "D1"  # the contraindications that were shown; the texts are the host's


class Approval:
    """Stop button tried, checklist acknowledged, pad areas entered: all since power-up."""

    def __init__(self, board, stimulator):
        self._board = board
        self._stimulator = stimulator
        self._was_pressed = False
        self._tried = False
        self._acknowledged = False
        self._pads = [False, False]

    def look(self):
        """Once a turn of the loop: a press and a release show that the button works."""
        if self._tried:
            return
        if self._stimulator.outputs.stop_pressed():
            self._was_pressed = True
        elif self._was_pressed:
            self._tried = True

    def tried(self):
        """Whether the stop button was pressed and released since power-up."""
        return self._tried

    def checklist(self):
        """The checklist's number, and whether this session's is acknowledged."""
        return CHECKLIST

    def acknowledge(self, number):
        """The person has gone through the checklist of that number."""
        if number != CHECKLIST:
            raise Refused(-224, f"checklist {number} is not the one in force, {CHECKLIST}")
        self._acknowledged = True

    def entered(self, channel, values):
        """Settings were put on a channel (0 or 1)."""
        if "pad_mm2" in values:
            self._pads[channel] = True

    def forget(self):
        """*RST: pad areas have to be entered anew."""
        self._pads[0] = self._pads[1] = False

    def used(self):
        """A session has run: the next one needs its own acknowledgement."""
        self._acknowledged = False

    def check(self):
        """Refused (-221) names the first thing that is missing."""
        if self._stimulator.outputs.stop_pressed():
            raise Refused(-221, "stop button pressed or not connected")
        if not self._tried:
            raise Refused(-221, "stop button not tried; press and release it once")
        if not self._acknowledged:
            raise Refused(-221, f"checklist not acknowledged; CHECklist:ACKN \"{CHECKLIST}\"")
        for channel in (0, 1):
            if self._stimulator.channels[channel].enabled and not self._pads[channel]:
                raise Refused(-221, f"pad area of channel {channel + 1} not entered; PAD:AREA")

    def hash(self):
        """CRC-32, as eight hex digits, of exactly what would run.

        Over the text "board;1:name=value;...2:name=value;...s:name=value;..." in the order of
        the tables in core/settings.py, values as they are stored.
        """
        crc = crc32(self._board.NAME.encode() + b";")
        s = self._stimulator
        for mark, fields, values in (
            ("1", CHANNEL, s.channels[0]),
            ("2", CHANNEL, s.channels[1]),
            ("s", SESSION, s.session),
        ):
            for name in fields.names():
                crc = crc32(f"{mark}:{name}={getattr(values, name)};".encode(), crc)
        return f"{crc:08X}"
