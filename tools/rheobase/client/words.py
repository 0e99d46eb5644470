"""Texts and numbers as they stand in an answer."""

from __future__ import annotations

import re

NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
WORD = re.compile(r"[A-Z]+")
TEXT = re.compile(r'"(?:[^"]|"")*"')
TEXTS = re.compile(f"{TEXT.pattern}(?:,{TEXT.pattern})*")


def numbers(count: int) -> re.Pattern[str]:
    """The form of so many numbers with commas between them."""
    return re.compile(",".join([NUMBER.pattern] * count))


def floats(answer: str) -> list[float]:
    """Numbers with commas between them."""
    return [float(part) for part in answer.split(",")]


def quoted(text: str) -> str:
    """A string parameter of IEEE 488.2. Raises ValueError for what no line can carry."""
    if not text.isascii() or not text.isprintable():
        raise ValueError(f"{text!r} has other than printable ASCII")
    if "!" in text:
        raise ValueError(f"{text!r} has !, which is the stop byte")
    return '"' + text.replace('"', '""') + '"'


def unquoted(text: str) -> str:
    """What stands in a string response."""
    return text[1:-1].replace('""', '"')


def texts(answer: str) -> list[str]:
    """What stands in strings with commas between them."""
    return [unquoted(text) for text in TEXT.findall(answer)]
