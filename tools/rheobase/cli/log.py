"""`rheobase log`: the board's fault log and black box."""

from __future__ import annotations

import csv
import json
import sys
from typing import Any

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from rheobase.cli.config import key_option
from rheobase.cli.connection import clear_errors, looked_at, port_option
from rheobase.client import Box, LogRecord, Stimulator, StimulatorError

_NO_BOX = -224


@click.command()
@click.argument("number", type=int, required=False)
@click.option("--as", "form", type=click.Choice(("table", "csv", "json")), default="table")
@click.option("--clear", is_flag=True, help="Empty it; needs the clinician's key.")
@key_option
@port_option
def log(number: int | None, form: str, clear: bool, key: str | None, port: str | None) -> None:
    """The fault log and the black box.

    All records, newest first; with NUMBER that one and its black box. Only with the output off.
    """
    with clear_errors(ValueError), looked_at(port) as stimulator:
        if clear:
            with stimulator.configuration.unlocked(key):
                stimulator.log.clear()
            click.echo("the log is empty")
        elif number is None:
            _list(stimulator, form)
        else:
            _one(stimulator, number, form)


def _list(stimulator: Stimulator, form: str) -> None:
    records = list(stimulator.log)
    if form == "json":
        click.echo(json.dumps([_plain(one) for one in records], indent=1))
        return
    if form == "csv":
        rows = [_flat(one) for one in records]
        writer = csv.DictWriter(sys.stdout, list(rows[0]) if rows else ["number"])
        writer.writeheader()
        writer.writerows(rows)
        return
    if damaged := stimulator.log.damaged:
        click.echo(f"{damaged} records are damaged")
    if not records:
        click.echo("no fault is recorded")
        return
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in ("number", "when", "fault", "severity", "channel", "reason", "state"):
        table.add_column(name)
    for one in records:
        reason = f"{one.reason}: {one.detail}" if one.detail else one.reason
        table.add_row(
            str(one.number), _when(one), str(one.fault), one.severity,
            str(one.channel or ""), reason, one.state,
        )  # fmt: skip
    Console().print(table)


def _one(stimulator: Stimulator, number: int, form: str) -> None:
    found = [one for one in stimulator.log if one.number == number]
    if not found:
        raise click.ClickException(f"no record {number} in the log")
    box = None
    try:
        box = stimulator.log.box(number)
    except StimulatorError as refusal:
        if refusal.code != _NO_BOX:
            raise
    if form == "json":
        click.echo(json.dumps({**_plain(found[0]), "black_box": _box(box)}, indent=1))
    elif form == "csv":
        raise click.UsageError("one record as a table or JSON")
    else:
        _show(found[0], box)


def _show(one: LogRecord, box: Box | None) -> None:
    console = Console()
    for name, value in _flat(one).items():
        console.print(f"{name:24} {'-' if value is None else value}", highlight=False)
    if box is None:
        console.print("no black box: the last four are kept")
        return
    times_ms = [pulse.uptime_ms for pulse in box.pulses]
    newest_ms = max(times_ms + [event.uptime_ms for event in box.events], default=0)
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in ("before, ms", "channel", "commanded, mA", "width, us", "plus, mA", "minus, mA"):
        table.add_column(name, justify="right")
    for pulse in box.pulses:
        table.add_row(
            str(newest_ms - pulse.uptime_ms), str(pulse.channel), f"{pulse.commanded_ma:.2f}",
            f"{pulse.width_us:.1f}", *(f"{current:.2f}" for current in pulse.delivered_ma),
        )  # fmt: skip
    console.print(table)
    for event in box.events:
        console.print(
            f"{newest_ms - event.uptime_ms:8} ms before  {event.kind:8} {event.what}",
            highlight=False,
        )


def _when(one: LogRecord) -> str:
    if one.time is not None:
        return one.time.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    return f"boot {one.boot}, {one.uptime_s:.1f} s"


def _plain(one: LogRecord) -> dict[str, Any]:
    return {
        **one._asdict(),
        "time": one.time.isoformat() if one.time else None,
        "channels": [channel._asdict() for channel in one.channels],
    }


def _flat(one: LogRecord) -> dict[str, Any]:
    """A record with its channels' values beside the others, their names ending in _1 and _2."""
    values = _plain(one)
    for number, channel in enumerate(values.pop("channels"), 1):
        values.update({f"{name}_{number}": value for name, value in channel.items()})
    return values


def _box(box: Box | None) -> dict[str, Any] | None:
    if box is None:
        return None
    return {
        "pulses": [pulse._asdict() for pulse in box.pulses],
        "events": [event._asdict() for event in box.events],
    }
