"""Constants written into the code for the device: the same numbers, nothing missing."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from rheobase.build import ROOT, device_sources, without_meanings, without_origins
from rheobase.folding import folded
from scpi.quantity import shown

LIMITS = 'LIMITS = {"peak_ua": (120_000, "uA", "why"), "pad_mm2": (900, "mm2", "why")}\n'


def fold(**sources):
    """The folded texts of modules given by path with __ for slashes."""
    paths = {path_of(name): text for name, text in sources.items()}
    paths["firmware/core/limits.py"] = LIMITS
    made = folded(paths)
    assert {name: text.count("\n") for name, text in made.items()} == {
        name: text.count("\n") for name, text in paths.items()
    }
    return {name: made[path_of(name)].split("\n") for name in sources}


def path_of(name):
    return name.replace("__", "/").replace("INIT", "__init__") + ".py"


def test_a_constant_becomes_its_number_wherever_it_is_used():
    made = fold(
        firmware__a="SIZE = 3\n_BITS = 1 << SIZE\n\ndef f():\n    return SIZE * _BITS\n",
        firmware__b="from firmware.a import SIZE, f\nx = [0] * SIZE\n",
        firmware__c="from firmware import a\nx = a.SIZE, a.f\n",
        lib__p__d="from .e import ONE\nx = ONE\n",
        lib__p__e="ONE, TWO = range(2)\n",
    )
    assert made["firmware__a"] == ["", "", "", "def f():", "    return 3 * 8", ""]
    assert made["firmware__b"] == ["from firmware.a import f", "x = [0] * 3", ""]
    assert made["firmware__c"] == ["from firmware import a", "x = 3, a.f", ""]
    assert made["lib__p__d"] == ["", "x = 0", ""]
    assert made["lib__p__e"] == ["", ""]


def test_limits_become_numbers_and_their_table_is_not_asked_for():
    made = fold(
        firmware__a="from firmware.core.limits import limit\nA = limit('peak_ua') // 2\nx = A\n",
        firmware__b="from firmware.core.limits import limit\nx = limit('pad_mm2'), limit(y)\n",
    )
    assert made["firmware__a"] == ["", "", "x = 60000", ""]
    assert made["firmware__b"] == [
        "from firmware.core.limits import limit",
        "x = 900, limit(y)",
        "",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "A = 1\nA = 2\nx = A\n",
        "A = 1\n\ndef f(A):\n    return A\n",
        "A = 1.5\nx = A\n",
        "A = f()\nx = A\n",
        "a = 1\nx = a\n",
        "A = True\nx = A\n",
        "class C:\n    A = 1\n",
        "if x:\n    A = 1\nx = A\n",
        "A = 1\nfor A in x:\n    pass\n",
        "A, b = 1, 2\nx = A\n",
    ],
)
def test_what_is_not_always_the_same_whole_number_stays(text):
    assert fold(firmware__a=text)["firmware__a"] == text.split("\n")


def test_a_name_that_is_still_asked_for_stays():
    made = fold(
        firmware__a="A = 1\nB = -2\n",
        firmware__b="from firmware.a import A, B\ny = B\nx = f'{A} or {B - A}'\n",
        firmware__boards__x="from firmware.a import B\nPIN = 4\nx = PIN\n",
        lib__q__INIT="from .r import C\n",
        lib__q__r="C = 5\nx = C\n",
    )
    assert made["firmware__a"] == ["A = 1", "B = -2", ""]
    assert made["firmware__b"][0] == "from firmware.a import A, B"
    assert made["firmware__b"][1] == "y = (-2)"
    assert made["firmware__boards__x"] == ["from firmware.a import B", "PIN = 4", "x = PIN", ""]
    assert made["lib__q__INIT"] == ["from .r import C", ""]
    assert made["lib__q__r"] == ["C = 5", "x = 5", ""]


def test_meanings_are_left_out_and_lines_stay():
    source = (ROOT / "firmware/core/settings.py").read_text()
    made = without_meanings(source)
    assert made.count("\n") == source.count("\n")
    names = {}, {}
    for text, found in zip((source, made), names, strict=True):
        exec(text, found)
    for table in ("CHANNEL", "SESSION"):
        assert [row[:8] for row in names[0][table]] == [row[:8] for row in names[1][table]]
        assert {row[8] for row in names[1][table]} == {""}
        assert all(row[8] for row in names[0][table])
        answers = [
            [shown(text, kind.end(), 1) for kind in re.finditer(rb"(?m)^:\S+ \w+=", text)]
            for text in (found[table].text for found in names)
        ]
        assert answers[0] == answers[1] and len(answers[0]) == len(names[0][table])


@pytest.fixture(scope="module")
def device(tmp_path_factory):
    """The device's sources, folded, as a tree of files."""
    folder = tmp_path_factory.mktemp("device")
    paths = [ROOT / "bench.py"]
    for tree in ("firmware", "lib"):
        paths += (ROOT / tree).rglob("*.py")
    sources = {path.relative_to(ROOT).as_posix(): path.read_text() for path in paths}
    sources["session.py"] = (ROOT / "tests/micropython/core_session.py").read_text()
    for name, text in device_sources(sources).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def on_cpython(device, program):
    paths = [str(device), str(device / "lib")]
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=device,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_folded_engine_writes_the_same_tape(device):
    """The sums are those of the sources as they stand (tests/test_core_tape.py)."""
    program = (
        "import builtins\n"
        "builtins.ptr8 = builtins.ptr16 = builtins.ptr32 = lambda memory: memory  # viper's\n"
        "import session, sys\n"
        "from session import EXPECTED, play\n"
        "for name in EXPECTED: assert play(name) == EXPECTED[name], name\n"
        "print(*[m.__file__ for n, m in sys.modules.items() if n.startswith('firmware')])\n"
    )
    played = [Path(name) for name in on_cpython(device, program).split() if name != "None"]
    assert played and all(path.is_relative_to(device) for path in played)


def test_every_folded_module_has_the_names_it_uses(device):
    """A name lost in folding is an undefined one to ruff."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "ruff",
            "check",
            "--isolated",
            "--select",
            "F821,F822",
            "--config",
            'builtins = ["const", "ptr8", "ptr16", "ptr32"]',
            "--exclude",
            "*_program.py",
            str(device),
        ],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout


def test_limits_go_to_the_device_as_numbers_alone():
    source = (ROOT / "firmware/core/limits.py").read_text()
    whole: dict = {}
    bare: dict = {}
    exec(source, whole)
    exec(without_origins(source), bare)
    assert bare["LIMITS"] == {name: row[:1] for name, row in whole["LIMITS"].items()}
    assert bare["intact"]() and bare["_SUM"] == whole["_SUM"]
