"""Where the parts of a line begin and end. Quotes protect `;` and `,`."""


def unit_end(line, start):
    """The index of the `;` that ends the unit beginning at `start`, or of the line's end."""
    return _find(line, 59, b";", start)


def header_end(unit):
    """The index of the white space after the header, or of the unit's end."""
    space = unit.find(b" ")
    tab = unit.find(b"\t")
    if space < 0 or 0 <= tab < space:
        space = tab
    return len(unit) if space < 0 else space


def parameters(data):
    """The parameters in what follows a header, without white space around them."""
    data = data.strip()
    if not data:
        return ()
    tokens = []
    start = 0
    while True:
        end = _find(data, 44, b",", start)
        if start == 0 and end == len(data):
            return (data,)
        tokens.append(data[start:end].strip())
        if end == len(data):
            return tokens
        start = end + 1


def _find(text, wanted, mark, start):
    if text.find(b'"', start) < 0 and text.find(b"'", start) < 0:
        at = text.find(mark, start)
        return len(text) if at < 0 else at
    quote = 0
    for at in range(start, len(text)):
        byte = text[at]
        if quote:
            if byte == quote:
                quote = 0
        elif byte == 34 or byte == 39:
            quote = byte
        elif byte == wanted:
            return at
    return len(text)
