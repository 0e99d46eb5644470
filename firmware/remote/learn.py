"""*LRN?: every setting as the commands that restore it.

Imported when it is asked for, and dropped. Intensities are not among them: they begin at zero
after everything (SR-03).
"""


def answer(tables):
    """One line of units, each from the root, for the tables of settings.

    Sent back it may be cut at any semicolon, as it is longer than a line may be.
    """
    units = []
    for table in tables:
        head = str(table.head, "ascii").strip()
        for channel in (1, 2) if head[0] == "[" else (0,):
            path = "SOUR" + str(channel) if channel else _short(head)[1:]
            at = table.text.find(b"\n:")
            while at >= 0:
                end = table.text.find(b" ", at)
                header = _short(str(table.text[at + 1 : end], "ascii"))
                row = table.row(end)
                value = table.handler(row, 1)(max(channel - 1, 0))
                units.append(":" + path + header + " " + table.answer(row, value).decode())
                at = table.text.find(b"\n:", end)
    return ";".join(units)


def _short(header):
    return "".join([letter for letter in header if not "a" <= letter <= "z"])
