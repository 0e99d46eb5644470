"""`rheobase scope`: look at a recording."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from rheobase.cli.connection import clear_errors
from rheobase.cli.usage import one_for_each


@click.command()
@click.argument("recording", required=False, type=click.Path(exists=True, path_type=Path))
@click.option("--port", "-p", help="sim: play a program on the virtual board and look at that.")
@click.option("--program", multiple=True, default=("N01",), help="With --port sim; default N01.")
@click.option("--current", "currents_ma", type=float, multiple=True, default=(5.0,), help="mA.")
@click.option("--seconds", type=float, default=6.0, help="With --port sim: how long to play.")
@click.option("--out", "-o", type=click.Path(path_type=Path), help="The picture; default a table.")
def scope(
    recording: Path | None,
    port: str | None,
    program: tuple[str, ...],
    currents_ma: tuple[float, ...],
    seconds: float,
    out: Path | None,
) -> None:
    """Look at a recording, as a table or a picture.

    At RECORDING (pulses.csv or .vcd), or at a program on the virtual board. Prints a line for
    every train of pulses; with --out also draws them.
    """
    from rheobase import plot
    from rheobase import scope as looking

    if (recording is None) == (port is None):
        raise click.UsageError("a RECORDING, or --port sim")
    with clear_errors(ValueError):
        if recording is not None:
            found = looking.read(recording)
            title = str(recording)
        elif port == "sim":
            one_for_each(program, currents_ma, "--current")
            found = looking.play(program, currents_ma, seconds)
            title = f"{' and '.join(program)} on the virtual board"
        else:
            raise click.UsageError("only the virtual board records itself: --port sim")
        Console().print(looking.table(found))
        if out is not None:
            plot.draw(looking.shown(found, title), out)
            click.echo(f"written: {out}")
