"""The deployment on genuine MicroPython: torn, and as a whole through the port."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from deploy_rig import LEGS, MIXED, STARTED, OnPico, Torn, firmware
from emulator_bench import boot, needs_image
from test_emulator_mpremote import served

from rheobase import cli
from rheobase.deploy import install
from rheobase.deploy.install import install_files

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


def test_torn_after_more_and_more_changes_the_board_is_safe_and_at_last_whole():
    """Every single operation is torn in test_deploy_torn.py; here the interpreter is genuine."""
    want = firmware(2)
    with boot(firmware(1)) as pico:
        assert levels_after_power_cycle(pico) == STARTED
        seen = []
        for torn_at in range(2, 30):
            try:
                install_files(OnPico(pico, torn_at), want, QUIET)
            except Torn:
                seen.append(levels_after_power_cycle(pico))
                assert not seen[-1] & (LEGS | MIXED), f"torn before change {torn_at}"
            else:
                break
        assert levels_after_power_cycle(pico) == STARTED
        assert pico.files() == want
    assert len(seen) >= 4 and 0 in seen


def test_from_a_blank_pico_to_an_answer_with_compiled_files(monkeypatch):
    # An emulated Pico on a busy machine is slower than a real one by any factor.
    monkeypatch.setattr(install, "_REPLY_S", 60.0)
    monkeypatch.setattr(install, "_BACK_S", 300.0)
    with served(files={}) as board:
        result = CliRunner().invoke(cli.main, ["flash", "--port", board.port])
        assert result.exit_code == 0, result.output
        assert "verified on the board by SHA-256" in result.output
        assert "answers, state IDLE" in result.output
        edges = board.call(lambda pico: pico.edges)
        assert not any(levels & LEGS for levels in edges.levels)
