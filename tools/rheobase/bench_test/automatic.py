"""A person for the virtual bench: works its switches and reads its recorder as an oscilloscope."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Protocol

from rheobase.bench_test.step import Do, Read, See, Step
from rheobase.recording import Pulse, pulses
from rheobase.sim.bench import Bench

_HALF_S = 0.5  # a longer silence divides two contractions
_FULL = 0.99  # of the plateau: full height
_NO_CURRENT_A = 0.1e-3
_SETTLE_S = 0.01  # before an end is looked at: what was on its way is over
_TRY_S = 0.5  # for a press and a release
_CHANGE_S = 0.2  # before a number is read: pulses queued with the setting before are over


class Board(Protocol):
    """A board in virtual time: the virtual board, or the emulated Pico."""

    @property
    def now(self) -> int: ...

    def run_for(self, seconds: float) -> object: ...


class AutomaticPerson:
    """Looks at the bench for as long as a reading asks. `reset` pulls the board's RUN pin low.

    broken: actions that do nothing here, as with a button that is not connected.
    """

    def __init__(
        self,
        bench: Bench,
        board: Board,
        reset: Callable[[], object],
        broken: Sequence[str] = (),
        begin: Callable[[Step], object] = lambda step: None,
    ) -> None:
        self.bench = bench
        self._board = board
        self._broken = broken
        self._begin = begin
        self._hz = bench.recorder.clock_hz
        trip = bench.wiring.trip
        self._actions: dict[str, Callable[[], object]] = {
            "try_stop": bench.try_stop,
            "press_stop": bench.press_stop,
            "release_stop": bench.release_stop,
            "unplug_stop": bench.unplug_stop,
            "plug_in_stop": bench.plug_in_stop,
            "cut_trip": lambda: bench.cut_wire(trip),
            "mend_trip": lambda: bench.mend_wire(trip),
            "reset": reset,
        }

    # -- as run.Person ---------------------------------------------------------------------------

    def begin(self, step: Step) -> None:
        self._begin(step)

    def tell(self, words: str) -> None:
        """It looks for itself."""

    def do(self, what: Do) -> None:
        if what.action not in self._broken:
            self._actions[what.action]()
        self._board.run_for(_TRY_S if what.action == "try_stop" else _SETTLE_S)

    def read(self, what: Read) -> list[float]:
        if what.quantity == "supply_v":
            self._board.run_for(what.watch_s)
            return [self.bench.supply.volts(self._board.now)]
        if what.quantity != "pulses_end_s":
            self._board.run_for(_CHANGE_S)
        begin, end = self._watch(what.watch_s)
        reading: Callable[[int, int, int], list[float]] = getattr(self, f"_{what.quantity}")
        return reading(what.channel, begin, end)

    def see(self, what: See) -> bool:
        self._board.run_for(_SETTLE_S)
        begin, end = self._watch(what.watch_s)
        look: Callable[[int, int, int], bool] = getattr(self, f"_is_{what.quantity}")
        return look(what.channel, begin, end)

    # -- numbers ---------------------------------------------------------------------------------

    def _watch(self, seconds: float) -> tuple[int, int]:
        begin = self._board.now
        self._board.run_for(seconds)
        self.bench.settle(self._board.now)
        return begin, self._board.now

    def _pulses(self, channel: int, begin: int, end: int) -> list[Pulse]:
        found = pulses(self.bench.recorder, channel)
        return [p for p in found if begin <= p.start and p.end < end]

    def _us(self, clocks: int) -> float:
        return clocks * 1e6 / self._hz

    def _width_1_us(self, channel: int, begin: int, end: int) -> list[float]:
        return [self._us(p.width_1) for p in self._pulses(channel, begin, end)]

    def _width_2_us(self, channel: int, begin: int, end: int) -> list[float]:
        return [self._us(p.width_2) for p in self._pulses(channel, begin, end)]

    def _gap_us(self, channel: int, begin: int, end: int) -> list[float]:
        return [self._us(p.gap) for p in self._pulses(channel, begin, end)]

    def _rate_hz(self, channel: int, begin: int, end: int) -> list[float]:
        """On average over the time of looking, as a counter shows it."""
        found = self._pulses(channel, begin, end)
        if len(found) < 2:
            return []
        return [(len(found) - 1) * self._hz / (found[-1].start - found[0].start)]

    def _volts_1(self, channel: int, begin: int, end: int) -> list[float]:
        ohm = self.bench.electrode[channel].r_s
        return [p.delivered_1_a * ohm for p in self._pulses(channel, begin, end)]

    def _volts_2(self, channel: int, begin: int, end: int) -> list[float]:
        ohm = self.bench.electrode[channel].r_s
        return [p.delivered_2_a * ohm for p in self._pulses(channel, begin, end)]

    def _interval_ms(self, channel: int, begin: int, end: int) -> list[float]:
        found = self._pulses(channel, begin, end)
        apart = [(b.start - a.start) * 1e3 / self._hz for a, b in pairwise(found)]
        return [ms for ms in apart if ms < max(apart) / 2]

    def _sync_us(self, _: int, begin: int, end: int) -> list[float]:
        return [self._us(fall - rise) for rise, fall in self._marks(begin, end)]

    def _sync_hz(self, _: int, begin: int, end: int) -> list[float]:
        rises = [rise for rise, _ in self._marks(begin, end)]
        return [self._hz / (b - a) for a, b in pairwise(rises)]

    def _marks(self, begin: int, end: int) -> list[tuple[int, int]]:
        """The times that SYNC was high, begun and ended while looking."""
        found, risen = [], None
        mask = 1 << self.bench.wiring.sync
        before = self.bench.recorder.levels_at(begin) & mask
        for clock, levels in self._edges(begin, end):
            high = levels & mask
            if high and not before:
                risen = clock
            elif before and not high and risen is not None:
                found.append((risen, clock))
            before = high
        return found

    def _edges(self, begin: int, end: int) -> Iterator[tuple[int, int]]:
        """(clock, levels) of the edges after `begin`, up to `end`."""
        clocks, levels = self.bench.recorder.edge_clocks, self.bench.recorder.edge_levels
        for index in range(bisect_right(clocks, begin), bisect_right(clocks, end)):
            yield clocks[index], levels[index]

    def _trains(self, channel: int, begin: int, end: int) -> list[list[Pulse]]:
        """Whole contractions: not the first and the last, which were not seen from end to end."""
        trains: list[list[Pulse]] = []
        for pulse in self._pulses(channel, begin, end):
            if trains and pulse.start - trains[-1][-1].start < _HALF_S * self._hz:
                trains[-1].append(pulse)
            else:
                trains.append([pulse])
        return trains[1:-1]

    def _ramp_s(self, channel: int, begin: int, end: int) -> list[float]:
        found = []
        for train in self._trains(channel, begin, end):
            top = max(abs(p.delivered_1_a) for p in train)
            full = next(p for p in train if abs(p.delivered_1_a) >= _FULL * top)
            found.append((full.start - train[0].start) / self._hz)
        return found

    def _train_s(self, channel: int, begin: int, end: int) -> list[float]:
        return [(t[-1].start - t[0].start) / self._hz for t in self._trains(channel, begin, end)]

    def _rest_s(self, channel: int, begin: int, end: int) -> list[float]:
        trains = self._trains(channel, begin, end)
        return [(b[0].start - a[-1].start) / self._hz for a, b in pairwise(trains)]

    def _pulses_end_s(self, channel: int, begin: int, end: int) -> list[float]:
        found = [p for p in self._pulses(channel, begin, end)
                 if abs(p.delivered_1_a) > _NO_CURRENT_A]  # fmt: skip
        return [(found[-1].start - begin) / self._hz if found else 0.0]

    # -- yes or no -------------------------------------------------------------------------------

    def _is_silent(self, channel: int, begin: int, end: int) -> bool:
        """No leg of the channel is high; with channel 0 neither any leg, nor GATE, nor SYNC."""
        wired = self.bench.wiring
        pins = [pin for n, legs in enumerate(wired.legs, 1) if channel in (0, n) for pin in legs]
        if channel == 0:
            pins += [wired.gate, wired.sync]
        mask = sum(1 << pin for pin in pins)
        seen = self.bench.recorder.levels_at(begin)
        for _, levels in self._edges(begin, end):
            seen |= levels
        return not seen & mask

    def _is_no_current(self, channel: int, begin: int, end: int) -> bool:
        found = self._pulses(channel, begin, end)
        return all(abs(p.delivered_1_a) < _NO_CURRENT_A for p in found)

    def _firsts(self, channel: int, begin: int, end: int) -> list[int]:
        return [p.first for p in self._pulses(channel, begin, end)]

    def _is_plus_first(self, channel: int, begin: int, end: int) -> bool:
        return set(self._firsts(channel, begin, end)) == {1}

    def _is_minus_first(self, channel: int, begin: int, end: int) -> bool:
        return set(self._firsts(channel, begin, end)) == {-1}

    def _is_alternating(self, channel: int, begin: int, end: int) -> bool:
        firsts = self._firsts(channel, begin, end)
        return len(firsts) > 2 and all(a == -b for a, b in pairwise(firsts))

    def _is_apart(self, _: int, begin: int, end: int) -> bool:
        one, two = (sum(1 << pin for pin in legs) for legs in self.bench.wiring.legs)
        return not any(levels & one and levels & two for _, levels in self._edges(begin, end))
