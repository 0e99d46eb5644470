"""From leg and GATE pins to the channels' bridges, broken ones included."""

from __future__ import annotations

from rheobase.sim.bench.channel import MINUS, PLUS, Channel
from rheobase.sim.bench.comparators import Comparators
from rheobase.sim.bench.recorder import Recorder
from rheobase.sim.bench.wiring import Wiring

_NO_LEG = 0
_BOTH_LEGS = 2


class Drivers:
    """One bridge driver a channel, interlocked: told both legs it opens both, and it is recorded.

    GATE enables the drivers; while it is low (and no leg is stuck) the discharge is switched in.
    """

    def __init__(
        self,
        wiring: Wiring,
        channels: tuple[Channel, ...],
        comparators: Comparators,
        recorder: Recorder,
    ) -> None:
        self.gate = 1 << wiring.gate
        self.legs = tuple((1 << plus, 1 << minus) for plus, minus in wiring.legs)
        self.pins = self.gate | sum(plus | minus for plus, minus in self.legs)
        """Mask of all that `tell` looks at."""
        self.stuck: dict[tuple[int, int], bool] = {}
        """(channel, polarity) of a broken leg: True conducts always, False never."""
        self._channels = channels
        self._comparators = comparators
        self._recorder = recorder
        self._told = [_NO_LEG] * len(channels)

    def tell(self, clock: int, levels: int, power: bool) -> None:
        """The pins have these levels from `clock` on; without `power` GATE counts as low."""
        gate = power and bool(levels & self.gate)
        for index, (plus, minus) in enumerate(self.legs):
            asked = levels & (plus | minus)
            channel = self._channels[index]
            if self.stuck:
                self._tell_broken(clock, channel, bool(asked & plus), bool(asked & minus), gate)
                continue
            if not asked:
                told, sign = _NO_LEG, 0
            elif asked == plus:
                told = sign = PLUS
            elif asked == minus:
                told = sign = MINUS
            else:
                told, sign = _BOTH_LEGS, 0
            if told != self._told[index]:
                self._note(clock, channel.number, told, gate)
            if not gate:
                sign = 0
            if sign != channel.sign or gate == channel.resting:
                channel.drive(clock, sign, not gate)
                if sign:
                    self._comparators.watch(channel, clock)

    def _tell_broken(
        self, clock: int, channel: Channel, plus: bool, minus: bool, gate: bool
    ) -> None:
        """The same with a stuck leg somewhere: no interlock holds a broken switch."""
        asked = {PLUS: plus and gate, MINUS: minus and gate}
        if plus and minus:
            asked = {PLUS: False, MINUS: False}
        stuck = {leg: self.stuck.get((channel.number, leg)) for leg in asked}
        conducts = {leg: asked[leg] if stuck[leg] is None else stuck[leg] for leg in asked}
        both = (plus and minus) or all(conducts.values())
        told = _BOTH_LEGS if both else PLUS if plus else MINUS if minus else _NO_LEG
        if told != self._told[channel.number - 1]:
            self._note(clock, channel.number, told, gate)
        sign = 0
        if conducts[PLUS] != conducts[MINUS]:
            sign = PLUS if conducts[PLUS] else MINUS
        resting = not gate and not any(conducts.values())
        if sign != channel.sign or resting != channel.resting:
            channel.drive(clock, sign, resting, dead=not (sign and stuck[sign]))
            if sign:
                self._comparators.watch(channel, clock)

    def _note(self, clock: int, channel: int, told: int, gate: bool) -> None:
        self._told[channel - 1] = told
        if told == _BOTH_LEGS:
            self._recorder.event(clock, "shoot_through", channel)
        elif told != _NO_LEG and not gate:
            self._recorder.event(clock, "leg_without_gate", channel)
