"""A command table as one text, and how its rows are read."""

from array import array

from .numbers import decimal
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
        # Where its first three begin, where the second's names end, and the power behind them.
        self._words = array("H", bytes(10))
        self._names_at = -1  # where names were read last, and they
        self._names_read: tuple = ()
        self._kinds_row = -1  # whose parameters were asked for last, and they
        self._kinds: list = []

    def row(self, at):
        """What the other functions know the row by whose header ends at `at`: that place."""
        return at

    def has(self, row, query):
        """Whether a row can set (0), or be asked (1)."""
        return self.text[self._word(row, query)] != 45

    def names(self, row):
        """What leads from the owner to the answer of a query without parameters; None if there
        is none, or it takes some.
        """
        at = self._word(row, 1)
        words = self._words
        if self.text[at] == 45 or words[2] and self.text[words[0]] == 45:
            return None
        return self._names(at, words[3])

    def ask(self, row, names, numbers):
        """The answer to a query without parameters whose names are known."""
        value = self.owner
        for name in names:
            value = getattr(value, name)
        if callable(value):
            value = call(value, numbers)
        kind = self._word(row, 2)
        return shown(self.text, kind, value) if kind else plain(value, self._words[4])

    def handler(self, row, query):
        """Whom a row calls, or the value that a query's name leads to; None for none."""
        at = self._word(row, query)
        if self.text[at] == 45:
            return None
        if query:
            return self._below(at, self._words[3])
        end = self._words[1] - 1
        if self.text[end - 1] != 61:
            return self._below(at, end)
        names = self._names(at, end - 1)
        owner = self.owner
        for name in names[:-1]:
            owner = getattr(owner, name)
        return lambda value: setattr(owner, names[-1], value)

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
        """A query's result as response data (bytes)."""
        kind = self._word(row, 2)
        if kind and self.has(row, 0):
            return shown(self.text, kind, value)
        return plain(value, self._words[4])

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
        for name in self._names(at, end):
            found = getattr(found, name)
        return found

    def _names(self, at, end):
        if at != self._names_at:
            self._names_at = at
            names = self.text[at:end].split(b".")
            self._names_read = tuple([str(name, "ascii") for name in names])
        return self._names_read


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
    end, and the power behind its "=", 0 without.
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
                words[4] = int(source[at - 1]) - 48
            if int(source[at]) < 32:
                return
        number += 1


def plain(value, scale=0):
    """Response data (bytes) of what says itself how it is meant; integers as 10**-scale."""
    kind = type(value)
    if kind is int:
        return decimal(value, scale)
    if kind is str:
        return value.encode()
    if kind is bool:
        return b"1" if value else b"0"
    if kind is tuple or kind is list:
        return b",".join([plain(one, scale) for one in value])
    raise TypeError("no answer: " + repr(value))
