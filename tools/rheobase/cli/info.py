"""`rheobase info`: who is there, and how it is set."""

from __future__ import annotations

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from rheobase.cli.connection import looked_at, port_option
from rheobase.client import Stimulator


@click.command()
@port_option
def info(port: str | None) -> None:
    """Identity, state, settings and errors; stops nothing.

    Reading the errors empties their queue.
    """
    with looked_at(port) as stimulator:
        _show(Console(), stimulator)


def _show(console: Console, stimulator: Stimulator) -> None:
    identity = stimulator.identity
    console.print(f"[bold]{identity.maker} {identity.model}[/], version {identity.version}")
    console.print(f"port      {stimulator.name}")
    console.print(f"state     {stimulator.state}")
    fault = stimulator.fault
    if fault:
        console.print(f"fault     {fault.number}: {fault.text}")
    console.print(f"supply    {stimulator.supply_v:g} V")
    console.print(f"programs  {', '.join(stimulator.programs)}")
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in ("", "channel 1", "channel 2"):
        table.add_column(name)
    one, two = stimulator.channel(1), stimulator.channel(2)
    first, second = one.read(), two.read()
    table.add_row("current_ma", f"{one.current_ma:g}", f"{two.current_ma:g}")
    for name in first:
        table.add_row(name, _shown(first[name]), _shown(second[name]))
    console.print(table)
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    table.add_column("session")
    for name, value in stimulator.session.read().items():
        table.add_row(name, _shown(value))
    console.print(table)
    errors = stimulator.errors
    console.print("errors    " + ("; ".join(f"{code}: {text}" for code, text in errors) or "none"))


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
