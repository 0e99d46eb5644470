"""`rheobase test`: the tests X01 to X04, at a board with a person, or at a simulated nerve."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from rheobase.cli.arming import arm
from rheobase.cli.connection import connected
from rheobase.client import RheobaseError, Stimulator

if TYPE_CHECKING:
    from rheobase.instrument.pulses import Ask
    from rheobase.sim.bench.nerve import Nerve

SIM = "sim"
INTERRUPTED = 130


@dataclass
class Place:
    """A stimulator ready for a test, and who answers."""

    stimulator: Stimulator
    number: int
    ask: Callable[[str], bool | None]
    arm: Callable[[Stimulator], object]
    nerve: Nerve | None


OPTIONS = (
    click.option("--channel", "-n", "number", type=click.IntRange(1, 2), default=1),
    click.option("--port", "-p", envvar="RHEOBASE_PORT", help="A board's port, or sim."),
    click.option("--nerve", default="3.2mA,300us", show_default=True,
                 help="With --port sim: rheobase and chronaxie of the simulated nerve."),
    click.option("--seed", type=int, default=1, help="With --port sim: of the answers' noise."),
    click.option("--pad", "pad_cm2", type=float, help="Area of the smaller pad, in cm2."),
    click.option("--checklist", help="Number of the checklist that was gone through."),
    click.option("--button", is_flag=True,
                 help="The hand button at the trigger input answers: pressed is yes."),
    click.option("--out", "-o", type=click.Path(path_type=Path), help="Result as JSON."),
)  # fmt: skip


def options(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(OPTIONS):
        command = option(command)
    return command


@contextmanager
def at(
    port: str | None, number: int, nerve: str, seed: int, pad_cm2: float | None,
    checklist: str | None, button: bool = False,
) -> Iterator[Place]:  # fmt: skip
    """The place of a test; errors as one clear line, Ctrl-C with the output off."""
    from rheobase.instrument.curve import OutOfReach

    try:
        if port == SIM:
            with _simulated(number, nerve, seed, button) as place:
                yield place
        else:
            with _real(port, number, pad_cm2, checklist, button) as place:
                yield place
    except KeyboardInterrupt:
        click.echo("stopped: the output is off")
        sys.exit(INTERRUPTED)
    except (RheobaseError, OutOfReach, ValueError) as error:
        raise click.ClickException(str(error)) from error


@contextmanager
def _simulated(number: int, words: str, seed: int, button: bool) -> Iterator[Place]:
    from rheobase.instrument.subject import Finger, HandButton, NerveSubject
    from rheobase.sim.bench import Bench, Recorder
    from rheobase.sim.bench.nerve import Nerve
    from rheobase.sim_port import VirtualPort, approve, powered

    nerve = Nerve.of(words, seed=seed, channel=number)
    bench = Bench(recorder=Recorder(keep=()))
    nerve.listen(bench.recorder)
    board = powered(bench)
    port = VirtualPort(board)
    with Stimulator(port, clock=port) as stimulator:
        approve(stimulator)
        ask: Ask = NerveSubject(nerve, port)
        if button:
            ask = HandButton(stimulator, Finger(nerve, board, bench))
        yield Place(stimulator, number, ask, Stimulator.arm, nerve)


@contextmanager
def _real(
    port: str | None, number: int, pad_cm2: float | None, checklist: str | None, button: bool
) -> Iterator[Place]:
    from rheobase.instrument.subject import HandButton, Person

    if pad_cm2 is None or checklist is None:
        raise click.UsageError("--pad and --checklist, or --port sim")
    console = Console()
    with connected(port) as stimulator:
        stimulator.reset()
        stimulator.channel(number).pad_cm2 = pad_cm2
        stimulator.acknowledge(checklist)
        ask: Ask = HandButton(stimulator) if button else Person()
        yield Place(stimulator, number, ask, lambda one: arm(one, console), None)


def _written(out: Path | None, result: dict[str, Any]) -> None:
    if out is not None:
        out.write_text(json.dumps(result, indent=1) + "\n")
        click.echo(f"written: {out}")


@click.group()
def test() -> None:
    """Motor point, thresholds, strength-duration curve, fatigue."""


@test.command()
@options
@click.option("--spot", "spots", multiple=True, default=("0", "10", "20", "30", "40"),
              help="Name of a place; with --port sim its position in mm.")
@click.option("--motor-point", "point_mm", default=22.0, help="With --port sim: where it is.")
def x01(out: Path | None, spots: tuple[str, ...], point_mm: float, **where: Any) -> None:
    """Motor point: the motor threshold at each --spot; the lowest is the nearest."""
    from rheobase.instrument import tests

    with at(**where) as place:

        def put(spot: str) -> None:
            if place.nerve is not None:
                place.nerve.distance_mm = abs(float(spot) - point_mm)
            else:
                click.echo(f"put the electrode on {spot}, then press any key")
                if click.getchar() in ("\x03", "\x04"):
                    raise KeyboardInterrupt

        found = tests.motor_point(
            place.stimulator, place.number, place.ask, spots, put,
            report=click.echo, arm=place.arm,
        )  # fmt: skip
    if not found:
        raise click.ClickException("no spot twitches below the ceiling")
    click.echo(f"motor point nearest to {found[0].name}: {found[0].current_ma:.2f} mA")
    _written(out, {"test": "X01", "spots": [vars(one) for one in found]})


@test.command()
@options
@click.option("--answers", default=12, show_default=True, help="Pulses for each mark, once found.")
@click.option("--store/--no-store", default=True, help="Keep sensory and motor on the board.")
@click.option("--width", "width_us", type=float, help="us, of what the thresholds are for.")
def x02(
    out: Path | None, answers: int, store: bool, width_us: float | None, **where: Any
) -> None:
    """Thresholds: what is felt, what twitches, what moves as it should."""
    from rheobase.instrument import tests

    with at(**where) as place:
        found = tests.thresholds(
            place.stimulator, place.number, place.ask, answers=answers, store=store,
            width_us=width_us, report=click.echo, arm=place.arm,
        )  # fmt: skip
    if store:
        click.echo(f"stored for channel {place.number}: sensory and motor")
    _written(out, {"test": "X02", "marks": [vars(one) for one in found]})


@test.command()
@options
@click.option("--precision", default=3.0, show_default=True,
              help="Half the 99 % interval of rheobase and chronaxie at which it ends, in %.")
@click.option("--most-pulses", default=1500, show_default=True,
              help="It ends after so many, and says what is not certain enough.")
@click.option("--width", "widths_us", type=int, multiple=True,
              default=(1000, 700, 500, 300, 200, 100, 50), help="us; several for several.")
@click.option("--most", "most_ma", type=float, help="Ceiling in mA in place of the program's.")
@click.option("--picture", type=click.Path(path_type=Path), help="Draw the fitted curve.")
def x03(
    out: Path | None, precision: float, most_pulses: int, widths_us: tuple[int, ...],
    most_ma: float | None, picture: Path | None, **where: Any,
) -> None:  # fmt: skip
    """Strength-duration curve: rheobase and chronaxie by Weiss and by Lapicque."""
    from rheobase.instrument import tests

    with at(**where) as place:
        found = tests.strength_duration(
            place.stimulator, place.number, place.ask, widths_us=widths_us,
            precision=precision / 100, most_pulses=most_pulses, most_ma=most_ma,
            report=click.echo, arm=place.arm,
        )  # fmt: skip
    click.echo(f"{found.pulses} pulses")
    for name, law in (("Weiss", found.weiss), ("Lapicque", found.lapicque)):
        click.echo(
            f"{name:9} rheobase {law.rheobase_ma:.2f} mA +-{law.rheobase_error:.1%}  "
            f"chronaxie {law.chronaxie_us:.0f} us +-{law.chronaxie_error:.1%}  "
            f"residual {law.residual:.1%}"
        )
    if found.doubts:
        click.echo(f"not certain enough: {', '.join(found.doubts)} (99 %)")
    _written(out, {"test": "X03", **found.as_dict()})
    if picture is not None:
        from rheobase.instrument.picture import draw

        draw(found, picture)
        click.echo(f"written: {picture}")


@test.command()
@options
@click.option("--current", "-c", "current_ma", type=float, required=True, help="mA.")
@click.option("--duration", "-d", "duration_s", type=float, help="s; default that of X04.")
@click.option("--force-port", help="Serial port that sends the force, a number on each line.")
def x04(
    out: Path | None, current_ma: float, duration_s: float | None, force_port: str | None,
    **where: Any,
) -> None:  # fmt: skip
    """Fatigue: a contraction a second, and how much of its force is left."""
    from rheobase.instrument import tests

    with at(**where) as place, _force(place, force_port) as force:
        found = tests.fatigue(
            place.stimulator, place.number, current_ma, force, duration_s=duration_s,
            report=click.echo, arm=place.arm,
        )  # fmt: skip
    _written(out, {"test": "X04", "index": found.index, **vars(found)})


@contextmanager
def _force(place: Place, port: str | None) -> Iterator[Callable[[], float]]:
    nerve, clock = place.nerve, place.stimulator.clock
    if nerve is not None:
        yield lambda: nerve.force(clock.monotonic())
        return
    if port is None:
        raise click.UsageError("--force-port: what measures the force")
    import serial

    with serial.Serial(port, 115_200, timeout=0.02) as line:
        last = 0.0

        def read() -> float:
            nonlocal last
            while line.in_waiting:
                try:
                    last = float(line.readline())
                except ValueError:
                    continue  # half a line, at the start
            return last

        yield read
