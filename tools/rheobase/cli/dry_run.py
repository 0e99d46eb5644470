"""`rheobase dry-run`: what a program would do."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.console import Console

from rheobase.cli.usage import OK, REFUSED, current_option, pad_option


@click.command("dry-run")
@click.argument("program")
@click.option("--channel", type=click.IntRange(1, 2), help="Only this channel.")
@current_option(
    help="Plateau in mA, once for both channels or once for each; default: the ceiling."
)
@pad_option(
    help="Area of the smaller pad in cm2, once for both channels or once for each; default 9."
)
@click.option("--person", "person_ma", type=click.FloatRange(0), default=30.0, show_default=True,
              help="The board's ceiling for the person, in mA.")
@click.option("--seconds", type=float, help="Only the session's beginning.")
@click.option("--plot", "out", type=click.Path(path_type=Path), help="Also draw it here.")
def dry_run(
    program: str,
    channel: int | None,
    currents_ma: tuple[float, ...],
    pads_cm2: tuple[float, ...],
    person_ma: float,
    seconds: float | None,
    out: Path | None,
) -> None:
    """What a program would do, without a device.

    Plays PROGRAM (an id of the library, or a file) through the real scheduler and inspector, and
    prints pulses, charge, r.m.s. and mean current, density and power on the pads, energy and
    collisions against the limits, and what would be refused and why. Ends with 1 if anything
    would be.
    """
    from rheobase import dry_run as dry

    if len(currents_ma) > 2 or len(pads_cm2) > 2:
        raise click.UsageError("two channels: --current and --pad at most twice")
    try:
        content = dry.read(program)
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"no program {program} in the library, and no file") from error
    currents = (*currents_ma, *currents_ma)[:2] or (None, None)
    pads = (*pads_cm2, *pads_cm2)[:2] or (9.0, 9.0)
    report = dry.dry_run(content, currents, pads, channel, seconds, person_ma)
    dry.show(report, Console())
    if out is not None and report.played:
        dry.plot(report, out)
        click.echo(f"written: {out}")
    sys.exit(REFUSED if report.refused else OK)
