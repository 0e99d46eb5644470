"""What the tests of the virtual PIO share: pins that remember, and random programs."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from hypothesis import strategies as st

from rheobase.sim.kernel import Kernel
from rheobase.sim.pio import PioBlock, StateMachineModel
from rheobase.sim.pio_asm import Program, asm_pio

JMP, WAIT, IN, OUT, PUSH, PULL, MOV, IRQ, SET = range(9)
GPIOS = 0x3FFFFFFF
ONES = 0xFFFFFFFF
RIGHT = {"in_shiftdir": 1, "out_shiftdir": 1}
COUNTING = ("label('n')", "jmp(y_dec, 'n')")  # takes one off Y in every cycle


class Pins:
    """GPIOs that only remember what the block drives; `pio_inputs` is set by the test."""

    def __init__(self) -> None:
        self.pio_inputs = 0
        self.levels = 0
        self.log: list[tuple[int, int]] = []
        self.directions = 0
        self.direction_log: list[tuple[int, int]] = []
        self.watched = 0

    def pio_output(self, block: int, clock: int, mask: int, values: int) -> None:
        self.levels = self.levels & ~mask | values
        self.log.append((clock, self.levels))

    def pio_direction(self, block: int, clock: int, mask: int, values: int) -> None:
        self.directions = self.directions & ~mask | values
        self.direction_log.append((clock, self.directions))

    def watch(self, block: int, mask: int) -> None:
        self.watched = mask


class Rig:
    """A PIO block on a bench of its own. Every hook call is noted in `hooks`."""

    def __init__(self, skip: bool = True) -> None:
        self.kernel = Kernel()
        self.pins = Pins()
        self.block = PioBlock(0, self.kernel, self.pins)
        self.block.skip = skip
        self.kernel.runners.append(self.block)
        self.hooks: list[tuple[str, int, int]] = []
        self.block.on_tx_space = lambda machine, clock: self.note("tx", machine, clock)
        self.block.on_rx_data = lambda machine, clock: self.note("rx", machine, clock)
        self.block.on_irq = lambda clock: self.note("irq", self.block.irq, clock)

    def note(self, what: str, value: int, clock: int) -> None:
        self.hooks.append((what, value, clock))

    @property
    def now(self) -> int:
        return self.kernel.now

    def __getitem__(self, index: int) -> StateMachineModel:
        return self.block.machines[index]

    def run(self, clocks: int, look: bool = True) -> None:
        """Let time pass; without `look` machines that sleep stay where they fell asleep."""
        self.kernel.advance_to(self.kernel.now + clocks)
        if look:
            self.block.wake()

    def load(self, words: Iterable[int], offset: int = 0) -> None:
        self.block.load(words, offset)

    def setup(
        self,
        index: int = 0,
        *,
        wrap: tuple[int, int] = (0, 31),
        execctrl: int = 0,
        shiftctrl: int = 0b11 << 18,
        out: tuple[int, int] = (0, 0),
        set_: tuple[int, int] = (0, 0),
        side: tuple[int, int] = (0, 0),
        in_base: int = 0,
        jmp_pin: int = 0,
        clkdiv: int = 1 << 16,
        pc: int = 0,
    ) -> StateMachineModel:
        """Initialise a machine; pin groups are (base, count), `wrap` is (target, top)."""
        machine = self[index]
        machine.init(self.now, pc)
        machine.configure(
            self.now,
            clkdiv=clkdiv,
            execctrl=execctrl | wrap[0] << 7 | wrap[1] << 12 | jmp_pin << 24,
            shiftctrl=shiftctrl,
            pinctrl=out[0] | set_[0] << 5 | side[0] << 10 | in_base << 15
            | out[1] << 20 | set_[1] << 26 | side[1] << 29,
        )
        return machine

    def start(self, program: Program, index: int = 0, **options: object) -> StateMachineModel:
        """Load a program at address 0, set the machine up for it, and let it run."""
        self.load(program.words)
        machine = self.setup(
            index,
            wrap=(program.wrap_target, program.wrap),
            execctrl=program.execctrl & 3 << 29,
            shiftctrl=program.shiftctrl,
            **options,  # type: ignore[arg-type]
        )
        machine.enable(True, self.now)
        return machine

    def state(self) -> tuple[object, ...]:
        """Everything about the block that a program or the processor could tell."""
        return (
            self.block.irq, self.block.fdebug, self.block.levels, self.block.directions,
            tuple(machine_state(machine, self.now) for machine in self.block.machines),
        )  # fmt: skip


def machine_state(machine: StateMachineModel, now: int) -> tuple[object, ...]:
    cycles = max(0, (machine.time - (now << 8)) // machine.divisor)
    return (
        machine.pc, machine.x, machine.y, machine.osr, machine.osr_count,
        machine.isr, machine.isr_count, machine.latch, machine.irq_wait, machine.exec_stalled,
        tuple(machine.tx), tuple(machine.rx),
        machine.idle + cycles if machine.enabled else machine.idle,
        machine.time - cycles * machine.divisor if machine.enabled else 0,
    )  # fmt: skip


# --- programs ---


def program(*lines: str, **options: object) -> Program:
    """Assemble a program given as its lines."""
    scope: dict[str, Callable[[], None]] = {}
    exec("def program():\n" + "".join("    {}\n".format(line) for line in lines), scope)
    return asm_pio(**options)(scope["program"])


def run(
    rig: Rig, *lines: str, clocks: int | None = None, **options: object
) -> StateMachineModel:
    """Run a program on machine 0, each instruction once unless told otherwise."""
    machine = rig.start(program(*lines, **options))
    rig.run(len(lines) if clocks is None else clocks)
    return machine


# --- random programs ---


def field(low: int, high: int, shift: int = 0) -> st.SearchStrategy[int]:
    return st.integers(low, high).map(lambda value: value << shift)


def joined(first: int, *parts: st.SearchStrategy[int]) -> st.SearchStrategy[int]:
    return st.tuples(*parts).map(lambda bits: first | sum(bits))


def words(kinds: Iterable[int], length: int) -> st.SearchStrategy[int]:
    """Instructions that the datasheet defines, of these kinds, in a program of `length`.

    Their delay/side-set field is random, small values being more frequent.
    """
    late = st.one_of(st.just(0), field(0, 3, 8), field(0, 31, 8))
    flag = st.sampled_from((0, 1, 2, 4, 5, 0x10, 0x11))
    pin = st.sampled_from((0, 1, 2, 3, 30, 31))
    count = st.one_of(st.sampled_from((0, 1, 8, 31)), st.integers(0, 31))
    sources = st.sampled_from((0, 1, 2, 3, 6, 7))
    strategies = {
        JMP: joined(0x0000, late, field(0, 7, 5), st.integers(0, length - 1)),
        WAIT: st.one_of(
            joined(0x2000, late, field(0, 1, 7), field(0, 1, 5), pin),
            joined(0x2040, late, field(0, 1, 7), flag),
        ),
        IN: joined(0x4000, late, sources.map(lambda s: s << 5), count),
        OUT: joined(0x6000, late, field(0, 6, 5), count),
        PUSH: joined(0x8000, late, field(0, 3, 5)),
        PULL: joined(0x8080, late, field(0, 3, 5)),
        MOV: joined(
            0xA000, late, st.sampled_from((0, 1, 2, 6, 7)).map(lambda d: d << 5),
            field(0, 2, 3), st.sampled_from((0, 1, 2, 3, 5, 6, 7)),
        ),
        IRQ: joined(0xC000, late, field(0, 3, 5), flag),
        SET: joined(0xE000, late, st.sampled_from((0, 1, 2, 4)).map(lambda d: d << 5),
                    st.integers(0, 31)),
    }  # fmt: skip
    return st.one_of([strategies[kind] for kind in kinds])


def programs(kinds: Iterable[int], most: int = 8) -> st.SearchStrategy[list[int]]:
    chosen = tuple(kinds)
    return st.integers(1, most).flatmap(
        lambda length: st.lists(words(chosen, length), min_size=length, max_size=length)
    )
