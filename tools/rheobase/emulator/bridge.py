"""The emulated Pico behind a pseudo-terminal, for programs that talk to a serial port."""

from __future__ import annotations

import errno
import os
import select
import threading
import time
import tty
from collections.abc import Callable, Mapping
from functools import partial

from rheobase.emulator.benched import BenchedPico
from rheobase.emulator.pico import EmulatedPico
from rheobase.sim.bench.bench import Bench

_STEP_S = 0.005
_BEHIND_MOST_S = 0.25


def serve(
    image: str | os.PathLike[str],
    bootrom: str | os.PathLike[str],
    files: Mapping[str, bytes | str] | None = None,
    *,
    filesystem: bytes | None = None,
    ready: Callable[[str], object] = print,
    stop: threading.Event | None = None,
    begin: Callable[[EmulatedPico], object] | None = None,
    bench: Bench | None = None,
) -> bytes:
    """Run an emulated Pico against the wall clock until `stop` is set or Ctrl-C is pressed.

    `ready(path)` is told the terminal that stands for its USB serial port; it is open to the
    device (DTR) while some program has it open. `begin(pico)` may wire the pins before the start,
    or `bench` does.
    Returns the filesystem at the end. A host too slow for real time makes time pass slower.
    """
    make = EmulatedPico if bench is None else partial(BenchedPico, bench=bench)
    with make(image, bootrom, files, filesystem=filesystem) as pico:
        pico.record(0)
        if begin is not None:
            begin(pico)
        terminal = _Terminal()
        try:
            ready(terminal.path)
            _live(pico, terminal, stop or threading.Event())
        except KeyboardInterrupt:
            pass
        finally:
            terminal.close()
        return pico.filesystem()


class _Terminal:
    """The master's end of a pseudo-terminal in raw mode."""

    def __init__(self) -> None:
        self._master, slave = os.openpty()
        tty.setraw(slave)
        self.path = os.ttyname(slave)
        os.close(slave)  # so that the master can tell whether anybody has it open
        os.set_blocking(self._master, False)
        self._poll = select.poll()
        self._poll.register(self._master, select.POLLIN)
        self.unsent = b""

    def close(self) -> None:
        os.close(self._master)

    def read(self, wait_s: float) -> tuple[bool, bytes]:
        """Whether somebody has the terminal open, and what he has written."""
        events = self._poll.poll(0)
        flags = events[0][1] if events else 0
        if flags & select.POLLIN:
            return True, self._read()
        is_open = not flags & select.POLLHUP
        if is_open:
            self._poll.poll(wait_s * 1000)
            return True, self._read()
        time.sleep(wait_s)
        return False, b""

    def _read(self) -> bytes:
        try:
            return os.read(self._master, 4096)
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.EIO):
                return b""
            raise

    def write(self, data: bytes) -> None:
        """Hand over as much as the reader leaves room for; the rest stays in `unsent`."""
        self.unsent += data
        while self.unsent:
            try:
                count = os.write(self._master, self.unsent)
            except OSError as error:
                if error.errno in (errno.EAGAIN, errno.EIO):
                    return
                raise
            self.unsent = self.unsent[count:]


def _live(pico: EmulatedPico, terminal: _Terminal, stop: threading.Event) -> None:
    was_open = True
    paused = False
    start_s, start_clock = time.monotonic(), pico.now
    while not stop.is_set():
        ahead_s = (pico.now - start_clock) / pico.clock_hz - (time.monotonic() - start_s)
        is_open, typed = terminal.read(max(0.0, ahead_s))
        if is_open != was_open:
            was_open = is_open
            if is_open:
                pico.serial.open()
            else:
                pico.serial.close()
                terminal.unsent = b""
        if typed:
            pico.serial.write(typed)
        behind_s = (time.monotonic() - start_s) - (pico.now - start_clock) / pico.clock_hz
        if behind_s > _BEHIND_MOST_S:
            start_s, start_clock, behind_s = time.monotonic(), pico.now, _STEP_S
        pico.run_for(max(behind_s, _STEP_S))
        sent = pico.serial.read()
        pico.serial.log.clear()
        pico.take_pwm_changes()  # nothing grows, however long it lives
        if is_open:
            terminal.write(sent)
        if bool(terminal.unsent) != paused:
            paused = not paused
            pico.serial.reading = not paused
