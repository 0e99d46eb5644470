"""Imports of the device's code point down: remote -> safety -> core, hal -> core."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

# For each folder: what of ours its files may import (prefixes).
ALLOWED = {
    "firmware/core": ("firmware.core",),
    "firmware/safety": ("firmware.safety", "firmware.core"),
    "firmware/hal": ("firmware.hal", "firmware.core"),
    "firmware/boards": (),
    "firmware/programs": ("firmware.programs", "firmware.core", "scpi"),
    "firmware/remote": (
        "firmware.remote",
        "firmware.safety",
        "firmware.core",
        "firmware.programs",
        "scpi",
    ),
    "lib/scpi": ("scpi",),
    "firmware": ("firmware", "scpi"),
}
# What of MicroPython's and Python's own modules each may import; None means anything.
OUTSIDE = {
    "firmware/core": {"array", "gc", "micropython", "sys"},
    "firmware/safety": {"gc", "micropython", "time", "array", "binascii", "hashlib", "struct"},
    "firmware/boards": set(),
    "firmware/programs": set(),
    "firmware/remote": {"math"},
    "lib/scpi": {"array", "micropython", "sys"},
    "firmware/hal": None,
    "firmware": None,
}


def imports_of(path):
    """The absolute names that a file imports, with its relative ones resolved."""
    package = path.relative_to(ROOT / "lib" if path.is_relative_to(ROOT / "lib") else ROOT)
    parts = package.with_suffix("").parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                yield ".".join((*parts[: -node.level], *(node.module or "").split(".")))
            else:
                yield node.module


def violations(path, name):
    folder = str(path.parent.relative_to(ROOT))
    ours = name.split(".")[0] in ("firmware", "scpi", "rheobase")
    if ours:
        return not any(name == p or name.startswith(p + ".") for p in ALLOWED[folder])
    outside = OUTSIDE[folder]
    return outside is not None and name.split(".")[0] not in outside


def device_files():
    return sorted([*ROOT.glob("firmware/**/*.py"), *ROOT.glob("lib/**/*.py")])


def test_device_files_are_found():
    assert len(device_files()) > 20


def test_imports_point_down():
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in device_files()
        for name in imports_of(path)
        if violations(path, name)
    ]
    assert wrong == []


def test_the_rule_sees_a_wrong_import():
    assert violations(ROOT / "firmware/core/x.py", "firmware.hal.player_rp2")
    assert violations(ROOT / "firmware/core/x.py", "machine")
    assert violations(ROOT / "firmware/safety/x.py", "firmware.remote.commands")
    assert not violations(ROOT / "firmware/safety/x.py", "firmware.core.plan")


def test_boot_imports_only_machine():
    assert list(imports_of(ROOT / "boot.py")) == ["umachine"]


def test_boot_makes_every_output_of_the_board_safe():
    """boot.py can't import the board file, so its pins are held against it here."""
    from firmware.boards import pico_reference as board

    outputs = set(range(board.LEGS_BASE, board.LEGS_BASE + board.OUTPUTS))
    outputs |= {*board.AMPLITUDE, *board.MONITOR_SELECT}
    outputs |= {board.LATCH_CLEAR, board.SUPPLY_ENABLE, board.LED, board.TRIP_TEST}
    tree = ast.parse((ROOT / "boot.py").read_text())
    loop = next(node for node in ast.walk(tree) if isinstance(node, ast.For))
    assert set(ast.literal_eval(loop.iter)) == outputs
