"""Short names for the device: the same program, and nobody meets a stranger."""

import ast
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rheobase.shortening import IN_ROM, short_names, shortened

ONE = '''
import time
from two import Base, _helper, offered


class A(Base):
    def __init__(self):
        self._first = self._second = 0
        self._named = _helper(self._first, _key=1)
        self._shown = getattr(self, "_named")
        time._foreign = offered(1)

    def _third(self):
        return f"{self._second}", self._fourth
'''
TWO = '''
_count = 0


def _helper(value, _key):
    global _count
    _count += value + _key
    return _count


def offered(number, *, power=1):
    return number


class Base:
    def __init__(self):
        self._fourth = 4

    def offer(self, number):
        return offered(number, power=2)
'''
THREE = "import one\ndef _other(_this):\n    _that = _this\n    return _that\n"
SOURCES = {"a/one.py": ONE, "lib/two.py": TWO, "lib/three.py": THREE}


def made():
    return shortened(SOURCES)


def attributes(text):
    return {node.attr for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Attribute)}


def test_names_in_strings_and_those_of_others_stay():
    text = made()["a/one.py"]
    assert "getattr(self, '_named')" in text and "self._named = " in text
    assert "_key=1" in text and "_key" in made()["lib/two.py"]
    assert "_first" not in text and "_second" not in text and "_third" not in text
    assert "import time" in text


def test_an_f_string_uses_the_new_names():
    new = short_names(SOURCES)
    assert f"f'{{self.{new['_second']}}}'" in made()["a/one.py"]


def test_a_name_is_the_same_everywhere_and_differs_from_those_it_meets():
    new = short_names(SOURCES)
    assert f"import {new['Base']}, {new['_helper']}, {new['offered']}\n" in made()["a/one.py"]
    assert f"self.{new['_fourth']} = 4" in made()["lib/two.py"]
    family = [new[name] for name in ("_first", "_second", "_shown", "_third", "_fourth")]
    assert len(set(family)) == len(family) and "_named" not in family
    assert len({new[name] for name in ("Base", "_helper", "offered", "_count")}) == 4


def test_short_names_are_used_again_where_they_do_not_meet():
    new = short_names(SOURCES)
    assert len(set(new.values())) < len(new)


def test_what_modules_define_for_others_can_keep_its_name():
    text = shortened(SOURCES, public=False)["lib/two.py"]
    assert "def offered(" in text and "class Base" in text and "_fourth" not in text


def test_parameters_have_names_in_rom_unless_they_are_passed_by_keyword():
    functions = [n for n in ast.walk(ast.parse(made()["lib/two.py"]))
                 if isinstance(n, ast.FunctionDef)]
    names = [[a.arg for a in n.args.args + n.args.kwonlyargs] for n in functions]
    assert ["value", "_key"] in names and ["value", "power"] in names
    assert all(name in (*IN_ROM, "_key", "power") for name in itertools.chain(*names))


def test_the_program_still_does_the_same():
    scope = {}
    exec(made()["lib/two.py"], scope)
    helper = scope[short_names(SOURCES)["_helper"]]
    assert [helper(2, _key=1), helper(0, _key=1)] == [3, 4]


NAMES = ["_a", "_b", "alpha", "beta", "value", "key", "self", "len", "x"]
FUNCTION = """
{g} = {n}


def {f}({p}, {q}={n}):
    {v} = lambda {w}: ({w}, {p}, {g})
    return [({v}({u}), {q}) for {u} in ({p}, {g})]


class Thing:
    def __init__(self, {p}):
        self.{m} = {p}
        self._other = {f}({p})

    def {m2}(self):
        return self.{m}, self._other, len(self._other)
"""


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_function_still_returns_the_same(data):
    """Names that mean several things, shadow each other, or are words of the ROM already."""
    pick = lambda *out: data.draw(st.sampled_from([n for n in NAMES if n not in out]))  # noqa: E731
    g, f = pick("self", "len"), "_run"
    p = pick("self", "len")
    q = pick("self", "len", p)
    text = FUNCTION.format(
        g=g, f=f, n=data.draw(st.integers(0, 9)), p=p, q=q,
        v=pick("self", "len", p, q, g), w=pick("len"), u=pick("len"), m=pick(), m2="_told",
    )
    sources = {"m.py": text, "n.py": "import m\n"}
    new = short_names(sources)
    before, after = {}, {}
    try:
        exec(text, before)
        expected = before["_run"](5), before["Thing"](6)._told()
    except (TypeError, UnboundLocalError, NameError):
        return  # the source as it stands is none
    exec(shortened(sources)["m.py"], after)
    thing = after[new["Thing"]](6)
    assert (after[new[f]](5), getattr(thing, new["_told"])()) == expected


@pytest.mark.parametrize("mark", ["native", "viper"])
def test_marks_of_fast_functions_stay(mark):
    text = f"# {mark}\ndef _fast(number: int) -> int:\n    return number\n"
    assert shortened({"m.py": text})["m.py"].startswith(f"# {mark}\ndef key(value: int) -> int:")


TABLE = '''
ROWS = b"""
:OUTPut[:STATe] _inner.switch_over inner_state=3 0/OFF|ON
*IDN - told_identity
"""
SPOILT = b"""
:OUTPut left_alone -
no row
"""


class Outer:
    def __init__(self):
        self._inner = Inner()

    def told_identity(self):
        return "me"


class Inner:
    def switch_over(self):
        return 5

    def left_alone(self):
        return borrow("m", "worked_off")


def worked_off():
    return 7


def borrow(module, name):
    return globals()[name]()
'''


def test_a_table_of_commands_and_a_borrowed_function_are_renamed_with_what_they_name():
    new = short_names({"m.py": TABLE, "n.py": "import m\n"})
    after = {}
    exec(shortened({"m.py": TABLE, "n.py": "import m\n"})["m.py"], after)
    rows = after[new["ROWS"]].decode().split("\n")
    assert rows[1].split(" ")[0] == ":OUTPut[:STATe]"
    assert rows[1].split(" ")[2:] == ["inner_state=3", "0/OFF|ON"]  # defined nowhere
    inner, switch = rows[1].split(" ")[1].split(".")
    thing = after[new["Outer"]]()
    assert getattr(getattr(thing, inner), switch)() == 5
    assert getattr(thing, rows[2].split(" ")[2])() == "me"
    assert b"left_alone" in after[new["SPOILT"]]  # it is no table: its words are words
    assert {"told_identity", "switch_over", "worked_off"} <= set(new)
    assert "left_alone" not in new
    assert getattr(getattr(thing, inner), "left_alone")() == 7  # noqa: B009


def test_a_table_of_attributes_is_renamed_with_them():
    text = """
_RANGES = (("least_of_all", 1), ("shown_as_such", 2))


class Rules:
    def __init__(self):
        self.least_of_all = 3
        self.shown_as_such = 4

    def told(self):
        return "shown_as_such", [getattr(self, name) for name, _ in _RANGES]
"""
    sources = {"m.py": text, "n.py": "import m\n"}
    new = short_names(sources)
    after = {}
    exec(shortened(sources)["m.py"], after)
    assert "least_of_all" in new and "shown_as_such" not in new
    thing = after[new["Rules"]]()
    assert getattr(thing, new["told"])() == ("shown_as_such", [3, 4])
