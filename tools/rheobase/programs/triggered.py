"""Plays the triggered programs as sessions: from a synthetic trace of their trigger, measured.

The real firmware on the virtual board, from the stored text, armed and raised by commands. What
a contraction must be is worked out here from the program's values and the trace alone; the
loop's decisions (an end, the other phase) may come LATE after the input.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from firmware.programs.format import Program
from rheobase.programs.measure import Row
from rheobase.programs.play import BOARD_MA, OnBoard
from rheobase.programs.reader import Pulse

MINUTES = 5.0
TRIGGERED = ("N19", "N24", "N25", "N26")
S = 62_500_000  # turns
LATE_S = 0.045
START_S = 2e-6  # from the end of the debounce time to the first leg
DEBOUNCE_S = 0.020
CRANK_S = 1.5  # a turn, 40 a minute
SEND_S = 0.08
BUTTON, HEEL, PHASES, CRANK = 1, 2, 3, 4


def contacts(made: Program, length_s: float, rng: Random) -> list[tuple[float, float]]:
    """(when the input becomes active, when it is left), in s."""
    spans, at = [], 0.5
    while at < length_s:
        if made.session["trigger"] == BUTTON:
            active = rng.choice((14.0, 4.0, 6.5))  # longer and shorter than a contraction
            idle = rng.uniform(3, 5) if active > 11 else rng.uniform(6.5, 8)
        else:
            active, idle = rng.uniform(0.4, 0.7), rng.uniform(0.6, 0.9)
        spans.append((at, at + active))
        at += active + idle
    return spans


def measured(made: Program, minutes: float = MINUTES, seed: int = 1) -> list[Row]:
    """A row for each channel: contractions of the whole session against trace and data."""
    source = made.session["trigger"]
    made.session["duration_ms"] = min(made.session["duration_ms"], round(minutes * 60_000))
    board = OnBoard(made)
    if source in (HEEL, PHASES):
        board.bench.press_foot()
    board.arm()
    if source in (HEEL, PHASES):
        for move in (board.bench.release_foot, board.bench.press_foot):
            move()
            board.virtual.run_for(0.1)
    begun = board.start()
    length_s = made.session["duration_ms"] / 1000
    if source == CRANK:
        return _cycle(made, board, begun, length_s)
    left_s = length_s - (board.virtual.now - begun) / board.virtual.chip.clock_hz
    spans = contacts(made, left_s, Random(seed))
    zero = board.virtual.now
    moves = [board.bench.press_foot, board.bench.release_foot]
    if source != BUTTON:
        moves.reverse()
    for on_s, off_s in spans:
        for at_s, move in ((on_s, moves[0]), (off_s, moves[1])):
            board.virtual.chip.kernel.at(zero + board.virtual.clocks(at_s), move)
    board.finish()
    rows = []
    for i in (0, 1):
        if made.channels[i] is None:
            continue
        row = Row(i + 1)
        rows.append(row)
        pulses = board.pulses(i, zero)
        found = list(_trains(pulses, made, i))
        wanted = spans
        if source == PHASES and i:
            wanted = [(a[1], b[0]) for a, b in zip(spans, spans[1:], strict=False)]
        wanted = [(a, b) for a, b in wanted if b < left_s - 4]
        _shapes(row, made, i, pulses, found)
        used = 0
        for on_s, off_s in wanted:
            mine = [t for t in found if on_s < t[0].start / S - zero / 2 / S < off_s]
            used += len(mine)
            if len(mine) != 1:
                row.wrong.append(f"channel {i + 1}: {len(mine)} contractions from {on_s:.2f} s")
                continue
            _one(row, made, i, [p.start / S - zero / 2 / S for p in mine[0]], mine[0], on_s, off_s)
        row.figure("count", used, len(wanted), 0)
    _never_both(rows, made, board, zero)
    return rows


def _trains(pulses: list[Pulse], made: Program, i: int) -> Iterator[list[Pulse]]:
    c = made.channels[i]
    assert c is not None
    limit = 1.5 * 1e3 / c["rate_mhz"] * S
    train: list[Pulse] = []
    for pulse in pulses:
        if train and pulse.start - train[-1].start > limit:
            yield train
            train = []
        train.append(pulse)
    if train:
        yield train


def _shapes(
    row: Row, made: Program, i: int, pulses: list[Pulse], found: list[list[Pulse]]
) -> None:
    """Widths, gaps and every interval within a contraction."""
    c = made.channels[i]
    assert c is not None
    row.cells["pulses"] = str(len(pulses))
    if not pulses:
        row.wrong.append(f"channel {i + 1}: no pulse")
        return
    for name, values, data in (
        ("width us", {p.width for p in pulses} | {p.second for p in pulses}, c["width_ns"]),
        ("gap us", {p.gap for p in pulses}, c["gap_ns"]),
    ):
        row.figure(name, max(values) * 0.016, data / 1000, 0.008)
        if len(values) > 1:
            row.wrong.append(f"channel {i + 1}: {len(values)} values of {name}")
    steps = [b.start - a.start for t in found for a, b in zip(t, t[1:], strict=False)]
    row.figure("rate Hz", S / max(steps), c["rate_mhz"] / 1000, c["rate_mhz"] * 1e-9)
    row.figure("to Hz", S / min(steps), c["rate_mhz"] / 1000, c["rate_mhz"] * 1e-9)


def _one(
    row: Row, made: Program, i: int, at: list[float], train: list[Pulse], on_s: float, off_s: float
) -> None:
    """One contraction: when it begins, how it rises, when it ends."""
    c, session = made.channels[i], made.session
    assert c is not None
    up_s, down_s = c["ramp_up_ms"] / 1000, c["ramp_down_ms"] / 1000
    period_s = 1e3 / c["rate_mhz"]
    timeout_s = session["timeout_ms"] / 1000
    if c["on_ms"]:
        timeout_s = min(timeout_s, up_s + c["on_ms"] / 1000 + down_s)
    begin_s = on_s + DEBOUNCE_S + c["delay_us"] / 1e6
    slack_s = START_S + (1e-3 if i else 0)  # behind the other channel's pulse
    if session["trigger"] == PHASES:  # the other channel's contraction fades first
        apart_s = max(x["delay_us"] for x in made.channels if x) / 1e6
        slack_s = down_s + apart_s + LATE_S + 0.06
    late_s = at[0] - begin_s
    if not -1e-9 <= late_s <= slack_s:
        row.wrong.append(f"channel {i + 1}: begins {late_s * 1e6:.2f} us after its trigger")
    worst = float(row.cells.get("start us", 0))
    row.cells["start us"] = f"{max(worst, late_s * 1e6):.2f}"
    most_s = off_s + DEBOUNCE_S + session["extend_ms"] / 1000 + down_s + LATE_S
    end_s = at[-1]
    if end_s > min(most_s, at[0] + timeout_s):
        row.wrong.append(f"channel {i + 1}: from {on_s:.2f} s on ends at {end_s:.3f} s")
    least_s = min(off_s + DEBOUNCE_S + session["extend_ms"] / 1000, at[0] + timeout_s)
    if end_s < least_s - 2 * period_s:
        row.wrong.append(f"channel {i + 1}: from {on_s:.2f} s on ends at {end_s:.3f} s already")
    plateau = round(BOARD_MA * 1000 / 60)
    full = [t for t, p in zip(at, train, strict=True) if p.level == plateau]
    if full:
        row.figure("up s", full[0] - at[0], up_s, period_s)
    elif end_s - at[0] > up_s + down_s + LATE_S:
        row.wrong.append(f"channel {i + 1}: no plateau from {on_s:.2f} s on")


def _never_both(rows: list[Row], made: Program, board: OnBoard, zero: int) -> None:
    """Swing and stance, and the two muscles of a crank, are never stimulated together."""
    if len(rows) < 2 or made.session["trigger"] not in (PHASES, CRANK):
        return
    merged = sorted((p.start, i) for i in (0, 1) for p in board.pulses(i, zero))
    changes = 0
    for (a, one), (b, two) in zip(merged, merged[1:], strict=False):
        if one != two:
            changes += 1
            if b - a < 0.01 * S:
                rows[0].wrong.append(f"both channels within {(b - a) / S * 1000:.1f} ms")
                return
    if changes < 4:
        rows[0].wrong.append("the channels take no turns")


def _cycle(made: Program, board: OnBoard, begun: int, length_s: float) -> list[Row]:
    """Cycling at a steady cadence: pulses in each channel's angles only."""
    virtual = board.virtual
    hz = virtual.chip.clock_hz

    def angle(clock: float) -> float:
        return clock / hz / CRANK_S * 360 % 360

    zero = virtual.now
    while (virtual.now - begun) / hz < length_s - 1:
        virtual.usb.write(f"SESS:TRIG:ANGL {int(angle(virtual.now))}\n".encode())
        virtual.run_for(SEND_S)
    board.finish()
    rows = []
    turns = int((virtual.now - zero) / hz / CRANK_S)
    for i in (0, 1):
        c = made.channels[i]
        if c is None:
            continue
        row = Row(i + 1)
        rows.append(row)
        pulses = board.pulses(i, zero + virtual.clocks(CRANK_S))
        found = list(_trains(pulses, made, i))
        _shapes(row, made, i, pulses, found)
        row.figure("count", len(found), turns, 3)
        late = 360 * (LATE_S + c["ramp_down_ms"] / 1000 + 0.01) / CRANK_S
        first = 360 * 0.02 / CRANK_S  # a reading is of the past, and the loop's turn
        for pulse in pulses:
            at = (angle(pulse.start * 2) - c["crank_from"] + first) % 360
            if at > (c["crank_to"] - c["crank_from"]) % 360 + first + late:
                degrees = angle(pulse.start * 2)
                row.wrong.append(f"channel {i + 1}: a pulse at {degrees:.0f} degrees")
                break
    _never_both(rows, made, board, zero)
    return rows
