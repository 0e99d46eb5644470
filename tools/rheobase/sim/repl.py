"""The prompt: enough of MicroPython's normal and raw REPL for a person and for mpremote."""

from __future__ import annotations

import ast
import codeop
from collections.abc import Callable
from typing import Any

from rheobase.sim.chip import Chip
from rheobase.sim.cpu import Cpu
from rheobase.sim.modules.sys import BANNER

CTRL_A, CTRL_B, CTRL_C, CTRL_D, CTRL_E = 1, 2, 3, 4, 5
_WINDOW = 128  # of the raw paste mode's flow control

Execute = Callable[[Callable[[], Any]], bool]


class Repl:
    """`execute` runs a piece of code as the port does and tells whether it asked for a soft
    reset. `raw` is the mode, which a soft reset does not change."""

    def __init__(
        self, chip: Chip, cpu: Cpu, scope: dict[str, Any], execute: Execute, raw: bool
    ) -> None:
        self._usb = chip.usb
        self._cpu = cpu
        self._scope = scope
        self._execute = execute
        self.raw = raw
        self.marked = False  # the code that runs has its output marked for a tool
        scope["__builtins__"]["__show__"] = self._show

    def run(self) -> None:
        """Serve the prompt until a soft reset is asked for."""
        while not (self._run_raw() if self.raw else self._run_friendly()):
            pass

    def _send(self, text: str) -> None:
        self._usb.transmit(self._cpu, text.encode())

    def _receive(self) -> int:
        return self._usb.get(self._cpu)

    def _show(self, value: Any) -> None:
        if value is not None:
            self._scope["__builtins__"]["print"](repr(value))

    def _compile(self, source: str, echo: bool) -> Any:
        """Compile what was typed; in a normal REPL the value of an expression is printed."""
        tree = ast.parse(source, "<stdin>")
        if echo:
            for node in tree.body:
                if isinstance(node, ast.Expr):
                    name = ast.Name("__show__", ast.Load())
                    node.value = ast.copy_location(ast.Call(name, [node.value], []), node.value)
            ast.fix_missing_locations(tree)
        return compile(tree, "<stdin>", "exec", dont_inherit=True)

    def _run(self, source: str, echo: bool) -> bool:
        scope = self._scope
        return self._execute(lambda: exec(self._compile(source, echo), scope))

    # --- the normal REPL ---

    def _run_friendly(self) -> bool:
        """True for a soft reset, False after a change of mode."""
        self._send(f"{BANNER}\r\n" 'Type "help()" for more information.\r\n')
        while True:
            line = self._read_line(">>> ")
            if line == CTRL_A:
                self._send("\r\n")
                self.raw = True
                return False
            if line == CTRL_B:
                self._send("\r\n")
                return False
            if line == CTRL_C:
                self._send("\r\n")
                continue
            if line == CTRL_D:
                self._send("\r\n")
                return True
            source = self._paste() if line == CTRL_E else self._continue(line)
            if source and self._run(source, echo=True):
                return True

    def _continue(self, line: Any) -> str:
        """Read on while a statement is not complete; empty if it was cancelled."""
        while line and _incomplete(line):
            more = self._read_line("... ")
            if more == CTRL_C:
                self._send("\r\n")
                return ""
            if more == CTRL_D:
                break
            line += "\n" + more if isinstance(more, str) else ""
        return line

    def _paste(self) -> str:
        self._send("\r\npaste mode; Ctrl-C to cancel, Ctrl-D to finish\r\n=== ")
        text = bytearray()
        while True:
            char = self._receive()
            if char in (CTRL_C, CTRL_D):
                self._send("\r\n")
                return "" if char == CTRL_C else _text(text.replace(b"\r", b"\n"))
            text.append(char)
            self._send("\r\n=== " if char == 13 else chr(char))

    def _read_line(self, prompt: str) -> Any:
        """A line, echoed; or the number of a control character typed on an empty one."""
        self._send(prompt)
        line = bytearray()
        while True:
            char = self._receive()
            if char == CTRL_C or (CTRL_A <= char <= CTRL_E and not line):
                return char
            if char in (10, 13):
                self._send("\r\n")
                return _text(line)
            if char in (8, 127):
                if line:
                    line.pop()
                    self._send("\b \b")
            elif char >= 32 or char == 9:
                line.append(char)
                self._usb.transmit(self._cpu, bytes((char,)))

    # --- the raw REPL ---

    def _run_raw(self) -> bool:
        """True for a soft reset, False after a change of mode."""
        self._send("raw REPL; CTRL-B to exit\r\n")
        while True:
            self._send(">")
            line = bytearray()
            while True:
                char = self._receive()
                if char == CTRL_A:
                    if len(line) == 2 and line[0] == CTRL_E:
                        if self._raw_paste(line[1]):
                            return True
                        break
                    self._send("raw REPL; CTRL-B to exit\r\n")
                    break
                if char == CTRL_B:
                    self._send("\r\n")
                    self.raw = False
                    return False
                if char == CTRL_C:
                    line.clear()
                elif char == CTRL_D:
                    self._send("OK")
                    if not line:
                        self._send("\r\n")
                        return True
                    if self._run_marked(_text(line)):
                        return True
                    break
                else:
                    line.append(char)

    def _raw_paste(self, command: int) -> bool:
        if command != ord("A"):
            self._send("R\x00")
            return False
        self._send("R\x01")
        self._usb.transmit(self._cpu, bytes((_WINDOW & 255, _WINDOW >> 8, 1)))
        text = bytearray()
        left = _WINDOW
        while True:
            char = self._receive()
            if char in (CTRL_C, CTRL_D):
                self._send("\x04")
                break
            text.append(char)
            left -= 1
            if not left:
                self._send("\x01")
                left = _WINDOW
        if char == CTRL_C:
            return self._run_marked("raise KeyboardInterrupt")
        return self._run_marked(_text(text))

    def _run_marked(self, source: str) -> bool:
        """Run, with an EOT after its output and one after its traceback."""

        def job() -> None:
            code = self._compile(source, echo=False)
            exec(code, self._scope)

        self.marked = True
        try:
            return self._execute(job)
        finally:
            self.marked = False


def _text(line: bytes | bytearray) -> str:
    return line.decode(errors="replace")


def _incomplete(source: str) -> bool:
    """Whether a person would go on typing."""
    try:
        if codeop.compile_command(source, "<stdin>", "single") is None:
            return True
    except (SyntaxError, ValueError, OverflowError):
        return False
    return False
