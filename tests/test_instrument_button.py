"""The tests answered by the hand button: on time, late, early, and held down."""

import pytest
from click.testing import CliRunner
from host_rig import Host

from rheobase.cli import main
from rheobase.instrument import tests
from rheobase.instrument.subject import Finger, HandButton
from rheobase.sim.bench.nerve import MOTOR, SENSORY, Nerve
from rheobase.sim_port import approve


def quiet(_):
    pass


def at(nerve, **finger):
    host = Host(keep=("phases",))
    nerve.listen(host.bench.recorder)
    approve(host.stimulator)
    subject = HandButton(host.stimulator, Finger(nerve, host.board, host.bench, **finger))
    return host, subject


def test_the_button_finds_the_thresholds_of_the_nerve():
    nerve = Nerve(2.0, 200, seed=3)
    host, subject = at(nerve, reaction_s=0.5)
    with host.stimulator as stimulator:
        marks = tests.thresholds(
            stimulator, 1, subject, marks=(SENSORY, MOTOR), store=False, report=quiet
        )
    assert subject.early == 0
    for mark in marks:
        assert mark.current_ma == pytest.approx(nerve.threshold_ma(400, mark.name), rel=0.1)


def test_late_and_early_presses_cost_pulses_but_not_the_threshold():
    nerve = Nerve(2.0, 200, seed=4)
    host, subject = at(nerve, missed=0.08, early=0.2)
    with host.stimulator as stimulator:
        found = tests.thresholds(
            stimulator, 1, subject, marks=(SENSORY,), answers=20, store=False, report=quiet
        )
        played = stimulator.channel(1).pulses
    assert subject.early > 0
    assert played > found[0].pulses
    truth_ma = nerve.threshold_ma(400, SENSORY)
    assert found[0].current_ma == pytest.approx(truth_ma, rel=0.15)


def test_a_button_held_down_answers_nothing():
    host, subject = at(Nerve(2.0, 200))
    with host.stimulator as stimulator:
        host.bench.press_foot()
        board = host.board
        board.chip.kernel.at(board.now + board.clocks(1.5), host.bench.release_foot)
        begun = board.now
        assert stimulator.button
        assert subject("do you feel it") is None
        assert board.now - begun >= board.clocks(1.5)
        assert not stimulator.button


def test_the_command_line_takes_the_button():
    done = CliRunner().invoke(
        main, ["test", "x02", "--port", "sim", "--button", "--answers", "4", "--no-store"]
    )
    assert done.exit_code == 0, done.output
    assert "functional threshold" in done.output
