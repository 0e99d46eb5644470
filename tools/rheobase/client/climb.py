"""The way up of the intensity, at the pace that the stimulator allows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rheobase.client.errors import StimulatorError

if TYPE_CHECKING:
    from rheobase.client.stimulator import Stimulator

STEP_MA = 1.0
STEP_S = 0.5  # between two steps of a channel
RETRY_S = 0.1
_CONFLICT = -221
_OUT_OF_RANGE = -222


class Climb:
    """Intensities on their way to their targets: up in steps of 1 mA, two a second; down at once.

    In the background of a loop of yours: call `advance()` often, it never waits.

        climb = stimulator.raise_current({1: 20, 2: 15})
        while not climb.done:
            climb.advance()
            ...

    Or as a generator that waits: `for currents_ma in climb: ...` yields {channel: mA} after every
    step. What the stimulator refuses for the moment only (the last step is not long enough ago,
    or more than 10 mA would come unfelt, as in a rest) is tried again; `waiting` then says why.
    Any other refusal raises StimulatorError. Nothing ever goes beyond a target or a
    limit.
    """

    def __init__(self, stimulator: Stimulator, targets_ma: dict[int, float]) -> None:
        self._stimulator = stimulator
        self._clock = stimulator.clock
        self.targets_ma = targets_ma
        self.current_ma: dict[int, float] = {}
        self.waiting = ""
        """Why the last step was put off; empty when it was not."""
        for number, target in targets_ma.items():
            channel = stimulator.channel(number)
            if target < 0:
                raise ValueError(f"channel {number}: {target} mA is below 0")
            most_ma, reason = channel.ceiling
            if target > most_ma:
                text = f"channel {number}: target {target:g} mA above {most_ma:g} mA ({reason})"
                raise StimulatorError(_OUT_OF_RANGE, text)
            self.current_ma[number] = channel.current_ma
        self._due_s = dict.fromkeys(targets_ma, self._clock.monotonic())

    @property
    def done(self) -> bool:
        return all(self.current_ma[n] == target for n, target in self.targets_ma.items())

    def advance(self) -> float:
        """Take the steps that are due; returns the seconds until the next one is (0: done)."""
        now = self._clock.monotonic()
        for number, target in self.targets_ma.items():
            if self.current_ma[number] != target and now >= self._due_s[number]:
                self._step(number, target)
        waits = [
            self._due_s[number]
            for number, target in self.targets_ma.items()
            if self.current_ma[number] != target
        ]
        return max(0.0, min(waits) - self._clock.monotonic()) if waits else 0.0

    def __iter__(self) -> Iterator[dict[int, float]]:
        shown: dict[int, float] = {}
        while True:
            wait_s = self.advance()
            if self.current_ma != shown:
                shown = dict(self.current_ma)
                yield shown
            if self.done:
                return
            self._clock.sleep(max(wait_s, 1e-3))

    def _step(self, number: int, target: float) -> None:
        """One step of a channel; puts it off if the stimulator says: not yet."""
        following = min(target, round(self.current_ma[number] + STEP_MA, 6))
        try:
            self._stimulator.channel(number).current_ma = following
        except StimulatorError as refusal:
            if "locked" in refusal.text:
                self._stimulator.unlock()
            elif not _only_for_now(refusal):
                raise
            self.waiting = refusal.text
            self._due_s[number] = self._clock.monotonic() + RETRY_S
            return
        self.waiting = ""
        self.current_ma[number] = following
        self._due_s[number] = self._clock.monotonic() + STEP_S


def _only_for_now(refusal: StimulatorError) -> bool:
    """The two refusals that time heals; firmware/safety/intensity.py words them."""
    return refusal.code == _CONFLICT and (
        "sooner than" in refusal.text or "above what was delivered" in refusal.text
    )
