"""The inspector over whole sessions: lawful ones pass, spoilt ones don't, whatever the Python."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inspector_bench import BOARD, LEAD, MS, feed, levels, one, rest, rules
from tape_words import GATE, LEGS, Block, segment
from test_mpy_cross import compile_for
from test_on_micropython import ROOT, run

from firmware.core import inspector as reasons
from firmware.core.inspector import DURATION, GAP_LONG, MEAN, PHASE_SHORT, Inspector

LIMITS = {**BOARD, "first_level": 300}


@st.composite
def groups(draw):
    """One group of pulses as pieces of tape that may each be the end of a block."""
    channel, width = draw(st.integers(0, 1)), draw(st.integers(1_250, 31_250))
    gap = draw(st.integers(125, 6_250))
    polarity = draw(st.sampled_from(["plus", "minus", "alternating"]))
    kind = draw(st.sampled_from(["single", "n-let", "carrier"]))
    count = 1 if kind == "single" else draw(st.integers(2, 8))
    after = draw(st.integers(150, 40 * MS))
    between = draw(st.integers(150, 2_000))
    pieces = []
    block = Block()
    if draw(st.booleans()):
        block.levels(draw(st.integers(0, 300)), draw(st.integers(0, 300))).hold(MS - LEAD)
    if kind == "carrier":
        block.hold(LEAD + 5, GATE)
    for number in range(count):
        pulse = {
            "minus_first": {"plus": False, "minus": True}.get(polarity, number % 2 == 1),
            "pieces": draw(st.integers(1, 3)),
        }
        if kind == "carrier":
            block.pulse(channel, width, gap, **pulse).hold(between, GATE)
        else:
            block.pulse(channel, width, gap, lead=LEAD, **pulse).hold(after)
            pieces.append(block)
            block = Block()
    if kind == "carrier":
        pieces.append(block.hold(after))
    return pieces


@st.composite
def sessions(draw):
    """Lawful blocks, cut from groups wherever a block may end."""
    blocks = [Block()]
    for piece in sum(draw(st.lists(groups(), min_size=1, max_size=8)), []):
        whole = blocks[-1].turns + piece.turns
        if blocks[-1].words and (whole > LIMITS["horizon_turns"] or draw(st.booleans())):
            blocks.append(Block())
        blocks[-1].words += piece.words
    return blocks


def refused(blocks):
    inspector = Inspector(rules(**LIMITS))
    return next((reason for block in blocks if (reason := feed(inspector, block))), 0)


@settings(deadline=None, max_examples=150)
@given(sessions())
def test_lawful_sessions_pass(blocks):
    assert refused(blocks) == 0


# Ways to spoil a block: from its words and the index of a word that holds a leg high.


def both_legs(words, at):
    words[at] |= 3 if words[at] & 3 else 12


def both_channels(words, at):
    words[at] |= 4 if words[at] & 3 else 1


def without_gate(words, at):
    words[at] &= ~GATE


def longer(words, at):
    words[at] += 1 << 6


def shorter(words, at):
    words[at] -= 1 << 6


def turned(words, at):
    words[at] ^= 3 if words[at] & 3 else 12


def given_to_the_other_channel(words, at):
    words[at] = words[at] & ~LEGS | (words[at] & 3) << 2 | words[at] >> 2 & 3


def left_out(words, at):
    words[at] &= ~LEGS


def level_within(words, at):
    words.insert(at + 1, 1 << 31)


def cut_off(words, at):
    del words[at + 1 :]


def doubled(words, at):
    words.insert(at, words[at])


def with_a_dip(words, at):
    words.insert(at + 1, segment(200, GATE))
    words.insert(at + 2, words[at])


def too_loud(words, at):
    words.insert(0, 1 << 31 | 301)


def not_settled(words, at):
    lead = next(i for i, word in enumerate(words) if word & GATE and not word >> 31)
    words[lead:lead] = [1 << 31 | 7 << 16 | 7, 1 << 31 | 8 << 16 | 8]


def gate_late(words, at):
    for index in range(at - 1, -1, -1):
        if not words[index] >> 31:
            if words[index] & LEGS:
                return
            words[index] &= ~GATE


SPOILS = [
    both_legs,
    both_channels,
    without_gate,
    longer,
    shorter,
    turned,
    given_to_the_other_channel,
    left_out,
    level_within,
    cut_off,
    doubled,
    with_a_dip,
    too_loud,
    not_settled,
    gate_late,
]


@settings(deadline=None, max_examples=300)
@given(sessions(), st.sampled_from(SPOILS), st.integers(0, 1 << 16))
def test_spoilt_sessions_are_refused(blocks, spoil, place):
    legs = [
        (block, at)
        for block in blocks
        for at, word in enumerate(block.words)
        if not word >> 31 and word & LEGS
    ]
    block, at = legs[place % len(legs)]
    if spoil is gate_late:  # the first phase, before which GATE is high for the lead alone
        at = next(i for b, i in legs if b is block)
    spoil(block.words, at)
    assert refused(blocks)


@settings(deadline=None, max_examples=60)
@given(sessions(), sessions(), st.data())
def test_restored_is_as_if_it_had_never_been(blocks, others, data):
    straight = Inspector(rules(**LIMITS))
    detoured = Inspector(rules(**LIMITS), slots=3)
    for block in blocks:
        assert feed(straight, block) == 0
        slot = data.draw(st.integers(0, 2))
        detoured.save(slot)
        if data.draw(st.booleans()):
            for other in others:
                spoil = data.draw(st.sampled_from([None, *SPOILS[:3]]))
                at = next(i for i, word in enumerate(other.words) if word & LEGS)
                copy = Block()
                copy.words = list(other.words)
                if spoil:
                    spoil(copy.words, at)
                feed(detoured, copy)
            detoured.restore(slot)
        assert feed(detoured, block) == 0
        assert known(straight) == known(detoured)


def known(inspector):
    """All that the inspector knows of the tape: its state, and the window's buckets in order."""
    box = inspector._box
    ring = range(reasons._BUCKETS, reasons._BOX_END)
    start = box[reasons._CURSOR] + 4 - reasons._WINDOW_INTS - reasons._BUCKETS
    window = [box[ring[(start + at) % len(ring)]] for at in range(reasons._WINDOW_INTS - 4)]
    return list(box[: reasons._ORDER]), window


@settings(deadline=None, max_examples=20)
@given(st.data())
def test_a_detour_of_up_to_a_quarter_of_a_second_leaves_no_trace(data):
    """Snapshots hold no buckets: what the window forgets meanwhile must come back all the same."""
    straight = Inspector(rules(**LIMITS))
    detoured = Inspector(rules(**LIMITS), slots=3)
    for inspector in (straight, detoured):
        assert feed(inspector, levels(200, 300)) == 0
    for _ in range(60):
        block = data.draw(st.sampled_from([one(width=2_000), one(1, width=1_300), *rest(30 * MS)]))
        slot = data.draw(st.integers(0, 2))
        detoured.save(slot)
        for steps in data.draw(st.lists(st.integers(0, 8), max_size=2)):
            for _ in range(steps):
                other = data.draw(st.sampled_from([one(width=5_000), *rest(30 * MS)]))
                assert feed(detoured, other) == 0
            detoured.save((slot + 1) % 3)
            detoured.restore(slot)
            with pytest.raises(ValueError, match="session"):
                detoured.restore((slot + 1) % 3)
        for inspector in (straight, detoured):
            assert feed(inspector, block) == 0
            for idle in rest(15 * MS):
                assert feed(inspector, idle) == 0
        assert known(straight) == known(detoured)


def test_a_snapshot_that_is_too_old_is_refused():
    inspector = Inspector(rules(**LIMITS), slots=2)
    for block in rest(1_500 * MS):
        assert feed(inspector, block) == 0
    inspector.save(0)
    for block in rest(240 * MS):
        assert feed(inspector, block) == 0
    inspector.save(1)
    inspector.restore(0)
    for block in rest(240 * MS):
        assert feed(inspector, block) == 0
    inspector.restore(0)
    for block in rest(300 * MS):
        assert feed(inspector, block) == 0
    with pytest.raises(ValueError, match="long ago"):
        inspector.restore(0)


# No number reaches 2**30


class Small(int):
    """An int that won't grow beyond MicroPython's small integers on a 32-bit port."""

    def __new__(cls, value):
        if not -(1 << 30) <= value < 1 << 30:
            raise OverflowError(value)
        return super().__new__(cls, value)


def _small(name):
    plain = getattr(int, name)

    def checked(*operands):
        result = plain(*operands)
        return result if result is NotImplemented else Small(result)

    return checked


for _name in ("add", "sub", "mul", "lshift", "rshift", "and", "or", "xor"):
    setattr(Small, f"__{_name}__", _small(f"__{_name}__"))
    setattr(Small, f"__r{_name}__", _small(f"__r{_name}__"))
Small.__neg__ = _small("__neg__")


class SmallBox(list):
    """Stands in for the inspector's array."""

    def __init__(self, values):
        super().__init__(map(Small, values))

    def __setitem__(self, index, value):
        super().__setitem__(index, Small(value))


def small_inspector(**changes):
    inspector = Inspector(rules(**changes))
    inspector._box = SmallBox(inspector._box)
    return inspector


def feed_small(inspector, block):
    small = [Small(half) for half in block.halves()]
    return inspector.inspect(small, len(block.words), Small(block.turns))


EXTREME = {
    "turns_per_ms": [1, 5, MS, 250_000],
    "max_phase_turns": [1_250, 31_250, 1 << 17],
    "max_gap_turns": [6_250, 1 << 24],
    "horizon_turns": [100 * MS, 1 << 26],
    "ceiling": [(0, 0), (1, 2_047), (2_047, 2_047)],
    "first_level": [2_047],
    "step_level": [0, 2_047],
    "slew_level_per_s": [0, 4_096],
    "level_ua": [1, 60, 10_000],
    "pad_mm2": [(0, 0), (1, 1_000_000), (1_000_000, 1_000_000)],
    "max_rms_ua": [0, 50_000, 10_000_000],
    "max_density_ua_per_mm2": [0, 20, 10_000],
    "max_power_mw_per_cm2": [0, 250, 10_000],
    "max_mean_ua": [0, 10_000, 10_000_000],
    "max_energy_uj": [0, 20_000, 10_000_000],
    "max_charge_nc": [0, 120_000, 10_000_000],
}
EXTREME_RULES = st.fixed_dictionaries(
    {name: st.sampled_from(values) for name, values in EXTREME.items()}
)


@settings(deadline=None, max_examples=200)
@given(EXTREME_RULES, st.integers(0, 2_047), st.integers(1_250, 1 << 17), st.booleans())
def test_numbers_stay_small_at_full_load(changes, level, width, full):
    changes = {**changes, "settle_turns": 2_000}
    inspector = small_inspector(**changes)
    if full:
        level, width = max(changes["ceiling"]), changes["max_phase_turns"]
    if feed_small(inspector, Block().levels(min(level, changes["ceiling"][0]), level).hold(MS)):
        return
    for number in range(40):
        block = Block()
        for _ in range(8):
            block.pulse(number & 1, width, 125, lead=LEAD).hold(5)
        if feed_small(inspector, block):
            return


@settings(deadline=None, max_examples=200)
@given(EXTREME_RULES, st.lists(st.lists(st.integers(0, (1 << 32) - 1), max_size=20)), st.data())
def test_numbers_stay_small_on_random_words(changes, blocks, data):
    for words in blocks:
        block = Block()
        block.words = words
        stated = data.draw(st.integers(0, (1 << 30) - 1))
        halves = [Small(half) for half in block.halves()]
        small_inspector(**changes).inspect(halves, len(words), Small(stated))


def test_numbers_stay_small_over_an_hour_of_rest_and_the_longest_holds():
    inspector = small_inspector(
        horizon_turns=1 << 26, slew_level_per_s=4_096, step_level=2_047, turns_per_ms=250_000
    )
    longest = Block().hold(1 << 26)
    for _ in range(3_600):
        assert feed_small(inspector, longest) == 0
    assert feed_small(inspector, levels(1_000, 1_500)) == 0
    endless = [Small(0xFFC0), Small(0x3FFF)] * 200
    assert inspector.inspect(endless, 200, 1 << 26) == DURATION


# The same under MicroPython

ON_MICROPYTHON = """
import gc
import micropython
from array import array
from firmware.core.inspector import Inspector
from firmware.core.inspector_rules import Rules

rules = Rules()
for name, value in RULES.items():
    setattr(rules, name, value)
blocks = [(array("H", halves), turns) for halves, turns in BLOCKS]
reasons = array("H", bytes(2 * len(blocks)))
inspector = Inspector(rules, 2)

def play():
    at = 0
    while at < len(blocks):
        halves, turns = blocks[at]
        inspector.save(1)
        reasons[at] = inspector.inspect(halves, len(halves) // 2, turns)
        if reasons[at]:
            inspector.restore(1)
        at += 1

def test_reasons():
    play()
    assert list(reasons) == EXPECTED[0]

def test_with_the_heap_locked():
    micropython.heap_lock()
    try:
        play()
    finally:
        micropython.heap_unlock()
    assert list(reasons) == EXPECTED[1]

def test_leaves_nothing_behind():
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    play()
    assert gc.mem_alloc() == before
    assert list(reasons) == EXPECTED[2]
"""


def test_the_same_reasons_under_micropython_and_nothing_allocated(tmp_path):
    limits = {**BOARD, "max_mean_ua": 1_500}
    blocks = [levels(200, 300)]
    for number in range(40):
        train = Block()
        for _ in range(8):
            train.pulse(number & 1, 30_000, 200, lead=LEAD, pieces=2).hold(MS)
        blocks += [train, one(width=1_249), one(gap=6_251), levels(200, 300 + number), *rest(MS)]
    straight, expected = Inspector(rules(**limits), 1), [[], [], []]
    for verdicts in expected:  # of the same blocks three times over
        for block in blocks:
            straight.save(0)
            verdicts.append(feed(straight, block))
            if verdicts[-1]:
                straight.restore(0)
        assert set(verdicts) == {0, PHASE_SHORT, GAP_LONG, MEAN}
    tapes = [(list(block.halves()), block.turns) for block in blocks]
    test = tmp_path / "inspector.py"
    test.write_text(
        f"RULES = {limits!r}\nBLOCKS = {tapes!r}\nEXPECTED = {expected!r}\n{ON_MICROPYTHON}"
    )
    verdicts = run(ROOT, [ROOT / "firmware/core", ROOT / "firmware/__init__.py"], test)[1]
    assert len(verdicts) == 3
    assert [below for verdict, below in verdicts.values() if verdict != "PASS"] == []


@pytest.mark.parametrize("arch", ["armv6m", "armv7emsp", "xtensawin"])
def test_it_can_be_compiled_by_viper(arch, tmp_path):
    plain = (ROOT / "firmware/core/inspector.py").read_text()
    assert plain.count("\n# viper\ndef ") == plain.count("viper\n") == 7
    twin = tmp_path / "inspector.py"
    twin.write_text("import micropython\n" + plain.replace("# viper", "@micropython.viper"))
    assert compile_for(arch, twin, tmp_path / "inspector.mpy") == ""
