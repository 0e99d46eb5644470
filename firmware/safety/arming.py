"""From ARM to ARMED: what must fit, then the tests that need the supply (SR-05, SR-48).

Imported for one ARM and dropped behind it. `begin` refuses or prepares; `sequence` is a
generator: each `next()` is one turn of the main loop and never waits long. It returns when the
output may be armed; it raises Failed for a fault and Refused when the person has to do something.
"""

import time

from firmware.core.limits import intact
from firmware.core.refused import Refused
from firmware.core.unload import collect, give_back
from firmware.safety import faults
from firmware.safety.faults import Failed
from firmware.safety.selftest import memory, until
from firmware.safety.states import NAMES

RISE_MS = 300  # the supply is up within this
FALL_MS = 200  # and on its way down: 100 ms of the monostable and the start of the fall
SUPPLY_CUT = 80  # per cent of the board's voltage; below it the supply counts as cut
GATE = 1 << 4
SETTLE_US = 200


def begin(stimulator, echo):
    """Check everything and make the tape; Refused (-221) names what is missing or does not fit.

    echo: the hash that `approval.hash()` tells.
    """
    if not stimulator.states.can("check"):
        raise Refused(-221, f"arm not possible in state {NAMES[stimulator.state]}")
    if stimulator.storage.trouble:
        raise Refused(-221, stimulator.storage.trouble)
    stimulator.approval.check()
    if stimulator.outputs.trip():
        stimulator.outputs.clear_latch()
        if stimulator.outputs.trip():
            raise Refused(-221, "trip line high: over-current, stop button or an open wire")
    engine = stimulator.engine
    triggered = None
    if stimulator.session.trigger:
        from firmware.safety.trains import prepared

        triggered = prepared(stimulator)
        plan = triggered.plans[0]
    else:
        plan = engine.plan()
    hash = stimulator.approval.hash()
    if echo != hash:
        raise Refused(-221, f"hash {echo} is not that of the settings, {hash}")
    inspector = engine.inspector()
    if stimulator.monitor.zero():
        raise Refused(-221, f"current sense {stimulator.monitor.channel + 1} off its zero")
    stimulator.plan = plan
    stimulator.contractions = [0, 0] if triggered else plan.contractions
    stimulator.tape = None  # its memory is for the new one
    engine.need(triggered.both(triggered.plans) if triggered else plan)
    stimulator.tape = engine.tape(triggered.FEEDER if triggered else engine.FEEDER, inspector)
    stimulator.triggered = triggered
    if triggered:
        triggered.open()
    for channel in (0, 1):
        stimulator.ceiling(channel)  # so that the first way up finds it known


def sequence(stimulator):
    """The whole arming of a stimulator in state CHECKING."""
    if not intact():
        raise Failed(faults.CORRUPT, "the table of limits")
    stimulator.engine.hold()  # with the memory there is when what was lent is back
    yield from memory(stimulator.player.blocks)
    yield from trip_path(stimulator)
    outputs = stimulator.outputs
    stimulator.supervisor.start(time.ticks_ms())
    yield from supply_up(stimulator)
    # Cut-off path one: the latch switches the supply, with the heartbeat going on.
    if stimulator.board.LATCH_CUTS_SUPPLY:
        outputs.trip_test(1)
        outputs.trip_test(0)
        yield from supply_down(stimulator, faults.SUPPLY_BY_LATCH)
        outputs.clear_latch()
        yield from supply_up(stimulator)
    # Path two: no heartbeat, no supply.
    stimulator.supervisor.hold = True
    try:
        yield from supply_down(stimulator, faults.SUPPLY_BY_HEARTBEAT)
    finally:
        stimulator.supervisor.hold = False
    yield from supply_up(stimulator)
    for channel in (0, 1):
        if stimulator.channels[channel].enabled:
            from firmware.safety.electrodes import check

            yield from check(stimulator, channel)
    give_back()
    yield  # each of these turns ends with a beat of the heart
    collect()
    yield


def trip_path(stimulator):
    """A trip is injected while GATE alone is high, the supply off: GATE must fall and stay low."""
    outputs = stimulator.outputs
    player = stimulator.player
    _play_gate(stimulator)
    try:
        time.sleep_us(SETTLE_US)
        levels = player.levels()
        if levels != GATE:
            raise Failed(faults.READ_BACK, f"output pins read {levels}, not GATE alone")
        outputs.trip_test(1)
        time.sleep_us(SETTLE_US)
        levels = player.levels()
        seen = outputs.trip()
        outputs.trip_test(0)
        if not seen:
            raise Failed(faults.TRIP_PATH, "trip line low while the comparator is being tested")
        if levels or not player.tripped:
            raise Failed(faults.TRIP_PATH, f"output pins read {levels} after a trip")
        yield
        if not outputs.trip():
            raise Failed(faults.LATCH, "the latch has let go by itself")
        outputs.clear_latch()
        yield
        if outputs.trip():
            raise Failed(faults.LATCH, "the latch can't be cleared")
    finally:
        outputs.trip_test(0)
        player.kill()


def _play_gate(stimulator):
    """20 ms of a tape with GATE high and no leg, inspected like any other."""
    player = stimulator.player
    turns = 5 * stimulator.timing.grid.turns_per_ms
    player.begin()
    slot = player.free_slot()
    halves = player.blocks[slot]
    hold = turns - 5
    for word in range(5):
        pins = GATE if word < 4 else 0
        halves[2 * word] = ((hold & 0x3FF) << 6) | pins
        halves[2 * word + 1] = hold >> 10
    inspector = stimulator.tape.inspector
    inspector.reset()
    reason = inspector.inspect(halves, 5, 5 * turns)
    inspector.reset()
    if reason:
        raise Failed(faults.INSPECTOR, f"reason {reason} for the test tape")
    player.queue(slot, 5, 5 * turns)
    player.start()


def supply_up(stimulator):
    least_v = stimulator.watch.least_supply_v()
    yield from until(
        lambda: stimulator.outputs.supply_v() >= least_v,
        RISE_MS,
        faults.SUPPLY_RISE,
        lambda: f"supply at {stimulator.outputs.supply_v()} V, below {least_v} V",
    )


def supply_down(stimulator, number):
    most_v = stimulator.board.SUPPLY_V * SUPPLY_CUT // 100
    yield from until(
        lambda: stimulator.outputs.supply_v() < most_v,
        FALL_MS,
        number,
        lambda: f"supply still at {stimulator.outputs.supply_v()} V, above {most_v} V",
    )
