"""The last pulses and the last happenings before a fault, in RAM; nothing is allocated.

A pulse: time, channel, commanded level and width, delivered levels of both phases. A happening:
time, kind, and a number or the beginning of a command line. Frozen at a fault, until saved.
"""

from array import array

from firmware.core.plain import const, ptr16, ptr32

TYPE_CHECKING = False

PULSES = const(64)  # a power of two
EVENTS = 32
PULSE_WORDS = const(4)  # channel << 12 | level, width in turns, plus level, minus level
EVENT_BYTES = 32  # time 4, kind 1, length 1, 26 of text
TEXT = 26
STATE, INPUTS, COMMAND = 1, 2, 3
KINDS = ("none", "state", "inputs", "command")
# Places in the box.
_FROZEN = const(0)
_PULSES = const(1)
_NOW_MS = const(2)
# So that a key never gets into a black box, a line that has one is kept up to its first space.
_SECRET = b"KEY"


class BlackBox:
    """Rings of pulses and events; `pulses` and `events` count all that were ever noted."""

    def __init__(self):
        self._box = array("i", (0, 0, 0))
        self.events = 0
        self.pulse_words = array("H", bytes(2 * PULSE_WORDS * PULSES))
        self.pulse_times = array("i", bytes(4 * PULSES))
        self.event_bytes = bytearray(EVENT_BYTES * EVENTS)
        self._state = -1
        self._inputs = -1

    if TYPE_CHECKING:
        _box: array[int]
        pulse_words: array[int]
        pulse_times: array[int]

    # viper
    def note(self, measured):
        """A pulse was played. measured: as measure.last() tells it.

        A width above 65535 turns (1 ms is 62500) and a delivered level beyond are kept as 65535.
        """
        box = ptr32(self._box)
        if box[_FROZEN]:
            return
        place = box[_PULSES] & (PULSES - 1)
        times = ptr32(self.pulse_times)
        times[place] = box[_NOW_MS]
        words = ptr16(self.pulse_words)
        at = place * PULSE_WORDS
        pulse = ptr32(measured)
        words[at] = pulse[0] << 12 | pulse[1]
        i = 1
        while i < PULSE_WORDS:
            value = pulse[i + 1]
            words[at + i] = value if value < 65535 else 65535
            i += 1
        box[_PULSES] += 1

    @property
    def pulses(self):
        """How many pulses were ever noted."""
        return self._box[_PULSES]

    @property
    def frozen(self):
        return self._box[_FROZEN] != 0

    @property
    def now_ms(self):
        """The time of this turn of the loop."""
        return self._box[_NOW_MS]

    def watch(self, now_ms, state, inputs):
        """Once a turn of the loop: note the state and the inputs if they have changed."""
        self._box[_NOW_MS] = now_ms
        if state != self._state:
            self._state = state
            self._event(STATE, state)
        if inputs != self._inputs:
            self._inputs = inputs
            self._event(INPUTS, inputs)

    def _event(self, kind, value):
        at = self._place(kind, 1)
        if at >= 0:
            self.event_bytes[at] = value

    def command(self, line):
        """A line (bytes) was received; queries alone are not worth a place."""
        if not line or line[-1] == 63 and b";" not in line:
            return
        count = len(line)
        if _SECRET in line.upper():
            count = line.find(b" ") if b" " in line else count
        if count > TEXT:
            count = TEXT
        at = self._place(COMMAND, count)
        if at >= 0:
            self.event_bytes[at : at + count] = line[:count]

    def _place(self, kind, length):
        """Where the text of a new event goes, or -1 while frozen."""
        if self._box[_FROZEN]:
            return -1
        at = self.events % EVENTS * EVENT_BYTES
        data = self.event_bytes
        time = self._box[_NOW_MS]
        data[at] = time & 255
        data[at + 1] = time >> 8 & 255
        data[at + 2] = time >> 16 & 255
        data[at + 3] = time >> 24 & 255
        data[at + 4] = kind
        data[at + 5] = length
        self.events += 1
        return at + 6

    def freeze(self):
        """Keep what is there until `thaw`; False if it was frozen already."""
        if self._box[_FROZEN]:
            return False
        self._box[_FROZEN] = 1
        return True

    def thaw(self):
        self._box[_FROZEN] = 0
