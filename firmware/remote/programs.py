"""Commands for programs: list, load, read as text, store and delete.

What does the work (program_work.py) and the texts' parser are imported for one command and
dropped. A text is sent line by line and stored when its end is sent, or not at all.
"""

from firmware.core.refused import Refused
from firmware.core.unload import unload
from scpi import Integer, Optional, Text, quoted

_BORROWED = (
    "firmware.remote.program_work",
    "firmware.programs.format",
    "firmware.programs.classes",
    "firmware.safety.loading",
    "firmware.hal.shelf",
    "firmware.hal.texts",
)
LONGEST_LINE = 200
MOST_LINES = 60

# Header, set handler, query handler, parameters: i an id, c a channel that may be left out,
# n a number, l a line.
_ROWS = (
    ("PROGram:CATalog", None, "catalog", ""),
    ("PROGram:CATalog:USER", None, "own", ""),
    ("PROGram:LOAD", "load", None, "ic"),
    ("PROGram:SELected", None, "selected", ""),
    ("PROGram:MODE", None, "mode", ""),
    ("SESSion:MODE", None, "mode", ""),
    ("PROGram:LINE:COUNt", None, "line_count", "i"),
    ("PROGram:LINE", None, "line", "in"),
    ("PROGram:IMPort:BEGin", "begin", None, ""),
    ("PROGram:IMPort:LINE", "add", None, "l"),
    ("PROGram:IMPort:END", "end", None, ""),
    ("PROGram:DELete", "delete", None, "i"),
)


def _kind(letter):
    if letter == "i":
        return Text(40)
    if letter == "l":
        return Text(LONGEST_LINE)
    return Integer(1) if letter == "n" else Optional(Integer(1, 2), 0)


class ProgramRows:
    """The table of these commands; a row is made when it is asked for, as memory is scarce."""

    def __len__(self):
        return len(_ROWS)

    def headers(self):
        for row in _ROWS:
            yield row[0]

    def __getitem__(self, place):
        header, put, get, letters = _ROWS[place]
        put = put and "programs." + put
        get = get and "programs." + get
        return (header, put, get) + tuple([_kind(letter) for letter in letters])


class Programs:
    """Programs of one stimulator. `shelf`: a function that imports and returns hal/shelf.py."""

    def __init__(self, stimulator, shelf):
        self._stimulator = stimulator
        self._shelf = shelf
        self._lines = None  # of a text that is being sent

    def _work(self, name, *values):
        """Call a function of program_work.py, and forget it all."""
        from firmware.remote import program_work

        try:
            return getattr(program_work, name)(self._shelf(), *values)
        finally:
            for module in _BORROWED:
                unload(module)

    def catalog(self):
        return self._work("catalog")

    def own(self):
        return self._work("own")

    def load(self, id, channel):
        """Load a program on both channels, or its settings on one of them."""
        self._work("load", self._stimulator, id, channel)

    def selected(self):
        return tuple([quoted(id) for id in self._stimulator.loaded])

    def mode(self):
        return self._stimulator.mode

    def line_count(self, id):
        return self._work("line_count", id)

    def line(self, id, number):
        return self._work("line", id, number)

    def begin(self):
        self._lines = []

    def add(self, line):
        if self._lines is None:
            raise Refused(-221, "no import has begun")
        if len(self._lines) >= MOST_LINES:
            raise Refused(-223, f"more than {MOST_LINES} lines")
        self._lines.append(line)

    def end(self):
        """Store the lines sent since begin(); whatever is refused, nothing is stored."""
        lines = self._lines
        if lines is None:
            raise Refused(-221, "no import has begun")
        self._lines = None
        self._work("store", self._stimulator, lines)

    def delete(self, id):
        self._work("delete", id)
