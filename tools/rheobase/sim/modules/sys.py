"""`sys`: the standard streams on USB, who we are, and how a traceback is printed."""

from __future__ import annotations

import errno
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

from rheobase.sim import costs
from rheobase.sim.chip import Chip
from rheobase.sim.cpu import Cpu
from rheobase.sim.errors import os_error
from rheobase.sim.modules.arguments import module
from rheobase.sim.modules.stream import Stream
from rheobase.tested import MICROPYTHON

VERSION = MICROPYTHON
MACHINE = "Raspberry Pi Pico with RP2040"
BANNER = f"MicroPython v{'.'.join(map(str, VERSION))} on 2026-04-06; {MACHINE}"

_HERE = Path(__file__).parents[1]
_POLL_IN, _POLL_OUT = 1, 4


class Implementation(tuple[Any, ...]):
    """sys.implementation: a tuple whose items also have names."""

    _NAMES = ("name", "version", "_machine", "_mpy", "_build", "_thread")

    def __getattr__(self, name: str) -> Any:
        if name not in self._NAMES:
            raise AttributeError(name)
        return self[self._NAMES.index(name)]


def standard_streams(chip: Chip, cpu: Cpu) -> tuple[Any, Any, Any]:
    """stdin, stdout and stderr."""
    usb = chip.usb
    read_cost = cpu.clocks(costs.READ)

    class FileIO(Stream):
        """The bytes, uncooked: `.buffer` of all three, which is one object."""

        def _read_bytes(self, size: int) -> bytes:
            cpu.spend(read_cost)
            return bytes((usb.get(cpu),)) if size else b""

        def _write_bytes(self, data: bytes) -> int:
            return usb.transmit(cpu, data)

        def _poll_flags(self, events: int) -> int:
            found = _POLL_IN if events & _POLL_IN and usb.ring else 0
            if events & _POLL_OUT and usb.writable():
                found |= _POLL_OUT
            return found

        @property
        def buffer(self) -> Any:
            return raw

    class TextIOWrapper(FileIO):
        """Text: a newline goes out as CR LF, and a CR comes in as a newline."""

        _is_text = True

        def __init__(self, number: int) -> None:
            self._number = number

        def _read_bytes(self, size: int) -> bytes:
            if self._number != 0:
                raise os_error(errno.EPERM)
            return super()._read_bytes(size).replace(b"\r", b"\n")

        def _write_bytes(self, data: bytes) -> int:
            if self._number == 0:
                raise os_error(errno.EPERM)
            cooked(chip, cpu, data)
            return len(data)

        def __repr__(self) -> str:
            return f"<io.TextIOWrapper {self._number}>"

    raw = FileIO()
    return TextIOWrapper(0), TextIOWrapper(1), TextIOWrapper(2)


def cooked(chip: Chip, cpu: Cpu, data: bytes) -> None:
    """Print: every newline as CR LF, in pieces, each of which may block for its own 500 ms."""
    for number, line in enumerate(data.split(b"\n")):
        if number:
            chip.usb.transmit(cpu, b"\r\n")
        if line:
            chip.usb.transmit(cpu, line)


def format_exception(exc: BaseException, names: dict[str, str]) -> str:
    """A traceback as MicroPython prints it; `names` maps file names to those on the board."""
    lines = []
    frames = traceback.extract_tb(exc.__traceback__)
    shown = [frame for frame in frames if _HERE not in Path(frame.filename).parents]
    if shown:
        lines.append("Traceback (most recent call last):")
    for frame in shown:
        name = names.get(frame.filename, frame.filename)
        lines.append(f'  File "{name}", line {frame.lineno}, in {frame.name}')
    text = str(exc)
    if isinstance(exc, OSError) and exc.args and isinstance(exc.args[0], int):
        code = errno.errorcode.get(exc.args[0])
        text = f"[Errno {exc.args[0]}] {code}" if code else str(exc.args[0])
    lines.append(f"{_name(type(exc))}: {text}")
    return "\n".join(lines) + "\n"


def _name(kind: type[BaseException]) -> str:
    """CPython's finer OSErrors and the like have one name on the port."""
    for base in (OSError, UnicodeError, ImportError):
        if issubclass(kind, base) and kind.__module__ == "builtins":
            return base.__name__
    return kind.__name__


def build(chip: Chip, cpu: Cpu, names: dict[str, str], modules: dict[str, Any]) -> ModuleType:
    stdin, stdout, stderr = standard_streams(chip, cpu)

    def exit(*value: Any) -> None:
        if len(value) > 1:
            raise TypeError("function expected at most 1 arguments")
        raise SystemExit(*value)

    def print_exception(exc: BaseException, stream: Any = stdout, /) -> None:
        stream.write(format_exception(exc, names))

    implementation = Implementation(
        ("micropython", (*VERSION, ""), MACHINE, 4870, "RPI_PICO", "unsafe")
    )
    return module(
        "sys",
        {
            "argv": [], "byteorder": "little", "exit": exit, "implementation": implementation,
            "maxsize": 0x7FFFFFFF, "modules": modules, "path": ["", ".frozen", "/lib"],
            "platform": "rp2", "print_exception": print_exception, "ps1": ">>> ", "ps2": "... ",
            "stdin": stdin, "stdout": stdout, "stderr": stderr,
            "version": f"3.4.0; {BANNER.split(';')[0]}", "version_info": (3, 4, 0),
        },
    )  # fmt: skip
