"""Plays every program of the library and measures it against its data: `make programs`.

    python -m rheobase.programs [--whole | --board] [ID ...]

Two rows of figures for each channel of a program. `whole`: the whole session, from the tape that
the real plan, scheduler and writer make, read by a reader of its own, at a plateau of 60 mA.
`board`: the same program with warm-up and cool-down of at most 10 s and two cycles (two blocks,
or 30 s of what is continuous), stored, loaded, armed and played by the real firmware on the
virtual board, measured from the edges and currents recorded at its electrodes, at 3 mA. A
triggered program is played as one contraction of its greatest length. Every interval, width and
gap is compared, not only those that the table shows; a figure that differs says what the data
has, and the command ends with 1.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

import click
from rich.console import Console
from rich.table import Table

from rheobase.programs.library import IDS, program
from rheobase.programs.measure import Row, measure
from rheobase.programs.play import on_board, whole

FIGURES = (
    "rate Hz", "to Hz", "width us", "to us", "gap us", "up s", "on s", "down s", "off s",
    "pause s", "rest Hz", "warm Hz", "cool Hz", "opening ms", "count", "length", "pulses",
)
PLAYERS = {"whole": whole, "board": on_board}


def rows_of(name: str, player: str) -> list[Row]:
    """The measured rows of one program."""
    return measure(PLAYERS[player](program(name)))


@click.command(help=__doc__)
@click.argument("names", nargs=-1)
@click.option("--whole", "players", flag_value="whole", help="Only the whole sessions.")
@click.option("--board", "players", flag_value="board", help="Only the virtual board.")
def main(names: tuple[str, ...], players: str | None) -> None:
    unknown = [name for name in names if name not in IDS]
    if unknown:
        raise click.UsageError(f"no program {', '.join(unknown)}")
    sys.exit(run(names or IDS, [players] if players else list(PLAYERS), Console(width=190)))


def run(names: Iterable[str], players: list[str], console: Console) -> int:
    """Print the table; 1 if anything differs from the data."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in ("id", "played", "ch", *FIGURES):
        table.add_column(head, justify="left" if head in ("id", "played") else "right")
    wrong = []
    for name in names:
        for player in players:
            try:
                rows = rows_of(name, player)
            except ValueError as error:
                wrong.append(f"{name} ({player}): {error}")
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
