"""The way up: how fast a channel's intensity may rise, and that it starts from zero (SR-03, 07).

Down is immediate and never refused. Up goes in steps of at most 1 mA, two a second, and never far
ahead of what was felt, so that no contraction begins with a surprise.
"""

from firmware.core.limits import limit
from firmware.core.refused import Refused

_STEP_UA = limit("step_ua")
_STEP_MS = limit("step_ms")
_UNFELT_UA = limit("unfelt_ua")
_UNLOCK_MS = limit("unlock_ms")


class Lock:
    """The way up is open only for a while after it was opened or used (SR-09)."""

    def __init__(self, ticks_diff):
        self._ticks_diff = ticks_diff
        self._opened_ms = None

    def open(self, now_ms):
        self._opened_ms = now_ms

    def close(self):
        self._opened_ms = None

    def touch(self, now_ms):
        """The intensity was changed: an open lock stays open."""
        if self.is_open(now_ms):
            self._opened_ms = now_ms

    def is_open(self, now_ms):
        if self._opened_ms is None:
            return False
        if self._ticks_diff(now_ms, self._opened_ms) >= _UNLOCK_MS:
            self._opened_ms = None
            return False
        return True

    def check(self, now_ms):
        """Refused (-221) while it is closed."""
        if not self.is_open(now_ms):
            raise Refused(-221, "intensity is locked; CURRent:LOCK OFF opens it for 4 s")


class Intensity:
    """One channel's plateau current. `ticks_diff` as in MicroPython's time module."""

    def __init__(self, ticks_diff):
        self._ticks_diff = ticks_diff
        self.current_ua = 0
        self._raised_ms = None

    def zero(self):
        self.current_ua = 0
        self._raised_ms = None

    def put(self, current_ua, ceiling_ua, why, felt_ua, now_ms):
        """Set the plateau. `why`: what sets the ceiling. felt_ua: the most delivered so far.

        Refused (-222, -221) names the value and the limit it breaks.
        """
        if current_ua < 0:
            raise Refused(-222, f"current {current_ua} uA below 0")
        if current_ua > ceiling_ua:
            raise Refused(-222, f"current {current_ua} uA above {ceiling_ua} uA ({why})")
        step_ua = current_ua - self.current_ua
        if step_ua > 0:
            if step_ua > _STEP_UA:
                raise Refused(-222, f"step of {step_ua} uA above {_STEP_UA} uA")
            if current_ua > felt_ua + _UNFELT_UA:
                raise Refused(
                    -221,
                    f"current {current_ua} uA is more than {_UNFELT_UA} uA above what was "
                    f"delivered, {felt_ua} uA",
                )
            if self._raised_ms is not None:
                since_ms = self._ticks_diff(now_ms, self._raised_ms)
                if 0 <= since_ms < _STEP_MS:
                    raise Refused(
                        -221, f"raised {since_ms} ms ago, sooner than {_STEP_MS} ms"
                    )
            self._raised_ms = now_ms
        self.current_ua = current_ua
