"""Single pulses for a test, one after the other, on a stimulator that runs as in any session."""

from __future__ import annotations

from collections.abc import Callable

from rheobase.client import LinkError, State, Stimulator, StimulatorError

PLAYED_S = 0.15  # from counted to played: what is queued, and a little
_POLL_S = 0.1
Ask = Callable[[str], bool | None]
"""A question about the last pulse, such as "did it twitch?", and the answer; None: once more."""


class Pulses:
    """Puts a channel of a running session to a width and a current, and waits for a pulse there.

    Everything goes by the stimulator's own rules: up by 1 mA at a time and twice a second, below
    the ceilings. A longer width is set only after the current is down to what it needs.
    """

    def __init__(self, stimulator: Stimulator, number: int) -> None:
        self.stimulator = stimulator
        self.channel = stimulator.channel(number)
        self.number = number
        self.width_us = self.channel.width_us
        self.current_ma = self.channel.current_ma
        self.rate_hz = self.channel.rate_hz

    def present(self, width_us: float, current_ua: int) -> None:
        """One more pulse of this width and current. StimulatorError if the session has ended."""
        current_ma = current_ua / 1e3
        if current_ma < self.current_ma:
            self._put(current_ma)
        if width_us != self.width_us:
            self.channel.width_us = width_us
            self.width_us = width_us
        if current_ma > self.current_ma:
            for reached in self.stimulator.raise_current(self.number, current_ma):
                self.current_ma = reached[self.number]
        self._next_pulse()

    def rest(self) -> None:
        """Down to zero, as while an electrode is moved."""
        self._put(0.0)
        self.stimulator.clock.sleep(PLAYED_S)

    def _put(self, current_ma: float) -> None:
        self.channel.current_ma = current_ma
        self.current_ma = current_ma

    def _next_pulse(self) -> None:
        clock = self.stimulator.clock
        before = self.channel.pulses
        end_s = clock.monotonic() + 3 / self.rate_hz
        while self.channel.pulses == before:
            state = self.stimulator.state
            if state != State.RUNNING:
                fault = self.stimulator.fault
                raise StimulatorError(
                    fault.number if fault else 0, f"{state}: {fault.text if fault else 'ended'}"
                )
            if clock.monotonic() > end_s:
                raise LinkError(f"no pulse within {3 / self.rate_hz:g} s")
            clock.sleep(_POLL_S)
        clock.sleep(PLAYED_S)
