"""Walking with a drop-foot session on a heel switch with bounces, double and missing contacts:
judged from the recorded pulses and the true walk alone."""

import pytest
from rig import Rig
from walking import CLOCK, DROP_FOOT, play, trains, walk, walker

DEBOUNCE = 0.020
BOUNCES = 0.013  # the longest that a contact bounces
EXTENSION = 0.2
RAMP = 0.2
PERIOD = 0.025
LATE = 0.035  # from a decision of the loop to the first block that it can still change
TWO_PHASES = [
    "SOUR1:STAT ON;FREQ 40;PULS:WIDT 300us;:SOUR1:CYCL:ON INF;:SOUR1:RAMP:UP 0.1;DOWN 0.1",
    "SOUR2:STAT ON;FREQ 40;PULS:WIDT 300us;:SOUR2:CYCL:ON INF;:SOUR2:RAMP:UP 0.1;DOWN 0.1",
    "SOUR2:DEL 0.1;:SESS:DUR 3600;TRIG:SOUR PHAS;TIM 3",
]


def seconds(train, zero):
    return (train[0].start - zero) / CLOCK, (train[-1].end - zero) / CLOCK


@pytest.fixture(scope="module")
def walked():
    rig = walker(Rig(keep=("phases",)), DROP_FOOT, 1)
    made = walk(200, seed=7)
    zero = play(rig, made)
    rig.wait(made.end_s + 1)
    return rig, made, zero


def test_drop_foot_is_stimulated_in_swing_and_its_extension_only(walked):
    rig, made, zero = walked
    found = trains(rig.pulses(1), CLOCK // 20)
    assert rig.state == "WAITING"
    begun = 0
    for train in found:
        start, stop = seconds(train, zero)
        own = [s for s in made.swings if s[0] < start < s[1]]
        assert own, f"stimulation began in stance, at {start}"
        begin, end, kind = own[0]
        assert stop <= end + BOUNCES + DEBOUNCE + EXTENSION + RAMP + LATE, kind
        assert stop - start <= 3.0
        if kind in ("plain", "glitch", "slip", "missing"):
            begun += 1
            first = start - begin - DEBOUNCE
            assert 0 <= first <= BOUNCES + 0.0001, kind
            # It goes on to the heel's contact, but for the last pulse's period.
            assert stop >= min(end + DEBOUNCE + EXTENSION, start + 3 - PERIOD) - PERIOD, kind
    kinds = [kind for _, _, kind in made.swings]
    assert min(kinds.count(k) for k in ("plain", "glitch", "slip", "missing", "double")) >= 5
    plain = sum(kind != "double" for kind in kinds)
    assert begun == plain == len(kinds) - kinds.count("double")


def test_every_swing_was_answered_and_the_intensity_persists(walked):
    rig, made, zero = walked
    found = trains(rig.pulses(1), CLOCK // 20)
    starts = [seconds(train, zero)[0] for train in found]
    for begin, end, _ in made.swings:
        assert any(begin < start < end for start in starts)
    for train in found:
        assert max(abs(p.delivered_1_a) for p in train) == pytest.approx(5e-3, rel=0.03)


def test_the_ramps_of_every_step(walked):
    rig, made, zero = walked
    for train in trains(rig.pulses(1), CLOCK // 20):
        start, _ = seconds(train, zero)
        for pulse in train[:8]:
            at = (pulse.start - train[0].start) / CLOCK
            assert pulse.commanded_a <= 5e-3 * min(1, at / RAMP) + 6e-5
        assert train[-1].commanded_a <= 5e-3 * (PERIOD + 0.01) / RAMP + 6e-5


def test_swing_and_stance_are_never_stimulated_together():
    rig = walker(Rig(keep=("phases",)), TWO_PHASES, 1, 2)
    made = walk(40, seed=3)
    zero = play(rig, made)
    rig.wait(made.end_s + 1)
    assert rig.ask("SYST:ERR?").startswith("0")
    everything = [(t, n) for n in (1, 2) for t in trains(rig.pulses(n), CLOCK // 20)]
    everything.sort(key=lambda entry: entry[0][0].start)
    assert {n for _, n in everything} == {1, 2}
    for (one, a), (two, b) in zip(everything, everything[1:], strict=False):
        gap = (two[0].start - one[-1].end) / CLOCK
        assert gap > 0
        if a != b:
            assert gap >= 0.1
    for train, number in everything:
        start, _ = seconds(train, zero)
        swing = any(begin < start < end for begin, end, _ in made.swings)
        if number == 1:
            assert swing
