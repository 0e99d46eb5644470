"""Gives names short ones, used over and over, for the device: each name there costs RAM.

Renamed are, in all sources alike, what modules define at their top, the attributes of their
classes, and parameters; these get words that every MicroPython has in its ROM.

Two names that could meet get different ones: those in a module, and those in a class with its
relatives. Renamed with what they mean are the handlers in tables of commands (scpi/table.py), the
functions that `borrow` is told and the tables `_OF_NAMES`. A name stays that stands in any other
string, as for `getattr`, that a call passes by keyword, that a type or module from outside of
these sources has too, or that is wanted at the prompt.
What is outside: Python's types, and what the virtual board puts in the place of MicroPython's
modules.
"""

from __future__ import annotations

import ast
import builtins
import math
import re
import string
import struct
from array import array
from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

from rheobase.folding import dotted
from rheobase.modules import bound_in
from rheobase.trimming import VIPER, parsed, written

KEPT = ("bench.py", "firmware/app.py", "firmware/boards/")  # modules with their public names
AT_PROMPT = frozenset(
    ("boot", "console", "fault", "instrument", "outputs", "player", "run", "start", "state_name")
    + ("stimulator", "stop", "storage", "text", "turn")
)
# In `static_qstr_list` of MicroPython's py/makeqstrdata.py: what is in the ROM of every port.
IN_ROM = (
    *("value", "key", "count", "index", "end", "values", "keys", "items", "args", "copy", "find"),
    *("get", "send", "insert", "append", "update", "remove", "replace", "write", "read", "close"),
    *("clear", "sep", "pop", "sort", "join", "split", "strip", "lower", "upper", "main", "format"),
    *("extend", "reverse", "rfind", "rindex", "rsplit", "lstrip", "rstrip", "throw", "little"),
    *("popitem", "readinto", "readline", "to_bytes", "from_bytes", "isalpha", "isdigit"),
    *("islower", "isspace", "isupper", "endswith", "startswith", "setdefault", "bytecode", "self"),
)
# Tables of attributes' names for getattr, in which no other text stands (core/inspector_rules.py).
_OF_NAMES = ("_RANGES", "_PER_CHANNEL")
_OF_AN_EXCEPTION = frozenset(("args", "value", "self"))
# A row of a table of commands (scpi/table.py): its header, and whom it calls to set and to ask.
_ROW = re.compile(r"([\[:*]\S* )(\S+ \S+)( .*)?")
_HANDLERS = re.compile(r"((^| )(-|[A-Za-z_][A-Za-z_.]*(=\d*)?)){2}", re.ASCII)
_PRIVATE = re.compile(r"_[A-Za-z0-9][A-Za-z0-9_]*\Z")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NOT_OURS = frozenset(dir(builtins)) | VIPER | {"micropython", "native", "viper", "uint"}
_TYPES = (str, bytes, bytearray, list, dict, set, tuple, int, float, memoryview, array, OSError)
_MODULES = Path(__file__).parent / "sim" / "modules"  # machine, rp2, time, ... as the board's


def short_names(sources: Mapping[str, str]) -> dict[str, str]:
    """The new name of each that gets one; parameters aside, which need no name to be read."""
    program = _Program(_trees(sources))
    return _chosen(program.groups(), program.wanted)


def shortened(sources: Mapping[str, str], *, public: bool = True) -> dict[str, str]:
    """The sources (by path), their marks kept, with short names; without `public` those keep
    theirs that modules define for others."""
    trees = _trees(sources)
    program = _Program(trees)
    if not public:
        program.wanted = {name for name in program.wanted if _PRIVATE.match(name)}
    new = _chosen(program.groups(), program.wanted)
    for tree in trees.values():
        _Renamed(new).visit(tree)
        _name_parameters(tree, program.keywords | program.in_strings)
    return {path: written(tree) for path, tree in trees.items()}


def _trees(sources: Mapping[str, str]) -> dict[str, ast.Module]:
    """The sources as trees, with the locals of functions out of the way of short names."""
    trees = {path: parsed(text) for path, text in sources.items()}
    nodes = [node for tree in trees.values() for node in ast.walk(tree)]
    stay = _keywords(nodes) | _in_strings(nodes)
    for tree in trees.values():
        _set_locals_aside(tree, stay)
    return trees


class _Program:
    """All sources: what is renamed, and what must differ."""

    def __init__(self, trees: Mapping[str, ast.Module]) -> None:
        self._trees = trees
        nodes = [node for tree in trees.values() for node in ast.walk(tree)]
        self.in_strings = _in_strings(nodes)
        self.keywords = _keywords(nodes)
        self._families = _families(nodes)
        members = set().union(*self._families)
        top = {name: _defined_at_top(tree) for name, tree in trees.items()}
        defined = members.union(*top.values()) | {
            node.name for node in nodes if isinstance(node, ast.FunctionDef)
        }
        strings = _strings(nodes)
        attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
        attributes |= {name for node in nodes for name in _named_in(node)}
        imported = _imported(nodes)
        foreign = self._foreign(nodes)
        self._everywhere = self._set_from_outside(foreign)  # what any object could have
        outside = _NOT_OURS | self.in_strings | self.keywords | foreign
        for path, tree in trees.items():
            public = {name for name in top[path] if not _PRIVATE.match(name)}
            if "." in dotted(path) and dotted(path) in strings:
                self._everywhere |= public & attributes  # by the way of a __getattr__
            elif path.startswith(KEPT) or dotted(path) not in imported:
                outside |= public
            if any(_is_program(node) for node in ast.walk(tree)):
                outside |= _identifiers(tree)
        wanted = (defined | self._everywhere) - outside - AT_PROMPT - _attributes_outside()
        self.wanted = {name for name in wanted if not name.startswith("__")}

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

    def groups(self) -> list[set[str]]:
        """Sets of names that must differ."""
        modules = [_identifiers(tree, attributes=False) for tree in self._trees.values()]
        return modules + [family | self._everywhere for family in self._families]

    def _set_from_outside(self, foreign: set[str]) -> set[str]:
        """Attributes that are set on something else than `self`, foreign modules aside."""
        return {
            node.attr
            for tree in self._trees.values()
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute)
            and not isinstance(node.ctx, ast.Load)
            and not (isinstance(node.value, ast.Name) and node.value.id in foreign | {"self"})
        }


def _attributes_outside() -> set[str]:
    """Names that something from outside has behind a dot."""
    found = {name for thing in (*_TYPES, math, struct) for name in dir(thing)}
    for path in _MODULES.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                found.add(node.name)
            elif isinstance(node, ast.Assign):
                for target in node.targets:
                    found |= {n.id for n in ast.walk(target) if isinstance(n, ast.Name)}
    return {name for name in found if not _PRIVATE.match(name)}


def _in_strings(nodes: Iterable[ast.AST]) -> set[str]:
    return {word for text in _strings(nodes) for word in _IDENTIFIER.findall(text)}


def _keywords(nodes: Iterable[ast.AST]) -> set[str]:
    return {n.arg for n in nodes if isinstance(n, ast.keyword) and n.arg}


def _imported(nodes: Iterable[ast.AST]) -> set[str]:
    """What is imported by statements, and might be a module."""
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module or ""} | {f"{node.module}.{a.name}" for a in node.names}
    return found


def _strings(nodes: Iterable[ast.AST]) -> set[str]:
    """All texts but for what `_named_in` finds in them."""
    nodes = list(nodes)
    named = {id(one) for node in nodes for one in _told(node)}
    values = [
        _without_handlers(node.value)
        for node in nodes
        if isinstance(node, ast.Constant) and id(node) not in named
    ]
    texts = {value for value in values if isinstance(value, str)}
    return texts | {value.decode("latin-1") for value in values if isinstance(value, bytes)}


def _named_in(node: ast.AST) -> set[str]:
    """The attributes that a table, or a call of `borrow`, tells by name."""
    if isinstance(node, ast.Constant) and isinstance(node.value, bytes):
        rows = _handlers(node.value)
        return {name for row in rows if row for name in _IDENTIFIER.findall(row[2])}
    return {str(one.value) for one in _told(node)}


def _told(node: ast.AST) -> Iterator[Any]:
    """The name of the function in a call of `borrow`, the attributes in one of `_OF_NAMES`."""
    if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in _OF_NAMES:
        for one in ast.walk(node.value):
            if isinstance(one, ast.Constant) and isinstance(one.value, str):
                yield one
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) > 1:
        name = node.args[1]
        if node.func.id == "borrow" and isinstance(name, ast.Constant):
            yield name


def _handlers(text: bytes) -> list[re.Match[str] | None]:
    """The rows of a table of commands, None for an empty one; nothing for any other text."""
    lines = text.decode("latin-1").split("\n")
    rows = [_ROW.fullmatch(line) for line in lines]
    both = zip(rows, lines, strict=True)
    sound = all(_HANDLERS.fullmatch(row[2]) if row else not line for row, line in both)
    return rows if sound and any(rows) else []


def _without_handlers(value: object) -> object:
    if isinstance(value, bytes) and (rows := _handlers(value)):
        return "\n".join(row[1] + (row[3] or "") if row else "" for row in rows)
    return value


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


def _chosen(groups: Iterable[set[str]], wanted: set[str]) -> dict[str, str]:
    """A new name for each that is wanted: the first that none of those it meets has."""
    meets: dict[str, set[str]] = {}
    for together in groups:
        for name in together & wanted:
            meets.setdefault(name, set()).update(together)
    new: dict[str, str] = {}
    for name in sorted(meets, key=lambda name: (-len(meets[name]), name)):
        used = {new.get(other, other) for other in meets[name]}
        new[name] = next(short for short in _short_names() if short not in used)
    return new


def _short_names() -> Iterator[str]:
    letters = string.ascii_lowercase + string.ascii_uppercase
    yield from (word for word in IN_ROM if word not in _OF_AN_EXCEPTION)
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
        if isinstance(node, ast.Constant) and isinstance(node.value, bytes):
            node.value = self._table(node.value)
        for told in _told(node):
            told.value = self._new.get(told.value, told.value)
        if isinstance(node, ast.Global | ast.Nonlocal):
            node.names = [self._new.get(name, name) for name in node.names]
        if isinstance(node, ast.alias) and node.asname == node.name:
            node.asname = None
        return super().generic_visit(node)


    def _table(self, text: bytes) -> bytes:
        rows = _handlers(text)
        made = [row[1] + self._words(row[2]) + (row[3] or "") if row else "" for row in rows]
        return "\n".join(made).encode("latin-1") if rows else text

    def _words(self, handlers: str) -> str:
        return _IDENTIFIER.sub(lambda word: self._new.get(word[0], word[0]), handlers)


def _set_locals_aside(tree: ast.AST, stay: set[str]) -> None:
    """Give what functions bind for themselves names that nothing else has; none is compiled."""
    for function in ast.iter_child_nodes(tree):
        if not isinstance(function, ast.FunctionDef | ast.Lambda):
            _set_locals_aside(function, stay)
            continue
        inside = list(ast.walk(function))
        kept = {a.asname or a.name for n in inside for a in getattr(n, "names", ()) if _alias(a)}
        if any(isinstance(node, ast.ClassDef) for node in inside) or _is_program(function):
            continue
        bound = bound_in(function) - stay - kept - {"self"}
        for node in inside:
            if isinstance(node, ast.Name) and node.id in bound:
                node.id += "__"
            elif isinstance(node, ast.arg) and node.arg in bound:
                node.arg += "__"
            elif isinstance(node, ast.ExceptHandler | ast.FunctionDef) and node is not function:
                node.name = f"{node.name}__" if node.name in bound else node.name
            elif isinstance(node, ast.Nonlocal):
                node.names = [f"{n}__" if n in bound else n for n in node.names]


def _alias(name: object) -> bool:
    return isinstance(name, ast.alias)


def _is_program(function: ast.AST) -> bool:
    """If it is one of a state machine, whose names are instructions."""
    marks = getattr(function, "decorator_list", ())
    return any("asm_pio" in ast.unparse(mark) for mark in marks)


def _name_parameters(tree: ast.AST, stay: set[str]) -> None:
    """Call the parameters of functions by names in ROM that they don't use for something else."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.Lambda):
            continue
        if _is_program(node):
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
