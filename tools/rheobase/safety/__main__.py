"""python -m rheobase.safety: the fault matrix as a table; ends non-zero if a bound is broken."""

from __future__ import annotations

import sys
from multiprocessing import Pool

import click
from rich.console import Console
from rich.table import Table

from rheobase.safety.faults import FAULTS, LAYERS, Fault
from rheobase.safety.matrix import Row, states_of, try_out
from rheobase.safety.trial import STATES

_ALL = {fault.name: fault for fault in (*FAULTS, *LAYERS)}


def _try(job: tuple[str, str]) -> tuple[str, str, float | None, float | None, str]:
    name, state = job
    try:
        row = try_out(_ALL[name], state)
    except TimeoutError as late:
        return name, state, None, None, str(late)
    return name, state, row.measured.legs_ms, row.measured.charge_ms, row.wrong


def _cell(fault: Fault, state: str, found: tuple[float | None, float | None, str] | None) -> str:
    if found is None:
        return ""
    legs_ms, charge_ms, wrong = found
    if wrong:
        return f"[red]{wrong}[/red]"
    if state not in fault.ends:
        return "goes on" if legs_ms is not None else "low"
    text = "low" if legs_ms is None else _time(legs_ms)
    if fault.charge_ms is not None and charge_ms is not None:
        text += f" / {_time(charge_ms)}"
    return text


def _time(ms: float) -> str:
    return f"{ms * 125_000:.0f} clk" if ms < 0.001 else f"{ms:.3g} ms"


@click.command()
@click.option("--only", default="", help="Only faults whose name has this in it.")
@click.option("--state", "states", multiple=True, type=click.Choice(STATES))
@click.option("--workers", default=2, show_default=True)
def main(only: str, states: tuple[str, ...], workers: int) -> None:
    """Try every fault in every state and print the time to legs low (and to no charge)."""
    shown = states or STATES
    chosen = [fault for fault in _ALL.values() if only in fault.name]
    jobs = [(f.name, state) for f in chosen for state in states_of(f) if state in shown]
    with Pool(workers) as pool:
        found = {(n, s): (legs, charge, wrong) for n, s, legs, charge, wrong in
                 pool.imap_unordered(_try, jobs)}
    table = Table(title=f"{len(chosen)} faults, {len(jobs)} trials", show_lines=False)
    for column in ("fault", "layer", "bound", *shown):
        table.add_column(column)
    for fault in chosen:
        bound = "goes on" if fault.rides else _time(fault.bound_ms)
        if fault.charge_ms is not None:
            bound += f" / {_time(fault.charge_ms)}"
        cells = [_cell(fault, state, found.get((fault.name, state))) for state in shown]
        table.add_row(fault.name, fault.layer, bound, *cells)
    Console(width=220).print(table)
    wrong = [key for key, value in found.items() if value[2]]
    click.echo(f"{len(jobs)} trials, {len(wrong)} over their bound")
    sys.exit(1 if wrong else 0)


__all__ = ["Row", "main"]

if __name__ == "__main__":
    main()
