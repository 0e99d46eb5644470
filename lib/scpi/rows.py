"""A command table as rows of Python: easier to write than a text (scpi.table), and larger."""

from .table import plain


class Rows:
    """Rows (header, set handler or None, query handler or None, parameters...).

    Headers are those of scpi.table; a colon at their beginning may be left out. A handler is a
    function or, for a query, a value; it gets the header's suffixes and then the parameters. If a
    row can also set, its query is answered in the form that setting takes, otherwise the
    parameters are the query's own.
    """

    base = 0
    head = b""

    def __init__(self, rows):
        self._rows = tuple(rows)
        lines = [_rooted(row[0]) + " " + str(place) for place, row in enumerate(self._rows)]
        self.text = ("\n" + "\n".join(lines) + "\n").encode()

    def row(self, at):
        """The row whose header ends at `at`."""
        return self._rows[int(self.text[at : self.text.find(b"\n", at)])]

    def has(self, row, query):
        return row[1 + query] is not None

    def names(self, row):
        """None: every query takes the long way."""

    def handler(self, row, query):
        return row[1 + query]

    def kinds(self, row):
        return row[3:]

    def answers_as_set(self, row):
        return self.has(row, 0)

    def answer(self, row, value):
        kinds = self.kinds(row) if self.answers_as_set(row) else ()
        if not isinstance(value, (tuple, list)):
            return kinds[0].format(value).encode() if kinds else plain(value)
        texts = []
        for place, one in enumerate(value):
            texts.append(kinds[place].format(one).encode() if place < len(kinds) else plain(one))
        return b",".join(texts)


def _rooted(header):
    if header[0] in "*:":
        return header
    return "[:" + header[1:] if header[0] == "[" else ":" + header
