"""Plays every program of the library and measures it against its data: `make programs`.

    python -m rheobase.programs [--whole | --board | --triggered] [ID ...]

Rows of figures for each channel of a program. `whole`: the whole session, from the tape that
the real plan, scheduler and writer make, read by a reader of its own, at a plateau of 60 mA.
`board`: the same program with warm-up and cool-down of at most 10 s and two cycles (two blocks,
or 30 s of what is continuous), stored, loaded, armed and played by the real firmware on the
virtual board, measured from the edges and currents recorded at its electrodes, at 3 mA. A
triggered program is played there as one contraction of its greatest length; `triggered` is its
session on the board, of --minutes, from a synthetic trace of its trigger. Every interval, width
and gap is compared, not only those that the table shows; a figure that differs says what the
data has, and the command ends with 1.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from multiprocessing import Pool

import click
from rich.console import Console
from rich.table import Table

from rheobase.programs.library import IDS, program
from rheobase.programs.measure import Row, measure
from rheobase.programs.play import on_board, whole
from rheobase.programs.triggered import MINUTES, TRIGGERED, measured

FIGURES = (
    "rate Hz", "to Hz", "width us", "to us", "gap us", "up s", "on s", "down s", "off s",
    "pause s", "rest Hz", "warm Hz", "cool Hz", "opening ms", "start us", "count", "length",
    "pulses",
)  # fmt: skip
PLAYERS = {"whole": whole, "board": on_board}
Job = tuple[str, str, float]


def rows_of(name: str, player: str, minutes: float = MINUTES) -> list[Row]:
    """The measured rows of one program."""
    if player == "triggered":
        return measured(program(name), minutes)
    return measure(PLAYERS[player](program(name)))


def _tried(job: Job) -> list[Row] | str:
    try:
        return rows_of(*job)
    except ValueError as error:
        return str(error)


@click.command(help=__doc__)
@click.argument("names", nargs=-1)
@click.option("--whole", "players", flag_value="whole", help="Only the whole sessions.")
@click.option("--board", "players", flag_value="board", help="Only the virtual board.")
@click.option("--triggered", "players", flag_value="triggered", help="Only by their triggers.")
@click.option("--minutes", default=MINUTES, show_default=True,
              help="Longest session by a trigger; 60 plays all of them whole.")
@click.option("--workers", default=min(4, os.cpu_count() or 1), show_default=True)
def main(names: tuple[str, ...], players: str | None, minutes: float, workers: int) -> None:
    unknown = [name for name in names if name not in IDS]
    if unknown:
        raise click.UsageError(f"no program {', '.join(unknown)}")
    console = Console(width=190)
    chosen = [players] if players else [*PLAYERS, "triggered"]
    sys.exit(run(names or IDS, chosen, console, minutes, workers))


def run(
    names: Iterable[str], players: list[str], console: Console, minutes: float = MINUTES,
    workers: int = 1,
) -> int:  # fmt: skip
    """Print the table; 1 if anything differs from the data."""
    jobs = [
        (name, player, minutes)
        for name in names
        for player in players
        if player != "triggered" or name in TRIGGERED
    ]
    if workers > 1:
        with Pool(workers) as pool:
            return _shown(jobs, pool.imap(_tried, jobs), console)
    return _shown(jobs, map(_tried, jobs), console)


def _shown(jobs: list[Job], found: Iterable[list[Row] | str], console: Console) -> int:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in ("id", "played", "ch", *FIGURES):
        table.add_column(head, justify="left" if head in ("id", "played") else "right")
    wrong = []
    for (name, player, _), rows in zip(jobs, found, strict=True):
        if isinstance(rows, str):
            wrong.append(f"{name} ({player}): {rows}")
            continue
        for row in rows:
            cells = [row.cells.get(figure, "") for figure in FIGURES]
            table.add_row(name, player, str(row.channel), *cells)
            wrong += [f"{name} ({player}): {text}" for text in row.wrong]
    console.print(table)
    for text in wrong:
        console.print(text, style="red")
    console.print(f"{len(wrong)} differences from the data")
    return 1 if wrong else 0


if __name__ == "__main__":
    main()
