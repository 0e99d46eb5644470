"""Synthetic walks for the foot switch, and a judge of the stimulation that knows only the walk.

A walk is a list of (time in s, pressed) of the switch's contact as it should be, with bounces,
double contacts and missing contacts put in. The judge looks at recorded pulses alone.
"""

import random
from dataclasses import dataclass, field

CLOCK = 125_000_000
DROP_FOOT = [
    "SOUR1:STAT ON;FREQ 40;PULS:WIDT 300us;:SOUR1:CYCL:ON INF;:SOUR1:RAMP:UP 0.2;DOWN 0.2",
    "SESS:DUR 3600;TRIG:SOUR HEEL;EXT 0.2;TIM 3",
]


@dataclass
class Walk:
    """contacts: what the switch's blade does, in order. swings: the true swings, from heel-off to
    heel contact, as (start_s, stop_s, kind)."""

    contacts: list[tuple[float, bool]] = field(default_factory=list)
    swings: list[tuple[float, float, str]] = field(default_factory=list)
    end_s: float = 0.0


def bounces(rng: random.Random, at_s: float, pressed: bool) -> list[tuple[float, bool]]:
    """A contact that is at its new place at once, but leaves it up to four times within 12 ms."""
    edges = [(at_s, pressed)]
    for _ in range(rng.randrange(5)):
        at_s += rng.uniform(0.0002, 0.0015)
        edges.append((at_s, not pressed))
        at_s += rng.uniform(0.0002, 0.0015)
        edges.append((at_s, pressed))
    return edges


def walk(steps: int, seed: int, start_s: float = 0.3) -> Walk:
    """Steps with swings of 0.35 to 0.6 s and stances of 0.5 to 0.9 s.

    Of them some are disturbed: "glitch", the heel touches for less than the debounce time in
    swing; "double", it touches for 40 to 80 ms; "slip", it is off for 5 to 15 ms in stance;
    "missing", the contact at the end of a swing is not seen at all, so that it lasts a whole
    further step.
    """
    rng = random.Random(seed)
    made = Walk()
    at = start_s
    for step in range(steps):
        kind = rng.choices(
            ("plain", "glitch", "double", "slip", "missing"), (70, 8, 8, 8, 6)
        )[0]
        if step < 3:
            kind = "plain"
        swing = rng.uniform(0.35, 0.6)
        stance = rng.uniform(0.5, 0.9)
        if kind == "missing":
            swing += rng.uniform(0.5, 0.9) + rng.uniform(0.35, 0.6)
        start = at
        made.contacts += bounces(rng, at, False)
        if kind in ("glitch", "double"):
            touch = at + rng.uniform(0.15, 0.22)
            length = rng.uniform(0.002, 0.012) if kind == "glitch" else rng.uniform(0.04, 0.08)
            made.contacts += [(touch, True), (touch + length, False)]
        at += swing
        made.contacts += bounces(rng, at, True)
        made.swings.append((start, at, kind))
        if kind == "slip":
            slip = at + rng.uniform(0.2, 0.3)
            made.contacts += [(slip, False), (slip + rng.uniform(0.005, 0.015), True)]
        at += stance
    made.end_s = at
    return made


def walker(rig, lines, *channels):
    """The rig with a session that waits for its first step: 5 mA, the heel on the ground."""
    for line in lines:
        rig.do(line)
    rig.bench.press_foot()
    rig.arm()
    rig.bench.release_foot()
    rig.wait(0.1)
    rig.bench.press_foot()
    rig.wait(0.1)
    rig.do("OUTP ON")
    for step in range(1, 6):
        for number in channels:
            rig.do(f"SOUR{number}:CURR {step} mA")
        rig.wait(0.5)
    assert rig.state == "WAITING"
    return rig


def play(rig, made: Walk) -> int:
    """Move the rig's foot switch along a walk, from now on; returns the clock of its second 0."""
    kernel = rig.kernel
    zero = kernel.now
    for at_s, pressed in made.contacts:
        move = rig.bench.press_foot if pressed else rig.bench.release_foot
        kernel.at(zero + round(at_s * CLOCK), move)
    return zero


def trains(pulses, gap_clocks: int) -> list[list]:
    """Pulses split where none begins for `gap_clocks`."""
    found: list[list] = []
    for pulse in pulses:
        if found and pulse.start - found[-1][-1].start < gap_clocks:
            found[-1].append(pulse)
        else:
            found.append([pulse])
    return found
