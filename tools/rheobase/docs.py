"""Writes the parts of docs/ that are made from the firmware's own tables.

    python -m rheobase.docs          writes them
    python -m rheobase.docs --check  ends with 1 if one differs from its tables

A made part stands between `<!-- made: NAME -->` and `<!-- end -->`.
"""

from __future__ import annotations

import csv
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "lib")]

from firmware.core.limits import LIMITS  # noqa: E402
from firmware.core.settings import CHANNEL, SESSION, Fields, words_of  # noqa: E402
from firmware.safety import config  # noqa: E402
from firmware.safety.faults import SEVERITIES, severity  # noqa: E402
from firmware.safety.reasons import REASONS as FAULTS  # noqa: E402
from firmware.safety.states import NAMES, TABLE  # noqa: E402
from rheobase.bench_test.steps import steps  # noqa: E402
from rheobase.checklist import D1  # noqa: E402
from rheobase.cli import main as main_command  # noqa: E402
from rheobase.deploy.boards import BOARDS  # noqa: E402
from rheobase.programs import page as library  # noqa: E402
from scpi.refusals import describe  # noqa: E402

MADE = re.compile(r"(<!-- made: (.*?) -->\n).*?(<!-- end -->)", re.DOTALL)


def table(heads: str, rows: list[str]) -> str:
    columns = heads.count("|") - 1
    return "\n".join([heads, "|" + "---|" * columns, *rows]) + "\n"


def shown(field: tuple, value: int) -> str:
    """A settings value for a reader."""
    name, _, scale, unit = field[:4]
    if field[9] and value == 0:
        return field[9]
    if scale is None:
        return words_of(name)[value]
    return describe(value, -scale, unit or None)


def span(field: tuple) -> str:
    name, scale, low, high = field[0], field[2], field[4], field[5]
    if scale is None:
        return ", ".join(words_of(name))
    text = f"{shown(field, low)} to {shown(field, high)}"
    return f"{text}, or {field[9]}" if field[9] else text


def settings(prefix: str, fields: Fields) -> str:
    rows = [
        f"| `{prefix}{field[1]}` | {span(field)} | {shown(field, field[6])} "
        f"| {'yes' if field[7] else ''} | {field[8]} |"
        for field in fields
    ]
    return table("| header | range | default | live | meaning |", rows)


def configuration() -> str:
    rows = [
        f"| `{field[0]}{ending}` | {field[1]} to {field[2]} | {field[3]} "
        f"| {'yes' if field[4] == config.CLINICIAN else ''} | {field[5]} |"
        for fields, ending in ((config.CHANNEL, "_1`, `_2"), (config.BOARD, ""))
        for field in fields
    ]
    return table("| field | range | default | clinician's | meaning |", rows)


def states() -> str:
    rows = [f"| {NAMES[a]} | {event} | {NAMES[b]} |" for (a, event), b in TABLE.items()]
    rows += ["| any | fault | FAULT |", "| ARMED, RUNNING, PAUSED | stop | IDLE |"]
    return table("| from | event | to |", rows)


def limits() -> str:
    rows = [f"| {name} | {row[0]} | {row[1]} | {row[2]} |" for name, row in LIMITS.items()]
    return table("| limit | value | unit | source |", rows)


def bench() -> str:
    rows = [f"| `{step.key}` | {step.title} | {step.promise} |" for step in steps()]
    return table("| step | | promise |", rows)


def boards() -> str:
    rows = [
        f"| `{b.name}` | {b.title} | {b.march} | {b.missing and 'no: ' + b.missing or 'yes'} |"
        for b in BOARDS.values()
    ]
    return table("| BOARD | board | compiled for | the firmware runs |", rows)


def contraindications() -> str:
    return "\n".join(
        f"**{title}:** {'; '.join(entries)}.\n" for title, entries in D1.groups
    )


def command_line() -> str:
    rows = []
    for name, command in main_command.commands.items():
        inner = getattr(command, "commands", {})
        more = f" `{'`, `'.join(sorted(inner))}`" if inner else ""
        about = (command.help or "").split("\n\n")[0].replace("\n", " ")
        rows.append(f"| `rheobase {name}`{more} | {about} |")
    return table("| command | |", rows)


def mutation() -> str:
    """What `make mutation RECORD=1` has found of each file, as it stands in its table."""
    rows = []
    with (ROOT / "tests" / "mutation" / "measured.csv").open() as file:
        for row in csv.DictReader(file):
            tried, killed, accepted = (int(row[n]) for n in ("tried", "killed", "accepted"))
            share = f"{100 * killed / tried:.0f} %"
            new = tried - killed - accepted
            name = row["file"].removeprefix("firmware/")
            rows.append(
                f"| `{name}` | {tried} of {row['changes']} | {share} | {accepted} | {new} |"
            )
    return table("| file | tried | noticed | not, with a reason | not, without |", rows)


PARTS = {
    "command line": command_line,
    "checklist": contraindications,
    "channel settings": lambda: settings("[SOURce[1\\|2]]:", CHANNEL),
    "session settings": lambda: settings("SESSion:", SESSION),
    "faults": lambda: table(
        "| number | reason | severity |",
        [
            f"| {number} | {text} | {SEVERITIES[severity(number)]} |"
            for number, text in FAULTS.items()
        ],
    ),
    "configuration": configuration,
    "states": states,
    "limits": limits,
    "mutation": mutation,
    "bench": bench,
    "boards": boards,
    "programs": library.programs,
    "classes": library.classes_table,
    "words": library.words,
    "overview": library.overview,
}


def made(text: str) -> str:
    """A page with its made parts as the tables have them now."""
    return MADE.sub(lambda part: part[1] + PARTS[part[2]]() + part[3], text)


def stale() -> list[Path]:
    """The pages whose made parts differ from the tables."""
    pages = sorted((ROOT / "docs").glob("*.md"))
    return [page for page in pages if made(page.read_text()) != page.read_text()]


def main() -> int:
    pages = stale()
    for page in pages:
        if "--check" in sys.argv:
            print(f"{page.relative_to(ROOT)} differs from the tables: python -m rheobase.docs")
        else:
            page.write_text(made(page.read_text()))
            print(page.relative_to(ROOT))
    return 1 if pages and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
