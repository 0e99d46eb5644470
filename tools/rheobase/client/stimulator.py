"""A stimulator at the end of a serial line, as an object."""

from __future__ import annotations

import re
import signal
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Self

import serial

from rheobase.client.channel import Channel
from rheobase.client.climb import Climb
from rheobase.client.configuration import Configuration
from rheobase.client.errors import LinkError, PortError, ResetError, StimulatorError
from rheobase.client.fault_log import FaultLog
from rheobase.client.find import find_port, reason_it_did_not_open
from rheobase.client.keepalive import KeepAlive
from rheobase.client.line import IDENTITY, Clock, Line, Port, open_port
from rheobase.client.session import Session
from rheobase.client.settings import messages
from rheobase.client.told import Fault, Identity, Progress, State
from rheobase.client.words import NUMBER, TEXT, TEXTS, WORD, numbers, quoted, texts, unquoted

MAKER = "Rheobase"
_LEARNT = re.compile(r":[A-Z].*")
_SELF_TEST_S = 10.0
_PROGRESS = {
    "SESS:STAT?": WORD,
    "SESS:TIME?": NUMBER,
    "SOUR1:CURR?": NUMBER,
    "SOUR2:CURR?": NUMBER,
    "MEAS1:PULS?": NUMBER,
    "MEAS2:PULS?": NUMBER,
}


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
        self.log = FaultLog(self.line)
        self.configuration = Configuration(self.line)
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
            self.line.set(f"PROG:LOAD {quoted(name)}")
        else:
            self.channel(channel).load_program(name)

    @property
    def mode(self) -> str:
        """What the settings are for: NMES, TENS, FES, TEST, or MAN for settings by hand."""
        return self.line.query("PROG:MODE?", WORD)

    @property
    def loaded(self) -> tuple[str, ...]:
        """The program that each channel's settings are of; "" for settings by hand."""
        return tuple(texts(self.line.query("PROG:SEL?", TEXTS)))

    def program_text(self, name: str) -> str:
        """A program as text, from the library or the user's own."""
        count = int(self.line.query(f"PROG:LINE:COUN? {quoted(name)}", NUMBER))
        lines = [
            unquoted(self.line.query(f"PROG:LINE? {quoted(name)},{number}", TEXT))
            for number in range(1, count + 1)
        ]
        return "".join(line + "\n" for line in lines)

    def store_program(self, text: str) -> None:
        """Store a program of the user's own: wholly, or not at all.

        Raises StimulatorError with the line and the reason if the stimulator refuses it.
        """
        self.line.set("PROG:IMP:BEG")
        for line in text.splitlines():
            self.line.set(f"PROG:IMP:LINE {quoted(line)}")
        self.line.set("PROG:IMP:END")

    def delete_program(self, name: str) -> None:
        """Delete a program of the user's own."""
        self.line.set(f"PROG:DEL {quoted(name)}")

    @property
    def own_programs(self) -> tuple[str, ...]:
        """The names of the user's own programs."""
        return tuple(filter(None, texts(self.line.query("PROG:CAT:USER?", TEXTS))))

    @property
    def programs(self) -> tuple[str, ...]:
        """The names of all programs, the user's own last."""
        return tuple(texts(self.line.query("PROG:CAT?", TEXTS)))

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
        return self.line.query("CHEC?", TEXTS).strip('"')

    def acknowledge(self, checklist: str) -> None:
        """Say that a person has gone through the checklist; once for every session."""
        self.line.set(f'CHEC:ACKN "{checklist}"')

    @property
    def settings_hash(self) -> str:
        """CRC-32 of exactly what would run, as `arm` echoes it."""
        return self.line.query("ARM:HASH?", TEXTS).strip('"')

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
        """State, time, intensities and pulses now."""
        state, elapsed, one, two, pulses_one, pulses_two = self.line.each(_PROGRESS)
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
        one, two = self.line.query("SESS:CONT?", numbers(2)).split(",")
        return int(one), int(two)

    @property
    def supply_v(self) -> float:
        return float(self.line.query("MEAS:SUPP?", NUMBER))

    @property
    def button(self) -> bool:
        """Whether the trigger input is closed: the hand button or the foot switch."""
        return self.line.query("INP:BUTT?", NUMBER) == "1"

    @property
    def fault(self) -> Fault | None:
        """The latched fault, None if there is none."""
        number, _, text = self.line.query("FAUL:NUMB?;TEXT?", NUMBER, TEXT).partition(";")
        return Fault(int(number), unquoted(text)) if int(number) else None

    def clear_fault(self) -> None:
        """Leave FAULT, and wait for the self-test that follows.

        Raises StimulatorError naming the cause if that is still there.
        """
        self.line.set("FAUL:CLE")
        self._wait_while(State.SELFTEST, _SELF_TEST_S)

    def set_clock(self, unix_s: float | None = None) -> None:
        """Tell the wall time (default: this computer's), for the log; output off only."""
        self.line.set(f"SYST:CLOC {time.time() if unix_s is None else unix_s:.0f}")

    @property
    def errors(self) -> list[tuple[int, str]]:
        """Everything in the error queue, oldest first; reading empties it."""
        return self.line.errors()

    def self_test(self) -> int:
        """0 if all is well, else a sum: 1 trip line, 2 stop button, 4 supply, 8 fault."""
        return int(self.line.query("*TST?", NUMBER))


def _leave(signal_number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + signal_number)
