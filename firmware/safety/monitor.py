"""Measured output: what was delivered, pulse by pulse, against the tape and the limits.

The sampler (hal/sense_rp2.py) gives five results a phase, the expectation (core/expectation.py)
what the tape said; core/measure.py compares them. Here are the limits, the count of pulses, the
impedance in use, and the totals.
"""

import time
from array import array

from firmware.core import measure
from firmware.core.limits import limit
from firmware.safety import faults

STEPS = 4096
PPM = 1_000_000
MOST_TURNS_PER_MS = 65_000  # 130 MHz
UNUSED_WIDTH = 1 << 16  # turns; of a channel that plays nothing
ZERO_UA = 500  # SR-02: sense zero within 0.5 mA
REST_UA = 400  # at rest, from the zero: what 16 samples tell for sure
REST_SAMPLES = 16
TOLERANCE_UA = 2_000  # SR-23
MARGIN = 110  # per cent: measured against limits that were held to the command already
OPEN_UA = 500  # least command of which half can be told from nothing
NET_NC = 100  # SR-18
NET_STEPS = 3  # uncertainty of one pulse's net current: 4 sigma of 8 samples, one step each
DRIFT_QUARTERS = 6  # of a second's, in quarters of a step: 5 sigma of zero, rounding, 16 pulses
ZERO_MS = 1_000  # after output: what the capacitors hold has left through the discharge resistor
DIRECT_UC = 100  # SR-19
DIRECT_WARN_UC = 50
BUCKET_SHIFT = 6  # 64 ms; the window is 16 to 17 of them
LOOK_MS = 150  # least time of a look: supply, output voltage, leak out of channel 1, out of 2
LOOKS = bytes((0, 1, 5, 4))  # as Sense.select() takes them
LOOK_PULSES = 2
SUPPLY_OFF = 15  # per cent from the board's supply voltage
IMPEDANCE_UA = 2_000  # least current at which the impedance in use is told
SHORT_OHM = 100  # SR-26
SHORT_LOOKS = 3
LEAK_PERCENT = 10  # of a channel's current, in the other's lead (SR-27); the two numbers below
LEAK_LEAST_UA = 500  # one sample: 6 sigma
LEAK_MOST_UA = 1_000
LEAK_LOOKS = 2
DRYING = 150  # per cent of the lowest since the start

_VERDICTS = (
    0,
    faults.OVER_CURRENT,
    faults.OPEN,
    faults.OFF_COMMAND,
    faults.IMBALANCE,
    faults.DIRECT_CURRENT,
    faults.IMBALANCE,
    faults.DELIVERED,
    faults.DELIVERED,
    faults.DELIVERED,
    faults.DELIVERED,
)


class Monitor:
    """Compares delivered with commanded. Channels are 0 and 1.

    sense: hal/sense_rp2.py. expected: core/expectation.py. note: is told of pulses
    (safety/blackbox.py). value: the configuration's numbers (safety/storage.py). channel: of the
    last fault or warning. Raises ValueError for a clock above 130 MHz.
    warning: number of one that nobody has taken yet, or 0.
    """

    def __init__(self, board, timing, sense, expected, player, note, value):
        self.sense = sense
        self.expected = expected
        self.note = note
        self.channel = 0
        self.warning = 0
        self._board = board
        self._value = value
        self._player = player
        self._tpm = timing.grid.turns_per_ms
        if self._tpm > MOST_TURNS_PER_MS:
            raise ValueError("clock too fast: the charge of a phase of 1 ms would not fit")
        # One unit of current, a quarter of an ADC step, in nA.
        self._unit_na = board.ADC_MV * 1_000_000 // (STEPS * 4 * board.SENSE_MV_PER_MA)
        self._box = box = array("i", bytes(4 * measure.SIZE))
        box[measure.DRIVER] = (board.DRIVER_NS * self._tpm + 500_000) // 1_000_000
        box[measure.TOLERANCE] = self._units(TOLERANCE_UA)
        box[measure.PEAK] = self._units(limit("peak_ua") * MARGIN // 100)
        box[measure.NET_RESOLVED] = 4 * NET_STEPS
        box[measure.DRIFT_RESOLVED] = DRIFT_QUARTERS
        # One unit of charge is a unit of current for a turn; 1 uC is 1000 nA for a second.
        micro = 1_000_000 * self._tpm // self._unit_na
        box[measure.MICRO] = micro
        box[measure.NET_LEAST] = micro * NET_NC // 1_000
        box[measure.DIRECT_MOST] = micro * DIRECT_UC >> measure.NET_SHIFT
        box[measure.CHARGE_MOST] = micro * (limit("charge_nc") * MARGIN // 100) // 1_000
        box[measure.MEAN_MOST] = micro * (limit("mean_ua") * MARGIN // 100) >> measure.SUM_SHIFT
        self._last_ms = self._look_ms = self._stopped_ms = time.ticks_ms()
        self._odd_ms = 0
        self._look = 0
        self._seen = [0, 0]  # pulses of each channel when the monitor input was switched
        self._ohm = array("i", [0, 0, 0, 0])  # impedance in use, and the lowest of it
        self._pulse = array("i", bytes(4 * 5))  # as measure.last() tells it
        self._shorts = [0, 0]
        self._leaks = [0, 0]
        self._supply_v = 0
        self._strange = 0
        self._warned = bytearray(4)  # drying of both channels, then direct current

    def _units(self, current_ua):
        return (current_ua * 1000 + self._unit_na // 2) // self._unit_na

    # -- zero and rest -------------------------------------------------------------------------

    def _calibrate(self):
        """What the configuration says of amplifiers, sinks and divider."""
        box = self._box
        levels_na = []
        for i in (0, 1):
            gain = self._value("sense_gain_ppm", i)
            box[measure.GAIN_C + i] = ((1 << measure.GAIN_SHIFT) * PPM + gain // 2) // gain
            level_na = self._board.LEVEL_UA * self._value("sink_gain_ppm", i) // 1000
            levels_na.append(level_na)
            factor = (level_na << measure.FACTOR_SHIFT) + self._unit_na // 2
            box[measure.FACTOR_C + i] = factor // self._unit_na
        box[measure.OPEN_LEVEL] = -(-OPEN_UA * 1000 // min(levels_na))
        self._divider = self._board.SUPPLY_DIVIDER * self._value("supply_gain_ppm") // 1000

    def zero(self):
        """Take the zero of both inputs, at rest; 0, or SENSE_ZERO.

        Soon after output the one there was stays in force: a current still flows then.
        """
        self._calibrate()
        early = time.ticks_diff(time.ticks_ms(), self._stopped_ms) < ZERO_MS
        nominal = self._board.SENSE_ZERO_MV * STEPS * 4 // self._board.ADC_MV
        for i in (0, 1):
            mean = (self.sense.rest(i) + 32) >> 6  # 256 samples; four in a sum
            away = mean - nominal - self._units(self._value("sense_zero_ua", i))
            if abs(away) > self._units(ZERO_UA):
                self.channel = i
                return faults.SENSE_ZERO
            if not early or not self._box[measure.ZERO_C + i]:
                self._box[measure.ZERO_C + i] = mean
        return 0

    def rest(self):
        """Look at both inputs while nothing is played; 0, or REST_CURRENT."""
        for i in (0, 1):
            mean = self.sense.rest(i, REST_SAMPLES) >> 2
            if abs(mean - self._box[measure.ZERO_C + i]) > self._units(REST_UA):
                self.channel = i
                return faults.REST_CURRENT
        return 0

    # -- along a session -----------------------------------------------------------------------

    def begin(self, plan, channels, supply_v, fresh):
        """A tape begins: sample from now on. fresh: a session of its own, not one resumed."""
        self._supply_v = supply_v
        box = self._box
        for i in (0, 1):
            me = measure.OWN + i * measure.STRIDE
            for at in range(me + measure.WINDOW, me + measure.STRIDE):
                box[at] = 0
            for at in (measure.OFFS, measure.OPENS, measure.NETS):
                box[me + at] = 0
            if fresh:
                for at in range(me, me + measure.WINDOW):
                    box[at] = 0
                self._ohm[i + 2] = 0
                self._warned[i] = self._warned[i + 2] = 0
            box[measure.SQUARE_MOST_C + i] = self._squares(channels[i].pad_mm2)
            self._seen[i] = box[me + measure.COUNT]
            self._shorts[i] = self._leaks[i] = 0
        box[measure.ENERGY_MOST] = self._energy()
        box[measure.DONE] = 0
        box[measure.RING] = self.sense.phases // 2
        box[measure.MASK] = len(self.expected.pulses) - 1
        self.expected.reset()
        self._strange = 0
        self._last_ms = self._look_ms = time.ticks_ms()
        self._odd_ms = 0
        self._look = 0
        self.sense.select(0)
        self.sense.begin([_least_width(plan, i) for i in (0, 1)])

    def change(self, plan):
        """A live setting changes: the sampler must suit the blocks queued before and after."""
        for i in (0, 1):
            self.sense.narrow(i, _least_width(plan, i))

    def stop(self):
        """Nothing is sampled any more."""
        self._stopped_ms = time.ticks_ms()
        measure.settle(self._box, 1)
        self.sense.stop()
        self.sense.select(0)

    def _squares(self, pad_mm2):
        """r.m.s., density and power on a pad, whichever is least, in the box's units."""
        ua2 = min(
            limit("rms_ua") ** 2,
            (limit("density_ua_per_cm2") * pad_mm2 // 100) ** 2,
            limit("power_mw_per_cm2") * pad_mm2 * 20_000,
        )
        return self._square_units(ua2 * MARGIN * MARGIN // 10_000)

    def _energy(self):
        # E = I^2 t 500 ohm: uJ to uA^2 s
        return self._square_units(limit("energy_uj") * 2_000 * MARGIN * MARGIN // 10_000)

    def _square_units(self, ua2_s):
        """uA^2 for a second as the box sums squares."""
        shift = measure.CHARGE_SHIFT + measure.SQUARE_SHIFT
        units = ua2_s * 1_000_000 * self._tpm * 1000 // self._unit_na**2 >> shift
        return min(units, (1 << 29) - 1)

    def step(self):
        """Compare what was played since the last call; 0, or the number of the fault."""
        self._player.update()
        groups = self.sense.groups()
        box = self._box
        verdict = measure.compare(box, self.expected.pulses, self.sense.samples, groups)
        if box[measure.DONE] != self.expected.done:
            self.expected.done = box[measure.DONE]
            if measure.last(box, 0, self._pulse):
                self.note(self._pulse)
            if measure.last(box, 1, self._pulse):
                self.note(self._pulse)
        if verdict:
            self.channel = box[measure.WHERE]
            return self._number(verdict)
        expected = self.expected
        if not self._player.may_have_played(groups, expected.marks, expected.written()):
            return faults.LOST_PULSE
        return self._slowly()

    def _number(self, verdict):
        if verdict == measure.OFF:
            box = self._box
            me = measure.OWN + self.channel * measure.STRIDE
            wanted = self._wanted(self.channel)
            if max(box[me + measure.FIRST], box[me + measure.SECOND]) <= wanted:
                return faults.COMPLIANCE
        return _VERDICTS[verdict]

    def complete(self):
        """At the tape's end: whether every pulse was sampled."""
        return self.sense.groups() == self.expected.written() << 1

    def _slowly(self):
        """What has time: the window, the monitor input, warnings."""
        now_ms = time.ticks_ms()
        passed = time.ticks_diff(now_ms, self._last_ms) + self._odd_ms
        self._last_ms = now_ms
        self._odd_ms = passed & (1 << BUCKET_SHIFT) - 1
        if passed >> BUCKET_SHIFT:
            measure.roll(self._box, passed >> BUCKET_SHIFT)
            self._direct_warning()
        if time.ticks_diff(now_ms, self._look_ms) < LOOK_MS:
            return 0
        return self._look_elsewhere(now_ms)

    def _direct_warning(self):
        for i in (0, 1):
            net = self._box[measure.OWN + i * measure.STRIDE + measure.WINDOW]
            warn = self._box[measure.DIRECT_MOST] * DIRECT_WARN_UC // DIRECT_UC
            if abs(net) > warn:
                self._warn(faults.DIRECT_WARNING, i)

    def _warn(self, number, channel):
        """Once a session for each channel."""
        at = channel if number == faults.DRYING else 2 + channel
        if not self._warned[at]:
            self._warned[at] = 1
            self.warning = number
            self.channel = channel

    # -- the monitor input -----------------------------------------------------------------------

    def _look_elsewhere(self, now_ms):
        """Use what the fifth samples showed, and have them show the next.

        Not before a channel has played pulses with this look.
        """
        seen = self._seen
        if not (self._fresh(0) or self._fresh(1)):
            return 0
        self._look_ms = now_ms
        number = 0
        for i in (0, 1):
            if self._fresh(i) and not number:
                number = self._looked_at(i, self._of(i, measure.MONITOR))
                if number:
                    self.channel = i
            seen[i] = self._of(i, measure.COUNT)
        self._look = (self._look + 1) & 3
        self.sense.select(LOOKS[self._look])
        return number

    def _fresh(self, channel):
        return self._of(channel, measure.COUNT) >= self._seen[channel] + LOOK_PULSES

    def _looked_at(self, channel, sample):
        look = self._look
        if look >= 2:
            return self._leak(channel, sample) if look == 2 + channel else 0
        mv = sample * self._board.ADC_MV // STEPS
        return self._output(channel, mv) if look else self._supply(mv)

    def _supply(self, mv):
        self._supply_v = mv * self._divider // PPM
        nominal = self._board.SUPPLY_V
        if abs(self._supply_v - nominal) * 100 > nominal * SUPPLY_OFF:
            self._strange += 1
            return faults.SUPPLY if self._strange > 1 else 0
        self._strange = 0
        return 0

    def _output(self, channel, mv):
        """The impedance in use, at the end of a first phase: its skin was at rest before."""
        box = self._box
        me = measure.OWN + channel * measure.STRIDE
        current_ua = (box[me + measure.FIRST] + box[me + measure.SECOND]) * self._unit_na // 2000
        if current_ua < IMPEDANCE_UA:
            return 0
        ohm = mv * self._board.OUTPUT_DIVIDER * 1000 // current_ua
        self._ohm[channel] = ohm
        if ohm < SHORT_OHM:
            self._shorts[channel] += 1
            return faults.SHORT if self._shorts[channel] >= SHORT_LOOKS else 0
        self._shorts[channel] = 0
        lowest = self._ohm[channel + 2]
        if not lowest or ohm < lowest:
            self._ohm[channel + 2] = ohm
        elif ohm * 100 > lowest * DRYING:
            self._warn(faults.DRYING, channel)
        return 0

    def _wanted(self, channel):
        """The last pulse's command as its samples should show it."""
        factor = self._box[measure.FACTOR_C + channel]
        return self._of(channel, measure.LEVEL) * factor >> measure.FACTOR_SHIFT

    def _leak(self, channel, sample):
        """Whether what a channel gives comes through the other one's lead as well."""
        allowed = max(self._wanted(channel) * LEAK_PERCENT // 100, self._units(LEAK_LEAST_UA))
        if abs(4 * sample - self.zero_of(1 - channel)) <= min(allowed, self._units(LEAK_MOST_UA)):
            self._leaks[channel] = 0
            return 0
        self._leaks[channel] += 1
        return faults.LEAK if self._leaks[channel] >= LEAK_LOOKS else 0

    # -- what it tells -------------------------------------------------------------------------

    def checked(self, channel, ohm):
        """The electrode check has found this impedance."""
        self._ohm[channel] = ohm

    def zero_of(self, channel):
        """The zero of an input, as the sum of four samples."""
        return self._box[measure.ZERO_C + channel]

    def in_ua(self, units, channel):
        """Current of a channel's sum of four samples from its zero."""
        units = units * self._box[measure.GAIN_C + channel] >> measure.GAIN_SHIFT
        return units * self._unit_na // 1000

    def tell(self, sensed):
        """Put what was measured last where the fault log finds it (safety/storage.py)."""
        for i in (0, 1):
            if self._of(i, measure.COUNT):
                sensed[i] = sum(self.current_ua(i)) // 2
            if self._ohm[i]:
                sensed[2 + i] = self._ohm[i]
        sensed[4] = self._supply_v

    def _of(self, channel, what):
        return self._box[measure.OWN + channel * measure.STRIDE + what]

    def current_ua(self, channel):
        """Delivered current of the last pulse's phases, first and second."""
        return (
            self._of(channel, measure.FIRST) * self._unit_na // 1000,
            self._of(channel, measure.SECOND) * self._unit_na // 1000,
        )

    def charge_nc(self, channel):
        """Delivered charge of the last pulse's phases, first and second."""
        width = self._of(channel, measure.WIDTH)
        scale = self._box[measure.MICRO]
        return (
            self._of(channel, measure.FIRST) * width * 1000 // scale,
            self._of(channel, measure.SECOND) * width * 1000 // scale,
        )

    def net_nc(self, channel):
        """(last pulse, sliding second, session): net charge, positive from plus to minus leg.

        The session's is settled every 1.09 s of at least 16 pulses, and at the end.
        """
        scale = self._box[measure.MICRO]
        width = self._of(channel, measure.WIDTH)
        pulse = (self._of(channel, measure.FIRST) - self._of(channel, measure.SECOND)) * width
        if self._of(channel, measure.MINUS):
            pulse = -pulse
        second = self._of(channel, measure.WINDOW) << measure.NET_SHIFT
        session = self._of(channel, measure.NET_LOW) * 1000 // (scale >> measure.NET_SHIFT)
        session += self._of(channel, measure.NET_UC) * 1000
        return pulse * 1000 // scale, second * 1000 // scale, session

    def unsure_nc(self, channel):
        """What the session's net charge is uncertain by: the ADC's error times the time."""
        band = self._of(channel, measure.BAND) << measure.NET_SHIFT + measure.BAND_SHIFT
        return band * 1000 // self._box[measure.MICRO]

    def charge_uc(self, channel):
        """Charge delivered in the session, both phases of all pulses."""
        return self._of(channel, measure.SUM_UC)

    def rms_ua(self, channel):
        """r.m.s. of the delivered current over the last second."""
        shift = measure.CHARGE_SHIFT + measure.SQUARE_SHIFT
        squares = self._of(channel, measure.WINDOW + 2) << shift
        ua2 = squares * self._unit_na**2 // (1_000_000 * self._tpm * 1000)
        return int(ua2**0.5)

    def mean_ua(self, channel):
        """Mean of the delivered current's magnitude over the last second."""
        charge = self._of(channel, measure.WINDOW + 1) << measure.SUM_SHIFT
        return charge // self._box[measure.MICRO]

    def ohm(self, channel):
        """Impedance in use at a phase's end; 0 while it is not known."""
        return self._ohm[channel]

    def supply_v(self):
        """The supply's voltage as last sampled."""
        return self._supply_v

    def measured(self, channel):
        """Pulses measured in the session."""
        return self._of(channel, measure.COUNT)


def _least_width(plan, channel):
    """The shortest phase that a channel's plan plays, in turns."""
    line = plan.channels[channel]
    if line is None:
        return UNUSED_WIDTH
    shape = line.shape
    least = shape.least_width if line.ramp_width else shape.width
    for _, trains in line.steps:
        for train in trains:
            if train.course:
                least = min(least, min(train.course.widths))
    return least
