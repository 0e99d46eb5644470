"""Measures what was played against what the program says: from pulses and the text's values alone.

Nothing of the engine's plan is used. Times of pulses are turns of 16 ns; a group may be moved by
the other channel's unit, and the room behind a group may cost a train its last one: both bounds
are worked out here from the program's own numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from rheobase.programs.play import Played
from rheobase.programs.reader import Pulse

MS = 62_500  # turns
SETTLE_MS = 1.02  # amplitude settling and gate lead, which stay free behind a group
SIM, ALT, OVL, IND = range(4)
SWEEP, SAWTOOTH, TRIANGLE = 1, 2, 3


@dataclass
class Row:
    """One channel: measured figures as text, and what differs from the data."""

    channel: int
    cells: dict[str, str] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def figure(self, name: str, measured: float, data: float, within: float) -> None:
        """Note a figure; it is wrong when it differs from the data by more than `within`."""
        self.cells[name] = f"{round(measured, 4):g}"
        if abs(measured - data) > within:
            self.cells[name] += f" not {round(data, 4):g}"
            self.wrong.append(
                f"channel {self.channel} {name}: {measured:.6g}, data {data:.6g} +- {within:.3g}"
            )


@dataclass
class Group:
    """Pulses of one tick of the rate."""

    start: int
    pulses: list[Pulse]

    @property
    def level(self) -> int:
        return self.pulses[0].level

    @property
    def width(self) -> int:
        return self.pulses[0].width


def groups_of(pulses: list[Pulse], count: int, interval_ns: int) -> list[Group]:
    """Pulses that come closer than 1.5 intervals belong to one group (n-lets and bursts)."""
    if count == 1:
        return [Group(pulse.start, [pulse]) for pulse in pulses]
    groups: list[Group] = []
    limit = interval_ns * 3 // 2 // 16
    for pulse in pulses:
        if groups and pulse.start - groups[-1].pulses[-1].start < limit:
            groups[-1].pulses.append(pulse)
        else:
            groups.append(Group(pulse.start, [pulse]))
    return groups


class Data:
    """What the text says of one channel, in ms and turns."""

    def __init__(self, played: Played, i: int) -> None:
        made = played.made
        self.session = made.session
        c, other = made.channels[i], made.channels[1 - i]
        assert c is not None
        self.c = c
        self.up, self.on, self.down = c["ramp_up_ms"], c["on_ms"], c["ramp_down_ms"]
        self.train = self.up + self.on + self.down
        self.off = c["off_ms"]
        self.start = 0
        pattern = self.session["pattern"]
        if other is not None and pattern == OVL:
            holds = [x["ramp_up_ms"] + x["on_ms"] for x in made.channels]
            self.off = sum(holds) - self.train
            self.start = i * holds[0]
        if other is not None and pattern == ALT:
            self.start = i * ((self.train + self.off) // 2)
        self.warm, self.cool = self.session["warm_ms"], self.session["cool_ms"]
        self.main = self.session["duration_ms"] - self.warm - self.cool
        self.room = self.main - self.start
        self.unit_ms = 0.0 if other is None else _group_ms(other) + 0.01
        self.group_ms = _group_ms(c)
        self.late_ms = c["jitter_ns"] / 1e6
        self.behind_ms = SETTLE_MS + self.unit_ms + self.group_ms + self.late_ms

    def begins(self) -> list[float]:
        """When contractions begin, in ms after the main part's start."""
        if not self.on:
            return [self.start]
        block, pause = self.c["block_ms"], self.c["pause_ms"]
        cycle = self.train + self.off
        if not block:
            return [self.start + k * cycle for k in range((self.room + self.off) // cycle)]
        blocks = (self.room + pause) // (block + pause)
        each = (block + self.off) // cycle
        return [
            self.start + b * (block + pause) + k * cycle
            for b in range(blocks) for k in range(each)
        ]

    def step(self, at_ms: float, train_ms: int) -> int:
        """The step of a modulated train in force at a time."""
        n, shape = self.c["mod_steps"], self.c["modulation"]
        span = train_ms if shape == SWEEP else self.c["mod_ms"]
        part = int(at_ms) % span / span
        place = int(part * n * (2 if shape == TRIANGLE else 1) + 1e-9)
        return min(place, 2 * n - 1 - place) if shape == TRIANGLE else place

    def value(self, name: str, second: str, step: int) -> Fraction:
        first = self.c[name]
        last = self.c[second] or first
        return first + Fraction((last - first) * step, self.c["mod_steps"] - 1)


def _group_ms(c: dict[str, int]) -> float:
    width = max(c["width_ns"], c["width_to_ns"] if c["modulation"] else 0)
    return ((c["count"] - 1) * c["interval_ns"] + 2 * width + c["gap_ns"]) / 1e6


def measure(played: Played) -> list[Row]:
    """A row for each channel that the program uses."""
    return [
        _channel(played, i) for i in (0, 1) if played.made.channels[i] is not None
    ]


def _channel(played: Played, i: int) -> Row:
    row = Row(i + 1)
    data = Data(played, i)
    c = data.c
    pulses = played.pulses[i]
    row.cells["pulses"] = str(len(pulses))
    if not pulses:
        row.wrong.append(f"channel {i + 1}: no pulse")
        return row
    groups = groups_of(pulses, c["count"], c["interval_ns"])
    _shapes(row, pulses, data)
    _counts(row, groups, data)
    origin = groups[0].start  # of the warm-up or of the first contraction
    first_ms = 0.0 if data.warm and data.session["warm_rate_mhz"] else data.warm + data.start
    zero = origin - first_ms * MS
    begins = [zero + (data.warm + at) * MS for at in data.begins()]
    train_ms = data.train if data.on else data.room
    trains = _split(groups, begins, train_ms * MS, data.unit_ms * MS + 1)
    row.figure("count", sum(1 for train in trains if train), len(begins), 0)
    for begin, train in zip(begins, trains, strict=True):
        if train:
            _train(row, data, begin, train, train_ms)
    steady = [train for train in trains if train and max(g.level for g in train) == played.plateau]
    settled = origin + played.climb_ms * MS
    steady = [train for train in steady if train[0].start >= settled] or steady
    if steady:
        _envelope(row, played, data, steady, begins, trains, train_ms)
    _between(row, groups, begins, train_ms, data, zero)
    row.figure("length", played.turns / MS / 60_000,
               (data.session["duration_ms"] + _delay_ms(played)) / 60_000,
               (data.unit_ms + 60) / 60_000)
    return row


def _delay_ms(played: Played) -> float:
    return max(c["delay_us"] / 1000 for c in played.made.channels if c is not None)


def _shapes(row: Row, pulses: list[Pulse], data: Data) -> None:
    """Widths, gaps and polarity of every pulse."""
    c = data.c
    widths = sorted({pulse.width for pulse in pulses})
    ns = [width * 16 for width in (widths[0], widths[-1])]
    first = {c["width_ns"]}
    if c["modulation"] and c["width_to_ns"]:
        first.add(c["width_to_ns"])
    row.figure("width us", ns[0] / 1000, min(first) / 1000, 0.008)
    if len(first) > 1:
        row.figure("to us", ns[1] / 1000, max(first) / 1000, 0.008)
    elif len(widths) > 1 and not c["ramp_by"]:
        row.wrong.append(f"channel {row.channel}: {len(widths)} widths")
    for pulse in pulses:
        if pulse.second != pulse.width:
            row.wrong.append(f"channel {row.channel}: unequal phases at {pulse.start}")
            break
    gaps = {pulse.gap * 16 for pulse in pulses}
    row.figure("gap us", max(gaps) / 1000, c["gap_ns"] / 1000, 0.008)
    if len(gaps) > 1:
        row.wrong.append(f"channel {row.channel}: {len(gaps)} gaps")


def _counts(row: Row, groups: list[Group], data: Data) -> None:
    c = data.c
    sizes = {len(group.pulses) for group in groups}
    if sizes != {c["count"]}:
        row.wrong.append(f"channel {row.channel}: groups of {sorted(sizes)}, data {c['count']}")
    for group in groups:
        for one, two in zip(group.pulses, group.pulses[1:], strict=False):
            late = abs((two.start - one.start) * 16 - c["interval_ns"])
            if late > 16 + data.unit_ms * 1e6 * (c["interval_ns"] >= 2_000_000):
                row.wrong.append(f"channel {row.channel}: interval off by {late} ns")
                return


def _split(
    groups: list[Group], begins: list[float], length: float, slack: float
) -> list[list[Group]]:
    """The groups of each contraction. slack: the pulse that time is counted from may be moved."""
    trains: list[list[Group]] = []
    at = 0
    for begin in begins:
        while at < len(groups) and groups[at].start < begin - slack:
            at += 1
        train = []
        while at < len(groups) and groups[at].start < begin + length - slack:
            train.append(groups[at])
            at += 1
        trains.append(train)
    return trains


def _train(row: Row, data: Data, begin: float, train: list[Group], train_ms: int) -> None:
    """Every interval of one contraction, and where it begins and ends."""
    c = data.c
    loose_ms = data.unit_ms + data.late_ms
    late_ms = (train[0].start - begin) / MS
    if not -data.unit_ms - 1e-3 <= late_ms <= loose_ms + 1e-3:
        row.wrong.append(f"channel {row.channel}: contraction late by {late_ms:.4f} ms")
    period_ms = 0.0
    for number, (one, two) in enumerate(zip(train, train[1:], strict=False)):
        at = (one.start - train[0].start) / MS
        found_ms = (two.start - one.start) / MS
        # A group that was moved may stand at the edge of a step: then either step will do.
        steps = [0]
        if c["modulation"]:
            steps = [data.step(max(0.0, at + d), train_ms) for d in (-loose_ms - 1e-6, loose_ms)]
        if number == 0 and c["opening_ns"]:
            period_ms = c["opening_ns"] / 1e6
        elif c["modulation"]:
            rates = [round(data.value("rate_mhz", "rate_to_mhz", step)) for step in steps]
            period_ms = min((1e6 / rate for rate in rates), key=lambda p: abs(p - found_ms))
        else:
            period_ms = 1e6 / c["rate_mhz"]
        if abs(found_ms - period_ms) > loose_ms + 5e-5:
            row.wrong.append(
                f"channel {row.channel}: interval {found_ms:.4f} ms at {at:.1f} ms of a "
                f"contraction, data {period_ms:.4f}"
            )
            return
        if c["modulation"]:
            widths = [float(data.value("width_ns", "width_to_ns", step)) for step in steps]
            if min(abs(one.width * 16 - width) for width in widths) > 9:
                row.wrong.append(
                    f"channel {row.channel}: width {one.width * 16} ns, data {widths[0]:.0f}"
                )
                return
    left_ms = train_ms - (train[-1].start - begin) / MS
    if not 0 <= left_ms <= period_ms + data.behind_ms:
        row.wrong.append(f"channel {row.channel}: a contraction ends {left_ms:.3f} ms early")


def _envelope(
    row: Row, played: Played, data: Data, steady: list[list[Group]],
    begins: list[float], trains: list[list[Group]], train_ms: int,
) -> None:
    """Rate, plateau, ramps and rests, of the contractions that reached the plateau."""
    c = data.c
    # The last of them: on the board the intensity is still going up in the first ones.
    train = steady[-1]
    full = [group for group in train if group.level == played.plateau]
    steps = [b.start - a.start for a, b in zip(train, train[1:], strict=False)]
    if c["modulation"] and c["rate_to_mhz"]:
        rates = [MS * 1000 / min(steps), MS * 1000 / max(steps)]
        most = max(c["rate_mhz"], c["rate_to_mhz"]) / 1000
        least = min(c["rate_mhz"], c["rate_to_mhz"]) / 1000
        row.figure("rate Hz", max(rates), most, most * 1e-4 + _jump(data, most))
        row.figure("to Hz", min(rates), least, least * 1e-4 + _jump(data, least))
    elif steps:
        body = steps[1:] if c["opening_ns"] else steps
        mean = sum(body) / len(body)
        rate = c["rate_mhz"] / 1000
        loose = rate * (1e-6 + (data.unit_ms + data.late_ms) * MS / mean / len(body))
        row.figure("rate Hz", MS * 1000 / mean, rate, loose)
        if c["opening_ns"]:
            row.figure("opening ms", steps[0] / MS, c["opening_ns"] / 1e6, 5e-5 + data.unit_ms)
    begin = begins[trains.index(train)]
    end = begin + train_ms * MS
    first, last = train.index(full[0]), len(train) - 1 - train[::-1].index(full[-1])
    top, bottom = float(begin), float(end)  # where the plateau begins and ends
    up_ms = down_ms = loose_up = loose_down = 0.0
    climbed = train[0].start + played.climb_ms * MS if train is trains[0] else begin
    up = [group for group in train[:first] if group.start >= climbed]
    if up:
        up_ms, top, loose_up = _line(up, begin, played.plateau, data)
    rising = bool(first) and not up  # the intensity was: nothing can be said of the ramp
    if last < len(train) - 1:
        down_ms, bottom, loose_down = _line(train[last + 1 :][::-1], end, played.plateau, data)
    if not rising:
        row.figure("up s", up_ms / 1000, data.up / 1000, loose_up / 1000)
    row.figure("down s", down_ms / 1000, data.down / 1000, loose_down / 1000)
    on_ms = data.on or train_ms - data.up - data.down
    if rising:
        return
    row.figure("on s", (bottom - top) / MS / 1000, on_ms / 1000,
               (loose_up + loose_down + 1e-3) / 1000)
    if len(begins) > 1 and data.on:
        played_ms = up_ms + (bottom - top) / MS + down_ms
        loose = 2 * (loose_up + loose_down) + data.unit_ms + 1e-3
        offs = [
            (two[0].start - one[0].start) / MS - played_ms
            for one, two in zip(trains, trains[1:], strict=False) if one and two
        ]
        row.figure("off s", min(offs) / 1000, data.off / 1000, loose / 1000)
        if c["block_ms"]:
            cycle = data.train + data.off
            used = (c["block_ms"] + data.off) // cycle * cycle - data.off
            pause = c["pause_ms"] + c["block_ms"] - used
            row.figure("pause s", max(offs) / 1000, pause / 1000, loose / 1000)


def _jump(data: Data, rate: float) -> float:
    """What a move by the other channel may do to the rate of one interval."""
    return rate * rate * data.unit_ms / 1000


def _line(
    ramp: list[Group], foot: float, plateau: int, data: Data
) -> tuple[float, float, float]:
    """The ramp's length (ms), where it meets the plateau, and the uncertainty of both (ms).

    A straight line through its lowest and its highest pulse; with one pulse, or two of one level,
    through the foot and the highest. A level is rounded by half a step, and the share of a group
    downward by 1/8192.
    """
    low, high = ramp[0], ramp[-1]
    at, level = float(low.start), low.level
    if high.level - level <= plateau // 4:
        at, level = foot, 0
    slope = (high.start - at) / (high.level - level)  # turns a level, negative for a ramp down
    loose = 1.5 + plateau / 4096
    length_ms = abs(slope) * plateau / MS
    return (
        length_ms,
        high.start + (plateau - high.level) * slope,
        (length_ms * loose + data.unit_ms * plateau) / (high.level - level) + 0.05,
    )


def _between(
    row: Row, groups: list[Group], begins: list[float], train_ms: int, data: Data, zero: float
) -> None:
    """Active rest, warm-up and cool-down: their rates and places."""
    c, session = data.c, data.session
    spans = []
    if c["rest_rate_mhz"]:
        spans.append(("rest Hz", c["rest_rate_mhz"], begins[0] + train_ms * MS, data.off))
    if data.warm and session["warm_rate_mhz"]:
        spans.append(("warm Hz", session["warm_rate_mhz"], zero, data.warm))
    if data.cool and session["cool_rate_mhz"]:
        at = zero + (data.warm + data.main) * MS
        spans.append(("cool Hz", session["cool_rate_mhz"], at, data.cool))
    for name, rate_mhz, begin, length_ms in spans:
        inside = [g.start for g in groups if begin - 1 <= g.start < begin + length_ms * MS - 1]
        if len(inside) < 2:
            row.wrong.append(f"channel {row.channel}: {name} plays {len(inside)} groups")
            continue
        mean = (inside[-1] - inside[0]) / (len(inside) - 1)
        rate = rate_mhz / 1000
        loose = rate * (1e-6 + data.unit_ms * MS / mean / (len(inside) - 1))
        row.figure(name, MS * 1000 / mean, rate, loose)
        left_ms = length_ms - (inside[-1] - begin) / MS
        if left_ms > 1e6 / rate_mhz + data.behind_ms or left_ms < 0:
            row.wrong.append(f"channel {row.channel}: {name} ends {left_ms:.1f} ms early")
