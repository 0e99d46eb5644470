"""One channel's groups in their order: when each is due, and at which share of the plateau.

What changes while it runs stands in one array of integers, so that a line can be put back to
where it was when blocks that have not begun are replaced.
"""

from firmware.core.envelope import FULL, TICKS_PER_MS

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

SPREAD_TURNS = 16  # random times are multiples of this
TOP_UP_MS = 1000  # WAIT_MS moves to DUE in portions that stay small integers


class Line:
    """A channel's time line; `plan` None means that the channel is not used."""

    def __init__(self, state):
        self.state = state  # a memoryview of SIZE integers
        self.plan = None
        self.train = None
        self._tpm = 0
        state[ENDED] = 1

    def load(self, plan, turns_per_ms):
        """Stand at the start of a session. `plan`: ChannelPlan or None."""
        s = self.state
        for i in range(SIZE):
            s[i] = 0
        self.plan = plan
        self._tpm = turns_per_ms
        if plan is None:
            s[ENDED] = 1
            return
        s[DUE] = plan.offset
        s[FLIP] = plan.first
        s[SERIES] = plan.seed
        s[BLOCK] = plan.blocks
        s[REPEAT] = plan.steps[0][0]
        self._enter()

    def restored(self):
        """The state was put back: find the train that it names."""
        s = self.state
        if not s[ENDED]:
            self.train = self.plan.steps[s[STEP]][1][s[TRAIN]]

    def shift(self, turns):
        """The tape's origin moves on."""
        s = self.state
        s[DUE] -= turns
        if s[ENDED] and s[DUE] < 0:
            s[DUE] = 0  # it has ended for good, and the count must not run away
        if s[WAIT_MS]:
            self._top_up()

    # native
    def advance(self):
        """The pulse (or burst) at the head was played: go to the next one."""
        s = self.state
        plan = self.plan
        shape = plan.shape
        s[PULSES] += shape.unit_count
        if plan.alternate:
            s[FLIP] ^= 1
        if not shape.compact:
            k = s[PULSE] + 1
            if k < shape.count:
                s[PULSE] = k
                s[DUE] += shape.interval
                return
            s[PULSE] = 0
            s[DUE] -= (k - 1) * shape.interval
        self._next_group()

    # native
    def _next_group(self):
        s = self.state
        train = self.train
        course = train.course
        opening = train.opening
        if opening and s[AT_MS] == 0 and s[AT_TURNS] == 0:
            step = opening
        else:
            opening = 0
            if course is None:
                step, remainder, parts = train.period
            else:
                place = s[PLACE]
                step = course.turns[place]
                remainder = course.remainders[place]
                parts = course.rates[place]
            carry = s[CARRY] + remainder
            if carry >= parts:
                carry -= parts
                step += 1
            s[CARRY] = carry
        s[DUE] += step - s[SHIFT]
        s[SHIFT] = 0
        turns = s[AT_TURNS] + step
        ms = s[AT_MS] + turns // self._tpm
        turns %= self._tpm
        s[AT_MS] = ms
        s[AT_TURNS] = turns
        if ms < train.last_ms or (ms == train.last_ms and turns <= train.last_turns):
            s[SHARE] = train.envelope.share(ms * TICKS_PER_MS + turns * TICKS_PER_MS // self._tpm)
            if course is not None:
                place = course.place(ms)
                if course.rates[place] != course.rates[s[PLACE]]:
                    s[CARRY] = 0
                s[PLACE] = place
            if train.spread and not opening:
                s[SHIFT] = self._random(train.spread)
                s[DUE] += s[SHIFT]
            return
        # The group would not end in time: on to the next train's start.
        s[DUE] += (train.length_ms - ms) * self._tpm - turns
        s[WAIT_MS] += train.rest_ms
        self._next_train()

    # native
    def _random(self, spread):
        """A time below `spread` * SPREAD_TURNS turns, evenly distributed (xorshift of 16 bits)."""
        s = self.state
        x = s[RANDOM]
        x ^= x << 7 & 0xFFFF
        x ^= x >> 9
        x ^= x << 8 & 0xFFFF
        s[RANDOM] = x
        return ((x >> 3) * spread >> 13) * SPREAD_TURNS

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
        self.train = train = self.plan.steps[s[STEP]][1][s[TRAIN]]
        s[AT_MS] = s[AT_TURNS] = s[CARRY] = s[PULSE] = s[PLACE] = 0
        if train.spread:
            # Anew for every train, so that channels that tick together also do so at random.
            s[RANDOM] = s[SERIES] & 0xFFFF or 1
            s[SERIES] = s[SERIES] * 75 % 65537
        if train.period is None:
            s[WAIT_MS] += train.rest_ms
            self._next_train()
            return
        s[SHARE] = 0 if train.envelope.up.ticks else FULL
        self._top_up()

    def _top_up(self):
        """Bring a far pulse nearer the integers that can hold it."""
        s = self.state
        if s[WAIT_MS] and s[DUE] < TOP_UP_MS * self._tpm:
            ms = min(s[WAIT_MS], TOP_UP_MS)
            s[WAIT_MS] -= ms
            s[DUE] += ms * self._tpm
