"""The processor as the firmware sees it: its own clock, interrupts, and scheduled callbacks.

Firmware runs in a greenlet of its own and drives time itself: every hardware or time call of it
ends in `Cpu.spend` or `Cpu.wait`, which let the hardware live on. When the time that the outside
asked for is used up, it hands control back and goes on from there in the next run.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from greenlet import greenlet

from rheobase.sim import costs
from rheobase.sim.errors import ChipReset, NotModelled, SimulationError
from rheobase.sim.kernel import Kernel

SCHEDULER_DEPTH = 8  # MICROPY_SCHEDULER_DEPTH of the rp2 port
_SLACK_US = 100  # how far the processor may run ahead of the hardware before it looks again
_DEAD_CALLS = 1000  # hardware calls of a firmware that won't end, before it is left where it is

_abandoned: list[greenlet] = []


class BoardKernel(Kernel):
    """The kernel, able to stop early when something wants the processor."""

    def __init__(self) -> None:
        super().__init__()
        self.interrupted = False

    def advance_until(self, target: int) -> None:
        """Like `advance_to`, but stop after the events of a clock that set `interrupted`."""
        while True:
            stop = self.next_clock
            if stop > target:
                stop = target
            for runner in self.runners:
                runner.run(stop)
            if self.next_clock < stop:
                continue
            if stop > self.now:
                self.now = stop
            if self.next_clock <= stop:
                self._fire(stop)
            if stop >= target or self.interrupted:
                return


class Cpu:
    """One run of the firmware, from boot to the next reset.

    `clock` is the processor's own time. It may lead the kernel's by a little: time that firmware
    calls cost is only handed to the hardware when somebody could tell the difference.
    """

    def __init__(self, kernel: BoardKernel, clock_hz: int) -> None:
        self.kernel = kernel
        self.clock_hz = clock_hz
        self.clock = kernel.now
        self.limit = kernel.now
        self.alive = True
        self.held = False
        self.hub: greenlet | None = None
        self.failure: BaseException | None = None
        self.vectors: dict[str, Callable[[], None]] = {}
        self.poll_usb: Callable[[], None] = lambda: None
        self.keyboard_interrupt = False
        self.on_uncaught: Callable[[BaseException, str], None] = lambda exc, where: None
        self._horizon = -1
        self._slack = self.clocks(_SLACK_US)
        self._attention = False
        self._raised: deque[str] = deque()
        self._scheduled: deque[tuple[Callable[[Any], Any], Any]] = deque()
        self._interrupts_off = 0
        self._in_handler = False
        self._in_callback = False
        self._dead_calls = 0

    def resume(self, hub: greenlet, limit: int) -> None:
        """The board is about to run on, until clock `limit`."""
        self.hub = hub
        self.limit = limit
        self._horizon = -1

    # --- time ---

    def clocks(self, us: float) -> int:
        """How many clocks `us` microseconds are."""
        return round(us * self.clock_hz / 1_000_000)

    def spend(self, clocks: int) -> None:
        """The firmware was busy for this long."""
        self.clock = clock = self.clock + clocks
        if clock >= self._horizon or clock >= self.kernel.next_clock:
            self.sync()

    def touch(self, clocks: int) -> None:
        """Busy for this long, and about to look at or change the hardware: bring it up to now."""
        self.clock += clocks
        self.sync()

    def sync(self) -> None:
        """Let the hardware catch up with the processor, and serve what came of it."""
        if not self.alive:
            self._die()
        if self.clock > self.kernel.now:
            self._run_to(self.clock)
        if self._attention:
            self._serve()
        self._set_horizon()

    def settle(self) -> None:
        """Serve at once what the firmware's own access to the hardware has brought about."""
        if self._attention:
            self.sync()

    def wait(
        self, deadline: int, ready: Callable[[], bool] | None = None, once: bool = False
    ) -> bool:
        """Idle until clock `deadline`, or until `ready()`; True if it was ready.

        `ready` is asked at first, and again when something has woken the processor. With `once`
        it then also returns, after the first time it was woken.
        Interrupts and scheduled callbacks run meanwhile, and may raise.
        """
        if not self.alive:
            self._die()
        kernel = self.kernel
        look = ready is not None
        woken = False
        while True:
            if self._attention:
                self._serve()
                look = ready is not None
                woken = once
            if look and ready():  # type: ignore[misc]
                self._set_horizon()
                return True
            look = False
            if woken or kernel.now >= deadline:
                self._set_horizon()
                return False
            if not self._attention:
                self._advance(deadline)
                if kernel.now > self.clock:
                    self.clock = kernel.now

    def block(self, clocks: int) -> None:
        """The processor stands still with interrupts off (flash being written)."""
        self._interrupts_off += 1
        try:
            self.touch(clocks)
        finally:
            self._interrupts_off -= 1
        self._look_again()
        self.sync()

    def _set_horizon(self) -> None:
        horizon = self.kernel.now + self._slack
        if self._attention:
            self._horizon = -1
        else:
            self._horizon = horizon if horizon < self.limit else self.limit

    def _run_to(self, target: int) -> None:
        kernel = self.kernel
        while kernel.now < target:
            self._advance(target)
        if kernel.now > self.clock:
            self.clock = kernel.now

    def _advance(self, target: int) -> None:
        """Let the hardware live on, to `target` or to something worth looking at."""
        kernel = self.kernel
        if kernel.now >= self.limit or self.held:
            self.hand_back()
            return
        kernel.interrupted = False
        try:
            kernel.advance_until(target if target < self.limit else self.limit)
        except BaseException as exc:
            self.fail(exc)
        if not self.alive:
            self._die()

    def hand_back(self) -> None:
        """Return to whoever runs the board, until it runs it again."""
        assert self.hub is not None
        try:
            self.hub.switch()
        except BaseException:
            self.alive = False
            raise
        if not self.alive:
            self._die()

    def hold(self, on: bool) -> None:
        """Halt the processor, as a debugger would, or let it go on."""
        self.held = on
        self.kernel.interrupted = True

    # --- the end of a run ---

    def kill(self) -> None:
        """The chip is reset: nothing this firmware still does has any effect."""
        self.alive = False
        self._horizon = -1
        self.kernel.interrupted = True

    def _die(self) -> None:
        self._dead_calls += 1
        if self._dead_calls > _DEAD_CALLS:
            _abandoned.append(greenlet.getcurrent())
            while True:
                assert self.hub is not None
                self.hub.switch()
        raise ChipReset

    def fail(self, exc: BaseException) -> None:
        """Raise `exc` in whoever runs the board; the firmware never hears of it."""
        self.alive = False
        self._horizon = -1
        self.failure = exc
        assert self.hub is not None
        self.hub.throw(type(exc), exc, exc.__traceback__)
        raise ChipReset

    def not_modelled(self, what: str) -> None:
        self.fail(NotModelled(what))

    def guard(self, action: Callable[..., Any], *args: Any) -> Any:
        """Call `action` so that a SimulationError of it goes to the outside."""
        try:
            return action(*args)
        except SimulationError as exc:
            self.fail(exc)

    def report(self, exc: BaseException, where: str) -> None:
        """An exception nobody caught: tell the board, which may stop the run here."""
        if isinstance(exc, SimulationError):
            self.fail(exc)
        self.on_uncaught(exc, where)

    # --- interrupts ---

    def interrupt(self, line: str) -> None:
        """An interrupt line goes up; its vector runs once, as soon as the processor lets it."""
        if line in self.vectors and line not in self._raised:
            self._raised.append(line)
            self._look_again()

    def notice(self) -> None:
        """Something that waiting code may be waiting for has happened."""
        self._look_again()

    def _look_again(self) -> None:
        self._attention = True
        self._horizon = -1
        self.kernel.interrupted = True

    def disable_irq(self) -> int:
        state = 1 if self._interrupts_off else 0
        self._interrupts_off += 1 - state
        return state

    def enable_irq(self, state: int) -> None:
        self._interrupts_off = 1 if state & 1 else 0
        if not self._interrupts_off:
            self._look_again()
            self.sync()

    def schedule(self, function: Callable[[Any], Any], argument: Any) -> bool:
        """Queue a callback; False if the queue is full (and the callback is lost)."""
        if len(self._scheduled) >= SCHEDULER_DEPTH:
            return False
        self._scheduled.append((function, argument))
        self._look_again()
        return True

    def dispatch(self, handler: Callable[[Any], Any], argument: Any, hard: bool) -> bool:
        """Call an interrupt's Python handler now (hard) or soon (soft).

        False if a hard handler raised: the port then never calls it again.
        """
        if not hard:
            self.schedule(handler, argument)
            return True
        self.spend(self.clocks(costs.HARD_HANDLER))
        try:
            handler(argument)
        except ChipReset:
            raise
        except BaseException as exc:
            self.report(exc, "hard handler")
            return False
        return True

    def _serve(self) -> None:
        """Run what has come up: interrupts first, then Ctrl-C, then scheduled callbacks."""
        self._attention = False
        self.kernel.interrupted = False
        if self._interrupts_off or self._in_handler:
            return
        while self._raised:
            self._in_handler = True
            try:
                self.vectors[self._raised.popleft()]()
            finally:
                self._in_handler = False
        if self._in_callback:
            return
        self.poll_usb()
        if self.keyboard_interrupt:
            self.keyboard_interrupt = False
            self._attention = bool(self._scheduled)
            self._set_horizon()
            raise KeyboardInterrupt
        for _ in range(len(self._scheduled)):
            self._run_callback(*self._scheduled.popleft())
        if self._scheduled or self._raised or self.keyboard_interrupt:
            self._look_again()

    def _run_callback(self, function: Callable[[Any], Any], argument: Any) -> None:
        self._in_callback = True
        try:
            self.spend(self.clocks(costs.SOFT_HANDLER))
            function(argument)
        except ChipReset:
            raise
        except BaseException as exc:
            self.report(exc, "scheduled callback")
        finally:
            self._in_callback = False
