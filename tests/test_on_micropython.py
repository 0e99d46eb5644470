"""Runs the tests of tests/micropython under genuine MicroPython, one pytest test for each."""

import ast
import functools
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
RUNNER = ROOT / "tests/js/micropython_run.mjs"
PACKAGE = ROOT / "node_modules/@micropython/micropython-webassembly-pyscript"
DEVICE = [path for path in (ROOT / "lib", ROOT / "firmware") if path.is_dir()]
FILES = sorted((ROOT / "tests/micropython").glob("[!_]*.py"))


def names_in(path):
    """The names of a file's tests, in the order they are written."""
    body = ast.parse(path.read_text()).body
    return [
        node.name
        for node in body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]


def run(root, device, *tests):
    """The runner's exit status, and for each test ("file::test") its verdict and lines below."""
    if shutil.which("node") is None:
        pytest.skip("node is not installed, so nothing can run MicroPython's WebAssembly port")
    if not PACKAGE.is_dir():
        pytest.skip("npm's MicroPython WebAssembly port is not in node_modules: run `npm ci`")
    command = ["node", RUNNER, "--root", root]
    for path in device:
        command += ["--device", path]
    done = subprocess.run([*command, *tests], capture_output=True, text=True, timeout=300)
    verdicts, below = {}, []
    for line in done.stdout.splitlines():
        verdict, _, name = line.partition(" ")
        if verdict in ("PASS", "FAIL"):
            below = []
            verdicts[name] = (verdict, below)
        else:
            below.append(line.removeprefix("  | "))
    return done.returncode, verdicts


@functools.cache
def verdicts_of(path):
    return run(ROOT, DEVICE, path)[1]


@pytest.mark.parametrize(
    ("path", "name"),
    [pytest.param(path, name, id=f"{path.stem}::{name}") for path in FILES
     for name in names_in(path)],
)
def test_on_micropython(path, name):
    verdicts = verdicts_of(path)
    verdict, below = verdicts.get(f"{path.stem}::{name}", ("did not run", list(verdicts)))
    assert verdict == "PASS", "\n".join(below)


# The runner itself


def written(folder, text):
    path = folder / "some_tests.py"
    path.write_text(text)
    return path


def test_the_runner_reports_what_fails_and_goes_on(tmp_path):
    path = written(tmp_path, "def test_one():\n    print('seen')\n\n"
                             "def test_two():\n    raise AssertionError('wrong')\n\n"
                             "def test_three():\n    pass\n")
    status, verdicts = run(tmp_path, [], path)
    assert status == 1
    assert [verdict for verdict, _ in verdicts.values()] == ["PASS", "FAIL", "PASS"]
    assert verdicts["some_tests::test_one"][1] == ["seen"]
    below = verdicts["some_tests::test_two"][1]
    assert below[-1] == "AssertionError: wrong"
    assert any("some_tests.py" in line and "line 5" in line for line in below)


@pytest.mark.parametrize("text", ["def test_one(:\n    pass\n", "import nothing_of_this_name\n"])
def test_a_file_that_cannot_be_imported_fails(tmp_path, text):
    status, verdicts = run(tmp_path, [], written(tmp_path, text))
    assert status == 1
    (failure,) = verdicts.values()
    assert failure[0] == "FAIL"


def test_a_file_without_tests_is_no_success(tmp_path):
    assert run(tmp_path, [], written(tmp_path, "x = 1\n"))[0] == 1


def test_device_files_stand_where_they_stand_on_a_board(tmp_path):
    for place in ("lib/some/__init__.py", "lib/some/part.py", "firmware/core/__init__.py",
                  "firmware/__init__.py"):
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"place = {place!r}\n")
    text = (
        "import sys\nfrom some import part\nimport firmware.core\n\n"
        "def test_place():\n"
        "    assert sys.implementation.name == 'micropython'\n"
        "    assert part.place == 'lib/some/part.py'\n"
        "    assert firmware.core.place == 'firmware/core/__init__.py'\n"
    )
    status, verdicts = run(tmp_path, [tmp_path / "lib", tmp_path / "firmware"],
                           written(tmp_path, text))
    assert (status, verdicts) == (0, {"some_tests::test_place": ("PASS", ["1 passed, 0 failed"])})
