"""Both channels on one time line: which pulse is next, when it starts, and at which level.

Two units never overlap: the later one moves behind the earlier one and the separation, by less
than one unit, and that is counted (plan.py has made sure that no move causes another).
"""

from array import array

from firmware.core.envelope import FULL, part
from firmware.core.line import (
    DUE,
    ENDED,
    FLIP,
    MOVED,
    MOVED_MOST,
    PLACE,
    PULSE,
    PULSES,
    SHARE,
    SIZE,
    Line,
)

FREE = 0  # turns from the origin to the first moment at which a leg may rise
LEVEL = 1  # levels in force on the tape, of both channels
FADING = 3  # 1 while fading to zero
FADE_LEFT = 4  # turns from the origin to the end of the fade
HIGHEST = 5  # highest levels of pulses since the start, of both channels
FADE_SPAN = 7  # of the whole fade from the plateau, in 2**FADE_SHIFT turns
OWN = 8
FADE_SHIFT = 12
KEPT = 8  # what keep() notes


class _Key:
    def __getitem__(self, key):
        return key


_ALL = _Key()[:]  # made once: a slice written in place is a new object on each use

STATE_SIZE = OWN + 2 * SIZE
PULSES_AT = (OWN + PULSES, OWN + SIZE + PULSES)  # where a saved state keeps the counts


class Scheduler:
    """Takes a plan and yields units; time is in turns from the tape's origin.

    level: the plateau of each channel as a level, live. start, channel: of the unit that next()
    found.
    """

    def __init__(self):
        self.level = array("i", [0, 0])
        self.start = 0
        self.timing = None
        self._state = memoryview(array("i", [0] * STATE_SIZE))
        self._own = self._state[:OWN]
        self.lines = (Line(self._state[OWN : OWN + SIZE]), Line(self._state[OWN + SIZE :]))

    def load(self, plan):
        """Stand at the start of a session, at amplitude zero."""
        self.timing = plan.timing
        for i in (0, 1):
            self.level[i] = 0
            self.lines[i].load(plan.channels[i], plan.turns_per_ms)
        for i in range(OWN):
            self._own[i] = 0
        self._preamble()

    def _preamble(self):
        """Room before the first pulse for its level to settle and for GATE to lead."""
        timing = self.timing
        turns = timing.settle + timing.lead + 2 * timing.LEAST_GAP_TURNS
        for line in self.lines:
            if not line.state[ENDED]:
                line.state[DUE] += turns

    def keep(self, kept):
        """Note in `kept` (KEPT integers) what outlasts a train: counts and highest levels."""
        for i in (0, 1):
            kept[i] = self._own[HIGHEST + i]
            for k in (0, 1, 2):
                kept[2 + 3 * i + k] = self.lines[i].state[PULSES + k]

    def again(self, plan, kept):
        """Stand at a plan's start once more in the same session: the plateaus stay."""
        level = self.level[0], self.level[1]
        self.load(plan)
        self.level[0], self.level[1] = level
        self.put_back(kept)

    def put_back(self, kept):
        """Counts and highest levels as keep() noted them."""
        for i in (0, 1):
            self._own[HIGHEST + i] = kept[i]
            for k in (0, 1, 2):
                self.lines[i].state[PULSES + k] = kept[2 + 3 * i + k]

    def swap(self, plan):
        """Go on under a plan with the same time line (a live setting has changed).

        Channel 2 keeps its place behind channel 1's unit in a simultaneous session.
        """
        for i in (0, 1):
            line = self.lines[i]
            if line.plan is not None:
                change = plan.channels[i].offset - line.plan.offset
                line.state[DUE] += change
                lead = self.timing.lead
                if change < 0 and line.state[DUE] < lead and not line.state[ENDED]:
                    # Its time is over, or too near for GATE to lead it: as soon as it can.
                    self._own[FREE] = max(self._own[FREE], lead)
            line.plan = plan.channels[i]
            line.restored()

    def fade(self, turns):
        """Go down to zero within `turns` from the origin and end there.

        A fade under way may be made shorter, not longer.
        """
        own = self._own
        span = (turns >> FADE_SHIFT) + 1
        if own[FADING]:
            left = own[FADE_LEFT]
            if left <= turns:
                return
            # Go on from where the first fade is, only faster.
            span = span * own[FADE_SPAN] // ((left >> FADE_SHIFT) + 1)
        own[FADING] = 1
        own[FADE_LEFT] = turns
        own[FADE_SPAN] = span

    def resume(self):
        """Go on after a fade, at amplitude zero."""
        self._own[FADING] = 0
        for i in (0, 1):
            self.level[i] = 0
            self._own[HIGHEST + i] = 0
        self._preamble()

    # -- the next unit -------------------------------------------------------------------------

    # native
    def next(self):
        """The channel (0 or 1) of the next unit, its start in `start`; -1 when there is none.

        At the end `start` is the time at which the tape ends.
        """
        own = self._own
        one = self.lines[0].state
        two = self.lines[1].state
        if one[ENDED]:
            if two[ENDED]:
                self.start = max(one[DUE], two[DUE], own[FREE])
                if own[FADING]:
                    self.start = max(0, min(self.start, own[FADE_LEFT]))
                return -1
            channel = 1
        elif two[ENDED]:
            channel = 0
        else:
            channel = 1 if two[DUE] < one[DUE] else 0
        due = (two if channel else one)[DUE]
        if own[FADING] and due >= own[FADE_LEFT]:
            self.start = max(0, own[FADE_LEFT], own[FREE])
            return -1
        self.start = due if due >= own[FREE] else own[FREE]
        return channel

    # native
    def taken(self, channel, end):
        """The unit at the head was written; its last phase ends at `end`."""
        line = self.lines[channel]
        s = line.state
        moved = self.start - s[DUE]
        if moved > 0:
            s[MOVED] += line.plan.shape.unit_count
            if moved > s[MOVED_MOST]:
                s[MOVED_MOST] = moved
        own = self._own
        if own[LEVEL + channel] > own[HIGHEST + channel]:
            own[HIGHEST + channel] = own[LEVEL + channel]
        line.advance()
        own[FREE] = end + self.timing.separation

    def shift(self, turns):
        """The origin moves on by `turns`."""
        own = self._own
        own[FREE] = max(0, own[FREE] - turns)
        if own[FADING]:
            own[FADE_LEFT] -= turns
        self.lines[0].shift(turns)
        self.lines[1].shift(turns)

    # -- the unit at a channel's head -----------------------------------------------------------

    def in_force(self, channel):
        """The level that the tape has set."""
        return self._own[LEVEL + channel]

    def set_in_force(self, channel, level):
        self._own[LEVEL + channel] = level

    def highest(self, channel):
        """The highest level of a pulse since the start or since a resume."""
        return self._own[HIGHEST + channel]

    def due(self, channel):
        return self.lines[channel].state[DUE]

    # native
    def wanted(self, channel):
        """The level of the channel's next pulse; the one in force when it has none."""
        line = self.lines[channel]
        s = line.state
        if s[ENDED]:
            return 0
        share = FULL if line.plan.ramp_width else s[SHARE]
        level = part(self.level[channel], share)
        if self._own[FADING]:
            left = self._own[FADE_LEFT] - s[DUE]
            if left <= 0:
                return 0
            span = self._own[FADE_SPAN]
            left = min(left >> FADE_SHIFT, span)
            level = level * left // span
        return level

    # native
    def width(self, channel):
        """The phase width of the channel's next pulse, in turns."""
        line = self.lines[channel]
        shape = line.plan.shape
        course = line.train.course
        width = shape.width if course is None else course.widths[line.state[PLACE]]
        if line.plan.ramp_width:
            least = shape.least_width
            return least + part(width - least, line.state[SHARE])
        return width

    def minus_first(self, channel):
        return self.lines[channel].state[FLIP]

    def opens_group(self, channel):
        return self.lines[channel].state[PULSE] == 0

    # -- counts and snapshots --------------------------------------------------------------------

    def pulses(self, channel):
        return self.lines[channel].state[PULSES]

    def moved(self, channel):
        """(pulses moved by collisions, the furthest move in turns)."""
        s = self.lines[channel].state
        return s[MOVED], s[MOVED_MOST]

    def save(self, slot):
        """Copy the whole state to a memoryview of STATE_SIZE integers."""
        slot[_ALL] = self._state

    def restore(self, slot):
        """Put back what save() copied."""
        self._state[_ALL] = slot
        self.lines[0].restored()
        self.lines[1].restored()
