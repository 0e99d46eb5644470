"""The stimulator: states, settings, arming, the session, and every way it stops."""

import gc
import time

from firmware.core.feeder import STARVED
from firmware.core.grid import Grid
from firmware.core.limits import limit
from firmware.core.refused import Refused
from firmware.core.settings import CHANNEL, SESSION, Settings
from firmware.core.timing import Timing
from firmware.core.unload import borrow, unload
from firmware.safety import faults, supervisor
from firmware.safety.approval import Approval
from firmware.safety.ceiling import ceiling
from firmware.safety.intensity import Intensity, Lock
from firmware.safety.link import Link
from firmware.safety.states import (
    ARMED,
    BOOT,
    CHECKING,
    FAULT,
    IDLE,
    NAMES,
    PAUSED,
    RUNNING,
    SELFTEST,
    StateMachine,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.safety.engine import Engine
    from firmware.safety.monitor import Monitor

REST_MS = 100  # how often the current at rest is looked at
STUCK_MS = 20  # the tape is late by this much: it does not move
SUPPLY_LEAST = 90  # per cent of the board's supply voltage, to start
PERSONS = ("pad_mm2", "standalone")  # settings that are no program's
MANUAL = "MAN"  # the mode of settings that were typed
SUPPLY_MOST = 115
SUPPLY_SAFE_V = 20  # more than this while switched off: the supply does not fall
SUPPLY_FALL_MS = 1_000  # from off to safe; the bleeder needs less than 200 ms
LIMITS_MS = 500  # how often the limits in memory are compared with their copies
NEEDED = supervisor.LOOP | supervisor.LINK | supervisor.SENSE | supervisor.LIMITS
# Modules behind engine.py, each after those it imports; a turn of the loop loads one.
ENGINE = (
    "core.envelope",
    "core.line",
    "core.scheduler",
    "core.parts",
    "core.fit",
    "core.plan",
    "core.tape",
    "core.inspector_rules",
    "core.inspector",
    "core.feeder",
    "core.expectation",
    "core.measure",
    "safety.monitor",
    "safety.engine",
)
NEEDED_TO_PLAY = NEEDED | supervisor.TAPE | supervisor.INSPECTOR


class Stimulator:
    """Everything behind the command tree. `board`: a module of firmware/boards.

    outputs: the board's inputs and outputs (hal/board_io.py). player: its tape player.
    sense: its sampler (hal/sense_rp2.py).
    storage: fault log, black box and configuration (safety/storage.py).
    watchdog: the chip's (hal/watchdog_rp2.py). read_file: hal/reading.py.
    Methods raise Refused and then have changed nothing.
    """

    def __init__(
        self, board, outputs, player, clock_hz, storage, sense, watchdog, read_file
    ):
        self.board = board
        self.outputs = outputs
        self.player = player
        self.storage = storage
        self.watchdog = watchdog
        self.read_file = read_file
        self.supervisor = supervisor.Supervisor(
            outputs, watchdog, board.HEARTBEAT_MS, time.ticks_diff
        )
        self.approval = Approval(board, self)
        grid = Grid(clock_hz)
        self.timing = Timing(
            grid, board.DEAD_NS, board.SEPARATION_NS, board.GATE_LEAD_NS, board.SETTLE_NS
        )
        self.sense = sense
        self.channels = (Settings(CHANNEL), Settings(CHANNEL))
        self.session = Settings(SESSION)
        self.intensity = (Intensity(time.ticks_diff), Intensity(time.ticks_diff))
        self.mode = MANUAL  # what the settings are for, as the program's class says
        self.loaded = ["", ""]  # id of the program that each channel's settings are of
        self.lock = Lock(time.ticks_diff)
        self.states = StateMachine()
        self.fault = faults.FaultLatch()
        self.link = Link(self)
        self.notice = faults.NONE  # what the host is to be told once, and of what
        self.notice_text = ""
        self.plan = None
        self.tape = None
        self.triggered = None  # safety/triggered.py, while a session with a trigger is armed
        self.contractions = [0, 0]
        self._ceilings = [None, None]  # as computed from the settings of now
        self._then = None  # what follows a fade: "end" or "pause"
        self._armed_ms = self._started_ms = time.ticks_ms()
        self._elapsed_ms = 0
        self._rest_ms = self._limits_ms = self._supply_ms = time.ticks_ms()
        self._off_ms = time.ticks_ms()
        self._test = None  # the self-test or the arming under way: a generator
        self.refusal = ""  # why the last arming came to nothing, until it is told

    if TYPE_CHECKING:
        engine: Engine
        monitor: Monitor

    def __getattr__(self, name):
        """The engine and its monitor: loaded behind the first answers after a reset."""
        if name != "engine" and name != "monitor":
            raise AttributeError(name)
        from firmware.safety.engine import Engine

        self.engine = Engine(self)
        self.monitor = self.engine.monitor
        return getattr(self, name)

    # -- settings -----------------------------------------------------------------------------

    @property
    def state(self):
        return self.states.state

    def put(self, settings, name, value):
        """Set one field of a channel or of the session."""
        self.update(settings, {name: value})

    def update(self, settings, values):
        """Set several fields of one channel or of the session; all or none."""
        live = all(settings.field(name)[7] for name in values)
        if self.state in (RUNNING, PAUSED) and not live:
            raise Refused(-221, "not while a session runs; stop it first")
        before = settings.values()
        settings.update(values)
        self._settings_changed()
        try:
            if self.state in (RUNNING, PAUSED):
                self._replan()
        except Refused:
            settings.update(before)
            self._settings_changed()
            raise
        for name in values:
            if name not in PERSONS:
                self._by_hand()
        self.disarm()
        for i in (0, 1):
            if settings is self.channels[i]:
                self.approval.entered(i, values)

    def _by_hand(self):
        self.mode = MANUAL
        self.loaded = ["", ""]

    def reset(self):
        """*RST: output off, every setting at its default."""
        self.stop()
        self.session.reset()
        for channel in self.channels:
            channel.reset()
        self._by_hand()
        self._use_stored()
        self.approval.forget()

    def configured(self):
        """The configuration has changed, and with it the ceilings."""
        self._settings_changed()

    def _use_stored(self):
        """What the configuration says differently from the settings' own defaults."""
        for i in (0, 1):
            self.channels[i].put("pad_mm2", self.storage.value("pad_mm2", i))
        self._settings_changed()

    def _replan(self):
        """A live setting has changed: the same time line with other pulses."""
        triggered = self.triggered
        if triggered:
            plans = triggered.make_plans()
            plan = triggered.current(plans)
        else:
            plan = self.engine.plan()
        for i in (0, 1):
            most_ua, why = self.ceiling(i)
            if self.intensity[i].current_ua > most_ua:
                raise Refused(
                    -221,
                    f"channel {i + 1} at {self.intensity[i].current_ua} uA would be above "
                    f"{most_ua} uA ({why})",
                )
        self.plan = plan
        if self.state == RUNNING:
            self.monitor.change(triggered.both(plans) if triggered else plan)
        self.tape.change(plan)
        if triggered:
            triggered.plans = plans
            triggered.changed()

    def ceiling(self, channel):
        """(current_ua, why): the most that a channel's intensity may be as things are set."""
        if self._ceilings[channel] is None:
            self._ceilings[channel] = ceiling(
                self.channels[channel], self.session, self.storage.ceilings(channel)
            )
        return self._ceilings[channel]

    def _settings_changed(self):
        self._ceilings[0] = self._ceilings[1] = None

    def set_current(self, channel, current_ua):
        """Set a channel's intensity; it is zero at every start and goes up in small steps."""
        intensity = self.intensity[channel]
        running = self.state == RUNNING and self._then is None
        if current_ua > intensity.current_ua and not running:
            raise Refused(-221, "intensity goes up only while a session runs")
        if current_ua > 0 and not self.channels[channel].enabled:
            raise Refused(-221, f"channel {channel + 1} is switched off")
        felt_ua = 0
        if running:
            felt_ua = self.tape.scheduler.highest(channel) * self.board.LEVEL_UA
        most_ua, why = self.ceiling(channel)
        now_ms = time.ticks_ms()
        if current_ua > intensity.current_ua:
            self.lock.check(now_ms)
        intensity.put(current_ua, most_ua, why, felt_ua, now_ms)
        self.lock.touch(now_ms)
        if running:
            self.tape.change()
            self.tape.scheduler.level[channel] = self.engine.levels(current_ua)
            if self.triggered:
                self.triggered.changed()

    def set_lock(self, on):
        """Close the way up, or open it for a while (SR-09)."""
        if on:
            self.lock.close()
        else:
            self.lock.open(time.ticks_ms())

    def locked(self):
        """Whether the intensity can't be raised for now."""
        return not self.lock.is_open(time.ticks_ms())

    # -- arming and the session ----------------------------------------------------------------

    def boot(self):
        """Begin the self-test; `step` goes on with it and ends in IDLE or FAULT."""
        self.states.take("test")
        self._test = self._booting()

    def _booting(self):
        """What comes before the self-test, a piece a turn of the loop."""
        yield  # what has come already is answered first
        self.storage.open()
        self._use_stored()
        if self.storage.latched:
            raise faults.Failed(self.storage.latched, "until the power is cut")
        if self.watchdog.bit:
            raise faults.Failed(faults.WATCHDOG, "")
        for name in ENGINE:
            yield
            gc.collect()  # what is loaded then lies in one piece
            __import__("firmware." + name)
        from firmware.safety.selftest import sequence

        yield from sequence(self)

    def _begin_test(self, name):
        """Import a module of tests; it is dropped when its sequence has ended."""
        gc.collect()
        module = __import__("firmware.safety." + name, None, None, ("sequence",))
        self._test = module.sequence(self)

    def _end_test(self):
        if self._test:
            self._test.close()
        self._test = None
        unload("firmware.safety.arming")
        unload("firmware.safety.selftest")

    def _step_test(self):
        """One turn of the self-test or of the arming."""
        try:
            next(self._test)
            return
        except StopIteration:
            checking = self.state == CHECKING
            self._end_test()
            gc.collect()  # a session begins with all the memory there is
            self.states.take("arm" if checking else "pass")
            self._armed_ms = time.ticks_ms()
        except Refused as refusal:
            self._end_test()
            self.stop()
            self.refusal = refusal.text
        except faults.Failed as failed:
            self._end_test()
            self.fail(failed.number, failed.detail)

    def test(self):
        """*TST?: 0 when all is well, else a sum: 1 trip line high, 2 stop button pressed or
        missing, 4 self-test not finished, 8 a latched fault."""
        result = 0
        if self.outputs.trip():
            result += 1
        if self.outputs.stop_pressed():
            result += 2
        if self.state == SELFTEST:
            result += 4
        if self.state == FAULT:
            result += 8
        return result

    def busy(self):
        """For *OPC: the self-test or an arming is under way, or a fade has not ended."""
        return self.state in (SELFTEST, CHECKING) or self._then is not None

    def arm(self, echo):
        """Check everything, then test the stops and switch the supply on (state CHECKING).

        echo: the hash that `approval.hash()` tells. Lapses after 60 s without a start.
        """
        if not self.states.can("check"):
            raise Refused(-221, f"arm not possible in state {NAMES[self.state]}")
        if self.storage.trouble:
            raise Refused(-221, self.storage.trouble)
        self.approval.check()
        if self.outputs.trip():
            self.outputs.clear_latch()
            if self.outputs.trip():
                raise Refused(-221, "trip line high: over-current, stop button or an open wire")
        engine = self.engine
        feeder = engine.FEEDER
        triggered = None
        if self.session.trigger:
            from firmware.safety.triggered import Triggered

            triggered = Triggered(self)
            feeder = triggered.FEEDER
            plan = triggered.plans[0]
        else:
            plan = self.engine.plan()
        if echo != self.approval.hash():
            raise Refused(-221, f"hash {echo} is not that of the settings, {self.approval.hash()}")
        inspector = engine.inspector()
        if self.monitor.zero():
            raise Refused(-221, f"current sense {self.monitor.channel + 1} off its zero")
        self.plan = plan
        self.contractions = [0, 0] if triggered else plan.contractions
        self.tape = None  # its memory is for the new one
        self.tape = engine.tape(feeder, inspector)
        self.triggered = triggered
        if triggered:
            triggered.open()
        self._zero()
        self.refusal = ""
        self.states.take("check")
        self._begin_test("arming")

    def check_electrodes(self, channel):
        """A generator: tests a channel's electrodes with weak pulses before it may be armed."""
        from firmware.safety.electrodes import check

        try:
            yield from check(self, channel)
        finally:
            unload("firmware.safety.electrodes")

    def disarm(self):
        if self.state in (CHECKING, ARMED):
            self.stop()

    def start(self):
        """Begin the session at amplitude zero."""
        if not self.states.can("start"):
            raise Refused(-221, f"start not possible in state {NAMES[self.state]}")
        self._need_supply()
        if self.triggered:
            self.triggered.check()
        self._zero()
        self._then = None
        self._elapsed_ms = 0
        self._measure(True)
        self.lock.open(time.ticks_ms())
        self._play(self.tape.begin(self.plan), "start")
        if self.triggered:
            self.triggered.begin()

    def pause(self):
        """Go to zero and hold the session."""
        if self.state != RUNNING or self._then:
            raise Refused(-221, f"pause not possible in state {self.state_name()}")
        self._fade("pause")

    def resume(self):
        """Go on with a held session, from amplitude zero."""
        if not self.states.can("resume"):
            raise Refused(-221, f"resume not possible in state {NAMES[self.state]}")
        self._need_supply()
        self._zero()
        self._then = None
        self._measure(False)
        self.lock.open(time.ticks_ms())
        self._play(self.tape.resume(self.plan), "resume")
        if self.triggered:
            self.triggered.begin()

    def finish(self):
        """Go to zero and end the session; from other states stop at once."""
        if self.state == RUNNING:
            self._fade("end")
        else:
            self.stop()

    def stop_byte(self):
        """The stop byte's turn has come; the player was halted when it was seen."""
        self.stop()
        self.player.halted = False

    def stop(self):
        """Output off now: legs low, supply off, amplitude zero. Never refused."""
        self._off()
        self.states.take("stop")

    def clear_fault(self):
        """Leave FAULT when its cause is gone; Refused (-221) names what is still there."""
        if self.state != FAULT:
            raise Refused(-221, f"no fault to clear in state {NAMES[self.state]}")
        if self.storage.latched:
            raise Refused(-221, "a critical fault is cleared only by cutting the power")
        self.outputs.clear_latch()
        if self.outputs.trip():
            raise Refused(-221, "trip line still high")
        self.fault.clear()
        self.storage.cleared()
        self.states.take("clear")
        self._begin_test("selftest")

    def sample(self):
        """The next train is sampled again."""
        self._measure(False)

    def sampled(self):
        """A train is over and the ADC is needed; True if one of its pulses was lost."""
        if self.monitor.complete():
            self.monitor.stop()
            return False
        self.fail(faults.LOST_PULSE)
        return True

    def trigger(self):
        """*TRG: the host's trigger."""
        if not self.triggered or self.state != RUNNING:
            raise Refused(-211, f"not in state {self.state_name()}")
        self.triggered.host()

    def crank_angle(self, degrees):
        """The crank's angle now, as the host has read it."""
        if not self.triggered:
            raise Refused(-221, "no session with a trigger is armed")
        self.triggered.angle(degrees)

    def _fade(self, then):
        if self.triggered:
            self.triggered.still()
        self._then = then
        self.tape.fade(limit("fade_ms"))

    def _zero(self):
        for intensity in self.intensity:
            intensity.zero()

    def _need_supply(self):
        supply_v = self.supply_v()
        least_v = self.least_supply_v()
        if supply_v < least_v:
            raise Refused(-221, f"supply at {supply_v} V below {least_v} V; it needs a moment")

    def least_supply_v(self):
        """The supply's voltage from which a session may start."""
        return self.board.SUPPLY_V * SUPPLY_LEAST // 100

    def _play(self, reason, event):
        if reason:
            self._refused(reason)
            return
        self.states.take(event)
        self._started_ms = time.ticks_ms()

    def _measure(self, fresh):
        plan = self.plan
        if self.triggered:
            plan = self.triggered.both(self.triggered.plans)
        self.monitor.begin(plan, self.channels, self.supply_v(), fresh)

    def _off(self):
        self._cut()
        self.supervisor.stop()
        self._off_ms = time.ticks_ms()
        if self.state == CHECKING:
            self._end_test()  # the self-test after a reset goes on
        if self.state == RUNNING:
            self._count_time()
            self.approval.used()
        if self.tape:
            self.tape.running = False
        self._then = None
        self._zero()
        self._drop_triggered()

    def _drop_triggered(self):
        """The session is over: the memory and the hardware of its triggers are given back."""
        if self.triggered:
            self.triggered.close()
            self.triggered = None
            for name in ("safety.triggered", "core.trigger", "hal.trigger_rp2",
                         "hal.trigger_program"):
                unload("firmware." + name)

    def _cut(self):
        """Legs low at once; then nothing is sampled any more."""
        self.player.kill()
        if self.triggered:
            self.triggered.stop()
        if self.sense.running:
            self.monitor.tell(self.storage.sensed)
            self.monitor.stop()

    def _hold(self, number):
        """Legs low, amplitudes zero and the session paused at once: an electrode's contact."""
        self._cut()
        self._count_time()
        self.tape.running = False
        self._then = None
        self.warn(number, self.monitor.channel + 1)
        self._zero()
        self.states.take("pause")

    def _refused(self, reason):
        """The inspector has refused the tape."""
        self.player.kill()  # first of all; what it means takes a moment to find
        text = borrow("firmware.core.inspector_reasons", "text", reason)
        self.fail(faults.INSPECTOR, text)

    def fail(self, number, detail="", channel=0):
        """Output off, and stay off until the fault is cleared. channel 1, 2, or 0 for neither."""
        self._cut()
        state = self.state
        commanded = (self.intensity[0].current_ua, self.intensity[1].current_ua)
        self._off()
        self._end_test()
        self.fault.latch(number, detail)
        self.states.take("fault")
        self.storage.fault(self, number, detail, channel, state, commanded)

    def warn(self, number, channel=0):
        """Have the host told, and the log, of something that latches no fault.

        channel 1, 2, or 0 for neither.
        """
        self.notice = number
        self.notice_text = f"channel {channel}" if channel else ""
        self.storage.warn(self, number, "", channel)

    # -- the loop -----------------------------------------------------------------------------

    def step(self):
        """One turn of the main loop: keep the tape full, look at the inputs, keep it alive."""
        state = self.state
        self.approval.look()
        if state == IDLE:
            self._watch_off()
        if self._test:
            self._step_test()
            if state == SELFTEST or self.state != state:
                return
        if state == RUNNING:
            if not self._step_tape():
                return
        elif state != ARMED and state != PAUSED and state != CHECKING:
            return
        elif self.triggered:
            self.triggered.watch()
        if state != CHECKING:
            if self.outputs.trip():
                self.fail(faults.TRIP)
                return
            if self.outputs.stop_pressed():
                self.fail(faults.STOP_BUTTON)
                return
        self._step_supervisor(state)

    def _step_tape(self):
        """Fill and watch the tape; False when the session has ended by it."""
        if self.player.tripped:
            self.fail(faults.TRIP)
            return False
        tape = self.tape
        inspected = tape.inspected
        reason = self.triggered.step() if self.triggered else 0
        reason = reason or tape.fill()
        if reason:
            if reason == STARVED:
                self.fail(faults.STARVED)
            else:
                self._refused(reason)
            return False
        if self.sense.running and self._measured(self.monitor.step()):
            return False
        self.supervisor.check_in(supervisor.TAPE | supervisor.SENSE)
        if tape.inspected != inspected or tape.ended or not tape.running:
            self.supervisor.check_in(supervisor.INSPECTOR)
        if tape.ended:
            self._watch_end()
        return self.state in (RUNNING, PAUSED)

    def _step_supervisor(self, state):
        """Compare the limits now and then, and beat if everybody has checked in."""
        now_ms = time.ticks_ms()
        task = self.supervisor
        if time.ticks_diff(now_ms, self._supply_ms) >= REST_MS and state != CHECKING:
            self._supply_ms = now_ms
            if not self._supply_holds():
                return
        if state in (ARMED, PAUSED) or state == RUNNING and not self.sense.running:
            if not self._rests(now_ms):
                return
            task.check_in(supervisor.SENSE)
        self.link.watch(now_ms)
        if time.ticks_diff(now_ms, self._limits_ms) >= LIMITS_MS:
            self._limits_ms = now_ms
            if not self.tape.inspector.intact():
                self.fail(faults.CORRUPT)
                return
        task.check_in(supervisor.LOOP | supervisor.LINK | supervisor.LIMITS)
        if self.state == CHECKING:
            task.check_in(supervisor.SENSE)
        needed = NEEDED_TO_PLAY if self.state == RUNNING else NEEDED
        missing = task.step(needed, now_ms)
        if missing:
            self.fail(faults.SUPERVISOR, task.names(missing))
        elif state == ARMED and time.ticks_diff(now_ms, self._armed_ms) >= limit("arm_ms"):
            self.disarm()

    def _supply_holds(self):
        """Whether the supply is within its range while it is on."""
        supply_v = self.supply_v()
        most_v = self.board.SUPPLY_V * SUPPLY_MOST // 100
        if self.least_supply_v() <= supply_v <= most_v:
            return True
        self.fail(faults.SUPPLY, f"{supply_v} V, not {self.least_supply_v()} to {most_v} V")
        return False

    def _watch_off(self):
        """Idle: the supply must have fallen (SR-01)."""
        now_ms = time.ticks_ms()
        if time.ticks_diff(now_ms, self._rest_ms) < REST_MS:
            return
        self._rest_ms = now_ms
        if self.outputs.supply_v() <= SUPPLY_SAFE_V:
            self._off_ms = now_ms
        elif time.ticks_diff(now_ms, self._off_ms) >= SUPPLY_FALL_MS:
            self.fail(faults.SUPPLY, f"{self.outputs.supply_v()} V while switched off")

    def _measured(self, number):
        """Act on what the monitor found; whether the output is off now."""
        monitor = self.monitor
        if monitor.warning:
            self.warn(monitor.warning, monitor.channel + 1)
            monitor.warning = 0
        if not number:
            return False
        if number in faults.PAUSING:
            self._hold(number)
        else:
            self._fail_measured(number)
        return True

    def _fail_measured(self, number):
        channel = self.monitor.channel + 1
        self.fail(number, f"channel {channel}", channel)

    def _rests(self, now_ms):
        """Armed or paused: whether the current at rest is none."""
        if time.ticks_diff(now_ms, self._rest_ms) >= REST_MS:
            self._rest_ms = now_ms
            number = self.monitor.rest()
            if number:
                self._fail_measured(number)
                return False
        return True

    def _watch_end(self):
        """The last block is queued: wait until it was played."""
        if self.tape.finished():
            if self.sense.running and not self.monitor.complete():
                self.fail(faults.LOST_PULSE)
                return
            then = self._then or "end"
            self._then = None
            self._cut()
            self._count_time()
            self.tape.running = False
            self._zero()
            if then == "end":
                self.supervisor.stop()
                self.approval.used()
                self._off_ms = time.ticks_ms()
                self._drop_triggered()
            self.states.take(then)
        elif self.player.queued_turns() < -STUCK_MS * self.timing.grid.turns_per_ms:
            self.fail(faults.STUCK)

    # -- what it tells --------------------------------------------------------------------------

    def state_name(self):
        if self.state == RUNNING and self._then:
            return "FADING"
        if self.state == RUNNING and self.triggered:
            return self.triggered.state_name()
        return NAMES[self.state]

    def _count_time(self):
        self._elapsed_ms += time.ticks_diff(time.ticks_ms(), self._started_ms)

    def elapsed_ms(self):
        """Session time played, without pauses."""
        if self.state == RUNNING:
            return self._elapsed_ms + time.ticks_diff(time.ticks_ms(), self._started_ms)
        return self._elapsed_ms

    def supply_v(self):
        """The supply's voltage: while the output runs as sampled with the pulses."""
        if self.sense.running:
            return self.monitor.supply_v()
        return self.outputs.supply_v()

    def pulses(self, channel):
        return self.tape.pulses(channel) if self.tape else 0

    def moved(self, channel):
        """(pulses moved by collisions, the furthest move in ns)."""
        if not self.tape:
            return 0, 0
        count, turns = self.tape.scheduler.moved(channel)
        return count, turns * 1_000_000 // self.timing.grid.turns_per_ms

    def is_on(self):
        return self.state in (RUNNING, PAUSED)

    def why_not_write(self):
        """Why nothing may be written to flash now (it stops the loop), or None."""
        if self.state in (BOOT, SELFTEST, IDLE, FAULT):
            return None
        return f"nothing is written in state {self.state_name()}; stop first"

    def is_armed(self):
        return self.state == ARMED

    def is_idle(self):
        return self.state == IDLE
