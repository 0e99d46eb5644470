"""Checked mode: every line with a number and a checksum, both ways, for links that lose bytes.

    host      #17 SOUR1:PULS:WIDT? *C99D
    device    #17 OK 0.0003 *F4CE

A line is framed as `#number text *checksum`; the text may be missing (a sign of life). The
checksum is CRC-16 (polynomial 0x1021, begun with 0xFFFF, "CCITT-FALSE"; Python's
binascii.crc_hqx(data, 0xFFFF)) in four hexadecimal digits, over everything before ` *`. The end
of the line ends the frame, so that the next one is found after any damage.

Number 0 begins a conversation and is never taken for a repeat: say under it only what may be
said twice. Then come 1 to 9999, and 1 again. A frame sent again under its number, because no
reply came, is answered by the same reply and not executed again.

Replies: `OK answers`; `ERR -222,"text" answers` when a unit was refused (answers: those of the
units before it); `BUSY` while *OPC? waits; `NAK reason` when nothing was executed. A NAK to a
frame that can't be read has `?` for a number: send the frame again.
"""

from .errors import told

FRAME = 35  # "#", with which no SCPI line begins
LAST = 9999

_TABLE = (
    0x0000, 0x1021, 0x2042, 0x3063, 0x4084, 0x50A5, 0x60C6, 0x70E7,
    0x8108, 0x9129, 0xA14A, 0xB16B, 0xC18C, 0xD1AD, 0xE1CE, 0xF1EF,
)  # fmt: skip


def crc16(data, count):
    """The checksum of the first `count` bytes."""
    table = _TABLE
    crc = 0xFFFF
    for at in range(count):
        byte = data[at]
        crc = (crc << 4 & 0xFFFF) ^ table[(crc >> 12) ^ (byte >> 4)]
        crc = (crc << 4 & 0xFFFF) ^ table[(crc >> 12) ^ (byte & 15)]
    return crc


def framed(number, text):
    """A frame as str; `number` may be "?" in a NAK."""
    body = "#" + str(number) + (" " + text if text else "")
    return "{} *{:04X}".format(body, crc16(body.encode(), len(body)))


class Checked:
    """The device's end of checked mode: which lines count, and what the host is told.

    `on`: a line that isn't a sound frame is refused. While it is off, frames are understood as
    well, and plain lines too. After `most_bad` bad lines in a row on_fault() is called.
    """

    def __init__(self, most_bad=5, on_fault=None):
        self.on = False
        self.frames = 0  # sound ones
        self.repeats = 0
        self.missing = 0  # numbers skipped: frames that got lost without a trace
        self.bad = 0
        self.gap = 0  # numbers skipped just before the frame opened last
        self.reply = ""  # what to answer when `open` gives nothing to execute
        self._most_bad = most_bad
        self._on_fault = on_fault
        self._bad_in_a_row = 0
        self._number = -1  # of the last frame executed; -1 before any
        self._crc = 0
        self._answer = ""  # the reply to it

    def open(self, line):
        """The text (bytes) to execute of a frame, or None; `reply` is then what to say."""
        line = line.strip()
        end = len(line) - 6
        if line[0] != FRAME:
            return self.refuse("checked mode is on; it ends by " + framed(0, "SYST:CHEC OFF"))
        crc = _hexadecimal(line[end + 2 :])
        if end < 2 or line[end : end + 2] != b" *" or crc < 0:
            return self.refuse("no checksum")
        if crc != crc16(line, end):
            return self.refuse("checksum")
        space = line.find(b" ")
        number = _decimal(line[1:space])
        if number < 0:
            return self.refuse("number " + told("printable", line[1:space]))
        self._bad_in_a_row = 0
        self.frames += 1
        return self._in_turn(number, crc, line[space:end].strip())

    def _in_turn(self, number, crc, text):
        """The text if it is its turn."""
        self.gap = 0
        if number:
            if self._number < 0:
                return self._not_now(number, "a conversation begins with #0")
            if number == self._number:
                if crc != self._crc:
                    return self._not_now(number, "number used already")
                self.repeats += 1
                self.reply = self._answer or framed(number, "BUSY")
                return None
            skipped = (number - self._number - 1) % LAST if self._number else number - 1
            if skipped > LAST // 2:
                return self._not_now(number, "old number")
            self.gap = skipped
            self.missing += skipped
        self._number = number
        self._crc = crc
        self._answer = ""
        return text

    def close(self, answers, error=""):
        """The reply to the frame opened last (answers: bytes), kept for its repeats."""
        text = "ERR " + error if error else "OK"
        self._answer = framed(self._number, text + " " + answers.decode() if answers else text)
        return self._answer

    def refuse(self, reason):
        """Count a bad line; `reply` tells why. Always None."""
        self.bad += 1
        self._not_now("?", reason)
        if self.on:
            self._bad_in_a_row += 1
            if self._bad_in_a_row >= self._most_bad:
                self._bad_in_a_row = 0
                if self._on_fault:
                    self._on_fault()

    def _not_now(self, number, reason):
        self.reply = framed(number, "NAK " + reason)

    def switch(self, on):
        self.on = on
        self._bad_in_a_row = 0

    def counts(self):
        """(sound frames, repeats, missing, bad) since power-up."""
        return self.frames, self.repeats, self.missing, self.bad


def _hexadecimal(digits):
    """Four digits as a number; -1 if they are none."""
    value = 0
    for byte in digits:
        digit = byte - 48 if 48 <= byte <= 57 else (byte & 0xDF) - 55
        if digit < 0 or digit > 15 or (byte > 57 and digit < 10):
            return -1
        value = value << 4 | digit
    return value if len(digits) == 4 else -1


def _decimal(digits):
    """One to four digits as a number; -1 if they are none."""
    value = 0
    for byte in digits:
        if not 48 <= byte <= 57:
            return -1
        value = value * 10 + byte - 48
    return value if 0 < len(digits) < 5 else -1
