"""The command line: info, run, dry-run, sim, flash, bench, scope, demo, emulate."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

from rheobase.checklist import AFTER, BEFORE, EFFORT, STOP_RULES
from rheobase.client import Climb, RheobaseError, Stimulator, StimulatorError
from rheobase.instrument import command as instrument
from rheobase.records import command as session_records
from rheobase.records.keeper import Keeper
from rheobase.records.record import Shelf

OK, REFUSED, INTERRUPTED = 0, 1, 130
_LOOK_S = 0.1
_BUTTON_S = 30.0  # how long a person has for trying the stop button
_TIMEOUT_S = 5.0  # a board on a busy computer, virtual or emulated, takes its time

port_option = click.option(
    "--port",
    "-p",
    envvar="RHEOBASE_PORT",
    help="Serial port, such as /dev/ttyACM0 or COM5; searched for if not given "
    "(or set RHEOBASE_PORT).",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="rheobase")
def main() -> None:
    """Two-channel muscle and nerve stimulator, and its virtual board."""


@contextmanager
def connected(port: str | None) -> Iterator[Stimulator]:
    """A stimulator whose output is off afterwards, and errors as one clear line."""
    try:
        if port:
            stimulator = Stimulator(port, timeout_s=_TIMEOUT_S, stop_on_sigterm=True)
        else:
            stimulator = Stimulator.find(timeout_s=_TIMEOUT_S, stop_on_sigterm=True)
        with stimulator:
            yield stimulator
    except RheobaseError as error:
        notes = "".join(f"\n{note}" for note in getattr(error, "__notes__", ()))
        raise click.ClickException(f"{error}{notes}") from error


# -- info --------------------------------------------------------------------------------------


@main.command()
@port_option
def info(port: str | None) -> None:
    """Identity, state, settings and errors (which empties their queue). Stops nothing."""
    console = Console()
    try:
        stimulator = Stimulator(port, timeout_s=_TIMEOUT_S) if port else Stimulator.find()
    except RheobaseError as error:
        raise click.ClickException(str(error)) from error
    try:
        _show_info(console, stimulator)
    except RheobaseError as error:
        raise click.ClickException(str(error)) from error
    finally:
        stimulator.close()


def _show_info(console: Console, stimulator: Stimulator) -> None:
    identity = stimulator.identity
    console.print(f"[bold]{identity.maker} {identity.model}[/], version {identity.version}")
    console.print(f"port      {stimulator.name}")
    console.print(f"state     {stimulator.state}")
    fault = stimulator.fault
    if fault:
        console.print(f"fault     {fault.number}: {fault.text}")
    console.print(f"supply    {stimulator.supply_v:g} V")
    console.print(f"programs  {', '.join(stimulator.programs)}")
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in ("", "channel 1", "channel 2"):
        table.add_column(name)
    one, two = stimulator.channel(1), stimulator.channel(2)
    first, second = one.read(), two.read()
    table.add_row("current_ma", f"{one.current_ma:g}", f"{two.current_ma:g}")
    for name in first:
        table.add_row(name, _shown(first[name]), _shown(second[name]))
    console.print(table)
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    table.add_column("session")
    for name, value in stimulator.session.read().items():
        table.add_row(name, _shown(value))
    console.print(table)
    errors = stimulator.errors
    console.print("errors    " + ("; ".join(f"{code}: {text}" for code, text in errors) or "none"))


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


# -- run ---------------------------------------------------------------------------------------


@main.command()
@click.argument("programs", nargs=-1, required=True)
@click.option(
    "--current",
    "-c",
    "currents_ma",
    type=float,
    multiple=True,
    required=True,
    help="Intensity to raise to, in mA; once for each program.",
)
@click.option("--duration", "-d", "duration_s", type=float, help="Length of the session, in s.")
@click.option(
    "--pattern",
    type=click.Choice(("simultaneous", "alternating", "overlapped", "independent")),
    help="How two channels share the time.",
)
@click.option(
    "--pad",
    "pads_cm2",
    multiple=True,
    type=float,
    required=True,
    help="Area of the smaller pad, in cm2; once for each program.",
)
@click.option(
    "--checklist",
    required=True,
    help="Number of the checklist of contraindications that was gone through "
    "(`rheobase checklist`).",
)
@click.option("--note", "notes", multiple=True, help="For the session's record.")
@click.option("--skin", "skin_before", default="", help="The skin before, for the record.")
@click.option("--record/--no-record", default=True, help="Keep a record of the session.")
@session_records.folder_option
@port_option
def run(
    programs: tuple[str, ...],
    currents_ma: tuple[float, ...],
    pads_cm2: tuple[float, ...],
    checklist: str,
    duration_s: float | None,
    pattern: str | None,
    notes: tuple[str, ...],
    skin_before: str,
    record: bool,
    folder: Path,
    port: str | None,
) -> None:
    """Play PROGRAMS (one for channel 1, one for channel 2), raising the intensity from zero.

    Ctrl-C stops at once.
    """
    _as_many(programs, currents_ma, "--current")
    _as_many(programs, pads_cm2, "--pad")
    console = Console()
    try:
        with connected(port) as stimulator:
            stimulator.reset()
            for number, program in enumerate(programs, 1):
                stimulator.load_program(program, number)
                stimulator.channel(number).pad_cm2 = pads_cm2[number - 1]
            stimulator.acknowledge(checklist)
            session: dict[str, float | str] = {}
            if duration_s is not None:
                session["duration_s"] = duration_s
            if pattern is not None:
                session["pattern"] = pattern
            stimulator.session.configure(**session)
            targets_ma = dict(enumerate(currents_ma, 1))
            keeper = None
            if record:
                keeper = Keeper(stimulator, targets_ma, datetime.now())
                keeper.record.notes += notes
                keeper.record.skin_before = skin_before
            with kept(stimulator, keeper, folder, console):
                _play(stimulator, targets_ma, console, keeper)
    except KeyboardInterrupt:
        console.print("stopped: the output is off")
        sys.exit(INTERRUPTED)


def _as_many(programs: Sequence[str], values: Sequence[float], option: str) -> None:
    if len(programs) > 2:
        raise click.UsageError(f"{len(programs)} programs for two channels")
    if len(values) != len(programs):
        raise click.UsageError(
            f"{len(values)} {option} for {len(programs)} programs; one for each"
        )


@contextmanager
def kept(
    stimulator: Stimulator, keeper: Keeper | None, folder: Path, console: Console
) -> Iterator[None]:
    """Write the record however the session ends, if it has begun; with the output off first."""
    outcome, text = "ended", ""
    try:
        yield
    except BaseException as error:
        with suppress(RheobaseError):
            stimulator.abort()
        interrupted = isinstance(error, (KeyboardInterrupt, SystemExit))
        outcome, text = ("interrupted", "") if interrupted else ("fault", str(error))
        raise
    finally:
        if keeper is not None and keeper.record.events:
            made = keeper.close(outcome, text)
            Shelf(folder).put(made)
            console.print(f"record {made.id}   (rheobase records show {made.id})")
            console.print(AFTER)


def _play(
    stimulator: Stimulator,
    targets_ma: dict[int, float],
    console: Console,
    keeper: Keeper | None = None,
) -> None:
    total_s = stimulator.session.duration_s
    climb = stimulator.raise_current(targets_ma)  # refuses a target before anything is switched on
    for prompt in (BEFORE, EFFORT[stimulator.mode], STOP_RULES):
        console.print(prompt)
    arm(stimulator, console)
    stimulator.start()
    columns = (
        TextColumn("{task.description:8}"),
        BarColumn(),
        TextColumn("{task.completed:6.1f} of {task.total:g} s  {task.fields[currents]}"),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("", total=total_s, currents="")
        for look in stimulator.watch(_LOOK_S):
            if keeper is not None:
                keeper.look(look)
            shown = "  ".join(f"{look.current_ma[n - 1]:5.1f} mA" for n in targets_ma)
            bar.update(
                task,
                description=str(look.state),
                completed=min(total_s, look.elapsed_s),
                currents=f"{shown}  {climb.waiting}",
            )
            if look.state.goes_on:
                _advance(stimulator, climb)
    for number in targets_ma:
        channel = stimulator.channel(number)
        moved = channel.moved
        console.print(
            f"channel {number}: {channel.pulses} pulses"
            + (f", {moved.pulses} moved by up to {moved.most_us:g} us" if moved.pulses else "")
        )


def arm(stimulator: Stimulator, console: Console) -> None:
    """Arm; a stop button that was not tried yet is waited for."""
    end_s = time.monotonic() + _BUTTON_S
    asked = False
    while True:
        try:
            stimulator.arm()
            return
        except StimulatorError as refusal:
            if "stop button" not in refusal.text or time.monotonic() > end_s:
                raise
        if not asked:
            console.print("press and release the stop button")
            asked = True
        time.sleep(0.2)


def _advance(stimulator: Stimulator, climb: Climb) -> None:
    try:
        climb.advance()
    except RheobaseError:
        if stimulator.state.goes_on:
            raise  # else the session ended meanwhile, and there is nothing to raise


# -- sim ---------------------------------------------------------------------------------------


@main.command()
@click.option(
    "--port-link",
    type=click.Path(path_type=Path),
    help="Also make a link with this name to the port, for programs that want a fixed one.",
)
def sim(port_link: Path | None) -> None:
    """Run the real firmware on the virtual board behind a serial port, until Ctrl-C."""
    from rheobase.sim.bench import Bench, Recorder
    from rheobase.sim.board import VirtualBoard
    from rheobase.sim.realtime import RealTimeBoard

    if port_link is not None and port_link.exists() and not port_link.is_symlink():
        raise click.ClickException(f"{port_link} exists and is no link")
    ended = threading.Event()
    before = signal.signal(signal.SIGTERM, lambda *_: ended.set())
    forgetful = Recorder(keep=())  # stays small however long the board runs
    bench = Bench(recorder=forgetful)
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


# -- flash -------------------------------------------------------------------------------------


@main.command()
@port_option
@click.option("--board", default="pico", show_default=True, help="pico, pico2 or esp32.")
@click.option(
    "--image",
    type=click.Path(path_type=Path),
    help="MicroPython as downloaded (.uf2, ESP32: .bin), if it is missing or old on the board.",
)
@click.option("--image-only", is_flag=True, help="MicroPython alone, without our firmware.")
@click.option("--source", is_flag=True, help="Copy the sources, not compiled files.")
def flash(
    port: str | None, board: str, image: Path | None, image_only: bool, source: bool
) -> None:
    """Put the firmware on a board: MicroPython if it is missing, then the files that changed."""
    from rheobase.client.find import candidates
    from rheobase.deploy.boards import board_named
    from rheobase.deploy.install import deploy

    try:
        chosen = board_named(board)
        names = candidates() if port is None else [port]
        if len(names) > 1:
            raise click.UsageError(f"--port: there are {', '.join(names)}")
        deploy(
            chosen,
            names[0] if names else None,
            click.echo,
            image=image,
            image_only=image_only,
            compiled=not source,
        )
    except (RheobaseError, ValueError) as error:
        raise click.ClickException(str(error)) from error


# -- bench -------------------------------------------------------------------------------------


@main.command()
@click.option("--port", "-p", envvar="RHEOBASE_PORT", help="A board's port, or sim, or emulator.")
@click.option("--load-ohm", default=500.0, show_default=True, help="Dummy load on each channel.")
@click.option("--only", multiple=True, help="Only this step (several times for several).")
@click.option("--out", "-o", type=click.Path(path_type=Path), default=Path("build/bench"))
@click.option("--image", envvar="RHEOBASE_PICO_IMAGE", help="With --port emulator.")
@click.option("--bootrom", envvar="RHEOBASE_PICO_BOOTROM", help="With --port emulator.")
def bench(
    port: str | None,
    load_ohm: float,
    only: tuple[str, ...],
    out: Path,
    image: str | None,
    bootrom: str | None,
) -> None:
    """Try every promise on the bench: dummy load, oscilloscope, and you.

    Only ever with a dummy load. With --port sim or emulator the virtual bench reads itself.
    """
    from rheobase.bench_test import command, places

    console = Console()
    try:
        todo = command.chosen(load_ohm, only)
        if port == command.SIM:
            place = places.on_the_virtual_board(console, load_ohm)
        elif port == command.EMULATOR:
            if not image or not bootrom:
                raise click.UsageError("--image and --bootrom, or RHEOBASE_PICO_IMAGE, _BOOTROM")
            place = places.on_the_emulated_pico(image, bootrom, console, load_ohm)
        elif port:
            console.print("[bold]Only with a dummy load. Never connect a person.[/]")
            place = places.at_a_board(port, console, todo)
        else:
            raise click.UsageError("--port: a board's port, or sim, or emulator")
        sys.exit(command.run(place, todo, console, out, port=port, ohm=load_ohm))
    except (RheobaseError, ValueError) as error:
        raise click.ClickException(str(error)) from error


# -- scope -------------------------------------------------------------------------------------


@main.command()
@click.argument("recording", required=False, type=click.Path(exists=True, path_type=Path))
@click.option("--port", "-p", help="sim: play a program on the virtual board and look at that.")
@click.option("--program", multiple=True, default=("N01",), help="With --port sim; default N01.")
@click.option("--current", "currents_ma", type=float, multiple=True, default=(5.0,), help="mA.")
@click.option("--seconds", type=float, default=6.0, help="With --port sim: how long to play.")
@click.option("--out", "-o", type=click.Path(path_type=Path), help="The picture; default a table.")
def scope(
    recording: Path | None,
    port: str | None,
    program: tuple[str, ...],
    currents_ma: tuple[float, ...],
    seconds: float,
    out: Path | None,
) -> None:
    """Look at a RECORDING (pulses.csv or .vcd), or at a program on the virtual board.

    Prints a line for every train of pulses; with --out also draws them.
    """
    from rheobase import plot
    from rheobase import scope as looking

    if (recording is None) == (port is None):
        raise click.UsageError("a RECORDING, or --port sim")
    try:
        if recording is not None:
            found = looking.read(recording)
            title = str(recording)
        elif port == "sim":
            _as_many(program, currents_ma, "--current")
            found = looking.play(program, currents_ma, seconds)
            title = f"{' and '.join(program)} on the virtual board"
        else:
            raise click.UsageError("only the virtual board records itself: --port sim")
        Console().print(looking.table(found))
        if out is not None:
            plot.draw(looking.shown(found, title), out)
            click.echo(f"written: {out}")
    except (RheobaseError, ValueError) as error:
        raise click.ClickException(str(error)) from error


# -- dry run -----------------------------------------------------------------------------------


@main.command("dry-run")
@click.argument("program")
@click.option("--channel", type=click.IntRange(1, 2), help="Only this channel.")
@click.option(
    "--current",
    "-c",
    "currents_ma",
    type=float,
    multiple=True,
    help="Plateau in mA, once for both channels or once for each; default: the ceiling.",
)
@click.option(
    "--pad",
    "pads_cm2",
    type=float,
    multiple=True,
    help="Area of the smaller pad in cm2, once for both channels or once for each; default 9.",
)
@click.option("--seconds", type=float, help="Only the session's beginning.")
@click.option("--plot", "out", type=click.Path(path_type=Path), help="Also draw it here.")
def dry_run(
    program: str,
    channel: int | None,
    currents_ma: tuple[float, ...],
    pads_cm2: tuple[float, ...],
    seconds: float | None,
    out: Path | None,
) -> None:
    """What PROGRAM (an id of the library, or a file) would do, without a device.

    Plays it through the real scheduler and inspector, and prints pulses, charge, r.m.s. and mean
    current, density and power on the pads, energy and collisions against the limits, and what
    would be refused and why. Ends with 1 if anything would be.
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
    report = dry.dry_run(content, currents, pads, channel, seconds)
    dry.show(report, Console())
    if out is not None and report.played:
        dry.plot(report, out)
        click.echo(f"written: {out}")
    sys.exit(REFUSED if report.refused else OK)


# -- demo and emulator ---------------------------------------------------------------------------


@main.command(context_settings={"ignore_unknown_options": True}, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def demo(arguments: tuple[str, ...]) -> None:
    """A two-channel session on the virtual board: picture, VCD, CSV, table of edges."""
    from rheobase.demo.run import main as play_demo

    sys.exit(play_demo(arguments))


@main.command()
@click.option("--image", envvar="RHEOBASE_PICO_IMAGE", help="MicroPython for the Pico (UF2).")
@click.option("--bootrom", envvar="RHEOBASE_PICO_BOOTROM", help="The RP2040's boot ROM.")
def emulate(image: str | None, bootrom: str | None) -> None:
    """Run the firmware on a genuine MicroPython image in an emulated Pico, until Ctrl-C.

    Its USB serial port is a port here; the virtual board's bench is at its pins, and its stop
    button is tried three seconds after the start.
    """
    if not image or not bootrom:
        raise click.UsageError("--image and --bootrom, or RHEOBASE_PICO_IMAGE and _BOOTROM")
    from rheobase.emulator import EmulatorError, files_of_firmware, serve
    from rheobase.sim.bench import Bench, Recorder

    bench = Bench(recorder=Recorder(keep=()))  # stays small however long it runs

    def ready(port: str) -> None:
        click.echo(f"port {port}")
        click.echo("an emulated clock is slower than a real one: replies take their time")

    ended = threading.Event()
    before = signal.signal(signal.SIGTERM, lambda *_: ended.set())
    try:
        files = files_of_firmware(compiled=True)
        serve(
            image, bootrom, files, ready=ready, stop=ended, bench=bench,
            begin=lambda pico: bench.try_stop(5.0),
        )
    except (EmulatorError, OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    finally:
        signal.signal(signal.SIGTERM, before)
    click.echo("the emulated Pico is off")


main.add_command(instrument.test)
main.add_command(session_records.records)
main.add_command(session_records.checklist)


if __name__ == "__main__":
    main()
