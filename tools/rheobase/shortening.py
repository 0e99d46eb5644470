"""Gives private names short ones, used over and over, for the device: each name there costs RAM.

A private name begins with one underscore and is defined in these sources. All its uses get the
same new name; two names that meet in a module, or in modules whose classes inherit from each
other, get different ones. A name that stands in a string, as for `getattr`, or in an f-string
stays. Arguments are left alone; functions keep what tracebacks need: file and line.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterable, Mapping

_PRIVATE = re.compile(r"_[A-Za-z0-9][A-Za-z0-9_]*\Z")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def shortened(sources: Mapping[str, str]) -> dict[str, str]:
    """The sources (by path) with their private names shortened; line numbers stay."""
    trees = {path: ast.parse(text) for path, text in sources.items()}
    stay = set().union(*(_in_strings(tree) for tree in trees.values()))
    defined = set().union(*(_defined(tree) for tree in trees.values()))
    names = {
        path: {
            token.string
            for token in _tokens(text)
            if token.type == tokenize.NAME
            and _PRIVATE.match(token.string)
            and token.string in defined - stay
        }
        for path, text in sources.items()
    }
    taken = set().union(*({t.string for t in _tokens(text)} for text in sources.values()))
    new = _chosen(_meeting(trees, names), taken)
    return {path: _renamed(text, new, names[path]) for path, text in sources.items()}


def _tokens(text: str) -> list[tokenize.TokenInfo]:
    return list(tokenize.generate_tokens(io.StringIO(text).readline))


def _in_strings(tree: ast.AST) -> set[str]:
    """Identifiers in strings that are no docstrings, and whatever an f-string uses."""
    found: set[str] = set()
    plain = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            for inner in ast.walk(node):
                if isinstance(inner, ast.Name):
                    found.add(inner.id)
                elif isinstance(inner, ast.Attribute):
                    found.add(inner.attr)
        elif isinstance(node, ast.Constant) and id(node) not in plain:
            found.update(_IDENTIFIER.findall(node.value) if isinstance(node.value, str) else ())
    return found


def _defined(tree: ast.AST) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            found.add(node.attr)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
    return found


def _meeting(
    trees: Mapping[str, ast.AST], names: Mapping[str, set[str]]
) -> list[tuple[str, set[str]]]:
    """Sets of names that must differ: those of a module with those of its base classes."""
    classes = {
        node.name: path
        for path, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    groups = []
    for path, tree in trees.items():
        together = set(names[path])
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                for base in node.bases:
                    name = base.id if isinstance(base, ast.Name) else getattr(base, "attr", "")
                    together |= names.get(classes.get(name, ""), set())
        groups.append((path, together))
    return groups


def _chosen(groups: Iterable[tuple[str, set[str]]], taken: set[str]) -> dict[str, str]:
    """A new name for each: the first that none of those it meets has."""
    meets: dict[str, set[str]] = {}
    for _, together in groups:
        for name in together:
            meets.setdefault(name, set()).update(together)
    new: dict[str, str] = {}
    for name in sorted(meets, key=lambda name: (-len(meets[name]), name)):
        used = {new[other] for other in meets[name] if other in new}
        number = 0
        while f"_{number}" in used | taken:
            number += 1
        new[name] = f"_{number}"
    return new


def _renamed(text: str, new: Mapping[str, str], names: set[str]) -> str:
    lines = text.split("\n")
    for token in reversed(_tokens(text)):
        if token.type == tokenize.NAME and token.string in names:
            row, start = token.start
            line = lines[row - 1]
            lines[row - 1] = line[:start] + new[token.string] + line[token.end[1] :]
    return "\n".join(lines)
