"""How deep the stack goes, command by command, on the emulated Pico.

It has 8 KB, the heap's end lies right below, and native code does not check: what goes deeper
writes over objects. An import within an import costs most, so what a command needs is fetched
from where the stack is shallow (core/unload.fetch, tables in remote/commands.py).
"""

import re

import pytest
from emulator_bench import needs_image
from pico_rig import PicoRig

from rheobase import docs
from rheobase.emulator import EmulatorError

pytestmark = [pytest.mark.emulator, needs_image]

BOTTOM, TOP = 0x2004_0000, 0x2004_2000  # the linker's __StackBottom and __StackTop
PAINT = 0xA5
NEAR = 64  # bytes below the stack pointer that are left alone
# Left for handlers beyond those that came while it was measured. Commands for what is stored
# import most, and run with the output off and nothing armed.
LEFT, LEFT_AT_REST = 768, 256
LOADS = ("N01", "N24", "N26")
SESSION = [
    "SOUR1:STAT ON;FREQ 100;:SOUR1:RAMP:UP 1;DOWN 1;:SOUR1:CYCL:ON 1;OFF 0.2",
    "SOUR2:STAT ON;FREQ 100;:SOUR2:RAMP:UP 1;DOWN 1;:SOUR2:CYCL:ON 1;OFF 0.2",
    "SESS:DUR 60",
]
LIVE = ("SOUR1:CURR 1mA", "SOUR1:PULS:WIDT 250us", "SOUR1:FREQ 20", "SOUR1:CURR:THR?",
        "MEAS1:CURR?", "SESS:STAT?", "SYST:ERR?")  # fmt: skip
MORE = ("SOUR1:PULS:WIDT 250us", "SOUR1:PULS:WIDT?", "SYST:HELP:HEAD?", "*TST?", "SYST:LOG? 1",
        'PROG:LINE? "N01",1', 'PROG:LOAD "N26",1', "FREQ 1,2,3", "NONSENSE")  # fmt: skip


class Stack:
    """The rig, and the stack's depth since the last question."""

    def __init__(self):
        self.rig = PicoRig(keep=())
        self.paint()

    def paint(self):
        pointer = self.rig.board.registers()["registers"][13]
        self.rig.board.poke(BOTTOM, bytes([PAINT]) * (pointer - NEAR - BOTTOM))

    def depth(self):
        memory = self.rig.board.peek(BOTTOM, TOP - BOTTOM)
        return len(memory) - next(i for i, byte in enumerate(memory) if byte != PAINT)

    def of(self, line):
        """How deep a typed line goes, whatever it is answered."""
        self.paint()
        self.rig.say(line, wait=0.15)
        self.rig.wait(0.02)
        return self.depth()


@pytest.fixture(scope="module")
def ready():
    stack = Stack()
    yield stack, stack.rig.mark()
    stack.rig.board.close()


@pytest.fixture
def stack(ready):
    stack, moment = ready
    stack.rig.board.restore(moment)
    return stack


def judged(depths, left=LEFT):
    """Prints the deepest; none may leave less than this."""
    for line, depth in sorted(depths.items(), key=lambda item: -item[1])[:8]:
        print(f"{depth:5} B of {TOP - BOTTOM}  {line}")
    too_deep = {line: depth for line, depth in depths.items() if depth > TOP - BOTTOM - left}
    assert not too_deep


def examples():
    """Every command of docs/commands.md as its tables have it, but for the settings' headers."""
    text = (docs.ROOT / "docs" / "commands.md").read_text()
    text = re.sub(r"<!-- made: .*?<!-- end -->", "", text, flags=re.DOTALL)
    for header in re.findall(r"^\| `([^`]*)`", text, re.MULTILINE):
        line = header.replace("[1\\|2]", "1")
        line = re.sub(r" ?\[[:,<][^ ]*\]", "", line)
        yield re.sub(r"<[a-z]+>", "1", line).replace("[", "").replace("]", "")


@pytest.mark.parametrize("program", LOADS)
def test_a_program_is_loaded_armed_and_started(stack, program):
    lines = [f'PROG:LOAD "{program}"', "SOUR1:PAD:AREA 50CM2", "SOUR2:PAD:AREA 50CM2",
             'CHEC:ACKN "D1"', "CHEC?", "ARM:HASH?"]  # fmt: skip
    depths = {line: stack.of(line) for line in lines}
    stack.paint()
    stack.rig.say(f"ARM {stack.rig.ask('ARM:HASH?')}", wait=0.3)
    stack.rig.settle()
    depths["arming"] = stack.depth()
    for line in ("SESS:STAR", "*TRG", "ABOR"):
        depths[line] = stack.of(line)
    judged(depths, LEFT_AT_REST)


def test_a_session_runs_is_changed_and_stops(stack):
    for line in SESSION:
        stack.rig.do(line)
    stack.paint()
    stack.rig.start()
    depths = {"starting": stack.depth()}
    depths |= {line: stack.of(line) for line in LIVE}
    stack.paint()
    stack.rig.bench.press_stop()
    stack.rig.wait(0.3)
    depths["stop button"] = stack.depth()
    judged(depths)


def test_a_fault_is_told_and_recorded(stack):
    for line in SESSION:
        stack.rig.do(line)
    stack.rig.start()
    stack.paint()
    stack.rig.bench.force_trip(stack.rig.board.now + 1000)
    stack.rig.wait(0.5)
    depths = {"trip": stack.depth()}
    judged(depths)
    judged({line: stack.of(line) for line in ("FAUL:TEXT?", "SYST:LOG? 1", "*LRN?")}, LEFT_AT_REST)


def test_every_command_of_the_page_while_idle(ready):
    """Each as the first there is, when it has to import most."""
    stack, moment = ready
    lines = sorted({*examples(), *MORE})
    assert len(lines) > 60
    depths = {}
    for line in lines:
        stack.rig.board.restore(moment)
        depths[line] = stack.of(line)
    judged(depths, LEFT_AT_REST)


def test_the_measure_sees_a_chain_that_is_too_deep(stack):
    """Functions within each other, as imports would be, until MicroPython refuses."""
    stack.rig.board.serial.write(b"\x03")
    stack.rig.wait(0.2)
    stack.paint()
    with pytest.raises(EmulatorError, match="recursion depth"):
        stack.rig.board.run_python("def f(n):\n    return f(n + 1)\nf(0)\n")
    with pytest.raises(AssertionError):
        judged({"a chain": stack.depth()}, LEFT_AT_REST)
