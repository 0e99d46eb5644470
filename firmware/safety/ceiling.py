"""How high a channel's intensity may go at its rate and width: the limits solved for current.

Computed before arming, so that a current is refused when it is set and not when it is due; the
inspector holds the same limits against what is really on the tape. Exact integers; allocation is
fine here.
"""

from firmware.core.limits import limit

# The inspector's sliding second is kept in parts and may count up to 1/8 s more.
WINDOW_MS = 1125
LOAD_OHM = 500  # IEC 60601-2-10, test load
PER_S = 1_000_000_000  # ns


def ceiling(channel, session, others=(), level_na=0, counted_na=0):
    """(current_ua, the name of the limit that sets it) of a channel's settings.

    others: more limits as (current_ua, name), such as the clinician's. level_na: what a level of
    this channel gives, and counted_na: what the inspector takes it for, if they differ.
    """
    rates = [channel.rate_mhz, channel.rest_rate_mhz]
    if session.warm_ms:
        rates.append(session.warm_rate_mhz)
    if session.cool_ms:
        rates.append(session.cool_rate_mhz)
    width_ns = channel.width_ns
    if channel.modulation:
        rates.append(channel.rate_to_mhz)
        width_ns = max(width_ns, channel.width_to_ns)
    groups = max(rates) * WINDOW_MS // 1_000_000 + 1
    if channel.jitter_ns:
        groups += 1  # one that is late and one that is not
    if channel.opening_ns:  # one more pulse in each contraction
        cycle_ms = channel.ramp_up_ms + channel.on_ms + channel.ramp_down_ms + channel.off_ms
        groups += 1 + (WINDOW_MS // cycle_ms if channel.on_ms else 0)
    pulse_ns = 2 * width_ns
    on_ns = groups * channel.count * pulse_ns  # legs high in the window, at most
    density_ua = limit("density_ua_per_cm2") * channel.pad_mm2 // 100
    # P = I^2 R; mW/cm2 times mm2/100 is mW, and 1 mW is 1e9 uA2 ohm
    power_ua2 = limit("power_mw_per_cm2") * channel.pad_mm2 * 10**7 // LOAD_OHM
    solved = (
        (_root(limit("rms_ua") ** 2 * PER_S // on_ns), "r.m.s."),
        (_root(density_ua**2 * PER_S // on_ns), "density on the pad"),
        (_root(power_ua2 * PER_S // on_ns), "power on the pad"),
        (limit("mean_ua") * PER_S // on_ns, "mean current"),
        (_root(limit("energy_uj") * 10**15 // (LOAD_OHM * pulse_ns)), "energy per pulse"),
        (limit("charge_nc") * 10**6 // width_ns, "charge per phase"),
    )
    if level_na < counted_na:
        solved = tuple([(ua * level_na // counted_na, why) for ua, why in solved])  # type: ignore
    peaks = ((channel.limit_ua, "CURRent:LIMit"), (limit("peak_ua"), "peak"))
    return min(peaks + solved + tuple(others))


def ceiling_of(stimulator, channel):
    """The same as things are set and configured on a board."""
    level_na = stimulator.level_na(channel)
    counted_ua = -(-max(stimulator.level_na(0), stimulator.level_na(1)) // 1000)
    highest_ua = stimulator.board.LEVEL_MOST * level_na // 1000
    return ceiling(
        stimulator.channels[channel],
        stimulator.session,
        stimulator.storage.ceilings(channel) + ((highest_ua, "the board's highest level"),),
        level_na,
        counted_ua * 1000,
    )


def _root(number):
    """The whole part of a square root."""
    if number < 2:
        return number
    guess = 1 << 40
    while True:
        better = (guess + number // guess) >> 1
        if better >= guess:
            return guess
        guess = better
