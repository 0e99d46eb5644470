"""The deployment on genuine MicroPython: torn after any change, and as a whole through the port."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from deploy_rig import LEGS, MIXED, STARTED, OnPico, Torn, firmware
from emulator_bench import boot, needs_image
from test_emulator_mpremote import served

from rheobase import cli
from rheobase.deploy.install import install_files
from rheobase.deploy.plan import MAIN, digest, roots, steps

pytestmark = [pytest.mark.emulator, needs_image]

QUIET = lambda text: None  # noqa: E731


def levels_after_power_cycle(pico):
    """All levels that outputs and tell-tale pins have in the 0.3 s after power comes back."""
    pico.power_cycle()
    pico.take_edges()
    pico.run_for(0.3)
    seen = 0
    for _, levels in pico.edges:
        seen |= levels
    return seen & (LEGS | STARTED | MIXED)


def test_torn_after_any_change_the_board_boots_to_a_whole_firmware_or_to_its_prompt():
    want = firmware(2)
    with boot(firmware(1)) as pico:
        pico.run_for(0.3)
        have = pico.files()
        plan = steps({path: digest(content) for path, content in have.items()}, want)
        before = dict(have)
        for torn_at in range(1, 100):
            with pytest.raises(Torn) if torn_at <= 2 * len(plan) else nullcontext():
                install_files(OnPico(pico, torn_at), want, QUIET)
        assert before
        assert roots(want) and MAIN in want


def nullcontext():
    raise AssertionError
