"""The tests of the library's class X, run on a stimulator: X01, X02, X03, X04.

Each takes a stimulator whose checklist is acknowledged and whose pad area is entered, arms and
starts it, asks about every pulse, and stops it. What is refused raises StimulatorError.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from typing import Any

from rheobase.client import State, Stimulator
from rheobase.client.words import NUMBER
from rheobase.instrument import curve as curves
from rheobase.instrument.curve import Point, Sure, Trials, find, refine, text_of
from rheobase.instrument.pulses import Ask, Pulses
from rheobase.instrument.threshold import LEVEL_UA, Threshold

FELT, TWITCHES, MOVES = "do you feel it", "does it twitch", "does it move as it should"
MARKS = {"sensory": FELT, "motor": TWITCHES, "functional": MOVES}
_LONGEST_S = 3600.0  # of the test class
_SIX = re.compile(",".join([NUMBER.pattern] * 6))
RATE_HZ = 1.0
Report = Callable[[str], object]
Arm = Callable[[Stimulator], object]


@dataclass(frozen=True)
class Mark:
    """A threshold found by X02."""

    name: str
    current_ma: float
    error: float
    """Relative standard error."""
    pulses: int


@dataclass(frozen=True)
class Law:
    """A law fitted to a curve, by the stimulator."""

    rheobase_ma: float
    chronaxie_us: float
    residual: float
    """R.m.s. of measured over fitted threshold, as a ratio."""
    rheobase_error: float = 0.0
    """Relative standard error, as that of the chronaxie."""
    chronaxie_error: float = 0.0


@dataclass(frozen=True)
class Curve:
    """What X03 has found."""

    points: list[Point]
    weiss: Law
    lapicque: Law
    pulses: int
    precision: float
    """What was asked for: half the 99 % intervals, relative."""
    sure: list[Sure]
    """Every law that may be this nerve's, the one that fits best first."""

    @property
    def doubts(self) -> list[str]:
        """What is less certain than asked for, in words; empty if nothing is."""
        return [
            f"{one.law}'s {name} +-{half:.1%}"
            for one in self.sure
            for name, half in (("rheobase", one.rheobase), ("chronaxie", one.chronaxie))
            if half > self.precision
        ]

    def as_dict(self) -> dict[str, object]:
        return {
            "points": [point._asdict() for point in self.points],
            "Weiss": asdict(self.weiss),
            "Lapicque": asdict(self.lapicque),
            "pulses": self.pulses,
            "precision": self.precision,
            "may_be": [one._asdict() for one in self.sure],
            "certain": not self.doubts,
            "doubts": self.doubts,
        }


@dataclass(frozen=True)
class Spot:
    """A place of the electrode and the motor threshold there."""

    name: str
    current_ma: float
    error: float


@dataclass(frozen=True)
class Fatigue:
    """What X04 has found. peaks: the force of every contraction at full intensity, any unit."""

    current_ma: float
    peaks: list[float]

    @property
    def index(self) -> float:
        """Mean of the last five contractions by the mean of the first five."""
        return sum(self.peaks[-5:]) / max(sum(self.peaks[:5]), 1e-12)


def prepare(stimulator: Stimulator, program: str, number: int, rate_hz: float | None) -> None:
    """Load a test program on one channel, the other off, at a rate of single pulses."""
    stimulator.channel(3 - number).enabled = False
    stimulator.load_program(program, number)
    channel = stimulator.channel(number)
    if rate_hz is not None:
        channel.rate_hz = rate_hz
        stimulator.session.duration_s = _LONGEST_S


def _drive(trials: Trials, pulses: Pulses, ask: Ask, question: str) -> list[Point]:
    try:
        trial = next(trials)
        while True:
            pulses.present(*trial)
            while (answer := ask(question)) is None:
                pulses.present(*trial)
            trial = trials.send(answer)
    except StopIteration as end:
        return end.value


def begin(stimulator: Stimulator, number: int, arm: Arm) -> Pulses:
    arm(stimulator)
    stimulator.start()
    return Pulses(stimulator, number)


def thresholds(
    stimulator: Stimulator,
    number: int,
    ask: Ask,
    *,
    marks: Sequence[str] = tuple(MARKS),
    answers: int = 12,
    width_us: float | None = None,
    store: bool = True,
    report: Report = print,
    arm: Arm = Stimulator.arm,
) -> list[Mark]:
    """X02: the current from which a pulse is felt, twitches, moves; from the lowest up.

    answers: pulses for each mark after it was found. width_us: the phase width of what the
    thresholds are for, instead of the program's 400 us. store: keep sensory and motor in the
    stimulator's configuration; intensities as multiples of a threshold are told from there.
    """
    prepare(stimulator, "X02", number, RATE_HZ)
    if width_us is not None:
        stimulator.channel(number).width_us = width_us
    most_ua = round(stimulator.channel(number).ceiling.current_ma * 1e3)
    pulses = begin(stimulator, number, arm)
    at_us = int(pulses.width_us)
    found: list[Mark] = []
    first_ua = LEVEL_UA * 8
    try:
        for name in marks:
            here = Threshold()
            _drive(find(at_us, first_ua, most_ua, here), pulses, ask, MARKS[name])
            _drive(refine(at_us, most_ua, here, answers), pulses, ask, MARKS[name])
            current_ua, error = here.estimate
            found.append(Mark(name, round(current_ua / 1e3, 3), error, here.answers))
            report(f"{name} threshold {current_ua / 1e3:.2f} mA +-{error * 100:.1f} %")
            first_ua = max(1, round(current_ua / LEVEL_UA)) * LEVEL_UA
    finally:
        stimulator.abort()
    if store:
        store_thresholds(stimulator, number, {m.name: m.current_ma for m in found})
    return found


def store_thresholds(stimulator: Stimulator, number: int, marks: dict[str, float]) -> None:
    """Keep sensory and motor thresholds in the stimulator's configuration; output off."""
    for name in ("sensory", "motor"):
        if name in marks:
            line = f"{name}_ua_{number} = {round(marks[name] * 1e3)}"
            stimulator.line.set(f'SYST:CONF:SET "{line}"')
    stimulator.line.set("SYST:CONF:SAVE")


def fitted(stimulator: Stimulator, points: Sequence[Point]) -> tuple[Law, Law]:
    """Weiss' and Lapicque's law, as the stimulator itself fits them; with the output off."""
    answer = stimulator.line.query(f'TEST:FIT? "{text_of(points)}"', _SIX)
    values = [float(value) for value in answer.split(",")]
    laws = []
    for law, (rheobase, chronaxie, residual) in (("Weiss", values[:3]), ("Lapicque", values[3:])):
        b, c = curves.errors(points, chronaxie * 1e6, law)
        laws.append(Law(rheobase * 1e3, chronaxie * 1e6, residual, b, c))
    return laws[0], laws[1]


def library_fit() -> Any:
    """The stimulator's own source of the fit: it has no time for it while the output is on."""
    import_module("rheobase.programs.library")  # makes the firmware's source known
    return import_module("firmware.remote.fit")


def library_fits(points: Sequence[Point]) -> dict[str, tuple[float, float]]:
    """Rheobase in uA and chronaxie in us by each law; without one that the points refuse."""
    laws = library_fit()
    as_sent = laws.parse(text_of(points))
    fits = {}
    for law, by_law in (("Weiss", laws.weiss), ("Lapicque", laws.lapicque)):
        try:
            fits[law] = by_law(as_sent)[:2]
        except laws.Refused:
            continue
    return fits


def strength_duration(
    stimulator: Stimulator,
    number: int,
    ask: Ask,
    *,
    widths_us: Sequence[int] = curves.WIDTHS_US,
    precision: float = curves.PRECISION,
    most_pulses: int = curves.MOST_PULSES,
    most_ma: float | None = None,
    report: Report = print,
    arm: Arm = Stimulator.arm,
) -> Curve:
    """X03: thresholds over the phase width, rheobase and chronaxie.

    precision: half the 99 % interval of rheobase and chronaxie at which it ends, by every law
    that may be this nerve's, or else after most_pulses: the result's `doubts` tell. most_ma: a
    ceiling in place of the program's; never above the stimulator's own.
    """
    prepare(stimulator, "X03", number, RATE_HZ)
    channel = stimulator.channel(number)
    if most_ma is not None:
        channel.limit_ma = most_ma
    channel.width_us = max(widths_us)
    ceiling_ua = round(channel.ceiling.current_ma * 1e3)
    pulses = begin(stimulator, number, arm)
    said: set[int] = set()

    def fit(points: Sequence[Point]) -> dict[str, tuple[float, float]]:
        for p in points:
            if p.width_us not in said:
                said.add(p.width_us)
                report(f"{p.width_us:5} us  {p.threshold_ua / 1e3:6.2f} mA +-{p.error:.1%}")
        fits = library_fits(points)
        for one in curves.certainty(points, fits):
            chronaxie_us = fits[one.law][1]
            report(f"{one.law:9} chronaxie {chronaxie_us:.0f} us +-{one.worst:.1%} (99 %)")
        return fits

    try:
        trials = curves.curve(fit, ceiling_ua, widths_us, precision, most_pulses)
        points = _drive(trials, pulses, ask, TWITCHES)
    finally:
        stimulator.abort()
    weiss, lapicque = fitted(stimulator, points)
    sure = curves.certainty(points, {
        name: (law.rheobase_ma * 1e3, law.chronaxie_us)
        for name, law in (("Weiss", weiss), ("Lapicque", lapicque))
    })  # fmt: skip
    return Curve(points, weiss, lapicque, sum(p.answers for p in points), precision, sure)


def motor_point(
    stimulator: Stimulator,
    number: int,
    ask: Ask,
    spots: Sequence[str],
    place: Callable[[str], object],
    *,
    answers: int = 8,
    report: Report = print,
    arm: Arm = Stimulator.arm,
) -> list[Spot]:
    """X01: the motor threshold at each spot, the lowest first: that is nearest the motor point.

    place: has the electrode put on a spot; the intensity is zero meanwhile. A spot whose
    threshold is above the ceiling is left out.
    """
    prepare(stimulator, "X01", number, RATE_HZ)
    most_ua = round(stimulator.channel(number).ceiling.current_ma * 1e3)
    place(spots[0])  # before the electrodes are checked
    pulses = begin(stimulator, number, arm)
    width_us = int(pulses.width_us)
    found: list[Spot] = []
    try:
        for spot in spots:
            if spot != spots[0]:
                pulses.rest()
                place(spot)
            here = Threshold()
            try:
                _drive(find(width_us, LEVEL_UA * 8, most_ua, here), pulses, ask, TWITCHES)
            except curves.OutOfReach as none:
                report(f"{spot}: {none}")
                continue
            _drive(refine(width_us, most_ua, here, answers), pulses, ask, TWITCHES)
            current_ua, error = here.estimate
            found.append(Spot(spot, round(current_ua / 1e3, 3), error))
            report(f"{spot}: {current_ua / 1e3:.2f} mA +-{error:.1%}")
    finally:
        stimulator.abort()
    return sorted(found, key=lambda one: one.current_ma)


def fatigue(
    stimulator: Stimulator,
    number: int,
    current_ma: float,
    force: Callable[[], float],
    *,
    duration_s: float | None = None,
    report: Report = print,
    arm: Arm = Stimulator.arm,
) -> Fatigue:
    """X04: one contraction a second (40 Hz for 0.33 s), and how much of its force is left.

    force: the force of now; asked often, the highest in each second counts. The length counts
    from the first contraction at full intensity.
    """
    prepare(stimulator, "X04", number, None)
    length_s = duration_s or stimulator.session.duration_s
    climb_s = current_ma / 1.9 + 5
    stimulator.session.duration_s = length_s + climb_s
    climb = stimulator.raise_current(number, current_ma)  # refuses before anything is on
    begin(stimulator, number, arm)
    clock = stimulator.clock
    try:
        for _ in climb:
            pass
        full = int(stimulator.elapsed_s) + 1  # the next contraction
        peaks: list[float] = []
        while (second := int(stimulator.elapsed_s) - full) < length_s:
            value = force()
            if second >= len(peaks):
                peaks += [0.0] * (second + 1 - len(peaks))
            if second >= 0:
                peaks[second] = max(peaks[second], value)
            if stimulator.state != State.RUNNING:
                break
            clock.sleep(0.03)
    finally:
        stimulator.abort()
    found = Fatigue(current_ma, [round(peak, 4) for peak in peaks[: int(length_s)]])
    report(f"{found.index:.0%} of the force is left after {len(found.peaks)} contractions")
    return found
