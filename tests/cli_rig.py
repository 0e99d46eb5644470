"""The command line, run in this process; every port it is given leads to a virtual board."""

from types import SimpleNamespace

from click.testing import CliRunner

from rheobase import cli
from rheobase.cli import connection


def ask(*arguments, **options):
    """Run a command; its exit code and everything it printed: `text`, and in one line `said`."""
    environment = {"COLUMNS": "120"}
    for name in ("PORT", "PICO_IMAGE", "PICO_BOOTROM", "KEY"):
        environment["RHEOBASE_" + name] = ""
    result = CliRunner().invoke(cli.main, [str(a) for a in arguments], env=environment, **options)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return SimpleNamespace(
        code=result.exit_code, text=result.output, said=" ".join(result.output.split())
    )


def at_every_port(monkeypatch, host):
    """Let the command line meet this host's board, whatever port it is given."""

    def connect(port, **options):
        host.stimulator.name = port
        host.stimulator.line.begin()
        return host.stimulator

    monkeypatch.setattr(connection, "Stimulator", connect)
