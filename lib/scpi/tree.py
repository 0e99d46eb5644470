"""The command table, compiled to a lookup.

A table is a sequence of rows (header, set handler or None, query handler or None, parameters...).
Headers are written as in the standard: "[SOURce[1|2]]:CURRent[:LEVel]", "MEASure[1..4]:VOLTage".
Capitals are the short form, [] a node that may be left out, [1|2] or [1..4] a numeric suffix
whose first number is meant when none is sent.

Every mnemonic has a number, and a path of them is one integer with these numbers as its digits,
so that one dictionary finds a header, and going up a level is one division.
"""

from .words import short_form

LEFT_OUT = -1  # the level of a slot whose node isn't in the header

_NO_SUFFIX = -1


class CommandTree:
    """The table and its lookup; it never changes once it is made."""

    def __init__(self, commands):
        self.commands = commands
        self.words = {}  # mnemonic, short and long -> its number
        self.names = [b""]  # number -> short form
        self.common = {}  # b"*IDN" -> row
        self.routes = {}  # path -> (row, slots): what fills each suffix, see _add
        headers = [_nodes(row[0]) for row in commands]
        owners = {}
        for nodes in headers:
            for node in nodes:
                self._enter(node[0], owners)
        self.base = len(self.names)
        shared = {}
        for place, row in enumerate(commands):
            if row[0][0] == "*":
                self._put(self.common, row[0].encode(), row, row[0])
            else:
                self._add(row, headers[place], shared)

    def headers(self):
        """The declared headers, marked as in the standard if they only answer or only set."""
        for row in self.commands:
            if row[1] is None:
                yield row[0] + "?/qonly/"
            elif row[2] is None:
                yield row[0] + "/nquery/"
            else:
                yield row[0]

    def _enter(self, mnemonic, owners):
        """Number a mnemonic. Both its forms have one number, unless two mnemonics share their
        short form (STATus, STATe): then the short form and each long one have their own.
        """
        long = mnemonic.upper().encode()
        if long in self.words:
            return
        short = short_form(mnemonic).encode()
        if short not in self.words:
            self.words[short] = self._new(short)
            if short == long:
                return
        owner = owners.get(short)
        if owner is None:
            owners[short] = long
            self.words[long] = self.words[short]
            return
        self.words[long] = self._new(short)
        if self.words[owner] == self.words[short]:
            self.words[owner] = self._new(short)

    def _new(self, short):
        self.names.append(short)
        return len(self.names) - 1

    def _add(self, row, nodes, shared, at=0, path=0, level=0, slots=()):
        """Enter every header that leads to a row, the nodes before `at` being chosen.

        A slot is (level of its node in the header or LEFT_OUT, lowest, highest).
        """
        if at == len(nodes):
            slots = shared.setdefault(slots, slots)
            self._put(self.routes, path, (row, slots), row[0])
            return
        mnemonic, optional, low, high = nodes[at]
        at += 1
        numbered = low != _NO_SUFFIX
        here = slots + ((level, low, high),) if numbered else slots
        long = self.words[mnemonic.upper().encode()]
        short = self.words[self.names[long]]
        self._add(row, nodes, shared, at, path * self.base + long, level + 1, here)
        if long != short:
            self._add(row, nodes, shared, at, path * self.base + short, level + 1, here)
        if optional:
            if numbered:
                slots = slots + ((LEFT_OUT, low, high),)
            self._add(row, nodes, shared, at, path, level, slots)

    def _put(self, table, key, value, header):
        if key in table:
            raise ValueError("declared twice: " + header)
        table[key] = value


def _nodes(header):
    """The nodes of a declared header: (mnemonic, optional, lowest suffix or -1, highest)."""
    if header[0] == "*":
        return []
    nodes = []
    inside = False
    for part in header.replace("[:", ":[").split(":"):
        if not part:
            continue
        name = part
        if name[0] == "[":
            inside = True
            name = name[1:]
        optional = inside
        low = high = _NO_SUFFIX
        if optional and (name.endswith("]]") or "[" not in name):
            inside = not name.endswith("]")
            name = name[:-1]
        if name.endswith("]"):
            name, span = name[:-1].split("[")
            numbers = span.replace("..", "|").split("|")
            low = int(numbers[0])
            high = int(numbers[-1])
        if inside or not name or "[" in name or "]" in name or name[-1].isdigit():
            raise ValueError("header: " + header)
        nodes.append((name, optional, low, high))
    return nodes
