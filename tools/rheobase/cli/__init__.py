"""The command line: one file for each command."""

from __future__ import annotations

import click

from rheobase.cli import (
    bench,
    config,
    demo,
    dry_run,
    emulate,
    flash,
    info,
    instrument,
    log,
    measure,
    records,
    run,
    scope,
    sim,
)


class InOrder(click.Group):
    """Lists its commands in the order in which they were added: as they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=InOrder, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="rheobase")
def main() -> None:
    """Two-channel muscle and nerve stimulator, and its virtual board."""


for command in (
    info.info,
    dry_run.dry_run,
    records.checklist,
    run.run,
    measure.measure,
    records.records,
    instrument.test,
    log.log,
    config.config,
    sim.sim,
    demo.demo,
    scope.scope,
    flash.flash,
    bench.bench,
    emulate.emulate,
):
    main.add_command(command)
