"""The command table, and which of its rows a header may mean.

A table is a sequence of rows (header, set handler or None, query handler or None, parameters...).
Headers are written as in the standard: "[SOURce[1|2]]:CURRent[:LEVel]", "MEASure[1..4]:VOLTage".
Capitals are the short form, [] a node that may be left out, [1|2] or [1..4] a numeric suffix
whose first number is meant when none is sent. scpi.check tells whether a table is sound.

A handler is a function, or a str that names one (or, for a query, a value) below the table's
owner: "start", "status.event_enable". A name takes less memory than a lambda or a bound method.

Nothing is compiled, as memory is scarce. A row has three letters here: the first ones of the
last node that can't be left out, which its short and its long form share. The few rows that these
leave in question are compared with the header sent as they are declared.
"""

KEY = 3  # letters


class CommandTree:
    """Tables of rows; they never change once they are in.

    A table may make its rows when they are asked for: it then has `headers()`, which yields
    theirs in order, beside len() and [].
    """

    def __init__(self, commands=(), owner=None):
        self._tables = []
        self._keys = b""
        self.add(commands, owner)

    def add(self, commands, owner=None):
        """Append a table; `owner` is where the handlers that are names are looked for."""
        self._tables.append((commands, owner))
        keys = [self._keys]
        for header in _headers(commands):
            keys.append(_key(_certain(header.upper().encode())))
        self._keys = b"".join(keys)

    def __len__(self):
        return len(self._keys) // KEY

    def find(self, mnemonic, place=0):
        """The first place from `place` on of a row that may have this mnemonic, or -1."""
        wanted = _key(mnemonic)
        at = place * KEY
        while True:
            at = self._keys.find(wanted, at)
            if at < 0:
                return -1
            if at % KEY == 0:
                return at // KEY
            at += 1

    def row(self, place):
        """The row at a place."""
        for commands, _ in self._tables:
            if place < len(commands):
                return commands[place]
            place -= len(commands)
        raise IndexError(place)

    def owner(self, place):
        """The owner of the table at a place."""
        for commands, owner in self._tables:
            if place < len(commands):
                return owner
            place -= len(commands)
        raise IndexError(place)

    def headers(self):
        """The declared headers, marked as in the standard if they only answer or only set."""
        for place in range(len(self)):
            row = self.row(place)
            if row[1] is None:
                yield row[0] + "?/qonly/"
            elif row[2] is None:
                yield row[0] + "/nquery/"
            else:
                yield row[0]


def _key(mnemonic):
    return mnemonic[:KEY] if len(mnemonic) >= KEY else (mnemonic + b"   ")[:KEY]


def _headers(commands):
    if hasattr(commands, "headers"):
        return commands.headers()
    return [row[0] for row in commands]


def _certain(header):
    """The last mnemonic of a declared header (bytes) that can't be left out."""
    while header.endswith(b"]"):
        optional = header.rfind(b"[:")
        if optional < 0 or not (header.endswith(b"]]") or header.rfind(b"[") == optional):
            break
        header = header[:optional]
    mnemonic = header[header.rfind(b":") + 1 :]
    suffix = mnemonic.find(b"[")
    return mnemonic if suffix < 0 else mnemonic[:suffix]
