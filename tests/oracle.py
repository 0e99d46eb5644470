"""What the electrodes must show, computed from the settings alone (docs/timing.md, in fractions).

Shares no code with the engine: settings come as dicts (the field names of
firmware/core/settings.py), the board as its times in ns. All times are turns of two clocks from
the channels' time zero, `Board.preamble` turns after the tape's beginning.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from heapq import merge
from itertools import count, repeat
from math import ceil, floor

SIMULTANEOUS, ALTERNATING, OVERLAPPED, INDEPENDENT = range(4)
POSITIVE, NEGATIVE, ALTERNATE = range(3)
AMPLITUDE, WIDTH = range(2)
STEADY, SWEEP, SAWTOOTH, TRIANGLE = range(4)

LEAST_WIDTH_NS = 20_000  # where a ramp of width begins
CARRIER_BELOW_NS = 2_000_000
LEAST_SEPARATION = 32  # turns
TICKS_PER_MS = 50  # an envelope's grid of 20 us
SHARE_STEP = Fraction(1, 8192)
HALF = Fraction(1, 2)
LATE_STEP = 16  # turns: random times are multiples of it


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
    """A channel's pulse and group; `pulse` and what follows from it are of the widest."""

    width: int
    widest: int
    gap: int
    interval: int
    count: int
    carrier: bool

    @classmethod
    def of(cls, channel: dict, board: Board) -> "Shape":
        second = channel["width_to_ns"] if channel["modulation"] else 0
        return cls(
            board.turns(channel["width_ns"]),
            board.turns(max(channel["width_ns"], second)),
            board.turns(channel["gap_ns"]),
            board.turns(channel["interval_ns"]),
            channel["count"],
            channel["count"] > 1 and channel["interval_ns"] < CARRIER_BELOW_NS,
        )

    @property
    def pulse(self) -> int:
        return 2 * self.widest + self.gap

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


class Course:
    """Rate (mHz) and width (ns) over a train, in steps; steady where nothing is modulated."""

    def __init__(self, channel: dict, train_ms: int):
        self._channel = channel
        self._count = channel["mod_steps"] if channel["modulation"] else 1
        self._back = channel["modulation"] == TRIANGLE
        self._span = train_ms if channel["modulation"] == SWEEP else channel["mod_ms"]

    def _value(self, name: str, second: str, step: int) -> int:
        first = self._channel[name]
        last = self._channel[second] or first
        if self._count == 1:
            return first
        return nearest(first + Fraction((last - first) * step, self._count - 1))

    def step(self, at_ms: int) -> int:
        """The step in force so long after the train's start."""
        part = Fraction(at_ms % self._span, self._span)
        if not self._back:
            return floor(part * self._count)
        place = floor(part * 2 * self._count)
        return min(place, 2 * self._count - 1 - place)

    def rate(self, at_ms: int) -> int:
        return self._value("rate_mhz", "rate_to_mhz", self.step(at_ms))

    def width(self, at_ms: int) -> int:
        return self._value("width_ns", "width_to_ns", self.step(at_ms))


def random_times(start: int, spread: int) -> Iterator[int]:
    """Turns by which groups are late: 16-bit xorshift (7, 9, 8) from a start value."""
    x = start % 65536 or 1
    while True:
        x ^= (x << 7) % 65536
        x ^= x >> 9
        x ^= (x << 8) % 65536
        yield floor(Fraction(x // 8 * spread, 8192)) * LATE_STEP


@dataclass(frozen=True)
class Group:
    """A group after its train's start: when it is due, how late it is, how wide its pulses."""

    due: int
    late: int
    width_ns: int


@dataclass(frozen=True)
class Train:
    """Groups at one rate under one envelope; `kind` is warm, contraction, rest or cool."""

    kind: str
    start: int
    length: int
    period: Fraction
    up: int
    down: int
    width_ns: int
    board: Board
    course: Course | None = None
    opening: int = 0
    spread: int = 0
    random_start: int = 0

    def groups(self, room: int) -> Iterator[Group]:
        """The groups that leave so much room to the train's end."""
        late = random_times(self.random_start, self.spread) if self.spread else repeat(0)
        room += self.spread * LATE_STEP
        period, width = self.period, self.width_ns
        base = due = k = 0
        for number in count():
            if due + room > self.length:
                return
            if self.course:
                at_ms = due // self.board.ms(1)
                width = self.course.width(at_ms)
                then, period = period, self.board.period(self.course.rate(at_ms))
                if then != period:
                    base, k = due, 0
            regular = number == 0 or (number == 1 and self.opening)
            yield Group(due, 0 if regular else next(late), width)
            if number == 0 and self.opening:
                base = due = self.opening
                continue
            k += 1
            due = base + k * period.numerator // period.denominator

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
        names = ["rate_mhz", "rest_rate_mhz", "delay_us", "opening_ns", "jitter_ns", "modulation"]
        if one["modulation"]:
            names += ["rate_to_mhz", "mod_steps", "mod_ms"]
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

    def block_ms(self, i: int) -> int:
        """What contractions are counted in: a block, or the main part after the start."""
        return self.channels[i]["block_ms"] or self.main_ms - self._whole_ms(self.start(i))

    def _whole_ms(self, turns: int) -> int:
        return turns // self.board.ms(1)

    def blocks(self, i: int) -> int:
        """How many blocks there are."""
        channel = self.channels[i]
        if not channel["block_ms"]:
            return 1
        room = self.main_ms - self._whole_ms(self.start(i)) + channel["pause_ms"]
        return max(0, room // (channel["block_ms"] + channel["pause_ms"]))

    def spread(self, i: int) -> int:
        """The most by which a group is late, in steps."""
        return self.board.turns(self.channels[i]["jitter_ns"]) // LATE_STEP

    def _refusal(self) -> str | None:
        if self.session["trigger"]:
            return "triggered"
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
                refusal = self._block_refusal(i) or self._ramps_refusal(i)
                refusal = refusal or self._rate_refusal(i)
                if refusal:
                    return refusal
                for kind, length in self._lengths(i).items():
                    late = self.spread(i) * LATE_STEP if kind == "contraction" else 0
                    if self.shapes[i].group + self.behind(i) + late > length:
                        return f"a train ({kind}) holds no group"
        return None

    def _block_refusal(self, i: int) -> str | None:
        channel = self.channels[i]
        if channel["opening_ns"] and channel["count"] > 1:
            return "an opening doublet of groups"
        if channel["block_ms"] and self.endless(i):
            return "blocks of a contraction without end"
        if channel["pause_ms"] and not channel["block_ms"]:
            return "a pause without blocks"
        return None

    def _pattern_refusal(self) -> str | None:
        one, two = self.channels
        pattern = self.session["pattern"]
        if pattern != INDEPENDENT:
            for name in ("block_ms", "pause_ms"):
                if one[name] != two[name]:
                    return f"coupled, but {name} differs"
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
        block = self.board.ms(self.block_ms(i))
        if self._rests(i) and (self._in_block(i) > 1 or cycle <= block):
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
        need = shape.group + self.behind(i)
        for rate in self.rates(i)[1:]:
            if self.board.period(rate) < need:
                return f"not enough time between groups at {rate} mHz"
        channel = self.channels[i]
        if channel["opening_ns"] and self.board.turns(channel["opening_ns"]) < need:
            return "not enough time in the opening doublet"
        rate = channel["rate_mhz"]
        if channel["modulation"]:
            rate = max(rate, channel["rate_to_mhz"])
        if floor(self.board.period(rate)) < need + self.spread(i) * LATE_STEP:
            return f"not enough time between groups at {rate} mHz, or too random"
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
        return self.blocks(i) * self._in_block(i)

    def _in_block(self, i: int) -> int:
        if self.endless(i):
            return 1
        off = self.off_ms(i)
        return max(0, (self.block_ms(i) + off) // (self.train_ms(i) + off))

    def _bout(self, name: str, start: int, width_ns: int) -> Iterator[Train]:
        """Warm-up or cool-down."""
        if self._plays(name):
            names = f"{name}_ms", f"{name}_up_ms", f"{name}_down_ms"
            length, up, down = (self.board.ms(self.session[name]) for name in names)
            period = self.board.period(self.session[f"{name}_rate_mhz"])
            yield Train(name, start, length, period, up, down, width_ns, self.board)

    def trains(self, i: int) -> Iterator[Train]:
        """All trains of a channel in order."""
        if not self.on[i]:
            return
        board, session, channel = self.board, self.session, self.channels[i]
        width_ns = channel["width_ns"]
        yield from self._bout("warm", self.origin(i), width_ns)
        main = self.origin(i) + board.ms(session["warm_ms"])
        main_end = main + board.ms(self.main_ms)
        at = main + self.start(i)
        length = main_end - at if self.endless(i) else board.ms(self.train_ms(i))
        off = board.ms(self.off_ms(i))
        up, down = board.ms(channel["ramp_up_ms"]), board.ms(channel["ramp_down_ms"])
        course = Course(channel, self._whole_ms(length)) if channel["modulation"] else None
        opening = board.turns(channel["opening_ns"])
        spread = self.spread(i)
        seed = self.session["seed"]
        period = board.period(channel["rate_mhz"])
        rest = board.period(channel["rest_rate_mhz"]) if self._rests(i) else None
        ramps = board.ms(channel["rest_up_ms"]), board.ms(channel["rest_down_ms"])
        for _ in range(self.blocks(i)):
            begun = at
            block_end = at + board.ms(self.block_ms(i))
            for _ in range(self._in_block(i)):
                special = course, opening, spread, seed
                yield Train(
                    "contraction", at, length, period, up, down, width_ns, board, *special
                )
                seed = seed * 75 % 65537
                at += length
                if rest and at + off <= block_end:
                    yield Train("rest", at, off, rest, *ramps, width_ns, board)
                at += off
            at = begun + board.ms(self.block_ms(i) + channel["pause_ms"])
        yield from self._bout("cool", main_end, width_ns)

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
            for group in train.groups(shape.group + self.behind(i)):
                after = group.due + group.late
                share = self.share(train, group.due)
                width = self.board.turns(group.width_ns)
                widths = share.widths(narrow, width) if by_width else (width,) * 2
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
