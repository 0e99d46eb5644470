"""A recording held against the expectation: every edge, every level, every charge."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from rheobase.expected import Board, ExpectedPulse
from rheobase.recording import Pulse, pulses
from rheobase.sim.bench import Recorder

LATENCY_MOST_MS = 30.0
"""A new intensity acts at a pulse boundary "within 20 ms as a rule" (docs/timing.md); blocks that
end with a whole group may make it a little more, and after a rest of the tape it may have been
queued for as long as that rest, up to the horizon."""
HORIZON_MS = 100.0
IMBALANCE_MOST_PERCENT = 0.1
DELIVERED_OFF_MOST_PERCENT = 0.5
_LEAST_JUDGED_LEVEL = 5  # below 0.3 mA a percentage says nothing
_EXAMPLES = 5


class Commanded(NamedTuple):
    """The host set a plateau at some time between two clocks."""

    channel: int
    before: int
    after: int
    current_ma: float


@dataclass
class ChannelFindings:
    """What was found of one channel. Times in clocks."""

    channel: int
    expected: list[ExpectedPulse]
    recorded: list[Pulse]
    worst_clocks: int = 0
    worst_imbalance_percent: float = 0.0
    worst_net_c: float = 0.0
    worst_delivered_percent: float = 0.0
    latency_clocks: int = 0
    most_ma: float = 0.0


@dataclass
class Findings:
    """Everything that was looked at; `problems` is empty when all of it was right."""

    clock_hz: int
    origin: int
    """Clock of the channels' time zero: the first pulse recorded is the first one expected."""
    channels: list[ChannelFindings]
    dead_clocks: int | None = None
    separation_clocks: int | None = None
    lead_clocks: int | None = None
    legs_together: int = 0
    problems: list[str] = field(default_factory=list)


def check(
    recording: Recorder,
    expected: Sequence[ExpectedPulse],
    commanded: Iterable[Commanded],
    board: Board | None = None,
) -> Findings:
    """Compare. The expectation begins with the first recorded pulse; all else must follow."""
    board = board or Board()
    recorded = pulses(recording)
    first = min((p.start for p in recorded), default=0)
    origin = first - (expected[0].start if expected else 0)
    numbers = sorted({p.channel for p in expected} | {p.channel for p in recorded})
    findings = Findings(
        recording.clock_hz,
        origin,
        [
            ChannelFindings(
                number,
                [p for p in expected if p.channel == number],
                [p for p in recorded if p.channel == number],
            )
            for number in numbers
        ],
    )
    plateaus = list(commanded)
    rests = _rests(recorded)
    for channel in findings.channels:
        _edges(channel, findings)
        _charges(channel, findings, board)
        own = [c for c in plateaus if c.channel == channel.channel]
        _levels(channel, findings, own, rests, board)
    _pins(recording, findings, board)
    return findings


def _edges(channel: ChannelFindings, findings: Findings) -> None:
    """Starts, widths, gaps and first legs, to the clock."""
    name = f"channel {channel.channel}"
    if len(channel.expected) != len(channel.recorded):
        findings.problems.append(
            f"{name}: {len(channel.recorded)} pulses, {len(channel.expected)} expected"
        )
    wrong: list[str] = []
    for number, (want, got) in enumerate(zip(channel.expected, channel.recorded, strict=False)):
        for what, is_, due in (
            ("start", got.start - findings.origin, want.start),
            ("phase 1", got.width_1, want.width),
            ("gap", got.gap, want.gap),
            ("phase 2", got.width_2, want.width),
        ):
            off = is_ - due
            if abs(off) > channel.worst_clocks:
                channel.worst_clocks = abs(off)
            if off:
                wrong.append(f"{name}, pulse {number}: {what} {is_} clocks, {due} expected")
        if got.first != want.first:
            wrong.append(f"{name}, pulse {number}: the wrong leg first")
    findings.problems += _some(wrong)


def _charges(channel: ChannelFindings, findings: Findings, board: Board) -> None:
    """Both phases carry the same charge, and the current that was asked for."""
    wrong: list[str] = []
    least_a = _LEAST_JUDGED_LEVEL * board.level_ua * 1e-6
    for number, pulse in enumerate(channel.recorded):
        channel.worst_net_c = max(channel.worst_net_c, abs(pulse.net_c))
        channel.most_ma = max(channel.most_ma, abs(pulse.delivered_1_a) * 1e3)
        if pulse.commanded_a < least_a:
            continue
        imbalance = abs(pulse.balance_percent)
        channel.worst_imbalance_percent = max(channel.worst_imbalance_percent, imbalance)
        if imbalance > IMBALANCE_MOST_PERCENT:
            wrong.append(
                f"channel {channel.channel}, pulse {number}: charge off balance by "
                f"{imbalance:.3f} %, more than {IMBALANCE_MOST_PERCENT} %"
            )
        for amps in (pulse.delivered_1_a, pulse.delivered_2_a):
            off = abs(abs(amps) / pulse.commanded_a - 1) * 100
            channel.worst_delivered_percent = max(channel.worst_delivered_percent, off)
            if off > DELIVERED_OFF_MOST_PERCENT:
                wrong.append(
                    f"channel {channel.channel}, pulse {number}: {abs(amps) * 1e3:.3f} mA "
                    f"delivered of {pulse.commanded_a * 1e3:.3f} mA"
                )
    findings.problems += _some(wrong)


def _rests(recorded: list[Pulse]) -> dict[int, int]:
    """How long the tape rested before each start: no pulse of either channel."""
    rests: dict[int, int] = {}
    end = 0
    for pulse in recorded:
        rests[pulse.start] = max(0, pulse.start - end)
        end = max(end, pulse.end)
    return rests


def _levels(
    channel: ChannelFindings,
    findings: Findings,
    commanded: list[Commanded],
    rests: dict[int, int],
    board: Board,
) -> None:
    """Each pulse has the level that its share makes of a plateau in force at its time.

    In force is the last one set before it and, for the latency that is allowed, the one before.
    """
    wrong: list[str] = []
    plateaus = [0, *(board.level(c.current_ma) for c in commanded)]
    ms = findings.clock_hz / 1000
    for number, (want, got) in enumerate(zip(channel.expected, channel.recorded, strict=False)):
        level = round(got.commanded_a * 1e6 / board.level_ua)
        newest = sum(c.before <= got.start for c in commanded)
        for index in range(newest, -1, -1):
            if level in want.levels(plateaus[index]):
                break
        else:
            wrong.append(
                f"channel {channel.channel}, pulse {number}: level {level}, "
                f"{want.levels(plateaus[newest])[-1]} expected"
            )
            continue
        if index < len(commanded) and commanded[index].after <= got.start:
            late = got.start - commanded[index].after
            channel.latency_clocks = max(channel.latency_clocks, late)
            if late > min(HORIZON_MS * ms, LATENCY_MOST_MS * ms + rests[got.start]):
                wrong.append(
                    f"channel {channel.channel}, pulse {number}: still at {plateaus[index]} "
                    f"levels {late / ms:.1f} ms after the next was set"
                )
    findings.problems += _some(wrong)


def _pins(recording: Recorder, findings: Findings, board: Board) -> None:
    """From the edges alone: no legs together, dead time, separation, GATE ahead of every leg."""
    wired = recording.wiring
    legs = [pin for pair in wired.legs for pin in pair]
    channel_of = [1, 1, 2, 2]
    fell: dict[int, int] = {}
    gate_rose = None
    before = 0
    dead: list[int] = []
    apart: list[int] = []
    lead: list[int] = []
    clocks, levels = recording.edge_clocks, recording.edge_levels
    for clock, level in zip(clocks, levels, strict=True):
        high = [leg for leg, pin in enumerate(legs) if level >> pin & 1]
        if len(high) > 1:
            findings.legs_together += 1
        if level >> wired.gate & 1 and not before >> wired.gate & 1:
            gate_rose = clock
        elif not level >> wired.gate & 1:
            gate_rose = None
        for leg, pin in enumerate(legs):
            now, was = level >> pin & 1, before >> pin & 1
            if was and not now:
                fell[leg] = clock
            if now and not was:
                for other, at in fell.items():
                    if channel_of[other] != channel_of[leg]:
                        apart.append(clock - at)
                    elif other != leg:
                        dead.append(clock - at)
                lead.append(-1 if gate_rose is None else clock - gate_rose)
        before = level
    findings.dead_clocks = min(dead, default=None)
    findings.separation_clocks = min(apart, default=None)
    findings.lead_clocks = min(lead, default=None)
    if findings.legs_together:
        findings.problems.append(f"two legs high together {findings.legs_together} times")
    for what, is_, least in (
        ("dead time", findings.dead_clocks, 2 * board.least_turns(board.dead_us)),
        ("separation", findings.separation_clocks, 2 * board.separation),
        ("gate lead", findings.lead_clocks, 2 * board.least_turns(board.gate_lead_us)),
    ):
        if is_ is not None and is_ < least:
            findings.problems.append(f"{what} of {is_} clocks, at least {least} wanted")
    for event in recording.events:
        if event.kind in ("trip", "overcurrent", "shoot_through", "leg_without_gate"):
            # A latch that is cleared after power-up has tripped before the first pulse.
            if event.kind == "trip" and event.clock < findings.origin:
                continue
            ms = event.clock * 1e3 / findings.clock_hz
            findings.problems.append(f"{event.kind.replace('_', ' ')} at {ms:.3f} ms")


def _some(wrong: list[str]) -> list[str]:
    """The first few, and how many more."""
    if len(wrong) > _EXAMPLES:
        return [*wrong[:_EXAMPLES], f"... and {len(wrong) - _EXAMPLES} more like it"]
    return wrong
