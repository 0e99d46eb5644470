"""The way up: from zero, in small steps, never far ahead of what was felt; and live settings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rig import Rig

from firmware.boards import pico_reference as board
from firmware.core.refused import Refused
from firmware.core.settings import CHANNEL, SESSION, TRIANGLE, Settings
from firmware.safety.ceiling import ceiling
from firmware.safety.intensity import Intensity

CONTINUOUS = "SOUR1:STAT ON;FREQ 50;PULS:WIDT 300us;:SOUR1:CYCL:ON INF;:SOUR1:RAMP:UP 0;DOWN 0"


def running(*lines, duration_s=60):
    rig = Rig()
    rig.do(CONTINUOUS)
    for line in lines:
        rig.do(line)
    rig.do(f"SESS:DUR {duration_s}")
    rig.start()
    return rig


def levels(rig, channel=1):
    return [round(p.commanded_a * 1e6 / board.LEVEL_UA) for p in rig.pulses(channel)]


def test_starts_at_zero_and_refuses_a_jump():
    rig = running()
    rig.wait(0.2)
    assert set(levels(rig)) == {0}
    error = rig.error("SOUR1:CURR 2mA")
    assert "2000" in error
    assert "1000" in error
    rig.do("SOUR1:CURR 1mA")
    error = rig.error("SOUR1:CURR 2mA")
    assert "500 ms" in error
    rig.wait(0.5)
    rig.do("SOUR1:CURR 2mA")
    rig.wait(0.2)
    assert levels(rig)[-1] == 33


def test_down_is_immediate_from_any_height():
    rig = running()
    rig.climb(6)
    rig.do("SOUR1:CURR 0")
    said = rig.board.now
    rig.wait(0.3)
    late = [p for p in rig.pulses(1) if p.start > said + 0.03 * 125e6]
    assert late
    assert all(p.charge_1_c == 0 for p in late)


def test_new_intensity_acts_within_30_ms():
    rig = running("SOUR1:FREQ 100")
    worst = 0
    for step in range(1, 12):
        rig.wait(0.5 + step * 0.0013)
        said = rig.board.now
        rig.board.usb.write(f"SOUR1:CURR {step} mA\n".encode())
        rig.wait(0.08)
        level = (step * 1000 + 30) // 60
        first = next(p for p in rig.pulses(1) if round(p.commanded_a * 1e6 / 60) == level)
        worst = max(worst, first.start - said)
    assert worst <= 0.03 * 125e6, worst / 125e6


def test_not_further_ahead_than_10_ma_of_what_was_delivered():
    """Off time: nothing is felt, so the tenth milliampere is the last."""
    rig = Rig()
    rig.do("SOUR1:STAT ON;CYCL:ON 1;OFF 30;:SOUR1:RAMP:UP 0;DOWN 0;:SESS:DUR 60")
    rig.start()
    rig.wait(1.5)
    for step in range(1, 11):
        rig.do(f"SOUR1:CURR {step} mA")
        rig.wait(0.5)
    error = rig.error("SOUR1:CURR 11 mA")
    assert error.startswith("-221,")
    assert "10000" in error


def test_zero_after_stop_start_pause_and_resume():
    rig = running()
    rig.climb(3)
    rig.do("SESS:PAUS")
    rig.wait(1.3)
    assert rig.state == "PAUSED"
    assert rig.ask("SOUR1:CURR?") == "0"
    seen = len(rig.pulses(1))
    rig.do("SESS:RES")
    rig.wait(0.3)
    assert set(levels(rig)[seen:]) == {0}
    rig.climb(2)
    rig.do("ABOR")
    assert rig.ask("SOUR1:CURR?") == "0"
    rig.start()
    seen = len(rig.pulses(1))
    rig.wait(0.3)
    assert set(levels(rig)[seen:]) == {0}


def test_pause_keeps_the_sessions_time():
    """Two seconds of session with a pause in it: as many pulses as without."""
    rig = running(duration_s=2)
    rig.wait(0.5)
    rig.do("SESS:PAUS")
    rig.wait(3)
    assert rig.state == "PAUSED"
    rig.do("SESS:RES")
    rig.wait(2)
    assert rig.state == "IDLE"
    assert len(rig.pulses(1)) == 100  # 2 s at 50 Hz
    assert 1.9 < float(rig.ask("SESS:TIME?")) < 2.2


def test_fade_is_monotone():
    rig = running()
    rig.climb(8)
    rig.do("SESS:STOP")
    seen = len(rig.pulses(1))
    rig.wait(1.5)
    down = levels(rig)[seen:]
    assert down[0] > 100
    assert down == sorted(down, reverse=True)
    assert down[-1] <= 4
    assert rig.state == "IDLE"


def test_live_width_acts_between_pulses_and_keeps_the_time_line():
    rig = running()
    rig.climb(2)
    rig.do("SOUR1:PULS:WIDT 150us;GAP 40us")
    rig.wait(0.3)
    pulses = rig.pulses(1)
    assert {(p.width_1, p.gap) for p in pulses} == {(37_500, 12_500), (18_750, 5_000)}
    changes = sum(a.width_1 != b.width_1 for a, b in zip(pulses, pulses[1:], strict=False))
    assert changes == 1
    assert all((p.start - pulses[0].start) % 2_500_000 == 0 for p in pulses)
    assert all(p.width_1 == p.width_2 for p in pulses)


def test_live_width_that_would_exceed_a_limit_is_refused():
    rig = running("SOUR1:PAD:AREA 1;:SOUR1:CURR:LIM 100mA", "SOUR1:PULS:WIDT 100us")
    rig.climb(9)
    error = rig.error("SOUR1:PULS:WIDT 1ms")
    assert "density on the pad" in error
    rig.wait(0.1)
    assert rig.state == "RUNNING"
    assert rig.pulses(1)[-1].width_1 == 12_500


def test_a_disabled_channel_takes_no_current():
    rig = running()
    assert "switched off" in rig.error("SOUR2:CURR 1mA")


# -- the rules by themselves ---------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(0, 5_000), st.integers(0, 900)), max_size=60))
def test_no_sequence_of_requests_rises_faster_than_2_ma_a_second(requests):
    intensity = Intensity(lambda a, b: a - b)
    now = 0
    accepted = [(0, 0)]
    for change_ua, wait_ms in requests:
        now += wait_ms
        wanted = intensity.current_ua + change_ua - 1_000
        try:
            intensity.put(wanted, 100_000, "peak", intensity.current_ua, now)
        except Refused:
            continue
        accepted.append((now, intensity.current_ua))
    for i, (t0, ua0) in enumerate(accepted):
        for t1, ua1 in accepted[i:]:
            assert ua1 - ua0 <= 1_000 * (1 + (t1 - t0) // 500)


@given(
    rate=st.integers(500, 500_000),
    width=st.integers(20_000, 1_000_000),
    count=st.integers(1, 8),
    pad=st.integers(100, 40_000),
    most=st.integers(0, 120_000),
    second=st.booleans(),
)
def test_ceiling_keeps_every_limit_in_exact_numbers(rate, width, count, pad, most, second):
    channel = Settings(CHANNEL)
    channel.update({
        "rate_mhz": rate, "width_ns": width, "count": count, "pad_mm2": pad, "limit_ua": most
    })
    if second:  # a course from the half to the whole, which count alike
        channel.update({"modulation": TRIANGLE, "rate_to_mhz": rate, "width_to_ns": width})
        channel.update({"rate_mhz": max(500, rate // 2), "width_ns": max(20_000, width // 2)})
    ua, why = ceiling(channel, Settings(SESSION))
    on_s = 2 * width * 1e-9 * count * (rate * 1e-3)  # per second
    amps = ua * 1e-6
    assert ua <= most
    assert amps**2 * on_s <= 0.050**2
    assert amps**2 * on_s <= (2e-3 * pad / 100) ** 2
    assert amps**2 * on_s * 500 <= 0.25 * pad / 100
    assert amps * on_s <= 0.010
    assert amps**2 * 500 * 2 * width * 1e-9 <= 20e-3
    assert amps * width * 1e-9 <= 120e-6
    if why != "CURRent:LIMit":
        assert ua < most or ua == most


@pytest.mark.parametrize("pulses_a_second", [1, 50, 400])
def test_at_the_ceiling_the_inspector_does_not_refuse(pulses_a_second):
    """What may be set must be playable: a whole climb to the ceiling on a small pad."""
    rig = Rig(keep=())
    rig.do(f"SOUR1:STAT ON;FREQ {pulses_a_second};PULS:WIDT 200us;:SOUR1:PAD:AREA 1")
    rig.do("SOUR1:CURR:LIM 30mA")
    rig.do("SOUR1:CYCL:ON INF;:SOUR1:RAMP:UP 0.1;:SESS:DUR 120")
    rig.start()
    most_ma = float(rig.ask("SOUR1:CURR? MAX")) * 1000
    assert most_ma >= 1
    now = 0.0
    while now < most_ma:
        now = min(now + 1, most_ma)
        rig.do(f"SOUR1:CURR {now:.3f} mA")
        rig.wait(0.5)
    rig.wait(3)
    assert rig.state == "RUNNING", rig.ask("FAUL:TEXT?")
