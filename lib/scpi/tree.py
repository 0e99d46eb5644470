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


class Route:
    """A row of the table as one of its headers reaches it."""

    def __init__(self, row, slots):
        self.header = row[0]
        self.on_set = row[1]
        self.on_query = row[2]
        self.parameters = row[3:]
        self.slots = slots  # (level of its node or LEFT_OUT, lowest, highest) of each suffix


class CommandTree:
    """The table and its lookup; it never changes once it is made."""

    def __init__(self, commands):
        self.commands = commands
        self.words = {}  # mnemonic, short and long -> its number
        self.names = [b""]  # number -> short form
        self.common = {}  # b"*IDN" -> route
        self.routes = {}  # path -> route
        owners = {}
        for row in commands:
            for node in _nodes(row[0]):
                self._enter(node[0], owners)
        self.base = len(self.names)
        for row in commands:
            if row[0][0] == "*":
                self._put(self.common, row[0].encode(), Route(row, ()))
            else:
                self._add(row, _nodes(row[0]), {})

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
        short = short_form(mnemonic).encode()
        long = mnemonic.upper().encode()
        if short not in self.words:
            self.words[short] = self._new(short)
        if long in self.words:
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

    def _add(self, row, nodes, routes, path=0, level=0, slots=()):
        """Enter every header that leads to a row, given the nodes still to come."""
        if not nodes:
            if slots not in routes:
                routes[slots] = Route(row, slots)
            self._put(self.routes, path, routes[slots])
            return
        mnemonic, optional, low, high = nodes[0]
        slot = () if low == _NO_SUFFIX else ((level, low, high),)
        short = self.words[short_form(mnemonic).encode()]
        long = self.words[mnemonic.upper().encode()]
        below = path * self.base
        self._add(row, nodes[1:], routes, below + short, level + 1, slots + slot)
        if long != short:
            self._add(row, nodes[1:], routes, below + long, level + 1, slots + slot)
        if optional:
            slot = () if low == _NO_SUFFIX else ((LEFT_OUT, low, high),)
            self._add(row, nodes[1:], routes, path, level, slots + slot)

    def _put(self, table, key, route):
        if key in table:
            raise ValueError("declared twice: " + route.header)
        table[key] = route


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
