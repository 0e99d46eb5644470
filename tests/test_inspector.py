"""The inspector, rule by rule: what just passes and what just doesn't."""

from array import array
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inspector_bench import BOARD, LEAD, MS, feed, levels, one, rest, rules, verdict
from tape_words import CH1_MINUS, CH1_PLUS, GATE, SYNC, Block, halves

from firmware.core import inspector as reasons
from firmware.core.inspector import Inspector
from firmware.core.inspector_reasons import REASONS


def neighbours(between: int, channel: int, **second) -> list[Block]:
    """Two pulses within one GATE."""
    block = Block().hold(1_300, GATE).pulse(0, 5_000, 500).hold(between, GATE)
    return [block.pulse(channel, 5_000, 500, **second).hold(100)]


def level_then_pulse(after: int, was=(0, 0), then=(100, 0), channel: int = 0) -> list[Block]:
    """A pulse so long after a level word."""
    block = Block().levels(*was).hold(BOARD["settle_turns"]).levels(*then).hold(after - LEAD)
    return [block.pulse(channel, 5_000, 500, lead=LEAD).hold(100)]


def gate_dip(lead: int) -> list[Block]:
    """GATE falls between the phases and comes back so long before the second."""
    block = Block().hold(1_300, GATE).hold(5_000, CH1_PLUS | GATE).hold(100)
    return [block.hold(lead, GATE).hold(5_000, CH1_MINUS | GATE).hold(100)]


# What is measured, the tape, the last number that passes, the first that doesn't, and why.
EDGES = [
    ("gap", lambda n: [one(gap=n)], 125, 124, "DEAD_TIME"),
    ("pulse to pulse", lambda n: neighbours(n, 0), 125, 124, "DEAD_TIME"),
    ("to same leg", lambda n: neighbours(n, 0, minus_first=True), 125, 124, "DEAD_TIME"),
    ("separation", lambda n: neighbours(n, 1), 150, 149, "SEPARATION"),
    ("short phase", lambda n: [one(width=n)], 1_250, 1_249, "PHASE_SHORT"),
    ("short, split", lambda n: [one(width=n, pieces=3)], 1_250, 1_249, "PHASE_SHORT"),
    ("long phase", lambda n: [one(width=n)], 31_250, 31_251, "PHASE_LONG"),
    ("long, split", lambda n: [one(width=n, pieces=3)], 31_250, 31_251, "PHASE_LONG"),
    ("second longer", lambda n: [one(second_width=n)], 10_000, 10_001, "UNEQUAL"),
    ("second shorter", lambda n: [one(second_width=n)], 10_000, 9_999, "UNEQUAL"),
    ("long gap", lambda n: [one(gap=n)], 6_250, 6_251, "GAP_LONG"),
    ("lead", lambda n: [one(lead=n)], 1_250, 1_249, "GATE_LEAD"),
    ("lead of second phase", gate_dip, 1_250, 1_249, "GATE_LEAD"),
    ("settling", level_then_pulse, 62_500, 62_499, "SETTLE"),
    ("down", lambda n: level_then_pulse(n, (9, 0), (8, 0)), 62_500, 62_499, "SETTLE"),
    ("channel 2", lambda n: level_then_pulse(n, (9, 0), (9, 1), 1), 62_500, 62_499, "SETTLE"),
    ("level of 1", lambda n: [levels(n, 0)], 1_000, 1_001, "CEILING"),
    ("level of 2", lambda n: [levels(0, n)], 1_500, 1_501, "CEILING"),
    ("horizon", lambda n: [Block().hold(n)], 6_250_000, 6_250_001, "HORIZON"),
]


@pytest.mark.parametrize(
    "tape, passes, fails, reason", [edge[1:] for edge in EDGES], ids=[edge[0] for edge in EDGES]
)
def test_a_rule_binds_where_it_says(tape, passes, fails, reason):
    assert verdict(*tape(passes)) == 0
    assert verdict(*tape(fails)) == getattr(reasons, reason)


@pytest.mark.parametrize(
    "segments, reason",
    [
        ([(3, 5_000), (0, 100)], "BOTH_LEGS"),
        ([(12, 5_000), (0, 100)], "BOTH_LEGS"),
        ([(7, 5_000), (0, 100)], "BOTH_LEGS"),
        ([(13, 5_000), (0, 100)], "BOTH_LEGS"),
        ([(1, 5_000), (3, 5_000)], "BOTH_LEGS"),
        ([(5, 5_000), (0, 100)], "BOTH_CHANNELS"),
        ([(1, 5_000), (9, 5_000)], "BOTH_CHANNELS"),
        ([(1, 5_000), (2, 5_000)], "DEAD_TIME"),
        ([(1, 5_000), (4, 5_000)], "SEPARATION"),
        ([(1, 5_000), (0, 500), (1, 5_000), (0, 500)], "NOT_OPPOSITE"),
        ([(8, 5_000), (0, 500), (8, 5_000), (0, 500)], "NOT_OPPOSITE"),
        ([(1, 5_000), (0, 500), (8, 5_000), (0, 500)], "INTERLEAVED"),
        ([(8, 5_000), (0, 500), (2, 5_000), (0, 500)], "INTERLEAVED"),
        ([(1, 5_000)], "ENDS_IN_PHASE"),
        ([(1, 5_000), (0, 500), (2, 5_000)], "ENDS_IN_PHASE"),
        ([(1, 5_000), (0, 500)], "ENDS_IN_PULSE"),
    ],
)
def test_shapes_that_are_refused(segments, reason):
    block = Block().hold(2_000, GATE)
    for legs, turns in segments:
        block.hold(turns, legs | GATE)
    assert verdict(block) == getattr(reasons, reason)


@pytest.mark.parametrize(
    "segments, reason",
    [
        ([(CH1_PLUS, 5_000), (0, 100)], "NO_GATE"),
        ([(GATE, 2_000), (CH1_PLUS | GATE, 5_000), (CH1_PLUS, 100)], "NO_GATE"),
        ([(CH1_PLUS | GATE, 5_000)], "BEGINS_IN_PHASE"),
        ([(0, 5_000), (CH1_PLUS | GATE, 5_000)], "GATE_LEAD"),
    ],
)
def test_no_leg_without_gate(segments, reason):
    block = Block()
    for pins, turns in segments:
        block.hold(turns, pins)
    assert verdict(block) == getattr(reasons, reason)


def test_a_level_word_is_refused_within_a_phase_and_within_a_pulse():
    in_phase = Block().hold(2_000, GATE).hold(5_000, CH1_PLUS | GATE).levels(0, 0)
    assert verdict(in_phase) == reasons.LEVEL_IN_PHASE
    in_gap = Block().hold(2_000, GATE).hold(5_000, CH1_PLUS | GATE).hold(250, GATE).levels(0, 0)
    in_gap.hold(250, GATE).hold(5_000, CH1_MINUS | GATE).hold(100)
    assert verdict(in_gap) == reasons.LEVEL_IN_PULSE


def test_unused_bits_are_refused():
    for pins in (0, SYNC, GATE, CH1_PLUS | GATE):
        words = [1 << 30 | pins]
        for stated in (5, (1 << 24) + 5):
            inspector = Inspector(rules(horizon_turns=1 << 25))
            assert inspector.inspect(halves(words), 1, stated) == reasons.UNUSED_BIT
    for level in (0, 9):
        block = levels(level, 9)
        block.words[0] |= 1 << 15
        assert verdict(block) == reasons.UNUSED_BIT


@pytest.mark.parametrize("error", [-1, 1])
def test_the_words_must_add_up_to_the_stated_turns(error):
    block = one()
    stated = block.turns + error
    inspector = Inspector(rules())
    assert inspector.inspect(block.halves(), len(block.words), stated) == reasons.DURATION


def test_a_block_must_have_words_and_they_must_lie_in_its_buffer():
    block = one()
    count = len(block.words)
    assert Inspector(rules()).inspect(block.halves(), 0, 0) == reasons.SIZE
    assert Inspector(rules()).inspect(block.halves(), count + 1, block.turns) == reasons.SIZE
    roomy = block.halves() + array("H", [7, 7])
    assert Inspector(rules()).inspect(roomy, count, block.turns) == 0


def test_the_index_names_the_word_at_fault():
    block = one()  # rest, GATE, phase, gap, phase, rest
    block.words[4] += 64
    inspector = Inspector(rules())
    assert feed(inspector, block) == reasons.UNEQUAL
    assert inspector.index == 5  # where the phase turns out to be over
    inspector.reset()
    del block.words[5:]
    assert feed(inspector, block) == reasons.ENDS_IN_PHASE
    assert inspector.index == 5  # past the last
    inspector = Inspector(rules(max_charge_nc=1))
    block = levels(9, 9)
    block.words += one().words + one().words
    assert feed(inspector, block) == reasons.CHARGE
    assert inspector.index == 7
    inspector.reset()
    block.words[2] = 1 << 31 | 1_001
    assert feed(inspector, block) == reasons.CEILING
    assert inspector.index == 2
    inspector.reset()
    block = Block().hold(500).hold(500).hold(500)
    assert inspector.inspect(block.halves(), 3, 999) == reasons.DURATION
    assert inspector.index == 1
    inspector.reset()
    assert inspector.inspect(block.halves(), 3, 1_501) == reasons.DURATION
    assert inspector.index == 3


def test_every_reason_has_a_text_of_its_own():
    assert sorted(REASONS) == list(range(1, 32))
    assert len(set(REASONS.values())) == len(REASONS)


# From block to block


def test_after_a_refusal_nothing_passes_until_reset():
    inspector = Inspector(rules(), slots=1)
    inspector.save(0)
    assert feed(inspector, one(gap=10)) == reasons.DEAD_TIME
    assert feed(inspector, one()) == reasons.NOT_RESET
    inspector.restore(0)
    assert feed(inspector, one()) == 0
    assert feed(inspector, one(gap=10)) == reasons.DEAD_TIME
    inspector.reset()
    assert feed(inspector, one()) == 0


def test_gate_may_stay_high_from_block_to_block_and_leads_from_where_it_rose():
    ends_high = Block().hold(10_000).hold(250, GATE)
    begins_high = Block().hold(1_000, GATE).pulse(0, 5_000, 500).hold(100)
    assert verdict(ends_high, begins_high) == 0
    assert verdict(ends_high, Block().hold(500, GATE), begins_high) == 0
    too_late = Block().hold(999, GATE).pulse(0, 5_000, 500).hold(100)
    assert verdict(ends_high, too_late) == reasons.GATE_LEAD
    assert verdict(Block().hold(10_000), begins_high) == reasons.GATE_LEAD
    at_once = Block().pulse(0, 5_000, 500).hold(100)
    assert verdict(Block().hold(1_250, GATE), at_once) == reasons.BEGINS_IN_PHASE


@pytest.mark.parametrize(
    "channel, rule, reason",
    [(0, "dead_turns", reasons.DEAD_TIME), (1, "separation_turns", reasons.SEPARATION)],
)
def test_distances_between_phases_reach_over_blocks(channel, rule, reason):
    # GATE's lead keeps blocks apart as it is, so the rule must ask for more than that
    ends = Block().pulse(0, 5_000, LEAD + 50, lead=LEAD).hold(20)
    begins = Block().hold(10).pulse(channel, 5_000, LEAD + 50, lead=LEAD).hold(100)
    assert verdict(ends, begins, **{rule: LEAD + 30}) == 0
    assert verdict(ends, begins, **{rule: LEAD + 31}) == reason


def test_settling_reaches_over_blocks_and_is_each_channels_own():
    change = Block().levels(5, 0).hold(MS - LEAD - 1_000)
    assert verdict(change, Block().hold(1_000).pulse(0, 5_000, 500, lead=LEAD).hold(9)) == 0
    too_soon = Block().hold(999).pulse(0, 5_000, 500, lead=LEAD).hold(9)
    assert verdict(change, too_soon) == reasons.SETTLE
    other = Block().hold(100).pulse(1, 5_000, 500, lead=LEAD).hold(9)
    assert verdict(change, other) == 0


@pytest.mark.parametrize("channel", [0, 1])
@pytest.mark.parametrize("level", [0, 5, 16])
def test_a_level_that_stays_needs_no_settling(channel, level):
    both = [level, level]
    stays = Block().hold(700).levels(*both).hold(5).pulse(channel, 5_000, 500, lead=LEAD).hold(9)
    assert verdict(levels(*both), stays) == 0
    both[1 - channel] += 1
    other = Block().hold(700).levels(*both).hold(5).pulse(channel, 5_000, 500, lead=LEAD).hold(9)
    assert verdict(levels(level, level), other) == 0
    both[channel] += 1
    own = Block().hold(700).levels(*both).hold(5).pulse(channel, 5_000, 500, lead=LEAD).hold(9)
    assert verdict(levels(level, level), own) == reasons.SETTLE


def test_a_session_begins_at_level_zero():
    # where no charge moves, so that no limit of charge binds
    nothing = {"max_charge_nc": 0, "max_rms_ua": 0, "max_mean_ua": 0, "max_energy_uj": 0}
    assert verdict(one(), **nothing) == 0
    inspector = Inspector(rules(**nothing))
    assert feed(inspector, levels(1, 1)) == 0
    inspector.reset()
    assert feed(inspector, one()) == 0
    assert feed(inspector, levels(1, 1)) == 0
    assert feed(inspector, one()) == reasons.CHARGE


def test_a_snapshot_is_only_good_for_its_session():
    inspector = Inspector(rules(), slots=2)
    inspector.save(0)
    with pytest.raises(ValueError, match="session"):
        inspector.restore(1)
    inspector.reset()
    with pytest.raises(ValueError, match="session"):
        inspector.restore(0)


# Rules


@pytest.mark.parametrize(
    "name, value",
    [
        ("turns_per_ms", None),
        ("turns_per_ms", 0),
        ("dead_turns", 0),
        ("max_phase_turns", (1 << 17) + 1),
        ("min_phase_turns", 31_251),
        ("ceiling", (1_000, 2_048)),
        ("ceiling", (1_000,)),
        ("pad_mm2", (100, -1)),
        ("pad_mm2", None),
        ("max_rms_ua", 0.5),
    ],
)
def test_rules_that_are_no_good_are_named_and_nothing_passes(name, value):
    inspector = Inspector(rules())
    bad = rules()
    setattr(bad, name, value)
    with pytest.raises(ValueError, match=name):
        inspector.load(bad)
    assert feed(inspector, one()) == reasons.NOT_RESET
    with pytest.raises(ValueError, match=name):
        Inspector(bad)


def test_new_rules_hold_from_the_next_session_on():
    inspector = Inspector(rules())
    assert feed(inspector, one()) == 0
    inspector.load(rules(min_phase_turns=20_000))
    assert feed(inspector, one()) == reasons.PHASE_SHORT


# How fast levels rise

SLEW = {"first_level": 10, "step_level": 16, "slew_level_per_s": 50}


def test_the_first_level_is_limited():
    assert verdict(levels(10, 0), **SLEW) == 0
    assert verdict(levels(11, 0), **SLEW) == reasons.SLEW


def test_a_level_that_was_only_set_does_not_count_as_played():
    second = list(rest(1000 * MS))
    assert verdict(levels(10, 0), *second, levels(16, 0), **SLEW) == 0
    assert verdict(levels(10, 0), *second, levels(17, 0), **SLEW) == reasons.SLEW
    assert verdict(levels(10, 0), one(), *second, levels(26, 0), **SLEW) == 0
    assert verdict(levels(10, 0), one(), *second, levels(27, 0), **SLEW) == reasons.SLEW


@pytest.mark.parametrize(
    "wait_ms, above, reason",
    [(18, 1, reasons.SLEW), (19, 1, 0), (98, 5, reasons.SLEW), (99, 5, 0)],
)
def test_the_allowance_grows_with_the_tape_and_is_used_up_by_playing(wait_ms, above, reason):
    # 50 levels a second: one each 20 ms, of which 1.4 ms pass before the wait
    path = [levels(10, 0), one(), *rest(wait_ms * MS)]
    assert verdict(*path, levels(10 + above, 0), **SLEW) == reason
    in_one = Block()
    for block in (*path, levels(10 + above, 0)):
        in_one.words += block.words
    assert verdict(in_one, **{**SLEW, "horizon_turns": 200 * MS}) == reason


def test_the_way_back_up_to_what_was_played_is_free():
    path = [levels(10, 0), one(), levels(0, 0), one(), levels(10, 0), one()]
    assert verdict(*path, **SLEW) == 0
    assert verdict(*path, levels(14, 0), **SLEW) == reasons.SLEW
    low = [*path, levels(1, 0), one(), *rest(1000 * MS)]
    assert verdict(*low, levels(26, 0), **SLEW) == 0
    assert verdict(*low, levels(27, 0), **SLEW) == reasons.SLEW


def test_a_full_allowance_does_not_grow_while_a_level_waits_to_be_played():
    full = [levels(10, 0), one(), *rest(1000 * MS)]
    waits = Block().levels(26, 0).hold(90 * MS).pulse(0, 5_000, 500, lead=LEAD)
    assert verdict(*full, waits.hold(5).levels(26, 0), **SLEW) == 0
    assert verdict(*full, waits.hold(5).levels(27, 0), **SLEW) == reasons.SLEW


def test_channels_have_allowances_of_their_own():
    assert verdict(levels(10, 0), one(0), levels(10, 10), one(1), **SLEW) == 0
    assert verdict(levels(10, 0), one(0), levels(13, 10), **SLEW) == reasons.SLEW


def test_a_first_level_above_the_step_is_kept_until_used():
    wide = {**SLEW, "first_level": 100}
    second = list(rest(1000 * MS))
    assert verdict(*second, levels(100, 0), **wide) == 0
    assert verdict(*second, levels(101, 0), **wide) == reasons.SLEW
    # what is left, 10, grows to no more than 16
    assert verdict(levels(90, 0), one(), *second, levels(106, 0), **wide) == 0
    assert verdict(levels(90, 0), one(), *second, levels(107, 0), **wide) == reasons.SLEW


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.integers(1, 400), st.integers(1, 30)), min_size=1, max_size=12),
    st.integers(1, 200),
    st.integers(0, 1),
)
def test_the_allowance_is_never_above_the_exact_one_and_hardly_below(waits, slew, channel):
    inspector = Inspector(rules(first_level=10, step_level=25, slew_level_per_s=slew), slots=1)
    credit, highest = Fraction(10), 0

    def raised(above):
        return levels(*[(highest + above, 0), (0, highest + above)][channel])

    def grown(turns):
        return max(credit, min(Fraction(25), credit + Fraction(turns * slew, 1000 * MS)))

    for wait, wish in waits:
        for block in rest(wait * MS):
            assert feed(inspector, block) == 0
            credit = grown(block.turns)
        too_much = int(grown(4)) + 1  # the level word itself takes 4 turns
        inspector.save(0)
        assert feed(inspector, raised(too_much)) == reasons.SLEW
        inspector.restore(0)
        above = min(wish, int(credit - Fraction(1, 50)))
        if above > 0:
            raising, playing = raised(above), one(channel)
            assert feed(inspector, raising) == feed(inspector, playing) == 0
            highest += above
            credit = grown(raising.turns + playing.turns - 1_000) - above  # as the pulse ends
            credit = grown(1_000)


def test_any_limit_that_changes_in_memory_is_noticed():
    inspector = Inspector(rules())
    limits = reasons._INDEX
    for index in range(limits):
        for bit in range(31):
            assert inspector.intact() is True
            inspector._box[index] ^= 1 << bit
            assert inspector.intact() is False, (index, bit)
            inspector._box[index] ^= 1 << bit


def test_what_the_tape_changes_is_no_changed_limit():
    inspector = Inspector(rules(max_charge_nc=1))
    assert feed(inspector, levels(9, 9)) == 0
    assert feed(inspector, one()) == reasons.CHARGE
    assert inspector.index
    assert inspector.intact() is True
    inspector.load(rules(max_charge_nc=2, ceiling=(7, 9)))
    assert inspector.intact() is True
    assert inspector.ceiling == (7, 9)
    assert inspector.index == 0


@pytest.mark.parametrize("turns, reason", [(0, 0), (-1, 0), (1, reasons.GATE_LEAD)])
def test_gate_counts_as_fallen_only_after_a_rest_that_was_one(turns, reason):
    inspector = Inspector(rules())
    assert feed(inspector, Block().hold(2_000, GATE)) == 0
    inspector.rest(turns)
    block = Block().hold(100, GATE).hold(5_000, CH1_PLUS | GATE).hold(500, GATE)
    assert feed(inspector, block.hold(5_000, CH1_MINUS | GATE).hold(100)) == reason


def test_a_rest_does_not_make_a_refused_tape_good():
    inspector = Inspector(rules())
    assert feed(inspector, levels(1_001, 0)) == reasons.CEILING
    inspector.rest(1_000)
    assert feed(inspector, one()) == reasons.NOT_RESET
