"""When each pulse of a session must come: docs/timing.md in exact numbers, from settings alone.

Independent channels with amplitude ramps and passive rests, which is what the demo plays. It
shares no code with the firmware. Settings come as the client reads them (`Channel.read`,
`Session.read`); times are clocks from the channels' time zero.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

CARRIER_BELOW_MS = 2
SHARE_STEP = Fraction(1, 8192)
GRID_S = Fraction(1, 50_000)  # of the envelope
LEAST_SEPARATION_TURNS = 32
HALF = Fraction(1, 2)


@dataclass(frozen=True)
class Board:
    """Clock, times and current scale of the reference board (firmware/boards/pico_reference)."""

    clock_hz: int = 125_000_000
    dead_us: int = 2
    separation_us: int = 2
    gate_lead_us: int = 20
    settle_us: int = 1_000
    level_ua: int = 60

    def turns(self, seconds: Fraction) -> int:
        """The nearest whole number of turns (two clocks); half a turn goes up."""
        return math.floor(seconds * self.clock_hz / 2 + HALF)

    def least_turns(self, microseconds: int) -> int:
        return math.ceil(Fraction(microseconds * self.clock_hz, 2_000_000))

    @property
    def separation(self) -> int:
        return max(self.least_turns(self.separation_us), LEAST_SEPARATION_TURNS)

    @property
    def after_pulse(self) -> int:
        """Settling time and gate lead: what must be free behind every group."""
        return self.least_turns(self.settle_us) + self.least_turns(self.gate_lead_us)

    def level(self, current_ma: float) -> int:
        """The level nearest to a current."""
        return math.floor(exact(current_ma) * 1000 / self.level_ua + HALF)


class ExpectedPulse(NamedTuple):
    """One pulse; clocks from time zero. `moved`: by how much it had to give way."""

    channel: int
    start: int
    width: int
    gap: int
    first: int
    """Polarity of phase 1: +1 plus leg first, -1 minus leg first."""
    share: Fraction
    """Of the plateau; the level may be that of up to 1/8192 less."""
    group: int
    place: int
    """The pulse's place in its group, from 0."""
    moved: int

    def levels(self, plateau: int) -> range:
        """The levels that are right when the plateau has this level."""
        least = math.floor((self.share - SHARE_STEP) * plateau + HALF)
        most = math.floor(self.share * plateau + HALF)
        return range(max(0, least), most + 1)


class _Unit(NamedTuple):
    nominal: int
    channel: int
    pulses: int
    interval: int
    first: int
    share: Fraction
    group: int
    place: int


def exact(value: float) -> Fraction:
    """A setting as the decimal fraction it was written as."""
    return Fraction(Decimal(str(value)))


class _Channel:
    """One channel's groups, from its settings."""

    def __init__(self, number: int, settings: Mapping[str, Any], board: Board) -> None:
        if settings["ramp_by"] != "amplitude" or settings["rest_rate_hz"]:
            raise ValueError(f"channel {number}: only amplitude ramps and passive rests")
        self.number = number
        self.settings = settings
        self.board = board
        self.width = board.turns(exact(settings["width_us"]) / 10**6)
        self.gap = board.turns(exact(settings["gap_us"]) / 10**6)
        self.interval = board.turns(exact(settings["interval_ms"]) / 1000)
        self.count = settings["count"]
        self.carrier = self.count > 1 and settings["interval_ms"] < CARRIER_BELOW_MS
        self.pulse = 2 * self.width + self.gap
        self.group = (self.count - 1) * self.interval + self.pulse
        self.unit = self.group if self.carrier else self.pulse
        self.period = Fraction(board.clock_hz, 2) / exact(settings["rate_hz"])

    def units(self, session_s: Fraction, behind: int) -> Iterator[_Unit]:
        """All units at their nominal times. `behind`: turns kept free behind each group."""
        s, board = self.settings, self.board
        up, down, off = (exact(s[name]) for name in ("ramp_up_s", "ramp_down_s", "off_s"))
        once = math.isinf(s["on_s"])
        train_s = session_s if once else up + exact(s["on_s"]) + down
        contractions = 1 if once else math.floor((session_s + off) / (train_s + off))
        length = board.turns(train_s)
        serial = 0
        for contraction in range(contractions):
            begin = board.turns(exact(s["delay_ms"]) / 1000 + contraction * (train_s + off))
            tick = 0
            while (at := math.floor(tick * self.period)) + self.group + behind <= length:
                share = self._share(at, up, down, train_s)
                yield from self._group(begin + at, share, serial)
                tick += 1
                serial += 1

    def _share(self, at: int, up: Fraction, down: Fraction, length_s: Fraction) -> Fraction:
        """The envelope's value at a time (turns) after the train's start, on its grid."""
        t = math.floor(Fraction(2 * at, self.board.clock_hz) / GRID_S) * GRID_S
        if t < up:
            return t / up
        if length_s - t < down:
            return (length_s - t) / down
        return Fraction(1)

    def _group(self, start: int, share: Fraction, serial: int) -> Iterator[_Unit]:
        if self.carrier:
            first = self._first(serial)
            yield _Unit(start, self.number, self.count, self.interval, first, share, serial, 0)
            return
        for place in range(self.count):
            first = self._first(serial * self.count + place)
            nominal = start + place * self.interval
            yield _Unit(nominal, self.number, 1, 0, first, share, serial, place)

    def _first(self, unit: int) -> int:
        if self.settings["polarity"] == "alternate":
            return -1 if unit % 2 else 1
        return 1 if self.settings["polarity"] == "positive" else -1


def expected_pulses(
    channels: Mapping[int, Mapping[str, Any]],
    session: Mapping[str, Any],
    board: Board | None = None,
) -> list[ExpectedPulse]:
    """Every pulse of a session, in the order of time.

    Raises ValueError for settings that it doesn't cover.
    """
    board = board or Board()
    if session["warm_up_s"] or session["cool_down_s"]:
        raise ValueError("only sessions without warm-up and cool-down")
    used = [
        _Channel(number, settings, board)
        for number, settings in sorted(channels.items())
        if settings["enabled"]
    ]
    if len(used) > 1 and session["pattern"] != "independent":
        raise ValueError("only independent channels")
    session_s = exact(session["duration_s"])
    units: list[_Unit] = []
    for channel in used:
        behind = board.after_pulse
        for other in used:
            if other is not channel:
                behind += other.unit + 2 * board.separation
        units += channel.units(session_s, behind)
    units.sort()  # the earlier nominal start first, channel 1 on a tie
    return _placed(units, {channel.number: channel for channel in used}, board)


def _placed(
    units: list[_Unit], channels: Mapping[int, _Channel], board: Board
) -> list[ExpectedPulse]:
    """Units never overlap: one that comes too early moves behind the one before it."""
    free = 0
    pulses = []
    for unit in units:
        channel = channels[unit.channel]
        start = max(unit.nominal, free)
        free = start + channel.unit + board.separation
        for i in range(unit.pulses):
            pulses.append(
                ExpectedPulse(
                    unit.channel,
                    2 * (start + i * unit.interval),
                    2 * channel.width,
                    2 * channel.gap,
                    unit.first,
                    unit.share,
                    unit.group,
                    unit.place + i,
                    2 * (start - unit.nominal),
                )
            )
    return pulses
