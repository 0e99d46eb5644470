"""Inspects every block of tape before it is queued: words in, a reason to refuse them out.

The second pair of eyes: it reads the words as the state machine will play them and shares no
code with whoever wrote them. What it can't prove lawful it refuses.

Times are turns from the start of the block at hand; what lies before it is negative. Blocks are
taken as following each other at once. A starved player only adds rest, but it also drops GATE:
it must not go on with a tape on which GATE stays high from one block to the next.
No number reaches 2**30, so that nothing here allocates under MicroPython. A line "# viper" may
become "@micropython.viper": measured on an RP2040, a word then takes 10 us instead of 110.
"""

from array import array

from firmware.core.plain import const, ptr16, ptr32

NOT_RESET = const(1)
SIZE = const(2)
HORIZON = const(3)
DURATION = const(4)
UNUSED_BIT = const(5)
BOTH_LEGS = const(6)
BOTH_CHANNELS = const(7)
DEAD_TIME = const(8)
SEPARATION = const(9)
PHASE_SHORT = const(10)
PHASE_LONG = const(11)
UNEQUAL = const(12)
NOT_OPPOSITE = const(13)
INTERLEAVED = const(14)
GAP_LONG = const(15)
NO_GATE = const(16)
GATE_LEAD = const(17)
LEVEL_IN_PHASE = const(18)
LEVEL_IN_PULSE = const(19)
CEILING = const(20)
SLEW = const(21)
SETTLE = const(22)
BEGINS_IN_PHASE = const(23)
ENDS_IN_PHASE = const(24)
ENDS_IN_PULSE = const(25)
RMS = const(26)
DENSITY = const(27)
POWER = const(28)
MEAN = const(29)
ENERGY = const(30)
CHARGE = const(31)

# The box: one array that holds the limits (inspector_rules.py fills them in), then what is known
# of the tape so far. Names that end in _C stand for a pair, channel 1 first.
DEAD_AT = const(0)
APART_AT = const(1)
LEAD_AT = const(2)
SETTLE_AT = const(3)
SHORTEST_AT = const(4)
LONGEST_AT = const(5)
GAP_AT = const(6)
HORIZON_AT = const(7)
CEILING_AT = const(8)  # a pair
CREDIT_RATE_AT = const(10)  # credit that a tick brings
LEVEL_COST_AT = const(11)  # credit that one level costs
CREDIT_CAP_AT = const(12)
BUCKET_AT = const(13)  # turns of a bucket
MAX_CHARGE_AT = const(14)
MAX_SQUARE_AT = const(15)  # a pair
SQUARE_REASON_AT = const(17)  # a pair
MAX_MEAN_AT = const(19)
MAX_ENERGY_AT = const(20)
CHARGE_SHIFT_AT = const(21)
SQUARE_SHIFT_AT = const(22)
MEAN_SHIFT_AT = const(23)
FIRST_CREDIT_AT = const(24)  # that a session begins with
_INDEX = const(25)  # word at fault

_STATE = const(26)  # from here on: what a snapshot keeps
_SESSION = const(26)
_BROKEN = const(27)  # a block was refused
_EVENTS = const(28)  # these five are times
_FELL_C = const(28)  # when the last phase ended
_CHANGED_C = const(30)  # when the level changed
_GATE_ROSE = const(32)
_EVENTS_END = const(33)
_GATE = const(33)  # GATE's bit as the last block left it
_LEVEL_C = const(34)
_HIGHEST_C = const(36)  # highest level played
_CREDIT_C = const(38)  # how far above it a level may go
_CREDITED = const(40)  # up to when credit was given
_BUCKET_END = const(41)
_CURSOR = const(42)  # where the bucket in use will lie in the ring
_SUM_SQUARE_C = const(43)  # of the window's buckets
_SUM_MEAN_C = const(45)
_ROLLS = const(47)  # buckets begun
_SQUARE_C = const(48)  # the bucket in use
_MEAN_C = const(50)
_ORDER = const(52)  # saves so far
_BUCKETS = const(53)  # a ring of four ints each: squares of both channels, then means

# The window: the bucket in use and the 32 before it, which together span a second at least. As
# many more are kept behind it as a snapshot may be old, so that it need not hold the buckets.
WINDOW = const(32)
_SPARE = const(8)
_WINDOW_INTS = const(132)  # 4 * (WINDOW + 1)
_RING_INTS = const(164)  # 4 * (WINDOW + 1 + _SPARE)
_BOX_END = const(217)  # _BUCKETS + _RING_INTS

_SNAPSHOT = const(27)  # _BUCKETS - _STATE

_LONG_AGO = const(-(1 << 28))
TICK_SHIFT = const(10)  # credit comes in ticks of 1024 turns
MOST = const(1 << 28)  # no limit of a sum is above this


class _Key:
    def __getitem__(self, key):
        return key


_ALL = _Key()[:]  # made once: a slice written in place is a new object on each use


# viper
def _walk(tape, words: int, total: int, state) -> int:
    """Prove one block; return 0 or the reason number, with the word at fault in the box."""
    halves = ptr16(tape)
    box = ptr32(state)
    turn = 0
    pins = box[_GATE]  # legs and GATE in force; a block begins with the legs low
    gate_rose = box[_GATE_ROSE]
    began = 0  # when the phase in play began
    width = 0  # turns of the first phase of the pulse in play
    opposite = 0  # leg of its second phase, known from the end of the first; else 0
    reason = 0
    at = 0
    end = words + words
    while at < end:
        low = halves[at]
        high = halves[at + 1]
        if high < 0x4000:
            now = low & 31
            if now != pins:
                legs = now & 15
                was = pins & 15
                if legs and not now & 16:
                    reason = NO_GATE
                    break
                if (now ^ pins) & 16:
                    gate_rose = turn
                pins = now
                if was and was != legs:  # a phase ends
                    channel = 1 if was > 3 else 0
                    box[_FELL_C + channel] = turn
                    if opposite:
                        opposite = 0
                        if turn - began != width:
                            reason = UNEQUAL
                            break
                        reason = int(_pulse(state, turn, channel, width))
                        if reason:
                            break
                    else:
                        opposite = was ^ (12 if channel else 3)
                        width = turn - began
                        if width < box[SHORTEST_AT]:
                            reason = PHASE_SHORT
                            break
                        if width > box[LONGEST_AT]:
                            reason = PHASE_LONG
                            break
                if legs and was != legs:  # a phase begins
                    if legs & (legs - 1):
                        reason = BOTH_CHANNELS
                        if (legs & 3) == 3 or (legs & 12) == 12:
                            reason = BOTH_LEGS
                        break
                    if not turn:
                        reason = BEGINS_IN_PHASE
                        break
                    channel = 1 if legs > 3 else 0
                    gap = turn - box[_FELL_C + channel]
                    if gap < box[DEAD_AT]:
                        reason = DEAD_TIME
                        break
                    if turn - box[_FELL_C + 1 - channel] < box[APART_AT]:
                        reason = SEPARATION
                        break
                    if opposite:
                        if legs != opposite:
                            same = 12 if channel else 3
                            reason = NOT_OPPOSITE if legs ^ opposite == same else INTERLEAVED
                            break
                        if gap > box[GAP_AT]:
                            reason = GAP_LONG
                            break
                    elif turn - box[_CHANGED_C + channel] < box[SETTLE_AT]:
                        reason = SETTLE
                        break
                    if turn - gate_rose < box[LEAD_AT]:
                        reason = GATE_LEAD
                        break
                    began = turn
            turn += (high << 10) + (low >> 6) + 5
        elif high < 0x8000:
            reason = UNUSED_BIT
            break
        else:
            if low > 0x7FFF:
                reason = UNUSED_BIT
                break
            if pins & 15:
                reason = LEVEL_IN_PHASE
                break
            if opposite:
                reason = LEVEL_IN_PULSE
                break
            turn += 4  # a level counts from the end of its word
            if low != box[_LEVEL_C]:
                reason = int(_level(state, turn, 0, low))
                if reason:
                    break
            if (high & 0x7FFF) != box[_LEVEL_C + 1]:
                reason = int(_level(state, turn, 1, high & 0x7FFF))
                if reason:
                    break
        if turn > total:
            reason = DURATION
            break
        at += 2
    box[_INDEX] = at >> 1
    if reason:
        return reason
    if pins & 15:
        return ENDS_IN_PHASE
    if opposite:
        return ENDS_IN_PULSE
    if turn != total:
        return DURATION
    box[_GATE] = pins
    box[_GATE_ROSE] = gate_rose
    return 0


# viper
def _level(state, turn: int, channel: int, level: int) -> int:
    """Put a level in force from this turn on."""
    box = ptr32(state)
    if level > box[CEILING_AT + channel]:
        return CEILING
    above = level - box[_HIGHEST_C + channel]
    if above > 0:
        _credit(state, turn)
        if above * box[LEVEL_COST_AT] > box[_CREDIT_C + channel]:
            return SLEW
    box[_LEVEL_C + channel] = level
    box[_CHANGED_C + channel] = turn
    return 0


# viper
def _pulse(state, turn: int, channel: int, width: int) -> int:
    """Account for a whole pulse that ends now: two phases, each of this width."""
    box = ptr32(state)
    level = box[_LEVEL_C + channel]
    above = level - box[_HIGHEST_C + channel]
    if above > 0:
        _credit(state, turn)
        box[_CREDIT_C + channel] -= above * box[LEVEL_COST_AT]
        box[_HIGHEST_C + channel] = level
    if turn >= box[_BUCKET_END]:
        _roll(state, turn)

    charge = level * width
    if charge > box[MAX_CHARGE_AT]:
        return CHARGE
    # Every shift rounds up, so that no estimate is below the truth.
    shift = box[CHARGE_SHIFT_AT]
    square = ((charge + (1 << shift) - 1) >> shift) * level
    shift = box[SQUARE_SHIFT_AT]
    square = (square + (1 << shift) - 1) >> shift
    most = box[MAX_SQUARE_AT + channel]
    if square > most:  # before it is doubled: what is added below stays small
        return box[SQUARE_REASON_AT + channel]
    if square > box[MAX_ENERGY_AT]:
        return ENERGY
    square += square
    shift = box[MEAN_SHIFT_AT]
    mean = (charge + (1 << shift) - 1) >> shift
    mean += mean

    box[_SUM_SQUARE_C + channel] += square
    box[_SUM_MEAN_C + channel] += mean
    if box[_SUM_SQUARE_C + channel] > most:
        return box[SQUARE_REASON_AT + channel]
    if box[_SUM_MEAN_C + channel] > box[MAX_MEAN_AT]:
        return MEAN
    box[_SQUARE_C + channel] += square
    box[_MEAN_C + channel] += mean
    return 0


# viper
def _credit(state, turn: int):
    """Let both channels' allowance grow back for the time up to now."""
    box = ptr32(state)
    ticks = (turn - box[_CREDITED]) >> TICK_SHIFT
    box[_CREDITED] += ticks << TICK_SHIFT
    most = box[CREDIT_CAP_AT]
    gained = ticks * box[CREDIT_RATE_AT]
    channel = 0
    while channel < 2:
        credit = box[_CREDIT_C + channel]
        if credit < most:  # what a session may begin with can be above the cap
            credit += gained
            box[_CREDIT_C + channel] = credit if credit < most else most
        channel += 1


# viper
def _roll(state, turn: int):
    """Move the window on to the bucket of this turn; what falls out of it is forgotten."""
    box = ptr32(state)
    cursor = box[_CURSOR]
    while turn >= box[_BUCKET_END]:
        box[_BUCKET_END] += box[BUCKET_AT]
        box[_ROLLS] += 1
        box[cursor] = box[_SQUARE_C]
        box[cursor + 1] = box[_SQUARE_C + 1]
        box[cursor + 2] = box[_MEAN_C]
        box[cursor + 3] = box[_MEAN_C + 1]
        cursor += 4
        if cursor == _BOX_END:
            cursor = _BUCKETS
        left = cursor - _WINDOW_INTS
        if left < _BUCKETS:
            left += _RING_INTS
        box[_SUM_SQUARE_C] -= box[left]
        box[_SUM_SQUARE_C + 1] -= box[left + 1]
        box[_SUM_MEAN_C] -= box[left + 2]
        box[_SUM_MEAN_C + 1] -= box[left + 3]
        box[_SQUARE_C] = 0
        box[_SQUARE_C + 1] = 0
        box[_MEAN_C] = 0
        box[_MEAN_C + 1] = 0
    box[_CURSOR] = cursor


# viper
def _carry(state, total: int):
    """Count time from the end of the block that passed."""
    box = ptr32(state)
    _roll(state, total)
    _credit(state, total)
    box[_BUCKET_END] -= total
    box[_CREDITED] -= total
    event = _EVENTS
    while event < _EVENTS_END:
        since = box[event] - total
        box[event] = since if since > _LONG_AGO else _LONG_AGO
        event += 1


# viper
def _match(state, copy) -> int:
    """1 if every limit is the complement of its copy."""
    box = ptr32(state)
    other = ptr32(copy)
    index = 0
    while index < _INDEX:
        if box[index] + other[index] != -1:
            return 0
        index += 1
    return 1


class Inspector:
    """Passes or refuses blocks, in the order in which they will be played.

    `slots` is how many snapshots `save()` can keep. One can be gone back to until the tape is a
    quarter of a second further. ceiling: the highest level of each channel.
    `index` is the word at which the last refusal was proven; the number of words if its end.
    """

    def __init__(self, rules, slots=0):
        self.index = 0
        self.ceiling = (0, 0)
        self._box = array("i", bytes(4 * _BOX_END))
        self._now = memoryview(self._box)[_STATE:_BUCKETS]
        self._saved = array("i", bytes(4 * _SNAPSHOT * slots))
        view = memoryview(self._saved)
        starts = range(0, _SNAPSHOT * slots, _SNAPSHOT)
        self._states = [view[start : start + _SNAPSHOT] for start in starts]
        self._furthest = 0  # rolls, also of what was gone back on
        self._copy = array("i", bytes(4 * _INDEX))  # the limits' complement
        self.load(rules)

    def load(self, rules):
        """Take over a tape's rules, and begin a session. ValueError if one of them is no good."""
        from firmware.core.inspector_rules import fill

        box = self._box
        box[_BROKEN] = 1  # stays so if the rules are no good
        fill(box, rules)
        for index in range(_INDEX):
            self._copy[index] = ~box[index]
        self.ceiling = box[CEILING_AT], box[CEILING_AT + 1]
        self.reset()

    def reset(self):
        """Begin a session: level 0 in force, nothing played."""
        box = self._box
        session = (box[_SESSION] + 1) & 0xFFFFFF or 1
        for index in range(_INDEX, _BOX_END):
            box[index] = 0
        box[_SESSION] = session
        box[_CREDIT_C] = box[_CREDIT_C + 1] = box[FIRST_CREDIT_AT]
        box[_BUCKET_END] = box[BUCKET_AT]
        box[_CURSOR] = _BUCKETS
        self._furthest = 0
        for index in range(_EVENTS, _EVENTS_END):
            box[index] = _LONG_AGO
        self.index = 0

    def intact(self):
        """Whether the limits in memory still match their complement (SR-41)."""
        return bool(_match(self._box, self._copy))

    def inspect(self, halves, words, total_turns):
        """Return 0 if the block may be played after those before it, else the reason number.

        `halves` is an array('H') of the words, low half first. After a refusal every block is
        refused until `reset()`, or `restore()` of a snapshot taken before.
        """
        box = self._box
        self.index = 0
        if box[_BROKEN]:
            return NOT_RESET
        if words < 1 or words + words > len(halves):
            reason = SIZE
        elif total_turns > box[HORIZON_AT]:
            reason = HORIZON
        else:
            reason = _walk(halves, words, total_turns, box)
            self.index = box[_INDEX]
        if reason:
            box[_BROKEN] = 1
        else:
            _carry(box, total_turns)
        return reason

    def rest(self, turns):
        """Nothing was played for so long after the last block: only time goes by.

        turns: at most what has really passed, below 2**26.
        """
        box = self._box
        if turns > 0 and not box[_BROKEN]:
            box[_GATE] = 0  # a starved player drops it
            _carry(box, turns)

    def waited(self, turns):
        """Before a block that was inspected since, nothing was played for so long.

        It counts for the allowance of rising levels alone; turns: below 2**26.
        """
        self._box[_CREDITED] -= turns
        _credit(self._box, 0)

    def save(self, slot):
        """Keep what is known of the tape so far in this slot."""
        self._box[_ORDER] += 1
        self._states[slot][_ALL] = self._now

    def restore(self, slot):
        """Go back to what `save()` kept, and forget the snapshots taken since.

        ValueError if it is of another session, forgotten, or so old that the window would not
        know any more what it then held.
        """
        box = self._box
        kept = self._states[slot]
        if kept[_SESSION - _STATE] != box[_SESSION]:
            raise ValueError("nothing saved there in this session")
        if box[_ROLLS] > self._furthest:
            self._furthest = box[_ROLLS]
        if self._furthest - kept[_ROLLS - _STATE] > _SPARE:
            raise ValueError("saved too long ago")
        for other in self._states:
            if other[_ORDER - _STATE] > kept[_ORDER - _STATE]:
                other[_SESSION - _STATE] = 0
        self._now[_ALL] = kept
