"""The written list of faults: what is broken, which layer has to act, and in what time.

A bound is from the fault to legs and GATE low for good; `charge_ms` to no charge flowing, where it
is not the same. Bounds of what is found by measuring pulses are for 100 pulses a second.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from firmware.safety.faults import DELIVERED, DIRECT_CURRENT, OVER_CURRENT
from rheobase.safety import acts
from rheobase.safety.trial import STATES, STEPS_MA, Trial

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


ALONE = "SOUR2:STAT OFF;:SESS:PATT IND"
LONG = (ALONE, "SOUR1:FREQ 246;PULS:WIDT 1000us;:SOUR1:PAD:AREA 50")
"""Half of the time in a phase: a ceiling of 18 mA, by the mean."""
SMALL_PAD = (ALONE, "SOUR1:PAD:AREA 2")
"""A ceiling of 16.3 mA, by the density."""

FAULTS = (
    # Board and trip
    Fault("latch set by a disturbance", "trip", acts.forced, CLOCKS_6),
    Fault("over-current", "trip", acts.overcurrent, LATCH + CLOCKS_6, ends=ON),
    Fault("stop button pressed", "trip", lambda t: t.bench.press_stop(), LATCH + CLOCKS_6),
    Fault("stop button's plug pulled", "trip", lambda t: t.bench.unplug_stop(), LATCH + CLOCKS_6),
    Fault("trip wire open", "trip", lambda t: t.bench.cut_wire(10), CLOCKS_6),
    Fault("stop wire to the chip open", "loop", lambda t: t.bench.cut_wire(11), LOOP),
    Fault("RUN pin low for a moment", "board", acts.run_pin, CLOCKS_6, ends=(*LIVE, "CHECKING")),
    Fault("power lost", "board", acts.power, CLOCKS_6, ends=(*LIVE, "CHECKING", "SELFTEST", "IDLE",
                                                         "FAULT")),
    # Processor
    *(
        Fault(f"processor hung {after} us after a leg rose", "lease", acts.hang_in_a_pulse(after),
              LEASE, ends=ON, states=ON, watch_s=0.4)
        for after in (0, 40, 299, 350, 420, 650, 1000)
    ),
    Fault("processor hung", "lease", acts.hang, LEASE, watch_s=0.8, ends=(*LIVE, "CHECKING")),
    Fault("exception while reading input", "loop", acts.in_task("console", "receive"), LOOP),
    Fault("exception while filling the tape", "loop", acts.in_task("stimulator.tape", "fill"),
          LOOP, ends=BEATING, states=BEATING),
    Fault("exception in the scheduler", "loop", acts.in_task("stimulator.tape.scheduler", "save"),
          LOOP, ends=PLAYING, states=PLAYING),
    Fault("exception in the inspector", "loop",
          acts.in_task("stimulator.tape.inspector", "inspect"), LOOP, ends=PLAYING,
          states=PLAYING),
    Fault("exception while measuring", "loop", acts.in_task("stimulator.monitor", "step"), LOOP,
          ends=BEATING, states=BEATING),
    Fault("exception in the link watch", "loop", acts.in_task("stimulator.link", "watch"), LOOP),
    Fault("exception in the storage", "loop", acts.in_task("storage", "step"), LOOP),
    Fault("exception in the status report", "loop", acts.in_task("status", "update"), LOOP),
    Fault("out of memory", "loop",
          lambda t: acts.raise_in(t, "stimulator", "step", MemoryError("injected")), LOOP),
    Fault("loop stalled for 30 ms", "none", acts.stall(0.030), 0, ends=(), rides=True),
    Fault("loop stalled for 50 ms", "none", acts.stall(0.050), 0, ends=(), rides=True),
    Fault("loop stalled for 150 ms", "lease", acts.stall(0.150), LEASE, ends=BEATING, watch_s=0.5),
    Fault("loop stalled for 400 ms", "lease", acts.stall(0.400), LEASE, watch_s=0.8),
    *(
        Fault(f"{name} does not check in", "supervisor", acts.deaf_task(bit), 100.0, ends=ends)
        for name, bit, ends in (("input", 1, LIVE), ("tape", 2, BEATING),
                                ("inspector", 4, BEATING), ("link", 16, LIVE),
                                ("limits", 32, LIVE))
    ),
    # Stop and link
    Fault("stop byte", "stop", acts.typed(b"!"), 5.0),
    Fault("stop byte within a line", "stop", acts.typed(b"SOUR1:CURR! 20mA\n"), 5.0),
    Fault("Ctrl-C", "stop", acts.typed(b"\x03"), LOOP),
    Fault("raw REPL entered", "stop", acts.typed(b"\r\x03\x03\r\x01"), LOOP),
    Fault("host killed", "link", acts.silent, 3_100.0, watch_s=11.5, states=(*LIVE, "IDLE")),
    Fault("five damaged lines in a row", "link", acts.damaged, LOOP),
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
    Fault("sense of channel 1 stuck at 0 V", "monitor", acts.sense(1, stuck_v=0.0), PULSES_3,
          ends=(*ON, *HELD), watch_s=0.5),
    Fault("sense of channel 1 stuck at the rail", "monitor", acts.sense(1, stuck_v=3.3), PULSES_3,
          ends=(*ON, *HELD), watch_s=0.5),
    Fault("sense of channel 2 stuck at its zero", "monitor", acts.sense(2, stuck_v=1.65), PULSES_3,
          ends=ON, watch_s=0.5),
    Fault("sense of channel 1 off by 3 mA", "monitor", acts.sense(1, offset_v=0.03), SECOND,
          ends=(*ON, *HELD, "WAITING"), watch_s=1.4),
    Fault("0.6 mA flow in channel 2 while a train waits", "monitor", acts.sense(2, offset_v=0.006),
          150.0, ends=("WAITING",), states=("WAITING",)),
    Fault("sense of channel 1 reads 40 % more", "monitor", acts.sense(1, gain_error=0.4), PULSES_3,
          ends=("RUNNING",), states=("RUNNING",), currents_ma=(10, 3)),
    Fault("electrode open", "monitor", acts.load("open"), 100.0, ends=ON),
    Fault("electrode of channel 2 open", "monitor", acts.load("open", 2), 100.0, ends=ON),
    Fault("electrodes shorted", "monitor", acts.load("short"), 2_000.0, ends=ON, watch_s=2.5),
    Fault("electrode dries", "none", acts.load("dry"), 0, ends=(), rides=True),
    # Bridge
    Fault("phases differ by 2 %", "monitor", lambda t: t.bench.set_imbalance(1, plus=1.02),
          SECOND, ends=("RUNNING",), states=("RUNNING",), watch_s=1.4, currents_ma=(30, 3)),
    Fault("phases differ by 30 %", "monitor", lambda t: t.bench.set_imbalance(1, plus=1.3),
          100.0, ends=ON),
    Fault("sink gives 40 % more", "monitor",
          lambda t: t.bench.set_imbalance(1, plus=1.4, minus=1.4), PULSES_3, ends=("RUNNING",),
          states=("RUNNING",), currents_ma=(10, 3)),
    Fault("sink gives 18 % more: mean current", "monitor", acts.sink(1.18, 1.18), 1_200.0,
          ends=("RUNNING",), states=("RUNNING",), watch_s=1.5, currents_ma=(18, 0), setup=LONG,
          number=DELIVERED),
    Fault("sink gives 18 % more: density on the pad", "monitor", acts.sink(1.18, 1.18), 1_200.0,
          ends=("RUNNING",), states=("RUNNING",), watch_s=1.5, currents_ma=(16, 0),
          setup=SMALL_PAD, number=DELIVERED),
    Fault("sink gives 5 % more, at the limits", "none", acts.sink(1.05, 1.05), 0, ends=(),
          states=("RUNNING",), watch_s=1.5, currents_ma=(18, 0), setup=LONG, rides=True),
    Fault("sink gives 138 mA", "monitor", acts.sink(4.6, 4.6), PULSES_3, ends=("RUNNING",),
          states=("RUNNING",), currents_ma=(30, 3), number=OVER_CURRENT),
    Fault("direct current of 60 uA", "none", acts.sink(1.013, 1.0), 0, ends=(),
          states=("RUNNING",), watch_s=1.5, currents_ma=(18, 0), setup=LONG, rides=True),
    Fault("current of channel 1 in channel 2 as well", "monitor", acts.leak(0.2), 2_000.0, ends=ON,
          watch_s=2.3),
    Fault("plus leg never conducts", "monitor", lambda t: t.bench.stick_leg(1, 1, False), 100.0,
          ends=ON),
    Fault("plus leg conducts always", "monitor", lambda t: t.bench.stick_leg(1, 1, True), 150.0,
          ends=(*ON, "WAITING"), charge_ms=600.0, watch_s=0.8),
    # Memory and tape
    Fault("bit flip in the inspector's limits", "integrity", acts.box, 600.0, watch_s=0.9,
          states=LIVE),
    Fault("queued tape: a phase becomes 170 ms long", "lease",
          acts.words(lambda low, high: (low, high | 1 << 13)), LEASE + LOOP, ends=ON, states=ON,
          watch_s=0.6),
    Fault("queued tape: both legs of a channel", "monitor",
          acts.words(lambda low, high: (low | 0b0011, high)), PULSES_3, ends=ON, states=ON),
    Fault("queued tape: the phase is missing", "monitor",
          acts.words(lambda low, high: (low & ~0b1111, high)), PULSES_3, ends=ON, states=ON),
    Fault("amplitude register overwritten: 90 mA", "monitor", acts.amplitude, PULSES_3, ends=ON,
          states=ON),
    Fault("DMA aborted", "loop", acts.dma, LEASE, ends=(*ON, "WAITING"), states=(*ON, "WAITING")),
    Fault("lease of a waiting train never ends; processor hung", "watchdog", acts.hang_waiting,
          520.0, ends=("WAITING",), states=("WAITING",), watch_s=0.9),
    Fault("configuration in flash damaged", "none", acts.config, 0, ends=(), rides=True),
)

FALL = 100.0 + 200.0
"""The one-shot's hold, and the supply's fall until nothing flows through the electrodes."""
LAYERS = (
    # Every layer with those above it disabled.
    Fault("trip line dead; over-current", "monitor",
          acts.after(acts.no_trip, lambda t: t.bench.set_imbalance(1, plus=1.6, minus=1.6)),
          PULSES_3, ends=ON, states=("RUNNING",), currents_ma=(10, 3)),
    # What a limit of the measured output would find last, with all that finds it sooner gone.
    Fault("peak rule dead; 138 uC in a phase", "monitor",
          acts.after(acts.no_rule("PEAK"), acts.load("500"), acts.sink(4.6, 4.6)), PULSES_3,
          ends=("RUNNING",), states=("RUNNING",), currents_ma=(30, 0),
          setup=(ALONE, "SOUR1:PULS:WIDT 1000us"), number=DELIVERED),
    Fault("trip line, peak and charge rules dead; 26 mJ a pulse", "monitor",
          acts.after(acts.no_trip, acts.no_rule("PEAK", "CHARGE_MOST"), acts.load("500"),
                     acts.sink(5.4, 5.4)),
          PULSES_3, ends=("RUNNING",), states=("RUNNING",), currents_ma=(30, 0),
          setup=(ALONE, "SOUR1:PULS:WIDT 1000us"), number=DELIVERED),
    Fault("trip line, peak, command and mean rules dead; 63 mA r.m.s.", "monitor",
          acts.after(acts.no_trip, acts.no_rule("PEAK", "TOLERANCE", "MEAN_MOST"),
                     acts.load("500"), acts.sink(5.4, 5.4)),
          1_200.0, ends=("RUNNING",), states=("RUNNING",), watch_s=1.5, currents_ma=(30, 0),
          setup=(ALONE, "SOUR1:FREQ 250;PAD:AREA 100"), number=DELIVERED),
    Fault("imbalance rules dead; direct current of 130 uA", "monitor",
          acts.after(acts.no_rule("NET_LEAST"), acts.no_rule("DRIFT_RESOLVED", most=512),
                     acts.sink(1.03, 1.0)),
          1_200.0, ends=("RUNNING",), states=("RUNNING",), watch_s=1.5, currents_ma=(18, 0),
          setup=LONG, number=DIRECT_CURRENT),
    Fault("trip line dead; processor hung", "lease", acts.after(acts.no_trip, acts.hang), LEASE,
          ends=(*ON, "WAITING"), states=(*ON, "WAITING"), watch_s=0.4),
    Fault("trip and lease dead; processor hung", "supervisor",
          acts.after(acts.no_trip, acts.hang_endless), 700.0, charge_ms=FALL + 100.0, ends=ON,
          states=ON, watch_s=0.9),
    Fault("trip, lease and heartbeat dead; processor hung", "watchdog",
          acts.after(acts.no_trip, lambda t: t.bench.stick_supply(), acts.hang_endless), 520.0,
          ends=ON, states=ON, watch_s=0.9),
    Fault("trip and heartbeat dead; host killed", "link",
          acts.after(acts.no_trip, lambda t: t.bench.stick_supply(), acts.silent), 3_100.0,
          states=("RUNNING",), ends=("RUNNING",), watch_s=3.6),
    Fault("trip and heartbeat dead; stop byte", "stop",
          acts.after(acts.no_trip, lambda t: t.bench.stick_supply(), acts.typed(b"!")), 5.0,
          states=LIVE),
    Fault("trip and heartbeat dead; Ctrl-C", "stop",
          acts.after(acts.no_trip, lambda t: t.bench.stick_supply(), acts.typed(b"\x03")), LOOP,
          states=LIVE),
)
