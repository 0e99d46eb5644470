"""Where programs stand: the library in one of the firmware's files, a person's own in the store.

Imported only when used. In the library's file one text follows the other; each begins with
"program ID".
"""

from firmware.core.refused import Refused
from firmware.hal import texts

_HEAD = "program "


def _library():
    return open(__file__.rsplit("/", 2)[0] + "/programs.txt")


def library():
    """The ids of the programs that came with the firmware, sorted."""
    with _library() as file:
        return sorted([line[len(_HEAD) :].strip() for line in file if line.startswith(_HEAD)])


def own():
    """The ids of the programs stored by the user, sorted."""
    return texts.ids()


def text(id):
    """A program's text. Refused: -224 there is none, -230 the stored one is damaged."""
    texts.check_id(id)
    found = _of_library(id)
    if found:
        return found
    try:
        return texts.get(id)
    except Refused as error:
        if error.code == -224:
            raise Refused(-224, f"no program {id}")
        raise


def _of_library(id):
    lines = []
    with _library() as file:
        for line in file:
            if line.startswith(_HEAD):
                if lines:
                    break
                if line[len(_HEAD) :].strip() != id:
                    continue
            elif not lines:
                continue
            lines.append(line)
    return "".join(lines)


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
