"""The electrode check before arming: what it refuses, what it plays, what it tells."""

import pytest
from rig import LEGS, Rig

from rheobase.sim.bench.loads import LOADS, Load


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
