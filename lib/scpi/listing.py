"""A table's headers, for a list of them; in memory only while it is asked for."""


def rows(table):
    """(header, whether it can set, whether it can be asked) of every row of a table."""
    for line in str(table.text, "ascii").split("\n"):
        header = line.split(" ")[0]
        if header and header[0] in ":*[":
            at = table.text.find(("\n" + line).encode()) + 1 + len(header)
            header = str(table.head, "ascii").strip() + header
            row = table.row(at)
            yield header, table.has(row, 0), table.has(row, 1)


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
