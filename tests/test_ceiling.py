"""Ceiling and inspector's rules of a board: every limit alone, against sums in fractions."""

from fractions import Fraction
from math import isqrt
from types import SimpleNamespace

import pytest

from firmware.boards import pico_reference as board
from firmware.core.grid import Grid
from firmware.core.settings import CHANNEL, SESSION, TRIANGLE, Settings
from firmware.core.timing import Timing
from firmware.safety.ceiling import _root, ceiling, ceiling_of
from firmware.safety.rules import levels, rules_for

OPEN_A = Fraction(120, 1000)


def settings(**values):
    """A channel that may go up to the peak, on a pad that never binds, with some fields put."""
    channel = Settings(CHANNEL)
    for name, value in {"limit_ua": 120_000, "pad_mm2": 1_000_000, **values}.items():
        setattr(channel, name, value)
    return channel


def session(**values):
    shared = Settings(SESSION)
    for name, value in values.items():
        setattr(shared, name, value)
    return shared


def root_ua(square_a2):
    """Micro-amperes, rounded down, of a square in A^2."""
    return isqrt(int(square_a2 * 10**12))


def most_ua(groups, count, width_ns, pad_mm2=1_000_000):
    """The least of all limits for so many groups in the window; IEC's numbers."""
    on_s = Fraction(groups * count * 2 * width_ns, 10**9)
    width_s = Fraction(width_ns, 10**9)
    pad_cm2 = Fraction(pad_mm2, 100)
    return min(
        120_000,
        root_ua(Fraction(50, 1000) ** 2 / on_s),
        root_ua((Fraction(2, 1000) * pad_cm2) ** 2 / on_s),
        root_ua(Fraction(250, 1000) * pad_cm2 / 500 / on_s),
        int(Fraction(10, 1000) / on_s * 10**6),
        root_ua(Fraction(20, 1000) / 500 / (2 * width_s)),
        int(Fraction(120, 10**6) / width_s * 10**6),
    )


# rate in mHz, pulses in a group, width, pad, groups in 1.125 s, what binds
CASES = [
    (35_000, 1, 300_000, 900, 40, "density on the pad"),
    (35_000, 1, 300_000, 100, 40, "density on the pad"),
    (500, 1, 20_000, 40_000, 1, "peak"),
    (500, 1, 1_000_000, 40_000, 1, "peak"),
    (1_000, 1, 1_000_000, 100, 2, "power on the pad"),
    (1_000, 50, 200_000, 2_500, 2, "power on the pad"),
    (100_000, 1, 300_000, 40_000, 113, "mean current"),
    (500_000, 8, 20_000, 40_000, 563, "mean current"),
    (888_888, 1, 1_000_000, 40_000, 1_000, "mean current"),
    (888_889, 1, 1_000_000, 40_000, 1_001, "mean current"),
]


@pytest.mark.parametrize("rate, count, width, pad, groups, binds", CASES)
def test_the_tightest_limit_sets_the_ceiling(rate, count, width, pad, groups, binds):
    channel = settings(rate_mhz=rate, count=count, width_ns=width, pad_mm2=pad)
    found, why = ceiling(channel, session())
    assert found == most_ua(groups, count, width, pad)
    if found < 120_000:
        assert why in (binds, "density on the pad", "power on the pad")


def test_a_wide_pulse_is_bound_by_its_charge_and_then_by_its_energy():
    assert ceiling(settings(rate_mhz=500, width_ns=1_250_000), session()) == (
        96_000, "charge per phase"
    )  # fmt: skip
    found, why = ceiling(settings(rate_mhz=500, width_ns=2_000_000), session())
    assert (found, why) == (60_000, "charge per phase")


ON_S = 40 * 2 * Fraction(5, 10_000)


def test_energy_power_and_rms_bind_where_they_are_the_tightest(monkeypatch):
    from firmware.safety import ceiling as module

    real = module.limit
    for name, value, why, expected in (
        ("energy_uj", 700, "energy per pulse", root_ua(Fraction(7, 10_000) / 500 / 2 * 2_000)),
        ("power_mw_per_cm2", 1, "power on the pad", root_ua(Fraction(9, 1000) / 500 / ON_S)),
        ("rms_ua", 2_000, "r.m.s.", root_ua(Fraction(2, 1000) ** 2 / ON_S)),
    ):
        monkeypatch.setattr(module, "limit", lambda n, v=value, m=name: v if n == m else real(n))
        pad_mm2 = 900 if name == "power_mw_per_cm2" else 1_000_000
        channel = settings(rate_mhz=35_000, width_ns=500_000, pad_mm2=pad_mm2)
        assert ceiling(channel, session()) == (expected, why)


def test_the_channels_own_limit_and_others_bind_too():
    channel = settings(rate_mhz=500, limit_ua=7_001)
    assert ceiling(channel, session()) == (7_001, "CURRent:LIMit")
    assert ceiling(channel, session(), [(7_000, "clinician")]) == (7_000, "clinician")
    assert ceiling(channel, session(), [(7_002, "clinician")]) == (7_001, "CURRent:LIMit")


FAST = 200_000  # mHz: 226 groups in the window
SLOW = {"rate_mhz": 150_000, "width_ns": 300_000}  # 169
FAST_UA = most_ua(226, 1, 300_000)
SLOW_UA = most_ua(169, 1, 300_000)


@pytest.mark.parametrize(
    "channel, shared, expected",
    [
        ({}, {}, SLOW_UA),
        ({"rate_mhz": FAST}, {}, FAST_UA),
        ({"rest_rate_mhz": FAST}, {}, FAST_UA),
        ({}, {"warm_rate_mhz": FAST, "warm_ms": 1}, FAST_UA),
        ({}, {"warm_rate_mhz": FAST, "warm_ms": 0}, SLOW_UA),
        ({}, {"cool_rate_mhz": FAST, "cool_ms": 1}, FAST_UA),
        ({}, {"cool_rate_mhz": FAST, "cool_ms": 0}, SLOW_UA),
        ({"rate_to_mhz": FAST, "modulation": TRIANGLE}, {}, FAST_UA),
        ({"rate_to_mhz": FAST}, {}, SLOW_UA),
    ],
)
def test_the_fastest_rate_that_can_occur_counts(channel, shared, expected):
    assert FAST_UA < SLOW_UA
    found, _ = ceiling(settings(**{**SLOW, **channel}), session(**shared))
    assert found == expected


def test_the_widest_width_that_can_occur_counts():
    fast = {"rate_mhz": FAST, "width_ns": 300_000}
    for wide in ({"width_to_ns": 600_000}, {"width_to_ns": 0}, {"width_to_ns": 150_000}):
        widest = max(300_000, wide["width_to_ns"])
        found, _ = ceiling(settings(**fast, **wide, modulation=TRIANGLE), session())
        assert found == most_ua(226, 1, widest)
        assert ceiling(settings(**fast, **wide), session())[0] == most_ua(226, 1, 300_000)


def test_jitter_may_put_one_more_group_into_the_window():
    fast = {"rate_mhz": FAST, "width_ns": 300_000}
    found, _ = ceiling(settings(**fast, jitter_ns=1), session())
    assert found == most_ua(227, 1, 300_000)


@pytest.mark.parametrize(
    "cycle, more",
    [
        ({"ramp_up_ms": 100, "on_ms": 200, "ramp_down_ms": 50, "off_ms": 25}, 1 + 3),
        ({"ramp_up_ms": 100, "on_ms": 201, "ramp_down_ms": 50, "off_ms": 25}, 1 + 2),
        ({"ramp_up_ms": 0, "on_ms": 10, "ramp_down_ms": 0, "off_ms": 0}, 1 + 112),
        ({"ramp_up_ms": 100, "on_ms": 0, "ramp_down_ms": 50, "off_ms": 25}, 1),
    ],
)
def test_an_opening_doublet_adds_a_pulse_to_every_contraction_in_the_window(cycle, more):
    fast = {"rate_mhz": FAST, "width_ns": 300_000}
    found, _ = ceiling(settings(**fast, **cycle, opening_ns=5_000_000), session())
    assert found == most_ua(226 + more, 1, 300_000)


@pytest.mark.parametrize("number", [0, 1, 2, 3, 4, 8, 9, 10**12, 10**12 - 1, (1 << 80) + 1])
def test_roots_are_rounded_down(number):
    assert _root(number) == isqrt(number)


# The same as a board is set and calibrated.


def calibrated(levels_na, limit_ua=120_000, more=(), most=board.LEVEL_MOST, **values):
    """A stimulator whose channels give levels_na a level; more: what its storage allows."""
    channels = [settings(limit_ua=limit_ua, **values) for _ in (0, 1)]
    return SimpleNamespace(
        level_na=lambda channel: levels_na[channel],
        board=SimpleNamespace(LEVEL_MOST=most),
        channels=channels,
        session=session(),
        storage=SimpleNamespace(ceilings=lambda channel: tuple(more)),
    )


@pytest.mark.parametrize(
    "levels_na, channel, expected",
    [
        ((60_000, 60_000), 0, 120_000),
        ((50_000, 60_000), 0, 100_000),
        ((60_000, 50_000), 1, 100_000),
        ((48_001, 48_000), 0, 96_002),
        ((48_000, 48_001), 0, 96_000),
    ],
)
def test_no_current_above_the_highest_level_of_a_channel(levels_na, channel, expected):
    stimulator = calibrated(levels_na, rate_mhz=500, width_ns=20_000)
    why = "CURRent:LIMit" if expected == 120_000 else "the board's highest level"
    assert ceiling_of(stimulator, channel) == (expected, why)


def test_what_the_storage_allows_binds_as_well():
    stimulator = calibrated((60_000, 60_000), more=[(7_000, "the person's ceiling")])
    assert ceiling_of(stimulator, 1) == (7_000, "the person's ceiling")


@pytest.mark.parametrize(
    "levels_na, channel, counted_na",
    [
        ((50_000, 60_000), 0, 60_000),  # the inspector counts both as the larger one
        ((50_000, 60_000), 1, 60_000),
        ((60_000, 48_000), 1, 60_000),
        ((54_001, 54_001), 0, 55_000),  # and as whole micro-amperes
        ((54_001, 54_001), 1, 55_000),
        ((54_999, 54_999), 1, 55_000),
    ],
)
def test_a_weak_sink_is_held_to_what_the_inspector_counts(levels_na, channel, counted_na):
    stimulator = calibrated(levels_na, most=4_000, rate_mhz=FAST, width_ns=300_000)
    expected = FAST_UA * levels_na[channel] // counted_na
    assert ceiling_of(stimulator, channel) == (expected, "mean current")


def test_a_level_that_gives_more_than_is_counted_raises_no_ceiling():
    fast = settings(rate_mhz=FAST, width_ns=300_000)
    assert ceiling(fast, session(), (), 60_000, 50_000)[0] == FAST_UA
    assert ceiling(fast, session(), (), 0, 0)[0] == FAST_UA
    assert ceiling(fast, session(), (), 0, 1)[0] == 0


# The inspector's rules.


def reference(**changes):
    names = ("LEVEL_UA", "LEVEL_MOST", "SEPARATION_NS", "GATE_LEAD_NS", "DEAD_NS", "SETTLE_NS")
    values = {name: getattr(board, name) for name in names}
    return SimpleNamespace(**{**values, **changes})


def made(first=None, second=None, levels_na=None, **changes):
    one = reference(**changes)
    times = (one.DEAD_NS, one.SEPARATION_NS, one.GATE_LEAD_NS, one.SETTLE_NS)
    timing = Timing(Grid(125_000_000), *times)
    channels = [settings(**{"enabled": 1, **(values or {})}) for values in (first, second)]
    return rules_for(one, timing, channels, levels_na)


def test_the_reference_boards_rules_are_those_of_the_requirements():
    found = vars(made({"limit_ua": 30_000, "pad_mm2": 900}, {"limit_ua": 6_000, "pad_mm2": 2_500}))
    assert found == {
        "turns_per_ms": 62_500,
        "dead_turns": 125,
        "separation_turns": 125,
        "gate_lead_turns": 1_250,
        "settle_turns": 62_500,
        "min_phase_turns": 1_250,
        "max_phase_turns": 62_500,
        "max_gap_turns": 62_500,
        "horizon_turns": 6_250_000,
        "level_ua": 60,
        "ceiling": [500, 100],
        "pad_mm2": [900, 2_500],
        "first_level": 33,  # 2 mA
        "step_level": 200,  # 12 mA
        "slew_level_per_s": 34,  # 2 mA/s and one more
        "max_rms_ua": 50_000,
        "max_density_ua_per_mm2": 20,
        "max_power_mw_per_cm2": 250,
        "max_mean_ua": 10_000,
        "max_energy_uj": 20_000,
        "max_charge_nc": 120_000,
    }
    made().check()


def test_times_are_rounded_up_to_the_next_turn():
    found = made(SEPARATION_NS=2_001, GATE_LEAD_NS=20_001)
    assert (found.separation_turns, found.gate_lead_turns) == (126, 1_251)


def test_a_channel_that_is_off_may_have_no_level_and_none_goes_beyond_the_board():
    assert made({"enabled": 0}, {"limit_ua": 120_000}).ceiling == [0, 2_000]
    assert made({"limit_ua": 120_000}, {"enabled": 0}, LEVEL_MOST=1_000).ceiling == [1_000, 0]


@pytest.mark.parametrize("levels_na", [(50_000, 59_001), (59_001, 50_000)])
def test_a_calibrated_level_counts_as_the_larger_and_steps_as_the_smaller(levels_na):
    found = made({"limit_ua": 10_000}, {"limit_ua": 10_000}, levels_na)
    assert found.level_ua == 60  # the larger one, rounded up
    assert (found.first_level, found.step_level) == (40, 240)  # of 50 uA: 2 and 12 mA
    assert found.slew_level_per_s == 41  # 2 mA/s and one more
    assert found.ceiling == [200 if na == 50_000 else 169 for na in levels_na]


def test_a_board_with_other_levels_has_them_when_nothing_is_calibrated():
    found = made(LEVEL_UA=1)
    assert (found.level_ua, found.first_level, found.slew_level_per_s) == (1, 2_000, 2_001)


@pytest.mark.parametrize(
    "current_ua, level", [(0, 0), (29, 0), (30, 1), (89, 1), (90, 2), (120_000, 2_000)]
)
def test_a_current_is_played_at_the_nearest_level(current_ua, level):
    assert levels(60_000, current_ua) == level
