"""The table of limits against the numbers of the safety requirements, written out by hand."""

import pytest

from firmware.core import limits

EXPECTED = {
    "peak_ua": 120_000,
    "rms_ua": 50_000,
    "density_ua_per_cm2": 2_000,
    "power_mw_per_cm2": 250,
    "energy_uj": 20_000,
    "mean_ua": 10_000,
    "charge_nc": 120_000,
    "width_min_ns": 20_000,
    "width_max_ns": 1_000_000,
    "gap_max_ns": 1_000_000,
    "horizon_ms": 100,
    "step_ua": 1_000,
    "step_ms": 500,
    "unfelt_ua": 10_000,
    "arm_ms": 60_000,
    "sense_zero_ua": 500,
    "unlock_ms": 4_000,
    "pad_mm2": 900,
    "link_pause_ms": 2_000,
    "link_end_ms": 10_000,
    "fade_ms": 1_000,
}


def test_every_limit_is_what_the_requirements_say():
    assert {name: limits.limit(name) for name in limits.LIMITS} == EXPECTED


def test_every_limit_has_a_unit_and_a_source():
    for _, unit, source in limits.LIMITS.values():
        assert unit
        assert source


@pytest.mark.parametrize("name", EXPECTED)
def test_any_changed_value_is_noticed(monkeypatch, name):
    assert limits.intact()
    for bit in range(20):
        value, unit, source = limits.LIMITS[name]
        with monkeypatch.context() as patch:
            patch.setitem(limits.LIMITS, name, (value ^ 1 << bit, unit, source))
            assert not limits.intact(), bit
    assert limits.intact()


def test_two_values_that_change_places_are_noticed(monkeypatch):
    first, second = limits.LIMITS["rms_ua"], limits.LIMITS["mean_ua"]
    monkeypatch.setitem(limits.LIMITS, "rms_ua", second)
    monkeypatch.setitem(limits.LIMITS, "mean_ua", first)
    assert not limits.intact()


def test_the_checksum_allocates_no_large_integer_on_the_way():
    # 31 times 24 bits is below 2**30 only if the sum is cut to 24 bits every time.
    assert limits._SUM < 1 << 24
