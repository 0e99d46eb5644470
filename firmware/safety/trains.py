"""What a triggered session needs, worked out when it is armed; imported for that and dropped."""

from firmware.core.plan import make_plan
from firmware.core.refused import Refused
from firmware.core.settings import (
    ANALOG,
    BUTTON,
    CHANNEL,
    CRANK,
    EDGE,
    FALLING,
    GATED,
    HEEL,
    HOST,
    PHASES,
    RISING,
    SESSION,
    SIMULTANEOUS,
    Settings,
)
from firmware.core.trigger import Contact, Trigger
from firmware.safety.triggered import Triggered


def prepared(stimulator):
    """The session of the settings as they are; Refused (-221) for what none can have."""
    session = stimulator.session
    source = session.trigger
    used = [i for i in (0, 1) if stimulator.channels[i].enabled]
    if not used:
        raise Refused(-221, "no channel is switched on")
    if source == PHASES and len(used) < 2:
        raise Refused(-221, "a swing and stance session needs both channels")
    if session.warm_ms or session.cool_ms:
        raise Refused(-221, "a triggered session has no warm-up and no cool-down")
    if source == ANALOG and stimulator.board.TRIGGER_ANALOG is None:
        raise Refused(-221, "the board has no analogue trigger input")
    apart = source in (PHASES, CRANK)
    # For each section the channels that it stimulates: never both where they are apart.
    sections = tuple([(i,) for i in used]) if apart else (tuple(used),)
    plans = _plans(stimulator, sections)
    walk = source in (HEEL, PHASES)
    mode = session.trigger_mode
    gated = mode == GATED or (mode != EDGE and source not in (HOST, ANALOG))
    slope = session.slope
    signal = None
    if source == CRANK:
        signal = _crank(stimulator, sections)
    elif source == ANALOG:
        from firmware.core.threshold import Threshold

        signal = Threshold(session.level_mv, session.hysteresis_mv, slope == FALLING)
    rests = _rests(stimulator.channels, sections)
    decisions = Trigger(
        len(sections), rests, session.extend_ms, session.wait_ms + max(rests), gated, walk,
        source != ANALOG,
    )
    made = Triggered(stimulator, sections, decisions)
    made.plans = plans
    made.walk = walk
    made.by_pin = walk or source == BUTTON
    made.contact = Contact(-(-session.debounce_us // 1000))
    made.high = slope == RISING if slope else walk
    made.signal = signal
    return made


def _copy(settings, fields):
    made = Settings(fields)
    for field in fields:
        setattr(made, field[0], getattr(settings, field[0]))
    return made


def _plans(stimulator, sections):
    """One plan for each section: a train as long as it may be."""
    session = stimulator.session
    plans = []
    for section in sections:
        one = _copy(session, SESSION)
        one.trigger = 0
        channels = []
        lengths = []
        for i in (0, 1):
            c = _copy(stimulator.channels[i], CHANNEL)
            c.enabled = 1 if i in section else 0
            if c.enabled:
                ramps_ms = c.ramp_up_ms + c.ramp_down_ms
                length_ms = session.timeout_ms
                if c.on_ms:
                    length_ms = min(length_ms, ramps_ms + c.on_ms)
                if length_ms < ramps_ms:
                    raise Refused(
                        -221,
                        f"channel {i + 1}: ramps of {ramps_ms} ms above the longest triggered "
                        f"contraction, {length_ms} ms",
                    )
                if c.block_ms or c.pause_ms or c.rest_rate_mhz and c.off_ms and c.on_ms:
                    raise Refused(
                        -221, f"channel {i + 1}: no blocks and no active rest with a trigger"
                    )
                lengths.append(length_ms)
            c.on_ms = 0
            channels.append(c)
        if len(section) == 2:
            if session.pattern != SIMULTANEOUS and lengths[0] != lengths[1]:
                raise Refused(
                    -221, f"triggered together, but {lengths[0]} and {lengths[1]} ms long"
                )
            one.pattern = SIMULTANEOUS
        one.duration_ms = max(lengths)
        plans.append(make_plan(channels, one, stimulator.timing))
    return plans


def _rests(channels, sections):
    """The least rest before each section's train.

    Never shorter than a period, so that no second holds more pulses than a steady train; and
    between channels that are kept apart as long as the longer of their delays.
    """
    apart_ms = 0
    if len(sections) > 1:
        apart_ms = max([channels[s[0]].delay_us for s in sections]) // 1000
    rests = []
    for section in sections:
        rest_ms = 0
        for i in section:
            c = channels[i]
            rest_ms = max(rest_ms, 1_000_000 // c.rate_mhz + 1)
            if c.on_ms:
                rest_ms = max(rest_ms, c.off_ms)
            if apart_ms:
                rest_ms = max(rest_ms, apart_ms - c.delay_us // 1000)
        rests.append(rest_ms)
    return rests


def _crank(stimulator, sections):
    """The crank with each section's range of angles."""
    from firmware.core.crank import Crank

    session = stimulator.session
    windows = []
    for section in sections:
        c = stimulator.channels[section[0]]
        if c.crank_from == c.crank_to:
            raise Refused(-221, f"channel {section[0] + 1} has no range of crank angles")
        windows.append((c.crank_from, c.crank_to))
    if len(windows) == 2:
        for one, two in (windows, (windows[1], windows[0])):
            if (two[0] - one[0]) % 360 < (one[1] - one[0]) % 360:
                raise Refused(-221, f"crank angles overlap at {two[0]} degrees")
    if session.least_rpm >= session.most_rpm:
        raise Refused(
            -221, f"least cadence {session.least_rpm} not below {session.most_rpm} a minute"
        )
    return Crank(windows, session.least_rpm, session.most_rpm)
