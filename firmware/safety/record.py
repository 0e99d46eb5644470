"""A record of the fault log: as bytes for flash and as text for a reader. Imported when used."""

import struct

from firmware.safety.faults import SEVERITIES, reason_of
from firmware.safety.states import NAMES

# uptime s, ms; wall clock s (0: never set); boots; fault number; severity, channel, state, cause;
# supply V; then of both channels commanded and measured uA, width ns, rate mHz, ohm; CRC-32 of the
# firmware; detail.
_FORMAT = "<IHIHHBBBBh2I2i2I2I2iI56s"
CLEARED = 0  # the fault number of "the log was cleared"


def packed(snapshot, boots, cause, firmware):
    """The payload of a snapshot (safety/storage.py)."""
    number, severity, channel, state, detail, uptime_s, ms, wall_s, values, supply_v = snapshot
    return struct.pack(
        _FORMAT, uptime_s, ms, wall_s, boots & 0xFFFF, number, severity, channel, state, cause,
        supply_v, *(tuple(values) + (firmware, detail.encode()[:56])),
    )  # fmt: skip


def unpacked(payload):
    """The fields of a payload as a tuple in _FORMAT's order, the detail as str."""
    fields = struct.unpack(_FORMAT, payload)
    detail = bytes([byte if 32 <= byte < 127 else 63 for byte in fields[-1].rstrip(b"\0")])
    return fields[:-1] + (detail.decode(),)


def is_critical_since(payload, boot):
    """Whether the record tells of a critical fault of this boot (a number) or a later one."""
    fields = unpacked(payload)
    return fields[3] >= boot and fields[5] == len(SEVERITIES) - 1


def text(number, payload, cause_name):
    """Fields separated by commas, texts in double quotes; docs/commands.md names them."""
    f = unpacked(payload)
    reason = "log cleared" if f[4] == CLEARED else reason_of(f[4]) or "unknown"
    detail = f[21].replace('"', "'")
    parts = [
        str(number), str(f[3]), f"{f[0]}.{f[1]:03d}", str(f[2]), str(f[4]), SEVERITIES[f[5]],
        str(f[6]), f'"{reason}"', f'"{detail}"', NAMES[f[7]], str(f[9]),
    ]  # fmt: skip
    for channel in (0, 1):
        parts += [str(f[place + channel]) for place in (10, 12, 14, 16, 18)]
    parts += [f'"{cause_name(f[8])}"', f"{f[20]:08x}"]
    return ",".join(parts)
