"""What the inspector's tests share: the rules of a board like the reference board."""

from collections.abc import Iterator

from tape_words import Block

from firmware.core.inspector import Inspector
from firmware.core.inspector_rules import Rules

MS = 62_500  # turns, at 125 MHz
SECOND = 1000 * MS
LEAD, SETTLE = 1_250, MS
BOARD = {
    "turns_per_ms": MS,
    "dead_turns": 125,
    "separation_turns": 150,
    "gate_lead_turns": LEAD,
    "settle_turns": SETTLE,
    "min_phase_turns": 1_250,
    "max_phase_turns": 31_250,
    "max_gap_turns": 6_250,
    "horizon_turns": 100 * MS,
    "ceiling": (1_000, 1_500),
    "first_level": 2_047,
    "step_level": 16,
    "slew_level_per_s": 33,
    "level_ua": 60,
    "pad_mm2": (10_000, 10_000),
    "max_rms_ua": 50_000,
    "max_density_ua_per_mm2": 20,
    "max_power_mw_per_cm2": 250,
    "max_mean_ua": 20_000,
    "max_energy_uj": 20_000,
    "max_charge_nc": 120_000,
}
# No limit on what moves through the skin.
UNLIMITED = {
    "ceiling": (2_000, 2_000),
    "max_rms_ua": 1_000_000,
    "max_mean_ua": 1_000_000,
    "max_charge_nc": 1_000_000,
    "max_energy_uj": 1_000_000,
    "max_density_ua_per_mm2": 10_000,
    "max_power_mw_per_cm2": 10_000,
}


def rules(**changes) -> Rules:
    """The board's rules with some changed."""
    made = Rules()
    for name, value in {**BOARD, **changes}.items():
        setattr(made, name, value)
    return made


def feed(inspector: Inspector, block: Block) -> int:
    """Have a block inspected that lasts as long as its words."""
    return inspector.inspect(block.halves(), len(block.words), block.turns)


def verdict(*blocks: Block, **changes) -> int:
    """The first reason for which one of the blocks is refused, in a session of its own."""
    inspector = Inspector(rules(**changes))
    for block in blocks:
        reason = feed(inspector, block)
        if reason:
            return reason
    return 0


def levels(first: int, second: int) -> Block:
    """A block that puts levels in force and lets them settle."""
    return Block().levels(first, second).hold(SETTLE)


def one(channel: int = 0, width: int = 10_000, gap: int = 500, lead: int = LEAD, **how) -> Block:
    """A block of one pulse."""
    return Block().hold(1_000).pulse(channel, width, gap, lead=lead, **how).hold(1_000)


def rest(turns: int) -> Iterator[Block]:
    """Blocks of nothing."""
    while turns > 95 * MS:
        yield Block().hold(90 * MS)
        turns -= 90 * MS
    yield Block().hold(turns)
