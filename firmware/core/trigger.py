"""What a triggered session does next: from debounced inputs and the time, without hardware.

Input is a `section`: what should be stimulated by what the switch or the crank says now, 0 or 1
(an index into the session's trains) or NONE. A section is served once: then it must have been
left before it is stimulated again. The answer is what to do with the tape (core/held.py).
"""

from firmware.core.held import DOWN, HELD, PLAYING

NONE = -1

NOTHING, PREPARE, START, FADE, DROP, PAUSE = range(6)

STAND_MS = 60_000  # standing still for longer than this ends in a pause


class Contact:
    """A switch as polled, without its bounces. value: 0 idle, 1 active, NONE not known yet."""

    def __init__(self, debounce_ms):
        self.value = NONE
        self.seen = 0  # bit 0: idle, bit 1: active
        self._debounce_ms = debounce_ms
        self._last = NONE
        self._since_ms = 0

    def step(self, now_ms, level):
        """Look at the switch; returns its value."""
        if level != self._last:
            self._last = level
            self._since_ms = now_ms
        if level != self.value and now_ms - self._since_ms >= self._debounce_ms:
            self.value = level
            self.seen |= 1 << level
        return self.value

    def set(self, now_ms, level):
        """The hardware has seen this level for the debounce time."""
        self.value = self._last = level
        self._since_ms = now_ms
        self.seen |= 1 << level


class Trigger:
    """Decides along a session. Times are ms since its start.

    sections: how many trains there are to choose from. rests_ms: for each, from the end of a train
    to its own. extend_ms: how long a train goes on after its section was left. gated: a train ends
    with its section; else it has its own length. walk: the switch is a heel's: standing still is
    no reason to pause at once. ahead: a train is held before its trigger comes.
    """

    def __init__(self, sections, rests_ms, extend_ms, wait_ms, gated, walk, ahead=True):
        self.section = 0  # of the train at hand
        self.standing = False
        self.trains = 0
        self._sections = sections
        self._rests_ms = rests_ms
        self._extend_ms = extend_ms
        self._wait_ms = wait_ms
        self._gated = gated
        self._walk = walk
        self._ahead = ahead
        self.begin(0, NONE)

    def begin(self, now_ms, section):
        """The session starts or goes on; what is active now is not stimulated."""
        self._served = section
        self._playing = False
        self._fading = False
        self._left_ms = NONE  # when the train's section was left
        self._idle_ms = now_ms  # since when nothing was played, or the session goes on
        self._rested = True
        self._before = section
        self._changes = 0
        self.standing = False

    def started(self):
        """The train at hand plays."""
        self._playing = True
        self._fading = False
        self._left_ms = NONE
        self._served = self.section
        self.trains += 1

    def armed(self, section):
        """Whether the hardware may start the train that is held: its section is yet to come."""
        return section != self.section and not self.standing

    def step(self, now_ms, section, phase):
        """What to do now. phase: the tape's (core/held.py)."""
        if phase == PLAYING:
            return self._along(now_ms, section)
        if self._playing:
            self._playing = False
            self._rested = False
            self._idle_ms = now_ms
        if section != self._before:
            self._before = section
            self._changes += 1
        if section != self._served:
            self._served = NONE
        if self.standing:
            return self._stand(now_ms, section)
        passed_ms = now_ms - self._idle_ms
        resting = not self._rested and passed_ms < self._rests_ms[0]
        if resting and self._sections == 1 and not self._walk:
            # Who asks for the next contraction within the rest must ask again behind it.
            self._served = section
        wanted = self._choose(section)
        if wanted >= 0 and phase != DOWN and wanted == self.section:
            if phase == HELD and wanted == section:
                return START
            return self._wait(now_ms, phase)
        if wanted >= 0 and (self._rested or passed_ms >= self._rests_ms[wanted]):
            self._rested = True
            self.section = wanted
            return PREPARE
        return self._wait(now_ms, phase)

    def _choose(self, section):
        """The train that comes next, or NONE before its section was left."""
        if section >= 0 and section != self._served:
            return section
        if not self._ahead:
            return NONE
        if self._sections > 1:
            return 1 - self._last(section)
        return 0 if section < 0 else NONE

    def _last(self, section):
        return section if section >= 0 else self.section if self.trains else 1

    def _along(self, now_ms, section):
        self._before = section
        if not self._gated or self._fading:
            if section != self.section:
                self._served = NONE
            return NOTHING
        if section == self.section:
            self._left_ms = NONE
            self._served = section
            return NOTHING
        self._served = NONE
        if self._left_ms < 0:
            self._left_ms = now_ms
        if now_ms - self._left_ms < self._extend_ms:
            return NOTHING
        self._fading = True
        return FADE

    def _wait(self, now_ms, phase):
        """No wait without an end."""
        if now_ms - self._idle_ms < self._wait_ms:
            return NOTHING
        if not self._walk:
            return PAUSE
        self.standing = True
        self._changes = 0
        return DROP if phase != DOWN else NOTHING

    def _stand(self, now_ms, section):
        """A whole step must be seen, without stimulation, before the next is stimulated."""
        if self._changes >= 2:
            self.begin(now_ms, section)
        elif now_ms - self._idle_ms >= self._wait_ms + STAND_MS:
            return PAUSE
        return NOTHING
