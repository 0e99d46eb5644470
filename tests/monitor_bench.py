"""One monitor with its sampler, expectation, player, clock and configuration by hand."""

from array import array
from types import SimpleNamespace

from units import Clock

from firmware.boards import pico_reference as board
from firmware.core.grid import Grid
from firmware.core.timing import Timing
from firmware.safety import monitor

TURN_S = 16e-9
STEP_A = 3.3 / 4096 / 10  # one step of the ADC; the box counts in quarters of it
UNIT_A = STEP_A / 4
OHM = 500
WIDTH = 18_750  # turns: 300 us
CENTRE = 2048
RING = 50  # pulses sampled
EXPECTED = 128
FREE = {"sense_gain_ppm": 1_000_000, "sink_gain_ppm": 1_000_000, "supply_gain_ppm": 1_000_000,
        "sense_zero_ua": 0}  # fmt: skip


class Bench(Clock):
    """Sampler, expectation, player, clock and configuration of one monitor, all by hand."""

    def __init__(self, monkeypatch, clock_hz=125_000_000, **numbers):
        self.numbers = {**FREE, **numbers}
        self.inputs = [CENTRE * 1.0, CENTRE * 1.0]  # in steps
        self.phases = 2 * RING
        self.samples = array("H", bytes(2 * 10 * RING))
        self.pulses = array("I", bytes(4 * EXPECTED))
        self.marks = [0, 0]
        self.done = self.count = 0
        self.groups_lost = 0
        self.calls = []
        self.noted = []
        self.running = True
        self.keeps_up = True
        monkeypatch.setattr(monitor, "time", self)
        timing = Timing(
            Grid(clock_hz), board.DEAD_NS, board.SEPARATION_NS, board.GATE_LEAD_NS,
            board.SETTLE_NS,
        )  # fmt: skip
        self.monitor = monitor.Monitor(
            board, timing, self, self, self, lambda pulse: self.noted.append(list(pulse)),
            self.value,
        )  # fmt: skip

    # the configuration
    def value(self, name, channel=None):
        number = self.numbers[name]
        return number[channel] if isinstance(number, tuple) else number

    # the sampler
    def rest(self, channel, count=256):
        return round(self.inputs[channel] * count)

    def begin(self, widths, looks=(0, 1)):
        self.calls.append(("begin", tuple(widths)))

    def narrow(self, channel, width):
        self.calls.append(("narrow", channel, width))

    def select(self, what):
        self.calls.append(("select", what))

    def stop(self):
        self.calls.append(("stop",))

    def groups(self):
        return 2 * self.count - self.groups_lost

    # the expectation
    def reset(self):
        self.calls.append(("reset",))
        self.done = self.count = 0

    def written(self):
        return self.count

    # the player
    def update(self):
        self.calls.append(("update",))

    def may_have_played(self, groups, marks, written):
        assert (groups, marks, written) == (self.groups(), self.marks, self.count)
        return self.keeps_up

    # what a test does
    def ready(self, pads_mm2=(900, 900), fresh=True):
        assert self.monitor.zero() == 0
        self.play_on(pads_mm2, fresh)
        return self

    def play_on(self, pads_mm2=(900, 900), fresh=True):
        pads = [SimpleNamespace(pad_mm2=pad) for pad in pads_mm2]
        self.monitor.begin(plan(), pads, 200, fresh)

    def pulse(self, channel=0, level=100, first=None, second=None, look=2482, minus=0,
              width=WIDTH):
        """One pulse as commanded and as delivered: currents in units, `look` in steps."""
        wanted = level * 60e-6 / UNIT_A
        first = round(wanted if first is None else first)
        second = round(wanted if second is None else second)
        at = 10 * (self.count % RING)
        self.pulses[self.count % EXPECTED] = channel << 28 | minus << 27 | width << 11 | level
        for place, units in ((at, -first if minus else first), (at + 5, second if minus else
                                                                -second)):
            total = 4 * CENTRE + units
            for sample in range(4):
                self.samples[place + sample] = total // 4 + (sample < total % 4)
            self.samples[place + 4] = look
        self.count += 1
        return self.monitor.step()

    def looked(self, looks, channel=0, turns=4, level=100):
        """Play through `turns` looks, which see these steps of the input; the last verdict."""
        for _ in range(turns):
            self.now += monitor.LOOK_MS
            for _ in range(2):
                number = self.pulse(channel, level, look=looks.get(self.monitor._look, CENTRE))
                if number:
                    return number
        return 0


def plan(widths=(WIDTH, 6_250)):
    lines = [SimpleNamespace(shape=SimpleNamespace(width=w, least_width=w), ramp_width=False,
                             steps=()) for w in widths]  # fmt: skip
    return SimpleNamespace(channels=lines)


def in_box(bench, place):
    return bench.monitor._box[place]


def steps(current_a):
    """Of the ADC."""
    return current_a / STEP_A


def volts(v):
    """Steps of the monitor input at so many volts of the supply or across an output."""
    return round(v / 80 / 3.3 * 4096)
