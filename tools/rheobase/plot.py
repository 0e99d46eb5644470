"""Pictures of recorded sessions. matplotlib is imported only when one is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rheobase.recording import Pulse

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's palette: told apart by colour-blind people, and in grey by their lightness.
COLOURS = {1: "#0072B2", 2: "#D55E00"}
INK = "#222222"
QUIET = "#6b6b6b"
WIDTH_IN, DPI = 12.0, 150
_LINE_PT = 1.3  # pulses of 35 Hz over 20 s just touch, so that no pattern appears between them


class Step(NamedTuple):
    """From `time_s` on the plateau is `current_ma`."""

    time_s: float
    current_ma: float


@dataclass
class Shown:
    """What a picture shows. Times of pulses in clocks, of all else in seconds after `origin`."""

    title: str
    subtitle: str
    pulses: Sequence[Pulse]
    origin: int
    clock_hz: int
    length_s: float
    plateau: dict[int, list[Step]] = field(default_factory=dict)
    """The intensity that the host had set, by channel."""
    waveform: dict[int, list[tuple[float, float]]] = field(default_factory=dict)
    """(us after the pulse's start, mA) through one pulse, by channel."""
    detail: dict[int, Pulse] = field(default_factory=dict)
    """The pulse that `waveform` shows."""
    ramp: tuple[int, float, float] | None = None
    """Channel, begin and end of the ramp that is shown in detail."""
    names: dict[int, str] = field(default_factory=dict)
    """What each channel plays, for its title."""
    ramp_wanted: list[tuple[float, float]] = field(default_factory=list)
    """(s, mA): what the settings ask for along that ramp."""

    def seconds(self, clock: float) -> float:
        return (clock - self.origin) / self.clock_hz

    def window_us(self) -> tuple[float, float]:
        """One time scale for all pulses, so that their widths compare."""
        traces = [self.waveform[number] for number in self.detail]
        return min(t[0][0] for t in traces), max(t[-1][0] for t in traces)

    @property
    def channels(self) -> list[int]:
        return sorted({pulse.channel for pulse in self.pulses})


def draw(shown: Shown, path: Path) -> None:
    """Write the picture: envelope of each channel, a ramp, and a pulse of each with its charge."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    with plt.rc_context(_style()):
        figure = _figure(shown, plt)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=DPI)
        plt.close(figure)


def _style() -> Any:
    return {
        "font.family": "DejaVu Sans",
        "font.size": 10,
        "axes.edgecolor": QUIET,
        "axes.labelcolor": INK,
        "axes.titlesize": 10.5,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": "#e4e4e4",
        "grid.linewidth": 0.7,
        "xtick.color": QUIET,
        "ytick.color": QUIET,
        "xtick.labelcolor": INK,
        "ytick.labelcolor": INK,
        "text.color": INK,
        "figure.facecolor": "white",
        "savefig.facecolor": "white",
    }


def _figure(shown: Shown, plt: Any) -> Figure:
    channels = shown.channels
    details = [number for number in channels if number in shown.detail]
    heights = [1.15] * len(channels)
    if shown.ramp:
        heights.append(1.25)
    if details:
        heights.append(1.9)
    height_in = 1.2 + 1.95 * sum(heights)
    figure = plt.figure(figsize=(WIDTH_IN, height_in), layout="constrained")
    figure.get_layout_engine().set(h_pad=0.09, w_pad=0.09, hspace=0.02)
    figure.suptitle(
        f"{shown.title}\n", x=0.012, ha="left", fontsize=15, fontweight="bold", color=INK
    )
    rows = figure.add_gridspec(len(heights), 1, height_ratios=heights)
    top = None
    for row, number in enumerate(channels):
        axes = figure.add_subplot(rows[row], sharex=top)
        top = top or axes
        _envelope(axes, shown, number)
        if number != channels[-1]:
            axes.tick_params(labelbottom=False)
        else:
            axes.set_xlabel("time since the start of the session (s)")
    row = len(channels)
    if shown.ramp:
        _ramp(figure.add_subplot(rows[row]), shown, *shown.ramp)
        row += 1
    if details:
        beside = rows[row].subgridspec(1, len(details))
        top_ma = max(abs(shown.detail[number].delivered_1_a) for number in details) * 1e3
        for place, number in enumerate(details):
            axes = figure.add_subplot(beside[place])
            _pulse(axes, shown, number, top_ma)
    below_title = 1 - 0.36 / height_in
    figure.text(0.012, below_title, shown.subtitle, fontsize=10, color=QUIET, va="top")
    return figure


def _envelope(axes: Axes, shown: Shown, number: int) -> None:
    """Each pulse as a line from its positive to its negative phase's current."""
    pulses = [pulse for pulse in shown.pulses if pulse.channel == number]
    times = [shown.seconds(pulse.start) for pulse in pulses]
    highs = [max(pulse.delivered_1_a, pulse.delivered_2_a, 0.0) * 1e3 for pulse in pulses]
    lows = [min(pulse.delivered_1_a, pulse.delivered_2_a, 0.0) * 1e3 for pulse in pulses]
    axes.vlines(times, lows, highs, color=COLOURS[number], linewidth=_LINE_PT)
    steps = shown.plateau.get(number)
    if steps:
        xs = [0.0, *(step.time_s for step in steps), shown.length_s]
        ys = [0.0, *(step.current_ma for step in steps), steps[-1].current_ma]
        axes.step(xs, ys, where="post", color=INK, linewidth=1.1, linestyle=(0, (3, 1.5)),
                  label="intensity set by the host")  # fmt: skip
    top = max([1.0, *highs, *(step.current_ma for step in steps or ())])
    axes.set_ylim(-1.15 * top, 1.3 * top)
    axes.set_xlim(0, shown.length_s)
    axes.axhline(0, color=QUIET, linewidth=0.6)
    axes.set_ylabel("current (mA)")
    name = shown.names.get(number, "every pulse of the session")
    axes.set_title(f"Channel {number}: {name}", color=COLOURS[number])
    axes.annotate(
        f"{len(pulses)} pulses", (1, 1.02), xycoords="axes fraction", ha="right", va="bottom",
        color=QUIET,
    )  # fmt: skip
    if steps:
        axes.legend(loc="upper right", frameon=False, fontsize=9, borderaxespad=0.2)


def _ramp(axes: Axes, shown: Shown, number: int, begin: float, end: float) -> None:
    """Both phases of every pulse, and how far each group is from zero."""
    pulses = [
        pulse
        for pulse in shown.pulses
        if pulse.channel == number and begin <= shown.seconds(pulse.start) <= end
    ]
    times = [shown.seconds(pulse.start) for pulse in pulses]
    colour = COLOURS[number]
    for part, label in ((0, "phase 1"), (1, "phase 2")):
        values = [(p.delivered_1_a, p.delivered_2_a)[part] * 1e3 for p in pulses]
        axes.vlines(times, 0, values, color=colour, linewidth=1.3, alpha=1 if not part else 0.45)
        axes.plot(
            times, values, linestyle="none", marker="o^"[part], markersize=3.4, color=colour,
            markerfacecolor=colour if not part else "white", label=label,
        )  # fmt: skip
    axes.axhline(0, color=QUIET, linewidth=0.6)
    margin = 0.02 * (end - begin)
    axes.set_xlim(begin - margin, end + margin)
    top = max([1.0, *(abs(p.delivered_1_a) * 1e3 for p in pulses)])
    axes.set_ylim(-1.2 * top, 1.2 * top)
    if shown.ramp_wanted:
        xs, ys = zip(*shown.ramp_wanted, strict=True)
        axes.plot(xs, ys, color=INK, linewidth=1.0, linestyle=(0, (3, 1.5)), label="expected",
                  zorder=1.5)  # fmt: skip
    axes.set_xlabel("time since the start of the session (s)")
    axes.set_ylabel("current (mA)")
    axes.set_title(f"Channel {number}: one ramp, pulse by pulse", color=colour)
    axes.legend(loc="upper left", frameon=False, fontsize=9, ncols=3)


def _pulse(axes: Axes, shown: Shown, number: int, top: float) -> None:
    """The current at the electrode through one pulse; the area under it is the charge."""
    pulse = shown.detail[number]
    colour = COLOURS[number]
    us = 1e6 / shown.clock_hz
    points = shown.waveform[number]
    times, currents = [p[0] for p in points], [p[1] for p in points]
    axes.fill_between(times, currents, color=colour, alpha=0.22, linewidth=0)
    axes.plot(times, currents, color=colour, linewidth=1.6)
    axes.axhline(0, color=QUIET, linewidth=0.6)
    one, gap, two = pulse.width_1 * us, pulse.gap * us, pulse.width_2 * us
    for begin, width, amps, charge in (
        (0.0, one, pulse.delivered_1_a, pulse.charge_1_c),
        (one + gap, two, pulse.delivered_2_a, pulse.charge_2_c),
    ):
        text = _signed(f"{charge * 1e6:+.3f} µC\n{amps * 1e3:+.2f} mA")
        axes.text(
            begin + width / 2, amps * 1e3 / 2, text,
            ha="center", va="center", fontsize=10, color=INK,
        )  # fmt: skip
    begin = 0.0
    for width, name in ((one, "phase 1"), (gap, "gap"), (two, "phase 2")):
        _measure(axes, begin, begin + width, 1.22 * top, f"{name}\n{width:g} µs")
        begin += width
    if any(current for time, current in points if time > begin):
        left = times[-1] - begin
        axes.annotate(
            "passive\ndischarge", (begin + 0.35 * left, 0.06 * top),
            (begin + 0.5 * left, 0.62 * top), ha="center", fontsize=8.5, color=QUIET,
            arrowprops={"arrowstyle": "-", "color": QUIET, "linewidth": 0.7},
        )  # fmt: skip
    axes.set_ylim(-1.25 * top, 1.75 * top)
    axes.set_xlim(*shown.window_us())
    axes.set_xlabel("time since the pulse's start (µs)")
    axes.set_ylabel("current at the electrode (mA)")
    axes.set_title(
        f"Channel {number}: one pulse, at {shown.seconds(pulse.start):.3f} s", color=colour
    )
    axes.annotate(
        _signed(f"net charge {pulse.net_c * 1e9:+.3f} nC")
        if abs(pulse.net_c) >= 1e-12
        else "net charge below 0.001 nC",
        (1, 1.02), xycoords="axes fraction", ha="right", va="bottom", color=QUIET,
    )  # fmt: skip


def _measure(axes: Axes, begin: float, end: float, height: float, text: str) -> None:
    """A dimension line with its text above."""
    axes.annotate(
        "", (begin, height), (end, height),
        arrowprops={"arrowstyle": "|-|", "color": QUIET, "mutation_scale": 2.5, "shrinkA": 0,
                    "shrinkB": 0, "linewidth": 0.8},
    )  # fmt: skip
    axes.text(
        (begin + end) / 2, height * 1.04, text, ha="center", va="bottom", fontsize=8.5, color=QUIET
    )


def _signed(text: str) -> str:
    """With the minus sign that matches the axes'."""
    return text.replace("-", "\u2212")
