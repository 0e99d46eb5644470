"""A command's way to its stimulator: off afterwards, errors as one clear line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from rheobase.client import RheobaseError, Stimulator, StimulatorError

_PROTECTED = -203  # needs the clinician's key
TIMEOUT_S = 5.0  # a board on a busy computer, virtual or emulated, takes its time

port_option = click.option(
    "--port",
    "-p",
    envvar="RHEOBASE_PORT",
    help="Serial port, such as /dev/ttyACM0 or COM5; searched for if not given "
    "(or set RHEOBASE_PORT).",
)


@contextmanager
def clear_errors(*more: type[Exception]) -> Iterator[None]:
    """What the stimulator or its line refuses, as one clear line; errors of `more` kinds too."""
    kinds: tuple[type[Exception], ...] = (RheobaseError, *more)
    try:
        yield
    except kinds as error:
        notes = "".join(f"\n{note}" for note in getattr(error, "__notes__", ()))
        raise click.ClickException(_words(error) + notes) from error


def _words(error: Exception) -> str:
    """For a reader: without SCPI's general words, which stand before what is meant here."""
    if isinstance(error, StimulatorError):
        text = error.text.partition(";")[2] or error.text
        more = ": rheobase config new-key, then --key" if error.code == _PROTECTED else ""
        return f"{text} ({error.code}{more})"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return str(error)


@contextmanager
def connected(port: str | None) -> Iterator[Stimulator]:
    """A stimulator whose output is off afterwards."""
    with clear_errors(), opened(port, stop_on_sigterm=True) as stimulator:
        yield stimulator


@contextmanager
def looked_at(port: str | None) -> Iterator[Stimulator]:
    """A stimulator that goes on with what it does."""
    with clear_errors():
        stimulator = opened(port)
        try:
            yield stimulator
        finally:
            stimulator.close()


def opened(port: str | None, stop_on_sigterm: bool = False) -> Stimulator:
    """The stimulator at a port, or the one that is found."""
    if port:
        return Stimulator(port, timeout_s=TIMEOUT_S, stop_on_sigterm=stop_on_sigterm)
    return Stimulator.find(timeout_s=TIMEOUT_S, stop_on_sigterm=stop_on_sigterm)
