"""SCPI-99 errors (volume 2, chapter 21.8) and the queue that SYSTem:ERRor? reads."""

# Negative numbers are the standard's; a device's own faults are positive.
MESSAGES = {
    0: "No error",
    -101: "Invalid character",
    -102: "Syntax error",
    -103: "Invalid separator",
    -104: "Data type error",
    -108: "Parameter not allowed",
    -109: "Missing parameter",
    -111: "Header separator error",
    -112: "Program mnemonic too long",
    -113: "Undefined header",
    -114: "Header suffix out of range",
    -120: "Numeric data error",
    -121: "Invalid character in number",
    -123: "Exponent too large",
    -124: "Too many digits",
    -128: "Numeric data not allowed",
    -131: "Invalid suffix",
    -134: "Suffix too long",
    -138: "Suffix not allowed",
    -141: "Invalid character data",
    -144: "Character data too long",
    -148: "Character data not allowed",
    -151: "Invalid string data",
    -158: "String data not allowed",
    -168: "Block data not allowed",
    -178: "Expression data not allowed",
    -200: "Execution error",
    -203: "Command protected",
    -213: "Init ignored",
    -221: "Settings conflict",
    -222: "Data out of range",
    -223: "Too much data",
    -224: "Illegal parameter value",
    -230: "Data corrupt or stale",
    -240: "Hardware error",
    -241: "Hardware missing",
    -300: "Device-specific error",
    -310: "System error",
    -314: "Save/recall memory lost",
    -315: "Configuration memory lost",
    -320: "Storage fault",
    -330: "Self-test failed",
    -350: "Queue overflow",
    -360: "Communication error",
    -363: "Input buffer overrun",
    -410: "Query INTERRUPTED",
    -420: "Query UNTERMINATED",
    -430: "Query DEADLOCKED",
    -440: "Query UNTERMINATED after indefinite response",
}

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
        message = MESSAGES.get(code) or self._messages.get(code) or MESSAGES[-300]
        if detail:
            message = message + ";" + detail[:LONGEST_DETAIL]
        return str(code) + "," + quoted(message)

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
