"""`rheobase flash`: MicroPython and the firmware onto a board."""

from __future__ import annotations

from pathlib import Path

import click

from rheobase.cli.connection import clear_errors, port_option


@click.command()
@port_option
@click.option("--board", default="pico", show_default=True, help="pico, pico2 or esp32.")
@click.option(
    "--image",
    type=click.Path(path_type=Path),
    help="MicroPython as downloaded (.uf2, ESP32: .bin), if it is missing or old on the board.",
)
@click.option("--image-only", is_flag=True, help="MicroPython alone, without our firmware.")
@click.option("--source", is_flag=True, help="Copy the sources, not compiled files.")
def flash(
    port: str | None, board: str, image: Path | None, image_only: bool, source: bool
) -> None:
    """Put MicroPython and the firmware on a board.

    MicroPython if it is missing or old, then the files that changed.
    """
    from rheobase.client.find import candidates
    from rheobase.deploy.boards import board_named
    from rheobase.deploy.install import deploy

    with clear_errors(ValueError):
        chosen = board_named(board)
        names = candidates() if port is None else [port]
        if len(names) > 1:
            raise click.UsageError(f"--port: there are {', '.join(names)}")
        deploy(
            chosen,
            names[0] if names else None,
            click.echo,
            image=image,
            image_only=image_only,
            compiled=not source,
        )
