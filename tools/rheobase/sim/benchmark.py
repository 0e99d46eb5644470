"""How fast the virtual board runs: `python -m rheobase.sim.benchmark --help`."""

from __future__ import annotations

import time
from collections.abc import Sequence

import click

from rheobase.sim.bench import Bench
from rheobase.sim.board import VirtualBoard
from rheobase.sim_port import powered

ARM = "ARM {hash}"  # the hash is asked for

TWO_CHANNELS_AT_50_HZ = (
    "SOUR1:STAT ON;FREQ 50;:SOUR1:CYCL:ON INF;:SOUR2:STAT ON;FREQ 50;:SOUR2:CYCL:ON INF",
    "SOUR1:PAD:AREA 25;:SOUR2:PAD:AREA 25;:SESS:DUR 600;PATT SIM;STAN ON",
    ARM,
    "OUTP ON",
    "SOUR1:CURR 1mA",
    "SOUR2:CURR 1mA",
)


def seconds_per_virtual_second(board: VirtualBoard, virtual_s: float) -> float:
    """Processor time it takes to run a board for one second of its own time."""
    begun = time.process_time()
    board.run_for(virtual_s)
    return (time.process_time() - begun) / virtual_s


def say(board: VirtualBoard, lines: Sequence[str], pause_s: float) -> str:
    """Send lines one after the other; returns all that came back."""
    for line in lines:
        if line == ARM:
            board.usb.read()
            board.usb.write(b"CHEC:ACKN 'D1';:ARM:HASH?\n")
            board.run_for(pause_s)
            line = ARM.format(hash=board.usb.read().decode().strip())
        board.usb.write(line.encode() + b"\n")
        board.run_for(1.0 if line.startswith("ARM") else pause_s)
    return board.usb.read().decode()


@click.command()
@click.argument("lines", nargs=-1)
@click.option("--seconds", default=10.0, help="virtual time to measure over")
@click.option("--pause", default=0.2, help="virtual time after each line")
def main(lines: Sequence[str], seconds: float, pause: float) -> None:
    """Boot the repository's firmware, send it LINES, and measure how fast it goes on.

    Without LINES: a session of two channels at 50 Hz.
    """
    board = powered(Bench())
    click.echo(say(board, lines or TWO_CHANNELS_AT_50_HZ, pause), nl=False)
    click.echo(say(board, ["SYST:ERR?;:SESS:STAT?"], pause), nl=False)
    edges = len(board.edges)
    cost = seconds_per_virtual_second(board, seconds)
    rate = (len(board.edges) - edges) / seconds
    click.echo(f"{1 / cost:.0f} x real time ({1000 * cost:.1f} ms a second, {rate:.0f} edges/s)")


if __name__ == "__main__":
    main()
