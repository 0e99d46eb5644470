"""Expected against recorded, as a table to read and as a list of every edge."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TextIO

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from rheobase.demo.check import (
    DELIVERED_OFF_MOST_PERCENT,
    IMBALANCE_MOST_PERCENT,
    LATENCY_MOST_MS,
    ChannelFindings,
    Findings,
)
from rheobase.expected import Board

Row = tuple[str, str, str]


def summary(findings: Findings) -> RenderableType:
    """The table, and what is wrong under it."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    table.add_column("expected", justify="right")
    table.add_column("recorded", justify="right")
    for channel in findings.channels:
        table.add_row(f"[bold]channel {channel.channel}[/]", "", "")
        for row in _channel_rows(channel, findings.clock_hz):
            table.add_row(*row)
        table.add_section()
    table.add_row("[bold]both[/]", "", "")
    for row in _board_rows(findings):
        table.add_row(*row)
    if findings.problems:
        verdict = "\n".join(["Not as expected:", *(f"  {p}" for p in findings.problems)])
        return Group(table, Text(verdict, style="bold red"))
    return Group(table, Text("Every edge is where it belongs.", style="bold green"))


def write_edges(findings: Findings, file: TextIO) -> None:
    """The table, then every pulse with its four edges in clocks since the session's start."""
    Console(file=file, width=100, color_system=None).print(summary(findings))
    file.write(
        f"Edges in clocks of {1e9 / findings.clock_hz:g} ns since the start of the session: rise "
        "and fall of phase 1, rise and fall of phase 2.\n"
        "off: recorded less expected, of the four.\n\n"
    )
    file.write(f"{'ch':>2} {'pulse':>6} {'leg':>3} {'expected':>47} {'recorded':>47}  off\n")
    for channel in findings.channels:
        for number, (want, got) in enumerate(
            zip(channel.expected, channel.recorded, strict=False)
        ):
            due = _four(want.start, want.width, want.gap, want.width)
            are = _four(got.start - findings.origin, got.width_1, got.gap, got.width_2)
            off = " ".join(str(b - a) for a, b in zip(due, are, strict=True))
            leg = "+" if got.first > 0 else "-"
            file.write(
                f"{channel.channel:>2} {number:>6} {leg:>3} {_edges(due)} {_edges(are)}  {off}\n"
            )


def _channel_rows(channel: ChannelFindings, hz: int) -> Iterator[Row]:
    want, got = channel.expected, channel.recorded
    ms = hz / 1000
    yield "pulses", str(len(want)), str(len(got))
    yield "phase 1", _us((p.width for p in want), hz), _us((p.width_1 for p in got), hz)
    yield "interphase gap", _us((p.gap for p in want), hz), _us((p.gap for p in got), hz)
    yield "phase 2", _us((p.width for p in want), hz), _us((p.width_2 for p in got), hz)
    due, are = [p.start for p in want], [p.start for p in got]
    inside = [(i - 1, i) for i, p in enumerate(want) if p.place]
    if inside:
        yield "interval in a group", _us(_apart(due, inside), hz), _us(_apart(are, inside), hz)
    ticks = [i for i, p in enumerate(want) if not p.place]
    periods = _within_trains(due, list(zip(ticks, ticks[1:], strict=False)))
    yield "period", _us(_apart(due, periods), hz), _us(_apart(are, periods), hz)
    if want and got:
        origin = got[0].start - want[0].start
        yield "first pulse", _s(due[0], hz), _s(are[0] - origin, hz)
        yield "last pulse", _s(due[-1], hz), _s(are[-1] - origin, hz)
    moved = [p.moved for p in want if p.moved]
    if moved:
        yield f"moved by ≤ {max(moved) / hz * 1e6:.3f} µs", str(len(moved)), "as expected"
    yield "worst edge off by", "0 clocks", f"{channel.worst_clocks} clocks"
    yield (
        "worst charge imbalance",
        f"at most {IMBALANCE_MOST_PERCENT} %",
        f"{channel.worst_imbalance_percent:.5f} % ({channel.worst_net_c * 1e9:.4f} nC)",
    )
    yield (
        "delivered current off by",
        f"at most {DELIVERED_OFF_MOST_PERCENT} %",
        f"{channel.worst_delivered_percent:.5f} %",
    )
    yield (
        "new intensity acts in",
        f"at most {LATENCY_MOST_MS:g} ms",
        f"{channel.latency_clocks / ms:.1f} ms",
    )
    yield "highest current", "", f"{channel.most_ma:.2f} mA"


def _board_rows(findings: Findings) -> Iterator[Row]:
    board, hz = Board(), findings.clock_hz
    yield "two legs together", "never", _times(findings.legs_together)
    for what, least, clocks in (
        ("dead time", 2 * board.least_turns(board.dead_us), findings.dead_clocks),
        ("channels apart by", 2 * board.separation, findings.separation_clocks),
        ("GATE ahead by", 2 * board.least_turns(board.gate_lead_us), findings.lead_clocks),
    ):
        shown = "none" if clocks is None else f"{clocks / hz * 1e6:.3f} µs"
        yield what, f"at least {least / hz * 1e6:.3f} µs", shown


def _apart(starts: Sequence[int], pairs: Sequence[tuple[int, int]]) -> list[int]:
    return [starts[b] - starts[a] for a, b in pairs if b < len(starts)]


def _within_trains(
    starts: Sequence[int], pairs: Sequence[tuple[int, int]]
) -> list[tuple[int, int]]:
    """Pairs of groups without a rest between them."""
    least = min(_apart(starts, pairs), default=0)
    return [(a, b) for a, b in pairs if starts[b] - starts[a] < 1.5 * least]


def _us(clocks: Iterable[int], hz: int) -> str:
    values = sorted(set(clocks))
    if not values:
        return "none"
    shown = [f"{value / hz * 1e6:.3f}" for value in (values[0], values[-1])]
    return f"{shown[0]} µs" if shown[0] == shown[1] else f"{shown[0]} to {shown[1]} µs"


def _s(clocks: int, hz: int) -> str:
    return f"{clocks / hz:.9f} s"


def _times(count: int) -> str:
    return f"{count} times" if count else "never"


def _four(start: int, width_1: int, gap: int, width_2: int) -> list[int]:
    second = start + width_1 + gap
    return [start, start + width_1, second, second + width_2]


def _edges(clocks: Sequence[int]) -> str:
    return " ".join(f"{clock:>11}" for clock in clocks)
