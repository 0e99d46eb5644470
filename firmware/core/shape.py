"""One group of pulses as whole turns: what a channel plays at every tick of its rate."""

from firmware.core.refused import Refused

COMPACT_NS = 2_000_000  # below this interval a group is one inseparable burst


class Shape:
    """A channel's group on the grid.

    width, gap: turns. count: pulses in the group. interval: turns from pulse to pulse.
    compact: a carrier burst, played as one unit. unit_count, unit_turns: pulses in one unit and
    its length from its first leg to its last. group_turns: the same for the whole group.
    least_width: where ramps of width start. The lengths are those of the widest pulse, where the
    width is modulated.
    Raises Refused (-221) when the pulses of a group do not fit their interval.
    """

    def __init__(self, settings, timing, least_width_ns):
        grid = timing.grid
        self.width = grid.turns(settings.width_ns)
        self.least_width = min(self.width, grid.turns(least_width_ns))
        self.gap = grid.turns(settings.gap_ns)
        self.count = settings.count
        self.compact = settings.count > 1 and settings.interval_ns < COMPACT_NS
        self.interval = grid.turns(settings.interval_ns) if settings.count > 1 else 0
        widest_ns = settings.width_ns
        if settings.modulation and settings.width_to_ns > widest_ns:
            widest_ns = settings.width_to_ns
        pulse = 2 * grid.turns(widest_ns) + self.gap
        if self.gap < timing.dead:
            raise Refused(
                -221, f"gap {settings.gap_ns} ns below the board's dead time, {timing.dead} turns"
            )
        if self.compact and pulse + timing.dead > self.interval:
            raise Refused(
                -221,
                f"a pulse of {2 * widest_ns + settings.gap_ns} ns and the dead time "
                f"do not fit the interval {settings.interval_ns} ns",
            )
        self.unit_count = self.count if self.compact else 1
        self.unit_turns = (self.unit_count - 1) * self.interval + pulse
        self.group_turns = (self.count - 1) * self.interval + pulse
