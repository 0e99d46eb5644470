"""The watchdog bites on time, and not while it is fed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rheobase.sim import watchdog as w
from rheobase.sim.kernel import Kernel
from rheobase.sim.watchdog import Watchdog

CLOCK_HZ = 125_000_000
MS = 125_000


class Rig:
    def __init__(self):
        self.kernel = Kernel()
        self.bites = []
        self.dog = Watchdog(self.kernel, CLOCK_HZ, lambda: self.bites.append(self.kernel.now))

    def run(self, ms):
        self.kernel.advance_to(self.kernel.now + ms * MS)


@pytest.fixture
def rig():
    return Rig()


def test_it_bites_after_its_timeout_once(rig):
    rig.dog.enable(100)
    rig.run(1000)
    assert rig.bites == [100 * MS]
    assert rig.dog.reason == w.TIMER
    assert not rig.dog.enabled


@settings(deadline=None)
@given(st.lists(st.integers(1, 250), max_size=20))
def test_feeding_puts_it_off(gaps):
    rig = Rig()
    rig.dog.enable(100)
    last = 0
    for gap in gaps:
        rig.run(gap)
        if rig.bites:
            break
        rig.dog.feed()
        last = rig.kernel.now
    rig.run(500)
    assert rig.bites == [last + 100 * MS]


def test_a_shorter_timeout_replaces_a_longer_one(rig):
    rig.dog.enable(5000)
    rig.run(1)
    rig.dog.enable(50)
    rig.run(1000)
    assert rig.bites == [51 * MS]


def test_it_can_be_stopped_and_forced_by_register(rig):
    rig.dog.enable(100)
    rig.dog.write(0x00, 0, 0)
    rig.run(500)
    assert rig.bites == []
    rig.dog.write(0x00, w.TRIGGER, 0)
    assert rig.bites == [500 * MS]
    assert rig.dog.read(0x08, 0) == w.FORCE


def test_it_counts_two_ticks_a_microsecond(rig):
    rig.dog.enable(100)
    rig.run(40)
    assert rig.dog.read(0x00, 0) & 0xFFFFFF == 60 * 1000 * 2


def test_scratch_registers_survive_everything_but_power(rig):
    rig.dog.write(0x0C, 0xDEADBEEF, 0)
    rig.dog.reset(w.TIMER)
    assert rig.dog.read(0x0C, 0) == 0xDEADBEEF
    rig.dog.enable(10)
    assert rig.dog.read(0x0C + 16, 0) == w.NON_REBOOT_MAGIC
    rig.dog.power_up()
    assert rig.dog.read(0x0C, 0) == 0
    assert not rig.dog.caused_reboot
