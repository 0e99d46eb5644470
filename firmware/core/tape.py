"""From plan to words: what the player's state machine will play.

A word is 32 bits, kept as two halves, low half first, so that MicroPython needs no long integers.
  segment  bit 31 clear; bits 30..6 hold h below 2**24; bits 5..0 pins. Lasts h + 5 turns.
  level    bit 31 set; bits 30..16 level of channel 2, bits 14..0 of channel 1. Prolongs the
           segment before it by 4 turns and changes no pin.
docs/architecture.md describes the program that plays them.
"""

from array import array

from firmware.core.envelope import (
    DOWN,
    FULL,
    HALF,
    LENGTH,
    SHARE_BITS,
    TICKS_PER_MS,
    UP,
    share_at,
)
from firmware.core.line import (
    ALTERNATE,
    AT_MS,
    AT_TURNS,
    CARRY,
    DUE,
    ENDED,
    FLIP,
    GAP,
    GROUP_UNITS,
    INTERVAL,
    LAST_MS,
    LAST_TURNS,
    LEAST_WIDTH,
    MOVED,
    MOVED_MOST,
    OPENING,
    PARTS,
    PERIOD,
    PULSE,
    PULSES,
    REMAINDER,
    SHARE,
    SHIFT,
    SIZE,
    SLOW,
    SPANS,
    TOP_UP_MS,
    UNIT_PULSES,
    WAIT_MS,
    WIDTH,
)
from firmware.core.plain import ptr16, ptr32
from firmware.core.scheduler import (
    APART,
    FADE_LEFT,
    FADE_SHIFT,
    FADE_SPAN,
    FADING,
    FREE,
    HIGHEST_C,
    LEAD,
    LEVEL_C,
    OWN,
    PLATEAU_C,
    SETTLE,
    TURNS_PER_MS,
)
from firmware.core.timing import LEAST_GAP_TURNS

PLUS = 0x1  # of channel 1; channel 2's are two bits above
MINUS = 0x2
GATE = 0x10
SYNC = 0x20

SEGMENT_TURNS = 5  # what a segment lasts beyond its hold
LEVEL_TURNS = 4
MOST_UNIT_PULSES = 50
_SPARE_HALVES = 4  # behind a full block: what closes it
_BESIDE_UNIT = 14  # words of a block beside its unit's 4 a pulse
BLOCK_WORDS = 4 * MOST_UNIT_PULSES + _BESIDE_UNIT  # what a block of any unit has room in

_FEW_HALVES = 8
_PIECES = 5
_SPLIT_TURNS = 100  # less than this before a unit is not worth a block of its own

# Where the writer is in its block.
_AT = 0  # the next half
_TURN = 1  # turns written
_PENDING = 2  # channels whose level may have to change, as bits
_BEGUN = 3  # 1: a unit was written
_LAST = 4  # 1: the block is the tape's last
_PLACE_SIZE = 5

# What _write() needs from the line of channel c before it goes on: c + one of these.
_LEAVE = 0
_SETTLE_GROUP = 2
_SETTLE_OPENING = 4


# viper
def _segment(tape, at: int, turns: int, pins: int) -> int:
    halves = ptr16(tape)
    turns -= SEGMENT_TURNS
    halves[at] = (turns & 0x3FF) << 6 | pins
    halves[at + 1] = turns >> 10
    return at + 2


# viper
def _write(tape, size: int, target: int, state, figures, place, views) -> int:
    """Write units from where `place` is until the block is full: -1, or what a line must do.

    views: state and figures of channel 1's line alone, then of channel 2's.
    """
    halves = ptr16(tape)
    s = ptr32(state)
    f = ptr32(figures)
    here = ptr32(place)
    first_line = ptr32(views[0])
    first_figures = ptr32(views[1])
    second_line = ptr32(views[2])
    second_figures = ptr32(views[3])
    at = here[_AT]
    turn = here[_TURN]
    pins = 0  # of the segment that closes the block
    rest = 0  # and its turns
    out = -1
    while out < 0:
        # Whose unit is next, and when.
        mine = 0
        line = first_line
        me = first_figures
        if first_line[ENDED] or (
            second_line[ENDED] == 0 and second_line[DUE] < first_line[DUE]
        ):
            mine = 1
            line = second_line
            me = second_figures
        over = line[ENDED]
        start = line[DUE]
        if over:
            if start < first_line[DUE]:
                start = first_line[DUE]
            if start < s[FREE]:
                start = s[FREE]
            if s[FADING] and start > s[FADE_LEFT]:
                start = s[FADE_LEFT]
                if start < 0:
                    start = 0
        else:
            if s[FADING] and start >= s[FADE_LEFT]:
                over = 1
                start = s[FADE_LEFT]
                if start < 0:
                    start = 0
            if start < s[FREE]:
                start = s[FREE]
        pins = 0
        if over == 0 and start - turn < f[LEAD] + LEAST_GAP_TURNS:
            pins = GATE  # stays high up to the next unit

        # Levels of the next pulses, where they can still settle.
        full = 0
        if here[_BEGUN] and turn > target - _SPLIT_TURNS:
            full = 1
        changed = 0
        channel = 0
        while channel < 2:
            if here[_PENDING] >> channel & 1:
                its = first_line
                own = first_figures
                if channel:
                    its = second_line
                    own = second_figures
                level = 0
                if its[ENDED] == 0:
                    level = f[PLATEAU_C + channel]
                    if own[LEAST_WIDTH] == 0:
                        level = level * its[SHARE] + HALF >> SHARE_BITS
                    if s[FADING]:
                        left = s[FADE_LEFT] - its[DUE]
                        if left <= 0:
                            level = 0
                        else:
                            left >>= FADE_SHIFT
                            if left < s[FADE_SPAN]:
                                level = level * left // s[FADE_SPAN]
                if level == s[LEVEL_C + channel]:
                    here[_PENDING] ^= 1 << channel
                elif its[DUE] - turn >= f[SETTLE] + LEAST_GAP_TURNS:
                    s[LEVEL_C + channel] = level
                    here[_PENDING] ^= 1 << channel
                    changed = 1
            channel += 1
        if changed:
            at = int(_segment(tape, at, SEGMENT_TURNS, pins))
            halves[at] = s[LEVEL_C]
            halves[at + 1] = 0x8000 | s[LEVEL_C + 1]
            at += 2
            turn += SEGMENT_TURNS + LEVEL_TURNS
        if full:
            if changed == 0:
                rest = SEGMENT_TURNS
            break

        # What is left of the block, when nothing more fits.
        gap = start - turn
        room = target - turn
        if over:
            rest = room
            if gap <= room:
                here[_LAST] = 1
                rest = gap if gap > SEGMENT_TURNS else SEGMENT_TURNS
            pins = 0
            break
        if pins == 0:
            gap -= f[LEAD]
        if gap > room + _SPLIT_TURNS:
            rest = room
            break
        count = me[UNIT_PULSES]
        if at + 8 * count + 8 > size:
            if changed == 0:
                rest = SEGMENT_TURNS
            break

        # The unit.
        if gap >= SEGMENT_TURNS:
            at = int(_segment(tape, at, gap, pins))
        if pins == 0:
            at = int(_segment(tape, at, f[LEAD], GATE))
        width = me[WIDTH]
        least = me[LEAST_WIDTH]
        if least:
            width = least + ((width - least) * line[SHARE] + HALF >> SHARE_BITS)
        turn = start + (count - 1) * me[INTERVAL] + width + width + me[GAP]
        between = me[INTERVAL] - width - width - me[GAP] - SEGMENT_TURNS
        gap = me[GAP] - SEGMENT_TURNS
        width -= SEGMENT_TURNS
        first = PLUS
        second = MINUS
        if line[FLIP]:
            first = MINUS
            second = PLUS
        if mine:
            first <<= 2
            second <<= 2
        first |= GATE
        second |= GATE
        pins = first
        if line[PULSE] == 0:
            pins |= SYNC
        left = count
        while left > 0:
            halves[at] = (width & 0x3FF) << 6 | pins
            halves[at + 1] = width >> 10
            halves[at + 2] = (gap & 0x3FF) << 6 | GATE
            halves[at + 3] = gap >> 10
            halves[at + 4] = (width & 0x3FF) << 6 | second
            halves[at + 5] = width >> 10
            at += 6
            left -= 1
            if left > 0:
                halves[at] = (between & 0x3FF) << 6 | GATE
                halves[at + 1] = between >> 10
                at += 2
                pins = first
        here[_BEGUN] = 1
        here[_PENDING] |= 1 << mine
        moved = start - line[DUE]
        if moved > 0:
            line[MOVED] += count
            if moved > line[MOVED_MOST]:
                line[MOVED_MOST] = moved
        if s[LEVEL_C + mine] > s[HIGHEST_C + mine]:
            s[HIGHEST_C + mine] = s[LEVEL_C + mine]
        s[FREE] = turn + f[APART]

        # The line goes on to its next unit.
        line[PULSES] += count
        line[FLIP] ^= me[ALTERNATE]
        line[PULSE] += 1
        if line[PULSE] < me[GROUP_UNITS]:
            line[DUE] += me[INTERVAL]
            continue
        line[DUE] -= (line[PULSE] - 1) * me[INTERVAL]
        line[PULSE] = 0
        step = me[OPENING]
        wanted = _SETTLE_OPENING
        if step == 0 or line[AT_MS] or line[AT_TURNS]:
            wanted = _SETTLE_GROUP
            step = me[PERIOD]
            carry = line[CARRY] + me[REMAINDER]
            if carry >= me[PARTS]:
                carry -= me[PARTS]
                step += 1
            line[CARRY] = carry
        line[DUE] += step - line[SHIFT]
        line[SHIFT] = 0
        step += line[AT_TURNS]
        ms = line[AT_MS] + step // f[TURNS_PER_MS]
        step %= f[TURNS_PER_MS]
        line[AT_MS] = ms
        line[AT_TURNS] = step
        if ms > me[LAST_MS] or (ms == me[LAST_MS] and step > me[LAST_TURNS]):
            out = _LEAVE + mine
            continue
        ticks = ms * TICKS_PER_MS + step * TICKS_PER_MS // f[TURNS_PER_MS]
        left = me[SPANS + LENGTH] - ticks
        if ticks < me[SPANS + UP] or left < me[SPANS + DOWN]:
            line[SHARE] = int(share_at(views[1 + mine + mine], SPANS, ticks))
        else:
            line[SHARE] = FULL
        if me[SLOW]:
            out = wanted + mine
    if out < 0:
        at = int(_close(tape, at, rest, pins))
        turn += rest
    here[_AT] = at
    here[_TURN] = turn
    return out


# viper
def _close(tape, at: int, turns: int, pins: int) -> int:
    """The rest that ends a block; in pieces where the block would have less than 5 words.

    The player's FIFO holds 4: so it never reaches beyond the next block.
    """
    if turns == 0:
        return at
    if at < _FEW_HALVES and turns >= _PIECES * SEGMENT_TURNS:
        piece = turns // _PIECES
        left = _PIECES - 1
        while left > 0:
            at = int(_segment(tape, at, piece, pins))
            turns -= piece
            left -= 1
    return int(_segment(tape, at, turns, pins))


# viper
def _shift(state, turns: int, turns_per_ms: int):
    """The tape's origin moves on by `turns`."""
    s = ptr32(state)
    free = s[FREE] - turns
    s[FREE] = free if free > 0 else 0
    if s[FADING]:
        s[FADE_LEFT] -= turns
    line = OWN
    while line < OWN + 2 * SIZE:
        due = s[line + DUE] - turns
        if s[line + ENDED] and due < 0:
            due = 0  # it has ended for good, and the count must not run away
        ms = s[line + WAIT_MS]
        if ms > 0 and due < TOP_UP_MS * turns_per_ms:
            if ms > TOP_UP_MS:
                ms = TOP_UP_MS
            s[line + WAIT_MS] -= ms
            due += ms * turns_per_ms
        s[line + DUE] = due
        line += SIZE


def block_words(channels):
    """Words of room that a block needs at least: for the longest unit of two ChannelPlan."""
    return 4 * max([c.shape.unit_count for c in channels if c]) + _BESIDE_UNIT


class TapeWriter:
    """Writes one block at a time: whole units, legs low at both ends.

    turns: how long the block last written is. ended: it was the tape's last.
    """

    def __init__(self):
        self.turns = 0
        self.ended = False
        self._place = array("i", bytes(4 * _PLACE_SIZE))

    def block(self, halves, scheduler, target):
        """Write about `target` turns, and move the scheduler's origin behind them.

        halves: array('H') of block_words() at least; what does not fit is left to the next block.
        Returns the number of words.
        """
        place = self._place
        place[_AT] = place[_TURN] = place[_BEGUN] = place[_LAST] = 0
        size = len(halves) - _SPARE_HALVES
        place[_PENDING] = 3
        state = scheduler.state
        figures = scheduler.figures
        while True:
            wanted = _write(
                halves, size, target, state, figures, place, scheduler.views
            )
            if wanted < 0:
                break
            line = scheduler.lines[wanted & 1]
            if wanted < _SETTLE_GROUP:
                line.leave()
            else:
                line.settle(wanted < _SETTLE_OPENING)
        at = place[_AT]
        turns = place[_TURN]
        self.ended = place[_LAST] != 0
        if self.ended and (state[LEVEL_C] or state[LEVEL_C + 1]):
            state[LEVEL_C] = state[LEVEL_C + 1] = 0
            halves[at] = 0
            halves[at + 1] = 0x8000
            at += 2
            turns += LEVEL_TURNS
        self.turns = turns
        _shift(state, turns, figures[TURNS_PER_MS])
        return at >> 1

    def opening(self, halves, scheduler, gate):
        """Write a block in which the first levels settle, at the start of `halves`.

        The first GATE may follow at once.

        For a train that is held until a trigger starts it. gate: with its lead played too, so
        that GATE is up in the end. Returns the number of words.
        """
        place = self._place
        place[_AT] = place[_TURN] = 0
        place[_BEGUN] = 1  # at the end of a block of no length: the levels alone
        place[_PENDING] = 3
        _write(
            halves, len(halves), 0, scheduler.state, scheduler.figures, place, scheduler.views
        )
        at = place[_AT]
        done = place[_TURN]
        if done == SEGMENT_TURNS:
            at = done = 0  # there was no level to set
        turns = scheduler.timing.settle + 2 * LEAST_GAP_TURNS
        if gate:
            turns -= SEGMENT_TURNS  # the train's first word, before the leg
        at = _close(halves, at, turns - done, 0)
        if gate:
            at = _segment(halves, at, scheduler.timing.lead, GATE)
            turns += scheduler.timing.lead
        self.turns = turns
        self.ended = False
        _shift(scheduler.state, turns, scheduler.figures[TURNS_PER_MS])
        return at >> 1
