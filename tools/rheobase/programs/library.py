"""The library as the host sees it: the same texts, parser and validator as on the device."""

from __future__ import annotations

import sys
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
for _place in (str(ROOT), str(ROOT / "lib")):
    if _place not in sys.path:
        sys.path.insert(0, _place)

from firmware.boards import pico_reference  # noqa: E402
from firmware.core.grid import Grid  # noqa: E402
from firmware.core.parts import Plan  # noqa: E402
from firmware.core.plan import make_plan  # noqa: E402
from firmware.core.settings import CHANNEL, SESSION, Settings  # noqa: E402
from firmware.core.timing import Timing  # noqa: E402
from firmware.programs.format import Program, lines_of, parse  # noqa: E402

FOLDER = ROOT / "firmware" / "programs"
IDS = tuple(sorted(path.stem for path in FOLDER.glob("*.txt")))
CLOCK_HZ = 125_000_000


@lru_cache
def text(name: str) -> str:
    """The text of a program of the library. Raises KeyError for an unknown id."""
    if name not in IDS:
        raise KeyError(name)
    return (FOLDER / f"{name}.txt").read_text()


def program(name: str) -> Program:
    """A program of the library, of its own."""
    return parse(lines_of(text(name)))


def timing() -> Timing:
    """Of the reference board."""
    board = pico_reference
    return Timing(
        Grid(CLOCK_HZ), board.DEAD_NS, board.SEPARATION_NS, board.GATE_LEAD_NS, board.SETTLE_NS
    )


def settings_of(made: Program) -> tuple[tuple[Settings, Settings], Settings]:
    """Both channels' settings and the session's, as loading the program leaves them."""
    session = Settings(SESSION)
    session.update(made.session)
    channels = (Settings(CHANNEL), Settings(CHANNEL))
    for channel, values in zip(channels, made.channels, strict=True):
        if values is not None:
            channel.update(values)
            channel.update({"enabled": 1})
    return channels, session


def plan_of(made: Program) -> Plan:
    """The engine's plan of a program that is not triggered; raises Refused."""
    channels, session = settings_of(made)
    return make_plan(channels, session, timing())
