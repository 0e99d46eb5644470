"""From reset to the self-test, a piece a turn of the loop; imported for it and dropped."""

import gc

from firmware.core.unload import borrow, stay
from firmware.safety import faults
from firmware.safety.faults import Failed

# Modules that stay, behind the first answers: each after those it imports; a turn loads one.
ENGINE = (
    "core.plain",
    "core.envelope",
    "core.parts",
    "core.line",
    "core.fit",
    "core.scheduler",
    "core.tape",
    "core.inspector",
    "core.feeder",
    "core.expectation",
    "core.measure",
    "safety.monitor",
    "safety.engine",
    "safety.ceiling",
    "safety.changes",
)


def sequence(stimulator):
    """The whole way of a stimulator in state SELFTEST; raises Failed."""
    yield  # what has come already is answered first
    stimulator.storage.open()
    borrow("firmware.safety.changes", "use_stored", stimulator)
    if stimulator.storage.latched:
        raise Failed(stimulator.storage.latched, "until the power is cut")
    if stimulator.watchdog.bit:
        raise Failed(faults.WATCHDOG, "")
    for name in ENGINE:
        yield
        gc.collect()  # what is loaded then lies in one piece
        __import__("firmware." + name)
        stay("firmware." + name)
    from firmware.safety.selftest import sequence as self_test

    yield from self_test(stimulator)
