"""What the demo's picture shows, taken from the recording."""

from __future__ import annotations

from rheobase.demo.check import ChannelFindings, Commanded, Findings
from rheobase.demo.session import PROGRAMS, Played
from rheobase.expected import ExpectedPulse
from rheobase.plot import Shown, Step
from rheobase.recording import Pulse, current_points
from rheobase.sim.bench import Recorder

_BEFORE_US = 60
_AFTER_US = 1020
_BEHIND_RAMP_S = 0.18


def shown(recording: Recorder, findings: Findings, played: Played) -> Shown:
    """The whole session, the last ramp up of channel 2, and the strongest pulse of each."""
    hz = findings.clock_hz
    picture = Shown(
        title="Two channels of Rheobase, recorded at the electrodes of the virtual board",
        subtitle=_subtitle(played),
        pulses=sorted(
            (pulse for channel in findings.channels for pulse in channel.recorded),
            key=lambda pulse: pulse.start,
        ),
        origin=findings.origin,
        clock_hz=hz,
        length_s=played.session["duration_s"],
        plateau={
            channel.channel: [
                Step(max(0.0, (c.after - findings.origin) / hz), c.current_ma)
                for c in played.commanded
                if c.channel == channel.channel
            ]
            for channel in findings.channels
        },
        names={
            number: f"{program}, {_rate(played, number)}" for number, program in PROGRAMS.items()
        },
    )
    for channel in findings.channels:
        strong = _strongest(channel)
        if strong is not None:
            picture.detail[channel.channel] = strong
            picture.waveform[channel.channel] = _waveform(recording, strong)
    ramped = findings.channels[-1] if findings.channels else None
    if ramped is not None and ramped.expected:
        _add_ramp(picture, ramped, played)
    return picture


def _subtitle(played: Played) -> str:
    return (
        f"{played.session['duration_s']:g} s of real firmware behind a serial port; both "
        "intensities raised from zero by 1 mA, twice a second"
    )


def _rate(played: Played, number: int) -> str:
    settings = played.channels[number]
    count = {1: "", 2: "doublets at ", 3: "triplets at "}.get(
        settings["count"], f"groups of {settings['count']} at "
    )
    return f"{count}{settings['rate_hz']:g} Hz"


def _strongest(channel: ChannelFindings) -> Pulse | None:
    """A pulse with the highest current, from the middle of those."""
    most = max((p.commanded_a for p in channel.recorded), default=0.0)
    strong = [p for p in channel.recorded if p.commanded_a == most]
    return strong[len(strong) // 2] if strong else None


def _waveform(recording: Recorder, pulse: Pulse) -> list[tuple[float, float]]:
    us = pulse.clock_hz / 1e6
    begin, end = pulse.start - _BEFORE_US * us, pulse.start + _AFTER_US * us
    points = current_points(recording, pulse.channel, begin, end)
    return [((clock - pulse.start) / us, amps * 1e3) for clock, amps in points]


def _add_ramp(picture: Shown, channel: ChannelFindings, played: Played) -> None:
    """The channel's last ramp up and a little of the plateau behind it."""
    hz = picture.clock_hz
    begin = 0
    for before, pulse in zip(channel.expected, channel.expected[1:], strict=False):
        if pulse.share < before.share and not pulse.share:
            begin = pulse.start
    up_s = played.channels[channel.channel]["ramp_up_s"]
    end_s = begin / hz + up_s + min(_BEHIND_RAMP_S, 0.2 * up_s)
    picture.ramp = (channel.channel, begin / hz, end_s)
    own = [c for c in played.commanded if c.channel == channel.channel]
    picture.ramp_wanted = [
        (pulse.start / hz, float(pulse.share) * _plateau(own, pulse, picture.origin))
        for pulse in channel.expected
        if begin <= pulse.start <= end_s * hz
    ]


def _plateau(commanded: list[Commanded], pulse: ExpectedPulse, origin: int) -> float:
    before = [c.current_ma for c in commanded if c.after <= origin + pulse.start]
    return before[-1] if before else 0.0
