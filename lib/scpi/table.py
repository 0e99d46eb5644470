"""A command table as one text, and how its rows are read."""

from array import array

from .numbers import format_quantity
from .quantity import made, shown


def ptr8(memory):
    """To viper a pointer; elsewhere the array itself."""
    return memory


ptr16 = ptr8


class Table:
    """Rows "header set query parameters...", each behind a new line, the last ended by one.

        \\n:OUTPut[:STATe] switch is_on 0/OFF|ON
        \\n:MEASure[1|2]:VOLTage - volts=3

    Headers are written as in the standard, with every colon: ":CURRent[:LEVel]",
    "[:SOURce[1|2]]:PULSe:WIDTh", "INPut[1..4]". Capitals are the short form, [] a node that may
    be left out, [1|2] or [1..4] a numeric suffix whose first number is meant when none is sent.
    `head` stands before each of them.

    A handler is named below `owner`: "start", "status.event_enable"; - for none. "name=" sets
    that attribute; a query's "name=3" answers integers, one or several, as 10**-3 of a unit. A
    parameter is what quantity.made() says; a name in it is below `owner` too. Of a row that can
    set and be asked it is also the answer's form. Suffixes reach the handlers less `base`.
    """

    def __init__(self, text, owner, base=0, head=b""):
        self.text = text
        self.owner = owner
        self.base = base
        self.head = head
        self._row = -1  # whose words were looked for last
        self._words = array("H", bytes(8))  # where its first three begin, and the second ends

    def row(self, at):
        """What the other functions know the row by whose header ends at `at`: that place."""
        return at

    def has(self, row, query):
        """Whether a row can set (0), or be asked (1)."""
        return self.text[self._word(row, query)] != 45

    def handler(self, row, query):
        """Whom a row calls, or the value that a query's name leads to; None for none."""
        at = self._word(row, query)
        if self.text[at] == 45:
            return None
        end = self._end(at)
        mark = self.text.find(b"=", at, end)
        if mark < 0:
            return self._below(at, end)
        if query:
            return self._below(at, mark)
        dot = self.text.rfind(b".", at, mark)
        owner = self.owner if dot < 0 else self._below(at, dot)
        name = self._text(max(at, dot + 1), mark)
        return lambda value: setattr(owner, name, value)

    def kinds(self, row):
        """A row's parameters."""
        found = []
        at = self._word(row, 2)
        while at:
            end = self._end(at)
            found.append(made(self._text(at, end), self._named))
            at = end + 1 if self.text[end] == 32 else 0
        return found

    def answers_as_set(self, row):
        """Whether a query is answered in the form that setting takes."""
        return self._word(row, 2) and self.has(row, 0)

    def answer(self, row, value):
        """A query's result as response data."""
        kind = self._word(row, 2)
        if kind and self.has(row, 0):
            return shown(self.text, kind, value)
        end = self._word(row, 3)
        return plain(value, self.text[end - 1] - 48 if self.text[end - 2] == 61 else -1)

    def _word(self, row, number):
        """Where a row's set, query (0, 1) or first parameter (2) begins; 0 if it has none."""
        if row != self._row:
            self._row = row
            _find_words(self.text, row, self._words)
        return self._words[number]

    def _end(self, at):
        """Where the word that begins at `at` ends."""
        end = self.text.find(b"\n", at)
        space = self.text.find(b" ", at, end)
        return end if space < 0 else space

    def _text(self, at, end):
        return str(self.text[at:end], "ascii")

    def _named(self, name):
        """What a parameter's text names below the owner."""
        return getattr(self.owner, name)

    def _below(self, at, end):
        """What the names in the text lead to from the owner."""
        found = self.owner
        while at < end:
            dot = self.text.find(b".", at, end)
            if dot < 0:
                dot = end
            found = getattr(found, self._text(at, dot))
            at = dot + 1
        return found


# viper
def _find_words(text, at: int, found):
    """Where the first three words behind a header begin (0: none), and where the second ends."""
    source = ptr8(text)
    words = ptr16(found)
    words[2] = 0
    number = 0
    while number < 3:
        words[number] = at + 1
        at += 1
        while int(source[at]) > 32:
            at += 1
        if number == 1:
            words[3] = at
            if int(source[at]) < 32:
                return
        number += 1


def plain(value, scale=-1):
    """Response data of what says itself how it is meant; integers by their power of ten."""
    if isinstance(value, (tuple, list)):
        return ",".join([plain(one, scale) for one in value])
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, int):
        return format_quantity(value, scale) if scale >= 0 else str(value)
    if isinstance(value, str):
        return value
    raise TypeError("no answer: " + repr(value))
