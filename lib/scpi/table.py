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
        # Where its first three begin, where the second's names end, and one more than its power.
        self._words = array("H", bytes(10))
        self._kinds_row = -1  # whose parameters were asked for last, and they
        self._kinds: list = []

    def row(self, at):
        """What the other functions know the row by whose header ends at `at`: that place."""
        return at

    def has(self, row, query):
        """Whether a row can set (0), or be asked (1)."""
        return self.text[self._word(row, query)] != 45

    def ask(self, row, numbers):
        """The answer to a query without parameters; None if there is none, or it takes some."""
        text = self.text
        words = self._words
        if row != self._row:
            self._row = row
            _find_words(text, row, words)
        at = words[1]
        kind = words[2]
        if text[at] == 45 or kind and text[words[0]] == 45:
            return None
        value = self._below(at, words[3])
        if callable(value):
            value = call(value, numbers)
        return shown(text, kind, value) if kind else plain(value, words[4] - 1)

    def handler(self, row, query):
        """Whom a row calls, or the value that a query's name leads to; None for none."""
        at = self._word(row, query)
        if self.text[at] == 45:
            return None
        if query:
            return self._below(at, self._words[3])
        end = self._end(at)
        mark = self.text.find(b"=", at, end)
        if mark < 0:
            return self._below(at, end)
        dot = self.text.rfind(b".", at, mark)
        owner = self.owner if dot < 0 else self._below(at, dot)
        name = str(self.text[max(at, dot + 1) : mark], "ascii")
        return lambda value: setattr(owner, name, value)

    def kinds(self, row):
        """A row's parameters."""
        if row != self._kinds_row:
            found = []
            at = self._word(row, 2)
            while at:
                end = self._end(at)
                found.append(made(str(self.text[at:end], "ascii"), self._named))
                at = end + 1 if self.text[end] == 32 else 0
            self._kinds_row = row
            self._kinds = found
        return self._kinds

    def answers_as_set(self, row):
        """Whether a query is answered in the form that setting takes."""
        return self._word(row, 2) and self.has(row, 0)

    def answer(self, row, value):
        """A query's result as response data."""
        kind = self._word(row, 2)
        if kind and self.has(row, 0):
            return shown(self.text, kind, value)
        return plain(value, self._words[4] - 1)

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

    def _named(self, name):
        """What a parameter's text names below the owner."""
        return getattr(self.owner, name)

    def _below(self, at, end):
        """What the names in the text lead to from the owner."""
        found = self.owner
        text = self.text
        while at < end:
            dot = text.find(b".", at, end)
            if dot < 0:
                dot = end
            found = getattr(found, str(text[at:dot], "ascii"))
            at = dot + 1
        return found


def call(function, values):
    """Call with up to two values without an array of them on the heap."""
    count = len(values)
    if count == 1:
        return function(values[0])
    if count == 2:
        return function(values[0], values[1])
    return function(*values) if count else function()


# viper
def _find_words(text, at: int, found):
    """Where the first three words behind a header begin (0: none); where the names of the second
    end, and one more than the power behind its "=", 0 without.
    """
    source = ptr8(text)
    words = ptr16(found)
    words[2] = 0
    words[4] = 0
    number = 0
    while number < 3:
        words[number] = at + 1
        at += 1
        while int(source[at]) > 32:
            at += 1
        if number == 1:
            words[3] = at
            if int(source[at - 2]) == 61:
                words[3] = at - 2
                words[4] = int(source[at - 1]) - 47
            if int(source[at]) < 32:
                return
        number += 1


def plain(value, scale=-1):
    """Response data of what says itself how it is meant; integers by their power of ten."""
    kind = type(value)
    if kind is int:
        return format_quantity(value, scale) if scale >= 0 else str(value)
    if kind is str:
        return value
    if kind is bool:
        return "1" if value else "0"
    if kind is tuple or kind is list:
        return ",".join([plain(one, scale) for one in value])
    raise TypeError("no answer: " + repr(value))
