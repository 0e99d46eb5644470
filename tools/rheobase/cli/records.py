"""`rheobase records` and `rheobase checklist`."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from rheobase.records import schedule
from rheobase.records.adherence import weeks
from rheobase.records.record import Record, Shelf

folder_option = click.option(
    "--folder",
    type=click.Path(path_type=Path),
    envvar="RHEOBASE_RECORDS",
    default=lambda: Path(click.get_app_dir("rheobase")) / "records",
    show_default="records in the application's folder",
    help="Where the records are (or set RHEOBASE_RECORDS).",
)


def _found(folder: Path, id: str) -> Record:
    try:
        return Shelf(folder).get(id)
    except (KeyError, ValueError) as error:
        raise click.ClickException(str(error.args[0])) from error


@click.group()
def records() -> None:
    """Records of sessions that were played with `run`. No personal data is in them."""


@records.command("list")
@folder_option
def list_them(folder: Path) -> None:
    """All records, oldest first."""
    kept = Shelf(folder).all()
    if not kept:
        click.echo(f"no records in {folder}")
        return
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("id", no_wrap=True)  # it has to be typed again
    for name in ("programs", "played", "outcome", "highest mA", "charge mC", "notes"):
        table.add_column(name)
    for record in kept:
        table.add_row(
            record.id,
            " ".join(program for program in record.programs if program) or record.mode,
            f"{record.played_s:.0f} of {record.planned_s:g} s",
            record.outcome,
            f"{max((row.peak_ma for row in record.rows), default=0):.1f}",
            f"{sum(row.charge_uc for row in record.rows) / 1e3:.2f}",
            str(len(record.notes)),
        )
    Console().print(table)


@records.command()
@click.argument("id")
@click.option("--as", "form", type=click.Choice(("json", "csv")), default="json")
@folder_option
def show(id: str, form: str, folder: Path) -> None:
    """A record by its ID, or `last`: all of it as JSON, or what was delivered as CSV."""
    record = _found(folder, id)
    click.echo(record.csv() if form == "csv" else record.json(), nl=False)


@records.command("add-note")
@click.argument("id")
@click.argument("note", required=False)
@click.option("--skin-before", help="What the skin looked like before.")
@click.option("--skin-after", help="What the skin looked like after.")
@folder_option
def add_note(
    id: str, note: str | None, skin_before: str | None, skin_after: str | None, folder: Path
) -> None:
    """Add a NOTE to a record, or what the skin looked like."""
    if not (note or skin_before or skin_after):
        raise click.UsageError("a NOTE, --skin-before or --skin-after")
    record = _found(folder, id)
    if note:
        record.notes.append(note)
    record.skin_before = skin_before or record.skin_before
    record.skin_after = skin_after or record.skin_after
    Shelf(folder).put(record)


@records.command()
@click.option("--per-week", type=click.IntRange(1, 50), default=3, show_default=True)
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="Default today.")
@folder_option
def adherence(per_week: int, until: click.DateTime | None, folder: Path) -> None:
    """Sessions by week against a schedule of --per-week."""
    last = until.date() if until else date.today()  # type: ignore[attr-defined]
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in ("week from", "done", "begun", "of", "share"):
        table.add_column(name)
    found = weeks(Shelf(folder).all(), per_week, last)
    for week in found:
        table.add_row(
            week.monday.isoformat(), str(week.done), str(week.begun), str(per_week),
            f"{week.share:.0%}",
        )  # fmt: skip
    console = Console()
    console.print(table)
    if found:
        console.print(f"adherence {sum(week.share for week in found) / len(found):.0%}")


@records.command()
@click.option("--from", "first", type=click.DateTime(["%Y-%m-%d"]), help="Default today.")
@click.option("--weeks", "length", type=int, help="For how many weeks.")
@click.option("--days", help="Weekdays, such as mon,wed,fri.")
@click.option("--program", "programs", multiple=True, help="Default any.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="Look from then; default today.")
@click.option("--as", "form", type=click.Choice(("table", "csv", "json")), default="table")
@folder_option
def plan(
    first: click.DateTime | None, length: int | None, days: str | None,
    programs: tuple[str, ...], until: click.DateTime | None, form: str, folder: Path,
) -> None:  # fmt: skip
    """The plan of sessions: made with --weeks and --days, else told with what became of it."""
    today = until.date() if until else date.today()  # type: ignore[attr-defined]
    try:
        if length or days:
            begin = first.date() if first else today  # type: ignore[attr-defined]
            names = [day.strip().lower() for day in (days or "").split(",") if day.strip()]
            made = schedule.Plan(begin.isoformat(), length or 0, names, list(programs))
            made.save(folder)
        else:
            kept = schedule.Plan.load(folder)
            if kept is None:
                raise click.ClickException(f"no plan in {folder}: --weeks 6 --days mon,wed,fri")
            made = kept
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    found = schedule.outcomes(made, Shelf(folder).all(), today)
    if form == "json":
        click.echo(schedule.as_json(made, found))
    elif form == "csv":
        click.echo(schedule.as_csv(found), nl=False)
    else:
        _planned(made, found)


def _planned(made: schedule.Plan, found: list[schedule.Planned]) -> None:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in ("week from", *made.days):
        table.add_column(name)
    for week in sorted({one.day - timedelta(days=one.day.weekday()) for one in found}):
        row = {one.day.weekday(): one.outcome for one in found if 0 <= (one.day - week).days < 7}
        cells = [row.get(schedule.DAYS.index(day), "") for day in made.days]
        table.add_row(week.isoformat(), *cells)
    console = Console()
    console.print(table)
    done = schedule.share(found)
    programs = " ".join(made.programs) or "any program"
    told = "nothing due yet" if done is None else f"adherence {done:.0%}"
    console.print(f"{len(found)} sessions of {programs}: {told}")


@click.command()
@click.argument("number", default="D1")
def checklist(number: str) -> None:
    """The contraindications, to be read before every session.

    `run --checklist` says that they were.
    """
    from rheobase import checklist as texts

    try:
        click.echo(texts.checklist(number).text(), nl=False)
    except KeyError as error:
        raise click.ClickException(str(error.args[0])) from error
