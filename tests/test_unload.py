"""Lent modules: they stay while the output is off, and go in one place before it is on."""

import gc
import sys
from types import SimpleNamespace

import pytest

from firmware.core import unload

LENT = "firmware.core.inspector_reasons"


@pytest.fixture(autouse=True)
def clean():
    """No module of the tests' own counts as lent, before and after."""
    unload.unload(LENT)
    unload.stay()
    yield
    unload._stays.clear()
    unload._lending[0] = False


def told():
    return unload.borrow(LENT, "why_refused", 3)


def test_a_lent_module_stays_while_it_may_and_goes_when_it_is_taken_back():
    unload.lend(True)
    assert told()
    assert LENT in sys.modules
    unload.lend(False)
    assert LENT not in sys.modules


def test_with_the_output_on_it_goes_behind_its_use():
    unload.lend(False)
    assert told()
    assert LENT not in sys.modules


def test_what_is_named_stays_and_nothing_of_others_is_touched():
    unload.stay(LENT)
    others = {name for name in sys.modules if not name.startswith("firmware")}
    unload.lend(True)
    told()
    unload.lend(False)
    assert LENT in sys.modules
    assert others <= set(sys.modules)


def test_what_is_fetched_ahead_is_lent_too():
    unload.lend(True)
    unload.fetch(LENT)
    assert LENT in sys.modules
    unload.give_back()
    assert LENT not in sys.modules


def test_a_full_memory_takes_back_what_is_lent_and_tries_again(monkeypatch):
    import builtins

    real = builtins.__import__
    tries = []

    def short(name, *values):
        if name == LENT:
            tries.append(LENT)
            if len(tries) == 1:
                raise MemoryError
        return real(name, *values)

    unload.lend(True)
    unload.fetch("firmware.core.course")
    monkeypatch.setattr(builtins, "__import__", short)
    assert told()
    monkeypatch.undo()
    assert len(tries) == 2


def test_a_collection_is_followed_by_small_pieces_that_nobody_keeps(monkeypatch):
    did = []
    monkeypatch.setattr(unload, "gc", SimpleNamespace(collect=lambda: did.append("collect")))
    before = len(gc.get_objects())
    unload.collect()
    assert did == ["collect"] and abs(len(gc.get_objects()) - before) < 100
