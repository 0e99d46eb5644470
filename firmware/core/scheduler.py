"""Both channels on one time line: where each stands, at which level, and how to go back.

Two units never overlap: the later one moves behind the earlier one and the separation, by less
than one unit, and that is counted (plan.py has made sure that no move causes another). The unit
that comes next is found by the writer (core/tape.py), which reads and writes the state.
"""

from array import array

from firmware.core.line import (
    DUE,
    ENDED,
    FIGURES,
    MOVED,
    MOVED_MOST,
    PULSES,
    SIZE,
    Line,
)
from firmware.core.timing import LEAST_GAP_TURNS

# Fields of the state before the two lines' own.
FREE = 0  # turns from the origin to the first moment at which a leg may rise
LEVEL_C = 1  # levels in force on the tape, of both channels
FADING = 3  # 1 while fading to zero
FADE_LEFT = 4  # turns from the origin to the end of the fade
HIGHEST_C = 5  # highest levels of pulses since the start or a resume, of both channels
FADE_SPAN = 7  # of the whole fade from the plateau, in 2**FADE_SHIFT turns
OWN = 8
FADE_SHIFT = 12
KEPT = 8  # what keep() notes

STATE_SIZE = OWN + 2 * SIZE
PULSES_AT = (OWN + PULSES, OWN + SIZE + PULSES)  # where a saved state keeps the counts

# Figures before the two lines' own: the board's times in turns, and the plateaus.
SETTLE = 0
LEAD = 1
APART = 2
TURNS_PER_MS = 3
PLATEAU_C = 4
COMMON = 6


class _Key:
    def __getitem__(self, key):
        return key


_ALL = _Key()[:]  # made once: a slice written in place is a new object on each use


class Scheduler:
    """Takes a plan; time is in turns from the tape's origin.

    level: the plateau of each channel as a level, live. state: what moves; figures: what doesn't;
    views: the lines' own parts of both.
    """

    def __init__(self):
        self.timing = None
        self.state = array("i", bytes(4 * STATE_SIZE))
        self.figures = array("i", bytes(4 * (COMMON + 2 * FIGURES)))
        self._whole = state = memoryview(self.state)
        figures = memoryview(self.figures)
        self.level = figures[PLATEAU_C:COMMON]
        self.views = views = (
            state[OWN : OWN + SIZE],
            figures[COMMON : COMMON + FIGURES],
            state[OWN + SIZE :],
            figures[COMMON + FIGURES :],
        )
        self.lines = (Line(views[0], views[1]), Line(views[2], views[3]))

    def load(self, plan):
        """Stand at the start of a session, at amplitude zero."""
        self.timing = timing = plan.timing
        figures = self.figures
        figures[SETTLE] = timing.settle
        figures[LEAD] = timing.lead
        figures[APART] = timing.separation
        figures[TURNS_PER_MS] = plan.turns_per_ms
        for i in range(OWN):
            self.state[i] = 0
        for i in (0, 1):
            self.level[i] = 0
            self.lines[i].load(plan.channels[i], plan.turns_per_ms)
        self._preamble()

    def _preamble(self):
        """Room before the first pulse for its level to settle and for GATE to lead."""
        timing = self.timing
        turns = timing.settle + timing.lead + 2 * LEAST_GAP_TURNS
        for line in self.lines:
            if not line.state[ENDED]:
                line.state[DUE] += turns

    def keep(self, kept):
        """Note in `kept` (KEPT integers) what outlasts a train: counts and highest levels."""
        for i in (0, 1):
            kept[i] = self.state[HIGHEST_C + i]
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
            self.state[HIGHEST_C + i] = kept[i]
            for k in (0, 1, 2):
                self.lines[i].state[PULSES + k] = kept[2 + 3 * i + k]

    def swap(self, plan):
        """Go on under a plan with the same time line (a live setting has changed).

        Channel 2 keeps its place behind channel 1's unit in a simultaneous session.
        """
        state = self.state
        for i in (0, 1):
            line = self.lines[i]
            if line.plan is not None:
                change = plan.channels[i].offset - line.plan.offset
                line.state[DUE] += change
                lead = self.timing.lead
                if change < 0 and line.state[DUE] < lead and not line.state[ENDED]:
                    # Its time is over, or too near for GATE to lead it: as soon as it can.
                    state[FREE] = max(state[FREE], lead)
            line.use(plan.channels[i])

    def fade(self, turns):
        """Go down to zero within `turns` from the origin and end there.

        A fade under way may be made shorter, not longer.
        """
        state = self.state
        span = (turns >> FADE_SHIFT) + 1
        if state[FADING]:
            left = state[FADE_LEFT]
            if left <= turns:
                return
            # Go on from where the first fade is, only faster.
            span = span * state[FADE_SPAN] // ((left >> FADE_SHIFT) + 1)
        state[FADING] = 1
        state[FADE_LEFT] = turns
        state[FADE_SPAN] = span

    def resume(self):
        """Go on after a fade, at amplitude zero."""
        self.state[FADING] = 0
        for i in (0, 1):
            self.level[i] = 0
            self.state[HIGHEST_C + i] = 0
        self._preamble()

    def highest(self, channel):
        """The highest level of a pulse since the start or since a resume."""
        return self.state[HIGHEST_C + channel]

    def pulses(self, channel):
        """Pulses written since the start."""
        return self.lines[channel].state[PULSES]

    def moved(self, channel):
        """(pulses moved by collisions, the furthest move in turns)."""
        s = self.lines[channel].state
        return s[MOVED], s[MOVED_MOST]

    def save(self, slot):
        """Copy the whole state to a memoryview of STATE_SIZE integers."""
        slot[_ALL] = self._whole

    def restore(self, slot):
        """Put back what save() copied."""
        self._whole[_ALL] = slot
        self.lines[0].restored()
        self.lines[1].restored()
