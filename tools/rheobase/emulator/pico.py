"""A Pico with a genuine MicroPython image, emulated clock by clock."""

from __future__ import annotations

import base64
import os
import zlib
from array import array
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from types import TracebackType
from typing import Any, NamedTuple, Self, overload

from rheobase.emulator.filesystem import files_of_image, littlefs_image
from rheobase.emulator.image import filesystem_region
from rheobase.emulator.process import EmulatorError, EmulatorProcess
from rheobase.emulator.serial import SerialPort, plain
from rheobase.emulator.snapshot import Kept

CLOCK_HZ = 125_000_000
ALL_PINS = (1 << 30) - 1

_Path = str | os.PathLike[str]


class Edges(Sequence[tuple[int, int]]):
    """Pairs (clock, levels): from `clock` on the pins have these levels, bit n is GPn.

    `clocks` and `levels` are the same as two arrays.
    """

    def __init__(self, clocks: array[int], levels: array[int]) -> None:
        self.clocks = clocks
        self.levels = levels

    def __len__(self) -> int:
        return len(self.clocks)

    @overload
    def __getitem__(self, index: int) -> tuple[int, int]: ...
    @overload
    def __getitem__(self, index: slice) -> Edges: ...
    def __getitem__(self, index: int | slice) -> tuple[int, int] | Edges:
        if isinstance(index, slice):
            return Edges(self.clocks[index], self.levels[index])
        return self.clocks[index], self.levels[index]


class PwmChange(NamedTuple):
    """From `clock` on, the PWM output on `pin` is high for `high` of `period` counts.

    A period of 0 means that the pin is no PWM output any more.
    """

    clock: int
    pin: int
    high: int
    period: int


class Snapshot:
    """A moment in the life of an EmulatedPico."""

    _numbers = count(1)

    def __init__(self, process: EmulatorProcess, roots: Sequence[object]) -> None:
        self._process = process
        self._number = next(self._numbers)
        self._outside = Kept(roots, apart=(EmulatorProcess, Snapshot))
        process.ask("snapshot", number=self._number)

    def put_back(self) -> None:
        self._process.ask("restore", number=self._number)
        self._outside.put_back()

    def forget(self) -> None:
        """Frees some 3 MB."""
        self._process.ask("forget", number=self._number)


class EmulatedPico:
    """A powered-up Pico. Clocks are cycles of clk_sys (125 MHz) since power-up.

    `image` (UF2 or raw) and `bootrom` are files; `files` go onto the filesystem by path, or
    `filesystem` is a whole littlefs image. `synchronised` puts the two flip-flops of silicon
    between the pins and the PIO. `recorded` is the mask of the pins whose edges are recorded.
    PWM outputs have their duty logged (`pwm_changes`); with `pwm_edges` also their edges.
    `stock_cpu` runs the CPU in rp2040js's own core, for comparison.

    The CPU starts at the image's second stage: the boot ROM's own start is not lived through.
    Raises EmulatorError if Node.js or rp2040js is missing, or the image can't be used.
    """

    clock_hz = CLOCK_HZ

    def __init__(
        self,
        image: _Path,
        bootrom: _Path,
        files: Mapping[str, bytes | str] | None = None,
        *,
        filesystem: bytes | None = None,
        synchronised: bool = True,
        recorded: int = ALL_PINS,
        pwm_edges: bool = False,
        stock_cpu: bool = False,
        node: str = "node",
    ) -> None:
        self._region = filesystem_region(image)
        if filesystem is None:
            filesystem = littlefs_image(files or {}, self._region.size)
        self._process = EmulatorProcess(node)
        self.serial = SerialPort(self._process)
        self.now = 0
        self.resets = 0
        """How often the chip was reset since power-up (watchdog, machine.reset, `reset`)."""
        try:
            self._process.ask(
                "boot",
                image=os.fspath(image),
                bootrom=os.fspath(bootrom),
                filesystem={"offset": self._region.offset, "zlib": _packed(filesystem)},
                synchronised=synchronised,
                recorded=recorded,
                pwm_edges=pwm_edges,
                stock_cpu=stock_cpu,
            )
        except EmulatorError:
            self._process.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._process.close()

    @property
    def usb(self) -> SerialPort:
        """The serial port under the name that the virtual board has for it."""
        return self.serial

    # Time

    @property
    def now_s(self) -> float:
        return self.now / self.clock_hz

    def clocks(self, seconds: float) -> int:
        return round(seconds * self.clock_hz)

    def run_for(self, seconds: float = 0.0, *, clocks: int = 0) -> int:
        """Let this much time pass; returns the clock then."""
        return self.run_until(self.now + self.clocks(seconds) + clocks)

    def run_until(self, clock: int) -> int:
        """Let time pass up to `clock`: everything before it has then happened."""
        if clock > self.now:
            self._run(until=clock)
        return self.now

    def run_while(
        self, condition: Callable[[], bool], limit_s: float, step_s: float = 1e-3
    ) -> bool:
        """Run in steps while `condition()` holds, at most `limit_s`; True if it came to an end."""
        end = self.now + self.clocks(limit_s)
        while condition():
            if self.now >= end:
                return False
            self.run_until(min(end, self.now + self.clocks(step_s)))
        return True

    def run_until_text(self, text: bytes | str, limit_s: float = 10.0) -> bytes:
        """Let time pass until the device has sent `text`; returns what is unread up to there.

        Raises TimeoutError if it has not after `limit_s`.
        """
        wanted = text.encode() if isinstance(text, str) else text
        unread = self.serial.unread
        if wanted not in unread:
            self._run(until=self.now + self.clocks(limit_s), wanted=wanted)
        at = unread.find(wanted)
        if at < 0:
            raise TimeoutError(f"{wanted!r} did not come; this did: {bytes(unread[-2000:])!r}")
        return self.serial.read(at + len(wanted))

    def run_until_pin(self, pin: int, level: int | None = None, limit_s: float = 10.0) -> int:
        """Let time pass until `pin` changes (to `level` unless None); returns that clock.

        Only recorded pins are looked at. Raises TimeoutError if it has not after `limit_s`.
        """
        pins = {"mask": 1 << pin}
        if level is not None:
            pins["level"] = level
        reason = self._run(until=self.now + self.clocks(limit_s), pins=pins)
        if reason is None:
            raise TimeoutError(f"GP{pin} did not change within {limit_s} s")
        return int(reason["clock"])

    def run_until_taken(self, pins: int, limit_s: float = 10.0) -> int:
        """Let time pass until none of these pins (a mask) belongs to a PIO any more.

        Returns the clock from which this is so. Raises TimeoutError if it is not after `limit_s`.
        """
        reason = self._run(until=self.now + self.clocks(limit_s), taken=pins)
        if reason is None:
            raise TimeoutError(f"pins {pins:#x} were not taken from the PIO within {limit_s} s")
        return int(reason["clock"])

    def run_until_reset(self, limit_s: float = 10.0) -> int:
        """Let time pass until the chip is reset; returns that clock, or raises TimeoutError."""
        if self._run(until=self.now + self.clocks(limit_s), reset=True) is None:
            raise TimeoutError(f"no reset within {limit_s} s")
        return self.now

    def _run(
        self,
        *,
        until: int,
        wanted: bytes = b"",
        pins: dict[str, int] | None = None,
        taken: int | None = None,
        reset: bool | None = None,
    ) -> dict[str, float] | None:
        """Let time pass up to `until`, or to what is waited for: then it tells what it was."""
        return self._live(until, wanted, pins=pins, taken=taken, reset=reset)["reason"]

    def _live(self, until: int, wanted: bytes, **conditions: Any) -> dict[str, Any]:
        serial = None
        if wanted:
            tail = bytes(self.serial.unread[-len(wanted) + 1 :]) if len(wanted) > 1 else b""
            serial = {"wanted": plain(wanted), "tail": plain(tail)}
        reply = self._process.ask("run", until=until, serial=serial, **conditions)
        self.now = int(reply["now"])
        self.resets = reply["resets"]
        self.serial.take(reply["output"])
        return reply

    # Pins

    def drive(self, pin: int, level: int | None, clock: int | None = None) -> None:
        """From now on, or from `clock`, drive `pin` from outside; None lets go of it."""
        message = {"do": "drive", "pin": pin, "level": level}
        if clock is not None:
            message["at"] = clock
        self._process.send(message)

    def adc(self, pin: int, volts: float, clock: int | None = None) -> None:
        """From now on, or from `clock`, this voltage (0..3.3) is at an ADC pin (26..29)."""
        if not 26 <= pin <= 29:
            raise ValueError(f"GP{pin} is no ADC pin")
        self._process.ask("adc", pin=pin, volts=volts, at=clock)

    def level(self, pin: int) -> int:
        """Level of a pin now (a PWM output counts as low unless its edges are followed)."""
        return int(self._process.ask("levels")["levels"]) >> pin & 1

    @property
    def edges(self) -> Edges:
        """All recorded edges so far."""
        return self._edges(clear=False)

    def take_edges(self) -> Edges:
        """The edges recorded since the last call."""
        return self._edges(clear=True)

    def _edges(self, clear: bool) -> Edges:
        reply = self._process.ask("edges", clear=clear)
        clocks = array("d", base64.b64decode(reply["clocks"]))
        return Edges(array("q", map(int, clocks)), array("I", base64.b64decode(reply["levels"])))

    @property
    def pwm_changes(self) -> list[PwmChange]:
        """Every change of a PWM output's duty, at the clock it takes effect."""
        return self._pwm_changes(clear=False)

    def take_pwm_changes(self) -> list[PwmChange]:
        """Those since the last call."""
        return self._pwm_changes(clear=True)

    def _pwm_changes(self, clear: bool) -> list[PwmChange]:
        changes = self._process.ask("pwm", clear=clear)["changes"]
        return [PwmChange(*map(int, change)) for change in changes]

    def record(self, mask: int) -> None:
        """Record the edges of these pins only."""
        self._process.ask("settings", recorded=mask)

    def synchronise(self, on: bool) -> None:
        """Put the two flip-flops between the pins and the PIO, or take them out."""
        self._process.ask("settings", synchronised=on)

    # The chip

    def hold_cpu(self, hold: bool = True) -> None:
        """Halt the processor while PIO, DMA, PWM, timers and the watchdog go on; or let it go."""
        self._process.ask("halt", on=hold)

    def power_cycle(self) -> None:
        """Power off and on again: the flash and what drives the pins from outside stay."""
        self._process.ask("reset")

    def cut_power_at(self, operation: int) -> None:
        """Lose power in the middle of the n-th erase or program of flash from now; 0: never.

        It comes back at once: that counts as a reset.
        """
        self._process.ask("cut", after=operation)

    def snapshot(self, *others: object) -> Snapshot:
        """Everything as it is now: the chip and what lies in it, the serial port, what is wired.

        `others` are put back with it (a client at the port). Raises TypeError for an object that
        can't be: a running generator, a file.
        """
        return Snapshot(self._process, (self, *others))

    def restore(self, snapshot: Snapshot) -> None:
        """Back to that moment, as often as wanted: what comes then, comes as it did before.

        All is put back into the same objects, so that references to them stay good.
        """
        snapshot.put_back()

    def registers(self) -> dict[str, object]:
        """The CPU's registers r0..r15, flags, its clock, and whether it sleeps."""
        return self._process.ask("registers")

    @property
    def program_counter(self) -> int:
        return int(self._process.ask("registers")["registers"][15])

    @property
    def asleep(self) -> int:
        """Clocks that the CPU has slept through since the chip's start, to its last waking."""
        return int(self._process.ask("registers")["asleep"])

    def read32(self, address: int) -> int:
        """Read a word as the CPU would now (a peripheral may notice)."""
        return int(self._process.ask("peek", address=address, size=4)["value"])

    def write32(self, address: int, value: int) -> None:
        self._process.ask("poke", address=address, value=value)

    def peek(self, address: int, length: int) -> bytes:
        """Bytes of memory."""
        return _unpacked(self._process.ask("peek", address=address, length=length)["zlib"])

    def poke(self, address: int, data: bytes) -> None:
        self._process.ask("poke", address=address, bytes=_packed(data))

    def filesystem(self) -> bytes:
        """The littlefs image as it is in flash now."""
        reply = self._process.ask("flash", offset=self._region.offset, length=self._region.size)
        return _unpacked(reply["zlib"])

    def files(self) -> dict[str, bytes]:
        """The files on the device now, by path."""
        return files_of_image(self.filesystem())

    # MicroPython

    def run_python(self, source: str, limit_s: float = 10.0) -> str:
        """Run `source` through the raw REPL (as mpremote does) and return what it printed.

        Raises EmulatorError with the traceback if it raised, TimeoutError if it takes
        longer than `limit_s`.
        """
        self.serial.read()
        self.serial.write(b"\r\x03\x03\r\x01")
        self.run_until_text("raw REPL; CTRL-B to exit\r\n>", limit_s)
        self.serial.write(source.encode() + b"\x04")
        self.run_until_text("OK", limit_s)
        printed = self.run_until_text("\x04", limit_s)[:-1]
        raised = self.run_until_text("\x04", limit_s)[:-1]
        self.run_until_text(">", limit_s)
        self.serial.write(b"\x02")
        self.run_until_text(">>> ", limit_s)
        if raised:
            raise EmulatorError(raised.decode())
        return printed.decode().replace("\r\n", "\n")


def _packed(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data, 1)).decode()


def _unpacked(text: str) -> bytes:
    return zlib.decompress(base64.b64decode(text))
