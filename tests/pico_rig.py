"""The rig on the emulated Pico: typed lines, bench and records as on the virtual board."""

import atexit

from emulator_bench import named_files
from rig import OUTPUTS, Rig

from firmware.boards import pico_reference
from rheobase.build import MANIFEST, files_of_firmware, manifest
from rheobase.emulator.benched import BenchedPico
from rheobase.sim.bench.bench import Bench
from rheobase.sim.bench.recorder import EVERYTHING, Recorder
from rheobase.sim.bench.wiring import Wiring

_shared = None
ANSWER_S = 1.0  # the longest wait for one; time passes only until it is there
START_S = 5.0


def ready():
    """The Pico that all tests of a run share, back at the moment when it was first ready.

    Booted, past its self-test, the stop button tried, nothing set; it records everything.
    """
    global _shared
    if _shared is None:
        rig = PicoRig(EVERYTHING)
        atexit.register(rig.board.close)
        _shared = rig, rig.mark()
    rig, moment = _shared
    rig.board.restore(moment)
    return rig


class PicoRig(Rig):
    """A powered Pico with the firmware answering; `board` is the BenchedPico."""

    def __init__(self, keep=("edges", "phases"), on_phase=None, changed=None, wiring=None):
        self.recorder = Recorder(keep, on_phase)
        self.bench = Bench(Wiring.of(pico_reference, **(wiring or {})), self.recorder)
        files = files_of_firmware(compiled=True)
        if changed:
            files = {**files, **changed}
            del files[MANIFEST]
            files[MANIFEST] = manifest(files)
        self.board = BenchedPico(*named_files(), files, bench=self.bench)
        self.board.record(OUTPUTS)
        self.hello()
        self.ready()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.board.close()

    @property
    def kernel(self):
        return self.board.kernel

    def mark(self):
        """This moment, to come back to by `rig.board.restore(moment)`, rig and bench included."""
        return self.board.snapshot(self)

    def hello(self):
        """Wait for the firmware to answer, and forget what came before."""
        pico = self.board
        begun = pico.now
        pico.run_for(0.001)
        while not pico.serial.connected:
            if pico.now > begun + 5 * pico.clock_hz:
                raise AssertionError("the serial port did not appear")
            pico.run_for(0.005)
        pico.serial.write("*IDN?\n")
        pico.run_until_text("Rheobase,", START_S)
        self.answered = pico.now
        self.wait(0.05)
        pico.serial.read()

    def ready(self):
        """Past the self-test, the stop button tried."""
        self.settle()  # turns of the self-test may last longer than a short press
        self.bench.try_stop()
        self.wait(0.1)
        self.settle()

    def say(self, line, wait=0.02):
        """Type a line; what it is answered. A query is waited for, anything else gets `wait`."""
        self.board.serial.write(line.encode() + b"\n")
        if not line.endswith("?"):
            self.wait(wait)
            return self.board.serial.read().decode().strip()
        try:
            return self.board.run_until_text("\n", ANSWER_S).decode().strip()
        except TimeoutError:
            return ""

    def outputs(self):
        """Levels of the six output pins now."""
        return sum(self.board.level(pin) << pin for pin in range(2, 8))
