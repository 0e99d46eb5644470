"""What the chip gets to see: trip line, stop button, foot switch, and the wires to them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol

from rheobase.sim.bench.wiring import Wiring, clocks_of
from rheobase.sim.kernel import Kernel


class Chip(Protocol):
    """What the bench needs of the chip."""

    kernel: Kernel
    clock_hz: int

    def drive(self, pin: int, level: int | None) -> None:
        """An external driver on this input pin, from `kernel.now` on; None: not driven."""


class Inputs:
    """Drives the chip's input pins, as far as their wires are whole.

    The trip line is driven both ways. The stop button's contact goes to ground against the
    board's own pull-up. The foot switch has none: open, the chip's pull decides.
    """

    def __init__(self, chip: Chip, wiring: Wiring, tripped: Callable[[], bool]) -> None:
        self.pressed = False
        self.unplugged = False
        self.foot = False
        self.unpulled: set[int] = set()
        """Output pins whose pull-down resistor is missing."""
        self._cut: set[int] = set()
        self._chip = chip
        self._wiring = wiring
        self._tripped = tripped

    @property
    def stopped(self) -> bool:
        """The stop button's normally closed circuit is open."""
        return self.pressed or self.unplugged

    def cut(self, pin: int) -> None:
        """Raises ValueError for a pin that is no input of the chip's."""
        if not self._wiring.inputs >> pin & 1:
            raise ValueError(f"no input is wired to GP{pin}")
        self._cut.add(pin)
        self.drive()

    def mend(self, pin: int) -> None:
        self._cut.discard(pin)
        self.drive()

    def drive(self) -> None:
        """Put all lines to what they are, at `kernel.now`."""
        wired = self._wiring
        for pin in wired.six:
            self._chip.drive(pin, 0 if wired.pull_downs and pin not in self.unpulled else None)
        for pin, level in (
            (wired.trip, int(self._tripped())),
            (wired.stop_button, int(self.stopped)),
            (wired.foot_switch, 0 if self.foot else None),
        ):
            self._chip.drive(pin, None if pin in self._cut else level)

    def move_foot(self, pressed: bool, bounces: int, bounce_us: float) -> None:
        """The contact is at its new place at once, leaves it and comes back `bounces` times."""
        kernel = self._chip.kernel
        step = clocks_of(bounce_us * 1000, self._chip.clock_hz)
        self._contact(pressed)
        for number in range(1, 2 * bounces + 1):
            closed = pressed if number % 2 == 0 else not pressed
            kernel.at(kernel.now + number * step, partial(self._contact, closed))

    def _contact(self, closed: bool) -> None:
        self.foot = closed
        self.drive()
