"""The ADC, by register: single conversions, and free running over several inputs."""

import pytest

from rheobase.sim.adc import Adc
from rheobase.sim.kernel import Kernel

CLOCK_HZ = 125_000_000
CS, RESULT, FCS, FIFO, DIV = 0x00, 0x04, 0x08, 0x0C, 0x10
READY = 1 << 8


class Rig:
    def __init__(self):
        self.kernel = Kernel()
        self.volts = {26: 0.0, 27: 1.65, 28: 3.3, 29: 9.9}
        self.asked = []
        self.adc = Adc(self.kernel, CLOCK_HZ, self._volts)

    def _volts(self, clock, pin):
        self.asked.append((clock, pin))
        return self.volts[pin]

    def write(self, register, value):
        self.adc.write(register, value, self.kernel.now)

    def read(self, register):
        return self.adc.read(register, self.kernel.now)

    def run(self, clocks):
        self.kernel.advance_to(self.kernel.now + clocks)


@pytest.fixture
def rig():
    return Rig()


def test_a_conversion_takes_two_microseconds(rig):
    rig.write(CS, 1 | 1 << 12)
    rig.write(CS, 1 | 4 | 1 << 12)
    assert not rig.read(CS) & READY
    rig.run(250)
    assert rig.read(CS) & READY
    assert rig.read(RESULT) == 2048


def test_full_scale_and_beyond(rig):
    assert [rig.adc.sample(channel, 0) for channel in range(4)] == [0, 2048, 4095, 4095]


def test_nothing_happens_while_it_is_off(rig):
    rig.write(CS, 4 | 1 << 12)
    assert rig.asked == []


def test_free_running_goes_round_the_selected_inputs(rig):
    rig.write(FCS, 1)
    rig.write(DIV, (4800 - 1) << 8)  # every 100 us
    rig.write(CS, 1 | 8 | 0b101 << 16)
    rig.run(12_500 * 3 + 250)
    assert rig.asked == [(0, 26), (12_500, 28), (25_000, 26), (37_500, 28)]
    assert [rig.read(FIFO) for _ in range(4)] == [0, 4095, 0, 4095]
    rig.write(CS, 1)
    rig.run(1_000_000)
    assert len(rig.asked) == 4


def test_back_to_back_conversions_are_two_microseconds_apart(rig):
    rig.write(CS, 1 | 8)
    rig.run(1000)
    assert [clock for clock, _ in rig.asked] == [0, 250, 500, 750, 1000]


def test_the_fifo_overflows_underflows_and_says_so(rig):
    rig.write(FCS, 1)
    rig.write(CS, 1 | 8 | 1 << 12)
    rig.run(250 * 6)
    assert rig.read(FCS) >> 16 & 15 == 4
    assert rig.read(FCS) & 1 << 11
    rig.write(CS, 1)
    for _ in range(5):
        rig.read(FIFO)
    assert rig.read(FCS) & 1 << 10
    rig.write(FCS, 1 | 1 << 10 | 1 << 11)
    assert not rig.read(FCS) & (1 << 10 | 1 << 11)


def test_dma_is_asked_for_at_the_threshold(rig):
    requests = []
    rig.adc.on_dreq = requests.append
    rig.write(FCS, 1 | 8 | 2 << 24)
    rig.write(CS, 1 | 8)
    rig.run(499)
    assert requests == []
    rig.run(1)
    assert requests == [500]
    assert rig.adc.dreq()
    rig.read(FIFO)
    assert not rig.adc.dreq()


def test_a_single_read_disturbs_a_free_running_adc(rig):
    rig.write(CS, 1 | 8 | 0b011 << 16)
    rig.run(100)
    assert rig.adc.convert(2, rig.kernel.now) == 0  # of the conversion that was under way
    rig.run(250)
    assert rig.asked[-1] == (250, 26)  # the round goes on from the input selected, not to 27


def test_the_input_is_held_at_the_start_and_the_result_stands_at_the_end(rig):
    rig.write(FCS, 1 | 8 | 1 << 24)
    rig.write(CS, 1 | 4 | 1 << 12)
    rig.volts[27] = 3.3
    rig.run(249)
    assert rig.read(FCS) >> 16 & 15 == 0
    rig.run(1)
    assert rig.read(FCS) >> 16 & 15 == 1
    assert rig.read(FIFO) == 2048


def test_a_start_while_busy_is_ignored_and_counted(rig):
    rig.write(FCS, 1)
    rig.write(CS, 1 | 4 | 1 << 12)
    rig.run(200)
    rig.write(CS, 1 | 4 | 2 << 12)
    rig.run(1000)
    assert rig.asked == [(0, 27)]
    assert rig.adc.ignored == 1


def test_dma_may_start_a_conversion_a_little_ahead_of_the_rest_of_the_chip(rig):
    rig.write(FCS, 1)
    rig.adc.write(CS, 1 | 4 | 1 << 12, 30)
    assert rig.asked == [(30, 27)]
    rig.run(279)
    assert rig.read(FCS) >> 16 & 15 == 0
    rig.run(1)
    assert rig.read(FCS) >> 16 & 15 == 1


def test_the_temperature_sensor_needs_its_bias(rig):
    assert rig.adc.sample(4, 0) == 0
    rig.write(CS, 1 | 2)
    assert rig.adc.sample(4, 0) == int(0.706 / 3.3 * 4096)
