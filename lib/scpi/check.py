"""Whether command tables are sound; for a developer's tests, not imported on the device."""

from .listing import rows


def check(*tables):
    """ValueError if a header is malformed, or if two rows may be meant by the same words."""
    owners = {}
    for table in tables:
        for header, _, _ in rows(table):
            for way in _ways(_nodes(header)) if header[0] != "*" else (header,):
                if way in owners:
                    raise ValueError("declared twice: " + owners[way] + " and " + header)
                owners[way] = header


def _short(word):
    return "".join([letter for letter in word if not "a" <= letter <= "z"])


def _ways(nodes):
    """Every way to write a header, without suffixes."""
    ways = [""]
    for name, optional in nodes:
        forms = {":" + _short(name), ":" + name.upper()}
        longer = [way + form for way in ways for form in sorted(forms)]
        ways = ways + longer if optional else longer
    return ways


def _nodes(header):
    """The nodes of a declared header as (mnemonic, optional)."""
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
        if optional and (name.endswith("]]") or "[" not in name):
            inside = not name.endswith("]")
            name = name[:-1]
        if name.endswith("]"):
            name, span = name[:-1].split("[")
            numbers = span.replace("..", "|").split("|")
            if int(numbers[0]) > int(numbers[-1]):
                raise ValueError("header: " + header)
        if inside or not name or "[" in name or "]" in name or name[-1].isdigit():
            raise ValueError("header: " + header)
        if not name.startswith(_short(name)):
            raise ValueError("header: capitals of " + name + " do not come first")
        nodes.append((name, optional))
    if not nodes or nodes[-1][1] and all(optional for _, optional in nodes):
        raise ValueError("header: nothing of " + header + " must be sent")
    return nodes
