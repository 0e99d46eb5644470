"""The inspector's limits on charge, energy and what a second holds, against exact sums."""

from bisect import bisect_right
from fractions import Fraction
from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inspector_bench import LEAD, MS, SECOND, UNLIMITED, feed, levels, one, rest, rules, verdict
from tape_words import Block, play

from firmware.core import inspector as reasons
from firmware.core.inspector import Inspector

# The window is 33 of 32 parts of a second and the longest pulse.
LONGEST_PULSE = 2 * 31_250 + 6_250
WIDEST = (SECOND + LONGEST_PULSE) * 33 // 32 + LONGEST_PULSE


def most_within(words: list[int], channel: int, power: int, window: int) -> Fraction:
    """The most of level^power x turns that so many turns of the tape hold, exactly."""
    edges, weights = [0], []
    for _, ends, pins, *level in play(words):
        flows = pins & 3 << 2 * channel
        weights.append(level[channel] ** power * (ends - edges[-1]) if flows else 0)
        edges.append(ends)
    sums = [0, *accumulate(weights)]

    def upto(turn):
        if not 0 < turn < edges[-1]:
            return sums[-1] if turn > 0 else 0
        piece = bisect_right(edges, turn) - 1
        part = Fraction(turn - edges[piece], edges[piece + 1] - edges[piece])
        return sums[piece] + weights[piece] * part

    # The sum is linear between the turns where an edge enters or leaves the window.
    ends = [turn for edge in edges for turn in (edge, edge + window)]
    return max(upto(turn) - upto(turn - window) for turn in ends)


def current(load, power):
    """uA^power of level^power x turns within a second."""
    return load * 60**power / Fraction(SECOND)


def root_above(value, power):
    """The least integer whose power is not below the value."""
    root = 0
    for bit in range(24, -1, -1):
        if (root + (1 << bit)) ** power < value:
            root += 1 << bit
    return root + 1 if value > 0 else 0


def train(channel, width, interval, lasts, block_turns=MS) -> list[Block]:
    """Blocks of a pulse or more, for so long."""
    pause = interval - 2 * width - 200 - LEAD
    blocks = [Block()]
    for _ in range(lasts // interval):
        if blocks[-1].turns >= block_turns:
            blocks.append(Block())
        blocks[-1].pulse(channel, width, 200, lead=LEAD).hold(pause)
    return blocks


@st.composite
def changing_loads(draw):
    blocks = []
    for _ in range(draw(st.integers(2, 10))):
        level = draw(st.integers(100, 1_000))
        blocks.append(levels(level, draw(st.sampled_from([level, 100, 1_000]))))
        interval = draw(st.sampled_from([1, 2, 7, 10, 40])) * MS
        width = draw(st.integers(1_250, min(31_250, (interval - 2_000) // 2)))
        lasts = draw(st.sampled_from([interval, 50 * MS, 300 * MS]))
        block_turns = draw(st.sampled_from([MS, 20 * MS, 59 * MS]))
        blocks += train(draw(st.integers(0, 1)), width, interval, lasts, block_turns)
        if draw(st.integers(0, 2)) == 0:
            blocks += rest(draw(st.integers(5, 1_200 * MS)))
    return blocks


KINDS = [("max_rms_ua", 2, reasons.RMS), ("max_mean_ua", 1, reasons.MEAN)]


@pytest.mark.parametrize("rule, power, reason", KINDS)
@settings(deadline=None, max_examples=40)
@given(changing_loads())
def test_the_window_is_never_below_a_second_nor_above_its_own_length(rule, power, reason, blocks):
    words = [word for block in blocks for word in block.words]
    second, widest = (
        max(current(most_within(words, channel, power, window), power) for channel in (0, 1))
        for window in (SECOND, WIDEST)
    )
    below = root_above(second, power) - 1
    assert verdict(*blocks, **{**UNLIMITED, rule: below}) == reason
    # at these levels rounding adds less than a hundredth
    above = root_above(widest * Fraction(101, 100), power) + 2
    assert verdict(*blocks, **{**UNLIMITED, rule: above}) == 0


@pytest.mark.parametrize("rule, power, reason", KINDS)
@pytest.mark.parametrize("interval_us, width_us", [(400, 120), (10_000, 400), (28_571, 300)])
@pytest.mark.parametrize("level", [30, 1_000])
def test_a_long_train_is_judged_little_higher_than_it_is(
    rule, power, reason, interval_us, width_us, level
):
    width, interval = width_us * MS // 1000, interval_us * MS // 1000
    exact = float(Fraction(2 * width, interval)) ** (1 / power) * level * 60
    blocks = [levels(level, 0), *train(0, width, interval, 2_300 * MS)]
    # 3.5 % on the sum, and the one pulse more that a window of that length may hold
    margin = (1.035 + interval / SECOND) ** (1 / power)
    assert verdict(*blocks, **{**UNLIMITED, rule: round(exact * margin) + 1}) == 0
    assert verdict(*blocks, **{**UNLIMITED, rule: round(exact * 0.999)}) == reason


def test_what_was_played_more_than_a_second_ago_is_forgotten():
    half = train(0, 25_000, MS, 500 * MS)
    limits = {**UNLIMITED, "max_mean_ua": 1_000 * 60 * 45 // 100}
    blocks = [levels(1_000, 0), *half]
    assert verdict(*blocks, *rest(400 * MS), *half, **limits) == reasons.MEAN
    assert verdict(*blocks, *rest(1_040 * MS), *half, **limits) == 0
    inspector = Inspector(rules(**UNLIMITED))
    both = [levels(1_000, 900), *train(0, 25_000, MS, 99 * MS), *train(1, 9_000, MS, 99 * MS)]
    for block in [*both, *rest(2_400 * MS)]:
        assert feed(inspector, block) == 0
    assert set(inspector._box[reasons._SUM_SQUARE_C : reasons._ROLLS]) == {0}
    assert set(inspector._box[reasons._BUCKETS :]) == {0}


@pytest.mark.parametrize("after_ms", range(0, 35, 3))
def test_a_pulse_counts_from_when_it_plays_however_long_its_block(after_ms):
    late = Block().hold(90 * MS).pulse(0, 25_000, 200, lead=LEAD).hold(5)
    blocks = [levels(1_000, 0), *rest(after_ms * MS + 5), late, *rest(899 * MS), late]
    # 60 mA for twice 400 us: 48 uA over a second, each
    assert verdict(*blocks, **{**UNLIMITED, "max_mean_ua": 95}) == reasons.MEAN
    assert verdict(*blocks, **{**UNLIMITED, "max_mean_ua": 97}) == 0


def test_pulses_cut_by_both_ends_of_a_second_count_in_full():
    """Wherever the buckets lie: a high one half past, a low one not half played."""
    high, low = 10_000, 20_000
    for offset in range(0, SECOND // 32, 8_000):
        blocks = [*rest(80_000 + offset), levels(1_000, 0)]
        blocks += [Block().pulse(0, high, 125, lead=LEAD).hold(5), levels(707, 0)]
        between = SECOND - 11_375 - (2 * high + 125 + 5) - (MS + 4) - LEAD
        blocks += [*rest(between), Block().pulse(0, low, 125, lead=LEAD).hold(5)]
        words = [word for block in blocks for word in block.words]
        exact = current(most_within(words, 0, 2, SECOND), 2)
        limits = {**UNLIMITED, "max_rms_ua": root_above(exact, 2) - 1}
        assert verdict(*blocks, **limits) == reasons.RMS


def test_each_channel_has_a_window_of_its_own():
    limits = {**UNLIMITED, "max_mean_ua": 1_000 * 60 * 45 // 100}
    blocks = [levels(1_000, 1_000), *train(0, 25_000, MS, 500 * MS)]
    assert verdict(*blocks, *train(1, 25_000, MS, 500 * MS), **limits) == 0
    assert verdict(*blocks, *train(0, 25_000, MS, 500 * MS), **limits) == reasons.MEAN


# 100 Hz, 400 us, 60 mA: 16.97 mA r.m.s.
TRAIN = [levels(1_000, 1_000), *train(0, 25_000, 10 * MS, 2_000 * MS)]
OF_2 = [levels(1_000, 1_000), *train(1, 25_000, 10 * MS, 2_000 * MS)]


@pytest.mark.parametrize(
    "rule, passes, fails, reason",
    [
        ("max_rms_ua", 17_400, 16_960, "RMS"),
        ("max_density_ua_per_mm2", 18, 16, "DENSITY"),  # 16.97 mA on 1000 mm2
        ("max_power_mw_per_cm2", 15, 14, "POWER"),  # 144 mW into 500 ohm on 10 cm2
    ],
)
def test_the_reason_names_the_limit_that_binds(rule, passes, fails, reason):
    limits = {**UNLIMITED, "pad_mm2": (1_000, 1_000)}
    assert verdict(*TRAIN, **{**limits, rule: passes}) == 0
    assert verdict(*TRAIN, **{**limits, rule: fails}) == getattr(reasons, reason)


def test_pads_are_each_channels_own():
    small_2 = {**UNLIMITED, "max_density_ua_per_mm2": 20, "pad_mm2": (900, 800)}
    assert verdict(*TRAIN, **small_2) == 0
    assert verdict(*OF_2, **small_2) == reasons.DENSITY
    without = {**UNLIMITED, "pad_mm2": (0, 2_500)}
    assert verdict(*OF_2, **without) == 0
    assert verdict(*TRAIN, **without) == reasons.DENSITY
    without = {**without, "pad_mm2": (2_500, 0)}
    assert verdict(*TRAIN, **without) == 0
    assert verdict(*OF_2, **without) == reasons.DENSITY


@pytest.mark.parametrize(
    "rate_hz, width_us, current_ma, on_25_cm2, on_9_cm2",
    [
        (75, 400, 100, 0, "DENSITY"),
        (50, 250, 100, 0, 0),
        (100, 400, 100, 0, "DENSITY"),
        (40, 300, 100, 0, 0),
        (10, 500, 100, 0, 0),
        (100, 200, 60, 0, 0),
        (120, 450, 120, "MEAN", "DENSITY"),
        (2_500, 160, 100, "RMS", "DENSITY"),  # nearly rectangular kHz, all the time
    ],
)
def test_typical_settings(rate_hz, width_us, current_ma, on_25_cm2, on_9_cm2):
    """2 mA/cm2, 50 mA r.m.s., 10 mA mean, 0.25 W/cm2 and 20 mJ over 2.2 s of a train."""
    level_ua = 60
    level = current_ma * 1000 // level_ua
    tape = [levels(level, 0)]
    interval, width = SECOND // rate_hz, width_us * MS // 1000
    tape += train(0, width, interval, 2_200 * MS)
    for pad_mm2, expected in ((2_500, on_25_cm2), (900, on_9_cm2)):
        limits = {
            **UNLIMITED,
            "pad_mm2": (pad_mm2, 0),
            "max_rms_ua": 50_000,
            "max_density_ua_per_mm2": 20,
            "max_power_mw_per_cm2": 250,
            "max_mean_ua": 10_000 if rate_hz < 1_000 else 100_000,
            "max_energy_uj": 20_000,
        }
        assert verdict(*tape, **limits) == (expected and getattr(reasons, expected))


# One phase, one pulse


@settings(deadline=None, max_examples=200)
@given(st.integers(1, 2_000), st.integers(1_250, 31_250), st.integers(-2, 2))
def test_charge_binds_exactly(level, width, off):
    limit = max(0, level * 60 * width // MS + off)  # nC: level x uA x turns / turns per ms
    lawful = level * 60 * width <= limit * MS
    reason = verdict(levels(level, 0), one(width=width), **{**UNLIMITED, "max_charge_nc": limit})
    assert reason == (0 if lawful else reasons.CHARGE)


@settings(deadline=None, max_examples=200)
@given(st.integers(1, 2_000), st.integers(1_250, 31_250), st.integers(-20, 30))
def test_energy_is_never_taken_too_low_and_hardly_too_high(level, width, per_mille):
    exact = Fraction((level * 60) ** 2 * 500 * 2 * width, MS * 1000 * 10**6)  # uJ
    limit = int(exact * (1000 + per_mille) / 1000)
    limits = {**UNLIMITED, "max_energy_uj": limit, "max_rms_ua": 50_000}
    reason = verdict(levels(level, 0), one(width=width), **limits)
    if exact > limit:
        assert reason == reasons.ENERGY
    elif exact * Fraction(101, 100) + 1 < limit:
        assert reason == 0


@settings(deadline=None, max_examples=300)
@given(
    st.integers(1, 2_000),
    st.integers(1_250, 31_250),
    st.sampled_from([1_000, 50_000, 1_000_000]),
    st.integers(0, 1),
)
def test_sums_are_rounded_up(level, width, limit_ua, channel):
    limits = {**UNLIMITED, "max_rms_ua": limit_ua, "max_mean_ua": limit_ua}
    inspector = Inspector(rules(**limits))
    assert feed(inspector, levels(level, level)) == 0
    if feed(inspector, one(channel, width=width)):
        return
    box = inspector._box
    shift = box[reasons.CHARGE_SHIFT_AT] + box[reasons.SQUARE_SHIFT_AT]
    square = box[reasons._SUM_SQUARE_C + channel] << shift
    exact = 2 * level**2 * width
    assert exact <= square < exact + 2 * ((level << box[reasons.CHARGE_SHIFT_AT]) + (1 << shift))
    shift = box[reasons.MEAN_SHIFT_AT]
    exact = 2 * level * width
    assert exact <= box[reasons._SUM_MEAN_C + channel] << shift < exact + (2 << shift)


def test_a_charge_that_needs_no_rounding_is_not_rounded():
    inspector = Inspector(rules(**{**UNLIMITED, "max_rms_ua": 50_000}))
    level, width = 2_000, 1 << 14
    assert feed(inspector, levels(level, 0)) == 0
    assert feed(inspector, one(width=width)) == 0
    box = inspector._box
    assert width % (1 << box[reasons.CHARGE_SHIFT_AT]) == 0
    shift = box[reasons.CHARGE_SHIFT_AT] + box[reasons.SQUARE_SHIFT_AT]
    square = box[reasons._SUM_SQUARE_C] << shift
    assert 2 * level**2 * width <= square < 2 * level**2 * width + (2 << shift)
