"""Plays the demo and writes what it recorded."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from rheobase import client
from rheobase.cli.bar import session_bar
from rheobase.demo.check import ChannelFindings, Findings, check
from rheobase.demo.picture import shown
from rheobase.demo.report import summary, write_edges
from rheobase.demo.session import SECONDS, Played, play
from rheobase.expected import expected_pulses
from rheobase.plot import draw
from rheobase.recording import write_csv, write_vcd
from rheobase.sim.bench import Bench, Recorder
from rheobase.sim.board import VirtualBoard
from rheobase.sim.realtime import RealTimeBoard
from rheobase.sim_port import VirtualPort, powered

OUT = Path("build/demo")
_BEFORE_S = 0.05  # of the session, in the VCD
_READ_TO_US = 0.001  # the reply is in whole ns
INTERRUPTED = 130  # a shell's exit code for Ctrl-C

Clock = Callable[[], int]


def main(
    arguments: Sequence[str] | None = None,
    after: Callable[[Recorder], object] | None = None,
) -> int:
    """The demo; 0 if every edge is where it belongs, 1 if not, 2 if the session failed.

    after: called with the recording before it is looked at (a test corrupts it there).
    """
    options = _options(arguments)
    console = Console()
    try:
        recording, played = record(options.seconds, options.virtual_time, console)
    except KeyboardInterrupt:
        console.print("interrupted; the output is off")
        return INTERRUPTED
    except client.RheobaseError as error:
        console.print(f"[bold red]the session failed:[/] {error}")
        return 2
    if after is not None:
        after(recording)
    findings = examine(recording, played)
    written = write(options.out, recording, played, findings)
    console.print(summary(findings))
    console.print("written: " + ", ".join(str(path) for path in written))
    return 1 if findings.problems else 0


def examine(recording: Recorder, played: Played) -> Findings:
    """The recording against what the settings ask for; what the stimulator says of itself too."""
    expected = expected_pulses(played.channels, played.session)
    findings = check(recording, expected, played.commanded)
    for channel in findings.channels:
        said = played.pulses[channel.channel - 1]
        if said != len(channel.recorded):
            findings.problems.append(
                f"channel {channel.channel}: the stimulator counted {said} pulses, "
                f"{len(channel.recorded)} recorded"
            )
        _compare_moved(channel, played, findings)
    findings.problems += [f"error {code}: {text}" for code, text in played.errors]
    return findings


def _compare_moved(channel: ChannelFindings, played: Played, findings: Findings) -> None:
    """What the stimulator counted of the pulses that had to give way."""
    moved = [pulse.moved for pulse in channel.expected if pulse.moved]
    said = played.moved[channel.channel - 1]
    most_us = max(moved, default=0) * 1e6 / findings.clock_hz
    if said.pulses != len(moved) or abs(said.most_us - most_us) > _READ_TO_US:
        findings.problems.append(
            f"channel {channel.channel}: the stimulator says {said.pulses} pulses moved by up to "
            f"{said.most_us:g} us, {len(moved)} by up to {most_us:g} us expected"
        )


def write(folder: Path, recording: Recorder, played: Played, findings: Findings) -> list[Path]:
    """session.png, session.vcd, pulses.csv and edges.txt."""
    folder.mkdir(parents=True, exist_ok=True)
    picture, vcd, table, edges = (
        folder / name for name in ("session.png", "session.vcd", "pulses.csv", "edges.txt")
    )
    with table.open("w", newline="") as file:
        write_csv(recording, file)
    with vcd.open("w") as file:
        write_vcd(recording, file, findings.origin - round(_BEFORE_S * findings.clock_hz))
    with edges.open("w") as file:
        write_edges(findings, file)
    draw(shown(recording, findings, played), picture)
    return [picture, vcd, table, edges]


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m rheobase.demo", description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="length of the session")
    parser.add_argument("--out", type=Path, default=OUT, help="folder for the files")
    parser.add_argument(
        "--virtual-time",
        action="store_true",
        help="without pseudo-terminal and wall clock, as fast as it goes",
    )
    return parser.parse_args(arguments)


def record(seconds: float, virtual_time: bool, console: Console) -> tuple[Recorder, Played]:
    """Play a session on a new virtual board."""
    bench = Bench()
    connected = _in_virtual_time if virtual_time else _behind_a_port
    with connected(bench, console) as (stimulator, now), session_bar(console, seconds) as show:
        played = play(stimulator, seconds, now, show, bench.recorder.forget)
    bench.settle()
    return bench.recorder, played


@contextmanager
def _behind_a_port(bench: Bench, console: Console) -> Iterator[tuple[client.Stimulator, Clock]]:
    """The board at the pace of the wall clock behind a pseudo-terminal, and a client at it."""
    boards: list[VirtualBoard] = []

    def make_board() -> VirtualBoard:
        boards.append(VirtualBoard(bench=bench))
        return boards[0]

    with RealTimeBoard(make_board) as behind:
        console.print(f"real firmware on the virtual board at {behind.port}")
        behind.call(lambda board: bench.try_stop(0.5))
        with client.Stimulator(behind.port, timeout_s=10.0) as stimulator:
            yield stimulator, lambda: boards[0].now
    if behind.slips:
        console.print(f"too slow for real time {behind.slips} times; no edge depends on that")


@contextmanager
def _in_virtual_time(bench: Bench, console: Console) -> Iterator[tuple[client.Stimulator, Clock]]:
    board = powered(bench)
    console.print("real firmware on the virtual board, in virtual time")
    port = VirtualPort(board)
    with client.Stimulator(port, clock=port) as stimulator:
        yield stimulator, lambda: board.now
