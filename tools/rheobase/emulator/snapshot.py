"""A graph of objects as it is now, put back later into the same objects."""

from __future__ import annotations

import enum
import io
import threading
import types
import weakref
from array import array
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import PurePath
from random import Random
from typing import Any

_Restore = Callable[[], object]

_NEVER_CHANGED = (
    *(int, float, complex, str, bytes, range, slice, type, types.NoneType, types.ModuleType),
    *(enum.Enum, PurePath, property, weakref.ref, types.GenericAlias, types.EllipsisType),
    *(types.CodeType, types.NotImplementedType),
    # What a running process holds stays with it.
    *(threading.Thread, threading.Event, type(threading.Lock()), type(threading.RLock())),
)
_NEVER_PUT_BACK = (types.GeneratorType, types.CoroutineType, io.IOBase)


class Kept:
    """All that can be reached from `roots`, through fields, containers and closures.

    Module globals and class attributes are not followed, nor objects of the types in `apart`.
    Raises TypeError, naming it, for what has a state that can't be written back.
    """

    def __init__(self, roots: Sequence[object], apart: tuple[type, ...] = ()) -> None:
        self._apart = (*apart, Kept)
        self._seen: dict[int, object] = {}
        self._restores: list[_Restore] = []
        found = list(roots)
        while found:
            thing = found.pop()
            if id(thing) in self._seen or isinstance(thing, (*_NEVER_CHANGED, *self._apart)):
                continue
            self._seen[id(thing)] = thing  # alive, so that its id stays its own
            found.extend(self._keep(thing))

    def put_back(self) -> None:
        for restore in self._restores:
            restore()

    def _keep(self, thing: Any) -> Iterable[object]:
        """See to it that `thing` can be put back; what it leads to."""
        if isinstance(thing, _NEVER_PUT_BACK):
            raise TypeError(f"{thing!r:.80} can't be put back")
        if isinstance(thing, (types.FunctionType, types.MethodType, types.BuiltinMethodType)):
            return _led_to_by(thing)
        if isinstance(thing, partial):
            return (thing.func, thing.args, thing.keywords)
        leads: list[object] = []
        if isinstance(thing, (tuple, frozenset)):
            leads += thing
        elif isinstance(thing, (list, deque)):
            leads += self._content(thing, list(thing), thing.extend)
        elif isinstance(thing, (bytearray, array)):
            self._content(thing, thing[:], thing.extend)
        elif isinstance(thing, set):
            leads += self._content(thing, set(thing), thing.update)
        elif isinstance(thing, dict):
            pairs = self._content(thing, dict(thing), thing.update)
            leads += pairs.keys()
            leads += pairs.values()
        elif isinstance(thing, Random):
            self._restores.append(partial(thing.setstate, thing.getstate()))
        elif isinstance(thing, types.CellType):
            leads += self._cell(thing)
        elif not hasattr(thing, "__dict__") and not _slots(thing):
            raise TypeError(f"{type(thing).__name__} {thing!r:.80} can't be put back")
        if hasattr(thing, "__dict__"):
            fields = vars(thing)
            leads += self._content(fields, dict(fields), fields.update).values()
        for name in _slots(thing):
            if hasattr(thing, name):
                value = getattr(thing, name)
                self._restores.append(partial(object.__setattr__, thing, name, value))
                leads.append(value)
        return leads

    def _content(self, container: Any, copy: Any, fill: Callable[[Any], object]) -> Any:
        def restore() -> None:
            if isinstance(container, array):
                del container[:]
            else:
                container.clear()
            fill(copy)

        self._restores.append(restore)
        return copy

    def _cell(self, cell: types.CellType) -> Iterable[object]:
        try:
            value = cell.cell_contents
        except ValueError:  # empty
            return ()
        self._restores.append(partial(setattr, cell, "cell_contents", value))
        return (value,)


def _led_to_by(function: Any) -> Iterable[object]:
    owner = getattr(function, "__self__", None)
    return (*(getattr(function, "__closure__", None) or ()), owner)


def _slots(thing: object) -> list[str]:
    names: list[str] = []
    for kind in type(thing).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        names += (slots,) if isinstance(slots, str) else slots
    return [name for name in names if name not in ("__dict__", "__weakref__")]
