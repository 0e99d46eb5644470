"""The client's sessions, at the electrodes of the virtual board."""


import pytest
from host_rig import Host

import rheobase
from rheobase.client import Climb, LinkError, State
from rheobase.sim_port import approve


def test_a_session_from_arm_to_stop():
    host = Host()
    stimulator = host.stimulator
    host.load(rate_hz=50)
    approve(stimulator)
    stimulator.arm()
    assert stimulator.state == State.ARMED
    assert stimulator.supply_v > 180
    assert stimulator.contractions == (1, 0)
    stimulator.start()
    host.port.sleep(0.5)
    assert stimulator.state == State.RUNNING
    stimulator.channel(1).current_ma = 1
    host.port.sleep(0.5)
    progress = stimulator.progress
    assert progress.current_ma == (1.0, 0.0)
    assert 0.9 < progress.elapsed_s < 1.2
    assert 45 < progress.pulses[0] <= stimulator.channel(1).pulses <= progress.pulses[0] + 1
    stimulator.stop()
    assert stimulator.state == State.IDLE
    assert host.silent_for(0.5)
    delivered = [p.delivered_1_a for p in host.pulses()]
    assert max(delivered) == pytest.approx(1.02e-3, rel=1e-3)  # 17 levels of 60 uA
    assert delivered[-1] < 0.2e-3  # it faded


def test_the_way_up_keeps_pace_and_ends_at_its_target():
    host = Host()
    host.start(rate_hz=50, limit_ma=10)
    times = []
    climb = host.stimulator.raise_current(1, 4.5)
    for currents in climb:
        times.append((host.port.monotonic(), currents[1]))
    assert [current for _, current in times] == [1, 2, 3, 4, 4.5]
    steps = [b - a for (a, _), (b, _) in zip(times, times[1:], strict=False)]
    assert all(0.5 <= step < 0.6 for step in steps)
    assert climb.done and climb.advance() == 0
    assert host.stimulator.channel(1).current_ma == 4.5
    host.port.sleep(0.1)
    levels = {round(p.commanded_a / 60e-6) for p in host.pulses()}
    assert levels == {0, 17, 33, 50, 67, 75}


def test_the_way_up_runs_in_the_background_of_a_loop():
    host = Host(keep=())
    host.start(rate_hz=50)
    climb = host.stimulator.raise_current({1: 3})
    turns = 0
    while not climb.done:
        began = host.port.monotonic()
        climb.advance()
        assert host.port.monotonic() - began < 0.05  # it never waits
        host.port.sleep(0.02)
        turns += 1
    assert turns > 40


def test_down_goes_at_once():
    host = Host(keep=())
    host.start(rate_hz=50)
    list(host.stimulator.raise_current(1, 3))
    assert list(host.stimulator.raise_current(1, 0.5)) == [{1: 0.5}]
    host.stimulator.channel(1).current_ma = 0
    assert host.stimulator.channel(1).current_ma == 0


def test_a_target_above_the_ceiling_is_refused_before_the_first_step():
    host = Host(keep=())
    host.load(rate_hz=50, limit_ma=7)
    ceiling = host.stimulator.channel(1).ceiling
    assert ceiling == (7, "CURRent:LIMit")
    with pytest.raises(rheobase.StimulatorError, match="8 mA above 7 mA") as caught:
        host.stimulator.raise_current(1, 8)
    assert caught.value.code == -222


def test_a_step_too_large_or_too_soon_is_refused():
    host = Host(keep=())
    host.start(rate_hz=50)
    channel = host.stimulator.channel(1)
    with pytest.raises(rheobase.StimulatorError, match="above"):
        channel.current_ma = 5
    channel.current_ma = 1
    with pytest.raises(rheobase.StimulatorError, match="sooner than"):
        channel.current_ma = 2
    assert channel.current_ma == 1


def test_the_way_up_waits_where_nothing_is_felt_yet():
    """More than 10 mA above what was delivered is refused; the climb goes on with the pulses."""
    host = Host(keep=())
    host.load(rate_hz=50, on_s=1, off_s=9)
    approve(host.stimulator)
    host.stimulator.arm()
    host.stimulator.start()
    host.port.sleep(1.2)  # the first contraction is over, at zero
    climb = host.stimulator.raise_current(1, 15)
    for _ in range(800):
        climb.advance()
        host.port.sleep(0.01)
    assert climb.current_ma[1] == 10
    assert "delivered" in climb.waiting
    list(climb)  # the second contraction comes
    assert climb.done and not climb.waiting


def test_a_climb_ends_with_its_session():
    host = Host(keep=())
    host.start(rate_hz=50)
    climb = host.stimulator.raise_current(1, 10)
    climb.advance()
    host.stimulator.abort()
    host.port.sleep(1)
    with pytest.raises(rheobase.StimulatorError, match="only while a session runs"):
        climb.advance()
    assert isinstance(climb, Climb)


def test_pause_and_resume_start_from_zero():
    host = Host(keep=())
    host.start(rate_hz=50)
    list(host.stimulator.raise_current(1, 2))
    host.stimulator.pause()
    assert host.stimulator.state in (State.FADING, State.PAUSED)
    host.port.sleep(1.2)
    assert host.stimulator.state == State.PAUSED
    host.stimulator.resume()
    assert host.stimulator.state == State.RUNNING
    assert host.stimulator.channel(1).current_ma == 0


def test_watch_ends_with_the_session():
    host = Host(keep=())
    host.load(rate_hz=50, on_s=1)
    host.stimulator.session.duration_s = 1
    approve(host.stimulator)
    host.stimulator.arm()
    host.stimulator.start()
    looks = list(host.stimulator.watch())
    assert looks[0].state == State.RUNNING and looks[-1].state == State.IDLE
    assert 4 <= len(looks) <= 8


def test_watch_raises_what_tripped():
    host = Host()
    host.start(rate_hz=50)
    looks = host.stimulator.watch()
    next(looks)
    host.bench.press_stop()
    with pytest.raises(rheobase.StimulatorError) as caught:
        list(looks)
    assert caught.value.code > 0
    assert host.legs() == 0
    fault = host.stimulator.fault
    assert fault and fault.number == caught.value.code
    with pytest.raises(rheobase.StimulatorError):
        host.stimulator.clear_fault()
    host.bench.release_stop()
    host.stimulator.clear_fault()
    assert host.stimulator.fault is None and host.stimulator.state == State.IDLE


def test_watch_raises_when_the_stimulator_was_reset():
    host = Host()
    host.start(rate_hz=50)
    host.port.sleep(1)
    looks = host.stimulator.watch()
    assert next(looks).elapsed_s > 0.9
    host.board.reset()
    host.port.sleep(1)
    with pytest.raises(LinkError, match="was reset after 1"):
        list(looks)
    assert host.legs() == 0


def test_arm_is_refused_with_the_reason():
    host = Host(keep=())
    with pytest.raises(rheobase.StimulatorError, match="no channel is switched on"):
        approve(host.stimulator)
        host.stimulator.arm()


def test_moved_pulses_are_told():
    host = Host(keep=())
    host.load(1, rate_hz=50)
    host.load(2, rate_hz=35)
    approve(host.stimulator)
    host.stimulator.arm()
    host.stimulator.start()
    host.port.sleep(1)
    moved = host.stimulator.channel(2).moved
    assert moved.pulses >= 1
    assert 0 < moved.most_us <= 702


@pytest.mark.parametrize("error", (ValueError("mine"), KeyboardInterrupt(), SystemExit(1)))
def test_an_exception_ends_the_output_at_the_electrode(error):
    host = Host()
    with pytest.raises(type(error)), host.stimulator:
        host.start(rate_hz=100)
        list(host.stimulator.raise_current(1, 2))
        sent = host.board.now
        raise error
    last = host.pulses()[-1]
    assert last.end - sent < 0.005 * host.board.clock_hz  # within a few ms
    assert host.silent_for(2.0)
    assert host.port.closed


def test_abort_in_the_middle_of_a_line_that_was_begun():
    """An exception may come while a line is being written."""
    host = Host()
    host.start(rate_hz=100)
    host.port.write(b"SOUR1:CURR 1")
    host.stimulator.abort()
    assert host.silent_for(1.0)
    assert host.stimulator.state == State.IDLE
