"""What outlives a power cut: fault log, black box, configuration; and what only it clears.

Nothing is written while the output may be on: a fault is kept in RAM until the output is off.
"""

import time
from array import array

from firmware.core.refused import Refused
from firmware.core.unload import unload
from firmware.safety import faults
from firmware.safety.blackbox import BlackBox

TYPE_CHECKING = False

CONFIG = "config"
MOST_PENDING = 4
WRONG_KEYS = 5
CURRENT_1, CURRENT_2, OHM_1, OHM_2, SUPPLY_V = range(5)  # places in `sensed`


class Storage:
    """One board's memory. `store`: hal/store.py.

    trouble: why arming must be refused, or "". values: the configuration, by field name.
    latched: the critical fault since power-up, 0 if none. sensed: what was measured last
    (uA, uA, ohm, ohm, V; -1 unknown), written by who measures.
    """

    def __init__(self, store):
        self.store = store
        self.box = BlackBox()
        self.values = {}
        self.trouble = ""
        self.latched = 0
        self.unlocked = False
        self.uptime_s = 0
        self.sensed = array("i", (-1, -1, -1, -1, -1))
        self._second_ms = time.ticks_ms()
        self._wall_s = 0  # the wall clock at boot, 0: never set
        self._pending = []
        self._numbers = []  # of the faults that were recorded since the last clear

    if TYPE_CHECKING:
        values: dict
        sensed: array[int]

    # -- at boot

    def open(self):
        """Count the boot, read and repair the configuration, recall a critical fault."""
        store = self.store
        try:
            store.count_boot(store.reset.cause == 1)
            self._load()
            store.save_boot()
        except Refused as refusal:
            self.trouble = "storage: " + refusal.text
        self.latched = store.reset.latched()
        if not self.latched and store.power_boot < store.boots:
            self.latched = self._recall()
        if self.latched:
            self._numbers.append(self.latched)

    def _load(self):
        from firmware.safety import config

        try:
            content, troubles = self.store.load(CONFIG)
            if content is not None:
                try:
                    self.values = config.parse(content.decode())
                    return
                except (Refused, ValueError) as refusal:
                    troubles.append(str(refusal.args[-1]))
            self.values = config.defaults()
            if self.store.first:
                self.store.save(CONFIG, config.text(self.values).encode())
            else:
                self.trouble = "configuration lost: " + ", ".join(troubles)
        finally:
            unload("firmware.safety.config")

    def _recall(self):
        """A critical fault in the log since the last power-up; 0 if none."""
        from firmware.safety import record

        try:
            for number in self.store.numbers()[0]:
                payload = self.store.record(number)
                if record.is_critical_since(payload, self.store.power_boot):
                    return record.unpacked(payload)[4]
        finally:
            unload("firmware.safety.record")
        return 0

    # -- faults

    def fault(self, stimulator, number, detail, channel, state, commanded):
        """Keep a fault for the log with what was commanded (uA, uA) when it struck.

        A fault that was recorded already and not cleared since is not recorded again.
        """
        severity = faults.severity(number)
        if severity == faults.CRITICAL and not self.latched:
            self.latched = number
            self.store.reset.latch(number)
        if number in self._numbers:
            return
        self._numbers.append(number)
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
        self._watch(stimulator, now_ms)
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
        self._numbers.clear()

    def step(self, stimulator):
        """Once a turn of the loop: keep time, watch, and write what waits if that is allowed."""
        now_ms = time.ticks_ms()
        if time.ticks_diff(now_ms, self._second_ms) >= 1000:
            self._second_ms = time.ticks_add(self._second_ms, 1000)
            self.uptime_s += 1
        self._watch(stimulator, now_ms)
        if self._pending and stimulator.why_not_write() is None:
            self._write()

    def _watch(self, stimulator, now_ms):
        """Note the state and the inputs for the black box, if they have changed."""
        outputs = stimulator.outputs
        inputs = (1 if outputs.trip() else 0) + (2 if outputs.stop_pressed() else 0)
        self.box.watch(now_ms, stimulator.state, inputs)

    def _write(self):
        """Put what waits into the log, and the black box beside it."""
        from firmware.safety import record

        pending = self._pending
        self._pending = []
        store = self.store
        try:
            firmware = store.firmware_crc()
            for snapshot, with_box in pending:
                payload = record.packed(snapshot, store.boots, store.reset.cause, firmware)
                number = store.append(payload)
                if with_box:
                    self._write_box(number)
            if self.trouble.startswith("log"):
                self.trouble = ""
        except Refused as refusal:
            self.trouble = "log not written: " + refusal.text
        finally:
            self.box.thaw()
            unload("firmware.safety.record")

    def _write_box(self, number):
        from firmware.safety import boxtext

        try:
            self.store.put_box(number, *boxtext.written(self.box, number))
        finally:
            unload("firmware.safety.boxtext")

    # -- time

    def set_clock(self, unix_s):
        """Tell the wall time, for the log."""
        self._wall_s = unix_s - self.uptime_s

    def wall_s(self):
        """The wall time as Unix seconds; 0 if nobody has told it."""
        return self._wall_s + self.uptime_s if self._wall_s else 0

    # -- configuration

    def value(self, name, channel=None):
        """A field of the configuration; channel 0 or 1 for those of a channel."""
        return self.values[name if channel is None else f"{name}_{channel + 1}"]

    def ceilings(self, channel):
        """What the clinician allows on a channel, as (current_ua, why) rows for the ceiling."""
        return (
            (self.value("clinician_ua", channel), "the clinician's ceiling"),
            (self.value("person_ua", channel), "the person's ceiling"),
        )
