"""A triggered session: between the switch, the decisions, and the tape that is held.

Imported when a session with a trigger is armed, and dropped when it has ended.
"""

import time

from firmware.core.held import DOWN, HELD, OPENING, PLAYING, HeldFeeder
from firmware.core.plan import make_plan
from firmware.core.refused import Refused
from firmware.core.settings import (
    ANALOG,
    BUTTON,
    CHANNEL,
    CRANK,
    EDGE,
    FALLING,
    GATED,
    HEEL,
    HOST,
    PHASES,
    RISING,
    SESSION,
    SIMULTANEOUS,
    Settings,
)
from firmware.core.trigger import (
    DROP,
    FADE,
    NONE,
    PAUSE,
    PREPARE,
    START,
    Contact,
    Crank,
    Threshold,
    Trigger,
)

BOTH_SEEN = 0b11
LOOK_US = 5_000  # of debounce that an idle input leaves for a look at the current at rest


def _copy(settings, fields):
    made = Settings(fields)
    for field in fields:
        setattr(made, field[0], getattr(settings, field[0]))
    return made


class _Both:
    def __init__(self):
        self.channels = [None, None]


class Triggered:
    """The trains of one armed session and what starts them.

    Raises Refused (-221) for settings that no triggered session can have.
    Nothing is claimed or started before open(). latency_us: from the last start by the hardware
    to when the loop knew of it.
    """

    FEEDER = HeldFeeder

    def __init__(self, stimulator):
        self._stimulator = stimulator
        session = stimulator.session
        self._source = source = session.trigger
        used = [i for i in (0, 1) if stimulator.channels[i].enabled]
        if not used:
            raise Refused(-221, "no channel is switched on")
        if source == PHASES and len(used) < 2:
            raise Refused(-221, "a swing and stance session needs both channels")
        if session.warm_ms or session.cool_ms:
            raise Refused(-221, "a triggered session has no warm-up and no cool-down")
        if source == ANALOG and stimulator.board.TRIGGER_ANALOG is None:
            raise Refused(-221, "the board has no analogue trigger input")
        apart = source in (PHASES, CRANK)
        # For each section the channels that it stimulates: never both where they are apart.
        self._sections = tuple([(i,) for i in used]) if apart else (tuple(used),)
        self.plans = self.make_plans()
        self._mark_ms = 0  # up to when the inspector was told of rest
        self._held_ms = 0  # for how long the last train was held
        self._now_ms = 0
        self._ticks = time.ticks_ms()
        self._played = False
        self._asked = NONE  # the section, when the input was last read
        self.latency_us = 0
        walk = source in (HEEL, PHASES)
        self._walk = walk
        mode = session.trigger_mode
        gated = mode == GATED or (mode != EDGE and source not in (HOST, ANALOG))
        slope = session.slope
        self._high = slope == RISING if slope else walk
        debounce_ms = -(-session.debounce_us // 1000)
        self._contact = Contact(debounce_ms)
        self._threshold = Threshold(session.level_mv, session.hysteresis_mv, slope == FALLING)
        self._crank = None
        if source == CRANK:
            self._crank = self._windows()
        rests = self._rests()
        self._trigger = Trigger(
            len(self._sections), rests, session.extend_ms, session.wait_ms + max(rests), gated,
            walk, source != ANALOG,
        )
        self._line = None
        self._starts_high = self._high
        self._looked = False  # at the current at rest, since the train is held
        self._by_pin = walk or source == BUTTON

    def open(self):
        """Claim the hardware, where there is any that starts a train."""
        if self._by_pin:
            self._line = self._stimulator.player.trigger_line()
            self._stimulator.tape.line = self._line

    # -- before it is armed ----------------------------------------------------------------------

    def make_plans(self):
        """One plan for each section: a train as long as it may be."""
        stimulator = self._stimulator
        session = stimulator.session
        plans = []
        for section in self._sections:
            one = _copy(session, SESSION)
            one.trigger = 0
            channels = []
            lengths = []
            for i in (0, 1):
                c = _copy(stimulator.channels[i], CHANNEL)
                c.enabled = 1 if i in section else 0
                if c.enabled:
                    ramps_ms = c.ramp_up_ms + c.ramp_down_ms
                    length_ms = session.timeout_ms
                    if c.on_ms:
                        length_ms = min(length_ms, ramps_ms + c.on_ms)
                    if length_ms < ramps_ms:
                        raise Refused(
                            -221,
                            f"channel {i + 1}: ramps of {ramps_ms} ms above the longest triggered "
                            f"contraction, {length_ms} ms",
                        )
                    if c.block_ms or c.pause_ms or c.rest_rate_mhz and c.off_ms and c.on_ms:
                        raise Refused(
                            -221, f"channel {i + 1}: no blocks and no active rest with a trigger"
                        )
                    lengths.append(length_ms)
                c.on_ms = 0
                channels.append(c)
            if len(section) == 2:
                if session.pattern != SIMULTANEOUS and lengths[0] != lengths[1]:
                    raise Refused(
                        -221, f"triggered together, but {lengths[0]} and {lengths[1]} ms long"
                    )
                one.pattern = SIMULTANEOUS
            one.duration_ms = max(lengths)
            plans.append(make_plan(channels, one, stimulator.timing))
        return plans

    def _rests(self):
        """The least rest before each section's train.

        Never shorter than a period, so that no second holds more pulses than a steady train; and
        between channels that are kept apart as long as the longer of their delays.
        """
        channels = self._stimulator.channels
        apart_ms = 0
        if len(self._sections) > 1:
            apart_ms = max([channels[s[0]].delay_us for s in self._sections]) // 1000
        rests = []
        for section in self._sections:
            rest_ms = 0
            for i in section:
                c = channels[i]
                rest_ms = max(rest_ms, 1_000_000 // c.rate_mhz + 1)
                if c.on_ms:
                    rest_ms = max(rest_ms, c.off_ms)
                if apart_ms:
                    rest_ms = max(rest_ms, apart_ms - c.delay_us // 1000)
            rests.append(rest_ms)
        return rests

    def _windows(self):
        session = self._stimulator.session
        windows = []
        for section in self._sections:
            c = self._stimulator.channels[section[0]]
            if c.crank_from == c.crank_to:
                raise Refused(-221, f"channel {section[0] + 1} has no range of crank angles")
            windows.append((c.crank_from, c.crank_to))
        if len(windows) == 2:
            for one, two in (windows, (windows[1], windows[0])):
                if (two[0] - one[0]) % 360 < (one[1] - one[0]) % 360:
                    raise Refused(-221, f"crank angles overlap at {two[0]} degrees")
        if session.least_rpm >= session.most_rpm:
            raise Refused(
                -221, f"least cadence {session.least_rpm} not below {session.most_rpm} a minute"
            )
        return Crank(windows, session.least_rpm, session.most_rpm)

    def check(self):
        """Refuse to start without a heel switch that was seen in both positions (SR-32)."""
        if self._by_pin and not self._contact.seen:
            raise Refused(-221, "trigger input not steady yet; it needs a moment")
        if self._walk and self._contact.seen != BOTH_SEEN:
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
            return self._crank.section(now_ms)
        if source == ANALOG:
            if self._stimulator.monitor.sense.running:
                return self._asked  # the sampler has the ADC
            level = self._threshold.step(self._read())
        else:
            level = 1 if self._line.high() == self._high else 0
        value = self._contact.step(now_ms, level)
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
        high = self._high
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
        self._contact.set(self._now_ms, active)
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
        self._crank.read(self._now_ms, degrees)

    def stop(self):
        """The output was cut: nothing may be started any more."""
        if self._line:
            self._line.disarm()
            self._line.end()
        self._stimulator.tape.phase = DOWN

    def close(self):
        if self._line:
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
        was_high = (self._contact.value == 1) == self._high
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
