"""How much memory a plan's tape needs; asked when it is armed, and dropped."""

from firmware.core.tape import block_words

QUEUED_MS = 100  # what is queued, the block in play from its beginning, and the one before
CLOSING_WORDS = 54  # of 9 blocks: rests and levels at their ends
BESIDE_UNIT = 3  # words of a unit beside 4 a pulse: the gap before it, GATE, a change of level


def room_for(channels, turns_per_ms):
    """(words, pulses): the most that is queued and in play at a time.

    channels: two ChannelPlan or None. Live changes are allowed for: they keep rates and counts.
    """
    words = CLOSING_WORDS
    pulses = 0
    for channel in channels:
        if channel:
            shape = channel.shape
            # One more at the head, and one that a collision has moved here.
            groups = QUEUED_MS * turns_per_ms // channel.least_turns + 2
            units = shape.count // shape.unit_count
            pulses += groups * shape.count
            words += groups * (4 * shape.count + BESIDE_UNIT * units)
    return words + block_words(channels), pulses  # of which one may not fit the ring's end
