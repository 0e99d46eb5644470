"""One channel's groups in their order: when each is due, and at which share of the plateau.

What changes while it runs stands in one array of integers, the state, so that a line can be put
back to where it was when blocks that have not begun are replaced. What is fixed for a train
stands in another, the figures, which follow from the plan and the state. The writer
(core/tape.py) goes from pulse to pulse by itself; here is what is not of every pulse.
"""

from firmware.core.envelope import DOWN, FULL, LENGTH, TICKS_PER_MS, UP

# Fields of the state.
DUE = 0  # turns from the tape's origin to the next pulse; negative when it is late
WAIT_MS = 1  # whole ms to be added to DUE
STEP = 2
REPEAT = 3  # repeats of the step that are still to come
TRAIN = 4
AT_MS = 5  # the group's time after its train's start
AT_TURNS = 6
CARRY = 7  # remainder of the period
PULSE = 8  # pulse in the group
SHARE = 9  # the envelope's share, 0..FULL
FLIP = 10  # 1: minus leg first
ENDED = 11
PULSES = 12  # pulses played since the start
MOVED = 13  # pulses moved by a collision
MOVED_MOST = 14  # and the furthest of them, in turns
PLACE = 15  # step of the train's course
SHIFT = 16  # turns by which the group at the head is late at random
SERIES = 17  # where the random numbers of a train start
RANDOM = 18
BLOCK = 19  # blocks of contractions that are still to come
SIZE = 20

# Figures. Of the channel:
UNIT_PULSES = 0  # pulses in a unit, which nothing can come between
GROUP_UNITS = 1
INTERVAL = 2  # from pulse to pulse in a group
GAP = 3
LEAST_WIDTH = 4  # where ramps of width start; 0: the amplitude is ramped
ALTERNATE = 5
# Of the train:
SPANS = 6  # its envelope
WIDTH = SPANS + LENGTH + 1
PERIOD = WIDTH + 1
REMAINDER = WIDTH + 2  # of the period, in PARTS of a turn
PARTS = WIDTH + 3
OPENING = WIDTH + 4  # turns of the first interval, or 0
LAST_MS = WIDTH + 5  # no group starts later than this after the train's start
LAST_TURNS = WIDTH + 6
SLOW = WIDTH + 7  # 1: each group needs settle()
FIGURES = WIDTH + 8

SPREAD_TURNS = 16  # random times are multiples of this
TOP_UP_MS = 1000  # WAIT_MS moves to DUE in portions that stay small integers


class Line:
    """A channel's time line; `plan` None means that the channel is not used.

    state, figures: views of SIZE and FIGURES integers.
    """

    def __init__(self, state, figures):
        self.state = state
        self.figures = figures
        self.plan = None
        self._train = None
        self._tpm = 0
        state[ENDED] = 1

    def load(self, plan, turns_per_ms):
        """Stand at the start of a session. `plan`: ChannelPlan or None."""
        s = self.state
        for i in range(SIZE):
            s[i] = 0
        self._tpm = turns_per_ms
        s[ENDED] = 1
        self.use(plan)
        if plan is None:
            return
        s[ENDED] = 0
        s[DUE] = plan.offset
        s[FLIP] = plan.first
        s[SERIES] = plan.seed
        s[BLOCK] = plan.blocks
        s[REPEAT] = plan.steps[0][0]
        self._enter()

    def use(self, plan):
        """Go on under a plan with the same time line."""
        self.plan = plan
        if plan is None:
            return
        f = self.figures
        shape = plan.shape
        f[UNIT_PULSES] = shape.unit_count
        f[GROUP_UNITS] = shape.count // shape.unit_count
        f[INTERVAL] = shape.interval
        f[GAP] = shape.gap
        f[LEAST_WIDTH] = shape.least_width if plan.ramp_width else 0
        f[ALTERNATE] = int(plan.alternate)
        self.restored()

    def restored(self):
        """The state was put back: the figures of the train that it names."""
        s = self.state
        if s[ENDED]:
            return
        self._train = train = self.plan.steps[s[STEP]][1][s[TRAIN]]
        if train.period is None:
            return
        f = self.figures
        f[SPANS + UP] = train.up_ms * TICKS_PER_MS
        f[SPANS + DOWN] = train.down_ms * TICKS_PER_MS
        f[SPANS + LENGTH] = train.length_ms * TICKS_PER_MS
        f[WIDTH] = self.plan.shape.width
        f[PERIOD], f[REMAINDER], f[PARTS] = train.period
        f[OPENING] = train.opening
        f[LAST_MS] = train.last_ms
        f[LAST_TURNS] = train.last_turns
        f[SLOW] = int(train.course is not None or train.spread > 0)
        if train.course:
            self._take_place()

    def settle(self, by_chance):
        """The next group's time is known: what its train's course and chance make of it."""
        s = self.state
        train = self._train
        course = train.course
        if course:
            place = place_at(course, s[AT_MS])
            if course.rates[place] != course.rates[s[PLACE]]:
                s[CARRY] = 0
            s[PLACE] = place
            self._take_place()
        if by_chance and train.spread:
            s[SHIFT] = self._random(train.spread)
            s[DUE] += s[SHIFT]

    def _take_place(self):
        f = self.figures
        course = self._train.course
        place = self.state[PLACE]
        f[WIDTH] = course.widths[place]
        f[PERIOD] = course.turns[place]
        f[REMAINDER] = course.remainders[place]
        f[PARTS] = course.rates[place]

    def _random(self, spread):
        """A time below `spread` * SPREAD_TURNS turns, evenly distributed (xorshift of 16 bits)."""
        s = self.state
        x = s[RANDOM]
        x ^= x << 7 & 0xFFFF
        x ^= x >> 9
        x ^= x << 8 & 0xFFFF
        s[RANDOM] = x
        return ((x >> 3) * spread >> 13) * SPREAD_TURNS

    def leave(self):
        """The next group would not end in time: on to the next train's start."""
        s = self.state
        train = self._train
        s[DUE] += (train.length_ms - s[AT_MS]) * self._tpm - s[AT_TURNS]
        s[WAIT_MS] += train.rest_ms
        self._next_train()

    def _next_train(self):
        s = self.state
        steps = self.plan.steps
        s[TRAIN] += 1
        if s[TRAIN] >= len(steps[s[STEP]][1]):
            s[TRAIN] = 0
            s[REPEAT] -= 1
            if s[REPEAT] == 0:
                s[STEP] += 1
                if s[STEP] == self.plan.loop_end and s[BLOCK] > 1:
                    s[BLOCK] -= 1
                    s[STEP] = self.plan.loop_start
                if s[STEP] >= len(steps):
                    s[ENDED] = 1
                    self._top_up()
                    return
                s[REPEAT] = steps[s[STEP]][0]
        self._enter()

    def _enter(self):
        s = self.state
        s[AT_MS] = s[AT_TURNS] = s[CARRY] = s[PULSE] = s[PLACE] = 0
        self.restored()
        train = self._train
        if train.spread:
            # Anew for every train, so that channels that tick together also do so at random.
            s[RANDOM] = s[SERIES] & 0xFFFF or 1
            s[SERIES] = s[SERIES] * 75 % 65537
        if train.period is None:
            s[WAIT_MS] += train.rest_ms
            self._next_train()
            return
        s[SHARE] = 0 if train.up_ms else FULL
        self._top_up()

    def _top_up(self):
        """Bring a far pulse nearer the integers that can hold it."""
        s = self.state
        if s[WAIT_MS] and s[DUE] < TOP_UP_MS * self._tpm:
            ms = min(s[WAIT_MS], TOP_UP_MS)
            s[WAIT_MS] -= ms
            s[DUE] += ms * self._tpm


def place_at(course, at_ms):
    """The step of a Course that is in force at a time after its train's start."""
    place = at_ms % course.span_ms * course.places // course.span_ms
    steps = course.steps
    return place if place < steps else 2 * steps - 1 - place
