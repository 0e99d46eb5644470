"""What a tape may do: the limits that the inspector holds every block to.

Only needed when it is given them: `fill`.
"""

from firmware.core.inspector import (
    APART_AT,
    BUCKET_AT,
    CEILING_AT,
    CHARGE_SHIFT_AT,
    CREDIT_CAP_AT,
    CREDIT_RATE_AT,
    DEAD_AT,
    DENSITY,
    FIRST_CREDIT_AT,
    GAP_AT,
    HORIZON_AT,
    LEAD_AT,
    LEVEL_COST_AT,
    LONGEST_AT,
    MAX_CHARGE_AT,
    MAX_ENERGY_AT,
    MAX_MEAN_AT,
    MAX_SQUARE_AT,
    MEAN_SHIFT_AT,
    MOST,
    POWER,
    RMS,
    SETTLE_AT,
    SHORTEST_AT,
    SQUARE_REASON_AT,
    SQUARE_SHIFT_AT,
    TICK_SHIFT,
    WINDOW,
)

# Ranges that keep the inspector's integers small on every port (below 2**30); a rule outside
# them is a mistake of the board file, not a stricter or looser limit.
_RANGES = (
    ("turns_per_ms", 1, 250_000),
    ("dead_turns", 1, 1 << 24),
    ("separation_turns", 1, 1 << 24),
    ("gate_lead_turns", 1, 1 << 24),
    ("settle_turns", 1, 1 << 24),
    ("min_phase_turns", 1, 1 << 17),
    ("max_phase_turns", 1, 1 << 17),
    ("max_gap_turns", 1, 1 << 24),
    ("horizon_turns", 1, 1 << 26),
    ("ceiling", 0, 2047),
    ("first_level", 0, 2047),
    ("step_level", 0, 2047),
    ("slew_level_per_s", 0, 4096),
    ("level_ua", 1, 10_000),
    ("pad_mm2", 0, 1_000_000),
    ("max_rms_ua", 0, 10_000_000),
    ("max_density_ua_per_mm2", 0, 10_000),
    ("max_power_mw_per_cm2", 0, 10_000),
    ("max_mean_ua", 0, 10_000_000),
    ("max_energy_uj", 0, 10_000_000),
    ("max_charge_nc", 0, 10_000_000),
)
_PER_CHANNEL = ("ceiling", "pad_mm2")


class Rules:
    """Limits of a tape: whole numbers filled in by the caller; a rule left unset is an error.

    A turn is two clocks of the state machine. `ceiling` and `pad_mm2` are pairs, channel 1 first.
    """

    def __init__(self):
        self.turns_per_ms = None

        # Times, in turns.
        self.dead_turns = None  # least time between two phases of one channel
        self.separation_turns = None  # least time between a phase of one channel and the other's
        self.gate_lead_turns = None  # least time GATE is high before a phase
        self.settle_turns = None  # least time from a change of level to that channel's next phase
        self.min_phase_turns = None
        self.max_phase_turns = None
        self.max_gap_turns = None  # a phase's opposite begins at most this long after its end
        self.horizon_turns = None  # longest block

        # Levels (steps of the amplitude register).
        self.ceiling = None  # highest level of each channel
        self.first_level = None  # how far above zero a session may begin
        self.step_level = None  # how far above the highest level played a level may step
        self.slew_level_per_s = None  # how fast that allowance grows back

        # Output. r.m.s., density, power and mean are taken over any one second, both phases
        # counted; power and energy into the 500 ohm of IEC 60601-2-10.
        self.level_ua = None  # current of one level
        self.pad_mm2 = None  # area of the smaller pad of each channel
        self.max_rms_ua = None
        self.max_density_ua_per_mm2 = None  # r.m.s.; 20 is 2 mA/cm2
        self.max_power_mw_per_cm2 = None
        self.max_mean_ua = None  # of the absolute current
        self.max_energy_uj = None  # of one pulse
        self.max_charge_nc = None  # of one phase

    def check(self):
        """Raise ValueError, naming rule, value and range, unless every rule is usable."""
        for name, least, most in _RANGES:
            value = getattr(self, name)
            values = value if name in _PER_CHANNEL and value is not None else (value,)
            if name in _PER_CHANNEL and len(values) != (1 if value is None else 2):
                raise ValueError(f"{name} needs two values, one a channel")
            for number in values:
                if not isinstance(number, int) or not least <= number <= most:
                    raise ValueError(f"{name} is {number}, allowed are {least} to {most}")
        if self.min_phase_turns > self.max_phase_turns:
            raise ValueError("min_phase_turns is above max_phase_turns")

    def turns_per_s(self):
        """Turns of one second."""
        return self.turns_per_ms * 1000

    def longest_pulse(self):
        """Turns of the longest pulse that the rules allow, first phase to end of second."""
        return 2 * self.max_phase_turns + self.max_gap_turns

    def charge(self):
        """Largest level x turns of one phase."""
        return self.max_charge_nc * self.turns_per_ms // self.level_ua

    def energy(self):
        """Largest level squared x turns of one phase (a pulse has two, equal ones)."""
        # E = I^2 * 500 ohm * 2 phases
        return self.max_energy_uj * 1000 * self.turns_per_s() // self.level_ua**2

    def mean(self):
        """Largest level x turns within a second."""
        return self.max_mean_ua * self.turns_per_s() // self.level_ua

    def rms(self):
        """Largest level squared x turns within a second, by r.m.s. current."""
        return self._squares(self.max_rms_ua**2)

    def density(self, channel):
        """The same by r.m.s. current density on that channel's pad."""
        return self._squares((self.max_density_ua_per_mm2 * self.pad_mm2[channel]) ** 2)

    def power(self, channel):
        """The same by power density on that channel's pad."""
        # I^2 = P * A / 500 ohm; 1 mW/cm2 on 1 mm2 into 500 ohm is 20000 uA^2
        return self._squares(self.max_power_mw_per_cm2 * self.pad_mm2[channel] * 20_000)

    def _squares(self, ua2):
        return ua2 * self.turns_per_s() // self.level_ua**2


def fill(box, rules):
    """Work the limits out in the units of the inspector's box; may use large integers.

    Raises ValueError if a rule is no good.
    """
    rules.check()
    box[DEAD_AT] = rules.dead_turns
    box[APART_AT] = rules.separation_turns
    box[LEAD_AT] = rules.gate_lead_turns
    box[SETTLE_AT] = rules.settle_turns
    box[SHORTEST_AT] = rules.min_phase_turns
    box[LONGEST_AT] = rules.max_phase_turns
    box[GAP_AT] = rules.max_gap_turns
    box[HORIZON_AT] = rules.horizon_turns
    box[CEILING_AT] = rules.ceiling[0]
    box[CEILING_AT + 1] = rules.ceiling[1]

    # A tick brings `slew` of credit and a level costs as much as there are ticks in a second.
    box[CREDIT_RATE_AT] = rules.slew_level_per_s
    box[LEVEL_COST_AT] = -(-rules.turns_per_s() >> TICK_SHIFT)
    box[CREDIT_CAP_AT] = rules.step_level * box[LEVEL_COST_AT]
    box[FIRST_CREDIT_AT] = rules.first_level * box[LEVEL_COST_AT]

    # The window is longer than a second by a pulse, which counts where it ends.
    box[BUCKET_AT] = -(-(rules.turns_per_s() + rules.longest_pulse()) // WINDOW)

    # Level squared x turns is scaled in two steps: first so far that the product with the level
    # stays below 2**30, then until the limit of a second's sum is small enough.
    highest = max(rules.ceiling)
    charge_shift = 0
    while ((rules.max_phase_turns * highest >> charge_shift) + 1) * highest > MOST * 3:
        charge_shift += 1
    box[CHARGE_SHIFT_AT] = charge_shift
    limits = [_square_limit(rules, channel) for channel in (0, 1)]
    square_shift = 0
    while max(limits)[0] >> (charge_shift + square_shift) > MOST:
        square_shift += 1
    box[SQUARE_SHIFT_AT] = square_shift
    for channel in (0, 1):
        limit, reason = limits[channel]
        box[MAX_SQUARE_AT + channel] = limit >> (charge_shift + square_shift)
        box[SQUARE_REASON_AT + channel] = reason
    box[MAX_ENERGY_AT] = min(rules.energy() >> (charge_shift + square_shift), MOST)

    mean_shift = 0
    # A limit beyond twice the direct current of the ceiling is out of reach, and only that.
    mean = min(rules.mean(), 2 * highest * rules.turns_per_s())
    while mean >> mean_shift > MOST:
        mean_shift += 1
    box[MEAN_SHIFT_AT] = mean_shift
    box[MAX_MEAN_AT] = mean >> mean_shift
    box[MAX_CHARGE_AT] = min(rules.charge(), MOST)


def _square_limit(rules, channel):
    """The tightest limit on level squared x turns in a second, and the reason it stands for."""
    out_of_reach = 2 * max(rules.ceiling) ** 2 * rules.turns_per_s()
    return min(
        (rules.rms(), RMS),
        (rules.density(channel), DENSITY),
        (rules.power(channel), POWER),
        (out_of_reach, RMS),
    )
