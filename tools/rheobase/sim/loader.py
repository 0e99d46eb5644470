"""The firmware's own world: its builtins, its modules, and where they are imported from.

Firmware is ordinary Python to CPython, but in namespaces of the board's: `import` looks into the
virtual flash and among the stand-ins, never into this process's modules, and what MicroPython
does not have is not there.
"""

from __future__ import annotations

import builtins as host
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import CodeType, ModuleType
from typing import Any

from rheobase.sim.chip import Chip
from rheobase.sim.cpu import Cpu
from rheobase.sim.flash import normalise
from rheobase.sim.modules import host as host_modules
from rheobase.sim.modules import machine, memory, micropython, os, rp2, select, sys, time
from rheobase.sim.modules.arguments import module

_FIXED = ("builtins", "gc", "math", "cmath", "micropython", "sys", "uctypes")
"""Modules that no file of the same name can replace."""

_BUILTINS = (
    "ArithmeticError", "AssertionError", "AttributeError", "BaseException", "EOFError", "Ellipsis",
    "Exception", "GeneratorExit", "ImportError", "IndentationError", "IndexError", "KeyError",
    "KeyboardInterrupt", "LookupError", "MemoryError", "NameError", "NotImplemented",
    "NotImplementedError", "OSError", "OverflowError", "RuntimeError", "StopAsyncIteration",
    "StopIteration", "SyntaxError", "SystemExit", "TypeError", "UnicodeError", "ValueError",
    "ZeroDivisionError", "__build_class__", "__debug__", "abs", "all", "any", "bin", "bool",
    "bytes", "callable", "chr", "classmethod", "compile", "complex", "delattr", "dict", "dir",
    "divmod", "enumerate", "eval", "exec", "filter", "float", "frozenset", "getattr", "globals",
    "hasattr", "hash", "hex", "id", "int", "isinstance", "issubclass", "iter", "len", "list",
    "locals", "map", "max", "memoryview", "min", "next", "object", "oct", "ord", "pow",
    "property", "range", "repr", "reversed", "round", "set", "setattr", "slice", "sorted",
    "staticmethod", "str", "sum", "super", "tuple", "type", "zip",
)  # fmt: skip


@lru_cache(maxsize=1000)
def compiled(source: bytes, filename: str) -> CodeType:
    """Code of a file; boots after the first find it ready."""
    return compile(source, filename, "exec", dont_inherit=True)


class Loader:
    """The modules of one boot. `names` maps the file names in tracebacks to those on the board."""

    def __init__(self, chip: Chip, cpu: Cpu) -> None:
        self._chip = chip
        self._cpu = cpu
        self.modules: dict[str, Any] = {}
        self.names: dict[str, str] = {}
        self.sys = sys.build(chip, cpu, self.names, self.modules)
        self._os, open_file = os.build(chip, cpu)
        self._machine = machine.build(chip, cpu)
        self._stand_ins: Mapping[str, Callable[[], ModuleType]] = {
            "array": memory.build_array,
            "builtins": lambda: module("builtins", self.builtins),
            "gc": lambda: memory.build_gc(chip, cpu),
            "machine": lambda: self._machine,
            "micropython": lambda: micropython.build(chip, cpu),
            "os": lambda: self._os,
            "rp2": lambda: rp2.build(chip, cpu, self._machine.Pin),
            "select": lambda: select.build(chip, cpu),
            "sys": lambda: self.sys,
            "time": lambda: time.build(chip, cpu),
            "uctypes": lambda: memory.build_uctypes(chip, cpu),
        }
        stdin, stdout = self.sys.stdin, self.sys.stdout

        def show(*values: Any, sep: str = " ", end: str = "\n", file: Any = stdout) -> None:
            file.write(sep.join(map(str, values)) + end)

        def ask(prompt: str = "", /) -> str:
            stdout.write(prompt)
            line = stdin.readline()
            stdout.write(line)
            return line.rstrip("\n")

        self.builtins: dict[str, Any] = {name: getattr(host, name) for name in _BUILTINS}
        self.builtins.update(micropython.compiler_names(chip, cpu))
        self.builtins.update(
            __import__=self._import,
            __name__="builtins",
            bytearray=memory.bytearray_on_board,
            input=ask,
            open=open_file,
            print=show,
        )
        self.main = self._new_module("__main__")

    def close_dma(self) -> None:
        """Close what `rp2.DMA` objects are still open, as the port's final sweep does."""
        made = self.modules.get("rp2")
        for channel in list(made.DMA._open) if made is not None else []:
            channel.close()

    # --- running files ---

    def code(self, path: str) -> CodeType:
        """Compile a file in flash under the name it has on this computer, if it has one."""
        origin = self._chip.flash.origins.get(path)
        filename = str(origin) if origin is not None else path
        self.names[filename] = path.lstrip("/")
        return compiled(self._chip.flash.files[path], filename)

    def _new_module(self, name: str) -> ModuleType:
        return module(name, {"__builtins__": self.builtins})

    # --- import ---

    def _import(
        self,
        name: str,
        scope: Mapping[str, Any] | None = None,
        locals: Any = None,
        wanted: Any = None,
        level: int = 0,
    ) -> Any:
        if level:
            name = _absolute(name, scope or {}, level)
        if not name:
            raise ValueError
        top = outer = None
        done: list[str] = []
        for part in name.split("."):
            done.append(part)
            outer = self._one(".".join(done), part, outer)
            top = top or outer
        if not wanted:
            return top
        for one in wanted:
            if one != "*" and not hasattr(outer, one):
                if not hasattr(outer, "__path__"):
                    raise ImportError(f"can't import name {one}")
                self._one(f"{name}.{one}", one, outer)
        return outer

    def _one(self, full: str, last: str, outer: Any) -> Any:
        known = self.modules.get(full)
        if known is not None:
            return known
        if outer is not None:
            path = getattr(outer, "__path__", None)
            found = None if path is None else self._find(f"{path}/{last}")
            made = None if found is None else self._load(full, found)
        else:
            made = self._top_level(full)
        if made is None:
            raise ImportError(f"no module named '{full}'")
        if outer is not None:
            setattr(outer, last, made)
        return made

    def _top_level(self, name: str) -> Any:
        if name in _FIXED:
            return self._built_in(name)
        if name[0] == "u" and name[1:] in self._stand_ins:
            return self._built_in(name[1:])  # whatever file there is of the name
        for directory in self.sys.path:
            if directory == ".frozen":
                if name == "rp2":
                    return self._built_in(name)
                continue
            found = self._find(f"{directory}/{name}" if directory else name)
            if found is not None:
                return self._load(name, found)
        return self._built_in(name)

    def _built_in(self, name: str) -> Any:
        made: ModuleType | None
        if name in self._stand_ins:
            made = self._stand_ins[name]()
        else:
            if name in host_modules.NOT_MODELLED:
                self._cpu.not_modelled(f"module {name}")
            made = host_modules.build(name, self._chip.unique_id)
        if made is not None:
            self.modules[name] = made
        return made

    def _find(self, path: str) -> str | None:
        """The path of a package or a file, without its ending if it is a package."""
        where = normalise(path, self._os.getcwd())
        if where in self._chip.flash.directories:
            return path
        if where + ".py" in self._chip.flash.files:
            return path + ".py"
        return None

    def _load(self, name: str, path: str) -> Any:
        made = self._new_module(name)
        self.modules[name] = made
        scope = made.__dict__
        file = path
        if not path.endswith(".py"):
            scope["__path__"] = path
            file = path + "/__init__.py"
        where = normalise(file, self._os.getcwd())
        if where in self._chip.flash.files:
            scope["__file__"] = file
            try:
                exec(self.code(where), scope)
            except BaseException:
                self.modules.pop(name, None)
                raise
        return made


def _absolute(name: str, scope: Mapping[str, Any], level: int) -> str:
    """The full name of a relative import."""
    parts = scope.get("__name__", "").split(".")
    if "__path__" in scope:
        level -= 1
    if level:
        parts = parts[:-level]
    if not parts or parts == [""]:
        raise ImportError("can't perform relative import")
    return ".".join(parts + ([name] if name else []))
