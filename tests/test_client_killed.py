"""A host program that is asked to end, or killed, at a board at the pace of the wall clock."""

import os
import signal
import subprocess
import sys
import time

import pytest
from host_rig import GATE, LEGS, behind_a_port

import rheobase
from rheobase.client import State
from rheobase.sim_port import VirtualPort

CLOCKS_PER_S = 125_000_000
HOST_PROGRAM = """
import sys, time
import rheobase
from rheobase.sim_port import approve
with rheobase.Stimulator(sys.argv[1], timeout_s=10, stop_on_sigterm=True) as stimulator:
    stimulator.channel(1).configure(
        enabled=True, ramp_up_s=0, ramp_down_s=0, on_s=3600, rate_hz=100)
    stimulator.session.duration_s = 3700
    approve(stimulator)
    stimulator.arm()
    stimulator.start()
    list(stimulator.raise_current(1, 2))
    print("on", flush=True)
    while True:
        stimulator.progress
        time.sleep(0.02)
"""


def playing_host(port):
    """A process that has begun a session; it looks at it again and again."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOST_PROGRAM, port],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    with process.stdout:
        assert process.stdout.readline() == b"on\n"
    return process


@pytest.mark.parametrize("number", (signal.SIGTERM, signal.SIGINT))
def test_a_process_that_is_asked_to_end_leaves_the_output_off(number):
    with behind_a_port() as board:
        process = playing_host(board.port)
        deadline = time.monotonic() + 10
        while len(board.pulses()) < 10 and time.monotonic() < deadline:
            time.sleep(0.02)
        os.kill(process.pid, number)
        assert process.wait(60) != 0
        assert board.legs() == 0
        count = len(board.pulses())
        time.sleep(0.3)
        assert board.legs() == 0 and len(board.pulses()) == count >= 10


def test_a_host_that_is_killed_costs_the_output_in_its_bounds():
    """SIGKILL, so that nothing in the host can react; timed in the board's own time."""
    with behind_a_port() as board:
        process = playing_host(board.port)
        os.kill(process.pid, signal.SIGKILL)
        process.wait(60)

        def see(virtual_board):
            """What happens from here on, at the board's own pace."""
            killed = virtual_board.now
            virtual_board.run_for(3.3)
            low = not virtual_board.chip.gpio.levels & (LEGS | GATE)
            supplies = [board.bench.supply.enabled]
            virtual_board.run_for(7.0)
            supplies.append(board.bench.supply.enabled)
            port = VirtualPort(virtual_board)
            again = rheobase.Stimulator(port, clock=port)
            return killed, low, supplies, again.state, [code for code, _ in again.errors]

        killed, low, supplies, state, errors = board.ask(see)
        last = [p for p in board.pulses() if p.commanded_a > 0][-1]
        assert last.commanded_a < 1e-3  # it faded
        assert 0.4 < (last.end - killed) / CLOCKS_PER_S < 3.0 + 0.15
        assert low and supplies == [True, False]
        assert state == State.IDLE and errors == [31, 32]
