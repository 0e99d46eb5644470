"""Whether flash may be written: writing stops the loop for tens of milliseconds."""

from firmware.core.refused import Refused

_GUARD: list = [None]


def guard(why_not):
    """`why_not()` is asked before every write: None, or the reason to refuse it (str)."""
    _GUARD[0] = why_not


def need_permission():
    """Refused (-221) while nothing may be written."""
    why_not = _GUARD[0]
    why = why_not() if why_not else None
    if why:
        raise Refused(-221, why)
