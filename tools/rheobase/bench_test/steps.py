"""The bench test as data: every promise that two probes and a dummy load can show."""

from __future__ import annotations

from rheobase.bench_test.step import (
    AMPLITUDE,
    RATE,
    WIDTH,
    Arm,
    Ask,
    Do,
    LetGo,
    Off,
    Operation,
    Play,
    Read,
    Reconnect,
    Refuses,
    Says,
    See,
    Set,
    Step,
    Wait,
    about,
    at_most,
    exactly,
)

SUPPLY_V = 200.0
_WITHOUT_END = "SOUR{n}:STAT ON;RAMP:UP 0;DOWN 0;:SOUR{n}:CYCL:ON INF"
_LONG = "SESS:DUR 3600;STAN ON"  # a person takes longer for a reading than a host may be silent
_SETTLED = (Says("SESS:STAT?", "IDLE"),)
_PLUG_IN = Do("plug_in_stop", "Plug the stop button in again.")
_RELEASE = Do("release_stop", "Release the stop button.")
_MEND = Do("mend_trip", "Connect the trip line (GP10) again.")
_ALL_LOW = "all four legs, GATE and SYNC are low and stay so"


def _pulses(number: int, width_us: float, rate_hz: float, gap_us: float, polarity: str) -> Set:
    return Set((
        "*RST",
        _WITHOUT_END.format(n=number),
        f"SOUR{number}:PULS:WIDT {width_us:g}us;GAP {gap_us:g}us;POL {polarity}",
        f"SOUR{number}:FREQ {rate_hz:g}",
        _LONG,
    ))  # fmt: skip


def _play(number: int, current_ma: float) -> Play:
    return Play(current_ma, 0.0) if number == 1 else Play(0.0, current_ma)


def _shape(number: int, width_us: float, rate_hz: float, gap_us: float) -> tuple[Operation, ...]:
    """The readings of one pulse shape on the oscilloscope."""
    return (
        Read("width_1_us", number, f"channel {number}: width of the first phase",
             about(width_us, WIDTH, "us")),
        Read("width_2_us", number, f"channel {number}: width of the second phase",
             about(width_us, WIDTH, "us")),
        Read("gap_us", number, f"channel {number}: gap between the phases",
             about(gap_us, WIDTH, "us", least=2)),
        Read("rate_hz", number, f"channel {number}: pulses a second",
             about(rate_hz, RATE, "Hz")),
    )  # fmt: skip


def _volts(number: int, current_ma: float, ohm: float) -> tuple[Operation, ...]:
    volts = current_ma * ohm / 1000
    place = f"channel {number}: voltage across the load, plus against minus terminal"
    return (
        Read("volts_1", number, f"{place}, in the first phase", about(volts, AMPLITUDE, "V")),
        Read("volts_2", number, f"{place}, in the second phase", about(-volts, AMPLITUDE, "V")),
    )


def _channel(number: int, ohm: float) -> tuple[Step, ...]:
    """What each channel has to show by itself."""
    other = 3 - number
    width_us, rate_hz, gap_us, current_ma = ((300, 50, 100, 10), (400, 35, 80, 8))[number - 1]
    return (
        Step(
            f"pulse-{number}", f"Pulses on channel {number}",
            "Width within 5 %, rate within 1 % (SR-46); both phases alike; the other one silent.",
            (
                _pulses(number, width_us, rate_hz, gap_us, "POS"),
                _play(number, 2),
                *_shape(number, width_us, rate_hz, gap_us),
                See("plus_first", number,
                    f"channel {number}: the plus leg goes high first, then the minus leg"),
                Read("sync_us", 0, "SYNC: how long it is high, at the first phase",
                     about(width_us, WIDTH, "us")),
                See("silent", other, f"channel {other}: both legs stay low"),
                Off(),
                See("silent", 0, _ALL_LOW, 0.3),
            ),
        ),
        Step(
            f"amplitude-{number}", f"Amplitude of channel {number}",
            "Amplitude within 10 % (SR-46), the same in both phases, in 1 mA steps from zero.",
            (
                _pulses(number, 500, 50, 100, "POS"),
                _play(number, 0),
                See("no_current", number, f"channel {number}: no voltage across the load"),
                _play(number, 1), *_volts(number, 1, ohm),
                _play(number, current_ma), *_volts(number, current_ma, ohm),
                Off(),
            ),
        ),
        Step(
            f"sense-{number}", f"Sense path of channel {number}",
            "What the board measures is what flows, within 20 % or 2 mA (SR-23).",
            (
                _pulses(number, 500, 50, 100, "POS"),
                _play(number, current_ma),
                *_volts(number, current_ma, ohm),
                Wait(0.5),
                Ask(f"MEAS{number}:CURR?", f"channel {number}: current as the board measures it",
                    about(current_ma, 20, "mA"), scale=1000.0),
                Off(),
            ),
            needs=(f"MEAS{number}:CURR?",),
        ),
        Step(
            f"polarity-{number}", f"Polarity of channel {number}",
            "Negative first, and alternating, as set.",
            (
                _pulses(number, width_us, rate_hz, gap_us, "NEG"),
                _play(number, 2),
                See("minus_first", number, f"channel {number}: the minus leg goes high first"),
                Off(),
                _pulses(number, width_us, rate_hz, gap_us, "ALT"),
                _play(number, 2),
                See("alternating", number,
                    f"channel {number}: plus leg and minus leg take turns in being first"),
                Off(),
            ),
        ),
        Step(
            f"limits-{number}", f"Shortest and longest phase on channel {number}",
            "20 us and 1000 us within 5 %, 200 Hz and 2 Hz within 1 %; beyond is refused.",
            (
                _pulses(number, 20, 200, 20, "POS"), _play(number, 2),
                *_shape(number, 20, 200, 20), Off(),
                _pulses(number, 1000, 2, 1000, "POS"), _play(number, 2), Wait(1.0),
                *(read._replace(watch_s=3.0) if isinstance(read, Read) else read
                  for read in _shape(number, 1000, 2, 1000)),
                Off(),
                Refuses(f"SOUR{number}:PULS:WIDT 2ms", "above"),
                Refuses(f"SOUR{number}:PULS:WIDT 10us", "below"),
            ),
        ),
    )  # fmt: skip


def steps(ohm: float = 500.0) -> tuple[Step, ...]:
    """All steps, in order, for a dummy load of this many ohms on each channel."""
    return (
        Step(
            "start", "The board as it starts",
            "After a reset all outputs are low, the supply is off, the self-test finds nothing.",
            (
                See("silent", 0, _ALL_LOW),
                Ask("*TST?", "self-test", exactly(0)),
                Says("SESS:STAT?", "IDLE"),
                Says("OUTP?", "0"),
            ),
        ),
        Step(
            "supply", "The supply obeys the heartbeat",
            "Off below 20 V; on within 10 % when armed; off again when disarmed (SR-01, SR-29).",
            (
                Ask("MEAS:SUPP?", "supply before", at_most(20, "V")),
                Set(("*RST", "SOUR1:STAT ON")),
                Arm(),
                Ask("MEAS:SUPP?", "supply when armed", about(SUPPLY_V, 10, "V")),
                Read("supply_v", 0, "supply by your meter", about(SUPPLY_V, 10, "V")),
                Set(("DIS",)), Wait(0.5),
                Ask("MEAS:SUPP?", "supply when disarmed", at_most(20, "V")),
                Read("supply_v", 0, "supply by your meter", at_most(20, "V")),
            ),
        ),
        Step(
            "button-wire", "A missing stop button",
            "Without its stop button nothing can be armed (SR-34).",
            (
                Do("unplug_stop", "Unplug the stop button (or open its wire at GP11)."),
                Set(("*RST", "SOUR1:STAT ON")),
                Arm("stop button pressed"),
            ),
            (_PLUG_IN,),
        ),
        Step(
            "trip-wire", "An open trip line",
            "An open wire at the trip line counts as a trip: nothing can be armed.",
            (
                Do("cut_trip", "Open the wire of the trip line at GP10."),
                Set(("*RST", "SOUR1:STAT ON")),
                Arm("trip line high"),
            ),
            (_MEND,),
        ),
        *_channel(1, ohm),
        *_channel(2, ohm),
        Step(
            "doublet", "Two pulses in a group",
            "The second pulse of a doublet follows after 5 ms, within 1 %; SYNC marks the group.",
            (
                _pulses(1, 200, 20, 100, "POS"),
                Set(("SOUR1:BURS:COUN 2;INT 5ms",)),
                Play(2.0),
                Read("interval_ms", 1, "from the first to the second pulse of a group",
                     about(5, RATE, "ms")),
                Read("sync_hz", 0, "SYNC pulses a second", about(20, RATE, "Hz")),
                Off(),
            ),
        ),
        Step(
            "ramp", "A contraction with its ramps",
            "Ramps and plateau last as long as set (10 %).",
            (
                _pulses(1, 200, 50, 100, "POS"),
                Set(("SOUR1:RAMP:UP 2;DOWN 1;:SOUR1:CYCL:ON 3;OFF 2",)),
                Play(5.0),
                Read("ramp_s", 1, "from the first pulse of a contraction to its full height",
                     about(2, 10, "s"), 24.0),
                Read("train_s", 1, "from the first to the last pulse of a contraction",
                     about(6, 10, "s"), 24.0),
                Read("rest_s", 1, "from the last pulse to the first one of the next contraction",
                     about(2, 10, "s"), 24.0),
                Off(),
            ),
        ),
        Step(
            "both", "Both channels at once",
            "Two channels play together, each with its own rate, and never conduct together.",
            (
                _pulses(1, 300, 50, 100, "POS"),
                Set((_WITHOUT_END.format(n=2), "SOUR2:PULS:WIDT 200us;GAP 100us;:SOUR2:FREQ 25",
                     "SESS:PATT IND")),
                Play(2.0, 2.0),
                Read("rate_hz", 1, "channel 1: pulses a second, on average", about(50, RATE, "Hz"),
                     4.0),
                Read("rate_hz", 2, "channel 2: pulses a second, on average", about(25, RATE, "Hz"),
                     4.0),
                See("apart", 0, "at no time are legs of both channels high", 2.0),
                Off(),
            ),
        ),
        Step(
            "stop-byte", "The stop byte",
            "One ! ends the output at once, and amplitude begins at zero after it.",
            (
                _pulses(1, 300, 50, 100, "POS"),
                Play(3.0),
                Off(),
                See("silent", 0, f"the pulses end at once; {_ALL_LOW}"),
                Says("SESS:STAT?", "IDLE"),
                Ask("SOUR1:CURR?", "intensity", exactly(0, "mA"), scale=1000.0),
                Refuses("SOUR1:CURR 1mA", "only while"),
                Play(0.0),
                Ask("SOUR1:CURR?", "intensity after a new start", exactly(0, "mA"), scale=1000.0),
                See("no_current", 1, "no current flows"),
                Off(),
            ),
        ),
        Step(
            "stop-button", "The stop button",
            "It ends the output at once without software and holds; clearing needs it released.",
            (
                _pulses(1, 300, 50, 100, "POS"),
                Play(3.0),
                Do("press_stop", "Press the stop button and hold it."),
                See("silent", 0, f"the pulses have ended; {_ALL_LOW}"),
                Says("SESS:STAT?", "FAULT"),
                Refuses("FAUL:CLE", "trip line"),
                _RELEASE,
                Set(("FAUL:CLE",)),
                *_SETTLED,
            ),
            (_RELEASE,),
        ),
        Step(
            "trip", "The trip line",
            "A trip ends the output at once; the fault latches and is cleared by hand.",
            (
                _pulses(2, 300, 50, 100, "POS"),
                Play(0.0, 3.0),
                Do("cut_trip", "Open the wire of the trip line at GP10."),
                See("silent", 0, f"the pulses have ended; {_ALL_LOW}"),
                Says("SESS:STAT?", "FAULT"),
                Ask("FAUL?", "number of the fault", exactly(1)),
                _MEND,
                Set(("FAUL:CLE",)),
                *_SETTLED,
            ),
            (_MEND,),
        ),
        Step(
            "host-gone", "The host is gone",
            "Two seconds without a word from the host and the output fades to zero (SR-31).",
            (
                _pulses(1, 300, 50, 100, "POS"),
                Set(("SESS:STAN OFF",)),
                Play(3.0),
                LetGo(),
                Read("pulses_end_s", 1, "from the host's last word to the last pulse with current",
                     at_most(3.2, "s"), 6.0),
                Reconnect(),
            ),
            (Reconnect(),),
            needs=("SESS:STAN?",),
        ),
        Step(
            "reset", "A reset while pulses play",
            "Pins are low through a reset, and the board comes back with its output off.",
            (
                _pulses(1, 300, 50, 100, "POS"),
                Play(3.0),
                Do("reset", "Reset the board (RUN to ground, or its USB plug out and in)."),
                See("silent", 0, f"the pulses have ended and none comes back; {_ALL_LOW}", 2.0),
                Reconnect(),
                Says("SESS:STAT?", "IDLE"),
                Ask("MEAS:SUPP?", "supply", at_most(20, "V")),
            ),
            (Reconnect(),),
        ),
    )  # fmt: skip

