"""Files that survive a power cut at any write: afterwards the old content or the new is there.
A sealed file ends in a line with the CRC-32 of all before it. New content goes to a file of its
own, which is closed and then renamed over the old one: littlefs does that in a single commit.
"""

import binascii
import os

from firmware.core.refused import Refused
from firmware.hal.permit import need_permission

FOLDER = "/data"
NEW = ".new"  # ending of what is being written; left behind by a power cut, it is overwritten
SEAL = 16  # bytes of the last line, "#crc32 1234abcd\n"
_ENOENT = 2
_EEXIST = 17


class Damaged(Exception):
    """A sealed file whose content is not what was written; str() says what is wrong."""


def path_of(name):
    return FOLDER + "/" + name


def write(name, *parts):
    """Replace a file of the data folder by a sealed one of these parts, or change nothing.

    Refused: -221 not now, -320 flash full or another error of the file system.
    """
    crc = 0
    for part in parts:
        crc = binascii.crc32(part, crc)
    write_plain(name, *(parts + (seal(crc),)))


def write_plain(name, *parts):
    """Like write, without a seal: for content that has its own."""
    need_permission()
    path = path_of(name)
    try:
        with _open(path + NEW, "wb") as file:
            for part in parts:
                file.write(part)
        os.rename(path + NEW, path)
    except OSError as error:
        raise _refusal(error)


def append(name, part):
    """Add to the end of a file, which is made if there is none; all of the part or nothing."""
    need_permission()
    try:
        with _open(path_of(name), "ab") as file:
            file.write(part)
    except OSError as error:
        raise _refusal(error)


def seal(crc):
    """The last line of a sealed file."""
    return b"#crc32 %08x\n" % crc


def _open(path, mode):
    try:
        return open(path, mode)
    except OSError as error:
        if error.errno != _ENOENT:
            raise
    _make_folders(path)
    return open(path, mode)


def _make_folders(path):
    at = path.find("/", 1)
    while at > 0:
        try:
            os.mkdir(path[:at])
        except OSError as error:
            if error.errno != _EEXIST:
                raise
        at = path.find("/", at + 1)


def read(name):
    """The content of a sealed file without its seal; None if there is no such file.

    Raises Damaged when it is not what was written.
    """
    path = path_of(name)
    try:
        size = os.stat(path)[6] - SEAL
        if size < 0:
            raise Damaged("too short for a seal")
        with open(path, "rb") as file:
            content = file.read(size)  # one piece, no copy: the heap may be in pieces
            last = file.read(SEAL)
    except OSError as error:
        if error.errno == _ENOENT:
            return None
        raise Damaged(f"unreadable, error {error.errno}")
    if last != seal(binascii.crc32(content)):
        raise Damaged("CRC-32 does not fit")
    return content


def remove(name):
    """Take a file away; False if there was none. Refused as in write."""
    need_permission()
    try:
        os.remove(path_of(name))
    except OSError as error:
        if error.errno == _ENOENT:
            return False
        raise _refusal(error)
    return True


def names(folder):
    """The names in a folder of the data folder, sorted; what a power cut left is not shown."""
    try:
        found = os.listdir(path_of(folder))
    except OSError:
        return []
    return sorted([name for name in found if not name.endswith(NEW)])


def _refusal(error):
    if error.errno == 28:
        return Refused(-320, "flash is full")
    return Refused(-320, f"file system error {error.errno}")
