"""From reset to the self-test, a piece a turn of the loop; imported for it and dropped."""

import gc

from firmware.core.unload import borrow, stay
from firmware.safety import faults
from firmware.safety.faults import Failed

# What stays, behind the first answers; a turn loads one, with all that it imports.
ENGINE = (
    "firmware.safety.engine",
    "firmware.core.fit",
    "firmware.safety.ceiling",
    "firmware.safety.changes",
)


def sequence(stimulator):
    """The whole way of a stimulator in state SELFTEST; raises Failed."""
    yield  # what has come already is answered first
    stimulator.storage.open()
    borrow("firmware.safety.defaults", "use_stored", stimulator)
    if stimulator.storage.latched:
        raise Failed(stimulator.storage.latched, "until the power is cut")
    for name in ENGINE:
        yield
        gc.collect()  # what is loaded then lies in one piece
        stay(name)
    if stimulator.watchdog.bit:  # a person clears it, and then all is there
        raise Failed(faults.WATCHDOG, "")
    from firmware.safety.selftest import sequence as self_test

    yield from self_test(stimulator)
