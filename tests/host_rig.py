"""Hosts at the virtual board: in virtual time, and behind a pseudo-terminal."""

from contextlib import contextmanager

from rheobase.client import Stimulator
from rheobase.recording import pulses
from rheobase.sim.bench import Bench, Recorder
from rheobase.sim.board import VirtualBoard
from rheobase.sim.realtime import RealTimeBoard
from rheobase.sim_port import VirtualPort, approve, powered

LEGS = 0b1111 << 2
GATE = 1 << 6


class Host:
    """A client alone with its board; time passes only when it waits."""

    def __init__(self, keep=("edges", "phases")):
        self.bench = Bench(recorder=Recorder(keep))
        self.board = powered(self.bench)
        self.port = VirtualPort(self.board)
        self.stimulator = Stimulator(self.port, clock=self.port)

    def load(self, number=1, **values):
        """A channel that pulses all the time without a ramp, so that every level shows."""
        usual = {"enabled": True, "ramp_up_s": 0, "ramp_down_s": 0, "on_s": 3600}
        self.stimulator.channel(number).configure(**{**usual, **values})
        self.stimulator.session.duration_s = 3601

    def start(self, number=1, **values):
        self.load(number, **values)
        approve(self.stimulator)
        self.stimulator.arm()
        self.bench.recorder.forget()  # the electrode check's pulses
        self.stimulator.start()

    def pulses(self, channel=1):
        return pulses(self.bench.recorder, channel)

    def legs(self):
        """Levels of the four legs and GATE now."""
        return self.board.chip.gpio.levels & (LEGS | GATE)

    def silent_for(self, seconds):
        """Legs and GATE stay low for this long."""
        before = len(self.pulses())
        ends_low = self.legs() == 0
        self.port.sleep(seconds)
        return ends_low and self.legs() == 0 and len(self.pulses()) == before


class Behind:
    """A board at the pace of the wall clock; `port` is what a host opens."""

    def __init__(self, bench, realtime):
        self.bench = bench
        self.realtime = realtime
        self.port = realtime.port

    def ask(self, action):
        return self.realtime.call(action, timeout_s=20.0)

    def legs(self):
        return self.ask(lambda board: board.chip.gpio.levels & (LEGS | GATE))

    def pulses(self, channel=1):
        return self.ask(lambda board: pulses(self.bench.recorder, channel))


@contextmanager
def behind_a_port(keep=("edges", "phases")):
    bench = Bench(recorder=Recorder(keep))
    with RealTimeBoard(lambda: VirtualBoard(bench=bench)) as realtime:
        realtime.call(lambda _: bench.try_stop(0.5))
        yield Behind(bench, realtime)
