"""The kinds of parameters that are needed often: numbers with units, and switches.

Every kind has `parse(token, numbers)`, from the bytes sent to a value, which raises ScpiError, and
`format(value)` back for the reply; `numbers` are the header's numeric suffixes (the channel), for
limits that depend on them. scpi.kinds has the others.
"""

from .errors import ScpiError, borrowed, forget, quoted, told
from .numbers import decimal, format_quantity, parse_quantity

_INFINITE = 16  # of _form
_WORDS = 32
INFINITY = "9.9E37"  # SCPI-99 volume 1, 7.2.1.4: how infinity is answered


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
        self.takes = (unit, scale, low, high, default, infinity, exact)

    def parse(self, token, numbers=()):
        unit, scale = self.takes[:2]
        first = token[0]
        if 65 <= first & 0xDF <= 90:
            return self.named(token, numbers)
        if first == 34 or first == 39 or first == 40 or (first == 35 and unit is not None):
            raise told("wrong_kind", token)
        if first == 35:
            value = told("based", token)
        else:
            try:
                value = parse_quantity(token, unit, scale, self.takes[6])
            except ScpiError as error:
                if error.code != -222:
                    raise
                # Too large to be worth computing, so also beyond every limit.
                raise self._beyond(token, 2 if first == 45 else 3, numbers)
        return self.check(value, numbers)

    def named(self, token, numbers=()):
        """The value of MINimum, MAXimum, DEFault or INFinity."""
        value = told("named", self.takes, token, numbers)
        forget()
        return value

    def check(self, value, numbers=()):
        """`value` if it is within the limits; else raises -222 with both in the text."""
        if value > 0x3FFFFFFF and self.takes[5] is not None and self._is_infinite(value):
            return self.takes[5]
        low = self._limit(2, numbers)
        if low is not None and value < low:
            raise self._beyond(value, 2, numbers)
        high = self._limit(3, numbers)
        if high is not None and value > high:
            raise self._beyond(value, 3, numbers)
        return value

    def format(self, value):
        if value == self.takes[5] and value is not None:
            return INFINITY
        return format_quantity(value, self.takes[1])

    def _is_infinite(self, value):
        return value == 99 * 10 ** (36 + self.takes[1])  # sent as 9.9E37

    def _limit(self, which, numbers):
        limit = self.takes[which]
        return limit(*numbers) if callable(limit) else limit

    def _beyond(self, shown, which, numbers):
        return told("beyond", self.takes, shown, which * 2 - 5, self._limit(which, numbers))


class Boolean:
    """ON, OFF, 1 or 0; answered as 1 or 0."""

    def parse(self, token, numbers=()):
        word = token.upper()
        if word == b"ON" or word == b"1":
            return True
        if word == b"OFF" or word == b"0":
            return False
        value = told("boolean", token)
        forget()
        return value

    def format(self, value):
        return "1" if value else "0"


def ptr8(memory):
    """To viper a pointer; elsewhere the array itself."""
    return memory


def made(takes, limit):
    """The kind that a text tells; `limit` gives what a name in place of a number stands for.

    300000/S-9/20000/1000000    default, unit with its power of ten, lowest, highest
    .../0  .../INFinity         also zero below its lowest, or as infinity; anything else is no
                                concern of the kind's
    5/#/1/99                    a whole number, also as #H, #Q and #B
    0/POSitive|NEGative         words; 0/OFF|ON is a Boolean
    "80                         a text of up to 80 characters
    ...?0                       one that may be left out, and then is 0
    Nothing in place of a number: no such limit.
    """
    kind, _, missing = takes.partition("?")
    if missing:
        return _kind("Optional")(made(kind, limit), int(missing))
    if kind[0] == '"':
        return _kind("Text")(int(kind[1:]))
    parts = kind.split("/")
    if "|" in parts[1]:
        return Boolean() if parts[1] == "OFF|ON" else _kind("Choice")(parts[1])
    low, high, default = [_number(parts[place], limit) for place in (2, 3, 0)]
    if parts[1] == "#":
        return _kind("Integer")(low, high, default)
    unit, scale = parts[1].split("-")
    infinity = None
    if len(parts) > 4 and parts[4] != "live":
        infinity = 0 if parts[4] == "INFinity" else None
        low = low if infinity == 0 else 0
    return Quantity(unit or None, int(scale), low, high, default, infinity)


def _number(text, limit):
    if not text:
        return None
    return int(text) if text.isdigit() else limit(text)


def _kind(name):
    kind = borrowed("kinds", name)
    forget("kinds")
    return kind


def shown(table, at, value):
    """The answer (bytes) to a query of what the text at a place says can be set: see made()."""
    if table[at] == 34:
        return quoted(value).encode()
    form = _form(table, at)
    if form >= _WORDS:
        return _word(table, form - _WORDS, value)
    if form >= _INFINITE:
        if value == 0:
            return INFINITY.encode()
        form -= _INFINITE
    return decimal(value, form)


# viper
def _form(table, at: int) -> int:
    """How what stands at a place in a table is answered: as 10**-n of a unit, 16 more if 0 is
    infinity; as one of some words, which begin at the number less 32.
    """
    text = ptr8(table)
    while int(text[at]) != 47:
        at += 1
    at += 1
    start = at
    form = 0
    byte = int(text[at])
    while byte > 32:
        if byte == 124:
            return 32 + start
        if byte == 45:
            form = int(text[at + 1]) - 48
        if byte == 47 and int(text[at + 1]) == 73:
            form += 16
        at += 1
        byte = int(text[at])
    return form


def _word(table, at, value):
    """The short form of one of some words."""
    if table[at + 3] == 124 and table.startswith(b"OFF", at):
        return b"1" if value else b"0"
    for _ in range(value):
        at = table.find(b"|", at) + 1
    end = at
    while 65 <= table[end] <= 90:
        end += 1
    return table[at:end]
