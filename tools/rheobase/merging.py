"""Puts the modules that are always loaded into one for each folder, for the device.

A module there costs four names, a dictionary and 5 ms of the start. What the application imports
while it starts goes into the folder's `__init__`, in the order of import, and what the engine
imports beyond that goes into the engine; every import of it is written anew, and names that would
meet are changed. Left alone is a module that

- is imported by a name in a string, or in a function only: it comes and goes;
- is handed around as an object, or has an attribute set from outside;
- asks for its own `__name__` or `__file__`, or is a program of a state machine;
- has a class whose body sets a name that it reads from around it;
- has an imported name that it binds anew while it runs.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from rheobase.folding import dotted
from rheobase.trimming import parsed, written

ENTRIES = ("firmware.app",)
ENGINE = "firmware.safety.engine"  # loaded in one piece, behind the first answers
_APART = ("firmware.boards", "firmware.core.plain")
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


def merged(sources: Mapping[str, str]) -> dict[str, str]:
    """The sources (by path) with the modules of each folder put together where they can be."""
    modules = {dotted(path): Module(path, text) for path, text in sources.items()}
    return _Merge(modules).sources() if all(name in modules for name in ENTRIES) else dict(sources)


def order_of_import(sources: Mapping[str, str], entries: Iterable[str]) -> list[str]:
    """The modules that some import at their top, once they are merged: each behind its own."""
    merge = _Merge({dotted(path): Module(path, text) for path, text in sources.items()})
    order: list[str] = []
    for name in entries:
        merge.load(name, order)
    needs = merge.needs(order, merge.home)
    made: list[str] = []

    def append(name: str) -> None:
        if name not in seen:
            seen.add(name)
            for other in sorted(needs.get(name, set())):
                append(other)
            made.append(name)

    seen: set[str] = set()
    for name in order:
        append(merge.home.get(name, name))
    return made


class _Merge:
    def __init__(self, modules: Mapping[str, Module]) -> None:
        self.modules = modules
        order: list[str] = []
        for name in ENTRIES:
            self.load(name, order)
        start = len(order)
        self.load(ENGINE, order)
        apart = self._apart() - {ENGINE}
        self.groups: dict[str, list[Module]] = {}
        for at, name in enumerate(order):
            module = modules[name]
            home = module.folder if at < start else ENGINE
            if name not in apart and home in modules:
                self.groups.setdefault(home, []).append(module)
        for folder in self._entangled(order):
            del self.groups[folder]
        self.home = {
            module.name: folder for folder, group in self.groups.items() for module in group
        }
        self.new: dict[Name, str] = {}
        for folder, group in self.groups.items():
            self._choose(folder, group)

    # -- what goes together -------------------------------------------------------------------

    def load(self, name: str, order: list[str]) -> None:
        """Append a module behind what it imports at its top level."""
        if name in order or name not in self.modules:
            return
        module = self.modules[name]
        for node in module.imports(top=True):
            for wanted in self._wanted(module, node):
                if wanted != name:
                    self.load(wanted, order)
        if name not in order:
            order.append(name)

    def _wanted(self, module: Module, node: ast.ImportFrom | ast.Import) -> Iterator[str]:
        """The modules of the program that an import loads."""
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in self.modules)
            return
        source = module.source_of(node)
        if source in self.modules:
            yield source
        for alias in node.names:
            if f"{source}.{alias.name}" in self.modules:
                yield f"{source}.{alias.name}"

    def _apart(self) -> set[str]:
        """Modules that are left alone (and some names that are none)."""
        found = {name for name in self.modules if name.startswith(_APART)} | set(ENTRIES)
        for module in self.modules.values():
            names = {node.id for node in ast.walk(module.tree) if isinstance(node, ast.Name)}
            if names & {"__name__", "__file__"} or "asm_pio" in ast.unparse(module.tree):
                found.add(module.name)
            for node in ast.walk(module.tree):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found.add(node.value)
                elif isinstance(node, ast.ClassDef) and _read_in(node) & module.bound:
                    found.add(module.name)
            found.update(self._not_only_named(module))
        return found

    def _not_only_named(self, module: Module) -> Iterator[str]:
        """Modules that this one uses in another way than to import names from them."""
        handed = _as_objects(module.tree)
        for node in module.imports(top=False):
            if isinstance(node, ast.Import):
                yield from self._wanted(module, node)
                continue
            source = module.source_of(node)
            for alias in node.names:
                if (alias.asname or alias.name) in handed:
                    yield f"{source}.{alias.name}"
                owner = self.resolved(Name(source, alias.name))
                if owner.module in self.modules and owner.name in self._rebound(owner.module):
                    yield owner.module

    def _rebound(self, module: str) -> set[str]:
        return self.modules[module].rebound

    def _entangled(self, order: list[str]) -> set[str]:
        """Folders whose modules another one imports while they import it."""
        home = {module.name: folder for folder in self.groups for module in self.groups[folder]}
        needs = self.needs(order, home)
        found = set()
        for folder in self.groups:
            reached: set[str] = set()
            ways = [folder]
            while ways:
                for other in needs.get(ways.pop(), set()) - reached:
                    reached.add(other)
                    ways.append(other)
            if folder in reached:
                found.add(folder)
        return found

    def needs(self, order: Iterable[str], home: Mapping[str, str]) -> dict[str, set[str]]:
        """What each module, or the folder it is put in, imports from other ones at its top."""
        needs: dict[str, set[str]] = {}
        for name in order:
            module = self.modules[name]
            for node in module.imports(top=True):
                for wanted in self._wanted(module, node):
                    if home.get(wanted, wanted) != home.get(name, name):
                        needs.setdefault(home.get(name, name), set()).add(home.get(wanted, wanted))
        return needs

    # -- what it is called --------------------------------------------------------------------

    def resolved(self, name: Name) -> Name:
        """Where a name is defined: imported names are followed to their source."""
        while name.module in self.modules:
            if f"{name.module}.{name.name}" in self.modules:
                return Name(f"{name.module}.{name.name}", "")
            found = self.modules[name.module].imported.get(name.name)
            if found is None:
                break
            name = found
        return name

    def _choose(self, folder: str, group: list[Module]) -> None:
        """A name in the folder's module for each that its modules bind."""
        taken = {name.rpartition(".")[2] for name in self.modules if name.startswith(folder)}
        taken |= self._foreign(folder, group)
        local = set().union(*(module.local for module in group))
        for module in group:
            others = [other for other in group if other is not module]
            free = set().union(*(_free_in(other) for other in others))
            aliased = self._aliased(module, group)
            for name in sorted(module.bound - set(module.imported)):
                new = name
                while new in taken or new in free or (name in aliased and new in local):
                    new += "_" + module.name.rpartition(".")[2]
                    new = new if new not in local else new + "_"
                taken.add(new)
                self.new[Name(module.name, name)] = new

    def _foreign(self, folder: str, group: list[Module]) -> set[str]:
        """Names of what the group imports from elsewhere; ValueError if one has two meanings."""
        found: dict[str, Name] = {}
        for module in group:
            for name, source in module.imported.items():
                owner = self.resolved(source)
                if self.home.get(owner.module) == folder:
                    continue
                if found.setdefault(name, owner) != owner:
                    raise ValueError(f"{name} in {folder}: {owner} and {found[name]}")
        return set(found)

    def _aliased(self, module: Module, group: list[Module]) -> set[str]:
        """Names of the module that its group writes in another way than it does."""
        found = set()
        for other in group:
            for node in other.imports(top=False):
                if isinstance(node, ast.ImportFrom):
                    for alias in node.names:
                        owner = self.resolved(Name(other.source_of(node), alias.name))
                        if owner.module == module.name and not owner.name:
                            found |= module.bound
                        elif owner.module == module.name and alias.asname:
                            found.add(owner.name)
        return found

    # -- the sources --------------------------------------------------------------------------

    def sources(self) -> dict[str, str]:
        made = {}
        for module in self.modules.values():
            if module.name not in self.home and module.name not in self.groups:
                made[module.path] = written(_joined(_Rewritten(self, module).visit(module.tree)))
        for folder, group in self.groups.items():
            body = [
                node
                for module in group
                for node in _Rewritten(self, module).visit(module.tree).body
                if not _says_nothing(node)
            ]
            tree = _joined(ast.Module(_once(body), []))
            made[self.modules[folder].path] = written(tree)
        return made


class _Rewritten(ast.NodeTransformer):
    """A module with every name of a merged one as it is called there."""

    def __init__(self, merge: _Merge, module: Module) -> None:
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
        for node in _of_scope(scope):
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


def _as_list(made: ast.AST | list[ast.stmt] | None) -> list[ast.stmt]:
    if isinstance(made, list):
        return made
    return [made] if isinstance(made, ast.stmt) else []


def _outside_of_functions(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        yield node
        if not isinstance(node, _FUNCTION):
            yield from _outside_of_functions(node)


def _of_scope(scope: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a scope without those of the scopes in it, whose own node is given."""
    for node in ast.iter_child_nodes(scope):
        yield node
        if not isinstance(node, _SCOPE):
            yield from _of_scope(node)


def bound_in(scope: ast.AST) -> set[str]:
    """The names that a scope binds."""
    found: set[str] = set()
    outside: set[str] = set()
    if isinstance(scope, _FUNCTION):
        found = {node.arg for node in ast.walk(scope.args) if isinstance(node, ast.arg)}
    for node in _of_scope(scope):
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


def _read_in(scope: ast.ClassDef) -> set[str]:
    """Names that the body of a class both binds and reads."""
    loaded = {n.id for n in _of_scope(scope) if isinstance(n, ast.Name) and _loads(n)}
    return loaded & bound_in(scope)


def _loads(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Load)


def _free_in(module: Module) -> set[str]:
    """Names that a module uses and does not bind at its top: builtins, or a scope's own."""
    names = {node.id for node in ast.walk(module.tree) if isinstance(node, ast.Name)}
    return names - module.bound


def _as_objects(tree: ast.AST) -> set[str]:
    """Names that are more than `name.attribute`, or of which an attribute is set."""
    plain = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)
    }
    return {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and id(n) not in plain}


def _says_nothing(node: ast.stmt) -> bool:
    """A docstring, an emptied import, or the list of public names."""
    if isinstance(node, ast.Assign):
        return ast.unparse(node.targets[0]) == "__all__"
    return isinstance(node, ast.Pass) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    )


def _joined(tree: ast.Module) -> ast.Module:
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


def _once(body: list[ast.stmt]) -> list[ast.stmt]:
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
