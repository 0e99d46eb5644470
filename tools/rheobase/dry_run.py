"""What a program would do, before anything is armed: `rheobase dry-run`.

The text is parsed, validated and planned by the device's own code, and the whole session is played
through the real scheduler, writer and inspector, with the intensity going up as it may on the
device. What the tape then holds is read and summed up here independently, and held against the
one table of limits. Raises nothing for a program that is refused: the report says why.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rheobase.programs.library import IDS, settings_of, text, timing  # first: it sets the path
from rheobase.programs.play import clocked
from rheobase.programs.reader import Pulse, Reader

# isort: split
from firmware.boards import pico_reference as board
from firmware.core.inspector import Inspector
from firmware.core.inspector_reasons import REASONS
from firmware.core.limits import limit
from firmware.core.parts import Plan
from firmware.core.plan import make_plan
from firmware.core.refused import Refused
from firmware.core.scheduler import Scheduler
from firmware.core.settings import Settings
from firmware.core.tape import BLOCK_WORDS, TapeWriter
from firmware.programs import classes
from firmware.programs.format import Program, lines_of, parse
from firmware.safety.ceiling import LOAD_OHM, ceiling
from firmware.safety.rules import levels, rules_for

TURN_S = 16e-9
BLOCK_MS = 10
TRIGGERED_MS = 120_000
LEVEL_A = board.LEVEL_UA * 1e-6


@dataclass
class Channel:
    """Figures of one channel; the one-second figures are the highest of the session."""

    number: int
    target_ma: float
    ceiling_ma: float
    ceiling_reason: str
    pad_cm2: float
    reached_ma: float = 0.0
    pulses: int = 0
    moved: int = 0
    moved_most_us: float = 0.0
    charge_uc: float = 0.0
    """Most charge of one phase."""
    net_uc: float = 0.0
    """Of the whole session, as commanded."""
    rms_ma: float = 0.0
    mean_ma: float = 0.0
    density_ma_cm2: float = 0.0
    power_mw_cm2: float = 0.0
    energy_uj: float = 0.0
    """Most energy of one pulse, into 500 ohm."""
    session_j: float = 0.0
    pulses_seen: list[Pulse] = field(default_factory=list, repr=False)


@dataclass
class Report:
    """refused: what would be refused and why; empty when the program may be played as asked."""

    name: str
    mode: str = ""
    refused: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    channels: list[Channel] = field(default_factory=list)
    contractions: tuple[int, ...] = ()
    length_s: float = 0.0
    played: bool = False


def read(source: str) -> str:
    """The text of a program: an id of the library, or a file. Raises FileNotFoundError."""
    return text(source) if source in IDS else Path(source).read_text()


def dry_run(
    content: str,
    currents_ma: Sequence[float | None] = (None, None),
    pads_cm2: Sequence[float] = (9.0, 9.0),
    channel: int | None = None,
    seconds: float | None = None,
    person_ma: float | None = None,
) -> Report:
    """Play a program's text without a device.

    currents_ma: plateau of each channel; None is as high as the settings allow. pads_cm2: area of
    the smaller pad. channel: only this one (1, 2). seconds: only the session's beginning.
    person_ma: the board's ceiling for the person; None for none.
    """
    report = Report("?")
    try:
        made = parse(lines_of(content))
    except Refused as error:
        report.refused.append(f"text: {error.text}")
        return report
    report.name = f"{made.id}: {made.head['name']}"
    try:
        report.mode = classes.mode_of(made)
        classes.check(made)
    except Refused as error:
        report.refused.append(f"load: {error.text}")
    if made.session["trigger"]:
        report.notes.append(
            "triggered: shown are contractions of their greatest length, at least 1 s apart, for "
            f"{TRIGGERED_MS // 1000} s"
        )
        made = clocked(made)
        made.session["duration_ms"] = TRIGGERED_MS
    if channel is not None:
        only = channel - 1
        if made.channels[only] is None:
            made.channels[only] = made.channels[1 - only]
        made.channels[1 - only] = None
        made.session["pattern"] = 3
        report.notes.append(f"channel {channel} alone")
    _play(report, made, currents_ma, pads_cm2, seconds, person_ma)
    return report


def _play(
    report: Report, made: Program, currents_ma: Sequence[float | None],
    pads_cm2: Sequence[float], seconds: float | None, person_ma: float | None,
) -> None:
    channels, session = settings_of(made)
    try:
        for settings, pad_cm2 in zip(channels, pads_cm2, strict=True):
            settings.update({"pad_mm2": round(pad_cm2 * 100)})
        plan = make_plan(channels, session, timing())
    except Refused as error:
        report.refused.append(f"arm: {error.text}")
        return
    report.contractions = tuple(plan.contractions)
    person = () if person_ma is None else ((round(person_ma * 1000), "the person's ceiling"),)
    for i, settings in enumerate(channels):
        if not settings.enabled:
            continue
        most_ua, why = ceiling(settings, session, person)
        wanted = currents_ma[i]
        target_ma = most_ua / 1000 if wanted is None else wanted
        if target_ma * 1000 > most_ua:
            report.refused.append(
                f"channel {i + 1}: {target_ma:g} mA above {most_ua / 1000:g} mA ({why})"
            )
            target_ma = most_ua / 1000
        report.channels.append(
            Channel(i + 1, target_ma, most_ua / 1000, why, settings.pad_mm2 / 100)
        )
    _schedule(report, plan, channels, seconds)
    for figures in report.channels:
        _sum_up(figures)
        _against_limits(report, figures)


def _schedule(
    report: Report, plan: Plan, channels: Sequence[Settings], seconds: float | None
) -> None:
    """The real scheduler, writer and inspector, with the way up that SR-07 allows."""
    scheduler, writer, reader = Scheduler(), TapeWriter(), Reader()
    scheduler.load(plan)
    rules = rules_for(board, plan.timing, channels)
    inspector = Inspector(rules)
    halves = array("H", [0] * (2 * BLOCK_WORDS))
    per_ms = plan.turns_per_ms
    now_ua = {c.number: 0 for c in report.channels}
    raised = {c.number: -limit("step_ms") * per_ms for c in report.channels}
    while not writer.ended and (seconds is None or reader.turn < seconds * 1000 * per_ms):
        for c in report.channels:
            felt_ua = scheduler.highest(c.number - 1) * board.LEVEL_UA
            most_ua = min(round(c.target_ma * 1000), felt_ua + limit("unfelt_ua"))
            if now_ua[c.number] < most_ua and (
                reader.turn - raised[c.number] >= limit("step_ms") * per_ms
            ):
                now_ua[c.number] = min(most_ua, now_ua[c.number] + limit("step_ua"))
                raised[c.number] = reader.turn
            scheduler.level[c.number - 1] = levels(board.LEVEL_UA * 1000, now_ua[c.number])
        words = writer.block(halves, scheduler, BLOCK_MS * per_ms)
        reason = inspector.inspect(halves, words, writer.turns)
        if reason:
            at_s = reader.turn * TURN_S
            report.refused.append(f"inspector, at {at_s:.3f} s: {REASONS[reason]}")
            return
        reader.read(halves, words)
    report.played = True
    report.length_s = reader.turn * TURN_S
    for c in report.channels:
        i = c.number - 1
        c.pulses_seen = reader.pulses[i]
        c.reached_ma = scheduler.highest(i) * board.LEVEL_UA / 1000
        c.moved, most = scheduler.moved(i)
        c.moved_most_us = most * TURN_S * 1e6


def _sum_up(c: Channel) -> None:
    """Charge, energy, and what a sliding second holds, from the pulses as read from the tape."""
    second = round(1 / TURN_S)
    window: deque[tuple[int, int, int]] = deque()  # end, level x turns, level squared x turns
    linear = square = linear_most = square_most = 0
    total_square = net = charge = energy = 0
    for pulse in c.pulses_seen:
        turns = pulse.width + pulse.second
        end = pulse.start + pulse.width + pulse.gap + pulse.second
        one, two = pulse.level * turns, pulse.level**2 * turns
        window.append((end, one, two))
        linear += one
        square += two
        while window[0][0] <= end - second:
            _, old, old_square = window.popleft()
            linear -= old
            square -= old_square
        linear_most, square_most = max(linear_most, linear), max(square_most, square)
        charge = max(charge, pulse.level * max(pulse.width, pulse.second))
        energy = max(energy, two)
        total_square += two
        sign = -1 if pulse.minus_first else 1
        net += sign * pulse.level * (pulse.width - pulse.second)
    c.pulses = len(c.pulses_seen)
    c.charge_uc = charge * LEVEL_A * TURN_S * 1e6
    c.net_uc = net * LEVEL_A * TURN_S * 1e6
    c.mean_ma = linear_most * LEVEL_A * TURN_S * 1e3
    rms_a = (square_most * LEVEL_A**2 * TURN_S) ** 0.5
    c.rms_ma = rms_a * 1e3
    c.density_ma_cm2 = c.rms_ma / c.pad_cm2
    c.power_mw_cm2 = rms_a**2 * LOAD_OHM * 1e3 / c.pad_cm2
    c.energy_uj = energy * LEVEL_A**2 * TURN_S * LOAD_OHM * 1e6
    c.session_j = total_square * LEVEL_A**2 * TURN_S * LOAD_OHM


FIGURES: tuple[tuple[str, str, str, str | None, float], ...] = (
    # what, attribute, unit, limit, how many of the figure's units one of the limit's is
    ("current reached", "reached_ma", "mA", "peak_ua", 1e-3),
    ("charge a phase, most", "charge_uc", "uC", "charge_nc", 1e-3),
    ("net charge commanded", "net_uc", "uC", None, 0),
    ("r.m.s. in a second, most", "rms_ma", "mA", "rms_ua", 1e-3),
    ("mean absolute in a second, most", "mean_ma", "mA", "mean_ua", 1e-3),
    ("r.m.s. density on the pad, most", "density_ma_cm2", "mA/cm2", "density_ua_per_cm2", 1e-3),
    ("power on the pad, most", "power_mw_cm2", "mW/cm2", "power_mw_per_cm2", 1),
    ("energy of a pulse, most", "energy_uj", "uJ", "energy_uj", 1),
    ("energy of the session", "session_j", "J", None, 0),
    ("pulses", "pulses", "", None, 0),
    ("pulses moved by a collision", "moved", "", None, 0),
    ("furthest move", "moved_most_us", "us", None, 0),
)


def _against_limits(report: Report, c: Channel) -> None:
    for what, attribute, unit, name, scale in FIGURES:
        if name is None:
            continue
        value = getattr(c, attribute)
        most = limit(name) * scale
        if value > most * (1 + 1e-9):
            report.refused.append(
                f"channel {c.number}: {what} {value:.4g} {unit} above {most:.4g} {unit} ({name})"
            )


# -- what a person sees --------------------------------------------------------------------------


def show(report: Report, console) -> None:  # type: ignore[no-untyped-def]
    """Print a report to a rich Console."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    console.print(f"[bold]{report.name}[/]  {report.mode}")
    for note in report.notes:
        console.print(note)
    if report.played:
        counts = " and ".join(str(count) for count in report.contractions if count)
        console.print(f"{report.length_s:.1f} s, contractions {counts}, load {LOAD_OHM} ohm")
        table = Table(box=SIMPLE_HEAD, pad_edge=False)
        table.add_column("")
        for c in report.channels:
            table.add_column(f"channel {c.number}", justify="right")
        table.add_column("limit", justify="right")
        for what, attribute, unit, name, scale in FIGURES:
            values = [f"{getattr(c, attribute):.4g}" if isinstance(getattr(c, attribute), float)
                      else str(getattr(c, attribute)) for c in report.channels]
            most = f"{limit(name) * scale:g}" if name else ""
            table.add_row(f"{what} {unit}".strip(), *values, most)
        ceilings = [f"{c.ceiling_ma:g} ({c.ceiling_reason})" for c in report.channels]
        table.add_row("ceiling at these settings mA", *ceilings, "")
        table.add_row("pad cm2", *(f"{c.pad_cm2:g}" for c in report.channels), "")
        console.print(table)
    for reason in report.refused:
        console.print(f"refused: {reason}", style="red")
    if not report.refused:
        console.print("nothing would be refused")


def plot(report: Report, path: Path) -> None:
    """The session's currents, and the first pulses at full current, as a picture."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    from rheobase.plot import COLOURS, DPI, INK, WIDTH_IN

    figure, axes = pyplot.subplots(2, 1, figsize=(WIDTH_IN, 6), layout="constrained")
    figure.suptitle(f"{report.name} (dry run)", color=INK)
    for c in report.channels:
        sign = 1 if c.number == 1 else -1  # channel 2 downward, so that neither hides the other
        x = [pulse.start * TURN_S for pulse in c.pulses_seen]
        y = [sign * pulse.level * LEVEL_A * 1e3 for pulse in c.pulses_seen]
        label = f"channel {c.number}"
        axes[0].vlines(x, 0, y, color=COLOURS[c.number], linewidth=0.4, label=label)
    axes[0].set(xlabel="s", ylabel="mA (channel 2 downward)", title="current of every pulse")
    axes[0].legend(loc="upper right")
    _plot_detail(report, axes[1])
    figure.savefig(path, dpi=DPI)
    pyplot.close(figure)


def _plot_detail(report: Report, axes) -> None:  # type: ignore[no-untyped-def]
    from rheobase.plot import COLOURS

    begin: int | None = None
    for c in report.channels:
        highest = max((pulse.level for pulse in c.pulses_seen), default=0)
        full = [pulse for pulse in c.pulses_seen if pulse.level == highest]
        if not full:
            continue
        if begin is None:
            begin = full[len(full) // 2].start
        x = [0.0]
        y = [0.0]
        for pulse in c.pulses_seen:
            if not begin <= pulse.start < begin + 62_500 * 60:
                continue
            at = pulse.start
            x.append((at - begin) / 62_500)
            y.append(0.0)
            sign = -1 if pulse.minus_first else 1
            for turns, level in ((pulse.width, sign * pulse.level), (pulse.gap, 0),
                                 (pulse.second, -sign * pulse.level)):
                x += [(at - begin) / 62_500, (at + turns - begin) / 62_500]
                y += [level * LEVEL_A * 1e3] * 2
                at += turns
            x.append((at - begin) / 62_500)
            y.append(0.0)
        axes.plot(x, y, color=COLOURS[c.number], linewidth=0.9, label=f"channel {c.number}")
    axes.set(xlabel="ms", ylabel="mA", title="60 ms at the highest current")
