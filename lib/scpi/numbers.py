"""SCPI decimal numbers as exact integers, and back; no floating point anywhere.

A quantity is an integer count of the command's internal unit, 10**-scale of the SI base unit:
with scale 9 and unit "S" it is nanoseconds, so "400us", "0.4 ms" and "4E-4" are all 400000.
"""

from .errors import ScpiError, printable

MOST_DIGITS = 40  # IEEE 488.2 says 255; that many would only fill the heap with garbage
LARGEST_EXPONENT = 32000  # IEEE 488.2, 7.7.2.4.1
LONGEST_SUFFIX = 12
LARGEST_POWER = 60  # no value of 10**60 internal units or more is worth working out

_MULTIPLIERS = {
    b"EX": 18,
    b"PE": 15,
    b"T": 12,
    b"G": 9,
    b"MA": 6,
    b"K": 3,
    b"": 0,
    b"M": -3,
    b"U": -6,
    b"N": -9,
    b"P": -12,
    b"F": -15,
    b"A": -18,
}
_PREFIXES = {9: "G", 6: "M", 3: "k", 0: "", -3: "m", -6: "u", -9: "n", -12: "p"}

# As sent, as shown, smallest and largest power of ten to show a prefix for: what a reader copies
# must be read as it was meant, and mHz would mean MHz, MA milliampere.
_UNITS = {
    "A": (b"A", "A", -12, 3),
    "C": (b"C", "C", -12, 3),
    "F": (b"F", "F", -12, 3),
    "HZ": (b"HZ", "Hz", 0, 9),
    "J": (b"J", "J", -12, 3),
    "OHM": (b"OHM", "ohm", 0, 9),
    "S": (b"S", "s", -12, 3),
    "V": (b"V", "V", -12, 3),
    "W": (b"W", "W", -12, 3),
}
_MEGA = (b"MHZ", b"MOHM")
_SHOWN = {"PCT": "%", None: ""}


def parse_quantity(text, unit=None, scale=0, exact=False):
    """The number in `text` (str or bytes) as an integer of 10**-scale `unit`.

    `unit` is an SI unit of `_UNITS` with its SCPI multipliers (seconds also take MIN and HR),
    any other upper-case word, taken as it is, or None: no suffix allowed.
    Digits finer than the internal unit are rounded half away from zero, which suits a command
    that promises something coarser than that; with `exact` they are refused.
    Raises ScpiError -104, -120, -121, -123, -124, -131, -134, -138, -222 or -224.
    """
    if isinstance(text, str):
        text = text.encode()
    text = text.strip()
    end = len(text)
    at = 0
    if at < end and (text[at] == 43 or text[at] == 45):
        at += 1
    mantissa = digits = places = 0
    seen = point = False
    while at < end:
        byte = text[at]
        if 48 <= byte <= 57:
            mantissa = mantissa * 10 + byte - 48
            seen = True
            if mantissa:
                digits += 1
                if digits > MOST_DIGITS:
                    raise ScpiError(-124, printable(text))
            if point:
                places += 1
        elif byte == 46 and not point:
            point = True
        else:
            break
        at += 1
    if not seen:
        raise _not_a_number(text, at)
    exponent = 0
    if at < end and (text[at] == 69 or text[at] == 101):
        stop = _exponent_end(text, at + 1, end)
        if stop:
            exponent = int(text[at + 1 : stop])
            at = stop
    suffix = text[at:].strip().upper()
    if suffix:
        if not 65 <= suffix[0] <= 90:
            raise ScpiError(-121, printable(text))
        if unit == "S" and (suffix == b"MIN" or suffix == b"HR"):
            mantissa *= 60 if suffix == b"MIN" else 3600
        else:
            exponent += _suffix_power(suffix, unit)
    value = _shifted(mantissa, exponent - places + scale, text, exact, unit, scale)
    return -value if text[0] == 45 else value


def _not_a_number(text, at):
    if at == 0:
        return ScpiError(-104, printable(text) + " is not a number")
    return ScpiError(-121 if at < len(text) else -120, printable(text))


def _exponent_end(text, at, end):
    """Where the exponent that begins after the E ends; 0 if the E begins a suffix instead."""
    start = at
    if at < end and (text[at] == 43 or text[at] == 45):
        at += 1
    first = at
    while at < end and 48 <= text[at] <= 57:
        at += 1
    if at == first:
        if at > start or at == end:
            raise ScpiError(-121, printable(text))
        return 0
    if at - first > 9 or not -LARGEST_EXPONENT <= int(text[start:at]) <= LARGEST_EXPONENT:
        raise ScpiError(-123, printable(text))
    return at


def _suffix_power(suffix, unit):
    """The power of ten a suffix stands for."""
    if unit is None:
        raise ScpiError(-138, printable(suffix))
    if len(suffix) > LONGEST_SUFFIX:
        raise ScpiError(-134, printable(suffix))
    known = _UNITS.get(unit)
    if known is None:
        if suffix == unit.encode():
            return 0
    elif suffix in _MEGA and suffix.endswith(known[0]):
        return 6
    elif suffix.endswith(known[0]):
        power = _MULTIPLIERS.get(suffix[: -len(known[0])])
        if power is not None:
            return power
    shown = known[1] if known else unit
    raise ScpiError(-131, printable(suffix) + " where " + shown + " is expected")


def _shifted(mantissa, power, text, exact, unit, scale):
    """mantissa * 10**power, rounded half away from zero or refused if that is no integer."""
    if not mantissa:
        return 0
    digits = len(str(mantissa)) if power > 9 or power < -9 else 10
    if power >= 0:
        if digits + power > LARGEST_POWER:
            raise ScpiError(-222, printable(text))
        return mantissa * 10**power
    if digits < -power:
        whole, rest = 0, 1
    else:
        divisor = 10**-power
        whole, rest = divmod(mantissa, divisor)
        if rest and not exact and rest * 2 >= divisor:
            whole += 1
    if rest and exact:
        step = describe(1, scale, unit)
        raise ScpiError(-224, printable(text) + " is not a multiple of " + step)
    return whole


def format_quantity(value, scale=0):
    """The integer as a plain decimal of the base unit, without trailing zeros: "0.0004"."""
    if scale <= 0:
        return str(value * 10**-scale)
    digits = str(-value if value < 0 else value)
    if len(digits) <= scale:
        digits = "0" * (scale + 1 - len(digits)) + digits
    text = digits[:-scale]
    fraction = digits[-scale:].rstrip("0")
    if fraction:
        text = text + "." + fraction
    return "-" + text if value < 0 else text


def describe(value, scale=0, unit=None):
    """The integer for a reader: "5 ms", "0.5 Hz", "120 mA"."""
    known = _UNITS.get(unit)
    if known is None:
        shown = _SHOWN.get(unit, unit)
        return format_quantity(value, scale) + (" " + shown if shown else "")
    power = (len(str(abs(value))) - 1 - scale) // 3 * 3 if value else 0
    power = max(known[2], min(power, known[3]))
    return format_quantity(value, scale + power) + " " + _PREFIXES[power] + known[1]
