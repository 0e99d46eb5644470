"""`rheobase sim`: the virtual board behind a serial port."""

from __future__ import annotations

import os
import re
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rheobase.sim.bench import Wiring


@click.command()
@click.option(
    "--port-link",
    type=click.Path(path_type=Path),
    help="Also make a link with this name to the port, for programs that want a fixed one.",
)
def sim(port_link: Path | None) -> None:
    """The real firmware on the virtual board, behind a serial port.

    Until Ctrl-C. The bench is wired as the board file says that main.py names.
    """
    from rheobase.sim.bench import Bench, Recorder
    from rheobase.sim.board import REPOSITORY, VirtualBoard
    from rheobase.sim.realtime import RealTimeBoard

    if port_link is not None and port_link.exists() and not port_link.is_symlink():
        raise click.ClickException(f"{port_link} exists and is no link")
    ended = threading.Event()
    before = signal.signal(signal.SIGTERM, lambda *_: ended.set())
    forgetful = Recorder(keep=())  # stays small however long the board runs
    main = (REPOSITORY / "main.py").read_text()
    bench = Bench(wired(main), forgetful)
    board = RealTimeBoard(lambda: VirtualBoard(bench=bench))
    try:
        with board as behind, _link(port_link, behind.port):
            behind.call(lambda _: bench.try_stop(0.5))
            click.echo(f"port {behind.port}")
            click.echo(f'try: rheobase info --port {behind.port}   (Ctrl-C ends it)')
            while behind.running and not ended.wait(0.2):
                pass
    except KeyboardInterrupt:
        click.echo("the virtual board is off")
    finally:
        signal.signal(signal.SIGTERM, before)


def wired(main: str) -> Wiring:
    """The bench of the board that a main.py names, so that it can be a board of one's own."""
    from rheobase.programs import library  # noqa: F401  it sets the path
    from rheobase.sim.bench import Wiring

    found = re.search(r"^from firmware\.boards import (\w+)", main, re.MULTILINE)
    if found is None:
        raise click.ClickException("main.py imports no board from firmware.boards")
    return Wiring.of(import_module(f"firmware.boards.{found[1]}"))


@contextmanager
def _link(link: Path | None, port: str) -> Iterator[None]:
    if link is None:
        yield
        return
    link.unlink(missing_ok=True)
    link.symlink_to(port)
    try:
        yield
    finally:
        if link.is_symlink() and os.readlink(link) == port:
            link.unlink()
