"""From bytes to lines, without allocating: a garbage collection is 20 ms of not listening."""

# What `feed` stopped at. OVERRUN and INVALID are the SCPI errors they stand for.
NOTHING = 0
LINE = 1
IMMEDIATE = 2
INVALID = -101
OVERRUN = -363

_PLAIN = 0
_END = 1
_INVALID = 2
_IMMEDIATE = 3
_SKIPPED = 3  # in place of an error: the line died by an immediate byte, which is no error


class LineAssembler:
    """Collects the characters of one line, up to `size` bytes; CR, LF or CRLF end it.

    A line with a byte that isn't printable ASCII or a tab, or with too many bytes, is dropped
    to its end and then reported as one error. Empty lines are nothing. A byte of `immediate` is
    reported at once, in any state, even inside a string; the line it stands in is dropped whole,
    also what follows in it, so that the tail of a line never runs as a command.
    """

    def __init__(self, size=256, immediate=b""):
        self.event = NOTHING
        self.byte = 0  # the immediate byte, or the first invalid one of the line
        self.length = 0
        self.buffer = bytearray(size)
        self._view = memoryview(self.buffer)
        self._filled = 0
        self._bad = 0
        self._culprit = 0
        kinds = bytearray(256)
        for byte in range(256):
            if byte < 32 or byte > 126:
                kinds[byte] = _INVALID
        kinds[9] = _PLAIN
        kinds[10] = kinds[13] = _END
        for byte in immediate:
            kinds[byte] = _IMMEDIATE
        self._kinds = kinds

    def feed(self, data, start, end):
        """Take bytes from data[start:end] up to the next event or the end; returns where it is.

        `event` tells what was met: NOTHING (the end), LINE (its `length` bytes stand in `buffer`
        until the next feed), IMMEDIATE, INVALID or OVERRUN.
        """
        kinds = self._kinds
        buffer = self.buffer
        size = len(buffer)
        filled = self._filled
        self.event = NOTHING
        while start < end:
            byte = data[start]
            start += 1
            kind = kinds[byte]
            if kind == _PLAIN:
                if filled < size:
                    buffer[filled] = byte
                    filled += 1
                elif not self._bad:
                    self._bad = OVERRUN
            elif kind == _END:
                if self._bad:
                    if self._bad != _SKIPPED:
                        self.event = self._bad
                        self.byte = self._culprit
                    self._bad = 0
                elif filled:
                    self.length = filled
                    self.event = LINE
                filled = 0
                if self.event:
                    break
            elif kind == _IMMEDIATE:
                if filled:
                    self._bad = self._bad or _SKIPPED
                    filled = size
                self.byte = byte
                self.event = IMMEDIATE
                break
            else:
                if not self._bad:
                    self._bad = INVALID
                    self._culprit = byte
                filled = size
        self._filled = filled
        return start

    def line(self):
        """The line that `event` LINE reported, as bytes of its own."""
        return bytes(self._view[: self.length])

    def clear(self):
        """Forget what has come in of the line so far."""
        self._filled = 0
        self._bad = 0
