"""The firmware on a genuine MicroPython image, in rp2040js with exact clocks."""

from rheobase.build import files_of_firmware
from rheobase.emulator.bridge import serve
from rheobase.emulator.image import NO_FILES_NAMED, named_files
from rheobase.emulator.pico import EmulatedPico
from rheobase.emulator.process import EmulatorError

__all__ = [
    "NO_FILES_NAMED",
    "EmulatedPico",
    "EmulatorError",
    "files_of_firmware",
    "named_files",
    "serve",
]
