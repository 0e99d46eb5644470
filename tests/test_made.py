"""What the start alone needs is forgotten behind it: nothing makes such an object later."""

import ast
from pathlib import Path

import pytest
from rig import Rig, with_change

ROOT = Path(__file__).resolve().parents[1]
MADE = ROOT / "firmware" / "made.py"
AT_START = {"instrument", "tables", "__getattr__"}  # of Stimulator: forget() asks for it


def forgotten():
    """Classes whose constructors firmware/made.py forgets, and single methods."""
    tree = ast.parse(MADE.read_text())
    loop = next(node for node in ast.walk(tree) if isinstance(node, ast.For))
    classes = {name.id for name in loop.iter.elts}
    methods = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
    }
    return classes, methods - {"__init__"}


def calls_in(tree, within=()):
    """(what is called, the functions and classes around it) of a source."""
    for node in ast.iter_child_nodes(tree):
        inner = within
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            inner = (*within, node.name)
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), inner
        yield from calls_in(node, inner)


def test_nothing_that_runs_later_makes_what_is_forgotten():
    classes, methods = forgotten()
    seen = set()
    for folder in ("firmware", "lib"):
        for path in (ROOT / folder).rglob("*.py"):
            for call, within in calls_in(ast.parse(path.read_text())):
                owner, _, name = call.rpartition(".")
                ours = owner in ("self", "self.interpreter") or owner.startswith("Commands(")
                method = name in methods and ours
                if not method and (name not in classes or owner == "rp2"):
                    continue
                seen.add(name)
                at_start = within[-1] in AT_START or (
                    within[-1] == "__init__" and within[0] in classes
                )
                assert at_start, f"{path.name} calls {name} in {within}"
    assert seen == (classes | methods) - {"App"}


def test_a_second_application_is_refused():
    rig = Rig()
    rig.board.usb.write(b"\x03")
    rig.wait(0.5)
    rig.board.usb.read()
    rig.board.usb.write(b"App(pico_reference)\r\n")
    rig.wait(0.5)
    assert b"TypeError" in rig.board.usb.read()


@pytest.mark.parametrize("word", ["forget", "made"])
def test_a_failing_import_at_the_end_of_the_start_is_a_fault(word):
    files = with_change("/firmware/app.py", '"firmware.made", "forget"',
                        '"firmware.lost", "forget"' if word == "made" else
                        '"firmware.made", "lost"')
    rig = Rig(files=files)
    assert rig.state == "FAULT"
    assert rig.ask("FAUL?") == "6"
