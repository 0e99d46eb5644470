"""What the queued tape will play, pulse by pulse: read from its words, for the monitor to compare.

A pulse is one integer: bit 28 channel, bit 27 minus leg first, bits 26..11 phase width in turns,
bits 10..0 level.
"""

from array import array

from firmware.core.plain import const, ptr16, ptr32
from firmware.core.tape import MOST_UNIT_PULSES

MOST = 512  # pulses queued and not yet compared
FEW = 64
_BLOCK = MOST_UNIT_PULSES + 3

_WRITTEN = const(0)  # pulses since reset()
_LEVEL_C = const(1)  # in force at the end of what was read, of both channels
_SIZE = const(3)  # of what is saved
_MASK = const(3)  # places in the ring, less one


# viper
def _walk(tape, words: int, state, pulses):
    """Append the pulses of a block that the inspector has passed."""
    halves = ptr16(tape)
    box = ptr32(state)
    out = ptr32(pulses)
    pins = 0
    first = 0  # leg of the first phase of the pulse in play
    width = 0
    turns = 0  # of the phase in play
    at = 0
    end = words + words
    while at < end:
        low = halves[at]
        high = halves[at + 1]
        at += 2
        if high < 0x8000:
            legs = low & 15
            if legs != pins:
                if pins:
                    if first:
                        channel = 1 if first > 3 else 0
                        pulse = channel << 28 | width << 11 | box[_LEVEL_C + channel]
                        if first & 10:
                            pulse |= 1 << 27
                        out[box[_WRITTEN] & box[_MASK]] = pulse
                        box[_WRITTEN] += 1
                        first = 0
                    else:
                        first = pins
                        width = turns
                pins = legs
                turns = 0
            turns += (high << 10) + (low >> 6) + 5
        else:
            box[_LEVEL_C] = low & 0x7FF
            box[_LEVEL_C + 1] = high & 0x7FF


class Expectation:
    """The pulses of the queue. slots: the player's; the feeder tells block by block.

    pulses: the ring; pulse number n since reset() is at n % its length. marks: by slot, the number
    of pulses up to the end of its block. done: how many were compared (the monitor's).
    """

    def __init__(self, slots):
        self.pulses = array("i", bytes(4 * FEW))
        self.marks = array("i", [0] * slots)
        self.done = 0
        self._block = _BLOCK  # pulses that one may have
        self._state = array("i", [0] * (_SIZE + 1))
        self._state[_MASK] = FEW - 1
        self._saved = array("i", [0] * (_SIZE * slots))

    def hold(self, pulses):
        """Have room for so many pulses and a block more, or for MOST; not while a tape plays."""
        self._block = min(pulses, _BLOCK)
        size = FEW
        while size < MOST and size < pulses + self._block:
            size += size
        if size != len(self.pulses):
            self.pulses = array("i", bytes(4 * size))
            self._state[_MASK] = size - 1

    def reset(self):
        """A new tape begins, with both levels zero."""
        self.done = 0
        for i in range(_SIZE):
            self._state[i] = 0
        for i in range(len(self.marks)):
            self.marks[i] = 0

    def written(self):
        """Pulses queued since reset()."""
        return self._state[_WRITTEN]

    def room(self):
        """Whether one more block fits."""
        state = self._state
        return state[_WRITTEN] - self.done <= state[_MASK] - self._block

    def add(self, slot, halves, words):
        """The block in this slot is queued next."""
        state = self._state
        saved = self._saved
        at = _SIZE * slot
        saved[at] = state[0]
        saved[at + 1] = state[1]
        saved[at + 2] = state[2]
        _walk(halves, words, state, self.pulses)
        self.marks[slot] = state[_WRITTEN]

    def restore(self, slot):
        """The block in this slot and all after it were taken back."""
        for i in range(_SIZE):
            self._state[i] = self._saved[_SIZE * slot + i]
