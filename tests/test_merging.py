"""Modules put together for the device: the same program; what comes and goes stays apart."""

import os
import subprocess
import sys

import pytest

from rheobase import merging
from rheobase.build import ROOT, _modules, device_sources, name_of, names_on_device
from rheobase.merging import merged, order_of_import
from rheobase.trimming import trimmed

SOURCES = {
    "firmware/__init__.py": "",
    "firmware/app.py": (
        "import gc\n"
        "from firmware.core import two as second\n"
        "from firmware.core.one import Base, size as width\n"
        "from firmware.core.one import open as begin\n"
        "from firmware.hal.pins import read\n"
        "def main():\n"
        "    from firmware.core.late import late\n"
        "    from firmware.core.two import twice\n"
        "    return [Base().told(), width, begin(1), read(2), late(3), twice(4), second.size,\n"
        "            second.twice(5), gc.isenabled()]\n"
    ),
    "firmware/core/__init__.py": '"""A folder."""\n',
    "firmware/core/one.py": (
        "size = 10\n"
        "def open(name):\n"
        "    return ('one', name, size)\n"
        "class Base:\n"
        "    size = 11\n"
        "    def told(self, size=3):\n"
        "        return [size for size in (size, self.size)]\n"
    ),
    "firmware/core/two.py": (
        "import sys\n"
        "from firmware.core.one import size as other\n"
        "size = other + 1\n"
        "count = 0\n"
        "def twice(other_size):\n"
        "    global count\n"
        "    count += 1\n"
        "    assert callable(open) and 'sys' in sys.modules\n"
        "    return size, count, other, other_size, [other for other in (other,)]\n"
    ),
    "firmware/core/late.py": (
        "from firmware.core.two import size\n"
        "from firmware.core import one\n"
        "def late(x):\n"
        "    return (x, size, one.open(x), one.size)\n"
    ),
    "firmware/core/named.py": "def answer():\n    return 'named'\n",
    "firmware/hal/__init__.py": "",
    "firmware/hal/pins.py": (
        "from firmware.core.one import size\n"
        "from firmware.hal import levels\n"
        "def read(pin):\n"
        "    module = __import__('firmware.core.named', None, None, ('answer',))\n"
        "    return (pin, size, levels.of(pin), module.answer(), shown(levels))\n"
        "def shown(module):\n"
        "    return module.__name__\n"
    ),
    "firmware/hal/levels.py": "def of(pin):\n    return pin * 60\n",
}


def run(sources, folder):
    """What the program returns, on CPython by itself."""
    for path, text in sources.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    done = subprocess.run(
        [sys.executable, "-c", "import firmware.app as a; print(a.main())"],
        capture_output=True, text=True, cwd=folder, timeout=60,
        env={**os.environ, "PYTHONPATH": str(folder)},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def without(sources, *fragments):
    return {path: text for path, text in sources.items() if not path.endswith(fragments)}


@pytest.mark.parametrize("made", [merged, device_sources])
def test_the_program_does_the_same(made, tmp_path):
    expected = run(SOURCES, tmp_path / "plain")
    assert run(made(SOURCES), tmp_path / "made") == expected
    assert "('one', 1, 10)" in expected


def test_what_is_always_loaded_is_one_module_for_each_folder():
    files = merged(SOURCES)
    assert sorted(files) == sorted(without(SOURCES, "core/one.py", "core/two.py", "hal/pins.py"))
    assert "class Base" in files["firmware/core/__init__.py"]
    assert files["firmware/core/__init__.py"].index("def open") < files[
        "firmware/core/__init__.py"
    ].index("def twice")


@pytest.mark.parametrize(
    "change",
    [
        "x = '{}'\n",  # is imported by this name, perhaps
        "import {}\n",
        "from firmware.core import two\nx = [two]\n",
        "from firmware.core import two\ntwo.size = 5\n",
        "from firmware.core.two import count\n",
    ],
)
def test_what_is_used_as_a_module_stays_one(change):
    files = merged(SOURCES | {"bench.py": change.format("firmware.core.two")})
    assert "firmware/core/two.py" in files and "firmware/core/one.py" not in files


@pytest.mark.parametrize("more", ["x = __name__\n", "class A:\n    size = size\n"])
def test_what_would_mean_something_else_stays_apart(more, tmp_path):
    two = SOURCES["firmware/core/two.py"] + more
    files = merged(SOURCES | {"firmware/core/two.py": two})
    assert "firmware/core/two.py" in files and "firmware/core/one.py" not in files


def test_a_ring_of_folders_is_left_alone(tmp_path):
    """core imports hal, which needs core's first module while core is being loaded."""
    ring = SOURCES | {
        "firmware/core/two.py": "from firmware.hal.pins import read\n"
        + SOURCES["firmware/core/two.py"]
    }
    files = merged(ring)
    assert "firmware/core/one.py" in files and "firmware/hal/pins.py" in files
    assert run(files, tmp_path / "made") == run(ring, tmp_path / "plain")


def test_two_meanings_of_an_imported_name_are_refused():
    clash = SOURCES | {
        "firmware/core/one.py": "import time as sys\n" + SOURCES["firmware/core/one.py"]
    }
    with pytest.raises(ValueError, match="sys in firmware.core"):
        merged(clash)


def test_without_the_application_nothing_is_merged():
    rest = without(SOURCES, "app.py")
    assert merged(rest) == rest


def test_the_firmware_has_a_module_for_most_folders():
    texts = {name: path.read_text() for name, path in _modules(ROOT).items()}
    files = device_sources(texts)
    assert len(files) < len(texts) - 20
    assert all(len(files[f"{folder}/__init__.py"]) > 1000
               for folder in ("firmware/core", "firmware/safety", "firmware/remote", "lib/scpi"))
    for line in names_on_device(texts).splitlines():
        module, new, old = line.split()
        named = [text for path, text in files.items() if name_of(path) == module]
        assert any(new in text for text in named) and new != old


def test_the_order_of_import_is_that_of_the_merged_modules():
    order = order_of_import(SOURCES, ("firmware.app",))
    assert order.index("firmware.core") < order.index("firmware.hal") < order.index("firmware.app")
    assert not {"firmware.core.one", "firmware.core.late"} & set(order)


LENT = SOURCES | {
    "firmware/app.py": (
        "LENT = ('firmware.core.kept', 'firmware.core.work', 'firmware.core.words')\n"
        "WORDS = 'firmware.core.words'\n"
        "def borrow(module, name, *values):\n"
        "    return getattr(__import__(module, None, None, (name,)), name)(*values)\n"
        "def main():\n"
        "    from firmware.core import kept\n"
        "    return ([borrow('firmware.core.work', name, 1) for name in ('load', 'record')],\n"
        "            borrow(WORDS, 'said', 2), [borrow(LENT[-1], 'said', 3)], len(LENT),\n"
        "            kept.load(4))\n"
    ),
    "firmware/core/work.py": (
        "from firmware.core import kept\n"
        "from firmware.core.words import said as told\n"
        "def load(x):\n    return ('work', kept.load(x), told(x))\n"
        "def record(x):\n    return ('record', x)\n"
    ),
    "firmware/core/kept.py": (
        "def load(x):\n    record = x + 1\n    return ('kept', record)\n"
    ),
    "firmware/core/words.py": "def said(x):\n    return ('words', x)\n",
}


AS_COMPILED = (
    "test_docs_examples.py::test_a_typed_session_runs_as_it_is_written",
    "test_electrode_check.py::test_electrode_check_before_arming",
    "test_memory_box.py::test_the_black_box_tells_what_came_before_the_fault",
    "test_memory_config.py::test_the_configuration_survives_and_sets_the_ceilings",
    "test_memory_config.py::test_one_bad_copy_is_made_anew_from_the_good_one",
    "test_memory_log.py::test_a_fault_is_recorded_as_it_was_and_found_after_a_power_cycle",
    "test_memory_log.py::test_the_log_is_cleared_only_with_the_key_and_says_so",
    "test_programs.py::test_32_programs_of_the_users_own",
    "test_programs.py::test_every_program_of_the_library_loads",
    "test_trigger_start.py::test_the_button_starts_at_its_closing_edge",
    "test_trigger_start.py::test_the_crank_keeps_its_windows_and_its_cadence",
)


@pytest.fixture
def together(monkeypatch):
    members = ("firmware.core.kept", "firmware.core.words")
    monkeypatch.setattr(merging, "TOGETHER", {"firmware.core.work": members})


@pytest.mark.parametrize("made", [merged, device_sources])
def test_what_comes_and_goes_together_is_one_module(made, together, tmp_path):
    files = made(LENT)
    assert "firmware/core/work.py" in files
    assert not {"firmware/core/kept.py", "firmware/core/words.py"} & set(files)
    expected = run(LENT, tmp_path / "plain")
    assert "3, ('kept', 5))" in expected
    assert run(files, tmp_path / "made") == expected.replace("3, ('kept'", "1, ('kept'")


@pytest.mark.parametrize("path, more, words", [
    ("words.py", "x = __name__\n", "words can't be put into firmware.core.work"),
    ("words.py", "import firmware.core.kept\n", "kept can't be put into firmware.core.work"),
    ("work.py", "def said(x):\n    return x\n", "said of firmware.core.words is told by name"),
    ("work.py", "def open(x):\n    return x\n", "open of firmware.core.work has to keep its name"),
])  # fmt: skip
def test_what_can_not_be_put_together_is_refused(path, more, words, together):
    path = f"firmware/core/{path}"
    kept = {"firmware/core/kept.py": LENT["firmware/core/kept.py"] + "x = open\n"}
    with pytest.raises(ValueError, match=words):
        merged(LENT | kept | {path: (kept | LENT)[path] + more})


def test_the_firmware_as_it_is_compiled_does_what_it_does_as_it_is_written():
    """Programs, the log, the configuration, the electrode check, triggers: what is borrowed."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "minified", "-p", "no:cacheprovider",
         *(f"tests/{one}" for one in AS_COMPILED)],
        capture_output=True, text=True, cwd=ROOT, timeout=300,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([f"{ROOT}/tools", f"{ROOT}/tests"])},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]


def test_what_only_people_read_is_left_out():
    source = (
        '"""Says."""\n'
        "TYPE_CHECKING = False\n"
        "if TYPE_CHECKING:\n    from typing import Any\n"
        "try:\n    from micropython import const\n"
        "except ImportError:\n\n    def const(value):\n        return value\n"
        "def ptr16(memory):\n    return memory\n"
        "ptr32 = ptr16\n"
        "class A:\n"
        "    x: int\n"
        "    y: int = 1\n"
        "    def f(self, a: 'Any') -> 'Any':\n"
        '        """Says."""\n'
        "    # viper\n"
        "    def g(self, a: int) -> int:\n"
        "        return ptr32(a)[0]\n"
    )
    made = trimmed(source)
    assert "Says" not in made and "Any" not in made and "memory" not in made
    assert "def f(self, a):\n        pass" in made and "x" not in made and "y = 1" in made
    assert "    # viper\n    def g(self, a: int) -> int:" in made
    assert "def ptr16(memory):" in trimmed(source + "z = ptr16(3)\n")
