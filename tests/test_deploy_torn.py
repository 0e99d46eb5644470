"""A deployment that loses power in the middle of any write to flash leaves a safe board."""

import pytest
from deploy_rig import LEGS, MIXED, STARTED, OnFlash, firmware
from test_chip_flash import PowerLost, flash_with

from rheobase.deploy.install import install_files
from rheobase.deploy.plan import NEW
from rheobase.sim.board import VirtualBoard
from rheobase.sim.flash import Flash

QUIET = lambda text: None  # noqa: E731


def cut(flash, operation):
    def lose_power():
        raise PowerLost

    flash.lose_power = lose_power
    flash.cut_power_at(operation)
    return flash


def torn_deployments(before, want):
    """What is in flash after a loss of power at each operation, and at last after none."""
    for operation in range(1, 500):
        flash = cut(Flash(before), operation)
        try:
            install_files(OnFlash(flash), want, QUIET)
        except PowerLost:
            yield flash.files, False
        else:
            yield flash.files, True
            return
    raise AssertionError("it never ends")


def boots_to(files):
    """All levels that the outputs and the two tell-tale pins ever had, together."""
    board = VirtualBoard(dict(files))
    board.power_on()
    board.run_for(0.2)
    seen = 0
    for _, levels in board.edges:
        seen |= levels
    assert board.crashes == []
    return seen & (LEGS | STARTED | MIXED)


@pytest.mark.parametrize("before", [{}, firmware(1)], ids=["empty", "update"])
def test_power_lost_at_any_operation_leaves_a_safe_board(before):
    ends = []
    for files, whole in torn_deployments(before, firmware(2)):
        seen = boots_to(files)
        assert not seen & (LEGS | MIXED), sorted(files)
        if whole:
            assert seen == STARTED
        ends.append(seen)
    assert len(ends) > 10
    assert 0 in ends, "at no moment was it between two firmwares"


def test_the_next_deployment_finishes_what_was_torn():
    want = firmware(2)
    for files, _ in torn_deployments(firmware(1), want):
        flash = Flash(files)
        install_files(OnFlash(flash), want, QUIET)
        assert flash.files == {"/" + path: content for path, content in want.items()}


def test_the_rig_sees_a_mixed_firmware():
    mixed = {**firmware(2), "firmware/b.py": firmware(1)["firmware/b.py"]}
    assert boots_to(mixed) == STARTED | MIXED


def test_user_files_stay_and_leftovers_of_ours_go():
    users = {"data/log.bin": b"log", "lib/theirs.py": b"x", "notes.txt": b"n", "data/p/N01": b"p"}
    leftovers = {"firmware/old.py": b"", "firmware/a.mpy": b"", "lib/c.mpy": b"",
                 "boot.py" + NEW: b"half"}  # fmt: skip
    flash = flash_with(**{**users, **leftovers})
    install_files(OnFlash(flash), firmware(1), QUIET)
    expected = {**users, **firmware(1)}
    assert flash.files == {"/" + path: content for path, content in expected.items()}
