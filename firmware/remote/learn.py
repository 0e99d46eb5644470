"""*LRN?: every setting as the commands that restore it.

Imported when it is asked for, and dropped. Intensities are not among them: they begin at zero
after everything (SR-03).
"""


def learn(tables):
    """One line of units, each from the root, for tables of settings' rows.

    Sent back it may be cut at any semicolon, as it is longer than a line may be.
    """
    units = []
    for table in tables:
        for place in range(len(table)):
            header, _, get, kind = table[place]
            channels = (1, 2) if "[1|2]" in header else (0,)
            for channel in channels:
                name = _short(header.replace("[SOURce[1|2]]", "SOUR" + str(channel)))
                value = get(channel) if channel else get()
                units.append(":" + name + " " + kind.format(value))
    return ";".join(units)


def _short(header):
    return "".join([letter for letter in header if not "a" <= letter <= "z"])
