"""Measured output at the electrode: what the firmware says of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from measured_rig import LSB_A, numbers, running
from rig import Rig
from strategies import examples

from rheobase.sim.bench.loads import LOADS, Load


def test_tells_current_charge_and_impedance_of_what_was_delivered():
    rig = running(10)
    rig.wait(1.5)
    first, second = numbers(rig.ask("MEAS1:CURR?"))
    assert first == pytest.approx(10.02e-3, abs=2 * LSB_A)
    assert second == pytest.approx(10.02e-3, abs=2 * LSB_A)
    for charge in numbers(rig.ask("MEAS1:CHAR?")):
        assert charge == pytest.approx(10.02e-3 * 299.8e-6, abs=2 * LSB_A * 300e-6)
    # 500 ohm, 3 kohm || 220 nF charging for 270 us, 10 uF
    assert float(rig.ask("MEAS1:IMP?")) == pytest.approx(500 + 3000 * 0.336 + 27, rel=0.05)
    assert float(rig.ask("MEAS:SUPP?")) == pytest.approx(200, abs=2)
    mean_a = 10.02e-3 * 2 * 299.8e-6 * 50
    assert float(rig.ask("MEAS1:CURR:MEAN?")) == pytest.approx(mean_a, rel=0.1)
    rms_a = 10.02e-3 * (2 * 299.8e-6 * 50) ** 0.5
    assert float(rig.ask("MEAS1:CURR:RMS?")) == pytest.approx(rms_a, rel=0.06)
    assert abs(float(rig.ask("MEAS1:DC?"))) < 2e-6


loads = st.one_of(
    st.sampled_from(["nominal", "good", "500", "2k"]),
    st.builds(Load, st.floats(150, 1500), st.floats(500, 4000), st.floats(50e-9, 470e-9)),
)


@examples(6)
@given(
    st.integers(1, 12),
    st.integers(20, 1000),
    st.sampled_from([2, 100]),
    st.sampled_from([7, 50, 90]),
    loads,
    st.sampled_from([0.0, 0.8e-3, 1e-3]),
    st.booleans(),
)
def test_ledger_agrees_with_the_electrodes_record(ma, width_us, gap_us, rate, load, noise, minus):
    """Pulses counted, charge within the ADC's error, net charge within what it can resolve."""
    rig = Rig()
    rig.bench.electrode[1] = LOADS[load] if isinstance(load, str) else load
    for one in rig.bench.sense.values():
        one.noise_v = noise
    rig.do(
        f"SOUR1:STAT ON;FREQ {rate};PULS:WIDT {width_us}us;GAP {gap_us}us"
        + (";POL NEG" if minus else "")
        + ";:SOUR1:CYCL:ON INF;:SOUR1:RAMP:UP 0.1"
    )
    rig.do("SESS:DUR 600")
    rig.arm()
    before = rig.recorder.phase_counts[0]
    plus_c, minus_c = rig.recorder.charge_c[0]
    rig.do("OUTP ON")
    rig.climb(ma)
    rig.wait(0.2)
    assert rig.state == "RUNNING", rig.ask("FAUL:TEXT?") + rig.ask("SYST:ERR?")
    rig.do("SESS:PAUS")
    rig.wait(1.5)
    assert rig.state == "PAUSED"
    pulses, charge_c, net_c = numbers(rig.ask("LEDG1?"))
    plus_c = rig.recorder.charge_c[0][0] - plus_c
    minus_c = rig.recorder.charge_c[0][1] - minus_c
    assert pulses * 2 == rig.recorder.phase_counts[0] - before
    time_s = pulses * width_us * 1e-6
    assert charge_c == pytest.approx(plus_c - minus_c, abs=time_s * 2 * LSB_A + 1.1e-6)
    assert net_c == pytest.approx(plus_c + minus_c, abs=2e-9), "balanced: nothing to count"


def net_counted(rig, seconds):
    """(by the ledger, at the electrodes, uncertainty): net charge until paused, in C."""
    before = sum(rig.recorder.charge_c[0])
    assert numbers(rig.ask("LEDG1?"))[2] == 0.0
    rig.wait(seconds)
    assert rig.state == "RUNNING", rig.ask("FAUL:TEXT?")
    rig.do("SESS:PAUS")
    rig.wait(1.5)
    told = numbers(rig.ask("LEDG1?"))[2]
    return told, sum(rig.recorder.charge_c[0]) - before, float(rig.ask("LEDG1:UNC?"))


@pytest.mark.parametrize("leg", ["plus", "minus"])
@pytest.mark.parametrize("noise", [0.0, 1e-3])
def test_an_imbalance_that_can_be_told_is_counted_whole(leg, noise):
    """0.22 mA of 20 mA: less than the rule allows, more than the dead band and rounding."""
    rig = running(20)
    rig.bench.sense[1].noise_v = noise
    rig.bench.set_imbalance(1, **{leg: 0.989})
    told, net_c, unsure_c = net_counted(rig, 8)
    assert abs(net_c) > 2e-5
    assert told == pytest.approx(net_c, abs=unsure_c)
    assert abs(told) > 0.6 * abs(net_c)
    pulses = numbers(rig.ask("LEDG1?"))[0]
    assert unsure_c == pytest.approx(pulses * 299.8e-6 * 1.5 * LSB_A, rel=0.05)


@pytest.mark.parametrize("minus", [0.9965, 1.0035])
@pytest.mark.parametrize("noise", [0.0, 1e-3])
def test_an_imbalance_that_cannot_be_told_is_not_counted(minus, noise):
    """0.04 to 0.07 mA: it stays in what the ledger says that it does not know."""
    rig = running(20)
    rig.bench.sense[1].noise_v = noise
    rig.bench.set_imbalance(1, minus=minus)
    rig.do("SOUR1:CURR 12mA")
    rig.do("SOUR1:CURR 13mA")
    told, net_c, unsure_c = net_counted(rig, 5)
    assert told == 0.0
    assert 3e-6 < abs(net_c) < unsure_c


def test_two_channels_with_carrier_bursts_lose_no_phase():
    rig = Rig(keep=())
    for n in (1, 2):
        rig.do(
            f"SOUR{n}:STAT ON;FREQ 50;PULS:WIDT 198us;GAP 2us;:SOUR{n}:BURS:COUN 25;INT 400us;"
            f":SOUR{n}:CYCL:ON INF;:SOUR{n}:RAMP:UP 0.1;DOWN 0.1"
        )
    rig.do("SESS:PATT SIM;DUR 1")
    rig.arm()
    before = list(rig.recorder.phase_counts)
    rig.do("OUTP ON")
    rig.do("CURR:LOCK OFF;:SOUR1:CURR 1mA;:SOUR2:CURR 1mA")
    rig.wait(2.0)
    assert rig.state == "IDLE", rig.ask("FAUL:TEXT?")
    for n in (1, 2):
        phases = rig.recorder.phase_counts[n - 1] - before[n - 1]
        assert numbers(rig.ask(f"LEDG{n}?"))[0] * 2 == phases > 2000
    assert rig.board.chip.adc.ignored == 0


def test_a_live_change_of_width_is_followed():
    rig = running(5, width_us=400)
    for width_us in (100, 20, 300):
        rig.do(f"SOUR1:PULS:WIDT {width_us}us")
        rig.wait(0.5)
        assert rig.state == "RUNNING", rig.ask("FAUL:TEXT?")
        for charge in numbers(rig.ask("MEAS1:CHAR?")):
            assert charge == pytest.approx(4.98e-3 * (width_us - 0.2) * 1e-6, rel=0.05)


def test_widths_that_change_in_a_train_are_measured_where_they_are_narrowest():
    """T06: 330 and 200 us in turn; a period for the wider ones would sample behind the others."""
    rig = Rig(keep=("phases",))
    for number in (1, 2):
        rig.do(f'PROG:LOAD "T06",{number}')
    rig.start()
    rig.climb(3, 3)
    rig.wait(5)
    assert rig.state == "RUNNING", rig.ask("FAUL:TEXT?")
    widths = {pulse.width_1 for pulse in rig.pulses(2)}
    assert {round(width / 125) for width in widths} == {200, 330}
