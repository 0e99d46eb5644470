"""What only the start needs leaves memory: how each single object is made.

Imported for that alone. Whatever would make one of them a second time raises TypeError.
"""

from firmware.app import App
from firmware.core.expectation import Expectation
from firmware.core.grid import Grid
from firmware.core.line import Line
from firmware.core.scheduler import Scheduler
from firmware.core.tape import TapeWriter
from firmware.core.timing import Timing
from firmware.hal.board_io import BoardIO
from firmware.hal.console import Console
from firmware.hal.player_rp2 import Player
from firmware.hal.reset_rp2 import Reset
from firmware.hal.sense_rp2 import Sense
from firmware.hal.store import Store
from firmware.hal.watchdog_rp2 import Watchdog
from firmware.remote.commands import Commands, Memory, Programs
from firmware.remote.status import StatusReporter
from firmware.safety.approval import Approval
from firmware.safety.blackbox import BlackBox
from firmware.safety.engine import Engine
from firmware.safety.intensity import Intensity, Lock
from firmware.safety.link import Link
from firmware.safety.monitor import Monitor
from firmware.safety.playing import Play
from firmware.safety.states import StateMachine
from firmware.safety.stimulator import Stimulator
from firmware.safety.storage import Storage
from firmware.safety.supervisor import Supervisor
from firmware.safety.trial import Trial
from firmware.safety.watch import Watch
from scpi.checked import Checked
from scpi.instrument import Instrument
from scpi.interpreter import Interpreter
from scpi.lines import LineAssembler
from scpi.status import Register, Status
from scpi.table import Table


def forget(stimulator):
    """After the start, and after the engine was made."""
    stimulator.engine  # noqa: B018  # makes it, if a fault came first
    for one in (
        App, Approval, BlackBox, BoardIO, Checked, Commands, Console, Engine, Expectation, Grid,
        Instrument, Intensity, Interpreter, Line, LineAssembler, Link, Lock, Memory, Monitor,
        Play, Player, Programs, Register, Reset, Scheduler, Sense, StateMachine,
        Status, StatusReporter, Stimulator, Storage, Store, Supervisor, Table, TapeWriter, Timing,
        Trial, Watch, Watchdog,
    ):  # fmt: skip
        one.__init__ = None  # type: ignore  # MicroPython keeps what is deleted
    Commands.instrument = Interpreter.add = None  # type: ignore
    Player._levels_off = Player._make_list = None  # type: ignore
