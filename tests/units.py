"""What the tests of single guards share: a counter that wraps, and the words of a refusal."""

import pytest

from firmware.core.refused import Refused

WRAP = 1 << 30


def ticks_diff(new, old):
    """As MicroPython's: the counter wraps."""
    return (new - old + WRAP // 2) % WRAP - WRAP // 2


def refusal(call, *values):
    with pytest.raises(Refused) as refused:
        call(*values)
    return refused.value.code, refused.value.text
