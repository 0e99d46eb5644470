"""The stimulator as a Python object over its serial line."""

from rheobase.client.climb import Climb
from rheobase.client.errors import (
    LinkError,
    PortError,
    ResetError,
    RheobaseError,
    StimulatorError,
)
from rheobase.client.stimulator import (
    Ceiling,
    Channel,
    Fault,
    Identity,
    Moved,
    Progress,
    Session,
    State,
    Stimulator,
)

__all__ = [
    "Ceiling",
    "Channel",
    "Climb",
    "Fault",
    "Identity",
    "LinkError",
    "Moved",
    "PortError",
    "Progress",
    "ResetError",
    "RheobaseError",
    "Session",
    "State",
    "Stimulator",
    "StimulatorError",
]
