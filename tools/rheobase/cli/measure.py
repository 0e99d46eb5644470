"""`rheobase measure`: what flows, as the board measures it at the electrodes."""

from __future__ import annotations

import io
from contextlib import suppress
from typing import TextIO

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.live import Live
from rich.table import Table

from rheobase.cli.connection import looked_at, port_option
from rheobase.client import Measured, Progress
from rheobase.records.measured import MeasuredTable


@click.command()
@click.option("--watch", "-w", is_flag=True, help="Again and again, until Ctrl-C.")
@click.option("--every", "every_s", default=1.0, show_default=True, help="s; with --watch.")
@click.option("--seconds", type=float, help="With --watch: end after so many.")
@click.option("--csv", "file", type=click.File("w"), help="Also into this file; - for the screen.")
@port_option
def measure(
    watch: bool, every_s: float, seconds: float | None, file: TextIO | None, port: str | None
) -> None:
    """Measured current, charge and impedance. Stops nothing.

    first, second: the phases of the last pulse. net: charge that was not taken back, positive
    from plus to minus. r.m.s., mean and d.c. are of the last second. While it watches, the board
    takes it for its host.
    """
    on_screen = file is not None and file.name == "<stdout>"
    with looked_at(port) as stimulator, suppress(KeyboardInterrupt):
        table = MeasuredTable(file or io.StringIO(), stimulator)
        clock = stimulator.clock
        end_s = clock.monotonic() + (seconds if seconds is not None else float("inf"))
        progress = stimulator.progress
        found = table.look(progress)
        console = Console(quiet=on_screen)
        if not watch:
            console.print(_shown(progress, found))
            return
        with Live(_shown(progress, found), console=console, auto_refresh=False) as live:
            while clock.monotonic() + every_s <= end_s:
                clock.sleep(every_s)
                progress = stimulator.progress
                live.update(_shown(progress, table.look(progress)), refresh=True)


def _shown(progress: Progress, found: dict[int, Measured]) -> Table:
    table = Table(
        box=SIMPLE_HEAD,
        pad_edge=False,
        title=f"{progress.state}, {progress.elapsed_s:.1f} s",
        title_justify="left",
    )
    table.add_column("")
    for number in found:
        table.add_column(f"channel {number}", justify="right")
    rows = (
        ("set", "mA", [progress.current_ma[number - 1] for number in found]),
        ("first phase", "mA", [one.current_ma[0] for one in found.values()]),
        ("second phase", "mA", [one.current_ma[1] for one in found.values()]),
        ("first phase", "uC", [one.charge_uc[0] for one in found.values()]),
        ("second phase", "uC", [one.charge_uc[1] for one in found.values()]),
        ("net, last pulse", "uC", [one.net_pulse_uc for one in found.values()]),
        ("net, last second", "uC", [one.net_second_uc for one in found.values()]),
        ("net, session", "uC", [one.net_session_uc for one in found.values()]),
        ("which may be off by", "uC", [one.unsure_uc for one in found.values()]),
        ("r.m.s.", "mA", [one.rms_ma for one in found.values()]),
        ("mean", "mA", [one.mean_ma for one in found.values()]),
        ("d.c.", "uA", [one.dc_ua for one in found.values()]),
        ("impedance", "ohm", [one.impedance_ohm for one in found.values()]),
        ("charge, session", "mC", [one.charge_session_uc / 1e3 for one in found.values()]),
        ("pulses", "", [float(one.pulses) for one in found.values()]),
    )
    for name, unit, values in rows:
        shown = [f"{value:.0f}" if unit in ("", "ohm") else f"{value:.3f}" for value in values]
        table.add_row(f"{name}, {unit}" if unit else name, *shown)
    return table
