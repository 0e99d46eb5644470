"""The stimulator: its intensities, the session, and every way it stops.

Resident while the output runs, and small for it. What is needed only while the output is off is
imported then (core/unload.py): booting.py, selftest.py, changes.py, approving.py, arming.py,
starting.py.
"""

import time

from firmware.core.grid import Grid
from firmware.core.refused import Refused
from firmware.core.settings import CHANNEL, SESSION, Settings
from firmware.core.timing import Timing
from firmware.core.unload import borrow, fetch, lend, stay
from firmware.safety import faults, supervisor
from firmware.safety.approval import Approval
from firmware.safety.intensity import Intensity, Lock
from firmware.safety.link import Link
from firmware.safety.playing import Play
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
from firmware.safety.trial import Trial
from firmware.safety.watch import Watch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.safety.engine import Engine
    from firmware.safety.monitor import Monitor

_CHANGES = "firmware.safety.changes"
_STARTING = "firmware.safety.starting"


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
        self.mode = "MAN"  # what the settings are for, as the program's class says
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
        self._armed_ms = time.ticks_ms()
        self.play = Play(self)
        self.trial = Trial(self)
        self.inputs = 0  # as hal/board_io.py told them in this turn
        self.watch = Watch(self)
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
        borrow(_CHANGES, "update", self, settings, values)

    def reset(self):
        """*RST: output off, every setting at its default."""
        self.stop()
        borrow("firmware.safety.defaults", "reset", self)

    def configured(self, channel=None):
        """What was set has changed, and with it the ceiling of a channel, or of both."""
        for i in (0, 1):
            if channel is None or channel == i:
                self._ceilings[i] = None
        self.outputs.supply_ppm = self.storage.value("supply_gain_ppm")

    def level_na(self, channel):
        """The current of one level, by the channel's calibration."""
        return self.board.LEVEL_UA * self.storage.value("sink_gain_ppm", channel) // 1000

    def ceiling(self, channel):
        """(current_ua, why): the most that a channel's intensity may be as things are set."""
        if self._ceilings[channel] is None:
            self._ceilings[channel] = borrow(
                "firmware.safety.ceiling", "ceiling_of", self, channel
            )
        return self._ceilings[channel]

    def set_current(self, channel, current_ua):
        """Set a channel's intensity; it is zero at every start and goes up in small steps."""
        intensity = self.intensity[channel]
        running = self.state == RUNNING and self.play.then is None
        if current_ua > intensity.current_ua and not running:
            raise Refused(-221, "intensity goes up only while a session runs")
        if current_ua > 0 and not self.channels[channel].enabled:
            raise Refused(-221, f"channel {channel + 1} is switched off")
        felt_ua = 0
        if running:
            felt_ua = self.tape.scheduler.highest(channel) * self.level_na(channel) // 1000
        most_ua, why = self.ceiling(channel)
        now_ms = time.ticks_ms()
        if current_ua > intensity.current_ua:
            self.lock.check(now_ms)
        intensity.put(current_ua, most_ua, why, felt_ua, now_ms)
        self.lock.touch(now_ms)
        if running:
            self.tape.change()
            self.tape.scheduler.level[channel] = self.engine.levels(channel, current_ua)
            if self.triggered:
                self.triggered.changed()
            self.play.step()  # at once: a millisecond sooner than in the loop's turn

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
        stay()
        self.states.take("test")
        self.trial.begin("booting")

    def passed(self, event):
        """The trial under way has come to its end: "arm" or "pass"."""
        self.states.take(event)
        self._armed_ms = time.ticks_ms()

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
        return self.state in (SELFTEST, CHECKING) or self.play.then is not None

    def arm(self, echo):
        """Check everything, then test the stops and switch the supply on (state CHECKING).

        echo: the hash that `approval.hash()` tells. Lapses after 60 s without a start.
        """
        fetch(*borrow("firmware.safety.needs", "names", self.session.trigger))
        borrow("firmware.safety.arming", "begin", self, echo)
        self.zero()
        self.refusal = ""
        self.states.take("check")
        lend(False)  # a session begins with all the memory there is
        self.trial.begin("arming")

    def disarm(self):
        if self.state in (CHECKING, ARMED):
            self.stop()

    def start(self):
        """Begin the session at amplitude zero."""
        borrow(_STARTING, "start", self)

    def resume(self):
        """Go on with a held session, from amplitude zero."""
        borrow(_STARTING, "resume", self)

    def pause(self):
        """Go to zero and hold the session."""
        if self.state != RUNNING or self.play.then:
            raise Refused(-221, f"pause not possible in state {self.state_name()}")
        self.play.fade("pause")

    def finish(self):
        """Go to zero and end the session; from other states stop at once."""
        if self.state == RUNNING:
            self.play.fade("end")
        else:
            self.stop()

    def stop_byte(self):
        """The stop byte's turn has come; the player was halted when it was seen."""
        self.stop()
        self.player.halted = False

    def stop(self):
        """Output off now: legs low, supply off, amplitude zero. Never refused."""
        self.off()
        self.states.take("stop")

    def clear_fault(self):
        """Leave FAULT when its cause is gone; Refused (-221) names what is still there."""
        borrow("firmware.safety.selftest", "clear_fault", self)
        self.trial.begin("selftest")

    def sample(self):
        """The next train is sampled again."""
        self.measure(False)

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

    def zero(self):
        """Both intensities to zero."""
        for intensity in self.intensity:
            intensity.zero()

    def measure(self, fresh):
        """Sample what is played from now on. fresh: a session of its own, not one resumed."""
        plan = self.plan
        if self.triggered:
            plan = self.triggered.both(self.triggered.plans)
        self.monitor.begin(plan, self.channels, self.supply_v(), fresh)

    def off(self):
        """Legs low and supply off at once; the session is over, and all that was its."""
        self._cut()
        self.supervisor.stop()
        self.watch.switched_off()
        lend(True)
        if self.state == CHECKING:
            self.trial.end()  # the self-test after a reset goes on
        if self.state == RUNNING:
            self.approval.used()
        self.play.over()
        self.zero()
        if self.triggered:  # its memory and the hardware of its triggers are given back
            self.triggered.close()
            self.triggered = None

    def _cut(self):
        """Legs low at once; then nothing is sampled any more."""
        self.player.kill()
        if self.triggered:
            self.triggered.stop()
        if self.sense.running:
            self.monitor.tell(self.storage.sensed)
            self.monitor.stop()

    def hold(self, number=0, channel=0):
        """Legs low and amplitudes zero at once, the session paused.

        number: the warning to tell, for an electrode's contact (channel 1 or 2).
        """
        self._cut()
        self.play.over()
        if number:
            self.warn(number, channel)
        self.zero()
        self.states.take("pause")

    def fail(self, number, detail="", channel=0):
        """Output off, and stay off until the fault is cleared. channel 1, 2, or 0 for neither."""
        self._cut()
        self.inputs = self.outputs.inputs()  # for the black box
        state = self.state
        commanded = (self.intensity[0].current_ua, self.intensity[1].current_ua)
        self.off()
        self.trial.end()
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
        state = self.states.state
        self.inputs = inputs = self.outputs.inputs()
        self.approval.look(inputs & 2)
        if state == IDLE:
            self.watch.idle()
        if self.trial.on:
            self.trial.step()
            state = self.states.state
            if state != CHECKING and state != ARMED:
                return
        if state == RUNNING:
            if not self.play.step():
                return
        elif state != ARMED and state != PAUSED and state != CHECKING:
            return
        elif self.triggered:
            self.triggered.watch()
        if state == CHECKING or self.watch.inputs(inputs):
            self.watch.step(state)

    def fail_measured(self, number):
        """The monitor has found a fault."""
        channel = self.monitor.channel + 1
        self.fail(number, f"channel {channel}", channel)

    # -- what it tells --------------------------------------------------------------------------

    def state_name(self):
        if self.state == RUNNING and self.play.then:
            return "FADING"
        if self.state == RUNNING and self.triggered:
            return self.triggered.state_name()
        return NAMES[self.state]

    def elapsed_ms(self):
        """Session time played, without pauses."""
        return self.play.elapsed_ms()

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

    def armed_for(self, now_ms):
        """Since when the output is armed, in ms."""
        return time.ticks_diff(now_ms, self._armed_ms)

    def is_armed(self):
        return self.state == ARMED

    def is_idle(self):
        return self.state == IDLE
