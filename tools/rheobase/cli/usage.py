"""What several commands share: how they end, and what they ask of their words."""

from __future__ import annotations

from collections.abc import Sequence

import click

OK, REFUSED, INTERRUPTED = 0, 1, 130  # exit codes


def one_for_each(programs: Sequence[str], values: Sequence[float], option: str) -> None:
    """Refuse more programs than channels, and values that are not one for each program."""
    if len(programs) > 2:
        raise click.UsageError(f"{len(programs)} programs for two channels")
    if len(values) != len(programs):
        raise click.UsageError(
            f"{len(values)} {option} for {len(programs)} programs; one for each"
        )
