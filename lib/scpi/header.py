"""Finds the row of a header, with the path rule of IEEE 488.2 (A.1).

A header without a leading colon goes on where the one before it in the line ended, less its
last mnemonic; a leading colon begins at the root; common commands leave the path alone.
"""

from .errors import ScpiError, printable
from .words import LONGEST_WORD

DEEPEST = 8

_NOT_SENT = -1


class HeaderPath:
    """Where in the tree a line is. Of these there may be several to a tree.

    owner: of the row that find() returned.
    """

    def __init__(self, tree):
        self.owner = None
        self._tree = tree
        self._words = [b""] * DEEPEST  # mnemonics sent, by level
        self._sent = [_NOT_SENT] * DEEPEST  # and their suffixes
        self._path = 0  # levels that the next header goes on from
        self._depth = 0
        self._nodes = b""  # of the header found last as it is declared; a common command as sent

    def rewind(self):
        """Back to the root, as at the start of every line."""
        self._path = 0

    def find(self, header, numbers):
        """The row of a header (bytes, as sent, without ?); `numbers` becomes its suffixes."""
        text = header.upper()
        first = text[0]
        if first == 42:
            numbers.clear()
            row = self._search(text, text, None)
        else:
            depth = self._path
            if first == 58:
                depth = 0
                text = text[1:]
            self._depth = depth = self._take(text, depth, header)
            row = None
            level = depth
            while row is None and level:  # the one that is never left out is near the end
                level -= 1
                row = self._search(self._words[level], None, numbers)
            self._path = depth - 1
        if row is None:
            raise _undefined(header)
        return row

    def _take(self, text, depth, header):
        """Note the mnemonics sent and their suffixes; returns how many levels there are."""
        for mnemonic in text.split(b":"):
            if depth == DEEPEST:
                raise _undefined(header)
            end = len(mnemonic)
            while end and 47 < mnemonic[end - 1] < 58:
                end -= 1
            number = _NOT_SENT
            if end < len(mnemonic):
                number = int(mnemonic[end:]) if len(mnemonic) - end < 6 else 99999
                mnemonic = mnemonic[:end]
            self._words[depth] = mnemonic
            self._sent[depth] = number
            depth += 1
        return depth

    def _search(self, mnemonic, common, numbers):
        """The row with this mnemonic that the words sent, or the common command, mean."""
        tree = self._tree
        place = tree.find(mnemonic)
        while place >= 0:
            row = tree.row(place)
            declared = row[0]
            if common:
                if declared.encode() == common:
                    self._nodes = common
                    self.owner = tree.owner(place)
                    return row
            elif declared[0] != "*":
                nodes = declared.replace("[:", ":[").encode().split(b":")
                self._nodes = nodes
                if self._is(nodes, numbers):
                    self.owner = tree.owner(place)
                    return row
            place = tree.find(mnemonic, place + 1)
        return None

    def _is(self, nodes, numbers):
        """Whether the words sent are a declared header; then `numbers` becomes its suffixes."""
        numbers.clear()
        depth = self._depth
        level = 0
        wrong = None
        for node in nodes:
            number = _NOT_SENT
            if level < depth and _means(self._words[level], node):
                number = self._sent[level]
                level += 1
            elif node and node[0] != 91:
                return False
            span = node.find(b"[", 1)
            if span < 0:
                if number != _NOT_SENT:
                    wrong = ""
                continue
            low = _NOT_SENT
            high = 0
            for at in range(span + 1, len(node)):
                byte = node[at]
                if 48 <= byte <= 57:
                    high = high * 10 + byte - 48
                    continue
                if low == _NOT_SENT:
                    low = high
                if byte == 93:
                    break
                high = 0
            if number == _NOT_SENT:
                number = low
            elif not low <= number <= high:
                wrong = " is not " + str(low) + ".." + str(high)
            numbers.append(number)
        if level != depth:
            return False
        if wrong is not None:
            raise ScpiError(-114, self.name() + wrong)
        return True

    def name(self):
        """The header found last, in short form with the suffixes sent: "SOUR1:PULS:WIDT"."""
        if isinstance(self._nodes, bytes):
            return str(self._nodes, "ascii")
        words = []
        for node in self._nodes:
            level = len(words)
            if level < self._depth and _means(self._words[level], node):
                name = ""
                for byte in self._words[level]:
                    at = len(name) + (node[0] == 91)
                    if 97 <= node[at] <= 122:
                        break
                    name = name + chr(byte)
                if self._sent[level] != _NOT_SENT:
                    name = name + str(self._sent[level])
                words.append(name)
        return ":".join(words)


def _means(word, node):
    """Whether a word in capitals is the short or the long form of a declared node's mnemonic."""
    start = 1 if node and node[0] == 91 else 0
    end = start + len(word)
    if end < len(node):
        byte = node[end]
        if 97 <= byte <= 122:
            return node.startswith(word, start)  # the short form
        if byte != 91 and byte != 93:
            return False
    return end > start and node.upper().startswith(word, start)


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
