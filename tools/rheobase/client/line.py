"""The serial line: lines out, the expected replies back, whatever else comes in between."""

from __future__ import annotations

import re
import secrets
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Protocol

import serial

from rheobase.client.errors import LinkError, PortError, ResetError, StimulatorError
from rheobase.client.frames import LAST, framed, read
from rheobase.client.words import NUMBER, TEXT, unquoted

STOP_BYTE = b"!"  # the firmware acts on it before anything else, also within a line
ERROR = re.compile(rf"(-?\d+),({TEXT.pattern})")
VERSION = re.compile(r"\d{4}\.\d")
IDENTITY = re.compile(r"[^,\"]+,[^,\"]+,[^,\"]+,[^,\"]+")

_SLICE_S = 0.05  # longest wait for bytes before the clock is looked at
RETRY_S = 0.25  # without a reply, a frame is sent again
_BEGIN_S = 0.6  # so long without a reply: this device has no checked mode
_KEEP_S = 0.5  # longest wait for the reply to a sign of life
_LONGEST_QUEUE = 20  # errors; the firmware's holds 16


class Port(Protocol):
    """What is needed of serial.Serial."""

    def write(self, data: bytes, /) -> int | None: ...

    def read(self, size: int = 1, /) -> bytes: ...

    def close(self) -> None: ...

    @property
    def in_waiting(self) -> int: ...


class Clock(Protocol):
    """What is needed of the module `time`; a simulation has one of its own."""

    def monotonic(self) -> float: ...

    def sleep(self, seconds: float, /) -> None: ...


class Line:
    """One conversation at a time; safe to use from several threads.

    Plain lines: replies are recognised by their form; echoes of what was sent, banners and other
    lines that can't be the reply are skipped. In checked mode (`begin`) every line is a frame
    that is sent again until it is answered, and executed once.
    """

    def __init__(self, port: Port, timeout_s: float = 2.0, clock: Clock = time) -> None:
        self.port = port
        self.timeout_s = timeout_s
        self.clock = clock
        self.early: list[tuple[int, str]] = []
        """Errors that stood in the queue before and belong to no conversation of this line."""
        self.checked = False
        """Whether lines are framed."""
        self._number = 0  # of the last frame
        self._said_s = clock.monotonic()
        self._frames_seen = False
        self._in_step = True
        self._received = bytearray()
        self._skipped: list[str] = []
        self._lock = threading.RLock()

    # -- conversations ---------------------------------------------------------------------------

    def set(self, *units: str) -> None:
        """Send settings or actions, one program message; raises StimulatorError if refused."""
        self._converse([";:".join(units)], [])

    def query(self, unit: str, *forms: re.Pattern[str]) -> str:
        """Send one line of queries; the reply must be `forms`, joined by semicolons.

        Raises StimulatorError if the line is refused, LinkError if no such reply comes.
        """
        form = re.compile(";".join(form.pattern for form in forms))
        return self._converse([unit], [form])[0]

    def each(self, queries: Mapping[str, re.Pattern[str]]) -> list[str]:
        """Ask several queries (the forms of their answers by unit), each in a line of its own.

        A board executes a line in one go, and one that plays must not be kept from its tape.
        """
        return [self.query(unit, form) for unit, form in queries.items()]

    def wait_for_operation(self, timeout_s: float) -> None:
        """Until what was begun is complete: *OPC? alone, as the next query would interrupt it."""
        with self._lock:
            if self.checked:
                self._checked("*OPC?", NUMBER, timeout_s)
                return
            self._skipped.clear()
            deadline = self.clock.monotonic() + timeout_s
            self._write(b"*OPC?\n")
            try:
                self._reply([NUMBER], ["*OPC?"], deadline)
            except LinkError:
                self._recover()
                raise

    def errors(self) -> list[tuple[int, str]]:
        """Take everything out of the error queue, oldest first; what came `early` too."""
        with self._lock:
            found, self.early = self.early, []
            for _ in range(_LONGEST_QUEUE):
                code, text = self._next_error()
                if not code:
                    break
                found.append((code, text))
            return found

    def stop_now(self) -> None:
        """The stop byte, at once: waits for no conversation of another thread."""
        self._write(STOP_BYTE + b"\n")

    def begin(self, checked: bool = True) -> None:
        """Start the conversation: in checked mode if that is wanted and offered."""
        with self._lock:
            within = min(_BEGIN_S, self.timeout_s)
            if self._begin("ON" if checked else "OFF", within) and checked:
                return
            try:
                self.synchronise()
            except LinkError:
                if not self._frames_seen:
                    raise
                # It only took its time, as a board does that is still starting.
                if not self._begin("ON" if checked else "OFF", self.timeout_s):
                    raise

    def end(self) -> None:
        """Leave checked mode, so that the next one at this port may speak in plain lines."""
        with self._lock:
            if self.checked:
                self.checked = False
                self._begin("OFF", _KEEP_S)

    def keep_alive(self, every_s: float) -> None:
        """A sign of life if nothing was said for `every_s`; raises nothing: who talks next finds
        out what is wrong with the line."""
        if not self._lock.acquire(blocking=False):
            return  # somebody talks
        try:
            if self.clock.monotonic() - self._said_s < 0.9 * every_s or not self._in_step:
                return
            if self.checked:
                self._frame("", self.clock.monotonic() + _KEEP_S)
            else:
                self._write(b":SYST:KEEP\n")
        except LinkError:
            self._in_step = False
        finally:
            self._lock.release()

    def synchronise(self, timeout_s: float | None = None) -> None:
        """Find the beat of the conversation again, after opening, garbage or a timeout.

        Ends whatever line was begun, says a header that no instrument has, and reads until that
        is refused: everything before it is old.
        """
        with self._lock:
            if self.checked:
                if not self._begin("ON", timeout_s or self.timeout_s):
                    raise LinkError(f"no reply in time{self._instead()}")
                return
            deadline = self.clock.monotonic() + (timeout_s or self.timeout_s)
            self._received.clear()
            self._skipped.clear()
            self._frames_seen = False
            errors: list[tuple[int, str]] = []
            while True:
                mark = _mark()
                self._write(f"\n:SYST:PROM OFF\n{mark}?\n".encode())
                within = min(deadline, self.clock.monotonic() + 0.5)
                try:
                    if self._read_up_to(mark, within, errors):
                        # A line may have been answered unasked; nothing answers like this one.
                        self._write(b":SYST:VERS?\n")
                        self._reply([VERSION], [], within)
                        self.early += errors
                        self._in_step = True
                        return
                except PortError:
                    raise
                except LinkError:
                    if self._frames_seen or self.clock.monotonic() >= deadline:
                        raise  # in frames there is no beat to be found in this way

    def close(self) -> None:
        self.port.close()

    # -- inside ----------------------------------------------------------------------------------

    def _converse(self, lines: list[str], forms: Sequence[re.Pattern[str]]) -> list[str]:
        """Send lines, then ask for errors, in one write. Returns the replies before the errors."""
        with self._lock:
            if not self._in_step:
                self.synchronise()
            if self.checked:
                return [self._checked(lines[0], forms[0] if forms else None, self.timeout_s)]
            self._skipped.clear()
            sent = [*lines, ":SYST:ERR?"]
            deadline = self.clock.monotonic() + self.timeout_s
            self._write("".join(line + "\n" for line in sent).encode())
            answers: list[str] = []
            try:
                while True:
                    expected = [ERROR, *forms[len(answers) : len(answers) + 1]]
                    answer = self._reply(expected, sent, deadline)
                    refusal = ERROR.fullmatch(answer)
                    if refusal is None:
                        answers.append(answer)
                        continue
                    code, text = _told(refusal)
                    if code and forms and len(answers) == len(forms):
                        self.early.append((code, text))  # not of this query: it was answered
                        return answers
                    if code:
                        raise StimulatorError(code, text, [(code, text), *self.errors()])
                    if len(answers) < len(forms):
                        raise LinkError(f"no answer to {lines[0]!r}{self._instead()}")
                    return answers
            except LinkError:
                self._recover()
                raise

    def _recover(self) -> None:
        """After a failed conversation the next one must not read its late replies."""
        self._in_step = False
        try:
            self.synchronise(min(self.timeout_s, 1.0))
        except LinkError:
            return  # the next conversation tries again

    def _next_error(self) -> tuple[int, str]:
        if self.checked:
            found = ERROR.fullmatch(self._checked("SYST:ERR?", ERROR, self.timeout_s))
            assert found is not None
            return _told(found)
        deadline = self.clock.monotonic() + self.timeout_s
        self._write(b":SYST:ERR?\n")
        found = ERROR.fullmatch(self._reply([ERROR], [":SYST:ERR?"], deadline))
        assert found is not None
        return _told(found)

    def _read_up_to(self, mark: str, deadline: float, errors: list[tuple[int, str]]) -> bool:
        """Read the error queue up to the refusal of `mark`; False if it was not in it."""
        for _ in range(_LONGEST_QUEUE):
            self._write(b":SYST:ERR?\n")
            while True:
                found = ERROR.fullmatch(self._reply([ERROR], [], deadline))
                assert found is not None
                code, text = _told(found)
                if mark in text:
                    return True
                if code == -350:  # the queue was full: the mark may be lost
                    self._write(f"*CLS;:{mark}?\n".encode())
                if code:
                    if "SYNC" not in text and not text.endswith(";#0"):
                        errors.append((code, text))
                    break
        return False

    # -- inside, checked mode --------------------------------------------------------------------

    def _begin(self, on: str, timeout_s: float) -> bool:
        """Switch checked mode; False if it is not offered. Everything said before is old then:
        a header that no instrument has is named in the refusal that is waited for."""
        self._received.clear()
        self._skipped.clear()
        deadline = self.clock.monotonic() + timeout_s
        mark = _mark()
        frame = framed(0, f"SYST:CHEC {on};:{mark}?")
        while self.clock.monotonic() < deadline:
            self._write(f"\n{frame}\n".encode())
            again = min(deadline, self.clock.monotonic() + RETRY_S)
            while (found := self._next_frame(again)) is not None:
                number, kind, rest = found
                if number == "0" and kind == "ERR" and mark in rest:
                    self.checked = on == "ON"
                    self._number = 0
                    self._in_step = True
                    return True
        return False

    def _checked(self, text: str, form: re.Pattern[str] | None, timeout_s: float) -> str:
        """Say one line in a frame; its answer, which must have this form."""
        try:
            answer = self._frame(text, self.clock.monotonic() + timeout_s)
            if form is not None and not form.fullmatch(answer):
                raise LinkError(f"no answer to {text!r}, but {answer!r}")
        except LinkError:
            self._in_step = False
            raise
        return answer

    def _frame(self, text: str, deadline: float) -> str:
        """Send one frame until it is answered; the answer. Raises StimulatorError, LinkError."""
        self._skipped.clear()
        self._number = self._number % LAST + 1
        number = str(self._number)
        frame = framed(self._number, text).encode() + b"\n"
        while True:
            self._said_s = self.clock.monotonic()
            self._write(frame)
            again = min(deadline, self._said_s + RETRY_S)
            while (found := self._next_frame(again)) is not None:
                replied, kind, rest = found
                if replied == "?":
                    break  # damaged on its way
                if replied != number or kind == "BUSY":
                    continue
                if kind == "OK":
                    return rest
                if kind == "NAK" and "begins" in rest:
                    raise ResetError("the stimulator was reset")
                refusal = ERROR.match(rest)
                if kind == "NAK" or refusal is None:
                    raise LinkError(f"out of step: {rest}")
                code, words = _told(refusal)
                raise StimulatorError(code, words)
            if self.clock.monotonic() >= deadline:
                raise LinkError(f"no reply in time{self._instead()}")

    def _next_frame(self, deadline: float) -> tuple[str, str, str] | None:
        """The next sound reply; None if none comes in time."""
        while True:
            try:
                line = self._read_line(deadline)
            except PortError:
                raise
            except LinkError:
                return None
            found = read(line)
            if found is not None:
                self._frames_seen = True
                return found
            self._skipped.append(line)

    # -- inside, both ----------------------------------------------------------------------------

    def _reply(
        self, forms: Sequence[re.Pattern[str]], sent: Sequence[str], deadline: float
    ) -> str:
        """The next line that has one of the forms."""
        while True:
            line = self._read_line(deadline)
            if line.rpartition(">>> ")[2] in sent:
                continue
            for form in forms:
                if form.fullmatch(line):
                    return line
            self._frames_seen = self._frames_seen or read(line) is not None
            self._skipped.append(line)

    def _read_line(self, deadline: float) -> str:
        while True:
            end = self._received.find(b"\n")
            if end >= 0:
                line = bytes(self._received[:end])
                del self._received[: end + 1]
                text = line.decode("ascii", "replace").strip("\r\0 ")
                if text:
                    return text
                continue
            if self.clock.monotonic() >= deadline:
                raise LinkError(f"no reply in time{self._instead()}")
            try:
                self._received += self.port.read(max(1, self.port.in_waiting))
            except (serial.SerialException, OSError, TypeError) as error:
                raise PortError(f"the port is gone: {error}") from error

    def _write(self, data: bytes) -> None:
        self._said_s = self.clock.monotonic()
        try:
            self.port.write(data)
        except serial.SerialTimeoutException as error:
            raise LinkError("the stimulator takes no bytes: is it the right port?") from error
        except (serial.SerialException, OSError, TypeError) as error:
            raise PortError(f"the port is gone: {error}") from error

    def _instead(self) -> str:
        """What came in place of a reply, for the reader of an error."""
        rest = bytes(self._received[-60:]).decode("ascii", "replace")
        lines = [*self._skipped[-2:], *([rest] if rest.strip() else [])]
        if any(line.lstrip().startswith(">>>") for line in lines):
            return "; a Python prompt answers: the firmware is not running (reset the board)"
        return f"; instead came {' / '.join(lines)!r}" if lines else ""


def _mark() -> str:
    """A header that no instrument has, another one each time."""
    return "SYNC" + "".join(secrets.choice("BCDFGHJKLMNPQRSTVWXZ") for _ in range(8))


def open_port(name: str, write_timeout_s: float = 2.0) -> serial.SerialBase:
    """A serial port by its device name or pyserial URL. Raises serial.SerialException."""
    port = serial.serial_for_url(name, do_not_open=True)
    port.baudrate = 115200
    port.timeout = _SLICE_S
    port.write_timeout = write_timeout_s
    if "://" not in name:
        port.exclusive = True
    port.open()
    return port


def _told(error: re.Match[str]) -> tuple[int, str]:
    """Code and words of an ERROR."""
    return int(error[1]), unquoted(error[2])
