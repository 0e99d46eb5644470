"""DMA: words moved, counted, paced, wrapped, chained and triggered as the datasheet says."""

from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rheobase.sim import dma as d
from rheobase.sim.bus import Bus
from rheobase.sim.dma import Dma
from rheobase.sim.errors import NotModelled, UseAfterFree, WildAccess
from rheobase.sim.kernel import Kernel
from rheobase.sim.memory import Memory

DMA_BASE = 0x50000000
FIFO = 0x50200010
TREQ = 0


class Fifo:
    """A peripheral with room for four words."""

    DEPTH = 4

    def __init__(self, rig):
        self.rig = rig
        self.words = []
        self.waiting = 0
        self.reads = []

    def ready(self):
        return self.waiting < self.DEPTH

    def write(self, offset, value, clock):
        self.waiting += 1
        self.words.append((clock, value))

    def read(self, offset, clock):
        return self.reads.pop(0)

    def take(self, count):
        """The peripheral uses words up."""
        for _ in range(count):
            self.waiting -= 1
            self.rig.dma.request(TREQ, self.rig.kernel.now)


class Rig:
    def __init__(self):
        self.kernel = Kernel()
        self.memory = Memory()
        self.bus = Bus(self.memory)
        self.dma = Dma(self.kernel, self.bus)
        self.fifo = Fifo(self)
        self.dma.ready[TREQ] = self.fifo.ready
        self.bus.attach(DMA_BASE, self.dma)
        self.bus.attach(0x50200000, self.fifo)

    def set(self, channel, **registers):
        """Set registers without triggering: read, write, count, ctrl."""
        places = {"read": 0x00, "write": 0x04, "count": 0x08, "ctrl": 0x10}
        for name, value in registers.items():
            offset = 0x40 * channel + places[name]
            self.dma.write(offset, value, self.kernel.now)

    def address(self, buffer):
        return self.memory.address_of(buffer)

    def settle(self, clocks=10_000):
        self.kernel.advance_to(self.kernel.now + clocks)


def ctrl(
    size=2, inc_read=True, inc_write=True, chain_to=0, treq=d.PERMANENT, quiet=True, ring=0,
    ring_write=False, enable=True,
):  # fmt: skip
    return (
        int(enable) | size << 2 | inc_read << 4 | inc_write << 5 | ring << 6 | ring_write << 10
        | chain_to << 11 | treq << 15 | quiet << 21
    )


@pytest.fixture
def rig():
    return Rig()


@pytest.mark.parametrize("size", [0, 1, 2])
def test_a_copy_of_bytes_halfwords_and_words(rig, size):
    source = bytearray(range(1, 17))
    target = bytearray(16)
    rig.set(0, read=rig.address(source), write=rig.address(target), count=16 >> size,
            ctrl=ctrl(size=size))  # fmt: skip
    rig.dma.start(1, 0)
    assert target == source
    assert not rig.dma.channels[0].busy
    assert rig.dma.channels[0].read == rig.address(source) + 16


def test_nothing_moves_without_a_trigger_or_with_the_channel_disabled(rig):
    source, target = array("I", [7]), array("I", [0])
    rig.set(0, read=rig.address(source), write=rig.address(target), count=1,
            ctrl=ctrl(enable=False))  # fmt: skip
    rig.dma.start(1, 0)
    assert target[0] == 0
    rig.set(0, ctrl=ctrl())
    assert target[0] == 0
    rig.dma.start(1, 0)
    assert target[0] == 7


@pytest.mark.parametrize(
    ("alias", "register"), [(0x0C, "ctrl"), (0x1C, "count"), (0x2C, "write"), (0x3C, "read")]
)
def test_the_last_register_of_each_alias_triggers(rig, alias, register):
    source, target = array("I", [5]), array("I", [0])
    values = {
        "read": rig.address(source), "write": rig.address(target), "count": 1, "ctrl": ctrl(),
    }  # fmt: skip
    rig.set(0, **{name: value for name, value in values.items() if name != register})
    rig.dma.write(alias, values[register], 0)
    assert target[0] == 5


def test_the_count_is_reloaded_by_every_trigger_but_addresses_go_on(rig):
    source, target = array("I", [1, 2, 3, 4]), array("I", [0] * 4)
    rig.set(0, read=rig.address(source), write=rig.address(target), count=2, ctrl=ctrl())
    rig.dma.start(1, 0)
    assert list(target) == [1, 2, 0, 0]
    rig.dma.start(1, 0)
    assert list(target) == [1, 2, 3, 4]


def test_a_paced_channel_keeps_the_fifo_full_and_no_more(rig):
    source = array("I", range(1, 11))
    rig.set(0, read=rig.address(source), write=FIFO, count=10,
            ctrl=ctrl(inc_write=False, treq=TREQ))  # fmt: skip
    rig.dma.start(1, 0)
    assert [word for _, word in rig.fifo.words] == [1, 2, 3, 4]
    assert rig.dma.read(0x08, 0) == 6
    assert rig.dma.read(0x0C, 0) & d.BUSY
    rig.fifo.take(2)
    assert len(rig.fifo.words) == 6
    rig.fifo.take(4)
    assert [word for _, word in rig.fifo.words] == list(range(1, 11))
    assert not rig.dma.channels[0].busy
    rig.fifo.take(4)
    assert len(rig.fifo.words) == 10


def test_words_come_at_clocks_of_their_own_and_soon(rig):
    source = array("I", range(8))
    rig.set(0, read=rig.address(source), write=FIFO, count=8,
            ctrl=ctrl(inc_write=False, treq=TREQ))  # fmt: skip
    rig.kernel.advance_to(1000)
    rig.dma.start(1, 1000)
    clocks = [clock for clock, _ in rig.fifo.words]
    assert 1000 < clocks[0] <= 1010
    assert clocks == sorted(set(clocks))


def test_control_blocks_gather_and_a_null_ends_them(rig):
    blocks = [array("I", [1, 2, 3]), array("I", [4]), array("I", [5, 6])]
    entries = array("I")
    play = ctrl(inc_write=False, treq=TREQ, chain_to=1)
    for block in blocks:
        entries.extend([play, FIFO, len(block), rig.address(block)])
    entries.extend([play, FIFO, 0, 0])
    rig.set(1, read=rig.address(entries), write=DMA_BASE + 0x30, count=4,
            ctrl=ctrl(ring=4, ring_write=True, chain_to=1))  # fmt: skip
    rig.dma.start(2, 0)
    while len(rig.fifo.words) < 6:
        rig.fifo.take(1)
    assert [word for _, word in rig.fifo.words] == [1, 2, 3, 4, 5, 6]
    assert rig.dma.channels[1].read == rig.address(entries) + 16 * 4
    assert not rig.dma.channels[0].busy
    rig.settle()
    assert rig.dma.pending == 1  # the null trigger of a quiet channel


def test_a_list_closed_to_a_ring_plays_for_ever(rig):
    block = array("I", [1, 2])
    entries = array("I", [0] * 8)
    base = array("I", [rig.address(entries)])
    entries[0:4] = array("I", [ctrl(inc_write=False, treq=TREQ, chain_to=1), FIFO, 2,
                               rig.address(block)])  # fmt: skip
    rewind = ctrl(inc_read=False, inc_write=False, chain_to=1)
    entries[4:8] = array("I", [rewind, DMA_BASE + 0x40, 1, rig.address(base)])
    rig.set(1, read=rig.address(entries), write=DMA_BASE + 0x30, count=4,
            ctrl=ctrl(ring=4, ring_write=True, chain_to=1))  # fmt: skip
    rig.dma.start(2, 0)
    for _ in range(500):
        rig.settle(100)
        rig.fifo.take(1)
    assert [word for _, word in rig.fifo.words[:500]] == [1, 2] * 250


def test_a_null_trigger_interrupts_only_a_quiet_channel(rig):
    for quiet in (False, True):
        rig.set(0, ctrl=ctrl(quiet=quiet))
        rig.dma.write(0x3C, 0, rig.kernel.now)
        rig.settle()
        assert rig.dma.pending == quiet
        assert not rig.dma.channels[0].busy


def test_a_trigger_with_a_count_of_nothing_goes_on_to_the_next_channel(rig):
    source, target = array("I", [3]), array("I", [0])
    rig.set(0, count=0, ctrl=ctrl(chain_to=1))
    rig.set(1, read=rig.address(source), write=rig.address(target), count=1, ctrl=ctrl(chain_to=1))
    rig.dma.start(1, 0)
    rig.settle()
    assert target[0] == 3


def test_a_channel_at_work_ignores_triggers(rig):
    source = array("I", range(20))
    rig.set(0, read=rig.address(source), write=FIFO, count=10,
            ctrl=ctrl(inc_write=False, treq=TREQ))  # fmt: skip
    rig.dma.start(1, 0)
    rig.dma.start(1, 0)
    rig.dma.write(0x1C, 15, 0)
    for _ in range(20):
        if rig.fifo.waiting:
            rig.fifo.take(1)
    assert len(rig.fifo.words) == 10


def test_two_channels_that_only_trigger_each_other_do_not_stop_time(rig):
    cell = array("I", [0])
    for channel in (0, 1):
        rig.set(channel, read=rig.address(cell), write=rig.address(cell), count=1,
                ctrl=ctrl(inc_read=False, inc_write=False, chain_to=1 - channel))  # fmt: skip
    rig.dma.start(1, 0)
    rig.settle(100_000)
    assert rig.kernel.now == 100_000
    assert rig.dma.channels[0].busy or rig.dma.channels[1].busy


def test_the_interrupt_at_the_end_unless_quiet(rig):
    raised = []
    rig.dma.on_interrupt = lambda: raised.append(rig.kernel.now)
    cell = array("I", [1])
    for quiet in (True, False):
        rig.set(0, read=rig.address(cell), write=rig.address(cell), count=1,
                ctrl=ctrl(quiet=quiet))  # fmt: skip
        rig.dma.enable_irq(0, True)
        rig.dma.start(1, rig.kernel.now)
        rig.settle()
        assert bool(rig.dma.pending) == (not quiet)
    assert len(raised) == 1
    rig.dma.write(0x40C, 1, 0)
    assert rig.dma.pending == 0


def test_abort_ends_a_transfer_without_chaining(rig):
    source = array("I", range(100))
    other = array("I", [0])
    rig.set(0, read=rig.address(source), write=FIFO, count=100,
            ctrl=ctrl(inc_write=False, treq=TREQ, chain_to=1))  # fmt: skip
    rig.set(1, read=rig.address(source), write=rig.address(other), count=1, ctrl=ctrl(chain_to=1))
    rig.dma.start(1, 0)
    rig.dma.write(0x444, 1, 0)
    assert not rig.dma.channels[0].busy
    rig.fifo.take(4)
    assert len(rig.fifo.words) == 4
    assert rig.dma.channels[1].read == rig.address(source)


def test_a_paused_channel_stays_busy_and_goes_on(rig):
    source = array("I", range(10))
    word = ctrl(inc_write=False, treq=TREQ)
    rig.set(0, read=rig.address(source), write=FIFO, count=10, ctrl=word)
    rig.dma.start(1, 0)
    rig.set(0, ctrl=word & ~1)
    rig.fifo.take(3)
    assert len(rig.fifo.words) == 4
    assert rig.dma.channels[0].busy
    rig.set(0, ctrl=word)
    assert len(rig.fifo.words) == 7


def test_a_read_ring_repeats_its_block(rig):
    store = array("I", [0] * 16)  # heap buffers are aligned to 16 bytes, so is a ring of 16
    store[0:4] = array("I", [1, 2, 3, 4])
    target = array("I", [0] * 10)
    rig.set(0, read=rig.address(store), write=rig.address(target), count=10, ctrl=ctrl(ring=4))
    rig.dma.start(1, 0)
    assert list(target) == [1, 2, 3, 4, 1, 2, 3, 4, 1, 2]


def test_a_pacing_timer_makes_an_exact_average_rate(rig):
    source = array("I", range(50))
    rig.dma.write(0x420, 3 << 16 | 1000, 0)  # three transfers in a thousand clocks
    rig.set(0, read=rig.address(source), write=FIFO, count=30,
            ctrl=ctrl(inc_write=False, treq=d.DREQ_TIMER0))  # fmt: skip
    rig.dma.start(1, 0)
    rig.settle(20_000)
    clocks = [clock for clock, _ in rig.fifo.words]
    assert len(clocks) == 30
    assert clocks[3] - clocks[0] == 1000
    assert clocks[27] - clocks[0] == 9000
    assert not rig.dma.channels[0].busy


def test_bytes_and_halfwords_reach_a_register_on_all_lanes(rig):
    source = bytearray([0xAB, 0xCD])
    rig.set(0, read=rig.address(source), write=FIFO, count=2,
            ctrl=ctrl(size=0, inc_write=False, treq=TREQ))  # fmt: skip
    rig.dma.start(1, 0)
    assert [word for _, word in rig.fifo.words] == [0xABABABAB, 0xCDCDCDCD]


def test_reading_memory_that_is_gone_is_found_out(rig):
    source = array("I", range(100))
    rig.set(0, read=rig.address(source), write=FIFO, count=100,
            ctrl=ctrl(inc_write=False, treq=TREQ))  # fmt: skip
    rig.dma.start(1, 0)
    del source
    with pytest.raises(UseAfterFree):
        rig.fifo.take(1)


def test_reading_past_the_end_of_a_buffer_is_found_out(rig):
    source = array("I", range(2))
    rig.set(0, read=rig.address(source), write=FIFO, count=9,
            ctrl=ctrl(inc_write=False, treq=TREQ))  # fmt: skip
    with pytest.raises(WildAccess):
        rig.dma.start(1, 0)


def test_an_unknown_request_is_refused(rig):
    rig.set(0, read=0, write=FIFO, count=1, ctrl=ctrl(treq=50))
    with pytest.raises(NotModelled):
        rig.dma.start(1, 0)


@settings(deadline=None)
@given(
    data=st.data(),
    counts=st.lists(st.integers(1, 20), min_size=1, max_size=8),
    takes=st.lists(st.integers(1, 4), min_size=1, max_size=30),
)
def test_whatever_the_list_every_word_arrives_once_and_in_order(data, counts, takes):
    rig = Rig()
    blocks, expected = [], []
    for count in counts:
        block = array("I", (data.draw(st.integers(0, 2**32 - 1)) for _ in range(count)))
        blocks.append(block)
        expected += block
    play = ctrl(inc_write=False, treq=TREQ, chain_to=1)
    entries = array("I")
    for block in blocks:
        entries.extend([play, FIFO, len(block), rig.address(block)])
    entries.extend([0, 0, 0, 0])
    rig.set(1, read=rig.address(entries), write=DMA_BASE + 0x30, count=4,
            ctrl=ctrl(ring=4, ring_write=True, chain_to=1))  # fmt: skip
    rig.dma.start(2, 0)
    for take in takes * 200:
        if rig.fifo.waiting < take:
            break
        rig.settle(50)
        rig.fifo.take(take)
    while rig.fifo.waiting:
        rig.fifo.take(1)
    assert [word for _, word in rig.fifo.words] == expected
