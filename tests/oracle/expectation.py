"""A whole session: the rules that forbid it, its trains and its units."""

from collections.abc import Iterator
from fractions import Fraction
from math import floor

from oracle.board import (
    ALTERNATE,
    ALTERNATING,
    INDEPENDENT,
    LATE_STEP,
    LEAST_WIDTH_NS,
    NEGATIVE,
    OVERLAPPED,
    SHARE_STEP,
    SIMULTANEOUS,
    TICKS_PER_MS,
    WIDTH,
    Board,
)
from oracle.train import Course, Shape, Train
from oracle.unit import Share, Unit, in_order


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
