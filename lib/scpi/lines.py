"""From bytes to lines, without allocating: a garbage collection is 20 ms of not listening."""

# What `feed` stopped at. OVERRUN and INVALID are the SCPI errors they stand for.
NOTHING = 0
LINE = 1
IMMEDIATE = 2
INVALID = -101
OVERRUN = -363

_SKIPPED = 3  # in place of an error: the line died by an immediate byte, which is no error


def ptr8(memory):
    """To viper a pointer; elsewhere the array itself."""
    return memory


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
        self._immediate = immediate + b"\0"  # its end, to viper

    def feed(self, data, start, end):
        """Take bytes from data[start:end] up to the next event or the end; returns where it is.

        `event` tells what was met: NOTHING (the end), LINE (its `length` bytes stand in `buffer`
        until the next feed), IMMEDIATE, INVALID or OVERRUN.
        """
        buffer = self.buffer
        size = len(buffer)
        filled = self._filled
        self.event = NOTHING
        while start < end:
            plain = _plain(data, start, end, self._immediate)
            if plain > start:
                count = plain - start
                if count > size - filled:
                    count = size - filled
                    self._bad = self._bad or OVERRUN
                _copy(data, start, count, buffer, filled)
                filled += count
                start = plain
                continue
            byte = data[start]
            start += 1
            if byte == 10 or byte == 13:
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
            elif byte and byte in self._immediate:
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


# viper
def _plain(data, at: int, end: int, immediate) -> int:
    """Where the printable bytes and tabs from `at` on end; those of `immediate` (up to its 0)
    are none.
    """
    source = ptr8(data)
    marks = ptr8(immediate)
    while at < end:
        byte = int(source[at])
        if byte < 32 and byte != 9 or byte > 126:
            return at
        mark = 0
        while int(marks[mark]) != 0:
            if int(marks[mark]) == byte:
                return at
            mark += 1
        at += 1
    return at


# viper
def _copy(data, at: int, count: int, buffer, place: int):
    source = ptr8(data)
    target = ptr8(buffer)
    while count > 0:
        count -= 1
        target[place + count] = int(source[at + count])
