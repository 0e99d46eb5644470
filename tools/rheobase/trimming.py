"""Leaves out what only people, type checkers and CPython read, for the device.

Docstrings, what is under `if TYPE_CHECKING:`, annotations outside of viper functions, and the
stand-ins for what viper names at compile time (`ptr16`, `ptr32`, `const`), where viper functions
alone use them. Marks of fast functions (`# native`, `# viper`) are decorators in a tree.
"""

from __future__ import annotations

import ast
import re

VIPER = frozenset({"const", "ptr8", "ptr16", "ptr32"})
_MARK = re.compile(r"^( *)# (native|viper)$", re.MULTILINE)
_DECORATOR = re.compile(r"^( *)@micropython\.(native|viper)$", re.MULTILINE)


def parsed(source: str) -> ast.Module:
    """The tree of a source, its marks as decorators."""
    return ast.parse(_MARK.sub(r"\1@micropython.\2", source))


def written(tree: ast.AST) -> str:
    """The source of a tree, with marks again."""
    return _DECORATOR.sub(r"\1# \2", ast.unparse(tree)) + "\n"


def trimmed(source: str) -> str:
    """The source without what the device does not need; it does the same."""
    tree = parsed(source)
    used = {node.id for node in _outside_of_viper(tree) if isinstance(node, ast.Name)}
    return written(_without_pass(_Trimmed(VIPER - used).visit(tree)))


def is_viper(node: ast.AST) -> bool:
    """If a function is marked so: its annotations mean something, and it knows VIPER."""
    return isinstance(node, ast.FunctionDef) and any(
        ast.unparse(mark) == "micropython.viper" for mark in node.decorator_list
    )


def _outside_of_viper(tree: ast.AST) -> list[ast.AST]:
    """All nodes that load something, but for those of viper functions and of annotations."""
    found = []
    for node in ast.iter_child_nodes(tree):
        if not is_viper(node) and not _stands_in(node, VIPER):
            found += [node, *_outside_of_viper(node)]
    return found


def _stands_in(node: ast.AST, names: frozenset[str]) -> bool:
    """If a statement defines nothing but some of these names."""
    if isinstance(node, ast.FunctionDef):
        return node.name in names
    if isinstance(node, ast.Assign):
        return all(isinstance(to, ast.Name) and to.id in names for to in node.targets)
    if isinstance(node, ast.ImportFrom):
        return all((alias.asname or alias.name) in names for alias in node.names)
    if isinstance(node, ast.Try):
        inner = [*node.body, *(child for handler in node.handlers for child in handler.body)]
        return all(_stands_in(child, names) for child in inner)
    return False


def _without_pass(tree: ast.Module) -> ast.Module:
    """The tree without statements that do nothing, where nothing asks for one."""
    for node in ast.walk(tree):
        for body in (getattr(node, name, None) for name in ("body", "orelse", "finalbody")):
            if isinstance(body, list):
                left = [child for child in body if not isinstance(child, ast.Pass)]
                body[:] = left if left or isinstance(node, ast.Module) else body[:1]
    return tree


class _Trimmed(ast.NodeTransformer):
    def __init__(self, stand_ins: frozenset[str]) -> None:
        self._stand_ins = stand_ins

    def visit_Module(self, node: ast.Module) -> ast.Module:
        node.body = [child for child in node.body if not _stands_in(child, self._stand_ins)]
        self.generic_visit(node)
        return node

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        if ast.unparse(node.test) == "TYPE_CHECKING":
            return [made for child in node.orelse for made in self._visited(child)] or ast.Pass()
        self.generic_visit(node)
        return node

    def _visited(self, node: ast.stmt) -> list[ast.stmt]:
        made = self.visit(node)
        return made if isinstance(made, list) else [made]

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        if ast.unparse(node.targets[0]) == "TYPE_CHECKING":
            return ast.Pass()
        self.generic_visit(node)
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if node.value is None:
            return ast.Pass()
        return ast.copy_location(ast.Assign([node.target], self.visit(node.value)), node)

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        if isinstance(node.value, ast.Constant):
            return ast.Pass()
        self.generic_visit(node)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        if is_viper(node):
            return node
        node.returns = None
        for argument in ast.walk(node.args):
            if isinstance(argument, ast.arg):
                argument.annotation = None
        self.generic_visit(node)
        return node
