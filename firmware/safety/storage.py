"""What outlives a power cut: fault log, black box, configuration; and what only it clears.

Nothing is written while the output may be on: a fault is kept in RAM until the output is off.
"""

import time
from array import array

from firmware.core.unload import borrow
from firmware.safety import faults
from firmware.safety.blackbox import BlackBox

TYPE_CHECKING = False

MOST_PENDING = 4
# The fields of the configuration (safety/config.py), in its order.
CHANNEL_NAMES = (
    "clinician_ua", "person_ua", "pad_mm2", "sensory_ua", "motor_ua", "sense_zero_ua",
    "sense_gain_ppm", "sink_gain_ppm",
)  # fmt: skip
BOARD_NAMES = ("supply_gain_ppm", "link_fade_ms", "link_end_ms")
_WORK = "firmware.safety.storage_work"
CURRENT_1, CURRENT_2, OHM_1, OHM_2, SUPPLY_V = range(5)  # places in `sensed`


class Storage:
    """One board's memory. `store`: hal/store.py.

    trouble: why arming must be refused, or "". numbers: the configuration, see `value`.
    latched: the critical fault since power-up, 0 if none. sensed: what was measured last
    (uA, uA, ohm, ohm, V; -1 unknown), written by who measures.
    """

    def __init__(self, store):
        self.store = store
        self.box = BlackBox()
        self.numbers = array("i", bytes(4 * (2 * len(CHANNEL_NAMES) + len(BOARD_NAMES))))
        self.trouble = ""
        self.latched = 0
        self.unlocked = False
        self.uptime_s = 0
        self.sensed = array("i", (-1, -1, -1, -1, -1))
        self._second_ms = time.ticks_ms()
        self._wall_s = 0  # the wall clock at boot, 0: never set
        self._pending = []
        self.found = []  # (fault, detail) at boot, to be recorded
        self._inverse = array("i", bytes(4 * len(self.numbers)))  # SR-41: of numbers, for `intact`
        self._recorded = []  # of the faults that were recorded since the last clear

    if TYPE_CHECKING:
        numbers: array[int]
        found: list
        sensed: array[int]

    def open(self):
        """At boot: count it, read and repair the configuration, recall a critical fault."""
        borrow(_WORK, "opened", self)

    def use(self, numbers):
        """Put a configuration into force: all its numbers, in order."""
        for place, number in enumerate(numbers):
            self.numbers[place] = number
            self._inverse[place] = ~number

    def intact(self):
        """Whether the configuration in memory is what was put there."""
        for place in range(len(self.numbers)):
            if self.numbers[place] != ~self._inverse[place]:
                return False
        return True

    def recall(self, number):
        """A critical fault of before this boot is still in force."""
        self.latched = number
        self._recorded.append(number)

    # -- faults

    def fault(self, stimulator, number, detail, channel, state, commanded):
        """Keep a fault for the log with what was commanded (uA, uA) when it struck.

        A fault that was recorded already and not cleared since is not recorded again.
        """
        severity = faults.severity(number)
        if severity == faults.CRITICAL and not self.latched:
            self.latched = number
            self.store.reset.latch(number)
        if number in self._recorded:
            return
        self._recorded.append(number)
        try:
            self._keep(stimulator, number, severity, detail, channel, state, commanded)
        except MemoryError:
            pass  # the output is off and the fault latched: that must not fail for a record

    def warn(self, stimulator, number, detail="", channel=0):
        """Record a warning; the output goes on, and it is written when that is off."""
        commanded = (stimulator.intensity[0].current_ua, stimulator.intensity[1].current_ua)
        self._keep(
            stimulator, number, faults.WARNING, detail, channel, stimulator.state, commanded
        )

    def _keep(self, stimulator, number, severity, detail, channel, state, commanded):
        if len(self._pending) >= MOST_PENDING:
            return
        sensed = self.sensed
        one, two = stimulator.channels
        values = (
            commanded[0], commanded[1], sensed[CURRENT_1], sensed[CURRENT_2], one.width_ns,
            two.width_ns, one.rate_mhz, two.rate_mhz, sensed[OHM_1], sensed[OHM_2],
        )  # fmt: skip
        now_ms = time.ticks_ms()
        ms = time.ticks_diff(now_ms, self._second_ms)
        self.box.watch(now_ms, stimulator.state, stimulator.inputs)
        frozen = severity != faults.WARNING and self.box.freeze()
        self._pending.append(
            (
                (number, severity, channel, state, detail, self.uptime_s + ms // 1000, ms % 1000,
                 self.wall_s(), values, sensed[SUPPLY_V]),
                frozen,
            )
        )  # fmt: skip

    def cleared(self):
        """The person has cleared the fault: the next one is recorded whatever it is."""
        self._recorded.clear()

    def step(self, stimulator):
        """Once a turn of the loop: keep time, watch, and write what waits if that is allowed."""
        now_ms = time.ticks_ms()
        if time.ticks_diff(now_ms, self._second_ms) >= 1000:
            self._second_ms = time.ticks_add(self._second_ms, 1000)
            self.uptime_s += 1
            if not self.intact() and stimulator.fault.number != faults.CORRUPT:
                stimulator.fail(faults.CORRUPT, "configuration in memory")
        self.box.watch(now_ms, stimulator.state, stimulator.inputs)
        if self.found or self._pending:
            self._seldom(stimulator)

    def _seldom(self, stimulator):
        """What waits: findings, records. Of its own, for a small frame."""
        while self.found:
            self.warn(stimulator, *self.found.pop())
        if self._pending and stimulator.why_not_write() is None:
            pending = self._pending
            self._pending = []
            try:
                borrow(_WORK, "written", self, pending)
            finally:
                self.box.thaw()

    # -- time

    def set_clock(self, unix_s):
        """Tell the wall time, for the log."""
        self._wall_s = unix_s - self.uptime_s

    def wall_s(self):
        """The wall time as Unix seconds; 0 if nobody has told it."""
        return self._wall_s + self.uptime_s if self._wall_s else 0

    # -- configuration

    def value(self, name, channel=None):
        """A number of the configuration; channel 0 or 1 for those of a channel."""
        if channel is None:
            return self.numbers[2 * len(CHANNEL_NAMES) + BOARD_NAMES.index(name)]
        return self.numbers[channel * len(CHANNEL_NAMES) + CHANNEL_NAMES.index(name)]

    def ceilings(self, channel):
        """What the clinician allows on a channel, as (current_ua, why) rows for the ceiling."""
        return (
            (self.value("clinician_ua", channel), "the clinician's ceiling"),
            (self.value("person_ua", channel), "the person's ceiling"),
        )
