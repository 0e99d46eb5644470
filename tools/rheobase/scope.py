"""Looks at a recording: the demo's CSV and VCD files, or a program played on the virtual board."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.table import Table
from vcd.reader import TokenKind, VCDParseError, tokenize

from rheobase.client import State, Stimulator
from rheobase.plot import Shown
from rheobase.recording import Pulse, pulses
from rheobase.sim.bench import Bench
from rheobase.sim_port import VirtualPort, approve, powered

CLOCK_HZ = 125_000_000
REST_S = 0.3  # no pulse for longer than this: another train begins
_UNITS = ("ps", "ns", "us", "ms", "s")
_NS = {name: Fraction(1000) ** power for power, name in enumerate(_UNITS, -1)}
_BEFORE_US = 60


def read(path: Path) -> list[Pulse]:
    """The pulses in a pulses.csv or a .vcd file; raises ValueError if it is neither."""
    if path.suffix.lower() != ".vcd":
        return _read_csv(path)
    try:
        return _read_vcd(path)
    except VCDParseError as error:
        raise ValueError(f"{path} is no VCD: {error}") from error


def play(programs: Sequence[str], currents_ma: Sequence[float], seconds: float) -> list[Pulse]:
    """Play programs (of channels 1 and 2) on the virtual board, in virtual time.

    Intensities go up from zero in the steps allowed. Raises StimulatorError if it refuses.
    """
    bench = Bench()
    board = powered(bench)
    port = VirtualPort(board)
    with Stimulator(port, clock=port) as stimulator:
        for number, program in enumerate(programs, 1):
            stimulator.load_program(program, number)
        approve(stimulator)
        stimulator.arm()
        stimulator.start()
        end = port.monotonic() + seconds
        climb = stimulator.raise_current(dict(enumerate(currents_ma, 1)))
        while (left := end - port.monotonic()) > 0 and stimulator.state == State.RUNNING:
            wait_s = climb.advance()
            port.sleep(min(left, wait_s or 0.5))
    bench.settle()
    return pulses(bench.recorder)


def shown(found: Sequence[Pulse], title: str) -> Shown:
    """For `rheobase.plot.draw`: the envelopes, and the strongest pulse of each channel."""
    if not found:
        raise ValueError("no pulse in the recording")
    hz = found[0].clock_hz
    origin = found[0].start
    picture = Shown(
        title=title,
        subtitle=f"{len(found)} pulses; time counts from the first",
        pulses=found,
        origin=origin,
        clock_hz=hz,
        length_s=max(1e-3, (max(p.end for p in found) - origin) / hz),
    )
    for number in picture.channels:
        own = [p for p in found if p.channel == number]
        most = max(abs(p.delivered_1_a) for p in own)
        strong = [p for p in own if abs(p.delivered_1_a) >= 0.999 * most]
        picture.detail[number] = strong[len(strong) // 2]
    window_us = max(pulse.end - pulse.start for pulse in picture.detail.values()) * 1e6 / hz
    for number, pulse in picture.detail.items():
        picture.waveform[number] = _outline(pulse, window_us + _BEFORE_US)
    return picture


def table(found: Sequence[Pulse]) -> Table:
    """One line for every train of pulses."""
    rows = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for name in ("ch", "from s", "to s", "pulses", "per s", "phase µs", "gap µs"):
        rows.add_column(name, justify="right", no_wrap=True)
    for name in ("mA", "µC", "net %"):  # the most that occurs in the train
        rows.add_column(name, justify="right", no_wrap=True)
    for number in sorted({pulse.channel for pulse in found}):
        for train in trains([pulse for pulse in found if pulse.channel == number]):
            rows.add_row(*_train_row(number, train, found[0].start))
        rows.add_section()
    return rows


def trains(own: Iterable[Pulse]) -> list[list[Pulse]]:
    """Pulses of one channel, parted where none came for `REST_S`."""
    found: list[list[Pulse]] = []
    for pulse in own:
        if not found or pulse.start - found[-1][-1].end > REST_S * pulse.clock_hz:
            found.append([])
        found[-1].append(pulse)
    return found


def _train_row(number: int, train: list[Pulse], origin: int) -> list[str]:
    hz = train[0].clock_hz
    lasted = (train[-1].start - train[0].start) / hz
    widths = sorted({pulse.width_1 for pulse in train})
    gaps = sorted({pulse.gap for pulse in train})
    return [
        str(number),
        f"{(train[0].start - origin) / hz:.3f}",
        f"{(train[-1].end - origin) / hz:.3f}",
        str(len(train)),
        f"{(len(train) - 1) / lasted:.2f}" if lasted else "",
        _range(widths, 1e6 / hz),
        _range(gaps, 1e6 / hz),
        f"{max(abs(pulse.delivered_1_a) for pulse in train) * 1e3:.2f}",
        f"{max(abs(pulse.charge_1_c) for pulse in train) * 1e6:.3f}",
        f"{max(abs(pulse.balance_percent) for pulse in train):.3f}",
    ]


def _range(values: list[int], scale: float) -> str:
    ends = [f"{value * scale:g}" for value in (values[0], values[-1])]
    return ends[0] if ends[0] == ends[1] else "–".join(ends)


def _outline(pulse: Pulse, end_us: float) -> list[tuple[float, float]]:
    """A pulse as a rectangle for each phase: (us, mA)."""
    us = 1e6 / pulse.clock_hz
    one, gap = pulse.width_1 * us, pulse.gap * us
    end = one + gap + pulse.width_2 * us
    first, second = pulse.delivered_1_a * 1e3, pulse.delivered_2_a * 1e3
    return [
        (-_BEFORE_US, 0.0), (0.0, 0.0), (0.0, first), (one, first), (one, 0.0), (one + gap, 0.0),
        (one + gap, second), (end, second), (end, 0.0), (end_us, 0.0),
    ]  # fmt: skip


# -- files -------------------------------------------------------------------------------------


def _clocks(seconds: str, per_second: int = 1) -> int:
    return round(Fraction(seconds) * CLOCK_HZ / per_second)


def _read_csv(path: Path) -> list[Pulse]:
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    try:
        return [
            Pulse(
                int(row["channel"]),
                1 if row["first_polarity"] == "+" else -1,
                _clocks(row["time_s"]),
                _clocks(row["width_us"], 10**6),
                _clocks(row["gap_us"], 10**6),
                _clocks(row["width_2_us"], 10**6),
                float(row["commanded_ma"]) / 1e3,
                float(row["delivered_1_ma"]) / 1e3,
                float(row["delivered_2_ma"]) / 1e3,
                float(row["charge_1_uc"]) / 1e6,
                float(row["charge_2_uc"]) / 1e6,
                CLOCK_HZ,
            )
            for row in rows
        ]
    except (KeyError, ValueError, TypeError) as error:
        raise ValueError(f"{path} is no table of pulses: {error!r}") from error


class _Phase:
    """A leg that is high, with the charge that flows meanwhile."""

    def __init__(self, start: int, polarity: int) -> None:
        self.start = start
        self.end = start
        self.polarity = polarity
        self.charge_c = 0.0


class _VcdChannel:
    """Legs and current of one channel, change by change; times in ns."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.phases: list[_Phase] = []
        self._open: _Phase | None = None
        self._current_a = 0.0
        self._since = Fraction(0)

    def leg(self, time: Fraction, polarity: int, high: bool) -> None:
        self._flow(time)
        if high:
            self._open = _Phase(_at(time), polarity)
        elif self._open is not None and self._open.polarity == polarity:
            self._open.end = _at(time)
            self.phases.append(self._open)
            self._open = None

    def current(self, time: Fraction, milliamperes: float) -> None:
        self._flow(time)
        self._current_a = milliamperes / 1e3

    def _flow(self, time: Fraction) -> None:
        if self._open is not None:
            self._open.charge_c += self._current_a * float(time - self._since) / 1e9
        self._since = time

    def pulses(self) -> list[Pulse]:
        found = []
        waiting = list(reversed(self.phases))
        while waiting:
            one = waiting.pop()
            paired = (
                waiting
                and waiting[-1].polarity != one.polarity
                and waiting[-1].start - one.end <= CLOCK_HZ // 1000
            )
            found.append(_pulse(self.number, one, waiting.pop() if paired else None))
        return found


def _at(time_ns: Fraction) -> int:
    return round(time_ns * CLOCK_HZ / 10**9)


def _pulse(channel: int, one: _Phase, two: _Phase | None) -> Pulse:
    def mean(phase: _Phase) -> float:
        width = phase.end - phase.start
        return phase.charge_c * CLOCK_HZ / width if width else 0.0

    return Pulse(
        channel,
        one.polarity,
        one.start,
        one.end - one.start,
        two.start - one.end if two else 0,
        two.end - two.start if two else 0,
        abs(mean(one)),
        mean(one),
        mean(two) if two else 0.0,
        one.charge_c,
        two.charge_c if two else 0.0,
        CLOCK_HZ,
    )


def _read_vcd(path: Path) -> list[Pulse]:
    channels = {1: _VcdChannel(1), 2: _VcdChannel(2)}
    names: dict[str, str] = {}
    tick_ns = Fraction(1)
    time = Fraction(0)
    with path.open("rb") as file:
        for token in tokenize(file):
            if token.kind is TokenKind.TIMESCALE:
                scale = token.timescale
                tick_ns = scale.magnitude * _NS[scale.unit.value]
            elif token.kind is TokenKind.VAR:
                names[token.var.id_code] = token.var.reference
            elif token.kind is TokenKind.CHANGE_TIME:
                time = Fraction(token.time_change) * tick_ns
            elif token.kind in (TokenKind.CHANGE_SCALAR, TokenKind.CHANGE_REAL):
                change = (
                    token.scalar_change
                    if token.kind is TokenKind.CHANGE_SCALAR
                    else token.real_change
                )
                _apply(channels, names.get(change.id_code, ""), time, change.value)
    if not {"ch1_plus", "ch1_minus"} & set(names.values()):
        raise ValueError(f"{path} has no signals ch1_plus, ch1_minus, ...")
    found = [pulse for channel in channels.values() for pulse in channel.pulses()]
    return sorted(found, key=lambda pulse: (pulse.start, pulse.channel))


def _apply(channels: dict[int, _VcdChannel], name: str, time: Fraction, value: object) -> None:
    if name[:3] not in ("ch1", "ch2"):
        return
    channel = channels[int(name[2])]
    if name.endswith("_current_ma"):
        channel.current(time, float(str(value)))
    elif name.endswith(("_plus", "_minus")):
        channel.leg(time, 1 if name.endswith("_plus") else -1, str(value) == "1")
