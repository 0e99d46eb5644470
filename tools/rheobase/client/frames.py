"""Frames of checked mode, the host's end; docs/link.md tells what they are."""

from __future__ import annotations

import binascii
import re

LAST = 9999
_FRAME = re.compile(r"#(\d{1,4}|\?) (OK|ERR|BUSY|NAK)(?: (.*))?", re.DOTALL)
_CHECKSUM = 6  # characters: " *", and four digits


def framed(number: int, text: str) -> str:
    body = f"#{number} {text}" if text else f"#{number}"
    return f"{body} *{_crc(body):04X}"


def read(line: str) -> tuple[str, str, str] | None:
    """(number, kind, rest) of a reply; None for what is no sound one, such as an echo."""
    body, mark = line[:-_CHECKSUM], line[-_CHECKSUM:]
    found = _FRAME.fullmatch(body)
    if found is None or mark != f" *{_crc(body):04X}":
        return None
    return found[1], found[2], found[3] or ""


def _crc(body: str) -> int:
    return binascii.crc_hqx(body.encode("ascii", "replace"), 0xFFFF)
