"""A triggered session: between the switch, the decisions, and the tape that is held.

Imported when a session with a trigger is armed, and dropped when it has ended.
"""

import time

from firmware.core.held import DOWN, HELD, OPENING, PLAYING, HeldFeeder
from firmware.core.refused import Refused
from firmware.core.settings import ANALOG, CRANK, HOST, PHASES
from firmware.core.trigger import DROP, FADE, NONE, PAUSE, PREPARE, START

BOTH_SEEN = 0b11
LOOK_US = 5_000  # of debounce that an idle input leaves for a look at the current at rest


class _Both:
    def __init__(self):
        self.channels = [None, None]


class Triggered:
    """The trains of one armed session and what starts them; made by safety/trains.py.

    sections: for each the channels that it stimulates. plans: for each its train. walk: the
    switch is a heel's. by_pin: the hardware starts the trains. high: the input's active level.
    signal: the crank or the threshold, or None. Nothing is claimed or started before open().
    latency_us: from the last start by the hardware to when the loop knew of it.
    """

    FEEDER = HeldFeeder

    def __init__(self, stimulator, sections, decisions):
        self._stimulator = stimulator
        self._source = stimulator.session.trigger
        self._sections = sections
        self._trigger = decisions
        self.plans = self.contact = self.signal = None
        self.walk = self.by_pin = self.high = False
        self._mark_ms = 0  # up to when the inspector was told of rest
        self._held_ms = 0  # for how long the last train was held
        self._now_ms = 0
        self._ticks = time.ticks_ms()
        self._played = False
        self._asked = NONE  # the section, when the input was last read
        self.latency_us = 0
        self._line = None
        self._starts_high = False
        self._looked = False  # at the current at rest, since the train is held

    def open(self):
        """Claim the hardware, where there is any that starts a train."""
        if self.by_pin:
            self._line = self._stimulator.player.trigger_line()
            self._stimulator.tape.line = self._line

    def check(self):
        """Refuse to start without a heel switch that was seen in both positions (SR-32)."""
        if self.by_pin and not self.contact.seen:
            raise Refused(-221, "trigger input not steady yet; it needs a moment")
        if self.walk and self.contact.seen != BOTH_SEEN:
            raise Refused(
                -221, "foot switch not seen in both positions: lift the heel, put it down"
            )

    # -- along the session -------------------------------------------------------------------

    def begin(self):
        """The session starts, or goes on after a pause."""
        self._look()
        self._mark_ms = self._now_ms
        self._played = False
        if self._source == ANALOG:
            self._stimulator.monitor.stop()
        self._trigger.begin(self._now_ms, self._section())

    def watch(self):
        """Armed or paused: look at the switch."""
        self._look()
        self._section()

    def step(self):
        """One turn while the session runs; before the tape is filled. 0 or the tape's reason."""
        self._look()
        tape = self._stimulator.tape
        trigger = self._trigger
        line = self._line
        if line and line.armed and line.fired():
            self._unarm(tape)
        section = self._section()
        phase = tape.phase
        if phase == PLAYING:
            self._played = True
        elif self._played:
            self._played = False
            self._mark_ms = self._now_ms
            if self._source == ANALOG and self._stimulator.sampled():
                return 0
        if tape.over:
            return 0
        if self._stimulator.elapsed_ms() >= self._stimulator.session.duration_ms:
            self._unarm(tape)
            self._stimulator.finish()
            return 0
        action = trigger.step(self._now_ms, section, phase)
        if action == PREPARE:
            return self._prepare(tape)
        if action == START:
            if not (line and line.armed):
                self._start(tape)
        elif action == FADE:
            channel = self._sections[trigger.section][0]
            tape.down(self._stimulator.channels[channel].ramp_down_ms)
        elif action == DROP:
            self._drop(tape)
        elif action == PAUSE:
            if not self._unarm(tape):
                self._stimulator.pause()
        elif phase == HELD and self._looked and line and not line.armed and trigger.armed(section):
            self._arm_line()
        return 0

    def _look(self):
        now = time.ticks_ms()
        self._now_ms += time.ticks_diff(now, self._ticks)
        self._ticks = now

    def _section(self):
        """What the input asks for now."""
        now_ms = self._now_ms
        source = self._source
        if source == HOST:
            return NONE
        if source == CRANK:
            return self.signal.section(now_ms)
        if source == ANALOG:
            if self._stimulator.monitor.sense.running:
                return self._asked  # the sampler has the ADC
            level = self.signal.step(self._read())
        else:
            level = 1 if self._line.high() == self.high else 0
        value = self.contact.step(now_ms, level)
        if value < 0:
            return NONE
        if source == PHASES:
            return 1 - value
        self._asked = 0 if value else NONE
        return self._asked

    def _read(self):
        """The analogue input, in mV; only while nothing is sampled."""
        sense = self._stimulator.monitor.sense
        sense.select(self._stimulator.board.TRIGGER_ANALOG)
        mv = self._stimulator.outputs.analog_mv()
        sense.select(0)
        return mv

    def _arm_line(self):
        # In a walk of two phases the stance begins with the other edge.
        high = self.high
        if self._source == PHASES and self._trigger.section:
            high = not high
        self._starts_high = high
        self._line.arm(high, self._stimulator.session.debounce_us)

    def _unarm(self, tape):
        """Start nothing by hardware any more; True if it had fired, and its train plays."""
        line = self._line
        if not (line and line.armed and line.disarm()):
            return False
        since_us = line.since_us()
        tape.go(since_us)
        self.latency_us = time.ticks_diff(time.ticks_us(), since_us)
        active = 1
        if self._source == PHASES:
            active = 1 - self._trigger.section
        self.contact.set(self._now_ms, active)
        self._started()
        return True

    def _start(self, tape):
        tape.go()
        self._started()

    def _started(self):
        self._held_ms = self._now_ms - self._mark_ms
        self._trigger.started()
        counts = self._stimulator.contractions
        for i in self._sections[self._trigger.section]:
            counts[i] += 1

    def _prepare(self, tape):
        if self._unarm(tape):
            return 0
        rest_ms = self._now_ms - self._mark_ms
        held_ms = self._held_ms
        self._mark_ms = self._now_ms
        self._held_ms = 0
        self._looked = False
        plan = self.plans[self._trigger.section]
        self._stimulator.plan = plan
        if self._source == ANALOG:
            self._stimulator.sample()
        return tape.prepare(plan, rest_ms, held_ms)

    def _drop(self, tape):
        if not self._unarm(tape):
            tape.release()

    def still(self):
        """The session fades: a train that is held is not to start any more."""
        self._unarm(self._stimulator.tape)

    def changed(self):
        """An intensity or a live setting was changed: what is held must be written anew."""
        tape = self._stimulator.tape
        if tape.phase == HELD or tape.phase == OPENING:
            if self._unarm(tape):
                tape.change(self.current(self.plans))
            else:
                tape.release()

    def current(self, plans):
        """Of some plans the one for the train at hand."""
        return plans[self._trigger.section]

    def both(self, plans):
        """What the monitor has to be ready for: every channel of any of the trains."""
        both = _Both()
        for plan in plans:
            for i in (0, 1):
                if plan.channels[i] is not None:
                    both.channels[i] = plan.channels[i]
        return both

    def host(self):
        """*TRG: start the held train now."""
        tape = self._stimulator.tape
        if self._source != HOST:
            raise Refused(-211, "the session's trigger is not the host")
        if tape.phase != HELD or tape.over:
            raise Refused(-211, f"not in state {self.state_name()}")
        self._start(tape)

    def angle(self, degrees):
        """The crank's angle as the host reads it."""
        if self._source != CRANK:
            raise Refused(-221, "the session's trigger is not a crank")
        self._look()
        self.signal.read(self._now_ms, degrees)

    def stop(self):
        """The output was cut: nothing may be started any more."""
        if self._line:
            self._line.disarm()
            self._line.end()
        self._stimulator.tape.phase = DOWN

    def close(self):
        if self._line:
            self._stimulator.tape.line = None
            self._line.close()

    def rests(self):
        """Whether the current at rest may be looked at: a train waits with GATE up.

        2: it has to be, before the hardware may start the train. 1: the input is idle, and its
        debounce time long enough. 0: the train might start meanwhile.
        """
        line = self._line
        if self._stimulator.tape.phase != HELD or not line:
            return 0
        if not line.armed:
            if self._looked:
                return 1
            self._looked = True
            return 2
        if self._stimulator.session.debounce_us < LOOK_US or line.fired():
            return 0
        was_high = (self.contact.value == 1) == self.high
        return 0 if was_high == self._starts_high or line.high() == self._starts_high else 1

    # -- what it tells -------------------------------------------------------------------------

    def state_name(self):
        """RUNNING while a train plays; between trains what is waited for."""
        phase = self._stimulator.tape.phase
        if phase == PLAYING:
            return "RUNNING"
        if self._trigger.standing:
            return "STANDING"
        return "WAITING" if phase == HELD else "RESTING"
