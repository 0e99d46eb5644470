"""The least of a chip that a bench can be wired to, for tests of the bench alone."""

from rheobase.sim.bench import LOADS, Bench, Recorder, Wiring
from rheobase.sim.kernel import Kernel

CLOCK_HZ = 125_000_000
US = 125
MS = 125_000
GATE = 1 << 6
PLUS_1, MINUS_1, PLUS_2, MINUS_2 = (1 << pin for pin in (2, 3, 4, 5))
LEGS = PLUS_1 | MINUS_1 | PLUS_2 | MINUS_2
TRIP, STOP, FOOT, CLEAR = 10, 11, 12, 13
DEAD = 25  # 200 ns
DELAY = 13  # 100 ns, the next whole clock
PINS_ALONE = {"latch_cuts_power": False}
PULLED_UP = (1 << 10) | (1 << 11) | (1 << 12)


class FakeChip:
    """Pins without a processor. Outputs are what the test sets, inputs what the bench drives."""

    def __init__(self, bench=None, clock_hz=CLOCK_HZ):
        self.kernel = Kernel()
        self.clock_hz = clock_hz
        self.bench = bench or Bench(recorder=Recorder())
        self.levels = PULLED_UP
        self.driven = {}
        self.bench.connect(self)

    def drive(self, pin, level):
        self.driven[pin] = level
        if 2 <= pin <= 7:
            return  # a pull-down on an output pin, which the chip drives
        if level is None:
            level = PULLED_UP >> pin & 1
        self.set(self.kernel.now, 1 << pin, level << pin)

    def set(self, clock, mask, values):
        """Pins take these levels at `clock`, which may lie ahead of kernel.now, as PIO's do."""
        levels = (self.levels & ~mask) | values
        changed = levels ^ self.levels
        self.levels = levels
        if changed & self.bench.watched:
            self.bench.pins_changed(clock, levels, changed)

    def input(self, pin):
        return self.levels >> pin & 1

    def level(self, channel, level, clock=None):
        """The amplitude PWM, of 2047 counts, so that one is 60 uA."""
        self.bench.pwm_changed(
            self.kernel.now if clock is None else clock, 15 + channel, level, 2047
        )

    def beat_until(self, clock, every=20 * MS):
        """The heartbeat that keeps the supply on."""

        def beat():
            self.set(self.kernel.now, 1 << 18, ~self.levels & 1 << 18)
            if self.kernel.now + every <= clock:
                self.kernel.at(self.kernel.now + every, beat)

        self.kernel.at(self.kernel.now, beat)

    def ready(self, *levels):
        """A second later: supply up, amplitudes settled. Returns the clock."""
        self.beat_until(self.kernel.now + 3600 * 1000 * MS)
        for channel, level in enumerate(levels, 1):
            self.level(channel, level)
        self.kernel.advance_to(self.kernel.now + 1000 * MS)
        return self.kernel.now


class Player:
    """A kernel's runner that plays (clock, six pins) as the state machine would, and stops at a
    trip two clocks later."""

    def __init__(self, chip, steps):
        self.chip = chip
        self.steps = sorted(steps, reverse=True)
        self.halted_at = None
        chip.kernel.runners.append(self)

    def run(self, until):
        kernel, chip = self.chip.kernel, self.chip
        while self.steps and self.steps[-1][0] < min(until, kernel.next_clock):
            clock, pins = self.steps.pop()
            chip.set(clock, 0xFC, pins << 2)

    def trip(self):
        self.steps.clear()
        self.halted_at = self.chip.kernel.now + 2
        self.chip.set(self.halted_at, 0xFC, 0)


def pulse(channel, start, width, gap, polarity=1, lead=20 * US, width_2=None, sync=True):
    """The steps of one biphasic pulse, GATE `lead` clocks ahead of it."""
    plus, minus = (1, 2) if channel == 1 else (4, 8)
    first, second = (plus, minus) if polarity > 0 else (minus, plus)
    gate = 16
    end = start + width
    return [
        (start - lead, gate),
        (start, gate | first | (32 if sync else 0)),
        (end, gate),
        (end + gap, gate | second),
        (end + gap + (width if width_2 is None else width_2), 0),
    ]


def ready(*levels, **values):
    bench = Bench(
        Wiring(**values.pop("wiring", {})), electrodes=values.pop("loads", (LOADS["nominal"],) * 2)
    )
    chip = FakeChip(bench)
    chip.ready(*levels)
    return chip, bench, chip.kernel.now


def play(chip, *steps, until=None):
    player = Player(chip, [step for group in steps for step in group])
    chip.kernel.advance_to(player.steps[0][0] + 10 * MS if until is None else until)
    chip.bench.settle()
    return player


def phases(bench, channel=None):
    return list(bench.recorder.phases(channel))
