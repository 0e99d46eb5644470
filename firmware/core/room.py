"""How much memory a plan's tape needs; asked when it is armed, and dropped."""

from firmware.core.feeder import BLOCK_MS
from firmware.core.tape import block_words

QUEUED_MS = 100  # what is queued, and the block in play from its beginning
CLOSING_WORDS = 10  # rests and levels at a block's ends
BESIDE_UNIT = 3  # words of a unit beside 4 a pulse: the gap before it, GATE, a change of level


def room_for(channels, turns_per_ms):
    """(words, pulses): of a block of BLOCK_MS; the most that is queued and in play at a time.

    channels: two ChannelPlan or None. Live changes are allowed for: they keep rates and counts.
    """
    words = CLOSING_WORDS
    pulses = 0
    for channel in channels:
        if channel:
            count = channel.shape.count
            units = count // channel.shape.unit_count
            # One more at the head, and in the queue one that a collision has moved there.
            pulses += (QUEUED_MS * turns_per_ms // channel.least_turns + 2) * count
            groups = BLOCK_MS * turns_per_ms // channel.least_turns + 1
            words += groups * (4 * count + BESIDE_UNIT * units)
    return max(words, block_words(channels)), pulses
