"""Writes constants into the code that uses them, for the device: a name there costs RAM and time.

A constant is a module's whole number under a name in CAPITALS, assigned once at its top level,
from literals, other constants and `limit("...")`. Its uses in every module become the number,
and what nobody asks for by name any more is left out: the assignment, the import, and with the
last import of a module the module itself, until somebody imports it. Line numbers stay.

Boards are left alone: they are handed around as objects.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Iterator, Mapping

_CONSTANT = re.compile(r"_?[A-Z][A-Z0-9_]*\Z")
_LIMITS = "firmware/core/limits.py"
_LEFT_ALONE = ("firmware/boards/",)
_OPERATORS: dict[type, Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
    ast.BitOr: operator.or_,
    ast.BitAnd: operator.and_,
    ast.BitXor: operator.xor,
}
_Edit = tuple[int, int, int, int, str]  # first line, column, last line, column (bytes), text


def folded(sources: Mapping[str, str]) -> dict[str, str]:
    """The sources (by path on the device) with their constants folded.

    Raises ValueError for one that is no Python.
    """
    limits = _limits(sources.get(_LIMITS, "LIMITS = {}"))
    modules = {dotted(path): _Module(path, text) for path, text in sources.items()}
    for module in modules.values():
        module.resolve(modules, limits)
    kept = {use for module in modules.values() for use in module.find_uses(modules)}
    return {module.path: module.rewritten(modules, kept) for module in modules.values()}


def _limits(source: str) -> dict[str, int]:
    """The numbers of the table of limits."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "LIMITS":
            return {name: row[0] for name, row in ast.literal_eval(node.value).items()}
    return {}


def dotted(path: str) -> str:
    """What a file is imported as."""
    name = path.removeprefix("lib/").removesuffix(".py").removesuffix("/__init__")
    return name.replace("/", ".")


class _Module:
    """A source, its constants, and where they are used."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.name = dotted(path)
        self.text = text
        try:
            self.tree = ast.parse(text)
        except SyntaxError as error:
            raise ValueError(f"{path}: {error}") from error
        self.constants: dict[str, int] = {}
        self.imported: dict[str, tuple[str, str]] = {}  # here: (module, name there)
        self.imports: list[ast.ImportFrom] = []
        self._definitions: list[tuple[ast.Assign, list[str]]] = []
        self._edits: list[_Edit] = []
        self._named: set[str] = set()  # imported names that are still used as names
        self._resolved = False

    # -- what is constant ---------------------------------------------------------------------

    def resolve(self, modules: Mapping[str, _Module], limits: Mapping[str, int]) -> None:
        """Work out the module's constants, those of what it imports first."""
        if self._resolved:
            return
        self._resolved = True
        self._limits = limits
        for node in self.tree.body:
            if isinstance(node, ast.ImportFrom):
                self._note_import(node, modules, limits)
        stored = self._stored()
        for node in self.tree.body:
            if isinstance(node, ast.Assign) and len(node.targets) == 1:
                self._note_assignment(node, stored, modules)

    def _note_import(
        self, node: ast.ImportFrom, modules: Mapping[str, _Module], limits: Mapping[str, int]
    ) -> None:
        source = self._source_of(node)
        self.imports.append(node)
        for alias in node.names:
            self.imported[alias.asname or alias.name] = (source, alias.name)
            for name in (source, f"{source}.{alias.name}"):
                if name in modules:
                    modules[name].resolve(modules, limits)

    def _source_of(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        package = self.name.split(".")
        if not self.path.endswith("__init__.py"):
            package = package[:-1]
        package = package[: len(package) - node.level + 1]
        return ".".join(package + ([node.module] if node.module else []))

    def _stored(self) -> dict[str, int]:
        """How often each name is bound, anywhere in the module."""
        count: dict[str, int] = {}
        for node in ast.walk(self.tree):
            name = None
            if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                name = node.id
            elif isinstance(node, ast.arg):
                name = node.arg
            elif isinstance(node, ast.FunctionDef | ast.ClassDef):
                name = node.name
            if name:
                count[name] = count.get(name, 0) + 1
        return count

    def _note_assignment(
        self, node: ast.Assign, stored: dict[str, int], modules: Mapping[str, _Module]
    ) -> None:
        target = node.targets[0]
        targets = target.elts if isinstance(target, ast.Tuple) else [target]
        values = self._values(node.value, modules) if len(targets) > 1 else None
        if len(targets) == 1:
            value = self.value(node.value, modules)
            values = None if value is None else [value]
        names = [item.id for item in targets if isinstance(item, ast.Name)]
        if values is None or not len(names) == len(targets) == len(values):
            return
        if self.path.startswith(_LEFT_ALONE):
            return
        if all(_CONSTANT.match(name) and stored[name] == 1 for name in names):
            self.constants.update(zip(names, values, strict=True))
            self._definitions.append((node, names))

    def _values(self, node: ast.expr, modules: Mapping[str, _Module]) -> list[int] | None:
        if isinstance(node, ast.Tuple):
            found = [self.value(item, modules) for item in node.elts]
            return None if None in found else [value for value in found if value is not None]
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "range":
            count = self.value(node.args[0], modules) if len(node.args) == 1 else None
            return None if count is None else list(range(count))
        return None

    def value(self, node: ast.expr, modules: Mapping[str, _Module]) -> int | None:
        """The whole number that an expression always is, or None."""
        if isinstance(node, ast.Constant):
            return node.value if type(node.value) is int else None
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            inner = self.value(node.operand, modules)
            return None if inner is None else -inner
        if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
            left, right = self.value(node.left, modules), self.value(node.right, modules)
            if left is None or right is None:
                return None
            return _OPERATORS[type(node.op)](left, right)
        if isinstance(node, ast.Name | ast.Attribute):
            owner = self._owner(node, modules)
            return None if owner is None else modules[owner[0]].constants[owner[1]]
        if isinstance(node, ast.Call) and len(node.args) == 1 and not node.keywords:
            return self._called(node, modules)
        return None

    def _called(self, node: ast.Call, modules: Mapping[str, _Module]) -> int | None:
        if not isinstance(node.func, ast.Name):
            return None
        argument = node.args[0]
        if node.func.id == "const":
            return self.value(argument, modules)
        if self.imported.get(node.func.id) == ("firmware.core.limits", "limit"):
            return self._limits[ast.literal_eval(argument)] if _is_text(argument) else None
        return None

    def _owner(
        self, node: ast.Name | ast.Attribute, modules: Mapping[str, _Module]
    ) -> tuple[str, str] | None:
        """(module, name) of the constant that a name or `module.NAME` means, or None."""
        if isinstance(node, ast.Name):
            source, name = self.name, node.id
            if name not in self.constants:
                source, name = self.imported.get(node.id, ("", ""))
        elif isinstance(node.value, ast.Name):
            source = ".".join(self.imported.get(node.value.id, ("", "")))
            name = node.attr
        else:
            return None
        if source in modules and name in modules[source].constants:
            return source, name
        return None

    # -- where it is used ---------------------------------------------------------------------

    def find_uses(self, modules: Mapping[str, _Module]) -> Iterator[tuple[str, str]]:
        """Note what becomes a number; yields the constants that somebody still asks by name."""
        if self.path.endswith("__init__.py") or self.path.startswith(_LEFT_ALONE):
            yield from self.imported.values()
            return
        for node, in_text in _expressions(self.tree, False):
            if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                continue
            number = None
            owner = None
            if isinstance(node, ast.Name | ast.Attribute):
                owner = self._owner(node, modules)
                number = None if owner is None else modules[owner[0]].constants[owner[1]]
            elif isinstance(node, ast.Call):
                number = self._called(node, modules) if len(node.args) == 1 else None
            if number is not None and not in_text:  # positions in an f-string are not to be had
                self._replace(node, f"({number})" if number < 0 else str(number))
            elif owner:
                yield owner
        replaced = {edit[:4] for edit in self._edits}
        for node, _ in _expressions(self.tree, False):
            if isinstance(node, ast.Name) and not _within(node, replaced):
                self._named.add(node.id)

    def _replace(self, node: ast.expr, text: str) -> None:
        assert node.end_lineno is not None and node.end_col_offset is not None
        where = (node.lineno, node.col_offset, node.end_lineno, node.end_col_offset)
        if not _within(node, {edit[:4] for edit in self._edits}):
            self._edits.append((*where, text + "\n" * (node.end_lineno - node.lineno)))

    def rewritten(self, modules: Mapping[str, _Module], kept: set[tuple[str, str]]) -> str:
        """The source with every edit made."""
        for node, names in self._definitions:
            if not any((self.name, name) in kept for name in names):
                self._edits = [edit for edit in self._edits if not _covers(node, edit)]
                self._cut(node, "")
        if self._edits:
            for imported in self.imports:
                self._cut_import(imported, modules)
        lines = self.text.encode().split(b"\n")
        for first, start, last, end, text in sorted(self._edits, reverse=True):
            new = lines[first - 1][:start] + text.encode() + lines[last - 1][end:]
            lines[first - 1 : last] = new.split(b"\n")
        return b"\n".join(lines).decode()

    def _cut_import(self, node: ast.ImportFrom, modules: Mapping[str, _Module]) -> None:
        source = self._source_of(node)
        if source not in modules:
            return
        left = []
        for alias in node.names:
            name = alias.asname or alias.name
            gone = alias.name in modules[source].constants or name == "limit"
            if name in self._named or not gone:
                left.append(alias.name + (f" as {alias.asname}" if alias.asname else ""))
        if len(left) < len(node.names):
            dots = "." * node.level + (node.module or "")
            self._cut(node, f"from {dots} import {', '.join(left)}" if left else "")

    def _cut(self, node: ast.stmt, text: str) -> None:
        assert node.end_lineno is not None and node.end_col_offset is not None
        text += "\n" * (node.end_lineno - node.lineno)
        self._edits.append(
            (node.lineno, node.col_offset, node.end_lineno, node.end_col_offset, text)
        )


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _expressions(node: ast.AST, in_text: bool) -> Iterator[tuple[ast.expr, bool]]:
    """All expressions, outer ones first, and whether they stand in an f-string."""
    for child in ast.iter_child_nodes(node):
        inside = in_text or isinstance(child, ast.JoinedStr)
        if isinstance(child, ast.expr):
            yield child, inside
        yield from _expressions(child, inside)


def _within(node: ast.expr, edits: set[tuple[int, int, int, int]]) -> bool:
    start = (node.lineno, node.col_offset)
    return any(edit[:2] <= start < edit[2:4] for edit in edits)


def _covers(node: ast.stmt, edit: _Edit) -> bool:
    start = (node.lineno, node.col_offset)
    return start <= edit[:2] <= (node.end_lineno or 0, node.end_col_offset or 0)
