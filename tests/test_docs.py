"""The parts of docs/ that are made from tables say what the tables say."""

import re

from units import Anything

from firmware.remote.commands import Commands
from rheobase import docs
from scpi.check import check
from scpi.instrument import CHECKED, STANDARD
from scpi.listing import rows
from scpi.table import Table

TEST_FILE = re.compile(r"`(tests/[\w*]+\.py)`")


def test_made_parts_are_up_to_date():
    assert docs.stale() == [], "run python -m rheobase.docs"


def test_a_changed_table_is_seen(monkeypatch):
    monkeypatch.setitem(docs.LIMITS, "arm_ms", (61_000, "ms", "no"))
    assert [page.name for page in docs.stale()] == ["safety.md"]


def all_rows():
    return [row for table in Commands(Anything(), None, None).tables() for row in rows(table)]


def test_no_two_commands_can_be_meant_by_the_same_words():
    own = [Table(text, None) for text in (STANDARD, CHECKED)]
    check(*own, *Commands(Anything(), None, None).tables())


def test_every_command_of_the_tree_is_in_the_page():
    page = (docs.ROOT / "docs" / "commands.md").read_text().replace("\\|", "|")
    for row in all_rows():
        header = row[0].replace("[:", "[", 1) if row[0][0] == "[" else row[0].lstrip(":")
        head = header.split(":")[0] if header.startswith(("MEAS", "FAUL")) else header
        assert head in page, header


def test_every_test_that_a_page_names_exists():
    pages = [docs.ROOT / "README.md", *(docs.ROOT / "docs").glob("*.md")]
    named = [(page, name) for page in pages for name in TEST_FILE.findall(page.read_text())]
    assert len(named) > 5
    for page, name in named:
        assert list(docs.ROOT.glob(name)), f"{page.name} names {name}"
