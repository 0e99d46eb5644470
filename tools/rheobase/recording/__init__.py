"""Reading the record of a run: phases, pulses, current, and files of them for other tools."""

from rheobase.recording.current import current_points
from rheobase.recording.pulses import Leg, Pairing, Pulse, legs, phases, pulses, stream
from rheobase.recording.table import PulseTable, write_csv
from rheobase.recording.vcdfile import write_vcd

__all__ = [
    "Leg",
    "Pairing",
    "Pulse",
    "PulseTable",
    "current_points",
    "legs",
    "phases",
    "pulses",
    "stream",
    "write_csv",
    "write_vcd",
]
