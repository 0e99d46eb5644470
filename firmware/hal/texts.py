"""A store of short texts by name, such as a person's own programs. Imported only when used.

Every change is atomic: after a power cut a text is the old one or the new one, whole.
"""

from firmware.core.refused import Refused
from firmware.hal import files
from firmware.hal.permit import need_permission

FOLDER = "programs"
MOST = 48
LONGEST = 2048  # bytes of a text
LONGEST_ID = 12
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def check_id(id):
    """Refused (-224) unless it is 1 to 12 of letters, digits, - and _."""
    _name(id)


def _name(id):
    """The file of an id; Refused (-224) unless it is 1 to 12 of letters, digits, - and _."""
    if not 1 <= len(id) <= LONGEST_ID:
        raise Refused(-224, f"id of {len(id)} characters, not 1 to {LONGEST_ID}")
    for letter in id:
        if letter not in _LETTERS:
            raise Refused(-224, f"id {id} has other than letters, digits, - and _")
    return FOLDER + "/" + id


def put(id, text):
    """Store a text (str) under an id, in place of what was there.

    Refused: -224 bad id, -223 too long, -320 store or flash full, -221 not while armed.
    """
    name = _name(id)
    data = text.encode()
    if len(data) > LONGEST:
        raise Refused(-223, f"text of {len(data)} bytes above {LONGEST}")
    need_permission()
    present = ids()
    if id not in present and len(present) >= MOST:
        raise Refused(-320, f"{MOST} texts are stored already")
    files.write(name, data)


def get(id):
    """A stored text. Refused: -224 there is none, -230 it is damaged (says how)."""
    try:
        data = files.read(_name(id))
    except files.Damaged as damage:
        raise Refused(-230, f"{id} is damaged: {damage}")
    if data is None:
        raise Refused(-224, f"no text {id}")
    return data.decode()


def ids():
    """The ids of all stored texts, damaged ones too, sorted."""
    return files.names(FOLDER)


def remove(id):
    """Delete a text. Refused: -224 there is none, -221 not while armed."""
    if not files.remove(_name(id)):
        raise Refused(-224, f"no text {id}")


def damaged():
    """[(id, reason)] of the texts that can't be read."""
    found = []
    for id in ids():
        try:
            files.read(FOLDER + "/" + id)
        except files.Damaged as damage:
            found.append((id, str(damage)))
    return found
