"""The parts of docs/ that are made from tables say what the tables say."""

from rheobase import docs


def test_made_parts_are_up_to_date():
    assert docs.stale() == [], "run python -m rheobase.docs"


def test_a_changed_table_is_seen(monkeypatch):
    monkeypatch.setitem(docs.LIMITS, "peak_ua", (121_000, "uA", "no"))
    assert [page.name for page in docs.stale()] == ["safety.md"]


def test_every_command_of_the_tree_is_in_the_page():
    from firmware.remote.commands import Commands

    class Anything:
        def __getattr__(self, name):
            return self

        def __call__(self, *args):
            return self

    page = (docs.ROOT / "docs" / "commands.md").read_text().replace("\\|", "|")
    for row in Commands(Anything()).rows():
        head = row[0].split(":")[0] if row[0].startswith(("MEAS", "FAUL")) else row[0]
        assert head in page, row[0]
