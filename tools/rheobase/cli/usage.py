"""What several commands share: how they end, and what they ask of their words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])
OK, REFUSED, INTERRUPTED = 0, 1, 130  # exit codes


def for_each(*names: str, help: str, required: bool = False) -> Callable[[F], F]:
    """An option with a number for each channel, given once for each."""
    number = click.FloatRange(0)
    return click.option(*names, type=number, multiple=True, required=required, help=help)


current_option = partial(for_each, "--current", "-c", "currents_ma")
pad_option = partial(for_each, "--pad", "pads_cm2")


def one_for_each(programs: Sequence[str], values: Sequence[float], option: str) -> None:
    """Refuse more programs than channels, and values that are not one for each program."""
    if len(programs) > 2:
        raise click.UsageError(f"{len(programs)} programs for two channels")
    if len(values) != len(programs):
        raise click.UsageError(
            f"{len(values)} {option} for {len(programs)} programs; one for each"
        )
