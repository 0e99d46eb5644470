"""Non-volatile memory as the safety part sees it; what does the work is imported for it."""

from firmware.core.unload import unload
from firmware.hal import files
from firmware.hal.reset_rp2 import CAUSES, Reset

BOXES = 4  # black boxes kept, by the number of their log record
_BOOTS = "boots"
_MANIFEST = "/manifest.txt"


class Store:
    """The log, the black boxes, texts in two copies, and the count of boots.

    Writing methods raise Refused: -221 not now, -320 flash full or failing.
    """

    def __init__(self):
        self.reset = Reset()
        self.first = False  # nothing was ever stored on this board
        self.boots = 0  # since the board's first, this one included
        self.power_boot = 0  # the boot that was the last power-up

    def cause_name(self, cause):
        return CAUSES[cause]

    def count_boot(self, power_up):
        """Count this boot; power_up: it followed a loss of power."""
        try:
            counted = files.read(_BOOTS)
        except files.Damaged:
            counted = b"0 0"
        self.first = counted is None
        before = (counted or b"0 0").split()
        self.boots = int(before[0]) + 1
        self.power_boot = self.boots if power_up else int(before[1])

    def save_boot(self):
        files.write(_BOOTS, b"%d %d" % (self.boots, self.power_boot))

    def random(self, count):
        """Random bytes."""
        from os import urandom

        return urandom(count)

    def firmware_crc(self):
        """CRC-32 of the list of the firmware's files with theirs; 0 if there is none."""
        from binascii import crc32

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

    def _log(self, call):
        from firmware.hal import log

        try:
            return call(log)
        finally:
            unload("firmware.hal.log")

    def append(self, payload):
        """Add a record to the log; its number."""
        return self._log(lambda log: log.append(payload))

    def numbers(self):
        """(numbers of all records, newest first; how many are damaged)."""
        return self._log(lambda log: (log.numbers(), log.lost()))

    def record(self, number):
        return self._log(lambda log: log.get(number))

    def clear_log(self, payload):
        self._log(lambda log: log.clear(payload))

    # -- black boxes

    def put_box(self, number, *parts):
        files.write(f"box.{number % BOXES}", *parts)

    def box(self, number):
        """The black box in a record's place: bytes, or None. ValueError when it is damaged."""
        try:
            return files.read(f"box.{number % BOXES}")
        except files.Damaged as damage:
            raise ValueError(str(damage))

    # -- texts in two copies

    def load(self, name):
        """(content or None, troubles) of a text in two copies."""
        from firmware.hal import copies

        try:
            return copies.load(name)
        finally:
            unload("firmware.hal.copies")

    def save(self, name, content):
        from firmware.hal import copies

        try:
            copies.save(name, content)
        finally:
            unload("firmware.hal.copies")
