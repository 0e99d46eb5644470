"""Executes one program message unit: finds its row, reads all its parameters, then calls.

Finding follows the path rule of IEEE 488.2 (A.1): a header without a leading colon goes on where
the one before it in the line ended, less its last mnemonic; a leading colon begins at the root;
common commands leave the path alone.

What runs for every byte works in place, on numbers below 2**30, and takes nothing from the heap.
"""

from array import array

from .errors import ScpiError, told
from .table import call

DEEPEST = 8  # levels of a header
LONGEST = 12  # letters of a mnemonic
ROW = 3  # numbers of a row in the list
NOT_SENT = 0xFFFF  # in place of a suffix


def ptr8(memory):
    """To viper a pointer; elsewhere the array itself."""
    return memory


ptr16 = ptr8


class Interpreter:
    """Runs units against tables of commands (scpi.table, scpi.rows).

    table, at: the row found last, by the place in its table's text where its header ends.
    indefinite: the line holds an answer without a definite end (*IDN?).
    questions: of the line, as far as it has come: for each query without parameters its table and
    what that wants to be asked.
    """

    def __init__(self, *tables):
        self.indefinite = False
        self.questions = []
        self.tables = []
        self.table = None
        self.at = 0
        self.numbers = []  # the suffixes of the header found last
        self._rows = array("H")  # of each: mark of three letters, table, where it begins there
        self._query = False
        self._header = 0  # where the header found last begins in its table's text
        self._path = 0  # levels that the next header goes on from
        self._sent = bytearray(DEEPEST * LONGEST)  # mnemonics sent, in capitals, by level
        self._levels = array("H", bytes(4 * DEEPEST + 2))  # length and suffix of each; a length 0
        self._depth = 0  # of the header found last
        self._found = array("H", bytes(2 * DEEPEST + 6))  # level, wrong, count, suffixes...
        for table in tables:
            self.add(table)

    def add(self, table):
        """One more table; what it says first counts."""
        text = table.text
        at = text.find(b"\n") + 1
        rows = []
        while 0 < at < len(text):
            if text[at] in b":*[":
                start = _key(text, at)
                rows.append(_mark(text, start, _letters(text, start)))
                rows.append(len(self.tables))
                rows.append(at)
            at = text.find(b"\n", at) + 1
        self._rows = array("H", list(self._rows) + rows)
        self.tables.append(table)

    def __len__(self):
        return len(self._rows) // ROW

    def begin_line(self):
        """Back to the root."""
        self._path = 0
        self.indefinite = False
        self.questions.clear()

    def run(self, unit):
        """Execute a unit (bytes without white space around); a query's answer (bytes) or None.

        Raises ScpiError, or whatever the handler does; a handler is called only after every
        parameter has been read, so that a refused unit has changed nothing.
        """
        end = self.find(unit)
        table = self.table
        row = table.row(self.at)
        if self._query and end == len(unit) and not self.indefinite:
            names = table.names(row)
            if names is not None:
                numbers = tuple(self.numbers)
                self.questions.append((table, row, names, numbers))
                return table.ask(row, names, numbers)
        tokens = parameters(unit[end:]) if end < len(unit) else ()
        if self._query:
            return self._ask(table, row, tokens)
        on_set = table.handler(row, 0)
        if on_set is None:
            raise ScpiError(-113, self.name() + " without ?")
        call(on_set, self._values(table.kinds(row), tokens))
        return None

    def _ask(self, table, row, tokens):
        on_query = table.handler(row, 1)
        if on_query is None:
            raise ScpiError(-113, self.name())
        if self.indefinite:
            raise ScpiError(-440, self.name())
        values = self.numbers
        if tokens or not table.answers_as_set(row):
            kinds = table.kinds(row)
            if table.answers_as_set(row):
                return self._limit(kinds, tokens)
            values = self._values(kinds, tokens)
        return table.answer(row, call(on_query, values) if callable(on_query) else on_query)

    def _values(self, kinds, tokens):
        """The suffixes and the parameters sent as values of the kinds the row asks for."""
        if len(tokens) > len(kinds):
            raise told("error", -108, tokens[len(kinds)], "", self.name() + " ")
        values = list(self.numbers)
        for place, kind in enumerate(kinds):
            if place >= len(tokens) and hasattr(kind, "missing"):
                values.append(kind.missing)
                continue
            if place >= len(tokens) or not tokens[place]:
                raise ScpiError(-109, self.name())
            try:
                values.append(kind.parse(tokens[place], self.numbers))
            except ScpiError as error:
                raise ScpiError(error.code, self.name() + " " + error.detail)
        return values

    def _limit(self, kinds, tokens):
        """The answer to a query for a setting's MINimum, MAXimum or DEFault."""
        if len(tokens) > 1 or len(kinds) != 1 or not hasattr(kinds[0], "named"):
            raise told("error", -108, tokens[-1], "", self.name() + " ")
        try:
            return kinds[0].format(kinds[0].named(tokens[0], self.numbers)).encode()
        except ScpiError as error:
            raise ScpiError(error.code, self.name() + " " + error.detail)

    # -- headers

    def find(self, unit):
        """Find the row that a unit's header means; where in the unit the header ends."""
        end = _header_end(unit, len(unit))
        last = end - 1 if unit[end - 1] == 63 else end
        self._query = last < end
        start = 1 if unit[0] == 58 else 0
        depth = _take(unit, start, last, self._sent, self._levels, 0 if start else self._path)
        self._depth = depth
        common = unit[:last].upper() if unit[0] == 42 else None
        found = depth and self._search(depth, common)
        if common is None and depth:
            self._path = depth - 1
        if not found:
            raise told("undefined", unit[:last]) if last else told("error", -102, unit)
        return end

    def _search(self, depth, common):
        """Whether what was sent means a row; the mnemonic never left out is near the end."""
        rows = self._rows
        level = depth
        while level > (0 if common is None else depth - 1):
            level -= 1
            mark = _mark(self._sent, level * LONGEST, self._levels[2 * level])
            at = _next(rows, 0, len(rows), mark)
            while at >= 0:
                self.table = self.tables[rows[at + 1]]
                self._header = rows[at + 2]
                if self._is(depth) if common is None else self._is_common(common):
                    return True
                at = _next(rows, at + ROW, len(rows), mark)
        return False

    def _is(self, depth):
        """Whether the mnemonics sent mean the row looked at."""
        found = self._found
        sent = self._sent
        levels = self._levels
        table = self.table
        found[0] = found[1] = found[2] = 0
        if table.head and not _follow(table.head, 0, sent, levels, found):
            return False
        at = _follow(table.text, self._header, sent, levels, found)
        if not at or found[0] != depth:
            return False
        self.at = at
        if found[1]:
            raise ScpiError(-114, self.name() + told("span", self.declared(), self._said()))
        numbers = self.numbers
        numbers.clear()
        for i in range(found[2]):
            numbers.append(found[3 + i] - table.base)
        return True

    def _is_common(self, command):
        self.numbers.clear()
        text = self.table.text
        self.at = self._header + len(command)
        return text.startswith(command, self._header) and text[self.at] <= 32

    def declared(self):
        """The header found last as it is declared."""
        text = self.table.head.strip() + self.table.text[self._header : self.at]
        return str(text, "ascii")

    def _said(self):
        """(mnemonic, digits of its suffix) of each level sent."""
        said = []
        levels = self._levels
        for level in range(self._depth):
            start = level * LONGEST
            word = str(self._sent[start : start + levels[2 * level]], "ascii")
            suffix = levels[2 * level + 1]
            said.append((word, "" if suffix == NOT_SENT else str(suffix)))
        return said

    def name(self):
        """The header found last, in short form with the suffixes sent: "SOUR1:PULS:WIDT"."""
        name = told("name", self.declared(), self._said())
        return name + "?" if self._query else name


def _key(text, at):
    """Where a declared header's last mnemonic begins that can't be left out."""
    end = text.find(b" ", at)
    colon = text.rfind(b":", at, end)
    while colon > at and text[colon - 1] == 91:
        colon = text.rfind(b":", at, colon - 1)
    return max(colon + 1, at)


def _letters(text, at):
    """How many letters there are from `at` on, up to three; * is one."""
    count = 0
    while count < 3 and (text[at + count] & 0xDF > 64 or text[at + count] == 42):
        if text[at + count] == 91 or text[at + count] == 93:
            break
        count += 1
    return count


# viper
def _mark(text, at: int, count: int) -> int:
    """A number of the first three letters, which a mnemonic's short and long form share."""
    source = ptr8(text)
    mark = 0
    i = 0
    while i < 3:
        mark <<= 5
        if i < count:
            mark |= int(source[at + i]) & 31
        i += 1
    return mark


def parameters(data):
    """The parameters in what follows a header, without white space around them."""
    data = data.strip()
    if not data:
        return ()
    tokens = []
    start = 0
    while True:
        end = part_end(data, start, len(data), b",")
        if start == 0 and end == len(data):
            return (data,)
        tokens.append(data[start:end].strip())
        if end == len(data):
            return tokens
        start = end + 1


# viper
def part_end(text, at: int, end: int, mark) -> int:
    """Where the part beginning at `at` ends: at the next mark outside of quotes, or at `end`."""
    source = ptr8(text)
    wanted = int(ptr8(mark)[0])
    quote = 0
    while at < end:
        byte = int(source[at])
        if quote:
            if byte == quote:
                quote = 0
        elif byte == wanted:
            return at
        elif byte == 34 or byte == 39:
            quote = byte
        at += 1
    return at


# viper
def _header_end(unit, end: int) -> int:
    """Where the white space behind a header begins, or the unit ends."""
    text = ptr8(unit)
    at = 0
    while at < end and int(text[at]) != 32 and int(text[at]) != 9:
        at += 1
    return at


# viper
def _next(rows, at: int, end: int, mark: int) -> int:
    """The next row with a mark; -1 if there is none."""
    listed = ptr16(rows)
    while at < end:
        if int(listed[at]) == mark:
            return at
        at += 3
    return -1


# viper
def _take(unit, at: int, end: int, sent, levels, depth: int) -> int:
    """Note the mnemonics of a header and their suffixes, from level `depth` on; the levels then.

    0 if there are too many, or if one is too long or goes on behind its digits.
    """
    text = ptr8(unit)
    words = ptr8(sent)
    notes = ptr16(levels)
    length = 0
    suffix = 0xFFFF
    while at <= end:
        byte = 58
        if at < end:
            byte = int(text[at])
        if byte == 58:
            if depth > 7 or length > 12:
                return 0
            notes[2 * depth] = length
            notes[2 * depth + 1] = suffix
            depth += 1
            length = 0
            suffix = 0xFFFF
        elif length > 0 and byte > 47 and byte < 58:
            if suffix == 0xFFFF:
                suffix = 0
            if suffix < 6000:
                suffix = suffix * 10 + byte - 48
        else:
            if suffix != 0xFFFF:
                return 0
            if byte > 96:
                byte -= 32
            if length < 12 and depth < 8:  # no further than there is room
                words[depth * 12 + length] = byte
            length += 1
        at += 1
    notes[2 * depth] = 0
    return depth


# viper
def _follow(text, at: int, sent, levels, found) -> int:
    """Go along a declared header with the mnemonics sent; where it ends, or 0 if it isn't meant.

    found: how many of them it has taken, whether a suffix is wrong, how many suffixes it has, and
    each of them.
    """
    source = ptr8(text)
    words = ptr8(sent)
    notes = ptr16(levels)
    out = ptr16(found)
    level = int(out[0])
    byte = int(source[at])
    while byte > 32:
        optional = 0
        if byte == 91:
            optional = 1
            at += 1
        word = level * 12
        end = word + int(notes[2 * level])
        good = end - word  # 0 if it isn't this node's mnemonic
        long = 0
        while True:
            at += 1
            byte = int(source[at])
            if byte < 65 or byte == 91 or byte == 93:
                break
            if byte > 96:  # only of the long form
                byte -= 32
                if word == end:
                    if long == 1:
                        good = 0
                    continue
                long = 1
            if word < end and int(words[word]) == byte:
                word += 1
            else:
                good = 0
        suffix = 0xFFFF
        if good > 0 and word == end:
            suffix = int(notes[2 * level + 1])
            level += 1
        elif optional == 0:
            return 0
        if byte == 91 and int(source[at + 1]) != 58:
            low = -1
            high = 0
            while byte != 93:
                at += 1
                byte = int(source[at])
                if byte > 47 and byte < 58:
                    high = high * 10 + byte - 48
                else:
                    if low < 0:
                        low = high
                    if byte != 93:
                        high = 0
            at += 1
            if suffix == 0xFFFF:
                suffix = low
            if suffix < low or suffix > high:
                out[1] = 1
            good = int(out[2]) + 1
            out[2] = good
            out[2 + good] = suffix
        elif suffix != 0xFFFF:
            out[1] = 1
        at += optional
        byte = int(source[at])
    out[0] = level
    return at
