"""What hal/store.py can do. Imported for one call and dropped."""

from binascii import crc32
from os import urandom

from firmware.hal import copies, files, log

BOXES = 4  # black boxes kept, by the number of their log record
_CAUSES = ("unknown", "power-up", "RUN pin", "watchdog", "restart", "soft reset")
_BOOTS = "boots"
_MANIFEST = "/manifest.txt"


def cause_name(store, cause):
    """A cause of reset (hal/reset_rp2.py) in words."""
    return _CAUSES[cause]


def count_boot(store, power_up):
    """Count this boot; power_up: it followed a loss of power."""
    try:
        counted = files.read(_BOOTS)
    except files.Damaged:
        counted = b"0 0"
    store.first = counted is None
    before = (counted or b"0 0").split()
    store.boots = int(before[0]) + 1
    store.power_boot = store.boots if power_up else int(before[1])


def save_boot(store):
    files.write(_BOOTS, b"%d %d" % (store.boots, store.power_boot))


def random(store, count):
    """Random bytes."""
    return urandom(count)


def firmware_crc(store):
    """CRC-32 of the list of the firmware's files with theirs; 0 if there is none."""
    crc = 0
    buffer = bytearray(256)
    try:
        with open(_MANIFEST, "rb") as file:
            while True:
                count = file.readinto(buffer)
                if not count:
                    break
                crc = crc32(memoryview(buffer)[:count], crc)
    except OSError:
        pass
    return crc


# -- the log


def append(store, payload):
    """Add a record to the log; its number."""
    return log.append(payload)


def numbers(store):
    """(numbers of all records, newest first; how many are damaged)."""
    return log.numbers(), log.lost()


def record(store, number):
    return log.get(number)


def clear_log(store, payload):
    log.clear(payload)


# -- black boxes


def put_box(store, number, *parts):
    files.write(f"box.{number % BOXES}", *parts)


def box(store, number):
    """The black box in a record's place: bytes, or None. ValueError when it is damaged."""
    try:
        return files.read(f"box.{number % BOXES}")
    except files.Damaged as damage:
        raise ValueError(str(damage))


# -- texts in two copies


def load(store, name):
    """(content or None, troubles) of a text in two copies."""
    return copies.load(name)


def save(store, name, content):
    copies.save(name, content)
