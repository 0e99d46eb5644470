"""A session's progress, with its intensities, at a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from rheobase import client

Show = Callable[[client.Progress, client.Climb], None]


@contextmanager
def session_bar(
    console: Console, total_s: float, numbers: Sequence[int] = (1, 2)
) -> Iterator[Show]:
    """A bar for so long a session; call what it yields with every look."""
    columns = (
        TextColumn("{task.description:8}"),
        BarColumn(),
        TextColumn("{task.completed:6.1f} of {task.total:g} s  {task.fields[currents]}"),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("ARMED", total=total_s, currents="")

        def show(look: client.Progress, climb: client.Climb) -> None:
            shown = "  ".join(f"{look.current_ma[number - 1]:5.1f} mA" for number in numbers)
            bar.update(
                task,
                description=str(look.state),
                completed=min(total_s, look.elapsed_s),
                currents=f"{shown}  {climb.waiting}",
            )

        yield show
