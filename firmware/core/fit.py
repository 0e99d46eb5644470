"""What fits what: a group of pulses on the grid, and its room between its neighbours.

Used to make a plan, and again when width or gap change while the output runs: `refitted`.
"""

from firmware.core.limits import limit
from firmware.core.line import SPREAD_TURNS
from firmware.core.parts import Shape
from firmware.core.refused import Refused

COMPACT_NS = 2_000_000  # below this interval a group is one inseparable burst
_LEAST_NS = limit("width_min_ns")


def shape_of(settings, timing):
    """The Shape of a channel's settings; Refused (-221): pulses do not fit their interval."""
    grid = timing.grid
    shape = Shape()
    shape.width = grid.turns(settings.width_ns)
    shape.least_width = min(shape.width, grid.turns(_LEAST_NS))
    shape.gap = grid.turns(settings.gap_ns)
    shape.count = settings.count
    shape.compact = settings.count > 1 and settings.interval_ns < COMPACT_NS
    shape.interval = grid.turns(settings.interval_ns) if settings.count > 1 else 0
    widest_ns = settings.width_ns
    if settings.modulation and settings.width_to_ns > widest_ns:
        widest_ns = settings.width_to_ns
    pulse = 2 * grid.turns(widest_ns) + shape.gap
    if shape.gap < timing.dead:
        raise Refused(
            -221, f"gap {settings.gap_ns} ns below the board's dead time, {timing.dead} turns"
        )
    if shape.compact and pulse + timing.dead > shape.interval:
        raise Refused(
            -221,
            f"a pulse of {2 * widest_ns + settings.gap_ns} ns and the dead time "
            f"do not fit the interval {settings.interval_ns} ns",
        )
    shape.unit_count = shape.count if shape.compact else 1
    shape.unit_turns = (shape.unit_count - 1) * shape.interval + pulse
    shape.group_turns = (shape.count - 1) * shape.interval + pulse
    return shape


def behind(plan, i, shapes):
    """Turns that channel i keeps free behind its unit: settling, and the other's unit."""
    timing = plan.timing
    settle = timing.settle + timing.lead
    other = shapes[1 - i]
    if other is None:
        return settle
    between = other.unit_turns + 2 * timing.separation
    # Ticking together, the other's unit goes by while this channel's amplitude settles.
    return max(settle, between) if plan.lockstep else settle + between


def need_room(plan, i, shapes, least_turns):
    """Refuse (-221) a rate at which the pulses of both channels do not fit their period."""
    shape = shapes[i]
    free = least_turns - shape.group_turns
    if not shape.compact and shape.count > 1:
        free = min(free, shape.interval - shape.unit_turns)
    need = behind(plan, i, shapes)
    if free < need:
        tpm = plan.turns_per_ms
        raise Refused(
            -221,
            f"channel {i + 1}: {free * 1_000_000 // tpm} ns free between pulses, "
            f"{need * 1_000_000 // tpm} ns needed",
        )


def fit(plan, i, shapes, train):
    """Leave room for a group and what follows it before a train's end."""
    keep = shapes[i].group_turns + behind(plan, i, shapes) + train.spread * SPREAD_TURNS
    last = train.length_ms * plan.turns_per_ms - keep
    if last < 0:
        raise Refused(
            -221, f"a train of channel {i + 1} of {train.length_ms} ms holds no pulse"
        )
    train.last_ms = last // plan.turns_per_ms
    train.last_turns = last % plan.turns_per_ms


def refitted(plan, channels):
    """A plan with the same time line and the widths and gaps of two channels' settings.

    The old one stays as it is. Refused (-221) as when a plan is made.
    """
    shapes = [
        shape_of(channels[i], plan.timing) if plan.channels[i] else None for i in (0, 1)
    ]
    for i in (0, 1):
        if shapes[i]:
            need_room(plan, i, shapes, plan.channels[i].least_turns)
    made = _copy(plan)
    made.channels = [None, None]
    for i in (0, 1):
        if shapes[i]:
            made.channels[i] = _channel(plan, i, shapes, channels[i])
    return made


def _channel(plan, i, shapes, settings):
    old = plan.channels[i]
    channel = _copy(old)
    channel.shape = shapes[i]
    if i and plan.follows:
        channel.offset += shapes[0].unit_turns - plan.channels[0].shape.unit_turns
    channel.steps = []
    for repeats, trains in old.steps:
        fresh = tuple([_copy(train) for train in trains])
        for train in fresh:
            if train.period:
                fit(plan, i, shapes, train)
            if train.course:
                from firmware.core.course import rewidened

                train.course = rewidened(train.course, settings, plan.timing.grid)
        channel.steps.append((repeats, fresh))
    return channel


def _copy(thing):
    """Another of the same class with the same attributes."""
    made = type(thing)()
    for name in thing.__dict__:
        setattr(made, name, getattr(thing, name))
    return made
