"""The assembler behind `rp2.asm_pio` and `rp2.asm_pio_encode`, as MicroPython 1.28 has it.

A program is a Python function that is called twice: the first pass counts instructions and notes
labels, the second encodes. What the port accepts is accepted here with the same words as result
(also where it silently spills a number that is too large into the next field), and what it
refuses is refused with the same exception.
Encodings: RP2040 datasheet, section 3.4.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from typing import Any

IN_LOW, IN_HIGH, OUT_LOW, OUT_HIGH = 0, 1, 2, 3
SHIFT_LEFT, SHIFT_RIGHT = 0, 1
JOIN_NONE, JOIN_TX, JOIN_RX = 0, 1, 2

_SIDE_EN = 1 << 30  # bits of EXECCTRL
_SIDE_PINDIR = 1 << 29

PinInit = int | tuple[int, ...] | list[int] | None


class PIOASMError(Exception):
    """The program can't be assembled."""


class Program(list[Any]):
    """An assembled program: the nine-item list of the port, its items also by name.

    `[words, offset0, offset1, offset2, execctrl, shiftctrl, out_init, set_init, sideset_init]`,
    where `offsetN` is the place of the program in PIO block N's memory, -1 if it has none.
    The order of the items is fixed by the port's C code, which a `StateMachine` stands in for.
    """

    @property
    def words(self) -> array[int]:
        """The 16-bit instructions; jump targets count from the program's first one."""
        words: array[int] = self[0]
        return words

    def offset(self, block: int) -> int:
        """Where the program is in memory of PIO block `block`; -1: not loaded there."""
        return int(self[1 + block])

    def placed(self, block: int, offset: int) -> None:
        """Note that the program is at `offset` of PIO block `block` (-1: no longer)."""
        self[1 + block] = offset

    @property
    def execctrl(self) -> int:
        """EXECCTRL register: wrap (counted from the first instruction) and side-set options."""
        return int(self[4])

    @property
    def shiftctrl(self) -> int:
        """SHIFTCTRL register: shift directions, thresholds, autopush, autopull, FIFO join."""
        return int(self[5])

    @property
    def out_init(self) -> PinInit:
        """IN_LOW .. OUT_HIGH for the only pin of `out`, or a sequence of them, or None."""
        init: PinInit = self[6]
        return init

    @property
    def set_init(self) -> PinInit:
        init: PinInit = self[7]
        return init

    @property
    def sideset_init(self) -> PinInit:
        init: PinInit = self[8]
        return init

    @property
    def wrap_target(self) -> int:
        return self.execctrl >> 7 & 31

    @property
    def wrap(self) -> int:
        """The last instruction before execution goes on at `wrap_target`."""
        return self.execctrl >> 12 & 31

    @property
    def sideset_opt(self) -> bool:
        """Some instructions do no side-set, so that one bit of the field says which."""
        return bool(self.execctrl & _SIDE_EN)

    @property
    def side_pindir(self) -> bool:
        return bool(self.execctrl & _SIDE_PINDIR)


class _Assembler:
    """Collects the instructions of one program; its methods are what the program calls."""

    def __init__(
        self,
        *,
        out_init: PinInit = None,
        set_init: PinInit = None,
        sideset_init: PinInit = None,
        side_pindir: bool = False,
        in_shiftdir: int = SHIFT_LEFT,
        out_shiftdir: int = SHIFT_LEFT,
        autopush: bool = False,
        autopull: bool = False,
        push_thresh: int = 32,
        pull_thresh: int = 32,
        fifo_join: int = JOIN_NONE,
    ) -> None:
        shiftctrl = (
            autopush << 16 | autopull << 17 | in_shiftdir << 18 | out_shiftdir << 19
            | (push_thresh & 31) << 20 | (pull_thresh & 31) << 25 | fifo_join << 30
        )
        self.words = array("H")
        execctrl = side_pindir << 29
        self.program = Program(
            [self.words, -1, -1, -1, execctrl, shiftctrl, out_init, set_init, sideset_init]
        )
        self.labels: dict[Any, int] = {}
        self.wrapped = False
        self.encoding = False
        self.count = 0
        self.sides = 0
        self.sideset_opt = False
        self.delay_max = 31
        if sideset_init is None:
            self.side_bits = 0
        else:
            self.side_bits = 1 if isinstance(sideset_init, int) else len(sideset_init)

    def assemble(self, function: Callable[[], Any]) -> Program:
        """Run the program's two passes with its words in the place of its module's globals."""
        scope = function.__globals__
        saved = dict(scope)
        scope.clear()
        scope.update(_NAMES)
        scope.update(self.calls(_DIRECTIVES + _INSTRUCTIONS))
        try:
            function()
            self._begin_encoding()
            function()
        finally:
            scope.clear()
            scope.update(saved)
        return self.program

    def calls(self, names: tuple[str, ...]) -> Iterator[tuple[str, Callable[..., Any]]]:
        return ((name, getattr(self, name)) for name in names)

    def _begin_encoding(self) -> None:
        if self.count and not self.wrapped:
            self.wrap()
        if self.side_bits:
            self.sideset_opt = self.sides != self.count
            if self.sideset_opt:
                self.program[4] |= _SIDE_EN
                self.side_bits += 1
            self.delay_max >>= self.side_bits
        self.encoding = True
        self.count = 0
        self.sides = 0

    def _add(self, bits: int) -> None:
        """Put bits into the last instruction; the port's array drops what does not fit."""
        self.words[-1] = (self.words[-1] | bits) & 0xFFFF

    # --- modifiers of an instruction ---

    def __getitem__(self, delay: int) -> _Assembler:
        return self.delay(delay)

    def delay(self, delay: int) -> _Assembler:
        if self.encoding:
            if delay > self.delay_max:
                raise PIOASMError("delay too large")
            self._add(delay << 8)
        return self

    def side(self, value: int) -> _Assembler:
        self.sides += 1
        if self.encoding:
            if not self.side_bits:
                raise PIOASMError("no sideset")
            if value >= 1 << self.side_bits:
                raise PIOASMError("sideset too large")
            self._add(self.sideset_opt << 12 | value << 13 - self.side_bits)
        return self

    # --- directives ---

    def wrap_target(self) -> None:
        self.program[4] |= self.count << 7

    def wrap(self) -> None:
        if not self.count:
            raise AssertionError
        self.program[4] |= (self.count - 1) << 12
        self.wrapped = True

    def label(self, label: Any) -> None:
        if not self.encoding:
            if label in self.labels:
                raise PIOASMError("duplicate label {}".format(label))
            self.labels[label] = self.count

    # --- instructions ---

    def word(self, instr: int, label: Any = None) -> _Assembler:
        self.count += 1
        if self.encoding:
            if label is None:
                target = 0
            elif label in self.labels:
                target = self.labels[label]
            else:
                raise PIOASMError("unknown label {}".format(label))
            self.words.append((instr | target) & 0xFFFF)
        return self

    def nop(self) -> _Assembler:
        return self.word(0xA042)

    def jmp(self, cond: Any, label: Any = None) -> _Assembler:
        if label is None:
            return self.word(0x0000, cond)
        return self.word(0x0000 | cond << 5, label)

    def wait(self, polarity: int, src: Any, index: int) -> _Assembler:
        if src == _NAMES["pin"]:
            source = 1
        else:
            source = 0 if src == 0 else 2  # the name `irq` is the instruction of that name
        return self.word(0x2000 | polarity << 7 | source << 5 | index)

    def in_(self, src: int, data: int) -> _Assembler:
        _check_bit_count(data)
        return self.word(0x4000 | src << 5 | data & 31)

    def out(self, dest: int, data: int) -> _Assembler:
        _check_bit_count(data)
        return self.word(0x6000 | (7 if dest == _EXEC else dest) << 5 | data & 31)

    def push(self, value: int = 0, value2: int = 0) -> _Assembler:
        return self.word(0x8000 | _blocking(value | value2))

    def pull(self, value: int = 0, value2: int = 0) -> _Assembler:
        return self.word(0x8080 | _blocking(value | value2))

    def mov(self, dest: int, src: int) -> _Assembler:
        return self.word(0xA000 | (4 if dest == _EXEC else dest) << 5 | src)

    def irq(self, mod: int, index: int | None = None) -> _Assembler:
        if index is None:
            return self.word(0xC000 | mod)
        return self.word(0xC000 | mod & 0x60 | index)

    def set(self, dest: int, data: int) -> _Assembler:
        return self.word(0xE000 | dest << 5 | data)


def _check_bit_count(count: int) -> None:
    if not 0 < count <= 32:
        raise PIOASMError("invalid bit count {}".format(count))


def _blocking(options: int) -> int:
    """PUSH and PULL block unless `noblock` (an odd number) was among the options."""
    if not options & 1:
        options |= 0x20
    return options & 0x60


_EXEC = 8  # a number of its own: OUT and MOV encode this destination differently

_DIRECTIVES = ("wrap_target", "wrap", "label")
_INSTRUCTIONS = (
    "word", "nop", "jmp", "wait", "in_", "out", "push", "pull", "mov", "irq", "set",
)
_NAMES: dict[str, Any] = {
    # sources of wait ("irq" is the instruction)
    "gpio": 0,
    # sources and destinations
    "pins": 0,
    "x": 1,
    "y": 2,
    "null": 3,
    "pindirs": 4,
    "pc": 5,
    "status": 5,
    "isr": 6,
    "osr": 7,
    "exec": _EXEC,
    # operations on the source of mov
    "invert": lambda source: source | 0x08,
    "reverse": lambda source: source | 0x10,
    # conditions of jmp; "pin" is also a source of wait
    "not_x": 1,
    "x_dec": 2,
    "not_y": 3,
    "y_dec": 4,
    "x_not_y": 5,
    "pin": 6,
    "not_osre": 7,
    # options of push, pull and irq
    "noblock": 0x01,
    "block": 0x21,
    "iffull": 0x40,
    "ifempty": 0x40,
    "clear": 0x40,
    "rel": lambda index: index | 0x10,
}


def asm_pio(**options: Any) -> Callable[[Callable[[], Any]], Program]:
    """Decorator that turns a function into a `Program`; the options of `rp2.asm_pio`.

    Raises TypeError for an unknown option, PIOASMError for a program that can't be encoded,
    AssertionError for `wrap()` before the first instruction, and whatever the function raises.
    """
    return _Assembler(**options).assemble


def asm_pio_encode(instr: str, sideset_count: int, sideset_opt: bool = False) -> int:
    """Encode one instruction written as Python source, for `StateMachine.exec`.

    `sideset_count` includes the enable bit of an optional side-set. There is no `jmp`: the port
    has it as None, so that calling it is a TypeError.
    """
    assembler = _Assembler()
    assembler.side_bits = sideset_count
    assembler.sideset_opt = bool(sideset_opt)
    assembler.delay_max = 31 >> sideset_count + assembler.sideset_opt
    assembler.encoding = True
    scope = dict(_NAMES)
    scope.update(assembler.calls(_INSTRUCTIONS))
    scope["jmp"] = None
    exec(instr, scope)
    if len(assembler.words) != 1:
        raise PIOASMError("expecting exactly 1 instruction")
    return assembler.words[0]
