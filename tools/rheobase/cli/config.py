"""`rheobase config`: the board's configuration and calibration, and the clinician's key."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from rheobase.cli.connection import clear_errors, looked_at, port_option
from rheobase.client import Configuration, Stimulator

key_option = click.option(
    "--key",
    prompt="clinician's key",
    hide_input=True,
    prompt_required=False,
    envvar="RHEOBASE_KEY",
    help="The clinician's key; a --key at the end of the line asks for it (or set RHEOBASE_KEY).",
)
file_argument = click.argument("file", type=click.Path(path_type=Path))


@click.group()
def config() -> None:
    """Configuration and calibration of a board.

    They outlive a power cut. Only with the output off. Ceilings and calibration need the
    clinician's --key.
    """


@config.command()
@click.argument("names", nargs=-1)
@port_option
def show(names: tuple[str, ...], port: str | None) -> None:
    """All fields with their meaning, or those whose NAMES begin so."""
    with looked_at(port) as stimulator:
        values = stimulator.configuration.read()
        trouble = stimulator.configuration.trouble
    chosen = {n: v for n, v in values.items() if not names or n.startswith(names)}
    if not chosen:
        raise click.ClickException(f"no field {' '.join(names)}; there are {', '.join(values)}")
    meanings = _meanings()
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("field")
    table.add_column("value", justify="right")
    table.add_column("meaning")
    for name, value in chosen.items():
        table.add_row(name, str(value), meanings.get(name, ""))
    Console().print(table)
    if trouble:
        click.echo(f"the board can't be armed: {trouble}")


@config.command("set")
@click.argument("assignments", nargs=-1, required=True, metavar="NAME=VALUE...")
@key_option
@port_option
def set_fields(assignments: tuple[str, ...], key: str | None, port: str | None) -> None:
    """Change fields and save them: all of them, or none when one is refused."""
    values = {}
    for text in assignments:
        name, equals, value = text.partition("=")
        try:
            values[name.strip()] = int(value)
        except ValueError:
            raise click.UsageError(f"{text}: NAME=VALUE with a whole number") from None
        if not equals:
            raise click.UsageError(f"{text}: NAME=VALUE")
    with clear_errors(ValueError), looked_at(port) as stimulator:
        _change(stimulator.configuration, values, key)


@config.command()
@file_argument
@port_option
def save(file: Path, port: str | None) -> None:
    """Write all fields to FILE: JSON if its name ends in .json, else TOML."""
    with looked_at(port) as stimulator:
        values = stimulator.configuration.read()
        schema = stimulator.configuration.schema
        content = _written(stimulator, schema, values, file.suffix == ".json")
    with clear_errors(OSError):
        file.write_text(content)
    click.echo(f"written: {file}")


@config.command()
@file_argument
@key_option
@port_option
def load(file: Path, key: str | None, port: str | None) -> None:
    """Set what stands in FILE (JSON or TOML, as `save` wrote it): all of it, or nothing."""
    with clear_errors(OSError, ValueError):
        content = file.read_text()
        values = json.loads(content) if file.suffix == ".json" else tomllib.loads(content)
    if not isinstance(values, dict):
        raise click.ClickException(f"{file}: not names with values")
    schema = values.pop("schema", None)
    values.pop("firmware", None)
    with clear_errors(ValueError, TypeError), looked_at(port) as stimulator:
        ours = stimulator.configuration.schema
        if schema != ours:
            raise click.ClickException(f"{file}: schema {schema}, the board's is {ours}")
        _change(stimulator.configuration, values, key)


@config.command()
@click.argument("what")
@click.option("--told", type=float, required=True, help="What the board measured (sink: was set).")
@click.option("--true", "true", type=float, required=True, help="What your meter read then.")
@key_option
@port_option
def calibrate(what: str, told: float, true: float, key: str | None, port: str | None) -> None:
    """Correct a gain by one reading: sense_1, sense_2, sink_1, sink_2 or supply.

    Sinks first, then the sense amplifiers. Both readings in the same unit.
    """
    with clear_errors(ValueError), looked_at(port) as stimulator:
        configuration = stimulator.configuration
        with configuration.unlocked(key):
            field, value = configuration.calibrate(what, told, true)
    click.echo(f"{field}: {value}")


@config.command()
@key_option
@click.confirmation_option(prompt="set every field to its default?")
@port_option
def restore(key: str | None, port: str | None) -> None:
    """Every field at its default; the way out when both copies are damaged."""
    with (
        clear_errors(ValueError),
        looked_at(port) as stimulator,
        stimulator.configuration.unlocked(key),
    ):
        stimulator.configuration.restore()
    click.echo("every field is at its default")


@config.command("new-key")
@click.option("--new", prompt="new key", hide_input=True, confirmation_prompt=True,
              help="4 to 32 characters; asked for if not given.")  # fmt: skip
@key_option
@port_option
def new_key(new: str, key: str | None, port: str | None) -> None:
    """Set the clinician's first key, or another one with the --key of now."""
    with clear_errors(ValueError), looked_at(port) as stimulator:
        stimulator.configuration.lock()
        with stimulator.configuration.unlocked(key):
            stimulator.configuration.set_key(new)
        stimulator.configuration.lock()  # a key that was set is open
    click.echo("the key is set")


def _change(configuration: Configuration, values: dict[str, Any], key: str | None) -> None:
    """Change fields, and say which were."""
    before = {name: configuration[name] for name in values}
    with configuration.unlocked(key):
        configuration.change(values)
    changed = {name: value for name, value in values.items() if value != before[name]}
    for name, value in changed.items():
        click.echo(f"{name}: {before[name]} -> {value}")
    if not changed:
        click.echo("nothing to change")


def _written(stimulator: Stimulator, schema: int, values: dict[str, int], as_json: bool) -> str:
    version = stimulator.identity.version
    if as_json:
        head = {"schema": schema, "firmware": version}
        return json.dumps({**head, **values}, indent=1) + "\n"
    meanings = _meanings()
    lines = [f"schema = {schema}", f'firmware = "{version}"']
    lines += [
        f"{name} = {value}".ljust(32) + (f"# {meanings[name]}" if name in meanings else "")
        for name, value in values.items()
    ]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _meanings() -> dict[str, str]:
    """What each field means, from the firmware's own table."""
    from rheobase.programs import library  # noqa: F401  it sets the path

    # isort: split
    from firmware.safety.config import fields

    return {field[0]: field[5] for field in fields()}
