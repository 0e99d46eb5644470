"""A source of the firmware as a module: what it binds, what it imports, where its names hold."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from rheobase.folding import dotted
from rheobase.trimming import parsed

_FUNCTION = ast.FunctionDef | ast.Lambda
_COMPREHENSION = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
_SCOPE = ast.FunctionDef | ast.Lambda | ast.ClassDef | _COMPREHENSION


class Name(NamedTuple):
    """A name in a module of the program; with no name, the module itself."""

    module: str
    name: str


class Module:
    """A source with what it binds and what it imports from the others."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.package = path.endswith("__init__.py")
        self.name = dotted(path)
        self.tree = parsed(text)
        self.bound = bound_in(self.tree)
        self.local = {
            name
            for node in ast.walk(self.tree)
            if isinstance(node, _SCOPE)
            for name in bound_in(node)
        }
        self.rebound = {
            name
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Global)
            for name in node.names
        }
        self.imported = self._imported()

    def _imported(self) -> dict[str, Name]:
        """What its names mean that it imports at its top."""
        found = {}
        for node in self.imports(top=True):
            if isinstance(node, ast.ImportFrom):
                source = self.source_of(node)
                for alias in node.names:
                    found[alias.asname or alias.name] = Name(source, alias.name)
            else:
                for alias in node.names:
                    whole = alias.name if alias.asname else alias.name.split(".")[0]
                    found[alias.asname or whole] = Name(whole, "")
        return found

    @property
    def folder(self) -> str:
        return self.name if self.package else self.name.rpartition(".")[0]

    def source_of(self, node: ast.ImportFrom) -> str:
        """The module that an import means."""
        if not node.level:
            return node.module or ""
        parts = self.name.split(".") if self.package else self.name.split(".")[:-1]
        parts = parts[: len(parts) - node.level + 1]
        return ".".join(parts + ([node.module] if node.module else []))

    def imports(self, top: bool) -> Iterator[ast.ImportFrom | ast.Import]:
        """Its import statements, those outside of functions or all."""
        for node in _outside_of_functions(self.tree) if top else ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom | ast.Import):
                yield node


def bound_in(scope: ast.AST) -> set[str]:
    """The names that a scope binds."""
    found: set[str] = set()
    outside: set[str] = set()
    if isinstance(scope, _FUNCTION):
        found = {node.arg for node in ast.walk(scope.args) if isinstance(node, ast.arg)}
    for node in of_scope(scope):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {alias.asname or alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ExceptHandler) and node.name:
            found.add(node.name)
        elif isinstance(node, ast.Global | ast.Nonlocal):
            outside |= set(node.names)
    return found - outside


def of_scope(scope: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a scope without those of the scopes in it, whose own node is given."""
    for node in ast.iter_child_nodes(scope):
        yield node
        if not isinstance(node, _SCOPE):
            yield from of_scope(node)


def _outside_of_functions(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        yield node
        if not isinstance(node, _FUNCTION):
            yield from _outside_of_functions(node)


def free_in(module: Module) -> set[str]:
    """Names that a module uses and does not bind at its top: builtins, or a scope's own."""
    names = {node.id for node in ast.walk(module.tree) if isinstance(node, ast.Name)}
    return names - module.bound


def read_in(scope: ast.ClassDef) -> set[str]:
    """Names that the body of a class both binds and reads."""
    loaded = {n.id for n in of_scope(scope) if isinstance(n, ast.Name) and _loads(n)}
    return loaded & bound_in(scope)


def _loads(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Load)


def as_objects(tree: ast.AST) -> set[str]:
    """Names that are more than `name.attribute`, or of which an attribute is set."""
    plain = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)
    }
    return {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and id(n) not in plain}


def texts_in(tree: ast.Module) -> dict[str, str]:
    """What stands for a text: the name that it is bound to at the top, or itself, quoted."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found[ast.unparse(node)] = node.value
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.value) in found:
            found[ast.unparse(node.targets[0])] = found[ast.unparse(node.value)]
    return found
