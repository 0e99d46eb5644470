"""A ring of fixed records in flash, the newest of which are always there. Imported when used.

Two files take turns: records are appended to one until it is full; then the next record begins
the other anew, in one atomic step. So the newest MOST records survive whatever happens, and an
append touches nothing that was written before. Each record carries its number and CRC-32.
"""

import binascii
import struct

from firmware.core.refused import Refused
from firmware.hal import files
from firmware.hal.permit import need_permission

MOST = 64  # records in a file, and at least so many of the newest are kept
SIZE = 128
PAYLOAD = SIZE - 8
_NAMES = ("log.0", "log.1")


def _records_in(name):
    """[(number, place), ...] of the sound records of a file, and its size."""
    found = []
    buffer = bytearray(SIZE)
    size = place = 0
    try:
        with open(files.path_of(name), "rb") as file:
            while True:
                count = file.readinto(buffer)
                if not count:
                    break
                size += count
                number = _number(buffer) if count == SIZE else 0
                if number:
                    found.append((number, place))
                place += 1
    except OSError:
        pass
    return found, size


def _number(record):
    """The number of a record, or 0 if it is damaged."""
    number, crc = struct.unpack_from("<I", record, 0)[0], struct.unpack_from("<I", record, 124)[0]
    return number if binascii.crc32(memoryview(record)[: SIZE - 4]) == crc else 0


def _record(number, payload):
    body = struct.pack("<I120s", number, payload)
    return body + struct.pack("<I", binascii.crc32(body))


def _both():
    """[(records, size, name)] of the two files, the one written last in front."""
    both = [_records_in(name) + (name,) for name in _NAMES]
    if both[1][0] and (not both[0][0] or both[1][0][-1][0] > both[0][0][-1][0]):
        both.reverse()
    return both


def append(payload):
    """Add a record of up to 120 bytes; its number, from 1 on for ever. Refused as in files."""
    need_permission()
    if len(payload) > PAYLOAD:
        raise Refused(-223, f"record of {len(payload)} bytes above {PAYLOAD}")
    (records, size, name), (_, _, other) = _both()
    number = records[-1][0] + 1 if records else 1
    record = _record(number, payload)
    if size % SIZE or size >= MOST * SIZE:  # full, or torn: leave it as it is
        files.write_plain(other, record)
    else:
        files.append(name, record)
    return number


def numbers():
    """The numbers of all sound records, newest first."""
    (new, _, _), (old, _, _) = _both()
    return [number for number, _ in reversed(new)] + [number for number, _ in reversed(old)]


def lost():
    """How many records of the two files are damaged."""
    return sum([-(-size // SIZE) - len(records) for records, size, _ in _both()])


def get(number):
    """The payload of a record. Refused (-224): there is none of this number, or not any more."""
    for records, _, name in _both():
        for known, place in records:
            if known == number:
                with open(files.path_of(name), "rb") as file:
                    file.seek(place * SIZE + 4)
                    return file.read(PAYLOAD)
    raise Refused(-224, f"no record {number}")


def clear(payload):
    """Forget all records; `payload`, which tells who cleared them, goes on with the numbering."""
    (records, _, name), (_, _, other) = _both()
    number = records[-1][0] + 1 if records else 1
    files.write_plain(name, _record(number, payload))
    files.remove(other)
