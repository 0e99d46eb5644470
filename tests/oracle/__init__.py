"""What the electrodes must show, computed from the settings alone (docs/timing.md, in fractions).

Shares no code with the engine: settings come as dicts (the field names of
firmware/core/settings.py), the board as its times in ns. All times are turns of two clocks from
the channels' time zero, `Board.preamble` turns after the tape's beginning.
"""

from oracle.board import (
    ALTERNATE,
    ALTERNATING,
    AMPLITUDE,
    INDEPENDENT,
    NEGATIVE,
    OVERLAPPED,
    POSITIVE,
    SAWTOOTH,
    SIMULTANEOUS,
    SWEEP,
    TICKS_PER_MS,
    TRIANGLE,
    WIDTH,
    Board,
)
from oracle.expectation import Expectation
from oracle.unit import Line, Unit, in_order

__all__ = [
    "ALTERNATE",
    "ALTERNATING",
    "AMPLITUDE",
    "INDEPENDENT",
    "NEGATIVE",
    "OVERLAPPED",
    "POSITIVE",
    "SAWTOOTH",
    "SIMULTANEOUS",
    "SWEEP",
    "TICKS_PER_MS",
    "TRIANGLE",
    "WIDTH",
    "Board",
    "Expectation",
    "Line",
    "Unit",
    "in_order",
]
