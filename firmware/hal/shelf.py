"""Where programs stand: the library among the firmware's files, a person's own in the store.

Imported only when used.
"""

import os

from firmware.core.refused import Refused
from firmware.hal import texts

_ENDING = ".txt"


def _folder():
    return __file__.rsplit("/", 2)[0] + "/programs"


def library():
    """The ids of the programs that came with the firmware, sorted."""
    cut = len(_ENDING)
    return sorted([name[:-cut] for name in os.listdir(_folder()) if name.endswith(_ENDING)])


def own():
    """The ids of the programs stored by the user, sorted."""
    return texts.ids()


def text(id):
    """A program's text. Refused: -224 there is none, -230 the stored one is damaged."""
    texts.check_id(id)
    try:
        with open(_folder() + "/" + id + _ENDING) as file:
            return file.read()
    except OSError:
        pass
    try:
        return texts.get(id)
    except Refused as error:
        if error.code == -224:
            raise Refused(-224, f"no program {id}")
        raise


def put(id, content):
    """Store a program of the user's own; Refused (-224) for an id of the library."""
    if id in library():
        raise Refused(-224, f"{id} is a program of the library; it can't be replaced")
    texts.put(id, content)


def remove(id):
    """Delete a program of the user's own; Refused (-224) for any other."""
    if id in library():
        raise Refused(-224, f"{id} is a program of the library; it can't be deleted")
    if id not in texts.ids():
        raise Refused(-224, f"no program {id}")
    texts.remove(id)
