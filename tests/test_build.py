"""What is compiled for the device: marked functions become native or viper, no more."""

import ast

from rheobase.build import ROOT, device_source, files_of_firmware

SOURCE = '"""A module."""\n\nx = 1\n\n\n# native\ndef f(a):\n    return a\n'


def test_marks_become_decorators_behind_the_docstring():
    assert device_source(SOURCE) == (
        '"""A module."""\n\nx = 1\n\n\n@micropython.native\n'
        "def f(a):\n    return a\n"
    )


def test_marked_methods_keep_their_indent_and_words_in_comments_stay():
    source = "class A:\n    # viper\n    def f(self) -> int:\n        # native is fast\n"
    assert "    @micropython.viper\n    def f" in device_source(source)
    assert "        # native is fast" in device_source(source)


def test_a_source_without_marks_is_left_alone():
    assert device_source("x = 1  # native\n") == "x = 1  # native\n"


def test_the_hot_path_is_marked():
    """A mark with a typing error would silently cost the device its speed."""
    for name, least in (("core/inspector.py", 5), ("core/tape.py", 4), ("core/envelope.py", 1)):
        source = (ROOT / "firmware" / name).read_text()
        assert device_source(source).count("@micropython.") >= least


def test_what_nothing_on_the_device_imports_is_not_there():
    """Two modules of lib/scpi are for applications with tables of their own, and for tests."""
    left_out = {"rows", "check"}
    there = {name: text for name, text in files_of_firmware().items() if name.endswith(".py")}
    assert not left_out & {name.removeprefix("lib/scpi/")[:-3] for name in there}
    named = set()
    for name, text in there.items():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom) and node.level + (node.module == "scpi"):
                named |= {node.module, *(alias.name for alias in node.names)}
            elif isinstance(node, ast.ImportFrom):
                named.add(node.module.removeprefix("scpi."))
            elif isinstance(node, ast.Constant) and name.startswith("lib/scpi/"):
                named.add(node.value)  # as borrowed() is told
    assert {"table", "kinds", "listing"} <= named
    assert not left_out & named
