"""The bench test on genuine MicroPython, with the virtual board's bench at the emulated Pico."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from emulator_bench import needs_image

from rheobase import cli

pytestmark = [pytest.mark.emulator, needs_image]

STEPS = ("start", "supply", "pulse-1", "stop-button")  # all of them: make bench PORT=emulator


def test_steps_pass_on_the_emulated_pico(tmp_path):
    only = [part for step in STEPS for part in ("--only", step)]
    arguments = ["bench", "--port", "emulator", "--out", str(tmp_path), *only]
    result = CliRunner().invoke(cli.main, arguments)
    data = json.loads((tmp_path / "bench.json").read_text())
    failed = [check for step in data["steps"] for check in step["checks"] if not check["pass"]]
    assert result.exit_code == 0, (failed, result.output)
    assert data["board"] == "emulated Pico" and data["micropython"].startswith("1.")
