"""A strength-duration curve's rheobase and chronaxie, by both classical laws. Imported when used.

Weiss: threshold charge is a straight line over width, Q = b (w + c), so I = b (1 + c / w).
Lapicque: I = b / (1 - 2 ** (-w / c)). b is the rheobase, c the chronaxie (the width whose
threshold is twice the rheobase) in both (Geddes 2004).
"""

from math import exp, log, sqrt

from firmware.core.refused import Refused

LEAST_POINTS, MOST_POINTS = 3, 12
_LOWEST_US, _HIGHEST_US = 10.0, 5000.0  # where Lapicque's chronaxie is looked for
_SHRINK = 0.618034  # golden section
_TIMES = 22  # narrows that range to 0.02 %


def parse(text):
    """Points of a text "width_us,threshold_ua,error_ppm;...", error: of the threshold (1 sigma).

    Refused (-224) names the point that is none, or how many there are.
    """
    points = []
    for shown in text.split(";"):
        numbers = shown.split(",")
        good = len(numbers) == 3
        for number in numbers:
            good = good and number.strip().isdigit() and 0 < int(number) < 1_000_000
        if not good:
            raise Refused(-224, f"{shown[:24]} is not width_us,threshold_ua,error_ppm")
        points.append(tuple([int(number) for number in numbers]))
    if not LEAST_POINTS <= len(points) <= MOST_POINTS:
        raise Refused(-224, f"{len(points)} points, not {LEAST_POINTS} to {MOST_POINTS}")
    widths = [point[0] for point in points]
    if min(widths) == max(widths):
        raise Refused(-224, f"all points at {widths[0]} us")
    return points


def weiss(points):
    """(rheobase_ua, chronaxie_us, residual) by weighted linear regression of charge on width.

    Every point counts by its relative error. residual: r.m.s. of measured over fitted threshold,
    as a ratio. Refused (-230) where the line has no positive slope and intercept.
    """
    total = mean_w = mean_q = 0.0
    rows = []
    for width, threshold, error in points:
        charge = threshold * width
        weight = (1e9 / charge / error) ** 2
        rows.append((width, charge, weight))
        total += weight
        mean_w += weight * width
        mean_q += weight * charge
    mean_w /= total
    mean_q /= total
    up = down = 0.0
    for width, charge, weight in rows:
        up += weight * (width - mean_w) * (charge - mean_q)
        down += weight * (width - mean_w) * (width - mean_w)
    rheobase = up / down
    if rheobase <= 0.0 or mean_q <= rheobase * mean_w:
        raise Refused(-230, "charge over width is no rising line above zero")
    chronaxie = mean_q / rheobase - mean_w
    return rheobase, chronaxie, _residual(points, rheobase, lambda w: 1.0 + chronaxie / w)


def lapicque(points):
    """As `weiss`, by least squares of the logarithm of the threshold."""
    low, high = log(_LOWEST_US), log(_HIGHEST_US)
    left, right = high - _SHRINK * (high - low), low + _SHRINK * (high - low)
    at_left, at_right = _misfit(points, left)[0], _misfit(points, right)[0]
    for _ in range(_TIMES):
        if at_left < at_right:
            high, right, at_right = right, left, at_left
            left = high - _SHRINK * (high - low)
            at_left = _misfit(points, left)[0]
        else:
            low, left, at_left = left, right, at_right
            right = low + _SHRINK * (high - low)
            at_right = _misfit(points, right)[0]
    middle = (low + high) / 2
    chronaxie = exp(middle)
    rheobase = exp(_misfit(points, middle)[1])
    return rheobase, chronaxie, _residual(points, rheobase, lambda w: _rise(w, chronaxie))


def _rise(width, chronaxie):
    """Lapicque's threshold by rheobase."""
    return 1.0 / (1.0 - exp(-0.693147 * width / chronaxie))


def _misfit(points, log_chronaxie):
    """(weighted square of the misfit, logarithm of the rheobase that makes it least)."""
    chronaxie = exp(log_chronaxie)
    total = mean = 0.0
    rows = []
    for width, threshold, error in points:
        weight = (1e4 / error) ** 2
        row = log(threshold / _rise(width, chronaxie))
        rows.append((row, weight))
        total += weight
        mean += weight * row
    mean /= total
    misfit = 0.0
    for row, weight in rows:
        misfit += weight * (row - mean) * (row - mean)
    return misfit, mean


def _residual(points, rheobase, rise):
    square = 0.0
    for width, threshold, _ in points:
        off = threshold / (rheobase * rise(width)) - 1.0
        square += off * off
    return sqrt(square / len(points))


def answer(text):
    """What TEST:FIT? answers: rheobase in A, chronaxie in s, residual; Weiss, then Lapicque."""
    points = parse(text)
    parts = []
    for law in (weiss, lapicque):
        rheobase, chronaxie, residual = law(points)
        parts.append(f"{rheobase / 1e6:.6f},{chronaxie / 1e6:.7f},{residual:.5f}")
    return ",".join(parts)
