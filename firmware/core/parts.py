"""What a plan consists of: plain data, all that the scheduler needs while the output runs.

core/plan.py makes it and core/fit.py changes it; neither stays in memory for it.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.core.course import Course
    from firmware.core.timing import Timing


class Shape:
    """A channel's group on the grid.

    width, gap: turns. count: pulses in the group. interval: turns from pulse to pulse.
    compact: a carrier burst, played as one unit. unit_count, unit_turns: pulses in one unit and
    its length from its first leg to its last. group_turns: the same for the whole group.
    least_width: where ramps of width start. The lengths are those of the widest pulse, where the
    width is modulated.
    """

    if TYPE_CHECKING:
        width: int
        least_width: int
        gap: int
        count: int
        compact: bool
        interval: int
        unit_count: int
        unit_turns: int
        group_turns: int


class Train:
    """Pulses at one rate under one envelope, then a rest.

    period: (whole turns, remainder, of how many), or None for a rest alone. up_ms, down_ms: its
    ramps. length_ms: with the ramps. rest_ms: from its end to the next train's start.
    last_ms, last_turns: no group starts later than this after the train's start.
    course: its Course, or None. opening: turns of the first interval, or 0. spread: how much later
    than due a group may come at random, in SPREAD_TURNS.
    """

    if TYPE_CHECKING:
        period: tuple[int, int, int]
        up_ms: int
        down_ms: int
        length_ms: int
        rest_ms: int
        last_ms: int
        last_turns: int
        course: Course
        opening: int
        spread: int


class ChannelPlan:
    """One channel: its shape, its first tick, and its steps [(repeats, (train, ...)), ...].

    blocks, loop_start, loop_end: the steps from the one to before the other are played this often.
    seed: of its random times. alternate: the first leg changes from unit to unit; first: 1 for
    the minus leg. ramp_width: ramps change the width. least_turns: the shortest time from the
    start of one group to the next.
    """

    if TYPE_CHECKING:
        shape: Shape
        offset: int
        steps: list
        blocks: int
        loop_start: int
        loop_end: int
        seed: int
        alternate: bool
        first: int
        ramp_width: bool
        least_turns: int


class Plan:
    """A session of one or two channels, ready to be scheduled.

    channels: two ChannelPlan or None. contractions: two counts. lockstep: both channels tick
    together for good. follows: channel 2's unit comes right behind channel 1's.
    """

    if TYPE_CHECKING:
        timing: Timing
        turns_per_ms: int
        duration_ms: int
        contractions: list[int]
        channels: list
        lockstep: bool
        follows: bool
