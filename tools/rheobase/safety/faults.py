"""The written list of faults: what is broken, which layer has to act, and in what time.

A bound is from the fault to legs and GATE low for good; `charge_ms` to no charge flowing, where it
is not the same. Bounds of what is found by measuring pulses are for 100 pulses a second.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from firmware.core import measure
from firmware.safety.faults import DELIVERED, DIRECT_CURRENT, OVER_CURRENT
from rheobase.safety.trial import STATES, STEPS_MA, Trial
from rheobase.sim.bench.loads import LOADS

CLOCKS_6 = 6 / 125e6 * 1e3
LATCH = 14 / 125e6 * 1e3  # of the board's latch: 100 ns, rounded up to a clock
LEASE = 100.0
LOOP = 20.0
"""The loop's longest turn with a command in it, and its kill."""
PULSES_3 = 60.0
"""Three pulses at 100 Hz, and until the loop has looked at the last."""
SECOND = 1000.0
ON = ("RUNNING", "FADING")
PLAYING = ("RUNNING", "REST", "FADING")
HELD = ("ARMED", "PAUSED")
BEATING = (*PLAYING, "WAITING")
LIVE = (*BEATING, *HELD)
ALL = STATES


@dataclass(frozen=True)
class Fault:
    """One row. ends: the states in which it must end the output, or the readiness for it.

    In its other states the legs must stay as they are lawful: low where nothing is to play.
    rides: the output may go on through it. setup: lines typed before arming, for what only some
    settings bring about. number: the fault that must be told, where another would do as well.
    """

    name: str
    layer: str
    act: Callable[[Trial], object]
    bound_ms: float
    ends: tuple[str, ...] = LIVE
    charge_ms: float | None = None
    watch_s: float = 0.3
    rides: bool = False
    wiring: tuple[tuple[str, Any], ...] = ()
    states: tuple[str, ...] = ALL
    currents_ma: tuple[int, int] = STEPS_MA
    setup: tuple[str, ...] = ()
    number: int = 0


def _raise(trial: Trial, owner: str, name: str, error: Exception) -> None:
    """Have a method of the running firmware raise."""
    part = trial.app
    for step in owner.split("."):
        part = getattr(part, step) if step else part

    def broken(*_: Any, **__: Any) -> None:
        raise error

    setattr(part, name, broken)


def _in_task(owner: str, name: str) -> Callable[[Trial], None]:
    return lambda trial: _raise(trial, owner, name, RuntimeError("injected"))


def _stall(seconds: float) -> Callable[[Trial], None]:
    """The loop stands still once, as in a long collection."""

    def act(trial: Trial) -> None:
        stimulator = trial.app.stimulator
        step = stimulator.step
        sleep = trial.app.turn.__globals__["__builtins__"]["__import__"]("time").sleep_ms

        def late() -> None:
            stimulator.step = step
            sleep(round(seconds * 1000))
            step()

        stimulator.step = late

    return act


def _hang_in_a_pulse(after_us: float) -> Callable[[Trial], None]:
    """The processor stands still for good, this long after a leg has risen."""

    def act(trial: Trial) -> None:
        gpio = trial.board.chip.gpio
        trial.board.run_while(lambda: not gpio.levels & 0b1100, 0.05, step_s=20e-6)
        trial.board.run_for(after_us * 1e-6)
        trial.since = trial.board.now
        trial.board.hold_cpu()

    return act


def _hang(trial: Trial) -> None:
    trial.board.hold_cpu()


def _words(change: Callable[[int, int], tuple[int, int]]) -> Callable[[Trial], None]:
    """Change the first phase's word of every block that waits, behind the inspector's back."""

    def act(trial: Trial) -> None:
        player = trial.app.player
        for block in player.blocks:
            for at in range(0, len(block), 2):
                if block[at] & 0b1111 and block[at + 1] < 0x4000:
                    block[at], block[at + 1] = change(block[at], block[at + 1])
                    break

    return act


def _amplitude(trial: Trial) -> None:
    """The PWM's compare register is overwritten: full scale on both channels."""
    trial.board.chip.bus.write(trial.app.player._compare, 1500 << 16 | 1500, 4, trial.board.now)


def _box(trial: Trial) -> None:
    """A bit of the inspector's ceiling flips."""
    tape = trial.app.stimulator.tape
    if tape is not None:
        tape.inspector._box[8] ^= 1 << 10


def _overcurrent(trial: Trial) -> None:
    """The comparators' threshold is reached by the next pulse."""
    trial.bench.comparator_a = 1e-3

    began = trial.board.now
    trial.board.run_for(0.05)
    events = [e.clock for e in trial.recorder.of_kind("overcurrent") if e.clock >= began]
    trial.since = events[0] if events else began


def _forced(trial: Trial) -> None:
    """A disturbance sets the latch in the middle of a phase."""
    gpio = trial.board.chip.gpio
    trial.board.run_while(lambda: not gpio.levels & 0b111100, 0.05, step_s=50e-6)
    clock = trial.board.now + 777
    trial.bench.force_trip(clock)
    trial.since = clock


def _typed(data: bytes) -> Callable[[Trial], None]:
    return lambda trial: trial.board.usb.write(data)


def _damaged(trial: Trial) -> None:
    """Checked mode is on, and five lines in a row are damaged."""
    trial.say("SYST:CHEC ON", 0.02)
    for _ in range(5):
        trial.board.usb.write(b"#7 SOUR1:CURR? *0000\n")
        trial.board.run_for(0.005)
    trial.since = trial.board.now - trial.board.clocks(0.005)


def _silent(trial: Trial) -> None:
    """The host is killed; the session was not started as standalone."""
    trial.app.stimulator.session.standalone = 0


def _sense(channel: int, **values: Any) -> Callable[[Trial], None]:
    def act(trial: Trial) -> None:
        def spoil() -> None:
            for name, value in values.items():
                setattr(trial.bench.sense[channel], name, value)

        trial.bench.change(spoil)

    return act


def _load(name: str, channel: int = 1) -> Callable[[Trial], None]:
    def act(trial: Trial) -> None:
        trial.bench.electrode[channel] = LOADS[name]

    return act


def _deaf_task(task: int) -> Callable[[Trial], None]:
    """A task goes on running but does not check in any more."""

    def act(trial: Trial) -> None:
        supervisor = trial.app.stimulator.supervisor
        check_in = supervisor.check_in
        supervisor.check_in = lambda tasks: check_in(tasks & ~task)

    return act


def _power(trial: Trial) -> None:
    trial.board.power_off()


def _run_pin(trial: Trial) -> None:
    trial.board.reset()


def _dma(trial: Trial) -> None:
    """The DMA channel that feeds the state machine is aborted."""
    trial.board.chip.bus.write(0x50000444, 0xFFF, 4, trial.board.now)  # CHAN_ABORT


def _hang_waiting(trial: Trial) -> None:
    """The processor stands still, and what ends the wait with it."""
    trial.board.hold_cpu()
    lease = trial.app.stimulator.tape.line._lease.channel
    trial.board.chip.bus.write(0x50000444, 1 << lease, 4, trial.board.now)  # CHAN_ABORT


def _config(trial: Trial) -> None:
    """Both copies of the configuration in flash are damaged."""
    flash = trial.board.flash
    for path in [path for path in flash.files if path.startswith("/data/config")]:
        flash.files[path] = b"\xff" * 40


ALONE = "SOUR2:STAT OFF;:SESS:PATT IND"
LONG = (ALONE, "SOUR1:FREQ 246;PULS:WIDT 1000us;:SOUR1:PAD:AREA 50")
"""Half of the time in a phase: a ceiling of 18 mA, by the mean."""
SMALL_PAD = (ALONE, "SOUR1:PAD:AREA 2")
"""A ceiling of 16.3 mA, by the density."""


def _sink(plus: float, minus: float) -> Callable[[Trial], None]:
    """The sink errs from one pulse to the next: amid a pulse its phases would differ."""

    def act(trial: Trial) -> None:
        gpio = trial.board.chip.gpio
        low = 0
        while low < 4:
            trial.board.run_for(50e-6)
            low = 0 if gpio.levels & 0b111100 else low + 1
        trial.since = trial.board.now
        trial.bench.set_imbalance(1, plus=plus, minus=minus)

    return act


def _leak(part: float) -> Callable[[Trial], None]:
    """This part of a channel's current also flows through the other one's lead."""
    return lambda trial: setattr(trial.bench, "cross_leak", part)


FAULTS = (
    # Board and trip
    Fault("latch set by a disturbance", "trip", _forced, CLOCKS_6),
    Fault("over-current", "trip", _overcurrent, LATCH + CLOCKS_6, ends=ON),
    Fault("stop button pressed", "trip", lambda t: t.bench.press_stop(), LATCH + CLOCKS_6),
    Fault("stop button's plug pulled", "trip", lambda t: t.bench.unplug_stop(), LATCH + CLOCKS_6),
    Fault("trip wire open", "trip", lambda t: t.bench.cut_wire(10), CLOCKS_6),
    Fault("stop wire to the chip open", "loop", lambda t: t.bench.cut_wire(11), LOOP),
    Fault("RUN pin low for a moment", "board", _run_pin, CLOCKS_6, ends=(*LIVE, "CHECKING")),
    Fault("power lost", "board", _power, CLOCKS_6, ends=(*LIVE, "CHECKING", "SELFTEST", "IDLE",
                                                         "FAULT")),
    # Processor
    *(
        Fault(f"processor hung {after} us after a leg rose", "lease", _hang_in_a_pulse(after),
              LEASE, ends=ON, states=ON, watch_s=0.4)
        for after in (0, 40, 299, 350, 420, 650, 1000)
    ),
    Fault("processor hung", "lease", _hang, LEASE, watch_s=0.8, ends=(*LIVE, "CHECKING")),
    Fault("exception while reading input", "loop", _in_task("console", "receive"), LOOP),
    Fault("exception while filling the tape", "loop", _in_task("stimulator.tape", "fill"), LOOP,
          ends=BEATING, states=BEATING),
    Fault("exception in the scheduler", "loop", _in_task("stimulator.tape.scheduler", "save"),
          LOOP, ends=PLAYING, states=PLAYING),
    Fault("exception in the inspector", "loop", _in_task("stimulator.tape.inspector", "inspect"),
          LOOP, ends=PLAYING, states=PLAYING),
    Fault("exception while measuring", "loop", _in_task("stimulator.monitor", "step"), LOOP,
          ends=BEATING, states=BEATING),
    Fault("exception in the link watch", "loop", _in_task("stimulator.link", "watch"), LOOP),
    Fault("exception in the storage", "loop", _in_task("storage", "step"), LOOP),
    Fault("exception in the status report", "loop", _in_task("status", "update"), LOOP),
    Fault("out of memory", "loop",
          lambda t: _raise(t, "stimulator", "step", MemoryError("injected")), LOOP),
    Fault("loop stalled for 30 ms", "none", _stall(0.030), 0, ends=(), rides=True),
    Fault("loop stalled for 50 ms", "none", _stall(0.050), 0, ends=(), rides=True),
    Fault("loop stalled for 150 ms", "lease", _stall(0.150), LEASE, ends=BEATING, watch_s=0.5),
    Fault("loop stalled for 400 ms", "lease", _stall(0.400), LEASE, watch_s=0.8),
    *(
        Fault(f"{name} does not check in", "supervisor", _deaf_task(bit), 100.0, ends=ends)
        for name, bit, ends in (("input", 1, LIVE), ("tape", 2, BEATING),
                                ("inspector", 4, BEATING), ("link", 16, LIVE),
                                ("limits", 32, LIVE))
    ),
    # Stop and link
    Fault("stop byte", "stop", _typed(b"!"), 5.0),
    Fault("stop byte within a line", "stop", _typed(b"SOUR1:CURR! 20mA\n"), 5.0),
    Fault("Ctrl-C", "stop", _typed(b"\x03"), LOOP),
    Fault("raw REPL entered", "stop", _typed(b"\r\x03\x03\r\x01"), LOOP),
    Fault("host killed", "link", _silent, 3_100.0, watch_s=11.5, states=(*LIVE, "IDLE")),
    Fault("five damaged lines in a row", "link", _damaged, LOOP),
    Fault("host does not read", "none", lambda t: setattr(t.board.usb, "reading", False), 0,
          ends=(), rides=True),
    # Supply
    Fault("supply at 60 %", "monitor", lambda t: t.bench.set_supply(120), SECOND,
          ends=(*ON, *HELD), watch_s=1.3),
    Fault("supply at 140 %", "monitor", lambda t: t.bench.set_supply(280), SECOND,
          ends=(*ON, *HELD), watch_s=1.3),
    Fault("heartbeat wire open", "supervisor", lambda t: t.bench.break_heartbeat(), 400.0,
          ends=(*ON, *HELD), watch_s=0.6),
    # Sense and electrodes
    Fault("sense of channel 1 stuck at 0 V", "monitor", _sense(1, stuck_v=0.0), PULSES_3,
          ends=(*ON, *HELD), watch_s=0.5),
    Fault("sense of channel 1 stuck at the rail", "monitor", _sense(1, stuck_v=3.3), PULSES_3,
          ends=(*ON, *HELD), watch_s=0.5),
    Fault("sense of channel 2 stuck at its zero", "monitor", _sense(2, stuck_v=1.65), PULSES_3,
          ends=ON, watch_s=0.5),
    Fault("sense of channel 1 off by 3 mA", "monitor", _sense(1, offset_v=0.03), SECOND,
          ends=(*ON, *HELD, "WAITING"), watch_s=1.4),
    Fault("0.6 mA flow in channel 2 while a train waits", "monitor", _sense(2, offset_v=0.006),
          150.0, ends=("WAITING",), states=("WAITING",)),
    Fault("sense of channel 1 reads 40 % more", "monitor", _sense(1, gain_error=0.4), PULSES_3,
          ends=("RUNNING",), states=("RUNNING",), currents_ma=(10, 3)),
    Fault("electrode open", "monitor", _load("open"), 100.0, ends=ON),
    Fault("electrode of channel 2 open", "monitor", _load("open", 2), 100.0, ends=ON),
    Fault("electrodes shorted", "monitor", _load("short"), 2_000.0, ends=ON, watch_s=2.5),
    Fault("electrode dries", "none", _load("dry"), 0, ends=(), rides=True),
    # Bridge
    Fault("phases differ by 2 %", "monitor", lambda t: t.bench.set_imbalance(1, plus=1.02),
          SECOND, ends=("RUNNING",), states=("RUNNING",), watch_s=1.4, currents_ma=(30, 3)),
    Fault("phases differ by 30 %", "monitor", lambda t: t.bench.set_imbalance(1, plus=1.3),
          100.0, ends=ON),
    Fault("sink gives 40 % more", "monitor",
          lambda t: t.bench.set_imbalance(1, plus=1.4, minus=1.4), PULSES_3, ends=("RUNNING",),
          states=("RUNNING",), currents_ma=(10, 3)),
    Fault("sink gives 18 % more: mean current", "monitor", _sink(1.18, 1.18), 1_200.0,
          ends=("RUNNING",), states=("RUNNING",), watch_s=1.5, currents_ma=(18, 0), setup=LONG,
          number=DELIVERED),
    Fault("sink gives 18 % more: density on the pad", "monitor", _sink(1.18, 1.18), 1_200.0,
          ends=("RUNNING",), states=("RUNNING",), watch_s=1.5, currents_ma=(16, 0),
          setup=SMALL_PAD, number=DELIVERED),
    Fault("sink gives 5 % more, at the limits", "none", _sink(1.05, 1.05), 0, ends=(),
          states=("RUNNING",), watch_s=1.5, currents_ma=(18, 0), setup=LONG, rides=True),
    Fault("sink gives 138 mA", "monitor", _sink(4.6, 4.6), PULSES_3, ends=("RUNNING",),
          states=("RUNNING",), currents_ma=(30, 3), number=OVER_CURRENT),
    Fault("direct current of 60 uA", "none", _sink(1.013, 1.0), 0, ends=(),
          states=("RUNNING",), watch_s=1.5, currents_ma=(18, 0), setup=LONG, rides=True),
    Fault("current of channel 1 in channel 2 as well", "monitor", _leak(0.2), 2_000.0, ends=ON,
          watch_s=2.3),
    Fault("plus leg never conducts", "monitor", lambda t: t.bench.stick_leg(1, 1, False), 100.0,
          ends=ON),
    Fault("plus leg conducts always", "monitor", lambda t: t.bench.stick_leg(1, 1, True), 150.0,
          ends=(*ON, "WAITING"), charge_ms=600.0, watch_s=0.8),
    # Memory and tape
    Fault("bit flip in the inspector's limits", "integrity", _box, 600.0, watch_s=0.9,
          states=LIVE),
    Fault("queued tape: a phase becomes 170 ms long", "lease",
          _words(lambda low, high: (low, high | 1 << 13)), LEASE + LOOP, ends=ON, states=ON,
          watch_s=0.6),
    Fault("queued tape: both legs of a channel", "monitor",
          _words(lambda low, high: (low | 0b0011, high)), PULSES_3, ends=ON, states=ON),
    Fault("queued tape: the phase is missing", "monitor",
          _words(lambda low, high: (low & ~0b1111, high)), PULSES_3, ends=ON, states=ON),
    Fault("amplitude register overwritten: 90 mA", "monitor", _amplitude, PULSES_3, ends=ON,
          states=ON),
    Fault("DMA aborted", "loop", _dma, LEASE, ends=(*ON, "WAITING"), states=(*ON, "WAITING")),
    Fault("lease of a waiting train never ends; processor hung", "watchdog", _hang_waiting,
          520.0, ends=("WAITING",), states=("WAITING",), watch_s=0.9),
    Fault("configuration in flash damaged", "none", _config, 0, ends=(), rides=True),
)


def _no_trip(trial: Trial) -> None:
    """The comparators are dead, and the trip line no longer reaches the chip."""
    trial.bench.comparator_a = 10.0
    trial.bench._inputs._cut.add(10)
    trial.board.chip.gpio.drive(10, 0)


def _no_lease(trial: Trial) -> None:
    """The list of blocks becomes an endless ring."""
    player = trial.app.player
    first, count = player._state[:2]
    queued = (first + count - 1) % player.SLOTS
    for slot in range(player.SLOTS):
        player._list[4 * slot + 2] = player._list[4 * queued + 2]
        player._list[4 * slot + 3] = player._addresses[queued]


def _after(*acts: Callable[[Trial], object]) -> Callable[[Trial], None]:
    def act(trial: Trial) -> None:
        for each in acts:
            each(trial)

    return act


def _no_rule(*names: str, most: int = (1 << 31) - 1) -> Callable[[Trial], None]:
    """Limits of the comparison with what was measured are gone."""

    def act(trial: Trial) -> None:
        for name in names:
            trial.app.stimulator.monitor._box[getattr(measure, name)] = most

    return act


def _hang_endless(trial: Trial) -> None:
    trial.board.hold_cpu()
    _no_lease(trial)


FALL = 100.0 + 200.0
"""The one-shot's hold, and the supply's fall until nothing flows through the electrodes."""
LAYERS = (
    # Every layer with those above it disabled.
    Fault("trip line dead; over-current", "monitor",
          _after(_no_trip, lambda t: t.bench.set_imbalance(1, plus=1.6, minus=1.6)), PULSES_3,
          ends=ON, states=("RUNNING",), currents_ma=(10, 3)),
    # What a limit of the measured output would find last, with all that finds it sooner gone.
    Fault("peak rule dead; 138 uC in a phase", "monitor",
          _after(_no_rule("PEAK"), _load("500"), _sink(4.6, 4.6)), PULSES_3, ends=("RUNNING",),
          states=("RUNNING",), currents_ma=(30, 0), setup=(ALONE, "SOUR1:PULS:WIDT 1000us"),
          number=DELIVERED),
    Fault("trip line, peak and charge rules dead; 26 mJ a pulse", "monitor",
          _after(_no_trip, _no_rule("PEAK", "CHARGE_MOST"), _load("500"), _sink(5.4, 5.4)),
          PULSES_3, ends=("RUNNING",), states=("RUNNING",), currents_ma=(30, 0),
          setup=(ALONE, "SOUR1:PULS:WIDT 1000us"), number=DELIVERED),
    Fault("trip line, peak, command and mean rules dead; 63 mA r.m.s.", "monitor",
          _after(_no_trip, _no_rule("PEAK", "TOLERANCE", "MEAN_MOST"), _load("500"),
                 _sink(5.4, 5.4)),
          1_200.0, ends=("RUNNING",), states=("RUNNING",), watch_s=1.5, currents_ma=(30, 0),
          setup=(ALONE, "SOUR1:FREQ 250;PAD:AREA 100"), number=DELIVERED),
    Fault("imbalance rules dead; direct current of 130 uA", "monitor",
          _after(_no_rule("NET_LEAST"), _no_rule("DRIFT_RESOLVED", most=512),
                 _sink(1.03, 1.0)),
          1_200.0, ends=("RUNNING",), states=("RUNNING",), watch_s=1.5, currents_ma=(18, 0),
          setup=LONG, number=DIRECT_CURRENT),
    Fault("trip line dead; processor hung", "lease", _after(_no_trip, _hang), LEASE,
          ends=(*ON, "WAITING"), states=(*ON, "WAITING"), watch_s=0.4),
    Fault("trip and lease dead; processor hung", "supervisor", _after(_no_trip, _hang_endless),
          700.0, charge_ms=FALL + 100.0, ends=ON, states=ON, watch_s=0.9),
    Fault("trip, lease and heartbeat dead; processor hung", "watchdog",
          _after(_no_trip, lambda t: t.bench.stick_supply(), _hang_endless), 520.0, ends=ON,
          states=ON, watch_s=0.9),
    Fault("trip and heartbeat dead; host killed", "link",
          _after(_no_trip, lambda t: t.bench.stick_supply(), _silent), 3_100.0,
          states=("RUNNING",), ends=("RUNNING",), watch_s=3.6),
    Fault("trip and heartbeat dead; stop byte", "stop",
          _after(_no_trip, lambda t: t.bench.stick_supply(), _typed(b"!")), 5.0,
          states=LIVE),
    Fault("trip and heartbeat dead; Ctrl-C", "stop",
          _after(_no_trip, lambda t: t.bench.stick_supply(), _typed(b"\x03")), LOOP,
          states=LIVE),
)
