"""What the electrodes must show, computed from the settings alone (docs/timing.md, in fractions).

Shares no code with the engine: settings come as dicts (the field names of
firmware/core/settings.py), the board as its times in ns. All times are turns of two clocks from
the channels' time zero, `Board.preamble` turns after the tape's beginning.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from heapq import merge
from math import ceil, floor

SIMULTANEOUS, ALTERNATING, OVERLAPPED, INDEPENDENT = range(4)
POSITIVE, NEGATIVE, ALTERNATE = range(3)
AMPLITUDE, WIDTH = range(2)

LEAST_WIDTH_NS = 20_000  # where a ramp of width begins
CARRIER_BELOW_NS = 2_000_000
LEAST_SEPARATION = 32  # turns
TICKS_PER_MS = 50  # an envelope's grid of 20 us
SHARE_STEP = Fraction(1, 8192)
HALF = Fraction(1, 2)


def nearest(value: Fraction) -> int:
    """The nearest whole number; a half goes up."""
    return floor(value + HALF)


@dataclass(frozen=True)
class Board:
    """Clock and times of a board."""

    clock_hz: int = 125_000_000
    dead_ns: int = 2_000
    separation_ns: int = 2_000
    lead_ns: int = 20_000
    settle_ns: int = 1_000_000

    def exact(self, time_ns: int) -> Fraction:
        """A time in turns, not rounded."""
        return Fraction(time_ns * self.clock_hz, 2 * 10**9)

    def turns(self, time_ns: int) -> int:
        """The nearest whole number of turns."""
        return nearest(self.exact(time_ns))

    def ms(self, time_ms: int) -> int:
        """Milliseconds are whole turns at every clock that we use."""
        turns = self.exact(time_ms * 10**6)
        assert turns.denominator == 1
        return turns.numerator

    def period(self, rate_mhz: int) -> Fraction:
        """Turns from group to group, not rounded."""
        return Fraction(self.clock_hz * 1000, 2 * rate_mhz)

    @property
    def dead(self) -> int:
        return ceil(self.exact(self.dead_ns))

    @property
    def separation(self) -> int:
        return max(ceil(self.exact(self.separation_ns)), LEAST_SEPARATION)

    @property
    def lead(self) -> int:
        return ceil(self.exact(self.lead_ns))

    @property
    def settle(self) -> int:
        return ceil(self.exact(self.settle_ns))

    @property
    def preamble(self) -> int:
        """From the tape's beginning to time zero: room for settling, GATE and their words."""
        return self.settle + self.lead + 2 * LEAST_SEPARATION


@dataclass(frozen=True)
class Shape:
    """A channel's pulse and group."""

    width: int
    gap: int
    interval: int
    count: int
    carrier: bool

    @classmethod
    def of(cls, channel: dict, board: Board) -> "Shape":
        return cls(
            board.turns(channel["width_ns"]),
            board.turns(channel["gap_ns"]),
            board.turns(channel["interval_ns"]),
            channel["count"],
            channel["count"] > 1 and channel["interval_ns"] < CARRIER_BELOW_NS,
        )

    @property
    def pulse(self) -> int:
        return 2 * self.width + self.gap

    @property
    def group(self) -> int:
        return (self.count - 1) * self.interval + self.pulse

    @property
    def units(self) -> int:
        """Units in a group."""
        return 1 if self.carrier else self.count

    @property
    def unit(self) -> int:
        return self.group if self.carrier else self.pulse


@dataclass(frozen=True)
class Train:
    """Groups at one rate under one envelope; `kind` is warm, contraction, rest or cool."""

    kind: str
    start: int
    length: int
    period: Fraction
    up: int
    down: int

    def group_starts(self, room: int) -> Iterator[int]:
        """Starts after the train's own of the groups that leave so much room to its end."""
        top, bottom = self.period.numerator, self.period.denominator
        k = 0
        while (start := k * top // bottom) + room <= self.length:
            yield start
            k += 1

    def envelope(self, after: Fraction) -> Fraction:
        """The exact envelope at a time after the train's start."""
        if after < self.up:
            return Fraction(after, self.up)
        if self.length - after < self.down:
            return Fraction(self.length - after, self.down)
        return Fraction(1)


@dataclass(frozen=True)
class Share:
    """Bounds of a group's share of the plateau."""

    least: Fraction
    most: Fraction

    def levels(self, plateau: int) -> tuple[int, int]:
        """Lowest and highest level that the share makes of a plateau."""
        return nearest(self.least * plateau), nearest(self.most * plateau)

    def widths(self, narrow: int, full: int) -> tuple[int, int]:
        """Least and greatest width, for a ramp of width."""
        span = full - narrow
        return nearest(narrow + self.least * span), nearest(narrow + self.most * span)


@dataclass(frozen=True)
class Unit:
    """What can't be separated: a pulse, or all pulses of a carrier burst."""

    nominal: int
    channel: int
    pulses: int
    interval: int
    widths: tuple[int, int]
    gap: int
    minus_first: bool
    level_share: Share
    opens_group: bool
    train: Train

    def length(self, width: int) -> int:
        """First edge to last with this width of phase."""
        return (self.pulses - 1) * self.interval + 2 * width + self.gap

    def pulse_at(self, start: int) -> list[int]:
        return [start + i * self.interval for i in range(self.pulses)]


class Expectation:
    """A session. `refusal` names the rule that forbids it, or is None."""

    def __init__(self, channels: list[dict], session: dict, board: Board | None = None):
        self.board = board or Board()
        self.channels = channels
        self.session = session
        self.shapes = [Shape.of(channel, self.board) for channel in channels]
        self.on = [bool(channel["enabled"]) for channel in channels]
        self.together = all(self.on) and session["pattern"] == SIMULTANEOUS
        self.refusal = self._refusal()

    # --- rules -------------------------------------------------------------------------------

    @property
    def lockstep(self) -> bool:
        """Whether both channels tick together: every unit of 2 follows its unit of 1."""
        if not self.together:
            return False
        one, two = self.channels
        names = ("rate_mhz", "rest_rate_mhz", "delay_us")
        ticks = [(shape.units, shape.interval * (shape.units > 1)) for shape in self.shapes]
        return ticks[0] == ticks[1] and all(one[name] == two[name] for name in names)

    def behind(self, i: int) -> int:
        """What is free behind a pulse or group, up to the channel's next and the train's end."""
        own = self.board.settle + self.board.lead
        if not self.on[1 - i]:
            return own
        other = self.shapes[1 - i].unit + 2 * self.board.separation
        return max(own, other) if self.lockstep else own + other

    def _ms(self, i: int, *names: str) -> int:
        return sum(self.channels[i][name] for name in names)

    def train_ms(self, i: int) -> int:
        """A contraction."""
        return self._ms(i, "ramp_up_ms", "on_ms", "ramp_down_ms")

    def endless(self, i: int) -> bool:
        return self.channels[i]["on_ms"] == 0

    def off_ms(self, i: int) -> int:
        """From the end of a contraction to the next one's start."""
        if self.session["pattern"] == OVERLAPPED and all(self.on):
            cycle = sum(self._ms(c, "ramp_up_ms", "on_ms") for c in (0, 1))
            return cycle - self.train_ms(i)
        return self.channels[i]["off_ms"]

    def start(self, i: int) -> int:
        """Of the first contraction, after the main part's."""
        if i == 1 and all(self.on):
            if self.session["pattern"] == ALTERNATING:
                return self.board.ms((self.train_ms(1) + self.off_ms(1)) // 2)
            if self.session["pattern"] == OVERLAPPED:
                return self.board.ms(self._ms(0, "ramp_up_ms", "on_ms"))
        return 0

    @property
    def main_ms(self) -> int:
        return self.session["duration_ms"] - self.session["warm_ms"] - self.session["cool_ms"]

    def _refusal(self) -> str | None:
        if not any(self.on):
            return "no channel is on"
        if self.main_ms < 0:
            return "warm-up and cool-down are longer than the session"
        if all(self.on):
            refusal = self._pattern_refusal()
            if refusal:
                return refusal
        for i in (0, 1):
            if self.on[i]:
                refusal = self._ramps_refusal(i) or self._rate_refusal(i)
                if refusal:
                    return refusal
                for kind, length in self._lengths(i).items():
                    if self.shapes[i].group + self.behind(i) > length:
                        return f"a train ({kind}) holds no group"
        return None

    def _pattern_refusal(self) -> str | None:
        one, two = self.channels
        pattern = self.session["pattern"]
        if pattern == SIMULTANEOUS:
            for name in ("ramp_up_ms", "ramp_down_ms", "on_ms", "off_ms"):
                if one[name] != two[name]:
                    return f"simultaneous, but {name} differs"
        if pattern in (ALTERNATING, OVERLAPPED) and (self.endless(0) or self.endless(1)):
            return "a contraction without end leaves the other channel no turn"
        if pattern == ALTERNATING:
            cycles = [self.train_ms(i) + self.off_ms(i) for i in (0, 1)]
            if cycles[0] != cycles[1]:
                return "alternating, but the cycles differ"
            if self.train_ms(0) > cycles[0] // 2 or self.train_ms(1) > (cycles[1] + 1) // 2:
                return "alternating, but a train is longer than half a cycle"
        if pattern == OVERLAPPED:
            if one["off_ms"] or two["off_ms"]:
                return "overlapped, but an off time is not 0"
            if self.off_ms(0) < 0 or self.off_ms(1) < 0:
                return "overlapped, but a ramp down outlasts the other's ramp up and plateau"
        return None

    def _ramps_refusal(self, i: int) -> str | None:
        session = self.session
        for name in ("warm", "cool"):
            ramps = session[f"{name}_up_ms"] + session[f"{name}_down_ms"]
            if self._plays(name) and ramps > session[f"{name}_ms"]:
                return f"the ramps of {name} are longer than it"
        if self._rests(i) and self._ms(i, "rest_up_ms", "rest_down_ms") > self.off_ms(i):
            return "the ramps of an active rest are longer than it"
        room = self.board.ms(self.main_ms) - self.start(i)
        if self.endless(i) and self.board.ms(self._ms(i, "ramp_up_ms", "ramp_down_ms")) > room:
            return "the ramps of the one contraction are longer than it"
        if not self.contractions(i):
            return "not one contraction fits the main part"
        return None

    def _rests(self, i: int) -> bool:
        return bool(self.channels[i]["rest_rate_mhz"] and self.off_ms(i) and not self.endless(i))

    def _plays(self, name: str) -> bool:
        """Whether there is a warm-up or cool-down that is not a mere rest."""
        return bool(self.session[f"{name}_ms"] and self.session[f"{name}_rate_mhz"])

    def _lengths(self, i: int) -> dict[str, int]:
        """How long the trains are that a channel plays."""
        main = self.board.ms(self.main_ms) - self.start(i)
        lengths = {"contraction": main if self.endless(i) else self.board.ms(self.train_ms(i))}
        off = self.board.ms(self.off_ms(i))
        cycle = lengths["contraction"] + off
        if self._rests(i) and (self.contractions(i) > 1 or cycle <= main):
            lengths["rest"] = off
        for name in ("warm", "cool"):
            if self._plays(name):
                lengths[name] = self.board.ms(self.session[f"{name}_ms"])
        return lengths

    def rates(self, i: int) -> list[int]:
        """All rates (mHz) that a channel plays."""
        rates = [self.channels[i]["rate_mhz"]]
        if self._rests(i):
            rates.append(self.channels[i]["rest_rate_mhz"])
        for name in ("warm", "cool"):
            if self._plays(name):
                rates.append(self.session[f"{name}_rate_mhz"])
        return rates

    def _rate_refusal(self, i: int) -> str | None:
        shape = self.shapes[i]
        if shape.gap < self.board.dead:
            return "the gap is below the dead time"
        if shape.carrier and shape.interval < shape.pulse + self.board.dead:
            return "the pulses of a burst do not fit into their interval"
        if not shape.carrier and shape.count > 1 and shape.interval < shape.pulse + self.behind(i):
            return "not enough time between the pulses of a group"
        for rate in self.rates(i):
            if self.board.period(rate) < shape.group + self.behind(i):
                return f"not enough time between groups at {rate} mHz"
        return None

    # --- the session -------------------------------------------------------------------------

    def origin(self, i: int) -> int:
        """When a channel's time starts."""
        turns = self.board.turns(self.channels[i]["delay_us"] * 1000)
        if i == 1 and self.together:
            turns += self.shapes[0].unit + self.board.separation
        return turns

    @property
    def end(self) -> int:
        """When the session ends."""
        duration = self.board.ms(self.session["duration_ms"])
        return max(self.origin(i) + duration for i in (0, 1) if self.on[i])

    def contractions(self, i: int) -> int:
        """How many there are in the session."""
        if not self.on[i]:
            return 0
        if self.endless(i):
            return 1
        room = self.board.ms(self.main_ms) - self.start(i)
        off = self.board.ms(self.off_ms(i))
        return max(0, (room + off) // (self.board.ms(self.train_ms(i)) + off))

    def _bout(self, name: str, start: int) -> Iterator[Train]:
        """Warm-up or cool-down."""
        if self._plays(name):
            names = f"{name}_ms", f"{name}_up_ms", f"{name}_down_ms"
            length, up, down = (self.board.ms(self.session[name]) for name in names)
            period = self.board.period(self.session[f"{name}_rate_mhz"])
            yield Train(name, start, length, period, up, down)

    def trains(self, i: int) -> Iterator[Train]:
        """All trains of a channel in order."""
        if not self.on[i]:
            return
        board, session, channel = self.board, self.session, self.channels[i]
        yield from self._bout("warm", self.origin(i))
        main = self.origin(i) + board.ms(session["warm_ms"])
        main_end = main + board.ms(self.main_ms)
        at = main + self.start(i)
        length = main_end - at if self.endless(i) else board.ms(self.train_ms(i))
        off = board.ms(self.off_ms(i))
        up, down = board.ms(channel["ramp_up_ms"]), board.ms(channel["ramp_down_ms"])
        for _ in range(self.contractions(i)):
            yield Train("contraction", at, length, board.period(channel["rate_mhz"]), up, down)
            at += length
            if self._rests(i) and at + off <= main_end:
                ramps = board.ms(channel["rest_up_ms"]), board.ms(channel["rest_down_ms"])
                yield Train("rest", at, off, board.period(channel["rest_rate_mhz"]), *ramps)
            at += off
        yield from self._bout("cool", main_end)

    def share(self, train: Train, after: int) -> Share:
        """Bounds of the share of a group that starts so long after its train."""
        tick = Fraction(self.board.ms(1), TICKS_PER_MS)
        share = train.envelope(after // tick * tick)
        if share == 1:
            return Share(share, share)
        return Share(max(share - SHARE_STEP, Fraction(0)), share)

    def units(self, i: int) -> Iterator[Unit]:
        """All units of a channel in order, at their nominal starts."""
        channel, shape = self.channels[i], self.shapes[i]
        by_width = channel["ramp_by"] == WIDTH
        narrow = self.board.turns(LEAST_WIDTH_NS)
        full = Share(Fraction(1), Fraction(1))
        number = 0
        for train in self.trains(i):
            for after in train.group_starts(shape.group + self.behind(i)):
                share = self.share(train, after)
                widths = share.widths(narrow, shape.width) if by_width else (shape.width,) * 2
                for k in range(shape.units):
                    yield Unit(
                        nominal=train.start + after + k * shape.interval,
                        channel=i,
                        pulses=shape.count if shape.carrier else 1,
                        interval=shape.interval,
                        widths=widths,
                        gap=shape.gap,
                        minus_first=channel["polarity"] == NEGATIVE
                        or (channel["polarity"] == ALTERNATE and number % 2 == 1),
                        level_share=full if by_width else share,
                        opens_group=k == 0,
                        train=train,
                    )
                    number += 1

    def line(self) -> Iterator[Unit]:
        """The units of both channels by nominal start, channel 1 first on a tie."""
        return in_order(self.units(0), self.units(1))


def in_order(one: Iterable[Unit], two: Iterable[Unit]) -> Iterator[Unit]:
    """Units of both channels by nominal start, channel 1 first on a tie."""
    return merge(one, two, key=lambda unit: (unit.nominal, unit.channel))


class Line:
    """One tape for both channels: says where each unit starts, in order, and notes moves.

    moves: for each channel the length of each pulse's move, for those that were moved.
    """

    def __init__(self, separation: int):
        self._separation = separation
        self._free = [None, None]  # when the channel is clear of the other's last unit
        self._moved_last = [False, False]
        self.moves: list[list[int]] = [[], []]
        self.caused: list[Unit] = []  # moved by a unit that was itself moved: must stay empty

    def place(self, unit: Unit, width: int) -> int:
        """The start of the next unit, given the width that its phases have."""
        own, other = unit.channel, 1 - unit.channel
        free = self._free[own]
        start = unit.nominal if free is None else max(unit.nominal, free)
        if start > unit.nominal:
            self.moves[own] += [start - unit.nominal] * unit.pulses
            if self._moved_last[other]:
                self.caused.append(unit)
        self._moved_last[own] = start > unit.nominal
        self._free[other] = start + unit.length(width) + self._separation
        return start
