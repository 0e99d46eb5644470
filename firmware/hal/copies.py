"""A text kept in two copies with a generation number: one bad copy loses nothing.

Imported when used. Both copies are sealed files; the one with the higher generation counts.
"""

from firmware.core.refused import Refused
from firmware.hal import files


def _copy(name):
    """(generation, content, trouble) of one copy; generation 0 if it can't be used."""
    try:
        data = files.read(name)
    except files.Damaged as damage:
        return 0, b"", f"{name}: {damage}"
    if data is None:
        return 0, b"", f"{name}: missing"
    head, _, content = data.partition(b"\n")
    if head[:11] == b"generation " and head[11:].isdigit() and int(head[11:]):
        return int(head[11:]), content, ""
    return 0, b"", f"{name}: no generation"


def _write(name, generation, content):
    files.write(name, b"generation %d\n" % generation, content)


def load(name):
    """(content or None, troubles): the good content, after a bad or older copy was repaired.

    troubles: what was found wrong, a list of str; content None: neither copy can be used.
    """
    names = (name + ".a", name + ".b")
    copies = (_copy(names[0]), _copy(names[1]))
    best = 1 if copies[1][0] > copies[0][0] else 0
    generation, content, _ = copies[best]
    troubles = [copy[2] for copy in copies if copy[2]]
    if not generation:
        return None, troubles
    if copies[1 - best][0] != generation or copies[1 - best][1] != content:
        try:
            _write(names[1 - best], generation, content)
        except Refused as refusal:
            troubles.append(f"{names[1 - best]} not repaired: {refusal.text}")
    return content, troubles


def save(name, content):
    """Write both copies, one after the other. Refused as in files."""
    generation = 1 + max(_copy(name + ".a")[0], _copy(name + ".b")[0])
    _write(name + ".a", generation, content)
    _write(name + ".b", generation, content)
