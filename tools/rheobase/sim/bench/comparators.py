"""A comparator a channel, which acts at the clock the current reaches its threshold."""

from __future__ import annotations

from rheobase.sim.bench.channel import Channel
from rheobase.sim.bench.latch import Latch
from rheobase.sim.bench.recorder import Recorder
from rheobase.sim.kernel import Event, Kernel

_LOOK_AHEAD_S = 0.1  # beyond it a comparator looks again


class Comparators:
    """Crossings are worked out ahead and are kernel events; `watch` after every change."""

    def __init__(
        self, kernel: Kernel, clock_hz: int, threshold_a: float, latch: Latch, recorder: Recorder
    ) -> None:
        self.threshold_a = threshold_a
        self._kernel = kernel
        self._ahead = round(_LOOK_AHEAD_S * clock_hz)
        self._latch = latch
        self._recorder = recorder
        self._crossings: dict[int, Event] = {}

    def watch(self, channel: Channel, clock: int) -> None:
        """Have the comparator act when the current will have reached its threshold.

        The channel is settled at `clock`, or no leg of it conducted before.
        """
        pending = self._crossings.pop(channel.number, None)
        if pending is not None:
            pending.cancel()
        if not channel.sign or not channel.may_reach(self.threshold_a, clock):
            return
        over = channel.first_over(self.threshold_a, clock, _LOOK_AHEAD_S)
        look = clock + self._ahead if over is None else over
        self._crossings[channel.number] = self._kernel.at(look, lambda: self._act(channel, over))

    def is_over(self, channel: Channel, clock: int) -> bool:
        return bool(channel.sign) and abs(channel.current(clock)) >= self.threshold_a

    def _act(self, channel: Channel, over: int | None) -> None:
        del self._crossings[channel.number]
        if over is None:
            channel.settle(self._kernel.now)
            self.watch(channel, self._kernel.now)
        elif channel.sign:
            self._recorder.event(over, "overcurrent", channel.number)
            self._latch.trip(over, f"overcurrent {channel.number}")
