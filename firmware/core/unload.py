"""Lends code: what is needed only while the output is off leaves memory before the output is on.

A module stays for good if it was there at `stay()` or is named to it. Every other one is lent:
while the output is off it may stay for its next use, and `lend(False)` takes all of them back in
one place; from then on each goes right behind its use. A module whose functions somebody still
holds only loses its name.
"""

import gc
import sys

_OURS = ("firmware", "scpi")  # nothing else is ever taken out of sys.modules
_HOLES = 300  # pairs of small holes between what stays
_MOST = 24  # lent at a time; memory must hold them beside all that stays

_stays: set = set()
_lending = [False]


def stay(name=None):
    """All modules of now stay for good, or one that is imported now with all that it brings."""
    if name:
        there = set(sys.modules)
        __import__(name)
        _stays.update(set(sys.modules) - there, (name,))
    else:
        _stays.update(sys.modules)


def lend(on):
    """Whether borrowed modules may stay for their next use; if not, they go now."""
    _lending[0] = on
    if not on:
        give_back()


def give_back():
    """Forget every module that does not stay."""
    if _stays:
        for name in list(sys.modules):
            if name not in _stays and name.split(".")[0] in _OURS:
                unload(name)


def collect():
    """Collect garbage, and fill the small holes with new: whatever is larger, a function's frame
    too, is sought across all of them, 0.3 ms for each."""
    gc.collect()
    for _ in range(_HOLES):
        []  # noqa: B018


def unload(name):
    """Forget an imported module, so that its code can be collected; unknown names are ignored."""
    if name in sys.modules:
        del sys.modules[name]
    package, _, last = name.rpartition(".")
    parent = sys.modules.get(package)
    if parent is not None and hasattr(parent, last):
        delattr(parent, last)


def fetch(*names):
    """Import modules that are about to be borrowed, each after those it imports itself.

    The stack is short: an import from within another one may be one too many.
    """
    for name in names:
        _imported(name, "__name__")


def borrow(module, name, *values):
    """Call a function of a module that is imported for it."""
    try:
        return getattr(_imported(module, name), name)(*values)
    finally:
        if not _stays:
            unload(module)
        elif not _lending[0] or len(sys.modules) > len(_stays) + _MOST:
            give_back()


def _imported(module, name):
    try:
        return __import__(module, None, None, (name,))
    except MemoryError:  # what else was lent has to go first
        give_back()
        return __import__(module, None, None, (name,))
