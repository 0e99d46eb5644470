"""SCPI-99 errors (volume 2, chapter 21.8) and the queue that SYSTem:ERRor? reads."""

import sys

LONGEST_DETAIL = 160  # SCPI-99 allows 255 characters for message and detail together


class ScpiError(Exception):
    """A refusal: `code` as the standard or the device numbers it, `detail` for the reader."""

    def __init__(self, code, detail=""):
        super().__init__(code, detail)
        self.code = code
        self.detail = detail


def quoted(text):
    """IEEE 488.2 string response: `"` around, and every `"` inside doubled."""
    return '"' + text.replace('"', '""') + '"'


def printable(data, longest=40):
    """Bytes as a person may read them in an error message, cut after `longest`."""
    text = "".join([chr(byte) if 32 <= byte < 127 else "?" for byte in data[:longest]])
    return text + "..." if len(data) > longest else text


def event_bit(code):
    """The bit of the standard event status register that an error of this number sets."""
    if code > 0:
        return 8
    return (0, 32, 16, 8, 4, 128, 64, 2, 1)[min(-code // 100, 8)]


def message(code):
    """The standard's words for an error, or None; they are not kept, as memory is scarce."""
    from .messages import MESSAGES

    found = MESSAGES.get(code)
    package = __name__.rpartition(".")[0]
    del sys.modules[package + ".messages"]
    if hasattr(sys.modules[package], "messages"):
        delattr(sys.modules[package], "messages")
    return found


class ErrorQueue:
    """First in, first out; when full, its last entry becomes -350 and newer ones are lost."""

    def __init__(self, size=16, messages=None):
        self._texts = [None] * size
        self._first = 0
        self.count = 0
        self._messages = messages or {}

    def __len__(self):
        return self.count

    def text(self, code, detail=""):
        """An error as the queue answers it: `-113,"Undefined header;FOO"`."""
        if not code:
            return '0,"No error"'
        text = message(code) or self._messages.get(code) or message(-300)
        if detail:
            text = text + ";" + detail[:LONGEST_DETAIL]
        return str(code) + "," + quoted(text)

    def push(self, code, detail=""):
        """Append an error; False when the queue was full and it is lost."""
        size = len(self._texts)
        if self.count < size:
            self._texts[(self._first + self.count) % size] = self.text(code, detail)
            self.count += 1
            return True
        self._texts[(self._first + size - 1) % size] = self.text(-350)
        return False

    def pop(self):
        """The oldest error, taken out of the queue; `0,"No error"` when there is none."""
        if not self.count:
            return self.text(0)
        text = self._texts[self._first]
        self._texts[self._first] = None
        self._first = (self._first + 1) % len(self._texts)
        self.count -= 1
        return text

    def clear(self):
        while self.count:
            self.pop()
