"""Follows headers through a command tree, with the path rule of IEEE 488.2 (A.1).

A header without a leading colon goes on where the one before it in the line ended, less its
last mnemonic; a leading colon begins at the root; common commands leave the path alone.
"""

from .errors import ScpiError, printable
from .tree import LEFT_OUT
from .words import LONGEST_WORD

DEEPEST = 8

_NOT_SENT = -1


class HeaderPath:
    """Where in the tree a line is. Of these there may be several to a tree."""

    def __init__(self, tree):
        self._tree = tree
        self._sent = [_NOT_SENT] * DEEPEST  # suffixes sent, by level
        self._path = 0
        self._depth = 0
        self._found = 0
        self._found_depth = 0
        self._found_common = b""

    def rewind(self):
        """Back to the root, as at the start of every line."""
        self._path = 0
        self._depth = 0

    def find(self, header, numbers):
        """The row of a header (bytes, as sent, without ?); `numbers` becomes its suffixes."""
        tree = self._tree
        text = header.upper()
        numbers.clear()
        first = text[0]
        if first == 42:
            row = tree.common.get(text)
            if row is None:
                raise _undefined(header)
            self._found_common = text
            self._found = 0
            return row
        if first == 58:
            path = depth = 0
            text = text[1:]
        else:
            path = self._path
            depth = self._depth
        sent = self._sent
        for mnemonic in text.split(b":"):
            if depth == DEEPEST:
                raise _undefined(header)
            end = len(mnemonic)
            while end and 47 < mnemonic[end - 1] < 58:
                end -= 1
            if end == len(mnemonic):
                sent[depth] = _NOT_SENT
            else:
                sent[depth] = int(mnemonic[end:]) if len(mnemonic) - end < 6 else 99999
                mnemonic = mnemonic[:end]
            number = tree.words.get(mnemonic)
            if number is None:
                raise _undefined(header)
            path = path * tree.base + number
            depth += 1
        route = tree.routes.get(path)
        if route is None:
            raise _undefined(header)
        self._found = path
        self._found_depth = depth
        self._fill(route[1], numbers, depth)
        self._path = path // tree.base
        self._depth = depth - 1
        return route[0]

    def name(self):
        """The header found last, in short form with the suffixes sent: "SOUR1:PULS:WIDT"."""
        if not self._found:
            return str(self._found_common, "ascii")
        tree = self._tree
        words = []
        path = self._found
        level = self._found_depth
        while path:
            level -= 1
            name = str(tree.names[path % tree.base], "ascii")
            if self._sent[level] != _NOT_SENT:
                name = name + str(self._sent[level])
            words.insert(0, name)
            path //= tree.base
        return ":".join(words)

    def _fill(self, slots, numbers, depth):
        """Turn the suffixes sent into one number for each slot of the row."""
        sent = self._sent
        unused = 0
        for level in range(depth):
            if sent[level] != _NOT_SENT:
                unused += 1
        for level, low, high in slots:
            number = _NOT_SENT if level == LEFT_OUT else sent[level]
            if number == _NOT_SENT:
                number = low
            else:
                unused -= 1
                if not low <= number <= high:
                    raise ScpiError(-114, self.name() + " is not " + str(low) + ".." + str(high))
            numbers.append(number)
        if unused:
            raise ScpiError(-114, self.name())


def _undefined(header):
    """Why a header that leads nowhere doesn't."""
    code = -113
    length = 0
    for byte in header:
        length += 1
        if byte == 58:
            length = 0
        elif not (65 <= byte & 0xDF <= 90 or 48 <= byte <= 57 or byte == 95 or byte == 42):
            code = -103 if byte == 44 else -111
            break
        if length > LONGEST_WORD:
            code = -112
    if code == -111 and not length - 1:
        code = -102
    return ScpiError(code, printable(header, 60))
