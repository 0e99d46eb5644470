"""Measured output with the configuration's calibration of amplifiers, sinks and divider."""

import pytest
from measured_rig import LSB_A, numbers
from rig import Rig

from rheobase.sim.bench.loads import Load


def calibrated(wiring=None, **numbers):
    """A board whose configuration holds these numbers, with channel 1 set up."""
    rig = Rig(wiring=wiring)
    rig.do('SYST:KEY:NEW "secret"')
    rig.wait(0.3)
    for name, number in numbers.items():
        rig.do(f'SYST:CONF:SET "{name} = {number}"')
    rig.do("SYST:CONF:SAVE")
    rig.wait(0.3)
    rig.do("SOUR1:STAT ON;:SOUR1:CYCL:ON INF;:SOUR1:RAMP:UP 0.1;:SESS:DUR 600")
    return rig


def delivered_a(rig):
    return abs(list(rig.recorder.phases(1))[-1].mean_a)


@pytest.mark.parametrize("gain_error", [0.03, -0.15])
def test_a_calibrated_sense_amplifier_tells_the_true_current(gain_error):
    rig = calibrated(sense_gain_ppm_1=round((1 + gain_error) * 1e6))
    rig.bench.sense[1].gain_error = gain_error
    rig.bench.electrode[1] = Load(700.0)
    rig.start()
    assert float(rig.ask("MEAS1:IMP?")) == pytest.approx(700, rel=0.04)
    rig.climb(10)
    rig.wait(1.0)
    assert rig.state == "RUNNING"
    assert delivered_a(rig) == pytest.approx(10.02e-3, rel=0.002)
    for told in numbers(rig.ask("MEAS1:CURR?")):
        assert told == pytest.approx(delivered_a(rig), abs=2 * LSB_A)
    for told in numbers(rig.ask("MEAS1:CHAR?")):
        assert told == pytest.approx(10.02e-3 * 299.8e-6, rel=0.02)


@pytest.mark.parametrize("gain", [1.03, 0.85, 1.2])
def test_a_calibrated_sink_delivers_what_was_asked_for(gain):
    rig = calibrated(sink_gain_ppm_1=round(gain * 1e6))
    rig.bench.set_imbalance(1, plus=gain, minus=gain)
    rig.start()
    checked = [abs(phase.mean_a) for phase in rig.recorder.phases(1)]
    assert checked and max(checked) <= 1e-3
    rig.climb(12)
    rig.wait(0.5)
    assert rig.state == "RUNNING", rig.ask("FAUL:TEXT?")
    assert delivered_a(rig) == pytest.approx(12e-3, abs=gain * 30e-6 + 12e-6)
    assert numbers(rig.ask("MEAS1:CURR?"))[0] == pytest.approx(delivered_a(rig), abs=2 * LSB_A)


@pytest.mark.parametrize("gain", [1.2, 0.8])
def test_a_calibrated_sink_is_held_to_the_limits_by_what_it_delivers(gain):
    """At its ceiling of the density the inspector lets it play, and the electrode agrees."""
    rig = calibrated(sink_gain_ppm_1=round(gain * 1e6), sink_gain_ppm_2=round(gain * 1e6))
    rig.bench.set_imbalance(1, plus=gain, minus=gain)
    rig.do("SOUR1:FREQ 100;PULS:WIDT 300us;:SOUR1:PAD:AREA 1.2")
    most_a, why = rig.ask("SOUR1:CURR:CEIL?").split(",")
    assert why == '"density on the pad"'
    rig.start()
    rig.climb(int(float(most_a) * 1e3))
    rig.do(f"SOUR1:CURR {most_a}")
    rig.wait(2.5)
    assert rig.state == "RUNNING", rig.ask("FAUL:TEXT?")
    rms_a = delivered_a(rig) * (100 * 2 * 300e-6) ** 0.5
    assert 0.9 * 2.4e-3 < rms_a <= 2.4e-3


def test_a_calibrated_zero_is_where_the_input_has_to_be():
    rig = calibrated(sense_zero_ua_1=3_000)
    assert "sense 1" in rig.error(rig.arming())
    rig.bench.sense[1].offset_v = 0.03
    rig.start()
    rig.climb(5)
    rig.wait(0.5)
    assert numbers(rig.ask("MEAS1:CURR?"))[0] == pytest.approx(delivered_a(rig), abs=2 * LSB_A)


def test_a_calibrated_divider_tells_the_true_supply():
    rig = calibrated({"supply_divider": 92.0}, supply_gain_ppm=1_150_000)
    rig.start()
    rig.climb(2)
    rig.wait(1.5)
    assert rig.state == "RUNNING", rig.ask("FAUL:TEXT?")
    assert float(rig.ask("MEAS:SUPP?")) == pytest.approx(200, abs=2)
    rig = Rig(wiring={"supply_divider": 92.0})
    rig.do("SOUR1:STAT ON")
    rig.do(rig.arming())
    rig.settle()
    assert rig.state != "ARMED"
