"""Runs the engine core with every intermediate integer watched.

MicroPython's small integers end at 2**30; beyond, each operation allocates, which the hot path
must never do. The core's modules are loaded a second time, with a call around every operation
that can make a new number, so that not only what is stored is seen but every step on the way.
"""

import ast
import importlib
import importlib.abc
import importlib.machinery
import sys
from contextlib import contextmanager
from types import ModuleType

PACKAGE = "firmware.core"
WATCH = "_watch_integer"
LIMIT = 1 << 30


class Watch:
    """While `on`, remembers where an integer left the range, and the extremes that were seen."""

    def __init__(self) -> None:
        self.on = False
        self.seen = 0
        self.largest = 0
        self.outside: dict[tuple[str, int], int] = {}

    def __call__(self, value, module: str, line: int):
        if self.on and type(value) is int:
            self.seen += 1
            size = value if value >= 0 else -value - 1
            if size > self.largest:
                self.largest = size
            if size >= LIMIT:
                self.outside.setdefault((module, line), value)
        return value

    @contextmanager
    def watching(self):
        """The hot path: from here on numbers have to be small."""
        self.on = True
        try:
            yield
        finally:
            self.on = False


class _Wrap(ast.NodeTransformer):
    """Puts a call of the watch around what makes a new number."""

    def __init__(self, module: str) -> None:
        self._module = module

    def _watched(self, node: ast.expr) -> ast.expr:
        where = [ast.Constant(self._module), ast.Constant(node.lineno)]
        call = ast.Call(ast.Name(WATCH, ast.Load()), [node, *where], [])
        return ast.fix_missing_locations(ast.copy_location(call, node))

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        return self._watched(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        self.generic_visit(node)
        return self._watched(node)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        return self._watched(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.stmt:
        """x += y becomes x = x + y; our targets have no effects that would happen twice."""
        self.generic_visit(node)
        value = ast.parse(ast.unparse(node.target), mode="eval").body
        for part in ast.walk(value):
            ast.copy_location(part, node)
        sum_ = ast.copy_location(ast.BinOp(value, node.op, node.value), node)
        assign = ast.Assign([node.target], self._watched(sum_))
        return ast.fix_missing_locations(ast.copy_location(assign, node))


class _Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, name: str, path: str, watch: Watch) -> None:
        super().__init__(name, path)
        self._watch = watch

    def get_code(self, fullname: str):
        path = self.get_filename(fullname)
        tree = _Wrap(fullname).visit(ast.parse(self.get_data(path), path))
        return compile(tree, path, "exec", dont_inherit=True)

    def exec_module(self, module: ModuleType) -> None:
        setattr(module, WATCH, self._watch)
        super().exec_module(module)


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def find_spec(self, fullname, path, target=None):
        if not fullname.startswith(PACKAGE + "."):
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path)
        if spec and spec.origin:
            spec.loader = _Loader(fullname, spec.origin, self._watch)
        return spec


def watched_core(*names: str) -> tuple[Watch, dict[str, ModuleType]]:
    """Modules of the core, loaded anew under a watch; the program's own stay as they are."""
    watch = Watch()
    finder = _Finder(watch)
    own = {name: module for name, module in sys.modules.items() if name.startswith(PACKAGE + ".")}
    parent = importlib.import_module(PACKAGE)
    shown = {name: getattr(parent, name) for name in dir(parent)}
    for name in own:
        del sys.modules[name]
    sys.meta_path.insert(0, finder)
    try:
        modules = {name: importlib.import_module(f"{PACKAGE}.{name}") for name in names}
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if name.startswith(PACKAGE + ".")]:
            del sys.modules[name]
        sys.modules.update(own)
        for name, value in shown.items():
            setattr(parent, name, value)
    return watch, modules
