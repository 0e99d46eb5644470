"""`import bench` at the prompt of genuine MicroPython."""

from __future__ import annotations

import pytest
from emulator_bench import named_files, needs_image

from firmware.boards import pico_reference as wired
from rheobase.emulator import files_of_firmware
from rheobase.emulator.benched import BenchedPico

pytestmark = [pytest.mark.emulator, needs_image]

FREE_BYTES = 25_000  # enough at the prompt for whatever a person types


def test_pulses_by_hand_after_ctrl_c():
    named = named_files()
    assert named is not None
    with BenchedPico(*named, files_of_firmware(compiled=True)) as pico:
        pico.run_for(3.5)
        assert "Locked" in pico.run_python(
            "import bench\ntry:\n bench.pulse(1)\nexcept bench.Locked as e: print(repr(e))"
        )
        assert pico.run_python("bench.sense()").startswith("sense 1 1.65")
        pico.take_edges()
        pico.bench.try_stop(1.0)
        code = "bench.unlock()\nprint(bench.pulse(1, 250, 100, 1, 0.5))\n"
        assert "(5" in pico.run_python(code, limit_s=20)
        legs = 0b11 << wired.LEGS_BASE
        edges = [(clock, levels & legs) for clock, levels in pico.take_edges()]
        rises = [clock for (_, before), (clock, level) in zip(edges, edges[1:], strict=False)
                 if level == 0b01 << wired.LEGS_BASE and not before]  # fmt: skip
        rises = rises[-50:]  # those before are the electrode check's
        assert len(rises) == 50
        assert {b - a for a, b in zip(rises, rises[1:], strict=False)} == {1_250_000}
        assert all(not pico.level(pin) for pin in range(2, 8))
        free = int(pico.run_python("import gc\ngc.collect()\nprint(gc.mem_free())"))
        assert free > FREE_BYTES
