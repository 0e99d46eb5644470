"""Gives back the memory of a module that was imported for one task."""

import sys


def unload(name):
    """Forget an imported module, so that its code can be collected; unknown names are ignored."""
    if name in sys.modules:
        del sys.modules[name]
    package, _, last = name.rpartition(".")
    parent = sys.modules.get(package)
    if parent is not None and hasattr(parent, last):
        delattr(parent, last)


def borrow(module, name, *values):
    """Call a function of a module that is imported for this call and forgotten behind it."""
    try:
        return getattr(__import__(module, None, None, (name,)), name)(*values)
    finally:
        unload(module)
