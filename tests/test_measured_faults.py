"""Measured output at the electrode: every fault of electrodes, output stage and sense path."""

import pytest
from measured_rig import LSB_A, numbers, off_after, running
from rig import LEGS, Rig

from rheobase.sim.bench.loads import LOADS, Load

# -- electrodes ---------------------------------------------------------------------------------


def lift(rig):
    del rig.bench.electrode[1]


@pytest.mark.parametrize(("rate_hz", "within_s"), [(100, 0.05), (20, 0.11), (2, 1.05)])
def test_open_electrode_pauses_at_amplitude_zero(rate_hz, within_s):
    rig = running(3, rate_hz)
    rig.say("*CLS")
    off_after(rig, lift, within_s)
    assert rig.state == "PAUSED"
    assert rig.ask("SYST:ERR?").startswith("12,")


def test_no_resume_of_its_own_and_amplitude_zero_after_one():
    rig = running(3)
    lift(rig)
    rig.wait(0.3)
    rig.bench.electrode[1] = LOADS["nominal"]
    before = rig.recorder.edge_count
    rig.wait(3.0)
    assert rig.state == "PAUSED"
    assert not any(level & LEGS for level in rig.recorder.edge_levels[before:])
    rig.do("SESS:RES")
    rig.wait(0.5)
    assert rig.state == "RUNNING"
    assert rig.ask("SOUR1:CURR?") == "0"
    assert all(abs(p.commanded_a) < 1e-9 for p in list(rig.recorder.phases(1))[-10:])
    rig.do("SOUR1:CURR 1mA")
    rig.wait(0.5)
    assert numbers(rig.ask("MEAS1:CURR?"))[0] == pytest.approx(1.02e-3, abs=2 * LSB_A)


def test_open_electrode_of_one_channel_stops_both():
    rig = Rig()
    for n in (1, 2):
        rig.do(f"SOUR{n}:STAT ON;FREQ 40;:SOUR{n}:CYCL:ON INF;:SOUR{n}:RAMP:UP 0.1")
    rig.do("SESS:DUR 600;STAN ON")
    rig.start()
    rig.climb(3, 2)
    del rig.bench.electrode[2]
    rig.wait(0.3)
    assert rig.state == "PAUSED"
    assert rig.ask("SOUR1:CURR?;:SOUR2:CURR?") == "0;0"


def test_shorted_electrodes_pause():
    rig = running(5)

    def short(rig):
        rig.bench.electrode[1] = LOADS["short"]

    off_after(rig, short, 3.5)
    assert rig.state == "PAUSED"
    assert "14," in rig.ask("SYST:ERR?")


def test_drying_electrode_warns_and_goes_on():
    rig = running(5)
    rig.wait(1.0)
    rig.say("*CLS")
    rig.bench.electrode[1] = Load(1000.0, 8e3, 100e-9)
    rig.wait(2.0)
    assert rig.ask("SYST:ERR?").startswith("21,")
    assert rig.state == "RUNNING"


@pytest.mark.parametrize(
    ("channel", "rate_hz", "within_s"), [(1, 50, 2.0), (2, 50, 2.0), (1, 4, 4.5)]
)
def test_current_of_one_channel_in_the_other_while_running_pauses(channel, rate_hz, within_s):
    """SR-27: above 0.5 mA and 10 %, or 1 mA."""
    rig = Rig()
    for n in (1, 2):
        rig.do(f"SOUR{n}:STAT ON;FREQ {rate_hz};:SOUR{n}:CYCL:ON INF;:SOUR{n}:RAMP:UP 0.1")
    rig.do("SESS:DUR 600;STAN ON")
    rig.start()
    rig.climb(*((14, 1) if channel == 1 else (1, 14)))
    rig.say("*CLS")
    rig.bench.cross_leak = 0.05  # 0.7 mA
    rig.wait(2 * within_s)
    assert rig.state == "RUNNING"

    def leak(rig):
        rig.bench.cross_leak = 0.12  # 1.7 mA; one sample is off by a step or two

    off_after(rig, leak, within_s)
    assert rig.state == "PAUSED"
    error = rig.ask("SYST:ERR?")
    assert error.startswith("23,") and f"channel {channel}" in error


def test_electrode_beyond_the_supply_pauses():
    rig = running(20)

    def dry(rig):
        rig.bench.electrode[1] = Load(14e3)

    off_after(rig, dry, 0.12)
    assert rig.state == "PAUSED"
    assert rig.ask("SYST:ERR?").startswith("13,")


# -- the output stage ---------------------------------------------------------------------------


def test_imbalance_of_two_per_cent_trips_within_a_second():
    rig = running(20)
    off_after(rig, lambda rig: rig.bench.set_imbalance(1, minus=0.98), 1.0)
    assert rig.ask("FAUL?") == "15"


@pytest.mark.parametrize("current_ma", [1, 20])
def test_imbalance_within_the_rule_does_not_trip(current_ma):
    rig = running(current_ma)
    rig.bench.set_imbalance(1, minus=0.995)
    rig.wait(5.0)
    assert rig.state == "RUNNING"


def test_direct_current_of_half_its_limit_warns_and_goes_on():
    """60 uA, below what an imbalance trips at: 18 mA for half of the time, 1.3 % apart."""
    rig = Rig()
    rig.do("SOUR1:STAT ON;FREQ 246;PULS:WIDT 1000us;:SOUR1:CYCL:ON INF;:SOUR1:RAMP:UP 0.1")
    rig.do("SOUR1:PAD:AREA 50;:SESS:DUR 600")
    rig.start()
    rig.climb(18)
    rig.bench.set_imbalance(1, plus=1.010)  # 45 uA
    rig.wait(1.5)
    assert rig.ask("SYST:ERR?").startswith("0,")
    rig.bench.set_imbalance(1, plus=1.0135)
    rig.wait(1.5)
    assert rig.ask("SYST:ERR?").startswith("22,")
    assert rig.state == "RUNNING"


def test_sink_that_runs_away():
    rig = running(10)
    off_after(rig, lambda rig: rig.bench.set_imbalance(1, plus=1.3, minus=1.3), 0.1)
    assert rig.ask("FAUL?") == "11"


@pytest.mark.parametrize("conducting", [True, False])
@pytest.mark.parametrize("leg", [1, -1])
def test_stuck_driver(leg, conducting):
    rig = running(5)
    off_after(rig, lambda rig: rig.bench.stick_leg(1, leg, conducting), 0.1)
    assert rig.state in ("FAULT", "PAUSED")


def test_supply_out_of_range():
    rig = running(5)
    off_after(rig, lambda rig: rig.bench.set_supply(150.0), 2.5)
    assert rig.ask("FAUL?") == "8"


# -- the sense path -----------------------------------------------------------------------------


def stuck_sense(rig):
    rig.bench.sense[1].stuck_v = 1.65


def gain(rig):
    rig.bench.sense[1].gain_error = 0.3


def offset(rig):
    rig.bench.sense[1].offset_v = 0.05


def silent(rig):
    """The sampler's machine stands still."""
    rig.board.chip.pio[1].block.machines[0].enable(False, rig.board.kernel.now)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [(stuck_sense, "PAUSED"), (gain, "FAULT"), (offset, "FAULT"), (silent, "FAULT")],
)
def test_faults_of_the_sense_path(fault, expected):
    rig = running(8)
    off_after(rig, fault, 0.12)
    assert rig.state == expected
    if fault is silent:
        assert rig.ask("FAUL?") == "20"


@pytest.mark.parametrize("state", ["ARMED", "PAUSED"])
def test_current_at_rest(state):
    rig = running(2)
    rig.do("SESS:PAUS")
    rig.wait(1.5)
    if state == "ARMED":
        rig.do("ABOR")
        rig.arm()
    assert rig.state == state
    rig.bench.sense[2].offset_v = 0.006
    rig.wait(0.3)
    assert rig.state == "FAULT"
    assert rig.ask("FAUL?") == "19"


def test_sense_off_its_zero_is_not_armed():
    rig = Rig()
    rig.do("SOUR1:STAT ON")
    rig.bench.sense[2].offset_v = 0.006
    assert "sense 2" in rig.error(rig.arming())
    rig.bench.sense[2].offset_v = 0.003
    rig.arm()
    assert rig.state == "ARMED"
