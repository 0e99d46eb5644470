"""How the port converts arguments."""

from __future__ import annotations

from operator import index
from types import ModuleType
from typing import Any

MASK = 0xFFFFFFFF


def as_int(value: Any) -> int:
    """An integer, or TypeError (floats and strings are not converted)."""
    if type(value) is int:
        return value
    try:
        return index(value)
    except TypeError:
        raise TypeError(f"can't convert {type(value).__name__} to int") from None


def module(name: str, names: dict[str, Any]) -> ModuleType:
    """A module with just these names."""
    made = ModuleType(name)
    made.__dict__.clear()
    made.__dict__["__name__"] = name
    made.__dict__.update(names)
    return made
