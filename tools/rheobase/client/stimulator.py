"""A stimulator at the end of a serial line, as an object."""

from __future__ import annotations

import re
import signal
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from enum import StrEnum
from types import FrameType, TracebackType
from typing import NamedTuple, Self

import serial

from rheobase.client.climb import Climb
from rheobase.client.errors import LinkError, PortError, ResetError, StimulatorError
from rheobase.client.find import find_port, reason_it_did_not_open
from rheobase.client.keepalive import KeepAlive
from rheobase.client.line import IDENTITY, NUMBER, WORD, Clock, Line, Port, open_port
from rheobase.client.settings import Choice, Count, Group, Number, Switch, messages

MAKER = "Rheobase"
_LEARNT = re.compile(r":[A-Z].*")
_COUNTS = re.compile(r"\d+,\d+")
_TEXT = re.compile(r'"(?:[^"]|"")*"')
_CEILING = re.compile(NUMBER.pattern + "," + _TEXT.pattern)
_THRESHOLDS = re.compile(f"{NUMBER.pattern},{NUMBER.pattern}")
_SELF_TEST_S = 10.0
_LIST = re.compile(f"{_TEXT.pattern}(?:,{_TEXT.pattern})*")


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _unquoted(text: str) -> str:
    """What stands in an IEEE 488.2 string response."""
    return text[1:-1].replace('""', '"')


class State(StrEnum):
    """What SESSion:STATe? answers."""

    BOOT = "BOOT"
    SELFTEST = "SELFTEST"
    IDLE = "IDLE"
    ARMED = "ARMED"
    RUNNING = "RUNNING"
    FADING = "FADING"
    PAUSED = "PAUSED"
    FAULT = "FAULT"
    CHECKING = "CHECKING"
    WAITING = "WAITING"
    RESTING = "RESTING"
    STANDING = "STANDING"

    @property
    def in_session(self) -> bool:
        """A session is under way; with a trigger it also waits, rests, or stands still."""
        return self.goes_on or self in (State.FADING, State.PAUSED)

    @property
    def goes_on(self) -> bool:
        """It neither fades nor is it held, so that an intensity may be raised."""
        return self in _GOES_ON


_GOES_ON = frozenset((State.RUNNING, State.WAITING, State.RESTING, State.STANDING))


class Fault(NamedTuple):
    """Why the output was cut; latched until `clear_fault`."""

    number: int
    text: str


class Moved(NamedTuple):
    """Pulses moved because the channels met, and the furthest move."""

    pulses: int
    most_us: float


class Ceiling(NamedTuple):
    """The most that a channel's intensity may be as things are set, and the limit that sets it."""

    current_ma: float
    reason: str


class Progress(NamedTuple):
    """A look at a session: its state, the time played, and by channel current and pulses."""

    state: State
    elapsed_s: float
    current_ma: tuple[float, float]
    pulses: tuple[int, int]


class Identity(NamedTuple):
    maker: str
    model: str
    serial: str
    version: str


class Channel(Group):
    """One channel: `stimulator.channel(1)`. Settings are attributes; see also `configure`."""

    enabled = Switch("STATe", "the channel takes part in the session")
    width_us = Number("PULSe:WIDTh", "us", -6, "phase width")
    gap_us = Number("PULSe:GAP", "us", -6, "interphase gap, end of a phase to start of the next")
    polarity = Choice(
        "PULSe:POLarity", ("POSitive", "NEGative", "ALTernate"), "which phase comes first"
    )
    rate_hz = Number("FREQuency", "Hz", 0, "pulses or groups a second")
    count = Count("BURSt:COUNt", "pulses in a group: 1 single, 2 doublet, ...")
    interval_ms = Number("BURSt:INTerval", "ms", -3, "from pulse to pulse in a group")
    opening_ms = Number("BURSt:OPENing", "ms", -3, "first interval of a contraction; 0 for none")
    jitter_ms = Number("FREQuency:JITTer", "ms", -3, "most by which a group is late at random")
    modulation = Choice(
        "MODulation:SHAPe",
        ("NONE", "SWEep", "SAWTooth", "TRIangle"),
        "how rate and width go to their second values",
    )
    rate_to_hz = Number("MODulation:FREQuency", "Hz", 0, "the second rate; 0: as the first")
    width_to_us = Number("MODulation:WIDTh", "us", -6, "the second width; 0: as the first")
    modulation_s = Number("MODulation:PERiod", "s", 0, "length of a saw tooth or triangle")
    modulation_steps = Count("MODulation:STEPs", "steps from the first value to the second")
    delay_ms = Number("DELay", "ms", -3, "from the session's start to the channel's own")
    ramp_up_s = Number("RAMP:UP", "s", 0, "ramp to the plateau")
    ramp_down_s = Number("RAMP:DOWN", "s", 0, "ramp from the plateau")
    ramp_by = Choice("RAMP:TYPE", ("AMPLitude", "WIDTh"), "what a ramp changes")
    on_s = Number("CYCLe:ON", "s", 0, "plateau of a contraction; math.inf for no cycle")
    off_s = Number("CYCLe:OFF", "s", 0, "rest between contractions")
    block_s = Number("CYCLe:BLOCk", "s", 0, "contractions come in blocks this long; 0: no blocks")
    pause_s = Number("CYCLe:PAUSe", "s", 0, "rest between blocks")
    rest_rate_hz = Number("REST:FREQuency", "Hz", 0, "rate of an active rest; 0 for none")
    rest_up_s = Number("REST:RAMP:UP", "s", 0, "ramp into the active rest")
    rest_down_s = Number("REST:RAMP:DOWN", "s", 0, "ramp out of it")
    crank_from_deg = Count("CRANk:STARt", "crank angle from which the channel is stimulated")
    crank_to_deg = Count("CRANk:STOP", "and to which")
    limit_ma = Number("CURRent:LIMit", "mA", -3, "the channel's ceiling")
    pad_cm2 = Number("PAD:AREA", "cm2", 0, "area of the smaller of the two pads")

    def __init__(self, line: Line, number: int) -> None:
        super().__init__(line)
        self.number = number
        self.prefix = f"SOUR{number}:"

    @property
    def current_ma(self) -> float:
        """The intensity (plateau current). Zero at every start and resume.

        Down at once; up by at most 1 mA at a time, twice a second, else StimulatorError: see
        `Stimulator.raise_current`.
        """
        return float(self.line.query(f"{self.prefix}CURR?", NUMBER)) * 1e3

    @current_ma.setter
    def current_ma(self, value: float) -> None:
        self.line.set(f"{self.prefix}CURR {Channel._current.write(value)}")

    _current = Number("CURRent", "mA", -3, "")

    @property
    def thresholds_ma(self) -> dict[str, float]:
        """Stored motor and sensory threshold; 0 for one that is not known."""
        answer = self.line.query(f"{self.prefix}CURR:THR?", _THRESHOLDS)
        motor, sensory = answer.split(",")
        return {"motor": float(motor) * 1e3, "sensory": float(sensory) * 1e3}

    @property
    def ceiling(self) -> Ceiling:
        """The most that `current_ma` may be as things are set."""
        amperes, reason = self.line.query(f"{self.prefix}CURR:CEIL?", _CEILING).split(",", 1)
        return Ceiling(float(amperes) * 1e3, _unquoted(reason))

    def load_program(self, name: str) -> None:
        """Load what a program has for one channel on this one.

        The session's settings come along unless the other channel is on; the channels are then
        independent.
        """
        self.line.set(f"PROG:LOAD {_quoted(name)},{self.number}")

    @property
    def pulses(self) -> int:
        """Pulses that have begun since the start."""
        return int(self.line.query(f"MEAS{self.number}:PULS?", NUMBER))

    @property
    def moved(self) -> Moved:
        """Pulses moved because the channels met."""
        unit = f"MEAS{self.number}:MOV:COUN?;MOST?"
        count, most = self.line.query(unit, NUMBER, NUMBER).split(";")
        return Moved(int(count), float(most) * 1e6)


class Session(Group):
    """The session's settings: `stimulator.session`."""

    prefix = "SESS:"
    duration_s = Number("DURation", "s", 0, "the session's length")
    pattern = Choice(
        "PATTern",
        ("SIMultaneous", "ALTernating", "OVERlapped", "INDependent"),
        "how the channels share the time",
    )
    trigger = Choice(
        "TRIGger:SOURce",
        ("NONE", "BUTTon", "HEEL", "PHASes", "CRANk", "HOST", "ANALog"),
        "what starts each contraction",
    )
    extend_s = Number("TRIGger:EXTend", "s", 0, "how long a contraction outlasts its trigger")
    timeout_s = Number("TRIGger:TIMeout", "s", 0, "longest triggered contraction")
    trigger_mode = Choice(
        "TRIGger:MODE", ("AUTO", "GATed", "EDGE"), "what ends a triggered contraction"
    )
    trigger_slope = Choice(
        "TRIGger:SLOPe", ("AUTO", "POSitive", "NEGative"), "which level of the input is active"
    )
    trigger_debounce_ms = Number(
        "TRIGger:DEBounce", "ms", -3, "how long the input must be active before it counts"
    )
    trigger_wait_s = Number("TRIGger:WAIT", "s", 0, "longest wait for a trigger")
    trigger_level_v = Number("TRIGger:LEVel", "V", 0, "threshold of the analogue trigger")
    trigger_hysteresis_v = Number("TRIGger:HYSTeresis", "V", 0, "and how far back from it")
    least_cadence_rpm = Count("TRIGger:CADence:LOW", "below it the crank triggers nothing")
    most_cadence_rpm = Count("TRIGger:CADence:HIGH", "and above it")
    seed = Count("SEED", "where the random intervals start")
    standalone = Switch("STANdalone", "goes on without a host")
    warm_up_s = Number("WARMup:DURation", "s", 0, "warm-up before the cycles")
    warm_up_rate_hz = Number("WARMup:FREQuency", "Hz", 0, "its rate")
    warm_up_ramp_up_s = Number("WARMup:RAMP:UP", "s", 0, "its ramp up")
    warm_up_ramp_down_s = Number("WARMup:RAMP:DOWN", "s", 0, "its ramp down")
    cool_down_s = Number("COOLdown:DURation", "s", 0, "cool-down after the cycles")
    cool_down_rate_hz = Number("COOLdown:FREQuency", "Hz", 0, "its rate")
    cool_down_ramp_up_s = Number("COOLdown:RAMP:UP", "s", 0, "its ramp up")
    cool_down_ramp_down_s = Number("COOLdown:RAMP:DOWN", "s", 0, "its ramp down")


class Stimulator:
    """A stimulator on a serial port; the output is off once its `with` block is left.

        with rheobase.Stimulator("/dev/ttyACM0") as stimulator:
            stimulator.channel(1).load_program("N01")
            stimulator.arm()
            stimulator.start()
            for current_ma in stimulator.raise_current(1, 12):
                print(current_ma)
            for progress in stimulator.watch():
                print(progress)

    port: a device name, a pyserial URL, or an open object with pyserial's read and write.
    timeout_s: the longest wait for a reply. stop_on_sigterm: leave the `with` block (by
    SystemExit) when the process is asked to end; only in the main thread. clock: what tells and
    waits the time, the module `time` unless the stimulator is simulated.
    checked: every line in a numbered frame with a checksum, if the stimulator offers that.
    While the `with` block is open, a background thread tells the stimulator that the host is
    there; without one a session must be `session.standalone`, or it is paused after 2 s of
    silence.
    Every setting is checked: a refusal raises StimulatorError, a silence LinkError.
    Raises PortError if the port can't be opened or something else answers there.
    """

    def __init__(
        self,
        port: str | Port,
        *,
        timeout_s: float = 2.0,
        stop_on_sigterm: bool = False,
        clock: Clock = time,
        checked: bool = True,
    ) -> None:
        self.name = port if isinstance(port, str) else getattr(port, "name", str(port))
        self.clock = clock
        self._sigterm = stop_on_sigterm
        self._sigterm_before: object = None
        if isinstance(port, str):
            try:
                opened: Port = open_port(port)
            except (serial.SerialException, ValueError) as error:
                raise PortError(reason_it_did_not_open(port, error)) from error
        else:
            opened = port
        self.line = Line(opened, timeout_s, clock)
        self.session = Session(self.line)
        self._channels = (Channel(self.line, 1), Channel(self.line, 2))
        self._keepalive = KeepAlive(self.line, clock)
        try:
            self._greet(checked)
        except BaseException:
            self.line.close()
            raise

    def _greet(self, checked: bool) -> None:
        try:
            self.line.begin(checked)
            identity = self.line.query("*IDN?", IDENTITY)
        except LinkError as error:
            raise PortError(f"{self.name}: no stimulator answers: {error}") from error
        self.identity = Identity(*identity.split(",", 3))
        if self.identity.maker != MAKER:
            raise PortError(f"{self.name} is another instrument: {identity}")

    @classmethod
    def find(cls, *, timeout_s: float = 2.0, stop_on_sigterm: bool = False) -> Self:
        """The one stimulator that is connected. Raises PortError if there is none or several."""
        name = find_port(lambda port: cls(port, timeout_s=1.0).close())
        return cls(name, timeout_s=timeout_s, stop_on_sigterm=stop_on_sigterm)

    # -- the block in which it may be on ---------------------------------------------------------

    def __enter__(self) -> Self:
        if self._sigterm and threading.current_thread() is threading.main_thread():
            self._sigterm_before = signal.signal(signal.SIGTERM, _leave)
        self._keepalive.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.abort()
        except (LinkError, StimulatorError) as failure:
            if error is None:
                raise
            error.add_note(f"the stop could not be confirmed: {failure}")
        finally:
            if self._sigterm_before is not None:
                signal.signal(signal.SIGTERM, self._sigterm_before)  # type: ignore[arg-type]
                self._sigterm_before = None
            self.close()

    def close(self) -> None:
        """Let go of the port. Does not stop the output: use `with`, or `abort` first."""
        self._keepalive.stop()
        with suppress(LinkError):
            self.line.end()
        self.line.close()

    # -- settings --------------------------------------------------------------------------------

    def channel(self, number: int) -> Channel:
        """Channel 1 or 2. Raises ValueError for another number."""
        if number not in (1, 2):
            raise ValueError(f"channel {number}: there are 1 and 2")
        return self._channels[number - 1]

    def load_program(self, name: str, channel: int | None = None) -> None:
        """Load a program on both channels, or what it has for one channel on that one."""
        if channel is None:
            self.line.set(f"PROG:LOAD {_quoted(name)}")
        else:
            self.channel(channel).load_program(name)

    @property
    def mode(self) -> str:
        """What the settings are for: NMES, TENS, FES, TEST, or MAN for settings by hand."""
        return self.line.query("PROG:MODE?", WORD)

    @property
    def loaded(self) -> tuple[str, ...]:
        """The program that each channel's settings are of; "" for settings by hand."""
        return tuple(map(_unquoted, _TEXT.findall(self.line.query("PROG:SEL?", _LIST))))

    def program_text(self, name: str) -> str:
        """A program as text, from the library or the user's own."""
        count = int(self.line.query(f"PROG:LINE:COUN? {_quoted(name)}", NUMBER))
        lines = [
            _unquoted(self.line.query(f"PROG:LINE? {_quoted(name)},{number}", _TEXT))
            for number in range(1, count + 1)
        ]
        return "".join(line + "\n" for line in lines)

    def store_program(self, text: str) -> None:
        """Store a program of the user's own: wholly, or not at all.

        Raises StimulatorError with the line and the reason if the stimulator refuses it.
        """
        self.line.set("PROG:IMP:BEG")
        for line in text.splitlines():
            self.line.set(f"PROG:IMP:LINE {_quoted(line)}")
        self.line.set("PROG:IMP:END")

    def delete_program(self, name: str) -> None:
        """Delete a program of the user's own."""
        self.line.set(f"PROG:DEL {_quoted(name)}")

    @property
    def own_programs(self) -> tuple[str, ...]:
        """The names of the user's own programs."""
        names = _TEXT.findall(self.line.query("PROG:CAT:USER?", _LIST))
        return tuple(filter(None, map(_unquoted, names)))

    @property
    def programs(self) -> tuple[str, ...]:
        """The names of all programs, the user's own last."""
        names = _TEXT.findall(self.line.query("PROG:CAT?", _LIST))
        return tuple(_unquoted(name) for name in names)

    def learn(self) -> list[str]:
        """Every setting, as the lines that `restore` it; with the output off only."""
        units = self.line.query("*LRN?", _LEARNT).split(";")
        return [";".join(line) for line in messages(units)]

    def restore(self, lines: Iterable[str]) -> None:
        """Set what `learn` has told. Raises StimulatorError at the first line refused."""
        for line in lines:
            self.line.set(line)

    def reset(self) -> None:
        """Output off, every setting at its default."""
        self.line.set("*RST")

    # -- the session -----------------------------------------------------------------------------

    @property
    def checklist(self) -> str:
        """The number of the checklist of contraindications that has to be acknowledged."""
        return self.line.query("CHEC?", _LIST).strip('"')

    def acknowledge(self, checklist: str) -> None:
        """Say that a person has gone through the checklist; once for every session."""
        self.line.set(f'CHEC:ACKN "{checklist}"')

    @property
    def settings_hash(self) -> str:
        """CRC-32 of exactly what would run, as `arm` echoes it."""
        return self.line.query("ARM:HASH?", _LIST).strip('"')

    def arm(self, settings_hash: str | None = None, wait_s: float = 5.0) -> None:
        """Have everything checked, the stops tested and the supply switched on; waits for it.

        settings_hash: what the caller has checked; by default that of the settings of now.
        Before it: the stop button tried since power-up, the checklist acknowledged, and the pad
        area of each channel in use entered; else StimulatorError (-221) names what is missing.
        It lapses after a minute without a start. If it is not armed after `wait_s`, the output
        is off again and LinkError raised; a test that failed is raised as StimulatorError.
        """
        self._wait_while(State.SELFTEST, _SELF_TEST_S)
        self.line.set(f'ARM "{settings_hash or self.settings_hash}"')
        try:
            state = self._wait_while(State.CHECKING, wait_s)
        except LinkError:
            self.abort()
            raise LinkError(f"not armed within {wait_s:g} s") from None
        if state == State.FAULT:
            fault = self.fault or Fault(0, "fault")
            raise StimulatorError(fault.number, fault.text)
        if state != State.ARMED:
            for code, text in self.line.errors():
                raise StimulatorError(code, text)
            raise LinkError(f"not armed, but {state}")

    def _wait_while(self, state: State, limit_s: float) -> State:
        """Wait until the state is another one, and return it; LinkError after limit_s."""
        end_s = self.clock.monotonic() + limit_s
        while (now := self.state) == state:
            if self.clock.monotonic() >= end_s:
                raise LinkError(f"still {state} after {limit_s:g} s")
            self.clock.sleep(0.02)
        return now

    def unlock(self) -> None:
        """Open the way up of the intensity; it locks itself again after 4 s without use."""
        self.line.set("CURR:LOCK OFF")

    def start(self) -> None:
        """Begin the armed session, at intensity zero."""
        self.line.set("SESS:STAR")

    def pause(self) -> None:
        """Fade to zero and hold the session."""
        self.line.set("SESS:PAUS")

    def resume(self) -> None:
        """Go on with a held session, from intensity zero."""
        self.line.set("SESS:RES")

    def trigger(self) -> None:
        """The host's trigger (*TRG): starts the contraction that waits for it."""
        self.line.set("*TRG")

    def send_angle(self, degrees: int) -> None:
        """The crank's angle now, 0 to 359, at least every 0.25 s."""
        self.line.set(f"SESS:TRIG:ANGL {degrees}")

    def stop(self, wait_s: float = 3.0) -> None:
        """Fade to zero (a second at most), then off; returns when it is off."""
        self.line.set("SESS:STOP")
        self.line.wait_for_operation(wait_s)

    def abort(self) -> None:
        """Off at once, in any state; returns when the stimulator has confirmed it.

        Raises LinkError if it did not: then the lease lets the output end within 0.1 s, and
        the button on the board is always there.
        """
        self.line.stop_now()
        self.line.synchronise()
        self.line.set("ABOR")
        state = self.state
        if state not in (State.IDLE, State.FAULT, State.SELFTEST, State.BOOT):
            raise LinkError(f"stopped, but the state is {state}")

    def raise_current(
        self, channel: int | Mapping[int, float], target_ma: float | None = None
    ) -> Climb:
        """The way up to an intensity, in the steps that are allowed; see `Climb`.

        raise_current(1, 20) for one channel, raise_current({1: 20, 2: 15}) for both.
        Raises StimulatorError (-222) at once for a target above a channel's ceiling.
        """
        if isinstance(channel, Mapping):
            targets = dict(channel)
        elif target_ma is None:
            raise TypeError("raise_current(channel, target_ma) or raise_current({channel: mA})")
        else:
            targets = {channel: target_ma}
        return Climb(self, targets)

    def raise_to(self, channel: int, multiple: float, of: str = "motor") -> Climb:
        """The way up to a multiple of the channel's stored `of` (motor, sensory) threshold.

        The threshold holds for the phase width it was found at (`rheobase test x02`). Raises
        StimulatorError (-221) if none is stored, (-222) for a target above a ceiling.
        """
        threshold_ma = self.channel(channel).thresholds_ma[of]
        if not threshold_ma:
            raise StimulatorError(-221, f"no {of} threshold of channel {channel} is stored")
        return Climb(self, {channel: round(threshold_ma * multiple, 3)})

    def watch(self, every_s: float = 0.2) -> Iterator[Progress]:
        """Look at the session `every_s`, until it is over; the last look is yielded too.

        Raises StimulatorError with the fault's number and words if it ends by a fault, LinkError
        if the stimulator was reset meanwhile.
        """
        elapsed_s = 0.0
        while True:
            try:
                progress = self.progress
            except ResetError as reset:
                text = f"the stimulator was reset after {elapsed_s:g} s of the session"
                raise ResetError(text) from reset
            yield progress
            if progress.elapsed_s < elapsed_s:
                raise ResetError(f"the stimulator was reset after {elapsed_s:g} s of the session")
            elapsed_s = progress.elapsed_s
            if progress.state == State.FAULT:
                fault = self.fault or Fault(0, "fault")
                raise StimulatorError(fault.number, fault.text)
            if not progress.state.in_session:
                return
            self.clock.sleep(every_s)

    # -- what it tells ---------------------------------------------------------------------------

    @property
    def state(self) -> State:
        return State(self.line.query("SESS:STAT?", WORD))

    @property
    def progress(self) -> Progress:
        """State, time, intensities and pulses in one round trip."""
        answer = self.line.query(
            "SESS:STAT?;TIME?;:SOUR1:CURR?;:SOUR2:CURR?;:MEAS1:PULS?;:MEAS2:PULS?",
            WORD, NUMBER, NUMBER, NUMBER, NUMBER, NUMBER,
        )  # fmt: skip
        state, elapsed, one, two, pulses_one, pulses_two = answer.split(";")
        return Progress(
            State(state),
            float(elapsed),
            (float(one) * 1e3, float(two) * 1e3),
            (int(pulses_one), int(pulses_two)),
        )

    @property
    def elapsed_s(self) -> float:
        """Session time played, without pauses."""
        return float(self.line.query("SESS:TIME?", NUMBER))

    @property
    def contractions(self) -> tuple[int, int]:
        """Contractions planned on each channel; known once armed."""
        one, two = self.line.query("SESS:CONT?", _COUNTS).split(",")
        return int(one), int(two)

    @property
    def supply_v(self) -> float:
        return float(self.line.query("MEAS:SUPP?", NUMBER))

    @property
    def fault(self) -> Fault | None:
        """The latched fault, None if there is none."""
        number, _, text = self.line.query("FAUL:NUMB?;TEXT?", NUMBER, _TEXT).partition(";")
        return Fault(int(number), _unquoted(text)) if int(number) else None

    def clear_fault(self) -> None:
        """Leave FAULT, and wait for the self-test that follows.

        Raises StimulatorError naming the cause if that is still there.
        """
        self.line.set("FAUL:CLE")
        self._wait_while(State.SELFTEST, _SELF_TEST_S)

    @property
    def errors(self) -> list[tuple[int, str]]:
        """Everything in the error queue, oldest first; reading empties it."""
        return self.line.errors()

    def self_test(self) -> int:
        """0 if all is well, else a sum: 1 trip line, 2 stop button, 4 supply, 8 fault."""
        return int(self.line.query("*TST?", NUMBER))


def _leave(signal_number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + signal_number)
