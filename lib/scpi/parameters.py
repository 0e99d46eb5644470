"""What a parameter of a command may be: from the bytes sent to a value, and back for the reply.

Every kind has `parse(token, numbers)`, which raises ScpiError, and `format(value)`; `numbers`
are the numeric suffixes of the header (the channel), for limits that depend on them.
"""

from .errors import ScpiError, printable, quoted
from .numbers import describe, format_quantity, parse_quantity
from .words import BASES, is_word, matches, short_form, word, wrong_kind

INFINITY = "9.9E37"  # SCPI-99 volume 1, 7.2.1.4: how infinity and "no value" are answered
NAN = "9.91E37"


class Quantity:
    """A number with a unit, as an integer of 10**-scale of it (see scpi.numbers).

    `low`, `high` and `default` answer MINimum, MAXimum and DEFault; each is an integer, None
    (no such limit), or a function of the header's numeric suffixes. `infinity` is the integer
    that INFinity becomes; without it the parameter is finite. `exact` refuses a value that is
    no whole number of internal units instead of rounding it.
    """

    def __init__(
        self, unit, scale, low=None, high=None, default=None, infinity=None, exact=False
    ):
        self.unit = unit
        self.scale = scale
        self.low = low
        self.high = high
        self.default = default
        self.infinity = infinity
        self.exact = exact

    def parse(self, token, numbers=()):
        if is_word(token):
            return self.named(token, numbers)
        first = token[0]
        if first == 35 and self.unit is None:
            return self._checked(_based(token), token, numbers)
        if first == 34 or first == 39 or first == 40 or first == 35:
            raise wrong_kind(token)
        try:
            value = parse_quantity(token, self.unit, self.scale, self.exact)
        except ScpiError as error:
            if error.code != -222:
                raise
            # Too large to be worth computing, so also beyond every limit.
            raise self._refusal(printable(token), -1 if first == 45 else 1, numbers)
        return self._checked(value, token, numbers)

    def named(self, token, numbers=()):
        """The value of MINimum, MAXimum, DEFault or INFinity."""
        name = word(token)
        value = None
        if name in ("MIN", "MINIMUM"):
            value = self._limit(self.low, numbers)
        elif name in ("MAX", "MAXIMUM"):
            value = self._limit(self.high, numbers)
        elif name in ("DEF", "DEFAULT"):
            value = self._limit(self.default, numbers)
        elif name in ("INF", "INFINITY"):
            value = self.infinity
        if value is None:
            raise ScpiError(-141, printable(token) + " is not " + self._names())
        return value

    def check(self, value, numbers=()):
        """`value` if it is within the limits; else raises -222 with both in the text."""
        return self._checked(value, None, numbers)

    def describe(self, value):
        """A value of this kind for a reader, with its unit."""
        return describe(value, self.scale, self.unit)

    def format(self, value):
        if value == self.infinity and value is not None:
            return INFINITY
        return format_quantity(value, self.scale)

    def _limit(self, limit, numbers):
        return limit(*numbers) if callable(limit) else limit

    def _checked(self, value, token, numbers):
        if value > 0x3FFFFFFF and value == self._infinite():
            return self.infinity
        low = self._limit(self.low, numbers)
        if low is not None and value < low:
            raise self._refusal(self.describe(value), -1, numbers)
        high = self._limit(self.high, numbers)
        if high is not None and value > high:
            raise self._refusal(self.describe(value), 1, numbers)
        return value

    def _infinite(self):
        """What 9.9E37, infinity as a number, is in internal units."""
        return None if self.infinity is None else 99 * 10 ** (36 + self.scale)

    def _refusal(self, shown, side, numbers):
        limit = self._limit(self.low if side < 0 else self.high, numbers)
        if limit is None:
            return ScpiError(-222, shown)
        return ScpiError(
            -222, shown + (" below " if side < 0 else " above ") + self.describe(limit)
        )

    def _names(self):
        names = [("MINimum", self.low), ("MAXimum", self.high), ("DEFault", self.default)]
        names.append(("INFinity", self.infinity))
        return "|".join(["a number"] + [name for name, value in names if value is not None])


class Integer(Quantity):
    """A whole number without a unit; also takes #H, #Q and #B."""

    def __init__(self, low=None, high=None, default=None, infinity=None):
        super().__init__(None, 0, low, high, default, infinity, True)


def _based(token):
    base = BASES.get(token[1] & 0xDF) if len(token) > 1 else None
    if base is None:
        raise wrong_kind(token)
    value = 0
    digits = token[2:].upper()
    for byte in digits:
        digit = byte - 48 if byte < 58 else byte - 55 if byte > 64 else -1
        if not 0 <= digit < base:
            raise ScpiError(-121, printable(token))
        value = value * base + digit
    if not digits:
        raise ScpiError(-120, printable(token))
    return value


class Boolean:
    """ON, OFF, 1 or 0; answered as 1 or 0."""

    def parse(self, token, numbers=()):
        if is_word(token):
            name = word(token)
            if name == "ON":
                return True
            if name == "OFF":
                return False
            raise ScpiError(-141, printable(token) + " is not ON|OFF|1|0")
        if not 48 <= token[0] <= 57 and token[0] != 43 and token[0] != 45:
            raise wrong_kind(token)
        value = parse_quantity(token, None, 0, True)
        if value != 0 and value != 1:
            raise ScpiError(-224, printable(token) + " is not ON|OFF|1|0")
        return value == 1

    def format(self, value):
        return "1" if value else "0"


class Choice:
    """One of some words, "POSitive|NEGative|ALTernating", in short or long form.

    The value is the word's place (0, 1, 2), or what stands there in `values`.
    """

    def __init__(self, words, values=None):
        self.words = words
        self.values = values

    def parse(self, token, numbers=()):
        name = word(token)
        for place, choice in enumerate(self.words.split("|")):
            if matches(name, choice):
                return self.values[place] if self.values else place
        raise ScpiError(-141, printable(token) + " is not " + self.words)

    def format(self, value):
        if self.values:
            value = self.values.index(value)
        return short_form(self.words.split("|")[value])


class Text:
    """A string in single or double quotes, of up to `longest` characters."""

    def __init__(self, longest=80):
        self.longest = longest

    def parse(self, token, numbers=()):
        quote = token[0]
        if quote != 34 and quote != 39:
            raise wrong_kind(token)
        text = str(token, "ascii")
        mark = text[0]
        inside = text[1:-1].replace(mark + mark, "")
        if len(text) < 2 or text[-1] != mark or mark in inside:
            raise ScpiError(-151, printable(token))
        text = text[1:-1].replace(mark + mark, mark)
        if len(text) > self.longest:
            raise ScpiError(-223, "more than " + str(self.longest) + " characters")
        return text

    def format(self, value):
        return quoted(value)


class Optional:
    """A parameter at the end that may be left out; then its value is `missing`."""

    def __init__(self, kind, missing):
        self.kind = kind
        self.missing = missing
        self.parse = kind.parse
        self.format = kind.format
