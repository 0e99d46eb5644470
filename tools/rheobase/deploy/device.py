"""MicroPython at the end of a serial port: what runs there, its files, by mpremote's transport."""

from __future__ import annotations

import ast
import contextlib
import io
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rheobase.client.line import STOP_BYTE
from rheobase.deploy.errors import DeployError

_CHUNK = 1024  # bytes of a file sent at once: enough to be quick, little of the device's RAM
_SETTLE_S = 0.05  # from the stop byte to Ctrl-C: the firmware ends its output in 5 ms

# One script for each question, so that a slow port is asked once.
# A virtual board says that it is a Pico. It is CPython, whose int has __index__, and takes no
# compiled files.
_WHO = """\
import sys
i = sys.implementation
mpy = 0 if hasattr(int, '__index__') else getattr(i, '_mpy', 0)
print((i.name, tuple(i.version[:3]), getattr(i, '_machine', ''), mpy))
"""
# A chip watchdog that the firmware has armed goes on at the prompt and would tear the copy.
# RP2040 datasheet 4.7.6: WATCHDOG_CTRL bit 30 is ENABLE; +0x3000 is its atomic clear alias.
_CALM = """\
import sys
if 'RP2040' in getattr(sys.implementation, '_machine', ''):
    import machine
    machine.mem32[0x4005B000] = 1 << 30
"""
_HASHES = """\
import os, hashlib, binascii
def _walk(path):
    try:
        kind = os.stat(path)[0]
    except OSError:
        return
    if kind & 0x4000:
        for entry in os.ilistdir(path):
            _walk(path + '/' + entry[0])
        return
    h = hashlib.sha256()
    b = bytearray(512)
    with open(path, 'rb') as f:
        while True:
            n = f.readinto(b)
            if not n:
                break
            h.update(memoryview(b)[:n])
    print(path, binascii.hexlify(h.digest()).decode())
for _path in {roots!r}:
    _walk('/' + _path)
"""
_SPACE = "import os\ns = os.statvfs('/')\nprint(s[0] * s[3])"
_REMOVE = """\
import os
try:
    os.remove({path!r})
except OSError as e:
    if e.errno != 2:
        raise
"""
_TIDY = """\
import os
def _tidy(path):
    left = 0
    for entry in list(os.ilistdir(path)):
        left += 1
        if entry[1] & 0x4000:
            left -= _tidy(path + '/' + entry[0])
    if not left:
        os.rmdir(path)
    return not left
for _path in {folders!r}:
    try:
        _tidy(_path)
    except OSError as e:
        if e.errno != 2:
            raise
"""
_FOLDERS = """\
import os
for _path in {folders!r}:
    try:
        os.mkdir(_path)
    except OSError as e:
        if e.errno != 17:
            raise
"""


class Running(NamedTuple):
    """What answers at a MicroPython prompt."""

    name: str
    version: tuple[int, int, int]
    machine: str
    mpy: int
    """sys.implementation._mpy: version and architecture of compiled files it takes; 0: none."""

    @property
    def version_text(self) -> str:
        return ".".join(map(str, self.version))


class Device:
    """A board held at its raw prompt, its firmware stopped. Use `with Device(port) as device`.

    Entering sends the firmware's stop byte, then Ctrl-C (which ends the output by itself), then
    resets softly without main.py: boot.py has run and the pins are low. Leaving lets go of the
    port; `reset` restarts the board. Raises DeployError if no MicroPython answers.
    """

    def __init__(self, port: str, patience_s: float = 10.0) -> None:
        self.port = port
        self._patience_s = patience_s

    def __enter__(self) -> Device:
        try:
            from mpremote.transport import TransportError
            from mpremote.transport_serial import SerialTransport
        except ImportError:
            raise DeployError("mpremote is missing: pip install mpremote") from None
        self._error: type[Exception] = TransportError
        with self._speaking():
            self._transport = SerialTransport(self.port, exclusive=True, timeout=self._patience_s)
        try:
            with self._speaking(), contextlib.redirect_stdout(io.StringIO()):
                self._transport.serial.write(STOP_BYTE)
                time.sleep(_SETTLE_S)
                self._transport.enter_raw_repl(False, self._patience_s)
                self._run(_CALM)
                self._transport.enter_raw_repl(True, self._patience_s)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            if self._transport.in_raw_repl:
                self._transport.exit_raw_repl()
            self._transport.close()

    def who(self) -> Running:
        return Running(*ast.literal_eval(self._run(_WHO)))

    def hashes(self, roots: Sequence[str]) -> dict[str, str]:
        """The files at and under these paths, with the SHA-256 that the board itself computes."""
        lines = self._run(_HASHES.format(roots=list(roots))).split("\n")
        pairs = (line.rsplit(" ", 1) for line in lines if line)
        return {path.lstrip("/"): digest for path, digest in pairs}

    def free_bytes(self) -> int:
        return int(self._run(_SPACE))

    def make_folders(self, paths: Sequence[str]) -> None:
        """All folders above these files."""
        folders: set[str] = set()
        for path in paths:
            parts = path.split("/")[:-1]
            folders |= {"/" + "/".join(parts[: i + 1]) for i in range(len(parts))}
        if folders:
            self._run(_FOLDERS.format(folders=sorted(folders)))

    def write(self, path: str, content: bytes) -> None:
        """The file has this content from the moment this returns."""
        self._run(f"f = open({'/' + path!r}, 'wb')\nw = f.write")
        for at in range(0, len(content), _CHUNK):
            self._run(f"w({content[at : at + _CHUNK]!r})")
        self._run("f.close()")

    def rename(self, old: str, new: str) -> None:
        """One commit of the filesystem: `new` is the old file or the new one, never half."""
        self._run(f"import os\nos.rename({'/' + old!r}, {'/' + new!r})")

    def remove(self, path: str) -> None:
        self._run(_REMOVE.format(path="/" + path))

    def remove_empty_folders(self, folders: Sequence[str]) -> None:
        self._run(_TIDY.format(folders=["/" + folder for folder in folders]))

    def reset(self) -> None:
        """As after power-up; the port is let go of, since it may vanish for a moment."""
        self._last_words("import machine\nmachine.reset()")

    def enter_bootloader(self) -> None:
        """The chip's own loader: the Pico shows up as a drive."""
        self._last_words("import machine\nmachine.bootloader()")

    # -- inside ----------------------------------------------------------------------------------

    def _last_words(self, code: str) -> None:
        with contextlib.suppress(OSError, self._error), self._speaking():
            self._transport.exec_raw_no_follow(code)
            time.sleep(_SETTLE_S)
        self._transport.in_raw_repl = False
        self.close()

    def _run(self, code: str) -> str:
        with self._speaking():
            return self._transport.exec(code).decode().replace("\r\n", "\n")

    @contextlib.contextmanager
    def _speaking(self) -> Iterator[None]:
        """The port's and the transport's errors as ours."""
        try:
            yield
        except (self._error, OSError) as error:
            words = getattr(error, "error_output", "") or str(error)
            raise DeployError(f"{self.port}: {words.strip()}") from error
