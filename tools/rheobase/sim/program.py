"""What the port's main loop does: boot.py, main.py, the prompt, soft resets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from rheobase.sim import costs
from rheobase.sim.chip import Chip
from rheobase.sim.cpu import Cpu
from rheobase.sim.errors import ChipReset, SimulationError
from rheobase.sim.loader import Loader
from rheobase.sim.modules.memory import collect_garbage
from rheobase.sim.modules.sys import cooked, format_exception
from rheobase.sim.repl import CTRL_C, Repl

_PWM_STOPPED = 4  # machine_pwm_deinit_all stops slices 0..3 only, by a slip in its loop


class Owner(Protocol):
    """The board."""

    def new_cpu(self) -> Cpu: ...

    def crashed(self, exc: BaseException, where: str) -> None: ...


class Program:
    """From one hard reset to the next; `run` is the body of the firmware's greenlet."""

    def __init__(self, chip: Chip, board: Owner) -> None:
        self._chip = chip
        self._board = board
        self._raw = False
        self._crash_counts = False

    def run(self) -> None:
        try:
            boot_us = costs.HARD_BOOT
            while True:
                self._boot(boot_us)
                boot_us = costs.SOFT_BOOT
        except ChipReset:
            pass

    def _boot(self, boot_us: float) -> None:
        """One boot; returns when a soft reset has put things away."""
        chip = self._chip
        chip.new_heap()
        cpu = self._cpu = self._board.new_cpu()
        chip.cpu = chip.usb.cpu = cpu
        chip.usb.interrupt_char = -1
        chip.flash.busy = lambda us: cpu.block(cpu.clocks(us))
        cpu.poll_usb = chip.usb.poll
        cpu.on_uncaught = self._uncaught
        cpu.wait(cpu.clock + cpu.clocks(boot_us))
        loader = self._loader = Loader(chip, cpu)
        self._session()
        cooked(chip, cpu, b"MPY: soft reboot\n")
        self._soft_reset(loader)
        cpu.kill()

    def _session(self) -> None:
        """Run the files, then the prompt, until a soft reset is asked for."""
        forced, failed = self._run_file("/boot.py")
        self._chip.usb.start()
        if forced:
            return
        if not self._raw and not failed:
            forced, _ = self._run_file("/main.py")
            if forced:
                return
        scope = self._loader.main.__dict__
        self._repl = Repl(self._chip, self._cpu, scope, self._execute_typed, self._raw)
        try:
            self._repl.run()
        finally:
            self._raw = self._repl.raw

    def _run_file(self, path: str) -> tuple[bool, bool]:
        """(soft reset asked for, ended in an exception)"""
        if path not in self._chip.flash.files:
            return False, False
        loader = self._loader
        scope = loader.main.__dict__
        scope["__file__"] = path[1:]
        self._crash_counts = True
        try:
            return self._execute(lambda: exec(loader.code(path), scope), marked=False)
        finally:
            self._crash_counts = False

    def _execute_typed(self, job: Callable[[], Any]) -> bool:
        return self._execute(job, self._repl.marked)[0]

    def _execute(self, job: Callable[[], Any], marked: bool) -> tuple[bool, bool]:
        """Run code with Ctrl-C enabled. (soft reset asked for, ended in an exception)"""
        chip, cpu = self._chip, self._cpu
        usb = chip.usb
        try:
            usb.interrupt_char = CTRL_C
            job()
            usb.interrupt_char = -1
            cpu.sync()
        except ChipReset:
            raise
        except SystemExit:
            self._end_output(marked)
            return True, False
        except BaseException as exc:
            if isinstance(exc, SimulationError):
                cpu.fail(exc)
            self._end_output(marked)
            cooked(chip, cpu, format_exception(exc, self._loader.names).encode())
            if marked:
                usb.transmit(cpu, b"\x04")
            if self._crash_counts and not isinstance(exc, KeyboardInterrupt):
                self._board.crashed(exc, "firmware")
            return False, True
        if marked:
            usb.transmit(cpu, b"\x04\x04")
        return False, False

    def _end_output(self, marked: bool) -> None:
        self._chip.usb.interrupt_char = -1
        self._cpu.keyboard_interrupt = False
        if marked:
            self._chip.usb.transmit(self._cpu, b"\x04")

    def _uncaught(self, exc: BaseException, where: str) -> None:
        """An interrupt handler or a scheduled callback raised."""
        text = format_exception(exc, self._loader.names)
        if where == "hard handler":
            text = "Uncaught exception in IRQ callback handler\n" + text
        cooked(self._chip, self._cpu, text.encode())
        self._board.crashed(exc, where)

    @property
    def names(self) -> dict[str, Any]:
        """What main.py has named so far."""
        return self._loader.main.__dict__

    def _soft_reset(self, loader: Loader) -> None:
        """Put away what the port puts away, in its order; the rest goes on.

        PIO state machines are stopped and keep their pins as they are; DMA started through
        registers keeps running; the watchdog keeps counting.
        """
        chip, cpu = self._chip, self._cpu
        clock = cpu.clock
        cpu.vectors.clear()
        for registers in chip.pio:
            registers.inte0 = 0
            for machine in registers.block.machines:
                machine.enable(False, clock)
        for one in chip.pwm.slices[:_PWM_STOPPED]:
            one.set_csr(one.csr & ~1, clock)
        for pin in range(len(chip.gpio.irq_enabled)):
            chip.gpio.enable_irq(pin, 0)
        loader.close_dma()
        for made in loader.modules.values():
            if made.__dict__.get("__builtins__") is loader.builtins:
                made.__dict__.clear()
        loader.main.__dict__.clear()
        collect_garbage()
