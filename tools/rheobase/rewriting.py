"""Writes a module's source anew for where it is put together with others (merging.py)."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from rheobase.modules import Module, Name, bound_in, of_scope

if TYPE_CHECKING:
    from rheobase.merging import Merge


class Rewritten(ast.NodeTransformer):
    """A module with every name of a merged one as it is called there."""

    def __init__(self, merge: Merge, module: Module) -> None:
        self._merge = merge
        self._module = module
        self._home = merge.home.get(module.name)
        self._scopes: list[tuple[bool, dict[str, str | Name | None]]] = []  # (class, names)
        names: dict[str, str | Name | None] = {}
        if self._home:
            names = {name: merge.new.get(Name(module.name, name)) for name in module.bound}
        names |= self._from_others(module.tree)
        self._scopes.append((False, names))

    def _from_others(self, scope: ast.AST) -> dict[str, str | Name | None]:
        """What the imports of a scope bind: a name in this file, or a module put in another."""
        found: dict[str, str | Name | None] = {}
        for node in of_scope(scope):
            if isinstance(node, ast.ImportFrom):
                source = self._module.source_of(node)
                for alias in node.names:
                    owner = self._merge.resolved(Name(source, alias.name))
                    bound = alias.asname or alias.name
                    home = self._merge.home.get(owner.module)
                    if home and not owner.name:
                        found[bound] = owner
                    elif home and home == self._home:
                        found[bound] = self._merge.new[owner]
                    else:
                        found[bound] = None
        return found

    def _meaning(self, name: str) -> str | Name | None:
        inner = True
        for is_class, names in reversed(self._scopes):
            if name in names and (inner or not is_class):
                return names[name]
            inner = False
        return None

    def visit_Name(self, node: ast.Name) -> ast.AST:
        meaning = self._meaning(node.id)
        if isinstance(meaning, str):
            node.id = meaning
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return ast.Constant(self._merge.told.get(str(node.value), node.value))

    def visit_Tuple(self, node: ast.Tuple) -> ast.AST:
        """A list of modules has each of them once, where the last of its parts was."""
        modules = [n.value for n in node.elts if isinstance(n, ast.Constant)]
        self.generic_visit(node)
        if self._merge.modules.keys() >= set(modules) and len(modules) == len(node.elts):
            names = [n.value for n in node.elts if isinstance(n, ast.Constant)]
            node.elts = [
                ast.Constant(name)
                for place, name in enumerate(names)
                if name not in names[place + 1 :]
            ]
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if isinstance(node.value, ast.Name):
            owner = self._meaning(node.value.id)
            if isinstance(owner, Name):
                target = self._merge.resolved(Name(owner.module, node.attr))
                new = self._merge.new[target]
                if self._merge.home[target.module] == self._home:
                    return ast.copy_location(ast.Name(new, node.ctx), node)
                node.attr = new
                return node
        return self.generic_visit(node)

    def visit_Global(self, node: ast.Global) -> ast.AST:
        top = self._scopes[0][1]
        node.names = [new if isinstance(new := top.get(n), str) else n for n in node.names]
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | list[ast.stmt]:
        source = self._module.source_of(node)
        made: list[ast.stmt] = []
        left = []
        for alias in node.names:
            owner = self._merge.resolved(Name(source, alias.name))
            home = self._merge.home.get(owner.module)
            bound = alias.asname or alias.name
            if home is None:
                left.append(alias)
            elif home != self._home:
                module, name = home, self._merge.new.get(owner, "")
                if not owner.name:
                    module, _, name = home.rpartition(".")
                as_name = bound if bound != name else None
                made.append(ast.ImportFrom(module, [ast.alias(name, as_name)], 0))
        if left:
            made.append(ast.ImportFrom(source, left, 0))
        return made or ast.Pass()

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        meaning = self._meaning(node.name)
        node.name = meaning if isinstance(meaning, str) else node.name
        node.decorator_list = [self.visit(mark) for mark in node.decorator_list]
        self._visit_defaults(node.args)
        self._enter(node)
        node.body = [made for child in node.body for made in _as_list(self.visit(child))]
        self._scopes.pop()
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        meaning = self._meaning(node.name)
        node.name = meaning if isinstance(meaning, str) else node.name
        node.bases = [self.visit(base) for base in node.bases]
        self._enter(node)
        node.body = [made for child in node.body for made in _as_list(self.visit(child))]
        self._scopes.pop()
        return node

    def _enter(self, node: ast.AST) -> None:
        names: dict[str, str | Name | None] = dict.fromkeys(bound_in(node))
        names |= self._from_others(node)
        self._scopes.append((isinstance(node, ast.ClassDef), names))

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        self._visit_defaults(node.args)
        self._enter(node)
        node.body = self.visit(node.body)
        self._scopes.pop()
        return node

    def _visit_defaults(self, arguments: ast.arguments) -> None:
        arguments.defaults = [self.visit(value) for value in arguments.defaults]
        arguments.kw_defaults = [value and self.visit(value) for value in arguments.kw_defaults]

    def _visit_comprehension(self, node: Any) -> ast.AST:
        """The first thing gone through is evaluated outside of the comprehension's scope."""
        first = node.generators[0]
        outside = self.visit(first.iter)
        first.iter = ast.Constant(None)
        self._enter(node)
        self.generic_visit(node)
        self._scopes.pop()
        first.iter = outside
        return node

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _visit_comprehension


def joined(tree: ast.Module) -> ast.Module:
    """The tree with one statement, at the first, for all that its top imports from a module."""
    first: dict[str | None, ast.ImportFrom] = {}
    left: list[ast.stmt] = []
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and not node.level:
            if node.module in first:
                first[node.module].names += node.names
                continue
            first[node.module] = node
        left.append(node)
    tree.body = left
    return tree


def once(body: list[ast.stmt]) -> list[ast.stmt]:
    """The statements, the same import only once."""
    seen: set[str] = set()
    made = []
    for node in body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            text = ast.unparse(node)
            if text in seen:
                continue
            seen.add(text)
        made.append(node)
    return made


def _as_list(made: ast.AST | list[ast.stmt] | None) -> list[ast.stmt]:
    if isinstance(made, list):
        return made
    return [made] if isinstance(made, ast.stmt) else []


def says_nothing(node: ast.stmt) -> bool:
    """A docstring, an emptied import, or the list of public names."""
    if isinstance(node, ast.Assign):
        return ast.unparse(node.targets[0]) == "__all__"
    return isinstance(node, ast.Pass) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    )
