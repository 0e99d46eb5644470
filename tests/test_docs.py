"""The parts of docs/ that are made from tables say what the tables say."""

import re

from units import Anything

from firmware.remote.commands import Commands
from rheobase import docs
from scpi.check import check
from scpi.common import STANDARD_COMMANDS

TEST_FILE = re.compile(r"`(tests/[\w*]+\.py)`")


def test_made_parts_are_up_to_date():
    assert docs.stale() == [], "run python -m rheobase.docs"


def test_a_changed_table_is_seen(monkeypatch):
    monkeypatch.setitem(docs.LIMITS, "arm_ms", (61_000, "ms", "no"))
    assert [page.name for page in docs.stale()] == ["safety.md"]


def all_rows():
    return [row for table in Commands(Anything(), None).tables() for row in table]


def test_no_two_commands_can_be_meant_by_the_same_words():
    check([*STANDARD_COMMANDS, *all_rows()])


def test_every_command_of_the_tree_is_in_the_page():
    page = (docs.ROOT / "docs" / "commands.md").read_text().replace("\\|", "|")
    for row in all_rows():
        head = row[0].split(":")[0] if row[0].startswith(("MEAS", "FAUL")) else row[0]
        assert head in page, row[0]


def test_every_test_that_a_page_names_exists():
    pages = [docs.ROOT / "README.md", *(docs.ROOT / "docs").glob("*.md")]
    named = [(page, name) for page in pages for name in TEST_FILE.findall(page.read_text())]
    assert len(named) > 5
    for page, name in named:
        assert list(docs.ROOT.glob(name)), f"{page.name} names {name}"
