"""The electrode check before arming (SR-05, SR-26, SR-27): a few weak pulses on one channel.

Imported for one check and dropped behind it. Eight balanced pulses of at most 1 mA and 100 us,
inspected like any tape: the channel's own input gives the current, the monitor input the voltage
across its output; a second train looks at the other channel's input, where nothing may flow.
"""

from firmware.core.refused import Refused
from firmware.core.tape import GATE, MINUS, PLUS
from firmware.safety import faults
from firmware.safety.faults import Failed

TEST_UA = 1_000
LEAST_LEVEL = 9  # below it half of the command can't be told from nothing
WIDTH_NS = 100_000
GAP_NS = 100_000
PAUSE_NS = 700_000
PULSES = 8
LEAST_OHM = 100
MOST_OHM = 5_000
LEAK_PERCENT = 10  # of the test current, through the other channel
OUTPUT_LOW = 2  # what the monitor input shows: hal/sense_rp2.py
TURNS = 40  # of the main loop: the train is long over
PER_GROUP = 5


def check(stimulator, channel):
    """A generator, one turn of the main loop each; channel 0 or 1; returns the impedance in ohm.

    Refused (-221) tells what is wrong with the electrodes, Failed what is with the board.
    """
    board = stimulator.board
    name = f"electrodes of channel {channel + 1}"
    ceiling = stimulator.tape.inspector.ceiling[channel]
    level_na = stimulator.level_na(channel)
    level = min(TEST_UA * 1000 // level_na, ceiling)
    if level < LEAST_LEVEL:
        raise Refused(-221, f"current limit of channel {channel + 1} too low for a check")
    test_ua = level * level_na // 1000
    monitor = stimulator.monitor
    yield from _train(stimulator, channel, level, (0, 1))
    current_ua = _current_ua(monitor, channel)
    if 2 * current_ua < test_ua:
        raise Refused(-221, f"{name} open: {current_ua} uA of {test_ua} uA")
    if abs(current_ua - test_ua) * 5 > test_ua:
        raise Failed(faults.OFF_COMMAND, f"{current_ua} uA of {test_ua} uA in the check")
    ohm = _monitor_mv(monitor, board) * board.OUTPUT_LOW_DIVIDER * 1000 // current_ua
    if ohm < LEAST_OHM:
        raise Refused(-221, f"{name} shorted: {ohm} ohm, below {LEAST_OHM} ohm")
    if ohm > MOST_OHM:
        raise Refused(-221, f"{name} dry or off: {ohm} ohm, above {MOST_OHM} ohm")
    yield from _train(stimulator, channel, level, (1, 0))
    leak_ua = abs(_current_ua(monitor, 1 - channel))
    if leak_ua * 100 > test_ua * LEAK_PERCENT:
        raise Refused(-221, f"{leak_ua} uA of {test_ua} uA of channel {channel + 1} in the other")
    monitor.checked(channel, ohm)
    return ohm


def _train(stimulator, channel, level, looks):
    """Play the pulses; `looks` as for Sense.begin()."""
    grid = stimulator.timing.grid
    player = stimulator.player
    monitor = stimulator.monitor
    sense = monitor.sense
    width = grid.turns(WIDTH_NS)
    sense.select(OUTPUT_LOW)
    try:
        sense.begin((width, width), looks)
        player.begin()
        slot = player.free_slot()
        halves = player.blocks[slot]
        words, turns = _write(halves, stimulator.timing, channel, level, width)
        inspector = stimulator.tape.inspector
        inspector.reset()
        reason = inspector.inspect(halves, words, turns)
        inspector.reset()
        if reason:
            raise Failed(faults.INSPECTOR, f"reason {reason} for the test tape")
        player.queue(slot, words, turns)
        player.start()
        for _ in range(TURNS):
            yield
            player.update()
            if player.queued_turns() <= 0 and player.drained():
                break
        if player.tripped:
            raise Failed(faults.TRIP, "in the electrode check")
        if sense.groups() != 2 * PULSES:
            raise Failed(faults.LOST_PULSE, f"{sense.groups()} phases in the electrode check")
    finally:
        player.kill()
        monitor.stop()
        sense.select(0)


def _write(halves, timing, channel, level, width):
    """Words and turns of the train."""
    gap = timing.grid.turns(GAP_NS)
    between = timing.grid.turns(PAUSE_NS)
    segments = [(5, 0), None, (timing.settle + 32, 0), (timing.lead + 32, GATE)]
    for _ in range(PULSES):
        segments += [
            (width, PLUS << 2 * channel | GATE),
            (gap, GATE),
            (width, MINUS << 2 * channel | GATE),
            (between, GATE),
        ]
    segments.append((between, 0))
    at = 0
    turns = 0
    for segment in segments:
        if segment:
            hold = segment[0] - 5
            halves[at] = ((hold & 0x3FF) << 6) | segment[1]
            halves[at + 1] = hold >> 10
            turns += segment[0]
        else:
            halves[at] = 0 if channel else level
            halves[at + 1] = 0x8000 | (level if channel else 0)
            turns += 4
        at += 2
    return at >> 1, turns


def _current_ua(monitor, looked_at):
    """Mean current of the phases, positive in the sense of the first; of the input looked at."""
    samples = monitor.sense.samples
    zero = monitor.zero_of(looked_at)
    total = 0
    for group in range(2 * PULSES):
        at = PER_GROUP * group
        one = samples[at] + samples[at + 1] + samples[at + 2] + samples[at + 3] - zero
        total += -one if group & 1 else one
    return monitor.in_ua(total, looked_at) // (2 * PULSES)


def _monitor_mv(monitor, board):
    """Mean of the monitor input in the first phases."""
    samples = monitor.sense.samples
    total = 0
    for pulse in range(PULSES):
        total += samples[2 * PER_GROUP * pulse + PER_GROUP - 1]
    return total * board.ADC_MV // (4096 * PULSES)
