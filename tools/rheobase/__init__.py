"""Host tools of Rheobase: client, command line, virtual board, plots, emulator.

`rheobase.Stimulator` and the client's other names are imported when they are first used, so that
a tool that needs no serial port doesn't load it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rheobase.client import (
        LinkError,
        PortError,
        RheobaseError,
        State,
        Stimulator,
        StimulatorError,
    )

__all__ = [
    "LinkError",
    "PortError",
    "RheobaseError",
    "State",
    "Stimulator",
    "StimulatorError",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from rheobase import client

        return getattr(client, name)
    raise AttributeError(f"module 'rheobase' has no attribute {name!r}")
