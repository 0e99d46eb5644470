"""The heartbeat: it goes on only while every task has checked in since the last beat.

Without it the board switches the supply off (SR-29) and, a little later, the chip's watchdog
resets the chip (SR-28). Nothing else beats, and nothing else feeds.
"""

# What checks in, as bits.
LOOP = 1  # the input was looked at
TAPE = 2  # the tape was filled
INSPECTOR = 4  # a block passed, or the tape has its end
SENSE = 8  # what was delivered was looked at
LINK = 16  # the host's silence was judged
LIMITS = 32  # the limits in memory are what they were

NAMES = {
    LOOP: "input",
    TAPE: "tape",
    INSPECTOR: "inspector",
    SENSE: "sense",
    LINK: "link",
    LIMITS: "limits",
}

LATE_MS = 60  # a beat that comes later than this is a fault; the supply holds for 100


class Supervisor:
    """Toggles the heartbeat and feeds the watchdog. `ticks_diff`: as in MicroPython's time."""

    def __init__(self, outputs, watchdog, beat_ms, ticks_diff):
        self._outputs = outputs
        self._watchdog = watchdog
        self._beat_ms = beat_ms
        self._ticks_diff = ticks_diff
        self._seen = 0
        self._last_ms = 0
        self.on = False
        self.hold = False  # True: no beats, on purpose, to see the supply fall

    def start(self, now_ms):
        """The output is being armed: the heartbeat begins."""
        self._seen = 0
        self._last_ms = now_ms
        if not self.on:
            self.on = True
            self._watchdog.start()
        self._outputs.beat()

    def stop(self):
        """Supply off, no more beats."""
        self._outputs.supply_off()
        self.hold = False
        if self.on:
            self.on = False
            self._watchdog.stop()

    def check_in(self, task):
        self._seen |= task

    def step(self, needed, now_ms):
        """Beat if it is due and all of `needed` have checked in; the tasks missed when late."""
        since_ms = self._ticks_diff(now_ms, self._last_ms)
        if since_ms < self._beat_ms:
            return 0
        missing = needed & ~self._seen
        if missing:
            return missing if since_ms >= LATE_MS else 0
        self._seen = 0
        self._last_ms = now_ms
        if not self.hold:
            self._outputs.beat()
        self._watchdog.feed()
        return 0

    def names(self, tasks):
        """The tasks' names, for a fault's detail."""
        return ", ".join([NAMES[bit] for bit in sorted(NAMES) if tasks & bit])
