"""Gives names short ones, used over and over, for the device: each name there costs RAM.

Renamed are, in all sources alike,

- private names (one underscore before them), wherever they stand;
- what a module defines at its top, if nothing else in the program has that name;
- parameters, which get words that every MicroPython has in its ROM.

Two names that could meet get different ones: those in a module, and those in a class with its
relatives. A name stays that stands in a string, as for `getattr`, that a call passes by keyword,
that something from outside of these sources has, or that is wanted at the prompt (KEPT).
"""

from __future__ import annotations

import ast
import builtins
import re
import string
from collections.abc import Iterable, Iterator, Mapping
from itertools import product

from rheobase.folding import dotted
from rheobase.trimming import VIPER, parsed, written

KEPT = ("bench.py", "firmware/app.py", "firmware/boards/")  # modules with their public names
# In `static_qstr_list` of MicroPython's py/makeqstrdata.py, the names of every port.
IN_ROM = (
    *("value", "key", "count", "index", "start", "end", "step", "stop", "values", "keys"),
    *("items", "args", "copy", "find", "get", "send", "insert", "append", "update", "remove"),
    *("replace", "write", "read", "close", "clear", "self"),
)
_PRIVATE = re.compile(r"_[A-Za-z0-9][A-Za-z0-9_]*\Z")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NOT_OURS = frozenset(dir(builtins)) | VIPER | {"micropython", "native", "viper", "uint"}


def short_names(sources: Mapping[str, str]) -> dict[str, str]:
    """The new name of each that gets one; parameters aside, which need no name to be read."""
    program = _Program({path: parsed(text) for path, text in sources.items()})
    return _chosen(program.groups(), program.everything)


def shortened(sources: Mapping[str, str], *, public: bool = True) -> dict[str, str]:
    """The sources (by path), their marks kept, with short names; without `public` those keep
    theirs that modules define for others."""
    trees = {path: parsed(text) for path, text in sources.items()}
    program = _Program(trees)
    if not public:
        program.wanted = {name for name in program.wanted if _PRIVATE.match(name)}
    new = _chosen(program.groups(), program.everything)
    for tree in trees.values():
        _Renamed(new).visit(tree)
        _name_parameters(tree, program.keywords | program.in_strings)
    return {path: written(tree) for path, tree in trees.items()}


class _Program:
    """All sources: what is renamed, and what must differ."""

    def __init__(self, trees: Mapping[str, ast.Module]) -> None:
        self._trees = trees
        nodes = [node for tree in trees.values() for node in ast.walk(tree)]
        self.in_strings = {
            word
            for node in nodes
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
            for word in _IDENTIFIER.findall(node.value)
        }
        self.keywords = {n.arg for n in nodes if isinstance(n, ast.keyword) and n.arg}
        self.everything = set().union(*(_identifiers(tree) for tree in trees.values()))
        self._families = _families(nodes)
        members = set().union(*self._families)
        top = {name: _defined_at_top(tree) for name, tree in trees.items()}
        defined = members.union(*top.values()) | {
            node.name for node in nodes if isinstance(node, ast.FunctionDef)
        }
        outside = _NOT_OURS | self.in_strings | self.keywords | self._foreign(nodes)
        for path, tree in trees.items():
            public = {name for name in top[path] if not _PRIVATE.match(name)}
            by_string = dotted(path) in _strings(nodes) or path.startswith(KEPT)
            if by_string:
                outside |= public
            if any("asm_pio" in ast.unparse(node) for node in _decorators(tree)):
                outside |= _identifiers(tree)
        attributes = self._attributes(nodes)
        wanted = {name for name in defined if _PRIVATE.match(name)}
        wanted |= set().union(*top.values()) - attributes - members
        self.wanted = {name for name in wanted - outside if not name.startswith("__")}

    def _foreign(self, nodes: Iterable[ast.AST]) -> set[str]:
        """Names imported from outside."""
        ours = {dotted(path).split(".")[0] for path in self._trees}
        found = set()
        for node in nodes:
            if isinstance(node, ast.Import):
                found |= {part for a in node.names for part in a.name.split(".")}
                found |= {a.asname for a in node.names if a.asname}
            elif isinstance(node, ast.ImportFrom):
                found |= set((node.module or "").split("."))
                if not node.level and (node.module or "").split(".")[0] not in ours:
                    found |= {alias.asname or alias.name for alias in node.names}
                    found |= {alias.name for alias in node.names}
        return found | {part for path in self._trees for part in dotted(path).split(".")}

    def _attributes(self, nodes: Iterable[ast.AST]) -> set[str]:
        """Names behind a dot, but for those behind the name of a module of the program."""
        modules = {dotted(path) for path in self._trees}
        names = set()
        for node in nodes:
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    if f"{node.module}.{alias.name}" in modules:
                        names.add(alias.asname or alias.name)
        return {
            node.attr
            for node in nodes
            if isinstance(node, ast.Attribute)
            and not (isinstance(node.value, ast.Name) and node.value.id in names)
        }

    def groups(self) -> list[set[str]]:
        """Sets of names that must differ."""
        found = [_identifiers(tree, attributes=False) for tree in self._trees.values()]
        found += self._families
        everywhere = self._set_from_outside()
        return [(group | everywhere) & self.wanted for group in found]

    def _set_from_outside(self) -> set[str]:
        """Attributes that are set on something else than `self`: it could be anything."""
        found = set()
        for tree in self._trees.values():
            for node in ast.walk(tree):
                if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
                    found |= set() if _of_self(node) else {node.attr}
        return found


def _strings(nodes: Iterable[ast.AST]) -> set[str]:
    return {n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)}


def _decorators(tree: ast.AST) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            yield from node.decorator_list


def _identifiers(tree: ast.AST, attributes: bool = True) -> set[str]:
    """All names in a source; without `attributes` those that scopes bind or look up."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef | ast.ExceptHandler) and node.name:
            found.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {alias.asname or alias.name for alias in node.names}
            found |= {alias.name for alias in node.names}
        elif attributes and isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif attributes and isinstance(node, ast.keyword) and node.arg:
            found.add(node.arg)
    return found


def _defined_at_top(tree: ast.Module) -> set[str]:
    """What a module defines, imports left aside."""
    found = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                found |= {n.id for n in ast.walk(target) if isinstance(n, ast.Name)}
    return found


def _families(nodes: Iterable[ast.AST]) -> list[set[str]]:
    """The attributes of each class, its bases and whatever inherits from them, together."""
    classes = [node for node in nodes if isinstance(node, ast.ClassDef)]
    families: list[tuple[set[str], set[str]]] = []  # (names of classes, attributes)
    for node in classes:
        relatives = {node.name} | {
            base.id if isinstance(base, ast.Name) else getattr(base, "attr", "")
            for base in node.bases
        } - {"Exception"}
        members = _members(node)
        for family in [family for family in families if family[0] & relatives]:
            families.remove(family)
            relatives |= family[0]
            members |= family[1]
        families.append((relatives, members))
    return [members for _, members in families]


def _members(node: ast.ClassDef) -> set[str]:
    """What the class's body binds or uses, and what its methods find in `self`."""
    found = set()
    for child in node.body:
        if isinstance(child, ast.FunctionDef):
            found.add(child.name)
        else:
            found |= {n.id for n in ast.walk(child) if isinstance(n, ast.Name)}
    for inner in ast.walk(node):
        if isinstance(inner, ast.Attribute) and _of_self(inner):
            found.add(inner.attr)
    return found


def _of_self(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id == "self"


def _chosen(groups: Iterable[set[str]], taken: set[str]) -> dict[str, str]:
    """A new name for each: the first that none of those it meets has."""
    meets: dict[str, set[str]] = {}
    for together in groups:
        for name in together:
            meets.setdefault(name, set()).update(together)
    new: dict[str, str] = {}
    for name in sorted(meets, key=lambda name: (-len(meets[name]), name)):
        used = {new[other] for other in meets[name] if other in new}
        new[name] = next(short for short in _short_names() if short not in used | taken)
    return new


def _short_names() -> Iterator[str]:
    letters = string.ascii_lowercase + string.ascii_uppercase
    yield from letters
    yield from ("_" + end for end in string.digits + letters)
    for pair in product(letters, letters):
        yield "_" + "".join(pair)


class _Renamed(ast.NodeTransformer):
    def __init__(self, new: Mapping[str, str]) -> None:
        self._new = new

    def generic_visit(self, node: ast.AST) -> ast.AST:
        for field in ("id", "attr", "arg", "name", "asname"):
            name = getattr(node, field, None)
            if isinstance(name, str):
                setattr(node, field, self._new.get(name, name))
        if isinstance(node, ast.Global | ast.Nonlocal):
            node.names = [self._new.get(name, name) for name in node.names]
        if isinstance(node, ast.alias) and node.asname == node.name:
            node.asname = None
        return super().generic_visit(node)


def _name_parameters(tree: ast.AST, stay: set[str]) -> None:
    """Call the parameters of functions by names in ROM that they don't use for something else."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.Lambda):
            continue
        if any("asm_pio" in ast.unparse(mark) for mark in getattr(node, "decorator_list", ())):
            continue
        inside = list(ast.walk(node))
        outside = {name for n in inside if isinstance(n, ast.Global) for name in n.names}
        used = _identifiers(node, attributes=False)
        renamed: dict[str, str] = {}
        for argument in node.args.args:
            if argument.arg not in stay | outside and argument.arg not in IN_ROM:
                free = [w for w in IN_ROM if w not in used and w not in renamed.values()]
                if free:
                    renamed[argument.arg] = free[0]
        for inner in inside:
            if isinstance(inner, ast.Name):
                inner.id = renamed.get(inner.id, inner.id)
            elif isinstance(inner, ast.arg):
                inner.arg = renamed.get(inner.arg, inner.arg)
