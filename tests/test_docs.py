"""The pages of docs/ that are made from tables say what the tables say."""

from rheobase import docs


def test_made_pages_are_up_to_date():
    for path, text in docs.pages().items():
        assert path.read_text() == text, f"{path.name}: run python -m rheobase.docs"


def test_every_command_of_the_tree_is_in_the_page():
    from firmware.remote.commands import Commands

    class Anything:
        def __getattr__(self, name):
            return self

        def __call__(self, *args):
            return self

    page = docs.commands_page().replace("\\|", "|")
    for row in Commands(Anything()).rows():
        head = row[0].split(":")[0] if row[0].startswith(("MEAS", "FAUL")) else row[0]
        assert head in page, row[0]
