"""Puts the modules that are always loaded into one for each folder, for the device.

A module there costs four names, a dictionary and 5 ms of the start. What the application imports
while it starts goes into the folder's `__init__`, in the order of import, and what the engine
imports beyond that goes into the engine; every import of it is written anew, and names that would
meet are changed. What comes and goes together is one module too, as listed here. Left alone is
every other module that

- is imported by a name in a string, or in a function only: it comes and goes;
- is handed around as an object, or has an attribute set from outside;
- asks for its own `__name__` or `__file__`, or is a program of a state machine;
- has a class whose body sets a name that it reads from around it;
- has an imported name that it binds anew while it runs.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator, Mapping

from rheobase.folding import dotted
from rheobase.modules import Module, Name, as_objects, free_in, read_in, texts_in
from rheobase.rewriting import Rewritten, joined, once, says_nothing
from rheobase.trimming import written

ENTRIES = ("firmware.app",)
ENGINE = "firmware.safety.engine"  # loaded in one piece, behind the first answers
TOGETHER = {  # the module that the others, most of them told by name, are put into
    "firmware.core.plan": ("firmware.core.room",),
    "firmware.hal.shelf": ("firmware.hal.texts",),
    "firmware.hal.store_work": ("firmware.hal.files", "firmware.hal.log", "firmware.hal.copies"),
    "firmware.remote.program_work": (
        "firmware.programs.format",
        "firmware.programs.classes",
        "firmware.safety.loading",
    ),
    "firmware.safety.approving": ("firmware.safety.needs",),
    "firmware.safety.arming": ("firmware.safety.electrodes",),
    "firmware.safety.booting": ("firmware.safety.defaults",),
    ENGINE: (
        "firmware.core.parts",
        "firmware.core.course",
        "firmware.core.fit",
        "firmware.safety.ceiling",
        "firmware.safety.changes",
    ),
    "firmware.safety.reasons": ("firmware.core.inspector_reasons",),
    "firmware.safety.rules": ("firmware.core.inspector_rules",),
    "firmware.safety.storage_work": (
        "firmware.safety.config",
        "firmware.safety.record",
        "firmware.safety.boxtext",
    ),
    "firmware.safety.trains": (
        "firmware.core.held",
        "firmware.core.trigger",
        "firmware.core.threshold",
        "firmware.core.crank",
        "firmware.safety.triggered",
    ),
}
_APART = ("firmware.boards", "firmware.core.plain")
_BUILT_IN = frozenset(dir(builtins))


def merged(sources: Mapping[str, str]) -> dict[str, str]:
    """The sources (by path) with the modules of each folder put together where they can be."""
    modules = {dotted(path): Module(path, text) for path, text in sources.items()}
    return Merge(modules).sources() if all(name in modules for name in ENTRIES) else dict(sources)


def order_of_import(sources: Mapping[str, str], entries: Iterable[str]) -> list[str]:
    """The modules that some import at their top, once they are merged: each behind its own."""
    merge = Merge({dotted(path): Module(path, text) for path, text in sources.items()})
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


class Merge:
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
        self._put_together()
        self.home = {
            module.name: folder for folder, group in self.groups.items() for module in group
        }
        self.new: dict[Name, str] = {}
        for folder, group in self.groups.items():
            self._choose(folder, group)
        self.told = {name: home for name, home in self.home.items() if home in TOGETHER}
        for name in self.groups.keys() & TOGETHER.keys() - {ENGINE}:
            self._stays_as_it_is(name)
        for name in self.told:
            self._stays_told(name)

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

    def _put_together(self) -> None:
        """A group for each of TOGETHER; ValueError for a module that has to stay apart."""
        apart = self._one_of_its_kind()
        for home, members in TOGETHER.items():
            if home not in self.modules:
                continue
            there = [module.name for module in self.groups.get(home, ())]
            order = there[:]
            for name in (*members, home):
                if name in apart and name != home:
                    raise ValueError(f"{name} can't be put into {home}")
                self.load(name, order)
            group = [name for name in order if name in (*members, *there, home)]
            self.groups[home] = [self.modules[name] for name in group]

    def _stays_as_it_is(self, name: str) -> None:
        """ValueError if a function got another name in a module that is asked for any of them."""
        module = self.modules[name]
        for one in module.bound - set(module.imported):
            if self.new[Name(name, one)] != one and not one.startswith("_"):
                raise ValueError(f"{one} of {name} has to keep its name")

    def _stays_told(self, name: str) -> None:
        """ValueError if a function that is borrowed by its name got another one."""
        for module in self.modules.values():
            texts = texts_in(module.tree)
            for call in ast.walk(module.tree):
                if isinstance(call, ast.Call) and len(call.args) > 1:
                    source, told = (texts.get(ast.unparse(one)) for one in call.args[:2])
                    if source == name and self.new.get(Name(name, told or ""), told) != told:
                        raise ValueError(f"{told} of {name} is told by name in {module.name}")

    def _apart(self) -> set[str]:
        """Modules that are left alone (and some names that are none)."""
        found = {name for name in self.modules if name.startswith(_APART)} | set(ENTRIES)
        for module in self.modules.values():
            for node in ast.walk(module.tree):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found.add(node.value)
        return found | self._one_of_its_kind()

    def _one_of_its_kind(self) -> set[str]:
        """Modules that would mean something else in another one."""
        found = set()
        for module in self.modules.values():
            names = {node.id for node in ast.walk(module.tree) if isinstance(node, ast.Name)}
            if names & {"__name__", "__file__"} or "asm_pio" in ast.unparse(module.tree):
                found.add(module.name)
            for node in ast.walk(module.tree):
                if isinstance(node, ast.ClassDef) and read_in(node) & module.bound:
                    found.add(module.name)
            found.update(self._not_only_named(module))
        return found

    def _not_only_named(self, module: Module) -> Iterator[str]:
        """Modules that this one uses in another way than to import names from them."""
        handed = as_objects(module.tree)
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
        inner = folder + "."
        taken = {name.rpartition(".")[2] for name in self.modules if name.startswith(inner)}
        taken |= self._foreign(folder, group)
        local = set().union(*(module.local for module in group))
        for module in sorted(group, key=lambda module: module.name != folder):
            others = [other for other in group if other is not module]
            free = set().union(*(free_in(other) for other in others))
            aliased = self._aliased(module, group)
            for name in sorted(module.bound - set(module.imported)):
                new = name
                if module.name in TOGETHER and name not in taken | aliased | free & _BUILT_IN:
                    free.discard(name)  # a local of another one; here somebody may ask for it
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
                made[module.path] = written(joined(Rewritten(self, module).visit(module.tree)))
        for folder, group in self.groups.items():
            body = [
                node
                for module in group
                for node in Rewritten(self, module).visit(module.tree).body
                if not says_nothing(node)
            ]
            tree = joined(ast.Module(once(body), []))
            made[self.modules[folder].path] = written(tree)
        return made
