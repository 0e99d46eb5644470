"""From edges to legs, from phases to pulses."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from rheobase.sim.bench.recorder import Phase, Recorder

INTERPHASE_MOST_S = 1e-3
"""A longer gap makes two pulses of one phase each: 1000 us is the longest interphase gap."""


class Leg(NamedTuple):
    """A leg's pin was high from `start` to `end` (clocks), whatever that did."""

    polarity: int
    start: int
    end: int

    @property
    def width(self) -> int:
        return self.end - self.start


class Pulse(NamedTuple):
    """Phase 1, interphase gap, phase 2. Times in clocks; amperes and coulombs, signed.

    A phase that was left alone is a pulse with `width_2` 0.
    """

    channel: int
    first: int
    """Polarity of phase 1: +1 plus leg first, -1 minus leg first."""
    start: int
    width_1: int
    gap: int
    width_2: int
    commanded_a: float
    delivered_1_a: float
    """Mean over the time the driver conducted."""
    delivered_2_a: float
    charge_1_c: float
    charge_2_c: float
    clock_hz: int

    @property
    def end(self) -> int:
        return self.start + self.width_1 + self.gap + self.width_2

    @property
    def net_c(self) -> float:
        return self.charge_1_c + self.charge_2_c

    @property
    def balance_percent(self) -> float:
        """Net charge as a part of the larger phase's charge; 0 is balanced, +-100 one phase."""
        largest = max(abs(self.charge_1_c), abs(self.charge_2_c))
        return 100 * self.net_c / largest if largest else 0.0


class Pairing:
    """Makes pulses of one channel's phases as they come."""

    def __init__(self) -> None:
        self._first: Phase | None = None

    def feed(self, phase: Phase) -> list[Pulse]:
        """The pulses that are whole now (none, one; two if a lone phase turns out as one)."""
        first = self._first
        if first is None:
            self._first = phase
            return []
        gap = phase.start - first.end
        if phase.polarity != first.polarity and gap <= INTERPHASE_MOST_S * phase.clock_hz:
            self._first = None
            return [_pulse(first, phase)]
        self._first = phase
        return [_pulse(first, None)]

    def flush(self) -> list[Pulse]:
        """No more phases come: what is left."""
        first, self._first = self._first, None
        return [] if first is None else [_pulse(first, None)]


def _pulse(one: Phase, two: Phase | None) -> Pulse:
    return Pulse(
        one.channel,
        one.polarity,
        one.start,
        one.width,
        0 if two is None else two.start - one.end,
        0 if two is None else two.width,
        one.commanded_a,
        one.mean_a,
        0.0 if two is None else two.mean_a,
        one.charge_c,
        0.0 if two is None else two.charge_c,
        one.clock_hz,
    )


def stream(callback: Callable[[Pulse], object]) -> Callable[[Phase], None]:
    """For `Recorder(on_phase=stream(callback))`: `callback` gets every pulse once it is whole.

    A phase left alone is reported when the next one of its channel begins.
    """
    pairings = {1: Pairing(), 2: Pairing()}

    def feed(phase: Phase) -> None:
        for pulse in pairings[phase.channel].feed(phase):
            callback(pulse)

    return feed


def phases(recording: Recorder, channel: int) -> list[Phase]:
    """A channel's delivered phases, in order. Raises LookupError if the record has none kept."""
    return list(recording.phases(channel))


def pulses(recording: Recorder, channel: int | None = None) -> list[Pulse]:
    """A channel's pulses (or both channels') in the order of their starts."""
    found: list[Pulse] = []
    for number in (1, 2) if channel is None else (channel,):
        pairing = Pairing()
        for phase in recording.phases(number):
            found += pairing.feed(phase)
        found += pairing.flush()
    found.sort(key=lambda pulse: (pulse.start, pulse.channel))
    return found


def legs(recording: Recorder, channel: int) -> list[Leg]:
    """The times a channel's two leg pins were high, by their starts: from the edges alone.

    A leg still high at the end of the record ends there.
    """
    recording.demand("edges")
    found: list[Leg] = []
    clocks, levels = recording.edge_clocks, recording.edge_levels
    last = max(recording.end_clock, clocks[-1] if clocks else 0)
    for polarity, pin in zip((1, -1), recording.wiring.legs[channel - 1], strict=True):
        risen: int | None = None
        for clock, level in zip(clocks, levels, strict=True):
            high = level >> pin & 1
            if high and risen is None:
                risen = clock
            elif not high and risen is not None:
                if clock > risen:
                    found.append(Leg(polarity, risen, clock))
                risen = None
        if risen is not None:
            found.append(Leg(polarity, risen, last))
    found.sort(key=lambda leg: (leg.start, -leg.polarity))
    return found
