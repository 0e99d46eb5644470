"""Short private names for the device: the same program, and nobody meets a stranger."""

from rheobase.shortening import shortened

ONE = '''"""About _one."""
import time
from lib.two import Base, _helper


class A(Base):
    def __init__(self):
        self._first = self._second = 0
        self._named = _helper(self._first, _key=1)
        self._shown = getattr(self, "_named")
        time._foreign = 1

    def _third(self):
        return f"{self._second}", self._fourth
'''
TWO = '''
_count = 0


def _helper(value, _key):
    global _count
    _count += value + _key
    return _count


class Base:
    def __init__(self):
        self._fourth = 4
'''
THREE = "def _other(_this):\n    _that = _this\n    return _that\n"


def made():
    return shortened({"a/one.py": ONE, "lib/two.py": TWO, "lib/three.py": THREE})


def names(text):
    return {word.strip("(),:.={}") for word in text.replace(".", " ").replace("(", " ").split()}


def test_names_in_strings_and_f_strings_stay_and_docstrings_do_not_matter():
    text = made()["a/one.py"]
    assert '"""About _one."""' in text
    assert 'getattr(self, "_named")' in text and "self._named = " in text
    assert 'f"{self._second}"' in text and "self._second = 0" in text
    assert "_first" not in text and "_third" not in text and "_shown" not in text


def test_a_name_is_the_same_everywhere_and_differs_from_those_it_meets():
    files = made()
    helper = files["lib/two.py"].split("def ")[1].split("(")[0]
    assert helper.startswith("_") and helper[1:].isdigit()
    assert f"import Base, {helper}\n" in files["a/one.py"]
    inherited = files["lib/two.py"].split("self.")[1].split(" ")[0]
    own = {line.split("self.")[1].split(" ")[0] for line in files["a/one.py"].split("\n")
           if "self." in line and " = " in line}
    assert inherited not in own
    assert f"self.{inherited}\n" in files["a/one.py"]


def test_short_names_are_used_again_where_they_do_not_meet():
    files = made()
    assert names(files["lib/three.py"]) & names(files["lib/two.py"]) >= {"_0"}
    assert [text.count("\n") for text in files.values()] == [
        text.count("\n") for text in (ONE, TWO, THREE)
    ]


def test_the_program_still_does_the_same():
    scope = {}
    exec(made()["lib/two.py"], scope)
    helper = made()["lib/two.py"].split("def ")[1].split("(")[0]
    key = made()["a/one.py"].split("self._named = ")[1].split(", ")[1].split("=")[0]
    assert scope[helper](2, **{key: 1}) == 3
    assert scope[helper](0, **{key: 1}) == 4
