"""What is wired to the virtual board's pins: supply, bridges, electrodes, trip, switches."""

from rheobase.sim.bench.bench import Bench
from rheobase.sim.bench.inputs import Chip
from rheobase.sim.bench.loads import LOADS, Load
from rheobase.sim.bench.recorder import Event, Phase, Recorder
from rheobase.sim.bench.wiring import Wiring

__all__ = ["LOADS", "Bench", "Chip", "Event", "Load", "Phase", "Recorder", "Wiring"]
