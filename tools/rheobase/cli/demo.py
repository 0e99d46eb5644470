"""`rheobase demo`."""

from __future__ import annotations

import sys

import click


@click.command(context_settings={"ignore_unknown_options": True}, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def demo(arguments: tuple[str, ...]) -> None:
    """A recorded session: picture, VCD, CSV, table of edges."""
    from rheobase.demo.run import main as play_demo

    sys.exit(play_demo(arguments))
