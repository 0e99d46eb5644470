"""From settings to a plan: everything the scheduler needs, as whole turns, and all checked.

A plan is made before the output is armed, so allocation and long integers are fine here; this
module has left memory when the output runs.
"""

from firmware.core.course import Course
from firmware.core.fit import fit, need_room, shape_of
from firmware.core.line import SPREAD_TURNS
from firmware.core.parts import ChannelPlan, Plan, Train
from firmware.core.refused import Refused
from firmware.core.settings import (
    ALTERNATE,
    ALTERNATING,
    INDEPENDENT,
    OVERLAPPED,
    SIMULTANEOUS,
    WIDTH,
    words_of,
)

# What two simultaneous channels must have in common to tick together.
LOCKSTEP = ("rate_mhz", "rest_rate_mhz", "delay_us", "opening_ns", "jitter_ns", "modulation")
LOCKSTEP_MODULATED = ("rate_to_mhz", "mod_steps", "mod_ms")


def make_plan(channels, session, timing):
    """The Plan of two channels' settings and a session's.

    Raises Refused (-221) naming what does not fit what.
    """
    return _Maker(channels, session, timing).plan


class _Maker:
    """Makes one plan."""

    def __init__(self, channels, session, timing):
        self.timing = timing
        self.plan = plan = Plan()
        plan.timing = timing
        plan.turns_per_ms = timing.grid.turns_per_ms
        plan.duration_ms = session.duration_ms
        plan.contractions = [0, 0]
        plan.channels = [None, None]
        if session.trigger:
            raise Refused(-221, f"triggered by {words_of('trigger')[session.trigger]}: no program "
                          "for the clock")
        used = [i for i in (0, 1) if channels[i].enabled]
        if not used:
            raise Refused(-221, "no channel is switched on")
        shapes = [shape_of(c, timing) if c.enabled else None for c in channels]
        starts = self._pattern(channels, session, used)
        plan.follows = len(used) == 2 and session.pattern == SIMULTANEOUS
        plan.lockstep = plan.follows and self._ticks_together(channels, shapes)
        least = [0, 0]
        for i in used:
            least[i] = self._least_turns(channels[i], starts[i][1], session)
            need_room(plan, i, shapes, least[i])
        for i in used:
            channel = self._channel(channels[i], session.seed)
            channel.shape = shapes[i]
            channel.least_turns = least[i]
            if i and plan.follows:
                channel.offset += shapes[0].unit_turns + timing.separation
            channel.steps, loop = self._steps(i, channels[i], session, starts[i])
            channel.blocks, channel.loop_start, channel.loop_end = loop
            for _, trains in channel.steps:
                for train in trains:
                    if train.period:
                        fit(plan, i, shapes, train)
            plan.channels[i] = channel

    def _channel(self, settings, seed):
        """What stands in a channel's own settings."""
        channel = ChannelPlan()
        channel.offset = self.timing.grid.turns(settings.delay_us * 1000)
        channel.seed = seed
        channel.alternate = settings.polarity == ALTERNATE
        channel.first = settings.polarity & 1
        channel.ramp_width = settings.ramp_by == WIDTH
        return channel

    # -- what fits ---------------------------------------------------------------------------

    def _ticks_together(self, channels, shapes):
        """Whether both simultaneous channels tick together for good: they never collide."""
        names = LOCKSTEP + LOCKSTEP_MODULATED if channels[0].modulation else LOCKSTEP
        for name in names:
            if getattr(channels[0], name) != getattr(channels[1], name):
                return False
        one, two = shapes
        units = one.count // one.unit_count
        if units != two.count // two.unit_count:
            return False
        return units == 1 or one.interval == two.interval

    def _least_turns(self, settings, off_ms, session):
        """The shortest time from one group's start to the next one's."""
        grid = self.timing.grid
        rate_mhz = settings.rate_mhz
        if settings.modulation:
            rate_mhz = max(rate_mhz, settings.rate_to_mhz)
        period = grid.period(rate_mhz)[0] - self._spread(settings) * SPREAD_TURNS
        rate_mhz = 0
        if settings.on_ms and off_ms:
            rate_mhz = settings.rest_rate_mhz
        if session.warm_ms:
            rate_mhz = max(rate_mhz, session.warm_rate_mhz)
        if session.cool_ms:
            rate_mhz = max(rate_mhz, session.cool_rate_mhz)
        if rate_mhz:
            period = min(period, grid.period(rate_mhz)[0])
        if settings.opening_ns:
            if settings.count > 1:
                raise Refused(-221, f"an opening doublet of groups of {settings.count} pulses")
            period = min(period, grid.turns(settings.opening_ns))
        return period

    # -- the session's time line ---------------------------------------------------------------

    def _pattern(self, channels, session, used):
        """The start of each channel's cycles after the warm-up (ms) and their lengths.

        Returns for each channel (start_ms, off_ms).
        """
        starts = [(0, c.off_ms) for c in channels]
        if len(used) < 2:
            return starts
        one, two = channels
        trains = [c.ramp_up_ms + c.on_ms + c.ramp_down_ms for c in channels]
        if session.pattern == SIMULTANEOUS:
            self._same(one, two, "simultaneous", ("on_ms", "off_ms", "ramp_up_ms", "ramp_down_ms"))
        if session.pattern != INDEPENDENT:
            self._same(one, two, "coupled", ("block_ms", "pause_ms"))
        if session.pattern in (ALTERNATING, OVERLAPPED):
            if not (one.on_ms and two.on_ms):
                raise Refused(-221, "channels that take turns need an on time")
            if session.pattern == ALTERNATING:
                cycles = [trains[i] + channels[i].off_ms for i in (0, 1)]
                if cycles[0] != cycles[1]:
                    raise Refused(
                        -221, f"alternating cycles differ: {cycles[0]} and {cycles[1]} ms"
                    )
                half = cycles[0] // 2
                if trains[0] > half or trains[1] > cycles[0] - half:
                    raise Refused(
                        -221, f"trains of {trains[0]} and {trains[1]} ms meet in half a cycle, "
                        f"{half} ms"
                    )
                starts[1] = (half, two.off_ms)
            else:
                hold = [c.ramp_up_ms + c.on_ms for c in channels]
                for i in (0, 1):
                    if channels[i].off_ms:
                        raise Refused(
                            -221,
                            f"overlapped channel {i + 1} has an off time, "
                            f"{channels[i].off_ms} ms above 0",
                        )
                    off = sum(hold) - trains[i]
                    if off < 0:
                        raise Refused(
                            -221,
                            f"channel {i + 1}: ramp down {channels[i].ramp_down_ms} ms "
                            f"above the other's hold, {hold[1 - i]} ms",
                        )
                    starts[i] = (i * hold[0], off)
        return starts

    def _same(self, one, two, what, names):
        for name in names:
            if getattr(one, name) != getattr(two, name):
                raise Refused(
                    -221,
                    f"{what} channels differ in {name}: "
                    f"{getattr(one, name)} and {getattr(two, name)}",
                )

    def _spread(self, c):
        return self.timing.grid.turns(c.jitter_ns) // SPREAD_TURNS

    def _steps(self, i, c, session, start):
        """The trains of one channel from the session's start to its end, and the loop in them."""
        start_ms, off_ms = start
        main_ms = session.duration_ms - session.warm_ms - session.cool_ms
        train_ms = c.ramp_up_ms + c.on_ms + c.ramp_down_ms
        steps = []
        if session.warm_ms:
            steps.append((1, (self._bout("warm", session, start_ms),)))
        elif start_ms:
            steps.append((1, (self._train(None, 0, 0, 0, start_ms),)))
        room_ms = main_ms - start_ms
        if not c.on_ms:
            train_ms = room_ms
        block_ms = c.block_ms
        blocks = 1
        if block_ms:
            if not c.on_ms:
                raise Refused(-221, f"channel {i + 1}: blocks of contractions need an on time")
            blocks = (room_ms + c.pause_ms) // (block_ms + c.pause_ms) if room_ms > 0 else 0
        elif c.pause_ms:
            raise Refused(
                -221, f"channel {i + 1}: pause of {c.pause_ms} ms without blocks of contractions"
            )
        span_ms = block_ms or room_ms
        repeats = 1
        if c.on_ms:
            repeats = (span_ms + off_ms) // (train_ms + off_ms) if span_ms > 0 else 0
        if repeats < 1 or train_ms < c.ramp_up_ms + c.ramp_down_ms:
            raise Refused(
                -221, f"channel {i + 1}: a contraction of {train_ms} ms does not fit the "
                f"{span_ms} ms of {'a block' if block_ms else 'the main part'}"
            )
        if blocks < 1:
            raise Refused(
                -221, f"channel {i + 1}: a block of {block_ms} ms does not fit the {room_ms} ms "
                "of the main part"
            )
        self.plan.contractions[i] = blocks * repeats
        spans = c, self._special(c, train_ms), span_ms, repeats, off_ms, self._rest(i, c, off_ms)
        loop = (1, 0, 0)
        if blocks > 1:
            loop = (blocks - 1, len(steps), 0)
            steps += self._block(spans, c.pause_ms)
            loop = (loop[0], loop[1], len(steps))
        steps += self._block(spans, room_ms - blocks * span_ms - (blocks - 1) * c.pause_ms)
        if session.cool_ms:
            steps.append((1, (self._bout("cool", session, 0),)))
        return steps, loop

    def _special(self, c, train_ms):
        """A contraction as the arguments of its Train, and what is special to it."""
        course = Course(c, self.timing.grid, train_ms) if c.modulation else None
        return train_ms, course, self.timing.grid.turns(c.opening_ns), self._spread(c)

    def _train(self, period, up_ms, length_ms, down_ms, rest_ms):
        """A train with nothing special to it."""
        train = Train()
        train.period = period
        train.up_ms = up_ms
        train.down_ms = down_ms
        train.length_ms = length_ms
        train.rest_ms = rest_ms
        train.last_ms = train.last_turns = 0
        train.course = None
        train.opening = train.spread = 0
        return train

    def _contraction(self, c, made, rest_ms):
        train = self._train(
            self.timing.grid.period(c.rate_mhz), c.ramp_up_ms, made[0], c.ramp_down_ms, rest_ms
        )
        train.course, train.opening, train.spread = made[1], made[2], made[3]
        return train

    def _block(self, spans, after_ms):
        """The steps of one block of contractions, or of the main part: with what follows it."""
        c, made, span_ms, repeats, off_ms, rest = spans
        steps: list = []
        if repeats > 1:
            if rest is None:
                steps.append((repeats - 1, (self._contraction(c, made, off_ms),)))
            else:
                resting = self._train(rest[0], rest[1], rest[2], rest[3], 0)
                steps.append((repeats - 1, (self._contraction(c, made, 0), resting)))
        left_ms = span_ms - repeats * made[0] - (repeats - 1) * off_ms
        if rest is None or left_ms < off_ms:
            steps.append((1, (self._contraction(c, made, left_ms + after_ms),)))
        else:
            resting = self._train(rest[0], rest[1], rest[2], rest[3], left_ms - off_ms + after_ms)
            steps.append((1, (self._contraction(c, made, 0), resting)))
        return steps

    def _bout(self, name, session, rest_ms):
        """The warm-up or the cool-down as a train."""
        length = getattr(session, name + "_ms")
        rate = getattr(session, name + "_rate_mhz")
        up = getattr(session, name + "_up_ms")
        down = getattr(session, name + "_down_ms")
        if not rate:
            return self._train(None, 0, 0, 0, length + rest_ms)
        if up + down > length:
            raise Refused(-221, f"{name} ramps of {up} and {down} ms above its {length} ms")
        return self._train(self.timing.grid.period(rate), up, length, down, rest_ms)

    def _rest(self, i, c, off_ms):
        """The active rest of a cycle, or None."""
        if not (c.rest_rate_mhz and off_ms and c.on_ms):
            return None
        if c.rest_up_ms + c.rest_down_ms > off_ms:
            raise Refused(
                -221, f"channel {i + 1}: rest ramps of {c.rest_up_ms} and {c.rest_down_ms} ms "
                f"above its off time, {off_ms} ms"
            )
        return (self.timing.grid.period(c.rest_rate_mhz), c.rest_up_ms, off_ms, c.rest_down_ms)
