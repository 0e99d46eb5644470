"""The stimulator as a Python object over its serial line."""

from rheobase.client.channel import Channel
from rheobase.client.climb import Climb
from rheobase.client.configuration import Configuration
from rheobase.client.errors import (
    LinkError,
    PortError,
    ResetError,
    RheobaseError,
    StimulatorError,
)
from rheobase.client.fault_log import Box, BoxEvent, BoxPulse, FaultLog, LogRecord
from rheobase.client.measured import Measured
from rheobase.client.session import Session
from rheobase.client.stimulator import Stimulator
from rheobase.client.told import Ceiling, Fault, Identity, Moved, Progress, State

__all__ = [
    "Box",
    "BoxEvent",
    "BoxPulse",
    "Ceiling",
    "Channel",
    "Climb",
    "Configuration",
    "Fault",
    "FaultLog",
    "Identity",
    "LinkError",
    "LogRecord",
    "Measured",
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
