"""What has to be changed on a board, and in which order.

A deployment may end after any step: cable pulled, computer asleep. So that what is left never
runs half a firmware and never starts with its pins floating:

1. main.py is removed before any other file is touched: from then on the board boots to its prompt.
2. What does not belong there any more goes.
3. boot.py, which holds the pins low and imports nothing of ours, is replaced by renaming a file
   whose hash was checked: there is never a moment with half of it. The modules follow in any
   order; nothing starts them.
4. main.py comes back last, again by a rename, after every other file was checked.

If a step fails, so that main.py is missing, the next run of `flash` goes on from there.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import NamedTuple

BOOT, MAIN = "boot.py", "main.py"
REMOVE, WRITE, REPLACE = "remove", "write", "replace"
NEW = ".new"
"""Ending of a file on the board that is to replace another one."""


class Step(NamedTuple):
    """REMOVE a file; WRITE one in place; REPLACE one by a rename once its hash is right."""

    kind: str
    path: str


def steps(have: Mapping[str, str], want: Mapping[str, bytes]) -> list[Step]:
    """From the files that are on the board (path to hex SHA-256) to those that should be.

    `have` holds only files that are ours (see `is_ours`); none is left that `want` lacks.
    Nothing is changed that is right already, except that main.py goes while others change.
    """
    differ = {path for path in want if have.get(path) != digest(want[path])}
    surplus = sorted(path for path in have if path not in want)
    others = sorted(differ - {BOOT, MAIN})
    if not differ and not surplus:
        return []
    plan: list[Step] = []
    touched = bool(surplus or others or BOOT in differ)
    if MAIN in have and touched:
        plan.append(Step(REMOVE, MAIN))
    plan += [Step(REMOVE, path) for path in surplus if path != MAIN]
    if BOOT in differ:
        plan.append(Step(REPLACE, BOOT))
    plan += [Step(WRITE, path) for path in others]
    if MAIN in want and (touched or MAIN in differ):
        plan.append(Step(REPLACE, MAIN))
    return plan


def digest(content: bytes) -> str:
    return sha256(content).hexdigest()


def roots(want: Mapping[str, bytes]) -> list[str]:
    """Where files of ours can be: firmware/, our packages in lib/, and single files.

    Other files in lib/ and at the top, and everything under data/, are the user's.
    """
    found = {BOOT, MAIN, BOOT + NEW, MAIN + NEW, "firmware"}
    for path in want:
        parts = path.split("/")
        if parts[0] == "lib":
            found.add("/".join(parts[:2]))
        elif len(parts) == 1:
            found.add(path)
    for path in list(found):
        stem, dot, ending = path.rpartition(".")
        if dot and ending in ("py", "mpy") and path not in (BOOT, MAIN):
            found.add(f"{stem}.{'py' if ending == 'mpy' else 'mpy'}")  # its other form hides it
    return sorted(found)
