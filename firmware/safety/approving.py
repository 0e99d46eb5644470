"""What a person has to have done before the output may be armed (SR-05), and the hash to echo.

Imported when it is asked for; approval.py holds what was done.
"""

from binascii import crc32

from firmware.core.refused import Refused
from firmware.core.settings import CHANNEL, SESSION
from firmware.safety.approval import CHECKLIST


def acknowledge(approval, number):
    """The person has gone through the checklist of that number."""
    if number != CHECKLIST:
        raise Refused(-224, f"checklist {number} is not the one in force, {CHECKLIST}")
    approval.acknowledged = True


def check(approval, stimulator):
    """Refused (-221) names the first thing that is missing."""
    if stimulator.outputs.stop_pressed():
        raise Refused(-221, "stop button pressed or not connected")
    if not approval.tried():
        raise Refused(-221, "stop button not tried; press and release it once")
    if not approval.acknowledged:
        raise Refused(-221, f"checklist not acknowledged; CHECklist:ACKN \"{CHECKLIST}\"")
    for channel in (0, 1):
        if stimulator.channels[channel].enabled and not approval.pads[channel]:
            raise Refused(-221, f"pad area of channel {channel + 1} not entered; PAD:AREA")


def settings_hash(board, stimulator):
    """CRC-32 of exactly what would run, as eight hex digits.

    Over the text "board;1:name=value;...2:name=value;...s:name=value;..." in the order of the
    tables in core/settings.py, values as they are stored.
    """
    crc = crc32(board.NAME.encode() + b";")
    for mark, fields, values in (
        ("1", CHANNEL, stimulator.channels[0]),
        ("2", CHANNEL, stimulator.channels[1]),
        ("s", SESSION, stimulator.session),
    ):
        for name in fields.names():
            crc = crc32(f"{mark}:{name}={getattr(values, name)};".encode(), crc)
    return f"{crc:08X}"
