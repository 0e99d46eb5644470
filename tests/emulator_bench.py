"""What the tests of the emulated Pico share."""

from __future__ import annotations

import base64
import shutil
import struct
from array import array
from pathlib import Path

import pytest

from rheobase.emulator import NO_FILES_NAMED, EmulatedPico, named_files
from rheobase.emulator.process import EmulatorProcess

REPOSITORY = Path(__file__).resolve().parents[1]

_NO_NODE = "Node.js or the npm package rp2040js is not there: nothing is tried in the emulator"
_HAVE_NODE = bool(shutil.which("node")) and (REPOSITORY / "node_modules" / "rp2040js").is_dir()

needs_emulator = pytest.mark.skipif(not _HAVE_NODE, reason=_NO_NODE)
needs_image = pytest.mark.skipif(
    not _HAVE_NODE or named_files() is None, reason=NO_FILES_NAMED if _HAVE_NODE else _NO_NODE
)
"""Skips, saying so, unless the environment names an image and a boot ROM."""


def boot(files: dict[str, bytes | str] | None = None, **options: object) -> EmulatedPico:
    """A Pico with the named image, at its REPL or wherever main.py takes it."""
    named = named_files()
    assert named is not None
    return EmulatedPico(*named, files, **options)  # type: ignore[arg-type]


PIO0, PIO1 = 0x5020_0000, 0x5030_0000
DMA = 0x5000_0000
PWM = 0x4005_0000
IO_BANK0 = 0x4001_4000
RAM = 0x2000_0000

_ROM_FUNCTIONS = ("IF", "EX", "RE", "RP", "FC", "CX")
_ROM_TABLE = 0x20


class BareChip:
    """The emulated chip with its CPU halted: tests write its registers themselves.

    It needs no image and no boot ROM: both are made up here.
    """

    def __init__(self, folder: Path, **options: object) -> None:
        rom = bytearray(16384)
        struct.pack_into("<H", rom, 0x14, _ROM_TABLE)
        for index, name in enumerate(_ROM_FUNCTIONS):
            entry = _ROM_TABLE + 4 * index
            struct.pack_into("<2sH", rom, entry, name.encode(), 0x101 + 0x10 * index)
        (folder / "bootrom.bin").write_bytes(rom)
        (folder / "image.bin").write_bytes(bytes(1024))
        self.process = EmulatorProcess()
        self._boot = {
            "image": str(folder / "image.bin"),
            "bootrom": str(folder / "bootrom.bin"),
            "halted": True,
            **options,
        }
        self.restart()

    def restart(self, **options: object) -> None:
        """A new chip at clock 0."""
        self.process.ask("boot", **{**self._boot, **options})
        self.now = 0

    def close(self) -> None:
        self.process.close()

    def run(self, clocks: int) -> None:
        self.run_until(self.now + clocks)

    def run_until(self, clock: int) -> None:
        self.now = int(self.process.ask("run", until=clock)["now"])

    def write(self, address: int, *words: int) -> None:
        """Write words to consecutive registers, or anywhere, at this clock."""
        for index, word in enumerate(words):
            self.process.ask("poke", address=address + 4 * index, value=word)

    def read(self, address: int) -> int:
        return int(self.process.ask("peek", address=address, size=4)["value"])

    def drive(self, pin: int, level: int | None, at: int | None = None) -> None:
        message = {"do": "drive", "pin": pin, "level": level}
        if at is not None:
            message["at"] = at
        self.process.send(message)

    def edges(self) -> list[tuple[int, int]]:
        reply = self.process.ask("edges", clear=False)
        clocks = array("d", base64.b64decode(reply["clocks"]))
        levels = array("I", base64.b64decode(reply["levels"]))
        return list(zip(map(int, clocks), levels, strict=True))

    def select(self, function: int, *pins: int) -> None:
        """Give pins to a peripheral (FUNCSEL)."""
        for pin in pins:
            self.write(IO_BANK0 + 8 * pin + 4, function)

    def load(self, words: list[int], block: int = PIO0, offset: int = 0) -> None:
        self.write(block + 0x48 + 4 * offset, *words)

    def machine(
        self,
        index: int,
        *,
        clkdiv: int = 1 << 16,
        execctrl: int = 0x1F << 12,
        shiftctrl: int = 0b11 << 18,
        pinctrl: int = 0,
        block: int = PIO0,
    ) -> None:
        """Configure a state machine."""
        at = block + 0xC8 + 0x18 * index
        self.write(at, clkdiv, execctrl, shiftctrl)
        self.write(at + 0x14, pinctrl)
