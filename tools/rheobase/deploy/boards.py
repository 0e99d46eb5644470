"""The boards that are known, what each needs, and which of them the firmware runs on."""

from __future__ import annotations

from typing import NamedTuple

from rheobase.deploy.errors import DeployError


class Board(NamedTuple):
    """One row: all that `flash` has to know of a board."""

    name: str
    title: str
    chip: str
    """As it stands in MicroPython's sys.implementation._machine."""
    march: str
    """mpy-cross's name of its architecture."""
    board_id: str
    """MicroPython's name of the board, as its downloads and mpflash use it."""
    uf2_family: int
    """Of a UF2 image for the chip; 0: it does not take UF2."""
    drive: str
    """How its boot ROM's drive begins its Board-ID in INFO_UF2.TXT."""
    missing: str
    """Why the firmware can't run there; empty: it can."""


BOARDS = {
    board.name: board
    for board in (
        Board("pico", "Raspberry Pi Pico", "RP2040", "armv6m", "RPI_PICO",
              0xE48BFF56, "RPI-RP2", ""),
        Board("pico2", "Raspberry Pi Pico 2", "RP2350", "armv7emsp", "RPI_PICO2",
              0xE48BFF59, "RP2350",
              "the tape player writes the RP2040's registers, and the RP2350's are elsewhere"),
        Board("esp32", "ESP32", "ESP32", "xtensawin", "ESP32_GENERIC", 0, "",
              "the tape player needs PIO, and the ESP32 has none"),
    )
}  # fmt: skip


def board_named(name: str) -> Board:
    """Raises DeployError for a name that is not in the table."""
    if name not in BOARDS:
        raise DeployError(f"no board {name!r}; known: {', '.join(BOARDS)}")
    return BOARDS[name]


def must_run_on(board: Board) -> None:
    """Raises DeployError if the firmware can't run on this board."""
    if board.missing:
        able = ", ".join(b.title for b in BOARDS.values() if not b.missing)
        raise DeployError(
            f"the firmware does not run on the {board.title} yet: {board.missing}. "
            f"Nothing was changed on the board. It runs on: {able}. "
            "--image-only installs MicroPython alone; "
            f"python -m rheobase.build {board.march} compiles the files"
        )
