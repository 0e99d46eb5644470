"""What each pulse delivered, by the sense samples, held against what the tape said.

Units: current in quarters of an ADC step (the sum of a phase's four samples), charge in those
times turns. Plus is current from the plus to the minus leg. Nothing here allocates, and no number
reaches 2**30 while the samples are 12 bits and a phase at most 62500 turns.
"""

from firmware.core.plain import const, ptr16, ptr32

# Verdicts on a pulse.
OVER = const(1)  # a phase above the peak
OPEN = const(2)  # less than half of the command, twice running
OFF = const(3)  # off the command, three times running
IMBALANCE = const(4)  # net charge of a pulse
DIRECT = const(5)  # net charge of a second
DRIFT = const(6)  # net charge of a second against its charge
SQUARES = const(7)  # r.m.s., density or power of a second
MEAN = const(8)  # mean current of a second
ENERGY = const(9)  # of a pulse
CHARGE = const(10)  # of a phase

# The box: limits first, then what was measured. Names in _C: a pair, channel 1 first.
BUCKET = const(0)  # in use, 0..BUCKETS-1
DRIVER = const(1)  # turns of each phase in which the bridge does not conduct yet
ZERO_C = const(2)
TOLERANCE = const(4)  # of the current, beside 20 %
OPEN_LEVEL = const(5)  # below it half of the command can't be told from nothing
PEAK = const(6)
NET_LEAST = const(7)  # net charge of a pulse that is always allowed
NET_RESOLVED = const(8)  # current that one pulse's net charge is uncertain by
DRIFT_RESOLVED = const(9)  # the same for a second's
DIRECT_MOST = const(10)  # net charge in a second >> NET_SHIFT
MEAN_MOST = const(11)  # charge in a second >> SUM_SHIFT
SQUARE_MOST_C = const(12)
ENERGY_MOST = const(14)
CHARGE_MOST = const(15)
MICRO = const(16)  # of 1 uC
DONE = const(17)  # pulses compared
WHERE = const(18)  # channel of the last verdict
FACTOR_C = const(19)  # commanded current of a level, times 2**FACTOR_SHIFT
GAIN_C = const(21)  # true current over the one read, times 2**GAIN_SHIFT
RING = const(23)  # pulses that the ring of samples holds
MASK = const(24)  # places in the ring of pulses, less one
OWN = const(25)  # the channels' own parts begin here

# Of each channel, from OWN + channel * STRIDE:
FIRST = const(0)  # last pulse: first phase's current, magnitude
SECOND = const(1)
WIDTH = const(2)  # turns that it conducted
LEVEL = const(3)
OFFS = const(4)  # pulses running that were off the command
OPENS = const(5)
NETS = const(6)
COUNT = const(7)  # pulses measured
MONITOR = const(8)  # the monitor input in the last pulse's first phase
MINUS = const(9)  # the minus leg was first
NET_LOW = const(10)  # net charge of the session: this << NET_SHIFT, and whole uC
NET_UC = const(11)
SUM_LOW = const(12)  # charge of the session, both phases: this >> SUM_SHIFT, and whole uC
SUM_UC = const(13)
PENDING = const(14)  # not settled yet: net, turns, pulses
BAND = const(17)  # what the session's net charge is uncertain by, >> NET_SHIFT + BAND_SHIFT
TOLD = const(18)  # pulses when last() told one
WINDOW = const(19)  # sums of the window: net, charge, squares, turns, pulses
PARTS = const(5)
HISTORY = const(24)  # its buckets
BUCKETS = const(17)
STRIDE = const(109)  # HISTORY + PARTS * BUCKETS
SIZE = const(243)

FACTOR_SHIFT = const(12)
GAIN_SHIFT = const(14)
NET_SHIFT = const(4)
SUM_SHIFT = const(6)
BAND_SHIFT = const(10)
CHARGE_SHIFT = const(13)  # charge x current is squared current x time, in two steps
SQUARE_SHIFT = const(7)
TURN_SHIFT = const(4)
DRIFT_LEAST = const(16)  # pulses in the window, so that their noise averages out


# viper
def compare(state, pulses, samples, groups: int) -> int:
    """Compare what is whole of the pulses with their samples; 0 or the first verdict.

    state: the box. pulses: the ring of expectation.py. samples: five a group.
    groups: phases sampled.
    """
    box = ptr32(state)
    ring = ptr32(pulses)
    taken = ptr16(samples)
    verdict = 0
    done = box[DONE]
    while (done + 1) << 1 <= groups and verdict == 0:
        pulse = ring[done & box[MASK]]
        at = (done % box[RING]) * 10
        done += 1
        box[DONE] = done
        channel = pulse >> 28
        me = OWN + channel * STRIDE
        zero = box[ZERO_C + channel]
        one = taken[at] + taken[at + 1] + taken[at + 2] + taken[at + 3] - zero
        two = taken[at + 5] + taken[at + 6] + taken[at + 7] + taken[at + 8] - zero
        minus = pulse >> 27 & 1
        if minus:
            one = 0 - one
        else:
            two = 0 - two
        one = one * box[GAIN_C + channel] >> GAIN_SHIFT
        two = two * box[GAIN_C + channel] >> GAIN_SHIFT
        level = pulse & 0x7FF
        width = (pulse >> 11 & 0xFFFF) - box[DRIVER]
        box[WHERE] = channel
        box[me + FIRST] = one
        box[me + SECOND] = two
        box[me + WIDTH] = width
        box[me + LEVEL] = level
        box[me + MINUS] = minus
        box[me + MONITOR] = taken[at + 4]
        box[me + COUNT] += 1

        # The current of both phases against the command.
        wanted = level * box[FACTOR_C + channel] >> FACTOR_SHIFT
        least = one if one < two else two
        most = two if one < two else one
        if most > box[PEAK]:
            verdict = OVER
        if level >= box[OPEN_LEVEL] and least + least < wanted:
            box[me + OPENS] += 1
            if box[me + OPENS] >= 2:
                verdict = OPEN
        else:
            box[me + OPENS] = 0
        tolerance = wanted // 5
        if tolerance < box[TOLERANCE]:
            tolerance = box[TOLERANCE]
        if most > wanted + tolerance or least < wanted - tolerance:
            box[me + OFFS] += 1
            if box[me + OFFS] >= 3 and verdict == 0:
                verdict = OFF
        else:
            box[me + OFFS] = 0

        # Charge of both phases; the net one of the pulse, positive when the first was larger.
        first = one * width
        second = two * width
        net = first - second
        size = net if net >= 0 else 0 - net
        total = (first if first >= 0 else 0 - first) + (second if second >= 0 else 0 - second)
        bound = total // 200
        if bound < box[NET_LEAST]:
            bound = box[NET_LEAST]
        bound += box[NET_RESOLVED] * width
        if size > bound:
            box[me + NETS] += 1
            if verdict == 0 and (box[me + NETS] >= 2 or size > bound + bound):
                verdict = IMBALANCE
        else:
            box[me + NETS] = 0
        if verdict == 0 and (first > box[CHARGE_MOST] or second > box[CHARGE_MOST]):
            verdict = CHARGE

        if minus:
            net = 0 - net
        low = box[me + SUM_LOW] + (total >> SUM_SHIFT)
        micro = box[MICRO] >> SUM_SHIFT
        box[me + SUM_UC] += low // micro
        box[me + SUM_LOW] = low % micro

        # The sliding second.
        one = one if one >= 0 else 0 - one
        two = two if two >= 0 else 0 - two
        square = (one * width >> CHARGE_SHIFT) * one >> SQUARE_SHIFT
        square += (two * width >> CHARGE_SHIFT) * two >> SQUARE_SHIFT
        if square > box[ENERGY_MOST] and verdict == 0:
            verdict = ENERGY
        sums = me + WINDOW
        bucket = me + HISTORY + PARTS * box[BUCKET]
        net = net + 8 >> NET_SHIFT
        box[sums] += net
        box[bucket] += net
        box[me + PENDING] += net
        total >>= SUM_SHIFT
        box[sums + 1] += total
        box[bucket + 1] += total
        box[sums + 2] += square
        box[bucket + 2] += square
        width >>= TURN_SHIFT
        box[sums + 3] += width
        box[bucket + 3] += width
        box[me + PENDING + 1] += width
        box[sums + 4] += 1
        box[bucket + 4] += 1
        box[me + PENDING + 2] += 1
        if verdict:
            continue  # a second's verdict comes after the pulse's own
        # What the last second amounts to.
        net = box[sums]
        if net < 0:
            net = 0 - net
        # 1 % of a phase's charge, which is half of the sum: in units of net
        allowed = box[sums + 1] // 50 + box[sums + 3] * box[DRIFT_RESOLVED]
        if net > box[DIRECT_MOST]:
            verdict = DIRECT
        elif net > allowed and box[sums + 4] >= DRIFT_LEAST:
            verdict = DRIFT
        elif box[sums + 2] > box[SQUARE_MOST_C + channel]:
            verdict = SQUARES
        elif box[sums + 1] > box[MEAN_MOST]:
            verdict = MEAN
    return verdict


# viper
def last(state, channel: int, out) -> int:
    """Put a channel's last pulse in `out`; 0 if it was put there before.

    out: five integers: channel, level, width in turns, current delivered by the plus and by the
    minus leg in levels.
    """
    box = ptr32(state)
    pulse = ptr32(out)
    me = OWN + channel * STRIDE
    if box[me + TOLD] == box[me + COUNT]:
        return 0
    box[me + TOLD] = box[me + COUNT]
    first = (box[me + FIRST] << FACTOR_SHIFT) // box[FACTOR_C + channel]
    second = (box[me + SECOND] << FACTOR_SHIFT) // box[FACTOR_C + channel]
    pulse[0] = channel
    pulse[1] = box[me + LEVEL]
    pulse[2] = box[me + WIDTH] + box[DRIVER]
    pulse[3 + box[me + MINUS]] = first if first > 0 else 0
    pulse[4 - box[me + MINUS]] = second if second > 0 else 0
    return 1


# viper
def settle(state, least: int):
    """Count the pending net charge into the session's where it is more than the ADC's error.

    The dead band of a coulomb counter: an error that can't be told from nothing is not summed
    for hours. least: pulses below which a channel waits.
    """
    box = ptr32(state)
    micro = box[MICRO] >> NET_SHIFT
    me = OWN
    while me < SIZE:
        count = box[me + PENDING + 2]
        if count >= least:
            net = box[me + PENDING]
            band = box[NET_RESOLVED]
            if count >= DRIFT_LEAST:
                band = box[DRIFT_RESOLVED]
            band *= box[me + PENDING + 1]
            if net > band or net < 0 - band:
                low = box[me + NET_LOW] + net
                box[me + NET_UC] += low // micro
                box[me + NET_LOW] = low % micro
            box[me + BAND] += band >> BAND_SHIFT
            box[me + PENDING] = 0
            box[me + PENDING + 1] = 0
            box[me + PENDING + 2] = 0
        me += STRIDE


# viper
def roll(state, buckets: int):
    """So many buckets of time have passed: forget what is older than the window."""
    box = ptr32(state)
    if buckets > BUCKETS:
        buckets = BUCKETS
    while buckets > 0:
        buckets -= 1
        at = box[BUCKET] + 1
        if at == BUCKETS:
            at = 0
            settle(state, DRIFT_LEAST)
        box[BUCKET] = at
        me = OWN
        while me < SIZE:
            bucket = me + HISTORY + PARTS * at
            part = 0
            while part < PARTS:
                box[me + WINDOW + part] -= box[bucket + part]
                box[bucket + part] = 0
                part += 1
            me += STRIDE
