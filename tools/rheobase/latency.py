"""From a trigger to the first edge: measured on the virtual board at the recorded pins.

    python -m rheobase.latency [triggers a row]
"""

from __future__ import annotations

import random
import sys
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "lib"), str(ROOT / "tests")]

CLOCK = 125_000_000
MS = CLOCK // 1000
ROWS = (("laboratory trigger, no debounce", 0), ("foot switch, debounce 20 ms", 20_000))
PHASES = "the other phase of a walk, while a train plays"
TRAIN = "SOUR{}:STAT ON;FREQ 40;:SOUR{}:CYCL:ON INF;:SOUR{}:RAMP:UP 0;DOWN 0"
HEEL = "SESS:DUR 3600;TRIG:SOUR HEEL;TIM 0.1;WAIT 60"
WALK = "SESS:DUR 3600;TRIG:SOUR PHAS;TIM 2;WAIT 60;DEB 0"


class Latency(NamedTuple):
    """Clocks from the trigger's edge, debounce time not counted, to the first leg: least and most
    over all triggers; and for how long GATE was up before that leg, at least."""

    leg: tuple[int, int]
    gate: int


class Change(NamedTuple):
    """Clocks from the contact to the last leg of the train in play and to the first leg of the
    other phase's, least and most over all contacts."""

    last: tuple[int, int]
    first: tuple[int, int]


def _session(channels: tuple[int, ...], *lines: str) -> Any:
    """A rig whose session waits for a train, the heel on the ground."""
    from rig import Rig

    rig: Any = Rig(keep=("edges",))
    for number in channels:
        rig.do(TRAIN.format(number, number, number))
    for line in lines:
        rig.do(line)
    rig.bench.press_foot()
    rig.arm()
    for move in (rig.bench.release_foot, rig.bench.press_foot):
        move()
        rig.wait(0.1)
    rig.do("OUTP ON")
    for number in channels:
        rig.do(f"SOUR{number}:CURR 1 mA")
    return rig


def _edges(rig: Any, begun: int, at: int) -> list[tuple[int, int]]:
    record = rig.recorder
    return [
        (clock - at, level)
        for clock, level in zip(
            record.edge_clocks[begun:], record.edge_levels[begun:], strict=True
        )
    ]


def measure(debounce_us: int, triggers: int = 40, seed: int = 1) -> Latency:
    """Trigger trains at arbitrary clocks and look at the edges of the output pins."""
    from rig import GATE, LEGS

    rng = random.Random(seed)
    rig = _session((1,), HEEL, f"SESS:TRIG:DEB {debounce_us}us")
    kernel = rig.board.chip.kernel
    legs, gates = [], []
    for _ in range(triggers):
        begun = len(rig.recorder.edge_clocks)
        rig.wait(0.2)
        at = kernel.now + rng.randrange(1, 2_000_000)
        kernel.at(at, rig.bench.release_foot)
        rig.wait(0.16)
        at += debounce_us * (CLOCK // 1_000_000)
        up = None
        for clock, level in _edges(rig, begun, at):
            if not level & GATE:
                up = None
            elif up is None:
                up = clock
            if clock > 0 and level & LEGS:
                assert up is not None
                legs.append(clock)
                gates.append(clock - up)
                break
        rig.bench.press_foot()
    return Latency((min(legs), max(legs)), min(gates))


def change(contacts: int = 40, seed: int = 1) -> Change:
    """Put the heel down and lift it at arbitrary clocks of a running train."""
    from rig import LEGS, Rig

    rng = random.Random(seed)
    rig: Rig = _session((1, 2), WALK)
    kernel = rig.board.chip.kernel
    rig.bench.release_foot()
    rig.wait(0.3)
    old, new = 0b0011, 0b1100  # channel 1's legs, then channel 2's
    shift = (LEGS & -LEGS).bit_length() - 1
    lasts, firsts = [], []
    for number in range(contacts):
        at = kernel.now + rng.randrange(1, 40 * MS)
        begun = len(rig.recorder.edge_clocks)
        kernel.at(at, rig.bench.release_foot if number % 2 else rig.bench.press_foot)
        rig.wait(0.3)
        edges = [(clock, level >> shift & 15) for clock, level in _edges(rig, begun, at)]
        firsts.append(next(clock for clock, legs in edges if clock > 0 and legs & new))
        before = [clock for clock, legs in edges if clock < firsts[-1] and legs & old]
        lasts.append(max(0, before[-1]) if before else 0)
        old, new = new, old
    return Change((min(lasts), max(lasts)), (min(firsts), max(firsts)))


def table(triggers: int = 40) -> str:
    lines = [
        "| trigger | GATE up before the leg | to the first leg, clocks | jitter |",
        "|---|---|---|---|",
    ]
    for name, debounce_us in ROWS:
        found = measure(debounce_us, triggers)
        least, most = found.leg
        late = f"{least} to {most} ({most / CLOCK * 1e6:.2f} us)"
        lines.append(f"| {name} | {found.gate / MS:.2f} ms | {late} | {most - least} |")
    lines += [
        "",
        "| contact | last leg of the old train | first leg of the new one |",
        "|---|---|---|",
    ]
    found_change = change(triggers)
    last, first = ([f"{clock / MS:.1f}" for clock in pair] for pair in found_change)
    lines.append(f"| {PHASES} | {last[0]} to {last[1]} ms | {first[0]} to {first[1]} ms |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(table(int(sys.argv[1]) if len(sys.argv) > 1 else 40), end="")
