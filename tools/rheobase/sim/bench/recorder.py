"""The record of a run: every pin edge, every delivered phase, the electrode current, events."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from rheobase.sim.bench.circuit import State
from rheobase.sim.bench.loop import Loop
from rheobase.sim.bench.wiring import Wiring

EVERYTHING = ("edges", "phases", "waveform")
_EVENTS_MOST = 100_000
_ROW = 13


class Phase(NamedTuple):
    """One time in which a leg was told to conduct. Clocks, amperes, coulombs.

    Currents and charges are signed: positive flows from the plus to the minus terminal.
    """

    channel: int
    polarity: int
    """+1 plus leg, -1 minus leg."""
    start: int
    """The driver was told to (leg, with GATE high)."""
    on: int
    """It conducted from here, after its dead time."""
    end: int
    commanded_a: float
    """Magnitude the PWM's duty asked for at `start`."""
    charge_c: float
    passive_c: float
    """What the discharge resistor let through since the phase before."""
    clock_hz: int

    @property
    def width(self) -> int:
        return self.end - self.start

    @property
    def mean_a(self) -> float:
        """Mean current while it conducted."""
        conducted = self.end - self.on
        return self.charge_c * self.clock_hz / conducted if conducted else 0.0


class Event(NamedTuple):
    """Something that a test or a person wants to know of; `channel` 0: of the whole board."""

    clock: int
    kind: str
    channel: int


class Recorder:
    """Takes down what the bench sees.

    `keep` names what is stored: "edges" (12 bytes each), "phases" (49 bytes each), "waveform"
    (312 bytes a pulse), all of them by default. Counts, charge totals and events are always
    kept, so `keep=()` with `on_phase` or `on_edge` watches a run of hours in constant memory.
    `on_phase(phase)` is called at the end of every phase, `on_edge(clock, levels)` at every edge.
    """

    def __init__(
        self,
        keep: Iterable[str] = EVERYTHING,
        on_phase: Callable[[Phase], object] | None = None,
        on_edge: Callable[[int, int], object] | None = None,
    ) -> None:
        kept = {keep} if isinstance(keep, str) else set(keep)
        unknown = kept - set(EVERYTHING)
        if unknown:
            raise ValueError(f"unknown to keep: {sorted(unknown)}; known: {EVERYTHING}")
        self.keeps = frozenset(kept)
        self.on_phase = on_phase
        self.wiring = Wiring()
        self.clock_hz = 125_000_000
        self.end_clock = 0
        """The record reaches to here."""
        self.edge_clocks = array("q")
        self.edge_levels = array("I")
        self.edge_count = 0
        self.phase_counts = [0, 0]
        self.charge_c = [[0.0, 0.0], [0.0, 0.0]]
        """By channel, then through plus leg (>= 0) and minus leg (<= 0)."""
        self.passive_c = [0.0, 0.0]
        """By channel, through the discharge resistor."""
        self.events: list[Event] = []
        self.event_counts: dict[str, int] = {}
        self._clocks = array("q")  # start, on, end
        self._values = array("d")  # commanded, charge, passive
        self._legs = array("b")  # channel times polarity
        self._rows = (array("d"), array("d"))
        self._loops: list[Loop] = []
        self._loop_numbers: dict[int, int] = {}
        self._keep_edges = "edges" in kept
        self._keep_phases = "phases" in kept
        self.keeps_waveform = "waveform" in kept
        self._on_edge = on_edge

    # Taking down

    def begin(self, wiring: Wiring, clock_hz: int) -> None:
        """What board is recorded; called once by the bench."""
        self.wiring = wiring
        self.clock_hz = clock_hz

    def edge(self, clock: int, levels: int) -> None:
        """The pins have these levels from `clock` on. The last of several at a clock stays."""
        self.edge_count += 1
        if self._keep_edges:
            self.edge_clocks.append(clock)
            self.edge_levels.append(levels)
        if self._on_edge is not None:
            self._on_edge(clock, levels)

    def phase(
        self,
        channel: int,
        polarity: int,
        clocks: tuple[int, int, int],
        values: tuple[float, float, float],
    ) -> None:
        """A phase has ended: (start, on, end) and (commanded, charge, passive charge before)."""
        self.phase_counts[channel - 1] += 1
        self.charge_c[channel - 1][polarity < 0] += values[1]
        if self._keep_phases:
            self._clocks.extend(clocks)
            self._values.extend(values)
            self._legs.append(channel * polarity)
        if self.on_phase is not None:
            self.on_phase(Phase(channel, polarity, *clocks, *values, self.clock_hz))

    def stretch(
        self, channel: int, loop: Loop, start: float, end: float, way: int, state: State
    ) -> None:
        """The current from `start` to `end` follows this way from this state."""
        number = self._loop_numbers.get(id(loop))
        if number is None:
            number = self._loop_numbers[id(loop)] = len(self._loops)
            self._loops.append(loop)  # keeps it alive, so that its id stays its own
        self._rows[channel - 1].extend((start, end, way, number, *state))

    def event(self, clock: int, kind: str, channel: int = 0) -> None:
        self.event_counts[kind] = self.event_counts.get(kind, 0) + 1
        if len(self.events) < _EVENTS_MOST:
            self.events.append(Event(clock, kind, channel))

    def forget(self) -> None:
        """Drop the phases so far (those of an electrode check); edges and totals stay."""
        for kept in (self._clocks, self._values, self._legs):
            del kept[:]

    # Reading

    def of_kind(self, kind: str) -> list[Event]:
        return [event for event in self.events if event.kind == kind]

    def phases(self, channel: int | None = None) -> Iterator[Phase]:
        """The stored phases, in the order of their ends."""
        self.demand("phases")
        clocks, values = self._clocks, self._values
        for index, leg in enumerate(self._legs):
            if channel is None or abs(leg) == channel:
                start, on, end = clocks[3 * index : 3 * index + 3]
                commanded, charge, passive = values[3 * index : 3 * index + 3]
                polarity = 1 if leg > 0 else -1
                yield Phase(
                    abs(leg), polarity, start, on, end, commanded, charge, passive, self.clock_hz
                )

    def levels_at(self, clock: int) -> int:
        """All pins at this clock (0 before the first edge)."""
        self.demand("edges")
        index = bisect_right(self.edge_clocks, clock)
        return self.edge_levels[index - 1] if index else 0

    def stretches(
        self, channel: int, start: float, end: float
    ) -> Iterator[tuple[float, float, int, Loop, State]]:
        """What was taken down of a channel's current within a window; elsewhere it was zero."""
        self.demand("waveform")
        rows = self._rows[channel - 1]
        count = len(rows) // _ROW
        at = bisect_right(range(count), start, key=lambda row: rows[row * _ROW + 1])
        while at < count and rows[at * _ROW] < end:
            row = rows[at * _ROW : (at + 1) * _ROW]
            yield row[0], row[1], int(row[2]), self._loops[int(row[3])], State(*row[4:])
            at += 1

    def demand(self, what: str) -> None:
        """Raises LookupError if the record was told not to keep this."""
        if what not in self.keeps:
            raise LookupError(f"this record does not keep {what}: Recorder(keep=...)")

