"""Recognising a state machine that goes round in circles."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rheobase.sim.pio_machine import StateMachineModel as Machine


class Polls:
    """What has been seen of a machine since it last did something others can notice.

    A state that returns without an effect in between returns for ever, until something from
    outside changes. Brent's algorithm finds that with one state remembered, whatever the period.
    """

    __slots__ = ("_count", "_machine", "_power", "_state", "_time", "effects", "horizon")

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._time = 0
        self.horizon = 0
        self._power = 1
        self._count = 0
        self.forget()

    def forget(self) -> None:
        """Something has happened; begin again."""
        self.effects = self._machine.effects
        self._state: tuple[int, ...] | None = None

    def skip(self, time: int, until: int) -> tuple[int, int]:
        """(period, periods) by which the machine, about to go on at `pc`, can skip ahead."""
        machine = self._machine
        if machine.effects != self.effects:
            self.forget()
            return 0, 0
        state = (
            machine.pc, machine.x, machine.y, machine.osr, machine.osr_count,
            machine.isr, machine.isr_count, machine.idle,
        )  # fmt: skip
        if state == self._state and time < self.horizon:
            period = time - self._time
            periods = max(0, min(until, self.horizon) - time) // period
            self._time = time + periods * period
            return period, periods
        if self._state is None:
            self._power, self._count = 1, 0
        self._count += 1
        if self._count >= self._power:
            self._power *= 2
            self._count = 0
            self._state = state
            self._time = time
            self.horizon = machine.horizon(time)
        return 0, 0
