"""Random sessions over the full ranges of the settings, most of them feasible."""

import os

import hypothesis
from engine_bench import Session, defaults
from hypothesis import strategies as st
from oracle import (
    ALTERNATE,
    ALTERNATING,
    INDEPENDENT,
    OVERLAPPED,
    SIMULTANEOUS,
    WIDTH,
    Board,
    Expectation,
)

from firmware.core.settings import CHANNEL, SESSION

US, MS = 1_000, 1_000_000  # ns
LEAST_WIDTH, MOST_WIDTH = 20 * US, 1000 * US
LEAST_GAP, MOST_GAP = 2 * US, 1000 * US
ODD_RATES = (33_333, 35_000, 66_667, 99_999, 50_000, 7_777, 500, 2_000, 120_000, 333_333, 499_999)
PATTERNS = (SIMULTANEOUS, ALTERNATING, OVERLAPPED, INDEPENDENT)

NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"


def examples(count: int) -> hypothesis.settings:
    """How many examples a property is tried on: so many, and 30 times as many nightly."""
    return hypothesis.settings(
        max_examples=count * 30 if NIGHTLY else count,
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
        report_multiple_bugs=False,
    )


boards = st.builds(
    Board,
    clock_hz=st.sampled_from([125_000_000, 150_000_000]),
    dead_ns=st.just(2_000),
    separation_ns=st.sampled_from([2_000, 200_000]),
)


def between(least: int, most: int) -> st.SearchStrategy[int]:
    """Whole numbers, the bounds more often than chance would have them."""
    return st.one_of(st.just(least), st.just(most), st.integers(least, most))


def durations(least: int, most: int) -> st.SearchStrategy[int]:
    """Milliseconds: round figures and odd ones."""
    return st.one_of(st.integers(least, most), st.integers(least // 100 + 1, most // 100).map(
        lambda tenths: tenths * 100
    ))


@st.composite
def shapes(draw, most_unit_ms: int = 50) -> dict:
    """A channel's pulse and group."""
    kind = draw(st.sampled_from(["single", "single", "n-let", "tens", "carrier", "russian"]))
    polarity = draw(st.integers(0, ALTERNATE))
    if kind == "russian":
        shape = {"width_ns": 198 * US, "gap_ns": 2 * US, "count": 25, "interval_ns": 400 * US}
        return shape | {"polarity": polarity}
    if kind == "carrier":
        interval = draw(st.integers(200 * US, 1000 * US))
        width = draw(between(LEAST_WIDTH, (interval - 5 * US - LEAST_GAP) // 2))
        gap = draw(between(LEAST_GAP, min(MOST_GAP, interval - 5 * US - 2 * width)))
        count = draw(between(2, min(50, most_unit_ms * MS // interval)))
    else:
        width = draw(between(LEAST_WIDTH, MOST_WIDTH))
        gap = draw(between(LEAST_GAP, MOST_GAP))
        interval, count = 5 * MS, 1
        if kind == "n-let":
            interval, count = draw(between(2 * MS, 20 * MS)), draw(st.integers(2, 8))
        if kind == "tens":
            interval, count = 11_111_111, 9
            width, gap = draw(between(50 * US, 250 * US)), draw(between(LEAST_GAP, 100 * US))
    return {
        "width_ns": width,
        "gap_ns": gap,
        "interval_ns": interval,
        "count": count,
        "polarity": polarity,
    }


def widen(shape: dict, free: int, board: Board) -> dict:
    """The n-let with an interval that leaves so many turns free between its pulses."""
    if shape["count"] == 1 or shape["interval_ns"] < 2 * MS:
        return shape
    least = 2 * shape["width_ns"] + shape["gap_ns"] + free * 2 * 10**9 // board.clock_hz + 100
    return shape | {"interval_ns": min(20 * MS, max(shape["interval_ns"], least))}


@st.composite
def rates(draw, highest: int) -> int:
    """A rate up to the highest that is feasible, and that one more often."""
    highest = max(500, min(500_000, highest))
    odd = [rate for rate in ODD_RATES if rate <= highest]
    return draw(st.one_of(st.sampled_from([highest, *odd]), st.integers(500, highest)))


@st.composite
def cycles(draw) -> dict:
    """Ramps, on and off times of one channel."""
    return {
        "ramp_up_ms": draw(durations(0, 1500)),
        "on_ms": draw(st.one_of(st.just(0), durations(10, 1500), durations(10, 1500))),
        "ramp_down_ms": draw(durations(0, 1000)),
        "off_ms": draw(durations(0, 1500)),
        "ramp_by": draw(st.integers(0, WIDTH)),
    }


@st.composite
def paired_cycles(draw, pattern: int) -> tuple[dict, dict]:
    """The cycles of two channels in a pattern."""
    one, two = draw(cycles()), draw(cycles())
    if pattern == SIMULTANEOUS:
        two = one | {"ramp_by": two["ramp_by"]}
    if pattern in (ALTERNATING, OVERLAPPED):
        for cycle in (one, two):
            cycle["on_ms"] = cycle["on_ms"] or draw(durations(10, 1500))
    trains = [c["ramp_up_ms"] + c["on_ms"] + c["ramp_down_ms"] for c in (one, two)]
    if pattern == ALTERNATING:
        cycle = 2 * max(trains) + draw(st.integers(0, 300))
        one["off_ms"], two["off_ms"] = (cycle - train for train in trains)
    if pattern == OVERLAPPED:
        one["off_ms"] = two["off_ms"] = 0
        one["ramp_down_ms"] = min(one["ramp_down_ms"], two["ramp_up_ms"] + two["on_ms"])
        two["ramp_down_ms"] = min(two["ramp_down_ms"], one["ramp_up_ms"] + one["on_ms"])
    return one, two


def needed_ms(pattern: int, one: dict, two: dict, on: tuple) -> list[int]:
    """The main parts that hold one contraction of each channel."""
    trains = [c["ramp_up_ms"] + c["on_ms"] + c["ramp_down_ms"] + 1 for c in (one, two)]
    start = 0
    if all(on) and pattern == ALTERNATING:
        start = (trains[1] + two["off_ms"]) // 2
    if all(on) and pattern == OVERLAPPED:
        start = one["ramp_up_ms"] + one["on_ms"]
    return [trains[0], start + trains[1]]


@st.composite
def bouts(draw, name: str) -> dict:
    """Warm-up or cool-down."""
    length = draw(st.one_of(st.just(0), durations(50, 1200)))
    up = draw(st.integers(0, length))
    return {
        f"{name}_ms": length,
        f"{name}_up_ms": up,
        f"{name}_down_ms": draw(st.integers(0, length - up)),
    }


@st.composite
def sessions(
    draw, most_ms: int = 5000, lockstep: bool = False, varied: bool = True
) -> Session:
    """A session that lasts up to `most_ms` and that the rules allow, but for rare cases.

    lockstep: both channels on, and ticking together. varied: also with courses, opening doublets
    and random times.
    """
    board = draw(boards)
    pattern = SIMULTANEOUS if lockstep else draw(st.sampled_from(PATTERNS))
    on = (1, 1) if lockstep else draw(st.sampled_from([(1, 1), (1, 1), (1, 1), (1, 0), (0, 1)]))
    one, two = draw(paired_cycles(pattern))
    one |= draw(shapes())
    two |= draw(shapes())
    session = {"pattern": pattern} | draw(bouts("warm")) | draw(bouts("cool"))
    least = max(100, *(needed_ms(pattern, one, two, on)))
    session["seed"] = draw(st.integers(1, 65_535))
    if one["on_ms"] and two["on_ms"] and draw(st.sampled_from([False, False, True])):
        block, pause = least + draw(durations(0, 800)), draw(durations(0, 800))
        for channel in (one, two):
            channel["block_ms"], channel["pause_ms"] = block, pause
        least *= 2
    main = draw(durations(least, max(least + 100, most_ms - session["warm_ms"])))
    session["duration_ms"] = main + session["warm_ms"] + session["cool_ms"]
    together = lockstep or (pattern == SIMULTANEOUS and draw(st.booleans()))
    for i, channel in enumerate((one, two)):
        channel["enabled"] = on[i]
        channel["delay_us"] = draw(st.one_of(st.just(0), st.integers(0, 300_000)))
        if channel["on_ms"] == 0:
            channel["ramp_up_ms"] = min(channel["ramp_up_ms"], main // 2)
            channel["ramp_down_ms"] = min(channel["ramp_down_ms"], main // 3)
        if channel["off_ms"] and draw(st.booleans()):
            channel["rest_up_ms"] = draw(st.integers(0, channel["off_ms"]))
            channel["rest_down_ms"] = draw(
                st.integers(0, channel["off_ms"] - channel["rest_up_ms"])
            )
            channel["rest_rate_mhz"] = 500
    if together:
        two["rest_rate_mhz"] = one["rest_rate_mhz"] = one.get("rest_rate_mhz", 0)
        two |= {name: one[name] for name in ("rest_up_ms", "rest_down_ms") if name in one}
        two |= {name: one[name] for name in ("delay_us", "count", "interval_ns")}
        room = two["interval_ns"] - 5 * US if two["interval_ns"] < 2 * MS else 10 * MS
        if two["count"] > 1 and 2 * two["width_ns"] + two["gap_ns"] > room:
            two |= {name: one[name] for name in ("width_ns", "gap_ns")}
    return _with_rates(draw, [one, two], session, board, together, varied)


VARIED = ("modulation", "rate_to_mhz", "mod_ms", "mod_steps", "opening_ns", "jitter_ns")


@st.composite
def variations(draw, channel: dict, expected: Expectation, i: int, fastest: int) -> dict:
    """A course of rate and width, an opening doublet, random times: each with even odds.

    The width may change places with the second one, so that the widest stays what it was.
    """
    made: dict = {}
    if draw(st.booleans()):
        made["modulation"] = draw(st.integers(1, 3))
        made["mod_steps"] = draw(st.integers(2, 64))
        made["mod_ms"] = draw(durations(100, 2000))
        if draw(st.booleans()):
            made["rate_to_mhz"] = draw(rates(fastest))
        if draw(st.booleans()):
            second = draw(between(LEAST_WIDTH, channel["width_ns"]))
            widths = draw(st.permutations([channel["width_ns"], second]))
            made["width_ns"], made["width_to_ns"] = widths
    need = expected.shapes[i].group + expected.behind(i)
    if channel["count"] == 1 and draw(st.booleans()):
        least = need * 2 * 10**9 // expected.board.clock_hz + 100
        made["opening_ns"] = draw(between(max(2 * MS, min(20 * MS, least)), 20 * MS))
    if draw(st.booleans()):
        rate = max(channel["rate_mhz"], made.get("rate_to_mhz", 0))
        free = int(expected.board.period(rate)) - need
        most = max(0, free) * 2 * 10**9 // expected.board.clock_hz
        made["jitter_ns"] = draw(between(0, min(20 * MS, most)))
    return made


def _with_rates(draw, channels, session, board, together, varied=True) -> Session:
    full = [defaults(CHANNEL) | channel for channel in channels]
    expected = Expectation(full, defaults(SESSION) | session, board)
    for i in (0, 1):
        channels[i] = widen(channels[i], expected.behind(i), board)
    if together:
        interval = max(channel["interval_ns"] for channel in channels)
        for channel in channels:
            channel["interval_ns"] = interval
    full = [defaults(CHANNEL) | channel for channel in channels]
    expected = Expectation(full, defaults(SESSION) | session, board)
    used = [i for i in (0, 1) if expected.on[i]]
    fastest = [
        board.clock_hz * 500 // (expected.shapes[i].group + expected.behind(i)) for i in (0, 1)
    ]
    least = min(fastest[i] for i in used)
    for i, channel in enumerate(channels):
        channel["rate_mhz"] = draw(rates(least if together else fastest[i]))
        if varied:
            channel |= draw(variations(channel, expected, i, least if together else fastest[i]))
        if channel.get("rest_rate_mhz"):
            channel["rest_rate_mhz"] = draw(rates(least if together else fastest[i]))
    if together:
        for name in ("rate_mhz", "rest_rate_mhz", *VARIED):
            channels[1].pop(name, None)
            if name in channels[0]:
                channels[1][name] = channels[0][name]
    for name in ("warm", "cool"):
        session[f"{name}_rate_mhz"] = draw(rates(least))
    return Session(*channels, session, board)


plateaus = st.tuples(between(0, 2000), between(0, 2000))
block_targets_ms = st.sampled_from([10, 10, 10, 1, 3.7, 25, 0.1])


def any_value(field: tuple) -> st.SearchStrategy[int]:
    """A value over a field's full range, often near its ends."""
    low, high, usual = field[4:7]
    choices = [st.just(usual), st.just(usual), between(low, high)]
    if high - low > 5000:
        choices.append(st.integers(low, low + (high - low) // 1000))
    if field[9]:
        choices.append(st.just(0))
    return st.one_of(choices)


def any_settings(table: tuple) -> st.SearchStrategy[dict]:
    """All fields of a table, each anywhere in its range: most such sessions are refused."""
    return st.fixed_dictionaries({field[0]: any_value(field) for field in table})
