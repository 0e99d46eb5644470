"""A table's headers, for a list of them; in memory only while it is asked for."""


def rows(table):
    """(header, whether it can set, whether it can be asked) of every row of a table."""
    text = table.text
    at = text.find(b"\n") + 1
    while 0 < at < len(text):
        if text[at] in b":*[":
            end = text.find(b" ", at)
            row = table.row(end)
            header = str(table.head.strip() + text[at:end], "ascii")
            yield header, table.has(row, 0), table.has(row, 1)
        at = text.find(b"\n", at) + 1


def headers(tables):
    """The declared headers, marked as in the standard if they only answer or only set."""
    found = []
    for table in tables:
        for header, can_set, can_ask in rows(table):
            if header[0] == "[":
                header = "[" + header[2:]
            elif header[0] == ":":
                header = header[1:]
            mark = "" if can_set and can_ask else "/nquery/" if can_set else "?/qonly/"
            found.append(header + mark)
    return ",".join(found)
