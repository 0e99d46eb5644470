"""mpremote against the firmware with a session running, its Ctrl-C timed to a leg that is high."""

import subprocess
import sys
import time

from rheobase.client import Stimulator, StimulatorError
from rheobase.sim.bench import Bench, Recorder
from rheobase.sim.board import VirtualBoard
from rheobase.sim_port import approve

PATIENCE_S = 60  # only a failing test waits so long
LEGS = 0b1111 << 2
OUTPUTS = 0b111111 << 2


def high_after(clock, clocks, levels):
    """How many clocks after `clock` the outputs fell for good; the edges are two sequences."""
    edges = [edge for edge in zip(clocks, levels, strict=True) if edge[0] > clock]
    falls = next(at for at, level in edges if not level & OUTPUTS)
    assert not any(level & OUTPUTS for at, level in edges if at > falls), "an output rose again"
    return falls - clock


def mpremote(port, *arguments):
    """Run the real program as a user does."""
    command = [sys.executable, "-m", "mpremote", "connect", port, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)


def await_button(stimulator, timeout_s):
    """Wait until the stop button was tried, which the board's bench does by itself."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        try:
            stimulator.arm("0")
        except StimulatorError as refusal:
            if "stop button" not in refusal.text:
                return
        time.sleep(0.1)


def start_session(port, timeout_s=10.0):
    """Channel 1 at 100 Hz, 500 us, 1 mA, for a minute; the port is let go of while it runs."""
    stimulator = Stimulator(port, timeout_s=timeout_s)
    try:
        stimulator.reset()
        stimulator.channel(1).configure(
            enabled=True, rate_hz=100, width_us=500, gap_us=100, on_s=50, off_s=1, ramp_up_s=0
        )
        stimulator.session.duration_s = 60
        stimulator.session.standalone = True
        approve(stimulator)
        await_button(stimulator, timeout_s)
        stimulator.arm(wait_s=timeout_s)
        stimulator.start()
        stimulator.channel(1).current_ma = 1
        deadline = time.monotonic() + timeout_s
        while stimulator.channel(1).pulses < 5 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert stimulator.state == "RUNNING"
    finally:
        stimulator.close()


class InterruptedInAPhase:
    """The real firmware; the first `byte` that comes is handed over while a leg is high."""

    def __init__(self, byte):
        self.byte = byte
        self.recorder = Recorder(("edges",))
        self.interrupted_at = None

    def make(self):
        bench = Bench(recorder=self.recorder)
        self.board = VirtualBoard(bench=bench)
        bench.try_stop(1.0)
        self.board.record_edges = False
        self._write = self.board.usb.write
        self.board.usb.write = self.write
        return self.board

    def write(self, data):
        if self.interrupted_at is None and self.byte in data:
            gpio = self.board.chip.gpio
            assert self.board.run_while(lambda: not gpio.levels & LEGS, 0.1, step_s=50e-6)
            self.interrupted_at = self.board.now
        return self._write(data)

    def high_after_s(self):
        """How long after that byte the last output fell for good."""
        record = self.recorder
        clocks = high_after(self.interrupted_at, record.edge_clocks, record.edge_levels)
        return clocks / self.board.clock_hz
