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
ROWS = (("laboratory trigger, no debounce", 0), ("foot switch, debounce 20 ms", 20_000))
SETTINGS = (
    "SOUR1:STAT ON;FREQ 40;:SOUR1:CYCL:ON INF;:SOUR1:RAMP:UP 0;DOWN 0",
    "SESS:DUR 3600;TRIG:SOUR HEEL;TIM 0.1;WAIT 60",
)


class Latency(NamedTuple):
    """Clocks from the trigger's edge, debounce time not counted, to the tape's first edge and to
    the first leg: least and most over all triggers."""

    first: tuple[int, int]
    leg: tuple[int, int]


def measure(debounce_us: int, triggers: int = 40, seed: int = 1) -> Latency:
    """Trigger trains at arbitrary clocks and look at the edges of the output pins."""
    from rig import LEGS, OUTPUTS, Rig

    rng = random.Random(seed)
    rig: Any = Rig(keep=("edges",))
    for line in (*SETTINGS, f"SESS:TRIG:DEB {debounce_us}us"):
        rig.do(line)
    rig.bench.press_foot()
    rig.arm()
    for move in (rig.bench.release_foot, rig.bench.press_foot):
        move()
        rig.wait(0.1)
    rig.do("OUTP ON")
    rig.do("SOUR1:CURR 1 mA")
    kernel = rig.board.chip.kernel
    first, leg = [], []
    for _ in range(triggers):
        rig.wait(0.2)
        begun = len(rig.recorder.edge_clocks)
        at = kernel.now + rng.randrange(1, 2_000_000)
        kernel.at(at, rig.bench.release_foot)
        rig.wait(0.16)
        edges = [
            (clock - at - debounce_us * (CLOCK // 1_000_000), level)
            for clock, level in zip(
                rig.recorder.edge_clocks[begun:], rig.recorder.edge_levels[begun:], strict=True
            )
        ]
        first.append(next(clock for clock, level in edges if level & OUTPUTS))
        leg.append(next(clock for clock, level in edges if level & LEGS))
        rig.bench.press_foot()
    return Latency((min(first), max(first)), (min(leg), max(leg)))


def table(triggers: int = 40) -> str:
    lines = [
        "| trigger | to the first edge, clocks | jitter | to the first leg, clocks |",
        "|---|---|---|---|",
    ]
    for name, debounce_us in ROWS:
        found = measure(debounce_us, triggers)
        least, most = found.first
        lines.append(
            f"| {name} | {least} to {most} ({most / CLOCK * 1e6:.2f} us) | {most - least} "
            f"| {found.leg[0]} to {found.leg[1]} |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(table(int(sys.argv[1]) if len(sys.argv) > 1 else 40), end="")
