"""What is compiled for the device: marked functions become native or viper, no more."""

from rheobase.build import ROOT, device_source

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
