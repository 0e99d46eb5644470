"""One PIO state machine: its registers, its FIFOs, and when its cycles are.

Time here is in 1/256 of a system clock, because that is the clock divider's resolution: cycle
number n of a machine is at `time + n * divisor`, and happens in the clock `that >> 8`.
An instruction executed in clock c sees everything as it is at c's start; what it does is there
from clock c + 1 on.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from rheobase.sim import pio_config as regs
from rheobase.sim.kernel import FOREVER
from rheobase.sim.pio_config import ALL_ONES, MachineConfig
from rheobase.sim.pio_decode import decode
from rheobase.sim.pio_loops import Loop, as_loop, find_loop
from rheobase.sim.pio_operation import Operation
from rheobase.sim.pio_polls import Polls

if TYPE_CHECKING:
    from rheobase.sim.pio import PioBlock

FIFO_DEPTH = 4
STALLED, POLLING, COUNTING_X, COUNTING_Y = range(4)  # why a machine dozes
RXSTALL, RXUNDER, TXOVER, TXSTALL = 1 << 0, 1 << 8, 1 << 16, 1 << 24  # FDEBUG of machine 0


class StateMachineModel:
    """A state machine as the bus sees it; PioBlock runs it.

    Everything takes the clock at which it happens, which is the kernel's `now` for the processor.
    `tx_put` and `rx_get` may also be given a clock still to come, so that whoever models DMA can
    answer `on_tx_space` at once and needs no event for each word.

    Registers to look at: `pc`, `x`, `y`, `osr`, `isr`, `osr_count`, `isr_count` (bits shifted out
    or in since the last refill or push), `enabled`, `config`.
    """

    __slots__ = (
        "after", "block", "config", "cost", "divisor", "doze", "doze_kind", "doze_until",
        "effects", "enabled", "forced", "forced_time", "idle", "index", "irq_wait", "isr",
        "isr_count", "latch", "loops", "ops", "osr", "osr_count", "pc", "plain", "polls", "rx",
        "rx_depth", "rx_freed", "time", "tx", "tx_depth", "tx_when", "x", "y", "_decoded",
        "_stubs",
    )  # fmt: skip

    def __init__(self, block: PioBlock, index: int) -> None:
        self.block = block
        self.index = index
        self.config = MachineConfig()
        self.tx: deque[int] = deque()
        self.tx_when: deque[int] = deque()  # from which clock on each word of `tx` can be pulled
        self.rx: deque[int] = deque()
        self.rx_freed: deque[int] = deque()  # from which clock on the places of read words count
        self._stubs: list[Operation] = [self._stub(address) for address in range(32)]
        self.ops = list(self._stubs)
        self.plain = list(self._stubs)
        self.cost = [0] * 32
        self.loops: list[Loop | None] = [None] * 32
        self.effects = 0  # counts what others can notice; the same number: nothing happened
        self.polls = Polls(self)
        self._decoded: dict[tuple[int, int], tuple[Operation, int]] = {}
        self.power_up()

    def power_up(self) -> None:
        """The state after the chip's reset."""
        self.config = MachineConfig()
        self.divisor = self.config.divisor
        self.enabled = False
        self.pc = self.x = self.y = self.osr = 0
        self.time = 0
        self.after = 0  # where to go on after an instruction from `latch`
        self.doze = 0  # period of what is being skipped, 0: nothing
        self.doze_until = 0
        self.doze_kind = STALLED
        self._size_fifos()
        self._clear_internal()
        self.forget_code()

    # --- FIFOs ---

    def tx_put(self, word: int, clock: int) -> bool:
        """Write a word at `clock`; it can be pulled from the next clock on.

        False, and FDEBUG.TXOVER, if the FIFO is full.
        """
        if len(self.tx) >= self.tx_depth:
            self.block.fdebug |= TXOVER << self.index
            return False
        when = clock + 1
        if self.tx_when and self.tx_when[-1] > when:
            when = self.tx_when[-1]
        if self.doze:
            self.block.rouse(self, when)
        self.tx.append(word & ALL_ONES)
        self.tx_when.append(when)
        self.polls.forget()
        return True

    def rx_get(self, clock: int) -> int:
        """Read a word at `clock`; its place is free for the machine from the next clock on.

        0, and FDEBUG.RXUNDER, if the FIFO is empty.
        """
        if not self.rx:
            self.block.fdebug |= RXUNDER << self.index
            return 0
        if self.doze:
            self.block.rouse(self, clock + 1)
        self.rx_freed.append(clock + 1)
        self.polls.forget()
        return self.rx.popleft()

    @property
    def tx_level(self) -> int:
        """Words in the TX FIFO (with those written for a later clock)."""
        return len(self.tx)

    @property
    def rx_level(self) -> int:
        """Words in the RX FIFO."""
        return len(self.rx)

    @property
    def tx_full(self) -> bool:
        """Also when it is joined to the RX FIFO and can hold nothing."""
        return len(self.tx) >= self.tx_depth

    @property
    def rx_full(self) -> bool:
        return len(self.rx) >= self.rx_depth

    def clear_fifos(self, clock: int) -> None:
        """Empty both FIFOs, as changing FJOIN there and back does."""
        self.block.between_events()
        was_full = self.tx_full
        self._size_fifos()
        if was_full and not self.tx_full and self.block.on_tx_space is not None:
            self.block.on_tx_space(self.index, clock)

    def _size_fifos(self) -> None:
        join = self.config.join
        self.tx_depth = (FIFO_DEPTH, 2 * FIFO_DEPTH, 0, 0)[join]
        self.rx_depth = (FIFO_DEPTH, 0, 2 * FIFO_DEPTH, 0)[join]
        for fifo in (self.tx, self.tx_when, self.rx, self.rx_freed):
            fifo.clear()

    # --- what the processor does to a machine ---

    def configure(
        self,
        clock: int,
        *,
        clkdiv: int | None = None,
        execctrl: int | None = None,
        shiftctrl: int | None = None,
        pinctrl: int | None = None,
    ) -> None:
        """Write configuration registers (layout: RP2040 datasheet, 3.7).

        A new divider counts from the cycle that is due. A changed FIFO join empties the FIFOs.
        Raises ValueError for fields out of range and NotModelled for OUT_STICKY and the like.
        """
        self.block.between_events()
        config = self.config
        before = (config.clkdiv, config.execctrl, config.shiftctrl, config.pinctrl)
        join = config.join
        if clkdiv is not None:
            config.clkdiv = clkdiv & 0xFFFFFF00
        if execctrl is not None:
            config.execctrl = execctrl & 0x7FFFFF9F
        if shiftctrl is not None:
            config.shiftctrl = shiftctrl & 0xFFFF0000
        if pinctrl is not None:
            config.pinctrl = pinctrl & ALL_ONES
        try:
            config.check()
        except Exception:
            config.clkdiv, config.execctrl, config.shiftctrl, config.pinctrl = before
            raise
        self._unfold(clock)
        self.divisor = config.divisor
        self.forget_code()
        if config.join != join:
            self.clear_fifos(clock)

    def restart(self, clock: int) -> None:
        """SM_RESTART: forget shift counters, ISR, delay, a stalled or latched instruction.

        PC, OSR, X, Y and the FIFOs stay.
        """
        self.block.between_events()
        self._unfold(clock)
        self._clear_internal()

    def _clear_internal(self) -> None:
        self.isr = 0
        self.isr_count = 0
        self.osr_count = 32
        self.idle = 0  # delay cycles still to go before the next instruction
        self.latch = -1  # an instruction from OUT EXEC or MOV EXEC, -1: none
        self.irq_wait = False  # IRQ WAIT has raised its flag already
        self.forced: Operation | None = None  # an instruction from the bus that stalls
        self.forced_time = 0

    def restart_divider(self, clock: int) -> None:
        """CLKDIV_RESTART: the divider counts from its full period again."""
        self.block.between_events()
        self._unfold(clock)
        self.time = (clock + (self.divisor >> 8) - 1) << 8

    def enable(self, enabled: bool, clock: int) -> None:
        """SM_ENABLE; the first instruction is at the first cycle not before `clock`.

        The divider never stops: cycles are where they would be had the machine run all along.
        """
        self.block.between_events()
        if enabled != self.enabled:
            self._unfold(clock)
            self.enabled = enabled
            self.block.machines_changed()

    def execute(self, word: int, clock: int) -> None:
        """SMx_INSTR: execute an instruction in this very clock, without its delay.

        One that stalls is tried again every clock, in the place of the program. It is dropped by
        `restart` or the next call.
        """
        self.block.between_events()
        self._unfold(clock)
        if self.enabled and self.time >> 8 == clock and not self.idle:
            self.time += self.divisor  # it takes the place of the instruction due now
        self.forced = None
        self.block.force(self, word & 0xFFFF, clock)

    @property
    def exec_stalled(self) -> bool:
        return self.forced is not None

    def init(self, clock: int, pc: int) -> None:
        """Halt and set to the defaults of the SDK's `pio_sm_init` without a configuration."""
        self.enable(False, clock)
        self.configure(
            clock,
            clkdiv=regs.CLKDIV_RESET,
            execctrl=regs.EXECCTRL_RESET,
            shiftctrl=regs.SHIFTCTRL_RESET,
            pinctrl=0,
        )
        self.clear_fifos(clock)
        self.block.clear_fdebug((TXOVER | RXUNDER | TXSTALL | RXSTALL) << self.index)
        self.restart(clock)
        self.restart_divider(clock)
        self.execute(pc & 31, clock)

    # --- what operations use ---

    def has_word(self, time: int) -> bool:
        return bool(self.tx_when) and self.tx_when[0] <= time >> 8

    def pull_word(self, time: int) -> None:
        """Move the next word (there is one) from the TX FIFO to the OSR."""
        self.tx_when.popleft()
        self.osr = self.tx.popleft()
        self.osr_count = 0
        self.effects += 1
        block = self.block
        if block.on_tx_space is not None:
            block.on_tx_space(self.index, (time >> 8) + 1)
            block.look_ahead()

    def has_room(self, time: int) -> bool:
        used = len(self.rx)
        if used + len(self.rx_freed) < self.rx_depth:
            return True
        freed = self.rx_freed
        while freed and freed[0] <= time >> 8:
            freed.popleft()
        return used + len(freed) < self.rx_depth

    def push_word(self, word: int, time: int) -> None:
        self.rx.append(word)
        self.effects += 1
        block = self.block
        if block.on_rx_data is not None:
            block.on_rx_data(self.index, (time >> 8) + 1)
            block.look_ahead()

    def flag_tx_stall(self) -> None:
        self._flag(TXSTALL << self.index)

    def flag_rx_stall(self) -> None:
        self._flag(RXSTALL << self.index)

    def _flag(self, bit: int) -> None:
        if not self.block.fdebug & bit:
            self.block.fdebug |= bit
            self.effects += 1

    def tx_level_seen(self, time: int) -> int:
        """Level of the TX FIFO as an instruction in this clock sees it."""
        clock = time >> 8
        return sum(when <= clock for when in self.tx_when)

    def rx_level_seen(self, time: int) -> int:
        clock = time >> 8
        return len(self.rx) + sum(when > clock for when in self.rx_freed)

    # --- code ---

    def _stub(self, address: int) -> Operation:
        def operation(time: int) -> int:
            self._decode_at(address)
            return self.ops[address](time)

        return operation

    def forget_code(self) -> None:
        """The configuration or the program has changed."""
        self.ops[:] = self._stubs
        self.plain[:] = self._stubs
        self.loops[:] = [None] * 32
        self._decoded.clear()
        self.polls.forget()
        self.block.machines_changed()

    def _decode_at(self, address: int) -> None:
        block = self.block
        operation, delay = decode(self, block.memory[address], self.config.after(address))
        self.plain[address] = self.ops[address] = operation
        self.cost[address] = (1 + delay) * self.divisor
        loop = find_loop(self, address) if block.skip else None
        if loop is not None:
            self.loops[address] = loop
            self.ops[address] = as_loop(self, loop, operation)

    def decoded(self, word: int) -> tuple[Operation, int]:
        """(operation, delay) of an instruction from elsewhere, after which PC is where it is."""
        known = self._decoded.get((word, self.pc))
        if known is None:
            self.block.watch_also(self, word)
            known = self._decoded[word, self.pc] = decode(self, word, self.pc)
        return known

    def end_forced(self, target: int, clock: int) -> None:
        """A forced instruction that had stalled is done; the program goes on from `clock`."""
        self.forced = None
        if target >= 0:
            self.pc = target
        if self.time < clock << 8:
            self.time -= (self.time - (clock << 8)) // self.divisor * self.divisor
        self.block.machines_changed()

    # --- time ---

    @property
    def due(self) -> int:
        """When the machine does something next."""
        if self.forced is not None:
            return self.forced_time
        return self.time if self.enabled else FOREVER << 8

    @property
    def irregular(self) -> bool:
        """The next cycle is not simply the instruction at `pc`."""
        return self.idle > 0 or self.latch >= 0 or self.forced is not None

    def _unfold(self, clock: int) -> None:
        """Count the delay cycles from `clock` on one by one again (`time` is past them)."""
        cycles = (self.time - (clock << 8)) // self.divisor
        if self.enabled and cycles > 0:
            self.idle += cycles
        self.time -= cycles * self.divisor  # for a halted machine also forward to `clock`

    def horizon(self, time: int) -> int:
        """When, after `time`, what is in the FIFOs changes for this machine by itself."""
        clock = time >> 8
        horizon = FOREVER
        for when in self.tx_when:
            if when > clock:
                horizon = when
                break
        for when in self.rx_freed:
            if when > clock:
                horizon = min(horizon, when)
                break
        return horizon << 8

    # --- dozing: nothing is to be done until `doze_until`, unless something changes ---

    def fall_asleep(self, period: int, periods: int, kind: int) -> None:
        """Skip up to `periods` periods of doing nothing."""
        self.doze = period
        self.doze_until = self.time + periods * period
        self.doze_kind = kind

    def rouse(self, time: int) -> None:
        """Wake up for what comes at `time`.

        A stalled machine looks again on its first cycle not before; another one goes through the
        beginning of its present turn once more, in which it did nothing.
        """
        ahead = min(time, self.doze_until) - self.time
        if self.doze_kind == STALLED:
            ahead += self.doze - 1
        periods = max(0, ahead // self.doze)
        self.time += periods * self.doze
        if self.doze_kind == COUNTING_X:
            self.x -= periods
        elif self.doze_kind == COUNTING_Y:
            self.y -= periods
        self.doze = 0
        self.polls.forget()
