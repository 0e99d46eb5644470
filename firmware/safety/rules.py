"""The inspector's rules for a plan on a board: from the one table of limits."""

from firmware.core.inspector_rules import Rules
from firmware.core.limits import limit
from firmware.safety.engine import levels


def rules_for(board, timing, channels, levels_na=None):
    """Rules of a board with two channels' settings (limit_ua, pad_mm2).

    levels_na: current of a level of each channel, if they are calibrated. For sums over levels
    the inspector takes all for the larger one, rounded up.
    """
    levels_na = levels_na or (board.LEVEL_UA * 1000,) * 2
    least_na = min(levels_na)
    grid = timing.grid
    rules = Rules()
    rules.turns_per_ms = grid.turns_per_ms
    rules.dead_turns = timing.dead
    rules.separation_turns = grid.turns_up(board.SEPARATION_NS)
    rules.gate_lead_turns = grid.turns_up(board.GATE_LEAD_NS)
    rules.settle_turns = timing.settle
    rules.min_phase_turns = grid.turns(limit("width_min_ns"))
    rules.max_phase_turns = grid.turns(limit("width_max_ns"))
    rules.max_gap_turns = grid.turns(limit("gap_max_ns"))
    rules.horizon_turns = limit("horizon_ms") * grid.turns_per_ms
    rules.level_ua = -(-max(levels_na) // 1000)
    rules.ceiling = [0, 0]
    for i in (0, 1):
        if channels[i].enabled:
            rules.ceiling[i] = min(levels(levels_na[i], channels[i].limit_ua), board.LEVEL_MOST)
    rules.pad_mm2 = [c.pad_mm2 for c in channels]
    # The intensity goes up in steps of 1 mA; one more step is allowed for, as a command may act
    # a little sooner on the tape than its predecessor did.
    rules.first_level = levels(least_na, 2 * limit("step_ua"))
    rules.step_level = levels(least_na, limit("unfelt_ua") + 2 * limit("step_ua"))
    rules.slew_level_per_s = levels(least_na, limit("step_ua") * 1000 // limit("step_ms")) + 1
    rules.max_rms_ua = limit("rms_ua")
    rules.max_density_ua_per_mm2 = limit("density_ua_per_cm2") // 100
    rules.max_power_mw_per_cm2 = limit("power_mw_per_cm2")
    rules.max_mean_ua = limit("mean_ua")
    rules.max_energy_uj = limit("energy_uj")
    rules.max_charge_nc = limit("charge_nc")
    return rules
