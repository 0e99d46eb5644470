"""A PIO block of the RP2040: four state machines, 32 instructions, pins, interrupt flags.

Cycle-exact after the RP2040 datasheet, chapter 3; two emulators written by others agree on random
programs (tests/test_pio_rp2040js.py, tests/test_pio_pioemu.py). Where the datasheet is silent the
docstrings here say what was chosen. Not modelled, and refused with NotModelled: OUT_STICKY,
INLINE_OUT_EN, reserved encodings. The input synchroniser is the pins' business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from rheobase.sim.kernel import Kernel
from rheobase.sim.pio_config import GPIO_MASK
from rheobase.sim.pio_loops import inputs_of, inputs_seen
from rheobase.sim.pio_machine import STALLED, StateMachineModel
from rheobase.sim.pio_operation import DRAG, EXEC, RETRY, STALL
from rheobase.sim.pio_run import apart, run_alone, run_together

__all__ = ["PioBlock", "PioPins", "StateMachineModel"]

Hook = Callable[[int, int], None]


class PioPins(Protocol):
    """What a block needs of the GPIOs. Blocks are named by their number."""

    pio_inputs: int
    """Levels of GPIO 0..31 as the state machines see them; changes only in kernel events."""

    def pio_output(self, block: int, clock: int, mask: int, values: int) -> None:
        """The block's output levels of the pins in `mask` are `values` from `clock` on."""

    def pio_direction(self, block: int, clock: int, mask: int, values: int) -> None:
        """Likewise the output enables."""

    def watch(self, block: int, mask: int) -> None:
        """Programs of the block look at these pins, and at no others that matter."""


class PioBlock:
    """One PIO block, a runner of the kernel.

    `on_tx_space(machine, clock)` is called when a word has left a TX FIFO (there is room at
    `clock`), `on_rx_data(machine, clock)` when one is in an RX FIFO (it can be read at `clock`),
    `on_irq(clock)` when the flags in `irq` are others from `clock` on. In these calls FIFOs may
    be accessed and kernel events made; everything else waits for an event.

    What the processor writes at clock c acts on the instruction of clock c, but a word that it or
    DMA puts into a FIFO can be pulled from c + 1 on.
    """

    def __init__(self, index: int, kernel: Kernel, pins: PioPins) -> None:
        self.index = index
        self.kernel = kernel
        self.pins = pins
        self.on_tx_space: Hook | None = None
        self.on_rx_data: Hook | None = None
        self.on_irq: Callable[[int], None] | None = None
        self.levels = 0
        self.directions = 0
        self._shown_levels = 0
        self._shown_directions = 0
        self.irq = 0
        self._irq_raised = 0
        self._irq_cleared = 0
        self.fdebug = 0
        self.memory = [0] * 32
        self.loaded: set[int] = set()  # addresses that were ever written
        self.stop = 0  # how far machines may run, in 1/256 clocks
        self.lived = 0  # how far machines have run
        self._until = 0
        self._inputs = 0  # the pins' inputs that machines know of
        self.running = False
        self.deferring = False  # writes are shown at the end of the clock, not at once
        self.may_doze = False
        self.apart = True  # no two of the machines that run can write the same pin
        self._skip = True
        self._watched = 0
        self._stale = True
        self._active: list[StateMachineModel] = []
        self.machines = [StateMachineModel(self, number) for number in range(4)]

    @property
    def skip(self) -> bool:
        """False: step through every clock, without any short cut (for tests)."""
        return self._skip

    @skip.setter
    def skip(self, skip: bool) -> None:
        self._skip = skip
        for machine in self.machines:
            machine.forget_code()

    def reset(self, clock: int) -> None:
        """Everything as after power-up; the pins are told of it. Memory keeps its words."""
        self.between_events()
        for machine in self.machines:
            machine.power_up()
        self.irq = 0
        self.fdebug = 0
        self.write_pins(GPIO_MASK, 0, clock)
        self.write_directions(GPIO_MASK, 0, clock)

    # --- running ---

    def run(self, until: int) -> None:
        """Live up to, not including, clock `until`, or to an event that is due before."""
        if self._stale:
            self._prepare()
        active = self._active
        if not active:
            return
        if self.pins.pio_inputs != self._inputs:
            self.between_events()
            self._inputs = self.pins.pio_inputs
        self._until = until
        self.look_ahead()
        self.running = True
        try:
            if len(active) == 1 and self._skip:
                machine = active[0]
                if not machine.doze or machine.doze_until < self.stop:
                    run_alone(self, machine)
            else:
                run_together(self, active)
            self.lived = self.stop
        finally:
            self.running = False
            self.deferring = False

    def look_ahead(self) -> None:
        """Others have been told something: there may be an earlier event now."""
        stop = self.kernel.next_clock
        self.stop = (stop if stop < self._until else self._until) << 8

    def between_events(self) -> None:
        """Called before every change from outside."""
        if self.running:
            raise RuntimeError("a PIO block can't be changed from its own hooks; make an event")
        self.wake()
        for machine in self.machines:
            machine.polls.forget()

    def wake(self) -> None:
        """Bring machines that sleep to where the block is in time."""
        for machine in self.machines:
            if machine.doze:
                self.rouse(machine, 0)

    def rouse(self, machine: StateMachineModel, clock: int) -> None:
        """Wake one up, for what happens to it: between events, or at `clock` of a run."""
        if self.running:
            machine.rouse(clock << 8)
            return
        machine.rouse(self.lived)
        if machine.doze_kind != STALLED:  # the present turn, with the inputs of that time
            inputs, self.pins.pio_inputs = self.pins.pio_inputs, self._inputs
            self.stop = self.lived
            run_alone(self, machine)
            self.pins.pio_inputs = inputs

    def machines_changed(self) -> None:
        self._stale = True

    def _prepare(self) -> None:
        self._stale = False
        self.wake()
        self._active = [m for m in self.machines if m.enabled or m.forced is not None]
        self.apart = apart(self._active)
        watched = 0
        for machine in self.machines:
            if machine.enabled:
                watched |= inputs_seen(machine)
        self._watch(watched)

    def _watch(self, mask: int) -> None:
        if mask != self._watched:
            self._watched = mask
            self.pins.watch(self.index, mask)

    def watch_also(self, machine: StateMachineModel, word: int) -> None:
        """An instruction that is not in memory may look at further pins."""
        self._watch(self._watched | inputs_of(machine, word))

    # --- what instructions do to others ---

    def show(self, time: int) -> None:
        """Tell the pins what has changed in the clock of `time`."""
        clock = (time >> 8) + 1
        changed = self.levels ^ self._shown_levels
        if changed:
            self._shown_levels = self.levels
            self.pins.pio_output(self.index, clock, changed, self.levels & changed)
        changed = self.directions ^ self._shown_directions
        if changed:
            self._shown_directions = self.directions
            self.pins.pio_direction(self.index, clock, changed, self.directions & changed)
        self.look_ahead()

    def change_irq(self, machine: StateMachineModel, raised: int, cleared: int, time: int) -> None:
        """An instruction raises or clears flags; a flag both raised and cleared is up."""
        machine.effects += 1
        self._irq_raised |= raised
        self._irq_cleared |= cleared
        if not self.deferring:
            self.commit(time)

    def commit(self, time: int) -> None:
        """The end of the clock of `time`: make visible what machines did in it."""
        if self._irq_raised | self._irq_cleared:
            flags = self.irq & ~self._irq_cleared | self._irq_raised
            self._irq_raised = self._irq_cleared = 0
            self._set_irq(flags, (time >> 8) + 1)
        if self.levels != self._shown_levels or self.directions != self._shown_directions:
            self.show(time)

    def _set_irq(self, flags: int, clock: int) -> None:
        if flags == self.irq:
            return
        self.irq = flags
        for machine in self.machines:
            if machine.doze and machine.doze_kind == STALLED:
                machine.rouse(clock << 8)
        if self.on_irq is not None:
            self.on_irq(clock)
            self.look_ahead()

    # --- what the processor does to the block ---

    def load(self, words: Iterable[int], offset: int) -> None:
        """Write a program at `offset`, with the targets of its jumps moved there.

        Raises ValueError if it does not fit.
        """
        program = list(words)
        if not 0 <= offset <= 32 - len(program):
            raise ValueError("{} instructions at {}".format(len(program), offset))
        for address, word in enumerate(program, offset):
            self.write_memory(address, word + offset if word >> 13 == 0 else word)

    def write_memory(self, address: int, word: int) -> None:
        """Write one of the 32 instructions as it is."""
        self.between_events()
        self.memory[address] = word & 0xFFFF
        self.loaded.add(address)
        for machine in self.machines:
            machine.forget_code()

    def control(self, value: int, clock: int) -> None:
        """Write CTRL: enable bits 0..3, SM_RESTART bits 4..7, CLKDIV_RESTART bits 8..11."""
        for machine in self.machines:
            bits = value >> machine.index
            if bits & 1 << 4:
                machine.restart(clock)
            if bits & 1 << 8:
                machine.restart_divider(clock)
            machine.enable(bool(bits & 1), clock)

    @property
    def enabled(self) -> int:
        """The enable bits of CTRL."""
        return sum(machine.enabled << machine.index for machine in self.machines)

    def clear_irq(self, mask: int, clock: int) -> None:
        """Write the IRQ register: lower these flags."""
        self.between_events()
        self._set_irq(self.irq & ~mask, clock)

    def force_irq(self, mask: int, clock: int) -> None:
        """Write IRQ_FORCE: raise these flags."""
        self.between_events()
        self._set_irq((self.irq | mask) & 0xFF, clock)

    def clear_fdebug(self, mask: int) -> None:
        self.between_events()
        self.fdebug &= ~mask

    def write_pins(self, mask: int, values: int, clock: int) -> None:
        """Set output levels, as the SDK does by forcing SET instructions on a machine."""
        self.between_events()
        self.levels = (self.levels & ~mask | values & mask) & GPIO_MASK
        self.show(clock << 8)

    def write_directions(self, mask: int, values: int, clock: int) -> None:
        """Set output enables, likewise."""
        self.between_events()
        self.directions = (self.directions & ~mask | values & mask) & GPIO_MASK
        self.show(clock << 8)

    def force(self, machine: StateMachineModel, word: int, clock: int) -> None:
        """Execute an instruction for a machine now (see `StateMachineModel.execute`)."""
        operation, _ = machine.decoded(word)
        target = operation(clock << 8)
        if target in (STALL, RETRY):
            machine.forced = operation
            machine.forced_time = clock + 1 << 8
            machine.latch = -1
            self.machines_changed()
        elif target not in (EXEC, DRAG):
            machine.pc = target
