"""SCPI decimal numbers as exact integers, and back; no floating point anywhere.

A quantity is an integer count of the command's internal unit, 10**-scale of the SI base unit:
with scale 9 and unit "S" it is nanoseconds, so "400us", "0.4 ms" and "4E-4" are all 400000.
"""

from .errors import told

MOST_DIGITS = 40  # IEEE 488.2 says 255; that many would only fill the heap with garbage
LARGEST_EXPONENT = 32000  # IEEE 488.2, 7.7.2.4.1
LONGEST_SUFFIX = 12
LARGEST_POWER = 60  # no value of 10**60 internal units or more is worth working out

SI_UNITS = " A C F HZ J OHM S V W "
_LETTERS = "ACFJSVW"  # of the SI units
_MULTIPLIERS = b" EX PE T G MA K - M U N P F A "  # from 10**18 down, - for none


_DECIMAL = bytearray(12)  # a number below 2**30 with its point


def ptr8(memory):
    """To viper a pointer; elsewhere the array itself."""
    return memory


def parse_quantity(text, unit=None, scale=0, exact=False):
    """The number in `text` (str or bytes) as an integer of 10**-scale `unit`.

    `unit` is an SI unit of `SI_UNITS` with its SCPI multipliers (seconds also take MIN and HR),
    any other upper-case word, taken as it is, or None: no suffix allowed.
    Digits finer than the internal unit are rounded half away from zero, which suits a command
    that promises something coarser than that; with `exact` they are refused.
    Raises ScpiError -104, -120, -121, -123, -124, -131, -134, -138, -222 or -224.
    """
    if isinstance(text, str):
        text = text.encode()
    text = text.strip()
    signed = 1 if text and (text[0] == 43 or text[0] == 45) else 0
    at = _numeral_end(text, signed, len(text))
    digits = text[signed:at]
    point = digits.find(b".")
    power = scale
    if point >= 0:
        power -= len(digits) - point - 1
        digits = digits.replace(b".", b"")
    if not digits:
        raise told("not_a_number", text, at)
    if len(digits) > MOST_DIGITS and len(digits.lstrip(b"0")) > MOST_DIGITS:
        raise told("error", -124, text)
    value = int(digits)
    if at < len(text):
        more = 99
        if unit is not None and len(unit) == 1 and unit in _LETTERS:
            more = _plain_suffix(text, at, len(text), ord(unit))
        factor = 1
        if more == 99:
            factor, more = _suffix(text, at, unit)
        value *= factor
        power += more
    if value and power:
        value = _shifted(value, power, text, exact, unit, scale)
    return -value if signed and text[0] == 45 else value


# viper
def _numeral_end(number, at: int, end: int) -> int:
    """Where the digits with at most one point end."""
    text = ptr8(number)
    point = 0
    while at < end:
        byte = int(text[at])
        if byte == 46 and point == 0:
            point = 1
        elif byte < 48 or byte > 57:
            break
        at += 1
    return at


# viper
def _plain_suffix(number, at: int, end: int, unit: int) -> int:
    """The power of ten of what is sent most for a unit of one letter: "A", "mA", "uA", "kA", in
    capitals or not, and "E-6"; 99 for all else.
    """
    text = ptr8(number)
    last = int(text[end - 1])
    small = at + 3 == end and int(text[at]) & 0xDF == 69 and int(text[at + 1]) == 45
    if small and last > 47 and last < 58:
        return 48 - last
    while at < end and int(text[at]) == 32:
        at += 1
    if at >= end or last & 0xDF != unit:
        return 99
    if at + 1 == end:
        return 0
    if at + 2 != end:
        return 99
    prefix = int(text[at]) & 0xDF
    if prefix == 77:
        return -3
    if prefix == 85:
        return -6
    if prefix == 75:
        return 3
    return 99


def _suffix(text, at, unit):
    """(factor, power of ten) of what follows the digits: an exponent, a suffix."""
    power = 0
    if text[at] & 0xDF == 69:
        stop = _exponent_end(text, at + 1, len(text))
        if stop:
            power = int(text[at + 1 : stop])
            at = stop
    suffix = text[at:].strip().upper()
    if not suffix:
        return 1, power
    if not 65 <= suffix[0] <= 90:
        raise told("error", -121, text)
    if unit == "S" and (suffix == b"MIN" or suffix == b"HR"):
        return 60 if suffix == b"MIN" else 3600, power
    return 1, power + _multiplier(suffix, unit)


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
            raise told("error", -121, text)
        return 0
    if at - first > 9 or not -LARGEST_EXPONENT <= int(text[start:at]) <= LARGEST_EXPONENT:
        raise told("error", -123, text)
    return at


def _multiplier(suffix, unit):
    """The power of ten a suffix stands for."""
    if unit is None:
        raise told("error", -138, suffix)
    if len(suffix) > LONGEST_SUFFIX:
        raise told("error", -134, suffix)
    name = unit.encode()
    if suffix == name:
        return 0
    if suffix.endswith(name) and " " + unit + " " in SI_UNITS:
        if suffix == b"MHZ" or suffix == b"MOHM":
            return 6
        at = _MULTIPLIERS.find(b" " + suffix[: -len(name)] + b" ")
        if at >= 0:
            return 18 - 3 * _MULTIPLIERS[:at].count(b" ")
    raise told("wrong_suffix", suffix, unit)


def _shifted(mantissa, power, text, exact, unit, scale):
    """mantissa * 10**power, rounded half away from zero or refused if that is no integer."""
    digits = len(str(mantissa)) if power > 9 or power < -9 else 10
    if power >= 0:
        if digits + power > LARGEST_POWER:
            raise told("error", -222, text)
        return mantissa * 10**power
    if digits < -power:
        whole, rest = 0, 1
    else:
        divisor = 10**-power
        whole, rest = divmod(mantissa, divisor)
        if rest and not exact and rest * 2 >= divisor:
            whole += 1
    if rest and exact:
        raise told("too_fine", text, scale, unit)
    return whole


def format_quantity(value, scale=0):
    """The integer as a plain decimal of the base unit, without trailing zeros: "0.0004"."""
    if 0 <= value < 0x3FFFFFFF and 0 <= scale <= 9:
        return str(decimal(value, scale), "ascii")
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


def decimal(value, scale=0):
    """format_quantity's text as bytes: MicroPython seeks every new str among all its names."""
    if 0 <= value < 0x3FFFFFFF and 0 <= scale <= 9:
        return bytes(_DECIMAL[_write_decimal(value, scale, _DECIMAL) :])
    return format_quantity(value, scale).encode()


# viper
def _write_decimal(value: int, scale: int, memory) -> int:
    """Write a number of 10**-scale up to the end of the memory; where it begins there."""
    text = ptr8(memory)
    at = 12
    kept = 0  # 1 from the last digit behind the point that isn't zero
    while scale > 0 or at == 12 or value > 0 or kept == 2:
        digit = value
        value = value // 10
        digit -= value * 10
        if scale > 0:
            scale -= 1
            if digit > 0:
                kept = 1
            if kept == 1:
                at -= 1
                text[at] = 48 + digit
            if scale == 0:
                if kept == 1:
                    at -= 1
                    text[at] = 46
                kept = 2
        else:
            at -= 1
            text[at] = 48 + digit
            kept = 0
    return at
