"""The rules of a tape: their ranges, and the limits worked out from them, by hand-made numbers."""

from fractions import Fraction

import pytest
from inspector_bench import BOARD, UNLIMITED, rules

from firmware.core import inspector
from firmware.core.inspector_rules import Rules, fill

RANGES = {
    "turns_per_ms": (1, 250_000),
    "dead_turns": (1, 16_777_216),
    "separation_turns": (1, 16_777_216),
    "gate_lead_turns": (1, 16_777_216),
    "settle_turns": (1, 16_777_216),
    "min_phase_turns": (1, 131_072),
    "max_phase_turns": (1, 131_072),
    "max_gap_turns": (1, 16_777_216),
    "horizon_turns": (1, 67_108_864),
    "ceiling": (0, 2_047),
    "first_level": (0, 2_047),
    "step_level": (0, 2_047),
    "slew_level_per_s": (0, 4_096),
    "level_ua": (1, 10_000),
    "pad_mm2": (0, 1_000_000),
    "max_rms_ua": (0, 10_000_000),
    "max_density_ua_per_mm2": (0, 10_000),
    "max_power_mw_per_cm2": (0, 10_000),
    "max_mean_ua": (0, 10_000_000),
    "max_energy_uj": (0, 10_000_000),
    "max_charge_nc": (0, 10_000_000),
}
PAIRS = ("ceiling", "pad_mm2")
# The narrowest phase may not be above the widest, so both move together.
TOGETHER = {"min_phase_turns": ("max_phase_turns", 131_072), "max_phase_turns":
            ("min_phase_turns", 1)}  # fmt: skip


def checked(name, value):
    changes = {name: value}
    if name in TOGETHER:
        other, number = TOGETHER[name]
        changes[other] = number
    rules(**changes).check()


def ways(name, value):
    """The value, or both places of a pair."""
    return [(value, BOARD[name][1]), (BOARD[name][0], value)] if name in PAIRS else [value]


def test_there_is_a_range_for_every_rule():
    assert set(vars(Rules())) == set(RANGES)


@pytest.mark.parametrize("name", RANGES)
def test_a_rule_is_held_to_its_range(name):
    least, most = RANGES[name]
    for good in (least, most):
        for value in ways(name, good):
            checked(name, value)
    for bad in (least - 1, most + 1, 7.5, "7", None):
        for value in ways(name, bad):
            text = f"{name} is {bad}, allowed are {least} to {most}"
            with pytest.raises(ValueError, match=text):
                checked(name, value)


@pytest.mark.parametrize("name", RANGES)
def test_a_rule_left_unset_is_named(name):
    with pytest.raises(ValueError, match=f"{name} is None"):
        checked(name, None)


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("values", [(), (1,), (1, 2, 3)])
def test_a_pair_has_two_values(name, values):
    with pytest.raises(ValueError, match=f"{name} needs two values"):
        checked(name, values)


def test_the_narrowest_phase_may_be_the_widest_but_not_above():
    rules(min_phase_turns=500, max_phase_turns=500).check()
    with pytest.raises(ValueError, match="min_phase_turns is above max_phase_turns"):
        rules(min_phase_turns=501, max_phase_turns=500).check()


ODD = {
    "turns_per_ms": 12_347,
    "max_phase_turns": 1_009,
    "max_gap_turns": 313,
    "level_ua": 59,
    "pad_mm2": (701, 1_303),
    "max_rms_ua": 41_011,
    "max_density_ua_per_mm2": 19,
    "max_power_mw_per_cm2": 241,
    "max_mean_ua": 9_011,
    "max_energy_uj": 17_011,
    "max_charge_nc": 3_011,
}


def test_limits_are_worked_out_exactly_and_rounded_down():
    odd = rules(**ODD)
    second = 12_347_000
    level = Fraction(59, 1_000_000)  # A
    assert odd.turns_per_s() == second
    assert odd.longest_pulse() == 1_009 + 313 + 1_009
    charge = Fraction(3_011, 10**9)  # A s
    assert odd.charge() == int(charge / level * second)
    joule = Fraction(17_011, 10**6)
    assert odd.energy() == int(joule / 500 / 2 / level**2 * second)
    assert odd.mean() == int(Fraction(9_011, 10**6) / level * second)
    assert odd.rms() == int(Fraction(41_011, 10**6) ** 2 / level**2 * second)
    for channel, pad_mm2 in enumerate((701, 1_303)):
        ampere = Fraction(19 * pad_mm2, 10**6)
        assert odd.density(channel) == int(ampere**2 / level**2 * second)
        watt = Fraction(241, 1_000) * Fraction(pad_mm2, 100)
        assert odd.power(channel) == int(watt / 500 / level**2 * second)


# How far sums are scaled down so that they stay small: no further than they must.


def filled(**changes):
    box = [0] * 1_000
    fill(box, rules(**{**UNLIMITED, **changes}))
    return box


def least_shift(fits):
    return next(shift for shift in range(64) if fits(shift))


@pytest.mark.parametrize("phase_turns", [1_250, 6_249, 62_500, 131_072])
@pytest.mark.parametrize("ceiling", [(10, 0), (0, 100), (1_000, 999), (2_047, 2_047)])
def test_a_phases_charge_is_scaled_no_further_than_its_square_needs(phase_turns, ceiling):
    box = filled(max_phase_turns=phase_turns, ceiling=ceiling)
    highest = max(ceiling)
    expected = least_shift(
        lambda shift: ((phase_turns * highest >> shift) + 1) * highest <= 3 * 2**28
    )
    assert box[inspector.CHARGE_SHIFT_AT] == expected
    # Of a second the largest sum within reach: twice the ceiling's square.
    most = min(10**12 * 62_500_000 // 60**2, 2 * highest**2 * 62_500_000)
    more = least_shift(lambda shift: most >> expected + shift <= 2**28)
    assert box[inspector.SQUARE_SHIFT_AT] == more
    assert box[inspector.MAX_SQUARE_AT] == most >> expected + more


@pytest.mark.parametrize(
    "mean_ua, shift", [(0, 0), (4_095, 0), (4_096, 0), (4_097, 1), (8_192, 1), (8_194, 2)]
)
def test_a_seconds_mean_is_scaled_no_further_than_it_must_be(mean_ua, shift):
    # 65536 turns a ms and levels of 1 mA: a micro-ampere is 65536 level x turns in a second.
    box = filled(turns_per_ms=65_536, level_ua=1_000, max_mean_ua=mean_ua)
    assert (box[inspector.MEAN_SHIFT_AT], box[inspector.MAX_MEAN_AT]) == (
        shift, mean_ua << 16 >> shift
    )  # fmt: skip
