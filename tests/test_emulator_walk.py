"""A walk with a drop-foot session on genuine MicroPython, held against the virtual board's."""

import pico_rig
import pytest
from emulator_bench import needs_image
from rig import Rig
from walking import CLOCK, DROP_FOOT, play, trains, walk, walker

pytestmark = [pytest.mark.emulator, needs_image]

START_JITTER = 40  # clocks: the rest is DMA
LATE = round(0.035 * CLOCK)  # from a decision of the loop to the first block it can change


def walked(rig, made):
    """The trains of a walk: lists of (clock since the walk's begin, width, width, current)."""
    walker(rig, DROP_FOOT, 1)
    zero = play(rig, made)
    rig.wait(made.end_s + 1)
    assert rig.state == "WAITING", rig.ask("FAUL:TEXT?")
    assert rig.ask("SYST:ERR?") == '0,"No error"'
    found = [p for p in rig.pulses(1) if p.start > zero]
    return [
        [(p.start - zero, p.width_1, p.width_2, p.commanded_a) for p in train]
        for train in trains(found, CLOCK // 20)
    ]


def test_a_walk_is_stimulated_as_on_the_virtual_board():
    made = walk(8, seed=7)
    found = walked(pico_rig.ready(), made)
    expected = walked(Rig(keep=("phases",)), made)
    assert len(found) == len(expected) >= 6
    for train, twin in zip(found, expected, strict=True):
        begun = train[0][0], twin[0][0]
        assert abs(begun[0] - begun[1]) <= START_JITTER
        # Up to the heel's contact all is settled beforehand; its moment is the loop's.
        contact = next(end for start, end, _ in made.swings if end * CLOCK > begun[1])
        settled = sum(at < contact * CLOCK for at, *_ in twin)
        assert settled >= 10
        for ours, theirs in zip(train[:settled], twin[:settled], strict=True):
            assert ours[0] - begun[0] == theirs[0] - begun[1]
            assert ours[1:] == theirs[1:]
        assert abs(train[-1][0] - twin[-1][0]) <= LATE
