"""What tests without a board share: a counter that wraps, a refusal's words, any stimulator."""

import pytest

from firmware.core.refused import Refused

WRAP = 1 << 30


def ticks_diff(new, old):
    """As MicroPython's: the counter wraps."""
    return (new - old + WRAP // 2) % WRAP - WRAP // 2


class Clock:
    """In the place of `time`: `now`, in ms, is when a test says."""

    now = 0

    def ticks_ms(self):
        return self.now

    def ticks_add(self, ticks, ms):
        return (ticks + ms) % WRAP

    ticks_diff = staticmethod(ticks_diff)


def refusal(call, *values):
    with pytest.raises(Refused) as refused:
        call(*values)
    return refused.value.code, refused.value.text


class Anything:
    """A stimulator of which only the names are asked for."""

    def __getattr__(self, name):
        return self

    def __call__(self, *args):
        return self
