"""The mutants of a source text: each one change, told apart by what it changes."""

import ast
from functools import cache

from cosmic_ray.mutating import mutate_code

from mutation.operators import chosen


class Mutant:
    """A changed text. `key` is (function, line before, line after): it outlives other edits.

    A change that a function makes possible twice has its number behind the line after.
    """

    def __init__(self, key, line, text):
        self.key = key
        self.line = line
        self.text = text


@cache
def mutants(text):
    """All mutants of a text, in the order of its lines; no two are the same text."""
    owners = _owners(text)
    lines = text.splitlines(keepends=True)
    found = {}
    same = {}
    for first, last in _chunks(text):
        chunk = "".join(lines[first:last])
        before = [line.strip() for line in chunk.splitlines()]
        for changed in _changed(chunk):
            at, after = _first_difference(before, [c.strip() for c in changed.splitlines()])
            whole = "".join([*lines[:first], changed, *lines[last:]])
            key = (owners[first + at], before[at], after)
            same[key] = same.get(key, 0) + 1
            if same[key] > 1:
                key = (*key[:2], f"{after} ({same[key]})")
            found[whole] = Mutant(key, first + at + 1, whole)
    return tuple(sorted(found.values(), key=lambda mutant: (mutant.line, mutant.key)))


def _chunks(text):
    """The lines of each top-level statement, (first, behind the last): small texts parse fast."""
    for node in ast.parse(text).body:
        yield node.lineno - 1, node.end_lineno


def _changed(chunk):
    """Every text that means something else than this one."""
    seen = {ast.dump(ast.parse(chunk))}
    for operator in chosen():
        occurrence = 0
        while (changed := mutate_code(chunk, operator, occurrence)) is not None:
            occurrence += 1
            try:
                meaning = ast.dump(ast.parse(changed))
            except SyntaxError:
                continue
            if meaning not in seen:
                seen.add(meaning)
                yield changed


def _first_difference(before, after):
    for index, (old, new) in enumerate(zip(before, after, strict=False)):
        if old != new:
            return index, new
    raise ValueError("no line differs")


def _owners(text):
    """The name of the function or class around every line."""
    owners = [""] * (text.count("\n") + 2)

    def walk(node, name):
        for child in ast.iter_child_nodes(node):
            inner = name
            if isinstance(child, ast.FunctionDef | ast.ClassDef):
                inner = f"{name}.{child.name}".lstrip(".")
                for line in range(child.lineno - 1, child.end_lineno):
                    owners[line] = inner
            walk(child, inner)

    walk(ast.parse(text), "")
    return owners
