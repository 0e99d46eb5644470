"""Executes one program message unit: finds its row, reads all its parameters, then calls."""

from .errors import ScpiError, printable
from .header import HeaderPath
from .units import header_end, parameters


class Interpreter:
    """Runs units against a command tree; it knows the path within the line and nothing else.

    An application that replays commands of its own, such as saved settings, takes a second one.
    """

    def __init__(self, tree):
        self.indefinite = False  # the line holds an answer without a definite end (*IDN?)
        self._header = HeaderPath(tree)
        self._query = False
        self._numbers = []

    def begin_line(self):
        self._header.rewind()
        self.indefinite = False

    def run(self, unit):
        """Execute a unit (bytes without white space around); a query's answer or None.

        Raises ScpiError, or whatever the handler does; a handler is called only after every
        parameter has been read, so that a refused unit has changed nothing.
        """
        end = header_end(unit)
        query = self._query = unit[end - 1] == 63
        header = unit[: end - 1] if query else unit[:end]
        if not header:
            raise ScpiError(-102, printable(unit))
        numbers = self._numbers
        row = self._header.find(header, numbers)
        on_set = self._handler(row[1])
        on_query = self._handler(row[2])
        kinds = row[3:]
        tokens = parameters(unit[end:])
        if not query:
            if on_set is None:
                raise ScpiError(-113, self._name() + " without ?")
            on_set(*(numbers + self._values(kinds, tokens)))
            return None
        if on_query is None:
            raise ScpiError(-113, self._name())
        if self.indefinite:
            raise ScpiError(-440, self._name())
        if on_set is None:
            values = numbers + self._values(kinds, tokens)
            return _answer(on_query(*values) if callable(on_query) else on_query, ())
        if tokens:
            return self._limit(kinds, tokens)
        return _answer(on_query(*numbers) if callable(on_query) else on_query, kinds)

    def _handler(self, handler):
        """A row's handler; one that is a name is looked up below the table's owner."""
        if not isinstance(handler, str):
            return handler
        found = self._header.owner
        for name in handler.split("."):
            found = getattr(found, name)
        return found

    def _values(self, kinds, tokens):
        """The parameters sent as values of the kinds the row asks for; all, or an error."""
        if len(tokens) > len(kinds):
            raise ScpiError(-108, self._name() + " " + printable(tokens[len(kinds)]))
        values = []
        for place in range(len(kinds)):
            kind = kinds[place]
            if place >= len(tokens) and hasattr(kind, "missing"):
                values.append(kind.missing)
                continue
            if place >= len(tokens) or not tokens[place]:
                raise ScpiError(-109, self._name())
            try:
                values.append(kind.parse(tokens[place], self._numbers))
            except ScpiError as error:
                raise ScpiError(error.code, self._name() + " " + error.detail)
        return values

    def _limit(self, kinds, tokens):
        """The answer to a query for a setting's MINimum, MAXimum or DEFault."""
        if len(tokens) > 1 or len(kinds) != 1 or not hasattr(kinds[0], "named"):
            raise ScpiError(-108, self._name() + " " + printable(tokens[-1]))
        try:
            return kinds[0].format(kinds[0].named(tokens[0], self._numbers))
        except ScpiError as error:
            raise ScpiError(error.code, self._name() + " " + error.detail)

    def _name(self):
        """The header in execution, for an error's text."""
        return self._header.name() + ("?" if self._query else "")


def _answer(value, kinds):
    """A handler's result as response data."""
    if isinstance(value, (tuple, list)):
        texts = []
        for place in range(len(value)):
            texts.append(_element(value[place], kinds[place] if place < len(kinds) else None))
        return ",".join(texts)
    return _element(value, kinds[0] if kinds else None)


def _element(value, kind):
    if kind is not None:
        return kind.format(value)
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return value
    raise TypeError("no answer: " + repr(value))
