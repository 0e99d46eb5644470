"""From units to words: what the player's state machine will play.

A word is 32 bits, kept as two halves, low half first, so that MicroPython needs no long integers.
  segment  bit 31 clear; bits 30..6 hold h below 2**24; bits 5..0 pins. Lasts h + 5 turns.
  level    bit 31 set; bits 30..16 level of channel 2, bits 14..0 of channel 1. Prolongs the
           segment before it by 4 turns and changes no pin.
docs/architecture.md describes the program that plays them.
"""


def ptr16(memory):
    """To viper a pointer; elsewhere the array itself."""
    return memory


PLUS = (0x01, 0x04)  # by channel
MINUS = (0x02, 0x08)
GATE = 0x10
SYNC = 0x20

SEGMENT_TURNS = 5  # what a segment lasts beyond its hold
LEVEL_TURNS = 4
MOST_UNIT_PULSES = 50
BLOCK_WORDS = 4 * MOST_UNIT_PULSES + 12

_FEW_HALVES = 8
_PIECES = 5
_SPLIT_TURNS = 100  # less than this before a unit is not worth a block of its own


# viper
def _write_unit(
    tape, at: int, count: int, width: int, gap: int, between: int, one: int, two: int, mark: int
) -> int:
    """Write `count` pulses from half `at` on; `mark` goes with the first phase. The next half."""
    halves = ptr16(tape)
    width -= SEGMENT_TURNS
    gap -= SEGMENT_TURNS
    between -= SEGMENT_TURNS
    pins = one | mark
    while True:
        halves[at] = (width & 0x3FF) << 6 | pins
        halves[at + 1] = width >> 10
        halves[at + 2] = (gap & 0x3FF) << 6 | GATE
        halves[at + 3] = gap >> 10
        halves[at + 4] = (width & 0x3FF) << 6 | two
        halves[at + 5] = width >> 10
        at += 6
        count -= 1
        if count == 0:
            return at
        halves[at] = (between & 0x3FF) << 6 | GATE
        halves[at + 1] = between >> 10
        at += 2
        pins = one


class TapeWriter:
    """Writes one block at a time: whole units, legs low at both ends.

    turns: how long the block last written is. ended: it was the tape's last.
    """

    def __init__(self):
        self.turns = 0
        self.ended = False
        self._at = 0
        self._halves = None
        self._pending = 3

    # native
    def block(self, halves, scheduler, target):
        """Write about `target` turns, and move the scheduler's origin behind them.

        halves: array('H') of 2 * BLOCK_WORDS. Returns the number of words.
        """
        self._halves = halves
        self._at = 0
        self._pending = 3  # channels whose level may have to change, as bits
        timing = scheduler.timing
        keep = timing.lead + timing.LEAST_GAP_TURNS
        at = 0  # turns written
        ended = False
        while True:
            channel = scheduler.next()
            gap = scheduler.start - at
            gate = GATE if channel >= 0 and gap < keep else 0
            changed = self._change_levels(scheduler, at, gate) if self._pending else 0
            at += changed
            gap -= changed
            if channel < 0:
                ended = gap <= target - at
                rest = max(gap, SEGMENT_TURNS) if ended else target - at
                self._close(rest, 0)
                at += rest
                if ended and (scheduler.in_force(0) or scheduler.in_force(1)):
                    self._level(0, 0)
                    scheduler.set_in_force(0, 0)
                    scheduler.set_in_force(1, 0)
                    at += LEVEL_TURNS
                break
            rest = gap if gate else gap - timing.lead
            room = target - at
            if rest > room + _SPLIT_TURNS:
                self._close(room, gate)
                at += room
                break
            if self._at + self._halves_of(scheduler, channel) > len(halves):
                if not changed:
                    self._segment(SEGMENT_TURNS, gate)
                    at += SEGMENT_TURNS
                break
            if rest >= SEGMENT_TURNS:
                self._segment(rest, gate)
            if not gate:
                self._segment(timing.lead, GATE)
            at = scheduler.start + self._unit(scheduler, channel)
            scheduler.taken(channel, at)
            self._pending |= 1 << channel
            if at > target - _SPLIT_TURNS:
                following = scheduler.next()
                near = following >= 0 and scheduler.start - at < keep
                gate = GATE if near else 0
                changed = self._change_levels(scheduler, at, gate)
                if not changed:
                    self._segment(SEGMENT_TURNS, gate)
                    changed = SEGMENT_TURNS
                at += changed
                break
        self.turns = at
        self.ended = ended
        scheduler.shift(at)
        return self._at >> 1

    def opening(self, halves, scheduler):
        """Write a block in which the first levels settle; the first GATE may follow at once.

        For a train that is held until a trigger starts it. Returns the number of words.
        """
        self._halves = halves
        self._at = 0
        self._pending = 3
        timing = scheduler.timing
        turns = timing.settle + 2 * timing.LEAST_GAP_TURNS
        changed = self._change_levels(scheduler, 0, 0)
        self._close(turns - changed, 0)
        self.turns = turns
        self.ended = False
        scheduler.shift(turns)
        return self._at >> 1

    def _halves_of(self, scheduler, channel):
        """The most halves that a unit takes with the rest before it and what closes a block."""
        return 2 * (4 * scheduler.lines[channel].plan.shape.unit_count + 4)

    # native
    def _unit(self, scheduler, channel):
        """Write the unit at a channel's head; returns its length in turns."""
        shape = scheduler.lines[channel].plan.shape
        width = scheduler.width(channel)
        gap = shape.gap
        minus = scheduler.minus_first(channel)
        one = (MINUS if minus else PLUS)[channel] | GATE
        two = (PLUS if minus else MINUS)[channel] | GATE
        mark = SYNC if scheduler.opens_group(channel) else 0
        between = shape.interval - 2 * width - gap
        count = shape.unit_count
        self._at = _write_unit(
            self._halves, self._at, count, width, gap, between, one, two, mark
        )
        return (count - 1) * shape.interval + 2 * width + gap

    # native
    def _change_levels(self, scheduler, at, gate):
        """Set the levels of the next pulses where they can still settle; returns the turns."""
        timing = scheduler.timing
        changed = False
        pending = self._pending
        for channel in (0, 1):
            if not pending >> channel & 1:
                continue
            wanted = scheduler.wanted(channel)
            if wanted == scheduler.in_force(channel):
                pending &= ~(1 << channel)
            elif scheduler.due(channel) - at >= timing.settle + timing.LEAST_GAP_TURNS:
                scheduler.set_in_force(channel, wanted)
                pending &= ~(1 << channel)
                changed = True
        self._pending = pending
        if not changed:
            return 0
        self._segment(SEGMENT_TURNS, gate)
        self._level(scheduler.in_force(0), scheduler.in_force(1))
        return SEGMENT_TURNS + LEVEL_TURNS

    def _close(self, turns, pins):
        """The rest that ends a block; in pieces where the block would have less than 5 words.

        The player's FIFO holds 4: so it never reaches beyond the next block.
        """
        if self._at < _FEW_HALVES and turns >= _PIECES * SEGMENT_TURNS:
            piece = turns // _PIECES
            for _ in range(_PIECES - 1):
                self._segment(piece, pins)
            turns -= piece * (_PIECES - 1)
        self._segment(turns, pins)

    # native
    def _segment(self, turns, pins):
        hold = turns - SEGMENT_TURNS
        at = self._at
        self._halves[at] = ((hold & 0x3FF) << 6) | pins
        self._halves[at + 1] = hold >> 10
        self._at = at + 2

    # native
    def _level(self, one, two):
        at = self._at
        self._halves[at] = one
        self._halves[at + 1] = 0x8000 | two
        self._at = at + 2
