"""A Raspberry Pi Pico with MicroPython on it, in virtual time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from greenlet import getcurrent, greenlet

from rheobase.build import LIBRARY, MANIFEST, library, manifest
from rheobase.sim.chip import Bench, Chip, NoBench
from rheobase.sim.cpu import BoardKernel, Cpu
from rheobase.sim.errors import ChipReset, FirmwareCrash
from rheobase.sim.flash import Flash
from rheobase.sim.program import Program

CLOCK_HZ = 125_000_000
REPOSITORY = Path(__file__).resolve().parents[3]


def repository_files(root: Path = REPOSITORY) -> dict[str, Path | bytes]:
    """The firmware as it is flashed: boot.py, main.py, bench.py, firmware/ and lib/, by path."""
    top = ("boot.py", "main.py", "bench.py")
    files: dict[str, Path | bytes] = {
        f"/{name}": root / name for name in top if (root / name).exists()
    }
    for directory in ("firmware", "lib"):
        for path in sorted((root / directory).rglob("*.py")):
            files["/" + path.relative_to(root).as_posix()] = path
    files["/" + LIBRARY] = library(root)
    return files


class VirtualBoard:
    """The board, driven from outside: `power_on`, then `run_for` or `run_until`.

    files: what is in flash, by path; the repository's firmware if None. Values may be bytes, or
    paths of files on this computer, which tracebacks then name.
    bench: what is wired to the pins (see `rheobase.sim.bench`), or None.
    raise_crashes: an uncaught exception of main.py or of an interrupt handler is raised in
    `run_for` as FirmwareCrash (running on goes on behind it); else it is only in `crashes`.

    Raises SimulationError from `run_for` when the firmware does what can't be simulated, such as
    DMA from freed memory. The processor then stands still until the next reset.
    """

    def __init__(
        self,
        files: Mapping[str, bytes | str | Path] | None = None,
        *,
        clock_hz: int = CLOCK_HZ,
        bench: Bench | None = None,
        raise_crashes: bool = True,
    ) -> None:
        contents, origins = _read(repository_files() if files is None else files)
        if files is None:
            contents["/" + MANIFEST] = manifest(contents)
        self.clock_hz = clock_hz
        self.kernel = BoardKernel()
        self.flash = Flash(contents, origins)
        self.bench: Bench = bench or NoBench()
        self.chip = Chip(self.kernel, clock_hz, self.flash, self.bench)
        self.usb = self.chip.usb
        self.raise_crashes = raise_crashes
        self.crashes: list[FirmwareCrash] = []
        self.resets = 0
        self.flash.lose_power = self._lose_power
        self.chip.on_reset = self._chip_was_reset
        self._powered = False
        self._held = False
        self._locked = False
        self._stale = False
        self._firmware: greenlet | None = None
        self._cpu: Cpu | None = None
        self._hub: greenlet = getcurrent()
        self._limit = 0
        self._news: FirmwareCrash | None = None

    # --- power, reset, time ---

    @property
    def now(self) -> int:
        """Clocks since the board was made."""
        return self.kernel.now

    @property
    def now_s(self) -> float:
        return self.kernel.now / self.clock_hz

    @property
    def powered(self) -> bool:
        return self._powered

    def power_on(self) -> None:
        """Plug it in: everything starts from its power-on state, flash from what is in it."""
        if not self._powered:
            self.chip.watchdog.power_up()
            self.chip.reset_cause.by_run_pin = False
            self.chip.reset(0)
            self.flash.dead = False
            self._powered = True

    def power_off(self) -> None:
        """Pull the plug."""
        if self._powered:
            self._powered = False
            self.chip.watchdog.power_up()
            self.chip.reset(0)

    def reset(self) -> None:
        """Pull the RUN pin low for a moment; it clears the watchdog's scratch registers too."""
        if self._powered:
            self.chip.watchdog.power_up()
            self.chip.reset_cause.by_run_pin = True
            self.chip.reset(0)

    @property
    def held(self) -> bool:
        """Whether the processor is halted from outside."""
        return self._held

    def hold_cpu(self, hold: bool = True) -> None:
        """Halt the processor, as a debugger would, while the hardware goes on; or let it go."""
        self._held = hold
        if self._cpu is not None:
            self._cpu.hold(hold)

    @property
    def names(self) -> dict[str, Any]:
        """The names of main.py in the running firmware, for injecting faults into it."""
        return self._program.names

    def clocks(self, seconds: float) -> int:
        return round(seconds * self.clock_hz)

    def run_for(self, seconds: float = 0.0, *, clocks: int = 0) -> None:
        """Let this much time pass."""
        self.run_until(self.kernel.now + self.clocks(seconds) + clocks)

    def run_until(self, clock: int) -> None:
        """Let time pass up to `clock`."""
        kernel = self.kernel
        while kernel.now < clock:
            if self._stale:
                self._bury()
            if self._powered and not self._held and not self._locked:
                self._run_firmware(clock)
            else:
                kernel.interrupted = False
                kernel.advance_until(clock)
        if self._stale:
            self._bury()

    def run_while(
        self, condition: Callable[[], bool], limit_s: float, step_s: float = 1e-3
    ) -> bool:
        """Run in steps while `condition()` holds, at most `limit_s`; True if it came to an end."""
        end = self.kernel.now + self.clocks(limit_s)
        while condition():
            if self.kernel.now >= end:
                return False
            self.run_until(min(end, self.kernel.now + self.clocks(step_s)))
        return True

    def start(self) -> None:
        """Power on, and run until the host has the serial port open."""
        self.power_on()
        if not self.run_while(lambda: not self.usb.connected, 5.0):
            raise TimeoutError("the board's serial port does not appear")

    # --- looking ---

    @property
    def crash(self) -> FirmwareCrash | None:
        """The last uncaught exception of the firmware."""
        return self.crashes[-1] if self.crashes else None

    @property
    def edges(self) -> list[tuple[int, int]]:
        """Every change of the GPIO levels, as (clock, levels of all pins)."""
        return self.chip.gpio.log

    @property
    def record_edges(self) -> bool:
        """False: nothing is added to `edges`."""
        return self.chip.gpio.recording

    @record_edges.setter
    def record_edges(self, on: bool) -> None:
        self.chip.gpio.recording = on

    def on_edge(self, listener: Callable[[int, int], None]) -> None:
        """Call `listener(clock, levels)` at every change of the GPIO levels."""
        self.chip.gpio.listeners.append(listener)

    def level(self, pin: int) -> int:
        return self.chip.gpio.levels >> pin & 1

    def drive(self, pin: int, level: int | None) -> None:
        """Drive a pin from outside; None lets go of it."""
        self.chip.drive(pin, level)

    # --- running the firmware ---

    def new_cpu(self) -> Cpu:
        cpu = Cpu(self.kernel, self.clock_hz)
        cpu.hub = self._hub
        cpu.limit = self._limit
        self._cpu = cpu
        return cpu

    def _run_firmware(self, clock: int) -> None:
        """Give control to the firmware until it has used up time to `clock`."""
        firmware = self._firmware
        if firmware is None:
            self._program = Program(self.chip, self)
            firmware = self._firmware = greenlet(self._program.run)
        self._hub = firmware.parent = getcurrent()
        self._limit = clock
        if self._cpu is not None:
            self._cpu.resume(self._hub, clock)
        try:
            firmware.switch()
        except BaseException:
            self._locked = True
            raise
        if self._news is not None:
            news, self._news = self._news, None
            raise news from news.__cause__

    def _bury(self) -> None:
        """Unwind a firmware whose chip was reset under it."""
        self._stale = False
        firmware, self._firmware = self._firmware, None
        self._cpu = None
        if firmware is not None and not firmware.dead and firmware:
            firmware.parent = getcurrent()
            if self._hub is not firmware.parent:
                self._hub = firmware.parent
            firmware.throw(ChipReset)

    def _chip_was_reset(self) -> None:
        self.resets += 1
        self._stale = True
        self._locked = False

    def _lose_power(self) -> None:
        self.power_off()
        raise ChipReset

    def crashed(self, exc: BaseException, where: str) -> None:
        crash = FirmwareCrash(f"{where}: {type(exc).__name__}: {exc}")
        crash.__cause__ = exc
        self.crashes.append(crash)
        if self.raise_crashes:
            self._news = crash
            assert self._cpu is not None
            self._cpu.hand_back()


def _read(
    files: Mapping[str, bytes | str | Path],
) -> tuple[dict[str, bytes], dict[str, Path]]:
    """(contents, origins) of what is to be flashed."""
    contents: dict[str, bytes] = {}
    origins: dict[str, Path] = {}
    for path, source in files.items():
        if isinstance(source, Path):
            contents[path] = source.read_bytes()
            origins[path] = source
        else:
            contents[path] = source.encode() if isinstance(source, str) else source
    return contents, origins
