"""The assembler of the virtual board against the RP2040 datasheet's bit layout (section 3.4)."""

# ruff: noqa: F821 - PIO programs use names that the assembler lends them

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rheobase.sim import pio_asm
from rheobase.sim.pio_asm import PIOASMError, Program, asm_pio, asm_pio_encode

OUT_LOW, OUT_HIGH = pio_asm.OUT_LOW, pio_asm.OUT_HIGH
LABELS = ("here", "there", 3)

# --- an encoder of its own: bits as text, names as the datasheet's tables have them ---

CONDITIONS = {
    "": "000", "not_x": "001", "x_dec": "010", "not_y": "011",
    "y_dec": "100", "x_not_y": "101", "pin": "110", "not_osre": "111",
}  # fmt: skip
WAIT_SOURCES = {"gpio": "00", "pin": "01", "irq": "10"}
IN_SOURCES = {"pins": "000", "x": "001", "y": "010", "null": "011", "isr": "110", "osr": "111"}
OUT_DESTINATIONS = {
    "pins": "000", "x": "001", "y": "010", "null": "011",
    "pindirs": "100", "pc": "101", "isr": "110", "exec": "111",
}  # fmt: skip
MOV_DESTINATIONS = {
    "pins": "000", "x": "001", "y": "010", "exec": "100", "pc": "101", "isr": "110", "osr": "111",
}  # fmt: skip
MOV_OPERATIONS = {"{}": "00", "invert({})": "01", "reverse({})": "10"}
MOV_SOURCES = IN_SOURCES | {"status": "101"}
SET_DESTINATIONS = {"pins": "000", "x": "001", "y": "010", "pindirs": "100"}
FIFO_OPTIONS = {"": "01", "block": "01", "noblock": "00"}


@dataclass
class Line:
    """One instruction: as source, and as (first three bits, last eight bits)."""

    source: str
    kind: str
    rest: str
    label: object = None
    delay: int = 0
    side: int | None = None

    def text(self) -> str:
        side = "" if self.side is None else ".side({})".format(self.side)
        return self.source + side + ("[{}]".format(self.delay) if self.delay else "")

    def word(self, labels: dict[object, int], side_bits: int, optional: bool) -> int:
        rest = self.rest
        if self.label is not None:
            rest += "{:05b}".format(labels[self.label])
        field = ""
        if optional:
            field = "0" if self.side is None else "1"
        if side_bits:
            field += "{:0{}b}".format(self.side or 0, side_bits)
        field += "{:0{}b}".format(self.delay, 5 - len(field)) if len(field) < 5 else ""
        return int(self.kind + field + rest, 2)


def five(value: int) -> str:
    return "{:05b}".format(value % 32)


@st.composite
def jmps(draw: st.DrawFn) -> Line:
    label = draw(st.sampled_from(LABELS))
    condition = draw(st.sampled_from(sorted(CONDITIONS)))
    source = "jmp({}{!r})".format(condition + ", " if condition else "", label)
    return Line(source, "000", CONDITIONS[condition], label=label)


@st.composite
def waits(draw: st.DrawFn) -> Line:
    polarity = draw(st.integers(0, 1))
    name = draw(st.sampled_from(sorted(WAIT_SOURCES)))
    if name == "irq":
        index, number = draw(flags())
    else:
        number = draw(st.integers(0, 31))
        index = str(number)
    source = "wait({}, {}, {})".format(polarity, name, index)
    return Line(source, "001", str(polarity) + WAIT_SOURCES[name] + five(number))


def flags() -> st.SearchStrategy[tuple[str, int]]:
    plain = st.integers(0, 7).map(lambda n: (str(n), n))
    return plain | st.integers(0, 7).map(lambda n: ("rel({})".format(n), 16 + n))


@st.composite
def shifts(draw: st.DrawFn) -> Line:
    name, kind, places = draw(
        st.sampled_from((("in_", "010", IN_SOURCES), ("out", "011", OUT_DESTINATIONS)))
    )
    place = draw(st.sampled_from(sorted(places)))
    count = draw(st.integers(1, 32))
    return Line("{}({}, {})".format(name, place, count), kind, places[place] + five(count))


@st.composite
def fifos(draw: st.DrawFn) -> Line:
    name, bit, condition = draw(
        st.sampled_from((("push", "0", "iffull"), ("pull", "1", "ifempty")))
    )
    how = draw(st.sampled_from(sorted(FIFO_OPTIONS)))
    conditional = draw(st.booleans())
    options = [condition] * conditional + [how] * bool(how)
    if draw(st.booleans()):
        options.reverse()
    rest = bit + str(int(conditional)) + FIFO_OPTIONS[how][1] + "00000"
    return Line("{}({})".format(name, ", ".join(options)), "100", rest)


@st.composite
def movs(draw: st.DrawFn) -> Line:
    to = draw(st.sampled_from(sorted(MOV_DESTINATIONS)))
    operation = draw(st.sampled_from(sorted(MOV_OPERATIONS)))
    origin = draw(st.sampled_from(sorted(MOV_SOURCES)))
    rest = MOV_DESTINATIONS[to] + MOV_OPERATIONS[operation] + MOV_SOURCES[origin]
    return Line("mov({}, {})".format(to, operation.format(origin)), "101", rest)


@st.composite
def irqs(draw: st.DrawFn) -> Line:
    mode, bits = draw(st.sampled_from((("", "00"), ("block, ", "01"), ("clear, ", "10"))))
    index, number = draw(flags())
    return Line("irq({}{})".format(mode, index), "110", "0" + bits + five(number))


@st.composite
def sets(draw: st.DrawFn) -> Line:
    to = draw(st.sampled_from(sorted(SET_DESTINATIONS)))
    value = draw(st.integers(0, 31))
    return Line("set({}, {})".format(to, value), "111", SET_DESTINATIONS[to] + five(value))


@st.composite
def words(draw: st.DrawFn) -> Line:
    value = draw(st.integers(0, 0xFFFF)) & 0xE0FF
    bits = "{:016b}".format(value)
    return Line("word(0x{:04x})".format(value), bits[:3], bits[8:])


NOPS = st.builds(lambda: Line("nop()", "101", "01000010"))
LINES = st.one_of(jmps(), waits(), shifts(), fifos(), movs(), irqs(), sets(), words(), NOPS)


@st.composite
def programs(draw: st.DrawFn) -> tuple[str, list[int], dict[str, object], tuple[int, int]]:
    """(source, words, options, (wrap target, wrap)) of a program that assembles."""
    lines = draw(st.lists(LINES, min_size=1, max_size=12))
    side_bits = draw(st.integers(0, 4))
    sides = draw(st.sampled_from(("none", "all", "some"))) if side_bits else "none"
    for line in lines:
        if sides == "all" or (sides == "some" and draw(st.booleans())):
            line.side = draw(st.integers(0, 2**side_bits - 1))
    optional = side_bits > 0 and any(line.side is None for line in lines)
    longest = 31 >> side_bits + optional
    for line in lines:
        line.delay = draw(st.one_of(st.just(0), st.integers(0, longest)))
    places = {label: draw(st.integers(0, len(lines) - 1)) for label in LABELS}
    target = draw(st.integers(0, len(lines) - 1))
    wrap = draw(st.one_of(st.none(), st.integers(0, len(lines) - 1)))
    text = []
    for number, line in enumerate(lines):
        text += ["label({!r})".format(label) for label in LABELS if places[label] == number]
        text += ["wrap_target()"] * (number == target)
        text.append(line.text())
        text += ["wrap()"] * (number == wrap)
    source = "def program():\n" + "".join("    {}\n".format(item) for item in text)
    encoded = [line.word(places, side_bits, optional) for line in lines]
    options: dict[str, object] = {"sideset_init": (OUT_LOW,) * side_bits} if side_bits else {}
    return source, encoded, options, (target, len(lines) - 1 if wrap is None else wrap)


def assemble(source: str, **options: object) -> Program:
    scope: dict[str, object] = {}
    exec(source, scope)
    return asm_pio(**options)(scope["program"])  # type: ignore[arg-type]


@given(programs())
def test_words_and_wrap_are_as_the_datasheet_encodes_them(
    case: tuple[str, list[int], dict[str, object], tuple[int, int]],
) -> None:
    source, encoded, options, (target, wrap) = case
    program = assemble(source, **options)
    assert list(program.words) == encoded, source
    assert (program.wrap_target, program.wrap) == (target, wrap)
    optional = bool(options) and source.count(".side(") < len(encoded)
    assert program.sideset_opt == optional


def test_words_the_datasheet_prints() -> None:
    """The square wave of section 3.5.2."""

    @asm_pio(set_init=OUT_LOW)
    def squarewave_wrap():
        set(pindirs, 1)
        wrap_target()
        set(pins, 1)[1]
        set(pins, 0)[1]
        wrap()

    assert list(squarewave_wrap.words) == [0xE081, 0xE101, 0xE100]
    assert (squarewave_wrap.wrap_target, squarewave_wrap.wrap) == (1, 2)


def test_a_program_is_also_the_list_of_the_port() -> None:
    @asm_pio(out_init=(OUT_LOW, OUT_HIGH), set_init=OUT_LOW)
    def program():
        nop().delay(2)

    assert isinstance(program, list) and len(program) == 9
    words, offset0, offset1, offset2, execctrl, shiftctrl, outs, sets_, sidesets = program
    assert (words.typecode, list(words)) == ("H", [0xA242])
    assert (offset0, offset1, offset2) == (-1, -1, -1)
    assert (execctrl, shiftctrl) == (program.execctrl, program.shiftctrl) == (0, 0)
    assert (outs, sets_, sidesets) == ((OUT_LOW, OUT_HIGH), OUT_LOW, None)
    program.placed(1, 20)
    assert (program.offset(0), program.offset(1), program[2]) == (-1, 20, 20)


@pytest.mark.parametrize(
    ("option", "value", "register", "bits"),
    [
        ("autopush", True, "shiftctrl", 1 << 16),
        ("autopull", True, "shiftctrl", 1 << 17),
        ("in_shiftdir", pio_asm.SHIFT_RIGHT, "shiftctrl", 1 << 18),
        ("out_shiftdir", pio_asm.SHIFT_RIGHT, "shiftctrl", 1 << 19),
        ("push_thresh", 8, "shiftctrl", 8 << 20),
        ("push_thresh", 32, "shiftctrl", 0),
        ("pull_thresh", 31, "shiftctrl", 31 << 25),
        ("fifo_join", pio_asm.JOIN_TX, "shiftctrl", 1 << 30),
        ("fifo_join", pio_asm.JOIN_RX, "shiftctrl", 1 << 31),
        ("side_pindir", True, "execctrl", 1 << 29),
    ],
)
def test_options_are_register_fields(option: str, value: int, register: str, bits: int) -> None:
    program = assemble("def program(): nop()", **{option: value})
    assert getattr(program, register) == bits


def body(*lines: str) -> str:
    return "def program():\n" + "".join("    {}\n".format(line) for line in lines or ("pass",))


@pytest.mark.parametrize(
    ("source", "options", "error", "message"),
    [
        (body("nop()"), {"out_base": 2}, TypeError, "out_base"),
        (body("nop()[32]"), {}, PIOASMError, "delay too large"),
        (body("nop()[16].side(0)"), {"sideset_init": 2}, PIOASMError, "delay too large"),
        (body("nop()[8].side(0)", "nop()"), {"sideset_init": 2}, PIOASMError, "delay too large"),
        (body("nop().side(1)"), {}, PIOASMError, "no sideset"),
        (body("nop().side(2)"), {"sideset_init": 2}, PIOASMError, "sideset too large"),
        (body("label('a')", "label('a')"), {}, PIOASMError, "duplicate label a"),
        (body("jmp('nowhere')"), {}, PIOASMError, "unknown label nowhere"),
        (body("jmp(x_dec, 4)"), {}, PIOASMError, "unknown label 4"),
        (body("word(0, 'nowhere')"), {}, PIOASMError, "unknown label nowhere"),
        (body("in_(pins, 0)"), {}, PIOASMError, "invalid bit count 0"),
        (body("out(pins, 33)"), {}, PIOASMError, "invalid bit count 33"),
        (body("wrap()", "nop()"), {}, AssertionError, None),
        (body("set(x)"), {}, TypeError, None),
        (body("nop(1)"), {}, TypeError, None),
        (body("push(block, noblock, iffull)"), {}, TypeError, None),
        (body("set(z, 1)"), {}, NameError, "z"),
    ],
)
def test_errors_are_those_of_the_port(
    source: str, options: dict[str, object], error: type[Exception], message: str | None
) -> None:
    with pytest.raises(error, match=message):
        assemble(source, **options)


def test_too_large_operands_spill_as_on_the_port() -> None:
    """The port checks only bit counts, delays and side-sets."""
    program = assemble(body("set(x, 40)", "irq(0x42)", "wait(2, gpio, 1)", "word(0x12345)"))
    assert list(program.words) == [0xE020 | 40, 0xC042, 0x2101, 0x2345]


def test_a_side_set_that_is_optional_may_spill_into_its_enable_bit() -> None:
    program = assemble(body("nop().side(2)", "nop()"), sideset_init=OUT_LOW)
    assert program.words[0] == 0xA042 | 1 << 12


def test_an_empty_program_is_one() -> None:
    program = assemble(body())
    assert (list(program.words), program.execctrl) == ([], 0)


def test_labels_and_loops_of_python_work() -> None:
    program = assemble(body("for i in range(3):", "    label(i)", "    set(x, i)", "jmp(1)"))
    assert list(program.words) == [0xE020, 0xE021, 0xE022, 0x0001]


MODULE = """
bits = 3
def helper():
    return 2
def program():
    {}
"""


@pytest.mark.parametrize("line", ["nop()", "jmp('nowhere')", "set(x, bits)", "helper()"])
def test_the_module_has_its_globals_back_and_the_program_never_saw_them(line: str) -> None:
    """On the port, too, a PIO program can't use names of its module."""
    scope: dict[str, object] = {}
    exec(MODULE.format(line), scope)
    before = dict(scope)
    if line == "nop()":
        asm_pio()(scope["program"])  # type: ignore[arg-type]
    else:
        error = PIOASMError if "jmp" in line else NameError
        with pytest.raises(error):
            asm_pio()(scope["program"])  # type: ignore[arg-type]
    assert scope == before


def test_parameters_from_an_enclosing_function_work() -> None:
    def build(cycles: int) -> Program:
        @asm_pio()
        def program():
            nop()[cycles]

        return program

    assert build(7).words[0] == 0xA742


# --- single instructions ---


@pytest.mark.parametrize(
    ("source", "count", "optional", "word"),
    [
        ("set(0, 1)", 0, False, 57345),
        ("set(pins, 1)", 0, False, 0xE001),
        ("pull(noblock)", 0, False, 0x8080),
        ("mov(osr, invert(x))", 0, False, 0xA0E9),
        ("irq(clear, rel(2))", 0, False, 0xC052),
        ("nop().side(1)[15]", 1, False, 0xBF42),
        ("nop().side(1)", 2, True, 0xB842),
        ("wait(1, irq, 4)[31]", 0, False, 0x3FC4),
    ],
)
def test_one_instruction(source: str, count: int, optional: bool, word: int) -> None:
    assert asm_pio_encode(source, count, optional) == word


@pytest.mark.parametrize(
    ("source", "count", "error"),
    [
        ("jmp('a')", 0, TypeError),
        ("label('a')", 0, NameError),
        ("nop(); nop()", 0, PIOASMError),
        ("", 0, PIOASMError),
        ("nop().side(1)", 0, PIOASMError),
        ("nop()[16]", 1, PIOASMError),
        ("nop()[", 0, SyntaxError),
    ],
)
def test_what_is_no_one_instruction(source: str, count: int, error: type[Exception]) -> None:
    with pytest.raises(error):
        asm_pio_encode(source, count)
