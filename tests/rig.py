"""The real firmware on the virtual board with its bench, driven by typed lines."""

from firmware.boards import pico_reference
from firmware.core.settings import CHANNEL, SESSION, words_of
from rheobase.build import MANIFEST, manifest
from rheobase.recording.pulses import pulses
from rheobase.sim.bench.bench import Bench
from rheobase.sim.bench.recorder import Recorder
from rheobase.sim.bench.wiring import Wiring
from rheobase.sim.board import VirtualBoard, repository_files

LEGS = 0b1111 << pico_reference.LEGS_BASE
GATE = 0b10000 << pico_reference.LEGS_BASE
OUTPUTS = 0b111111 << pico_reference.LEGS_BASE


def with_manifest(files):
    """The files as they would be flashed: with a manifest that fits them."""
    contents = {p: f if isinstance(f, bytes) else f.encode() if isinstance(f, str)
                else f.read_bytes() for p, f in files.items() if not p.startswith("/data/")}
    return {**files, "/" + MANIFEST: manifest(contents)}


def with_change(name, old, new):
    """The repository's firmware with a fault written into one of its files."""
    files = repository_files()
    source = files[name].read_text()
    assert old in source, f"{old!r} is not in {name}"
    return {**files, name: source.replace(old, new)}


SILENT_TURNS = 20  # without a portion: the rest of an answer does not come


class Rig:
    """A powered board; `say` types a line, `ask` also returns the answer."""

    def __init__(self, keep=("edges", "phases"), on_phase=None, files=None, wiring=None,
                 on_edge=None):
        self.recorder = Recorder(keep, on_phase, on_edge)
        self.bench = Bench(Wiring.of(pico_reference, **(wiring or {})), self.recorder)
        self.board = VirtualBoard(files and with_manifest(files), bench=self.bench)
        self.board.record_edges = False
        self.armed = 0
        self.board.start()
        self.bench.try_stop()
        self.wait(0.1)
        self.settle()

    def wait(self, seconds):
        self.board.run_for(seconds)

    def say(self, line, wait=0.02):
        """Type a line; what it is answered."""
        self.board.usb.write(line.encode() + b"\n")
        self.wait(wait)
        said = self.board.usb.read()
        silent = 0
        while said and not said.endswith(b"\n") and silent < SILENT_TURNS:
            self.wait(0.005)  # a long answer comes in portions
            portion = self.board.usb.read()
            silent = 0 if portion else silent + 1
            said += portion
        return said.decode().strip()

    def ask(self, line):
        answer = self.say(line)
        if not answer:  # a fault is being written to flash
            self.wait(0.3)
            answer = self.board.usb.read().decode().strip()
        assert answer, f"no answer to {line}"
        return answer

    def do(self, line):
        """Type a line that must be accepted."""
        error = self.refusal(line)
        assert error is None, f"{line}: {error}"

    def refusal(self, line):
        """Type a line that answers nothing; its error or None."""
        self.say(f"*CLS;{line}")
        error = self.ask("SYST:ERR?")
        return None if error.startswith("0,") else error

    def error(self, line):
        """Type a line that must be refused; the error."""
        error = self.refusal(line)
        assert error, f"{line} was accepted"
        return error

    def set(self, header, field, value):
        """Set one field by its table's row."""
        if field[2] is None:
            text = words_of(field[0])[value]
        elif field[0] == "on_ms" and value == 0:
            text = "INF"
        else:
            text = f"{value}E{field[2]}"
        return f"{header}{field[1]} {text}"

    def configure(self, session, *channels):
        """Set whole dicts of fields: the session's and those of channels 1 and 2."""
        lines = [self.set("SESS:", f, session[f[0]]) for f in SESSION if f[0] in session]
        for number, values in enumerate(channels, 1):
            head = f"SOUR{number}:"
            lines += [self.set(head, f, values[f[0]]) for f in CHANNEL if f[0] in values]
        for line in lines:
            self.board.usb.write(line.encode() + b"\n")
            self.wait(0.006)
        assert self.ask("SYST:ERR?") == '0,"No error"'

    def settle(self):
        """Wait for the end of a self-test or of an arming."""
        self.board.run_while(lambda: self.state in ("BOOT", "SELFTEST", "CHECKING"), 3, 0.02)

    def prepare(self):
        """What a person does before arming: pads entered, checklist acknowledged."""
        for number in (1, 2):
            area = self.ask(f"SOUR{number}:PAD:AREA?")
            self.do(f"SOUR{number}:PAD:AREA {area}")
        self.do('CHEC:ACKN "D1"')

    def arming(self):
        """The line that arms what is set now, after all that a person has to do before."""
        self.settle()
        self.prepare()
        return f"ARM {self.ask('ARM:HASH?')}"

    def arm(self, standalone=True):
        """Arm; standalone, so that a test may wait as long as it likes without a word."""
        if standalone:
            self.do("SESS:STAN ON")
        self.do(self.arming())
        self.settle()
        self.recorder.event_counts.clear()  # the tests of the stops trip on purpose
        self.armed = self.board.now

    def start(self, standalone=True):
        self.arm(standalone)
        self.do("OUTP ON")

    def climb(self, *targets_ma, pace_s=0.51):
        """Raise the intensities of channels 1 and 2 to their targets in the permitted steps."""
        self.do("CURR:LOCK OFF")
        for step in range(1, int(max(targets_ma)) + 1):
            line = ";:".join(
                f"SOUR{number}:CURR {min(step, most)} mA"
                for number, most in enumerate(targets_ma, 1)
                if most and step <= most
            )
            self.do(line)
            self.wait(pace_s - 0.02)

    @property
    def kernel(self):
        """The bench's time, to have something done at a clock."""
        return self.board.chip.kernel

    @property
    def state(self):
        return self.ask("SESS:STAT?")

    def pulses(self, channel):
        """Pulses since the last arming: those of the electrode check are not of the session."""
        return [one for one in pulses(self.recorder, channel) if one.start >= self.armed]

    def outputs(self):
        """Levels of the six output pins now."""
        return self.board.chip.gpio.levels & OUTPUTS
