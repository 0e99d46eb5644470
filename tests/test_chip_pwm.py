"""PWM slices: what is written takes effect at a wrap, and everybody is told the duty then."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rheobase.sim.errors import NotModelled
from rheobase.sim.kernel import Kernel
from rheobase.sim.pwm import Pwm

CSR, DIV, CTR, CC, TOP = 0x00, 0x04, 0x08, 0x0C, 0x10
EN = 0xA0


class Rig:
    def __init__(self):
        self.kernel = Kernel()
        self.duties = []
        self.pwm = Pwm(self.kernel, lambda *duty: self.duties.append(duty))

    def write(self, register, value, index=0):
        self.pwm.write(0x14 * index + register, value, self.kernel.now)

    def read(self, register, index=0):
        return self.pwm.read(0x14 * index + register, self.kernel.now)

    def run(self, clocks):
        self.kernel.advance_to(self.kernel.now + clocks)


@pytest.fixture
def rig():
    return Rig()


def test_a_stopped_slice_takes_everything_at_once(rig):
    rig.write(CC, 5)
    assert rig.duties == [(0, 0, 0, 1, 1)]  # it stands at 0, below 5: high for good
    rig.write(CC, 0)
    assert rig.duties[-1] == (0, 0, 0, 0, 1)


def test_a_new_level_waits_for_the_wrap(rig):
    rig.write(TOP, 99)
    rig.write(CC, 10)
    rig.write(CSR, 1)
    rig.duties.clear()
    rig.run(30)
    rig.write(CC, 20 | 40 << 16)
    rig.run(69)
    assert rig.duties == []
    rig.run(1)
    assert rig.duties == [(100, 0, 0, 20, 100), (100, 0, 1, 40, 100)]


def test_of_several_levels_in_a_period_the_last_counts(rig):
    rig.write(TOP, 99)
    rig.write(CSR, 1)
    rig.duties.clear()
    for level in (7, 8, 9):
        rig.run(10)
        rig.write(CC, level)
    rig.run(100)
    assert rig.duties == [(100, 0, 0, 9, 100)]


def test_a_level_that_is_taken_back_changes_nothing(rig):
    rig.write(TOP, 99)
    rig.write(CC, 10)
    rig.write(CSR, 1)
    rig.duties.clear()
    rig.write(CC, 50)
    rig.write(CC, 10)
    rig.run(500)
    assert rig.duties == []


def test_the_top_changes_at_the_wrap_too(rig):
    rig.write(TOP, 99)
    rig.write(CC, 10)
    rig.write(CSR, 1)
    rig.run(250)
    rig.duties.clear()
    rig.write(TOP, 49)
    rig.run(50)
    assert rig.duties == [(300, 0, 0, 10, 50), (300, 0, 1, 0, 50)]
    rig.write(CC, 20)
    rig.run(50)
    assert rig.duties[-1] == (350, 0, 0, 20, 50)


def test_a_new_period_begins_at_the_wrap_that_brings_it(rig):
    rig.write(TOP, 99)
    rig.write(CSR, 1)
    rig.run(150)
    rig.write(TOP, 69)
    rig.run(50 + 30)
    assert rig.read(CTR) == 30
    rig.run(70)
    assert rig.read(CTR) == 30


def test_levels_beyond_the_top_are_always_high(rig):
    rig.write(TOP, 99)
    rig.write(CC, 100)
    rig.write(CSR, 1)
    assert rig.pwm.slices[0].duty(0) == (100, 100)


def test_counter_divider_and_stop(rig):
    rig.write(TOP, 99)
    rig.write(DIV, 4 << 4)
    rig.write(CSR, 1)
    rig.run(4 * 57 + 2)
    assert rig.read(CTR) == 57
    rig.write(CSR, 0)
    rig.run(1000)
    assert rig.read(CTR) == 57
    rig.write(CC, 58)
    assert rig.pwm.slices[0].duty(0) == (1, 1)  # stopped high
    rig.write(CSR, 1)
    rig.run(4 * 43)
    assert rig.read(CTR) == 0


def test_inverted_outputs(rig):
    rig.write(TOP, 99)
    rig.write(CC, 30)
    rig.write(CSR, 1 | 4)
    assert rig.pwm.slices[0].duty(0) == (70, 100)
    assert rig.pwm.slices[0].duty(1) == (0, 100)


def test_the_enable_register_acts_on_all_slices(rig):
    rig.pwm.write(EN, 0b1010, 0)
    assert [one.enabled for one in rig.pwm.slices] == [i in (1, 3) for i in range(8)]
    assert rig.pwm.read(EN, 0) == 0b1010


def test_pins_share_slices_sixteen_apart(rig):
    assert rig.pwm.of_pin(16) == rig.pwm.of_pin(0) == (rig.pwm.slices[0], 0)
    assert rig.pwm.of_pin(25) == (rig.pwm.slices[4], 1)


def test_counting_edges_of_the_other_pin_is_refused(rig):
    with pytest.raises(NotModelled):
        rig.write(CSR, 1 | 2 << 4)


@settings(deadline=None)
@given(
    top=st.integers(1, 3000),
    divider=st.integers(16, 4000),
    writes=st.lists(st.tuples(st.integers(1, 9000), st.integers(0, 3000)), max_size=10),
)
def test_duties_change_at_wraps_only_and_end_at_what_was_written(top, divider, writes):
    rig = Rig()
    rig.write(TOP, top)
    rig.write(DIV, divider)
    rig.write(CSR, 1)
    rig.duties.clear()
    level = 0
    for gap, level in writes:
        rig.run(gap)
        rig.write(CC, level)
    rig.run((top + 1) * divider // 16 + 2)
    period = (top + 1) * divider
    for clock, _, channel, _, total in rig.duties:
        assert channel == 0
        assert total == top + 1
        assert 0 <= clock * 16 % period < 16  # the first clock of a period
    if rig.duties:
        assert rig.duties[-1][3] == min(level, top + 1)
    assert rig.pwm.slices[0].duty(0)[0] == min(level, top + 1)
