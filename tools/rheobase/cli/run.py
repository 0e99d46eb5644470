"""`rheobase run`: a session with a person, from the checklist to its record."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import TextIO

import click
from rich.console import Console

from rheobase.checklist import AFTER, BEFORE, EFFORT, STOP_RULES
from rheobase.cli.arming import arm
from rheobase.cli.bar import session_bar
from rheobase.cli.connection import connected, port_option
from rheobase.cli.records import folder_option
from rheobase.cli.usage import INTERRUPTED, current_option, one_for_each, pad_option
from rheobase.client import Climb, RheobaseError, Stimulator
from rheobase.records.keeper import Keeper
from rheobase.records.measured import MeasuredTable
from rheobase.records.record import Shelf

_LOOK_S = 0.2


@click.command()
@click.argument("programs", nargs=-1, required=True)
@current_option(help="Intensity to raise to, in mA; once for each program.", required=True)
@click.option("--duration", "-d", "duration_s", type=float, help="Length of the session, in s.")
@click.option(
    "--pattern",
    type=click.Choice(("simultaneous", "alternating", "overlapped", "independent")),
    help="How two channels share the time.",
)
@pad_option(help="Area of the smaller pad, in cm2; once for each program.", required=True)
@click.option(
    "--checklist",
    required=True,
    help="Number of the checklist of contraindications that was gone through "
    "(`rheobase checklist`).",
)
@click.option("--note", "notes", multiple=True, help="For the session's record.")
@click.option("--skin", "skin_before", default="", help="The skin before, for the record.")
@click.option("--csv", "measured", type=click.File("w"),
              help="Write what is measured at the electrodes, once a second, into this file.")
@click.option("--record/--no-record", default=True, help="Keep a record of the session.")
@folder_option
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
    measured: TextIO | None,
    record: bool,
    folder: Path,
    port: str | None,
) -> None:
    """Play one or two programs, raising the intensity from zero.

    PROGRAMS: one for channel 1, one for channel 2. Ctrl-C stops at once.
    """
    one_for_each(programs, currents_ma, "--current")
    one_for_each(programs, pads_cm2, "--pad")
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
            stimulator.set_clock()  # so that the fault log knows when
            table = MeasuredTable(measured, stimulator, targets_ma, 1.0) if measured else None
            keeper = None
            if record:
                keeper = Keeper(stimulator, targets_ma, datetime.now())
                keeper.record.notes += notes
                keeper.record.skin_before = skin_before
            with kept(stimulator, keeper, folder, console):
                _play(stimulator, targets_ma, console, keeper, table)
    except KeyboardInterrupt:
        console.print("stopped: the output is off")
        sys.exit(INTERRUPTED)


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
    keeper: Keeper | None,
    table: MeasuredTable | None,
) -> None:
    total_s = stimulator.session.duration_s
    climb = stimulator.raise_current(targets_ma)  # refuses a target before anything is switched on
    for prompt in (BEFORE, EFFORT[stimulator.mode], STOP_RULES):
        console.print(prompt)
    arm(stimulator, console)
    stimulator.start()
    with session_bar(console, total_s, tuple(targets_ma)) as show:
        for look in stimulator.watch(_LOOK_S):
            if keeper is not None:
                keeper.look(look)
            if table is not None:
                table.look(look)
            show(look, climb)
            if look.state.goes_on:
                _advance(stimulator, climb)
    for number in targets_ma:
        channel = stimulator.channel(number)
        moved = channel.moved
        console.print(
            f"channel {number}: {channel.pulses} pulses"
            + (f", {moved.pulses} moved by up to {moved.most_us:g} us" if moved.pulses else "")
        )


def _advance(stimulator: Stimulator, climb: Climb) -> None:
    try:
        climb.advance()
    except RheobaseError:
        if stimulator.state.goes_on:
            raise  # else the session ended meanwhile, and there is nothing to raise
