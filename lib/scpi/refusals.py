"""Every refusal in words, and what only few lines need; in memory only while it is asked for.

Texts are those of SCPI-99, volume 2, chapter 21.8; a device's own numbers are positive.
"""

from .errors import ScpiError, quoted
from .numbers import SI_UNITS, format_quantity, parse_quantity

LONGEST_DETAIL = 160  # SCPI-99 allows 255 characters for message and detail together
LONGEST_WORD = 12
_BASES = {72: 16, 81: 8, 66: 2}  # the letters of #H1F, #Q17 and #B101

MESSAGES = """
0 No error
-101 Invalid character
-102 Syntax error
-103 Invalid separator
-104 Data type error
-108 Parameter not allowed
-109 Missing parameter
-111 Header separator error
-112 Program mnemonic too long
-113 Undefined header
-114 Header suffix out of range
-120 Numeric data error
-121 Invalid character in number
-123 Exponent too large
-124 Too many digits
-128 Numeric data not allowed
-131 Invalid suffix
-134 Suffix too long
-138 Suffix not allowed
-141 Invalid character data
-144 Character data too long
-148 Character data not allowed
-151 Invalid string data
-158 String data not allowed
-168 Block data not allowed
-178 Expression data not allowed
-200 Execution error
-203 Command protected
-213 Init ignored
-221 Settings conflict
-222 Data out of range
-223 Too much data
-224 Illegal parameter value
-230 Data corrupt or stale
-240 Hardware error
-241 Hardware missing
-300 Device-specific error
-310 System error
-314 Save/recall memory lost
-315 Configuration memory lost
-320 Storage fault
-330 Self-test failed
-350 Queue overflow
-360 Communication error
-363 Input buffer overrun
-410 Query INTERRUPTED
-420 Query UNTERMINATED
-430 Query DEADLOCKED
-440 Query UNTERMINATED after indefinite response
"""


def text(code, detail, messages=None):
    """An error as the queue answers it; `messages` has the device's own texts."""
    words = message(code) or (messages and messages.get(code)) or message(-300)
    if detail:
        words = words + ";" + detail[:LONGEST_DETAIL]
    return str(code) + "," + quoted(words)


def message(code):
    """The standard's words for a number, or None."""
    mark = "\n" + str(code) + " "
    at = MESSAGES.find(mark)
    return None if at < 0 else MESSAGES[at + len(mark) : MESSAGES.find("\n", at + 1)]


def printable(data, longest=40):
    """Bytes as a person may read them in an error message, cut after `longest`."""
    text = "".join([chr(byte) if 32 <= byte < 127 else "?" for byte in data[:longest]])
    return text + "..." if len(data) > longest else text


def error(code, data=b"", more="", before=""):
    """A refusal whose detail is some bytes as they were sent, and words around them."""
    return ScpiError(code, before + printable(data) + more)


def exception(raised):
    """A program error in a few words; it may be a MemoryError, so in few bytes too."""
    try:
        return type(raised).__name__ + " " + printable(str(raised).encode(), 80)
    except Exception:
        return ""


# -- headers


def undefined(header):
    """Why a header that leads nowhere doesn't."""
    code = -113
    length = 0
    for byte in header:
        length += 1
        if byte == 58:
            length = 0
        elif not (65 <= byte & 0xDF <= 90 or 48 <= byte <= 57 or byte == 95 or byte == 42):
            code = -103 if byte == 44 else -111
            break
        if length > LONGEST_WORD:
            code = -112
    if code == -111 and not length - 1:
        code = -102
    return ScpiError(code, printable(header, 60))


def name(header, sent):
    """What was sent for a declared header, in short form with its suffixes: "SOUR1:PULS:WIDT".

    sent: (mnemonic in capitals, digits of its suffix) for each level.
    """
    if header[0] == "*":
        return header
    words = []
    for node in header.split(":")[1:]:
        if len(words) < len(sent):
            word, suffix = sent[len(words)]
            mnemonic = node.split("[")[0].split("]")[0]
            short = "".join([letter for letter in mnemonic if not "a" <= letter <= "z"])
            if word == short or word == mnemonic.upper():
                words.append(short + suffix)
    return ":".join(words)


def span(header, sent):
    """" is not 1..2" of the first suffix sent that a declared header does not take, or ""."""
    level = 0
    for node in header.split(":")[1:]:
        mnemonic = node.split("[")[0].split("]")[0]
        if level < len(sent) and sent[level][0] in (
            "".join([letter for letter in mnemonic if not "a" <= letter <= "z"]),
            mnemonic.upper(),
        ):
            suffix = sent[level][1]
            level += 1
            numbers = node.split("]")[0].split("[")
            if suffix and len(numbers) > 1 and numbers[1]:
                ends = numbers[1].replace("..", "|").split("|")
                if not int(ends[0]) <= int(suffix) <= int(ends[-1]):
                    return " is not " + ends[0] + ".." + ends[-1]
    return ""


# -- numbers

# As shown, smallest and largest power of ten to show a prefix for: what a reader copies must be
# read as it was meant, and mHz would mean MHz, MA milliampere.
_SHOWN = {"HZ": ("Hz", 0, 9), "OHM": ("ohm", 0, 9), "S": ("s", -12, 3)}
_PREFIXES = {9: "G", 6: "M", 3: "k", 0: "", -3: "m", -6: "u", -9: "n", -12: "p"}


def _si(unit):
    """(as shown, smallest, largest power shown) of an SI unit, or None."""
    if not unit or " " + unit + " " not in SI_UNITS:
        return None
    return _SHOWN.get(unit) or (unit, -12, 3)


def describe(value, scale=0, unit=None):
    """The integer for a reader: "5 ms", "0.5 Hz", "120 mA"."""
    known = _si(unit)
    if known is None:
        return format_quantity(value, scale) + (
            " " + ("%" if unit == "PCT" else unit) if unit else ""
        )
    power = (len(str(abs(value))) - 1 - scale) // 3 * 3 if value else 0
    power = max(known[1], min(power, known[2]))
    return format_quantity(value, scale + power) + " " + _PREFIXES[power] + known[0]


def not_a_number(text, at):
    """Why the text, which is no number from `at` on, is none."""
    if at == 0:
        return error(-104, text, " is not a number")
    return error(-121 if at < len(text) else -120, text)


def wrong_suffix(suffix, unit):
    known = _si(unit)
    return error(-131, suffix, " where " + (known[0] if known else unit) + " is expected")


def too_fine(text, scale, unit):
    return error(-224, text, " is not a multiple of " + describe(1, scale, unit))


def beyond(takes, shown, side, limit):
    """The refusal of a value (an integer, or as it was sent) that is below or above a limit."""
    unit, scale = takes[:2]
    if isinstance(shown, int):
        shown = describe(shown, scale, unit)
    else:
        shown = printable(shown)
    if limit is not None:
        shown += (" below " if side < 0 else " above ") + describe(limit, scale, unit)
    return ScpiError(-222, shown)


def based(token):
    """The value of #H1F, #Q17 or #B101."""
    base = _BASES.get(token[1] & 0xDF) if len(token) > 1 else None
    if base is None:
        raise wrong_kind(token)
    value = 0
    digits = token[2:].upper()
    for byte in digits:
        digit = byte - 48 if byte < 58 else byte - 55 if byte > 64 else -1
        if not 0 <= digit < base:
            raise error(-121, token)
        value = value * base + digit
    if not digits:
        raise error(-120, token)
    return value


def named(takes, token, numbers):
    """The value of MINimum, MAXimum, DEFault or INFinity."""
    _, _, low, high, default, infinity, _ = takes
    choices = (
        ("MINimum", low), ("MAXimum", high), ("DEFault", default), ("INFinity", infinity),
    )  # fmt: skip
    said = word(token)
    for choice, value in choices:
        if value is not None and (said == choice[:3] or said == choice.upper()):
            return value(*numbers) if callable(value) else value
    names = [choice for choice, value in choices if value is not None]
    raise error(-141, token, " is not " + "|".join(["a number"] + names))


def boolean(token):
    """The value of what is neither ON, OFF, 1 nor 0 as it stands."""
    if is_word(token):
        word(token)
        raise error(-141, token, " is not ON|OFF|1|0")
    if not 48 <= token[0] <= 57 and token[0] != 43 and token[0] != 45:
        raise wrong_kind(token)
    value = parse_quantity(token, None, 0, True)
    if value != 0 and value != 1:
        raise error(-224, token, " is not ON|OFF|1|0")
    return value == 1


# -- kinds of program data, told apart by their first byte


def is_word(token):
    return 65 <= token[0] & 0xDF <= 90


def word(token):
    """Character data in upper case, as str."""
    if not is_word(token):
        raise wrong_kind(token)
    if len(token) > LONGEST_WORD:
        raise error(-144, token)
    return str(token, "ascii").upper()


def wrong_kind(token):
    """The error for an element of a kind that this parameter does not take."""
    first = token[0]
    if first == 34 or first == 39:
        code = -158
    elif 48 <= first <= 57 or first == 43 or first == 45 or first == 46:
        code = -128
    elif first == 35:
        code = -128 if len(token) > 1 and token[1] & 0xDF in _BASES else -168
    elif first == 40:
        code = -178
    elif is_word(token):
        code = -148
    else:
        code = -102
    return error(code, token)
