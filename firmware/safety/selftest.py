"""The self-test after every reset, one piece a turn of the main loop (SR-02, SR-47).

Imported for the test and dropped behind it. Nothing is driven and the supply is off.
"""

import time
from binascii import crc32

from firmware.core.refused import Refused
from firmware.safety import faults
from firmware.safety.faults import Failed
from firmware.safety.states import FAULT, NAMES

SUPPLY_SAFE_V = 20  # more than this while switched off: the supply does not fall
REFERENCE_MV = (500, 900)  # the chip's temperature diode at any room temperature (RP2040 4.9.5)
PATTERNS = (0x5555, 0xAAAA, 0x0000)
MANIFEST = "/manifest.txt"


def until(condition, limit_ms, number, detail):
    """Wait, a turn at a time, until `condition()`; Failed(number, detail()) after limit_ms."""
    began_ms = time.ticks_ms()
    while not condition():
        if time.ticks_diff(time.ticks_ms(), began_ms) >= limit_ms:
            raise Failed(number, detail())
        yield


def clear_fault(stimulator):
    """Leave FAULT for the test; Refused (-221) names the cause that is still there."""
    if stimulator.state != FAULT:
        raise Refused(-221, f"no fault to clear in state {NAMES[stimulator.state]}")
    if stimulator.storage.latched:
        raise Refused(-221, "a critical fault is cleared only by cutting the power")
    stimulator.outputs.clear_latch()
    if stimulator.outputs.trip():
        raise Refused(-221, "trip line still high")
    stimulator.fault.clear()
    stimulator.storage.cleared()
    stimulator.states.take("clear")


def sequence(stimulator):
    """The whole test; returns when all is well, else raises Failed."""
    board = stimulator.board
    outputs = stimulator.outputs
    player = stimulator.player
    if not getattr(board, "SAFETY_PROFILE", ""):
        raise Failed(faults.NO_PROFILE, f"board {board.NAME} names no safety profile")
    floating = player.floating()
    if floating:
        raise Failed(faults.PULL_DOWN, f"output pins {floating} are not pulled down")
    yield
    if player.levels():
        raise Failed(faults.READ_BACK, f"output pins read {player.levels()}, all should be low")
    yield
    yield from memory(player.blocks)
    low_mv, high_mv = REFERENCE_MV
    reference_mv = outputs.reference_mv()
    if not low_mv <= reference_mv <= high_mv:
        raise Failed(faults.REFERENCE, f"ADC reads {reference_mv} mV, not {low_mv} to {high_mv}")
    if stimulator.monitor.zero():
        raise Failed(faults.SENSE_ZERO, f"channel {stimulator.monitor.channel + 1} at rest")
    yield from until(
        lambda: outputs.supply_v() <= SUPPLY_SAFE_V,
        200,
        faults.SUPPLY,
        lambda: f"{outputs.supply_v()} V while switched off, above {SUPPLY_SAFE_V} V",
    )
    yield from files(stimulator.read_file)


def memory(blocks):
    """Write and read back the tape's buffers, which are in no use yet."""
    for block in blocks:
        for pattern in PATTERNS:
            index = _holds(block, pattern)
            if index >= 0:
                raise Failed(faults.MEMORY, f"{block[index]} read where {pattern} was put")
        yield


# native
def _holds(block, pattern):
    """Fill a block with a pattern; the first index that does not hold it, or -1."""
    size = len(block)
    index = 0
    while index < size:
        block[index] = pattern
        index += 1
    index = 0
    while index < size:
        if block[index] != pattern:
            return index
        index += 1
    return -1


def files(read_file):
    """Compare every file of the firmware with the manifest: lines of CRC-32, size and path."""
    buffer = bytearray(512)
    rest = None
    for part in read_file(MANIFEST, bytearray(256)):  # the whole would need a large piece of heap
        lines = ((rest or b"") + bytes(part)).split(b"\n")
        rest = lines.pop()
        for line in lines:
            _compare(read_file, line, buffer)
            yield
    if rest is None:
        raise Failed(faults.FIRMWARE, f"no {MANIFEST}; copy the firmware with make flash")
    _compare(read_file, rest, buffer)


def _compare(read_file, line, buffer):
    """One file with its line of the manifest."""
    if not line:
        return
    expected, size, path = line.decode().split(" ", 2)
    crc = count = 0
    for part in read_file(path, buffer):
        crc = crc32(part, crc)
        count += len(part)
    if count != int(size) or f"{crc:08x}" != expected:
        raise Failed(faults.FIRMWARE, f"{path} is not what was copied")
