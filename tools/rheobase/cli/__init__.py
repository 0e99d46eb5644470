"""The command line: one file for each command."""

from __future__ import annotations

import click

from rheobase.cli import (
    bench,
    demo,
    dry_run,
    emulate,
    flash,
    info,
    instrument,
    records,
    run,
    scope,
    sim,
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="rheobase")
def main() -> None:
    """Two-channel muscle and nerve stimulator, and its virtual board."""


for command in (
    info.info,
    dry_run.dry_run,
    run.run,
    instrument.test,
    records.records,
    records.checklist,
    sim.sim,
    demo.demo,
    scope.scope,
    flash.flash,
    bench.bench,
    emulate.emulate,
):
    main.add_command(command)
