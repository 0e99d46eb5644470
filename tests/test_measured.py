"""Measured output at the electrode: what the firmware says of it, and every fault of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rig import LEGS, Rig
from strategies import examples

from rheobase.sim.bench.loads import LOADS, Load

CLOCK_HZ = 125_000_000
LSB_A = 3.3 / 4096 / 10


def running(current_ma=5, rate_hz=50, width_us=300, gap_us=100, load="nominal", extra=""):
    """A board with channel 1 playing at a current."""
    rig = Rig()
    rig.bench.electrode[1] = LOADS[load] if isinstance(load, str) else load
    rig.do(
        f"SOUR1:STAT ON;FREQ {rate_hz};PULS:WIDT {width_us}us;GAP {gap_us}us;"
        f":SOUR1:CYCL:ON INF;:SOUR1:RAMP:UP 0.1{extra}"
    )
    rig.do("SESS:DUR 600;STAN ON")
    rig.start()
    rig.climb(current_ma)
    rig.wait(0.3)
    assert rig.state == "RUNNING"
    return rig


def off_after(rig, fault, within_s):
    """Seconds from a fault injected now to the last leg's fall."""
    said = rig.board.now
    fault(rig)
    rig.wait(within_s + 0.4)
    assert not rig.board.chip.gpio.levels & LEGS
    clocks, levels = rig.recorder.edge_clocks, rig.recorder.edge_levels
    last = next(i for i in range(len(levels) - 1, -1, -1) if levels[i] & LEGS)
    assert last + 1 < len(clocks)
    after = (clocks[last + 1] - said) / CLOCK_HZ
    assert after <= within_s, f"off after {after} s"
    assert rig.ask("SOUR1:CURR?") == "0"
    return after


def numbers(answer):
    return [float(part) for part in answer.split(",")]


# -- what it tells ------------------------------------------------------------------------------


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


# -- the electrode check before arming ------------------------------------------------------------


def prepared():
    rig = Rig()
    rig.do("SOUR1:STAT ON;:SOUR2:STAT ON;:SESS:STAN ON")
    return rig


def checked(rig):
    """Arm; the reason of a refusal, or None."""
    rig.do(rig.arming())
    rig.settle()
    return None if rig.state == "ARMED" else rig.ask("SYST:ERR?")


@pytest.mark.parametrize(
    ("load", "word"),
    [
        ("open", "open"),
        ("short", "shorted"),
        ("10k", "dry"),
        (Load(80.0), "shorted"),
        (Load(120.0), None),
        (Load(4800.0), None),
        (Load(5300.0), "dry"),
        ("dry", None),
        ("good", None),
    ],
)
@pytest.mark.parametrize("channel", [1, 2])
def test_electrode_check_before_arming(load, word, channel):
    rig = prepared()
    rig.bench.electrode[channel] = LOADS[load] if isinstance(load, str) else load
    refusal = checked(rig)
    if word is None:
        assert refusal is None
    else:
        assert word in refusal and f"channel {channel}" in refusal
    assert not rig.board.chip.gpio.levels & LEGS


def test_electrode_check_is_weak_short_balanced_and_tells_the_impedance():
    rig = prepared()
    for n in (1, 2):
        rig.bench.electrode[n] = Load(700.0 * n)
    assert checked(rig) is None
    for n in (1, 2):
        phases = list(rig.recorder.phases(n))
        assert len(phases) == 32
        assert all(abs(p.mean_a) <= 1.0e-3 for p in phases)
        assert all(p.end - p.start == 100 * 125 for p in phases)
        assert abs(sum(p.charge_c for p in phases)) < 1e-10  # of 16 phases of 96 nC
        assert float(rig.ask(f"MEAS{n}:IMP?")) == pytest.approx(700 * n, rel=0.04)


def test_current_of_one_channel_in_the_other_is_refused():
    rig = prepared()
    rig.bench.cross_leak = 0.2
    assert "in the other" in checked(rig)


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


# -- calibration from the configuration -----------------------------------------------------------


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
