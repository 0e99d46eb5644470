"""`rheobase bench`: every promise, with a dummy load."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.console import Console

from rheobase.cli.connection import clear_errors


@click.command()
@click.option("--port", "-p", envvar="RHEOBASE_PORT", help="A board's port, or sim, or emulator.")
@click.option("--load-ohm", default=500.0, show_default=True, help="Dummy load on each channel.")
@click.option("--only", multiple=True, help="Only this step (several times for several).")
@click.option("--out", "-o", type=click.Path(path_type=Path), default=Path("build/bench"))
@click.option("--image", envvar="RHEOBASE_PICO_IMAGE", help="With --port emulator.")
@click.option("--bootrom", envvar="RHEOBASE_PICO_BOOTROM", help="With --port emulator.")
def bench(
    port: str | None,
    load_ohm: float,
    only: tuple[str, ...],
    out: Path,
    image: str | None,
    bootrom: str | None,
) -> None:
    """Try every promise with a dummy load and an oscilloscope.

    Only ever with a dummy load. With --port sim or emulator the virtual bench reads itself.
    """
    from rheobase.bench_test import command, places

    console = Console()
    with clear_errors(ValueError):
        todo = command.chosen(load_ohm, only)
        if port == command.SIM:
            place = places.on_the_virtual_board(console, load_ohm)
        elif port == command.EMULATOR:
            if not image or not bootrom:
                raise click.UsageError("--image and --bootrom, or RHEOBASE_PICO_IMAGE, _BOOTROM")
            place = places.on_the_emulated_pico(image, bootrom, console, load_ohm)
        elif port:
            console.print("[bold]Only with a dummy load. Never connect a person.[/]")
            place = places.at_a_board(port, console, todo)
        else:
            raise click.UsageError("--port: a board's port, or sim, or emulator")
        sys.exit(command.run(place, todo, console, out, port=port, ohm=load_ohm))
