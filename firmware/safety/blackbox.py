"""The last pulses and the last happenings before a fault, in RAM; nothing is allocated.

A pulse: time, channel, commanded level and width, delivered levels of both phases. A happening:
time, kind, and a number or the beginning of a command line. Frozen at a fault, until saved.
"""

from array import array

TYPE_CHECKING = False

PULSES = 64
EVENTS = 32
PULSE_WORDS = 4  # channel << 12 | level, width in turns, plus level, minus level
EVENT_BYTES = 32  # time 4, kind 1, length 1, 26 of text
TEXT = 26
STATE, INPUTS, COMMAND = 1, 2, 3
KINDS = ("none", "state", "inputs", "command")
_WORD = 65535
# So that a key never gets into a black box, a line that has one is kept up to its first space.
_SECRET = b"KEY"


class BlackBox:
    """Rings of pulses and events; `pulses` and `events` count all that were ever noted."""

    def __init__(self):
        self.frozen = False
        self.pulses = 0
        self.events = 0
        self.now_ms = 0  # of this turn of the loop
        self.pulse_words = array("H", bytes(2 * PULSE_WORDS * PULSES))
        self.pulse_times = array("i", bytes(4 * PULSES))
        self.event_bytes = bytearray(EVENT_BYTES * EVENTS)
        self._state = -1
        self._inputs = -1

    if TYPE_CHECKING:
        pulse_words: array[int]
        pulse_times: array[int]

    # native
    def note(self, channel, level, width_turns, plus_level, minus_level):
        """A pulse was played. channel 0 or 1; levels 0 to 4095; delivered ones up to 65535.

        A width above 65535 turns (1 ms is 62500) and a delivered level beyond are kept as 65535.
        """
        if self.frozen:
            return
        place = self.pulses % PULSES
        self.pulse_times[place] = self.now_ms
        at = place * PULSE_WORDS
        words = self.pulse_words
        words[at] = channel << 12 | level
        words[at + 1] = width_turns if width_turns < _WORD else _WORD
        words[at + 2] = plus_level if plus_level < _WORD else _WORD
        words[at + 3] = minus_level if minus_level < _WORD else _WORD
        self.pulses += 1

    def watch(self, now_ms, state, inputs):
        """Once a turn of the loop: note the state and the inputs if they have changed."""
        self.now_ms = now_ms
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
            for i in range(count):
                self.event_bytes[at + i] = line[i]

    def _place(self, kind, length):
        """Where the text of a new event goes, or -1 while frozen."""
        if self.frozen:
            return -1
        at = self.events % EVENTS * EVENT_BYTES
        data = self.event_bytes
        time = self.now_ms
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
        if self.frozen:
            return False
        self.frozen = True
        return True

    def thaw(self):
        self.frozen = False
