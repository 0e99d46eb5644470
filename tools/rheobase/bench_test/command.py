"""`rheobase bench`: the test, its table on the screen, and its report."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from rheobase.bench_test import places
from rheobase.bench_test.report import verdict, write
from rheobase.bench_test.run import FAIL, NOT_REACHED, BenchTest, Result
from rheobase.bench_test.step import Step
from rheobase.bench_test.steps import steps

SIM, EMULATOR = "sim", "emulator"


def chosen(ohm: float, only: Sequence[str]) -> tuple[Step, ...]:
    """The steps of this run. Raises ValueError for a key that there is not."""
    every = steps(ohm)
    unknown = set(only) - {step.key for step in every}
    if unknown:
        known = ", ".join(step.key for step in every)
        raise ValueError(f"no step {', '.join(sorted(unknown))}; known: {known}")
    return tuple(step for step in every if not only or step.key in only)


def run(
    place: AbstractContextManager[places.Place],
    todo: Sequence[Step],
    console: Console,
    out: Path,
    *,
    port: str,
    ohm: float,
) -> int:
    """Do the test and write its report; 0 passed, 1 failed, 2 not finished."""
    began = datetime.now().astimezone()
    with place as where:
        test = BenchTest(where.connect, where.person, todo, show=where.show)
        results = test.run()
        identity = test.identity
        facts = {
            "date": began.isoformat(timespec="seconds"),
            "board": where.board,
            "firmware": f"{identity.maker} {identity.model} {identity.version}",
            "serial": identity.serial,
            "micropython": where.micropython,
            "port": port,
            "load_ohm": ohm,
        }
    written = write(out, facts, results)
    console.print(table(results))
    console.print(f"[bold]{verdict(results)}[/]")
    console.print("written: " + ", ".join(str(path) for path in written))
    statuses = {result.status for result in results}
    return 1 if FAIL in statuses else 2 if NOT_REACHED in statuses else 0


def table(results: Sequence[Result]) -> Table:
    shown = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in ("step", "", "checks", "note"):
        shown.add_column(name)
    for result in results:
        good = sum(check.ok for check in result.checks)
        shown.add_row(
            result.step.title, result.status, f"{good} of {len(result.checks)}", result.note
        )
    return shown
