"""Addresses of Python buffers, and the bus in front of them."""

from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rheobase.sim.bus import Bus
from rheobase.sim.errors import HardFault, NotModelled, UseAfterFree, WildAccess
from rheobase.sim.memory import SRAM, SRAM_END, Memory
from rheobase.sim.modules.memory import bytearray_on_board


def test_addresses_are_stable_aligned_and_apart():
    memory = Memory()
    buffers = [array("H", [0] * n) for n in (1, 7, 8, 9, 100)]
    addresses = [memory.address_of(buffer) for buffer in buffers]
    assert addresses == [memory.address_of(buffer) for buffer in buffers]
    assert all(address % 16 == 0 and SRAM <= address < SRAM_END for address in addresses)
    ends = [a + 2 * len(b) for a, b in zip(addresses, buffers, strict=True)]
    assert all(end <= start for end, start in zip(ends, addresses[1:], strict=False))


def test_a_slice_has_an_address_inside_its_owner():
    memory = Memory()
    buffer = array("H", range(100))
    view = memoryview(buffer)[20:30]
    assert memory.address_of(view) == memory.address_of(buffer) + 40
    assert memory.address_of(memoryview(buffer)[5:]) == memory.address_of(buffer) + 10


@settings(deadline=None)
@given(st.binary(min_size=8, max_size=64), st.data())
def test_reads_and_writes_of_all_sizes_agree_with_the_bytes(content, data):
    content = content[: len(content) // 4 * 4]
    for make in (
        lambda: bytearray_on_board(content),
        lambda: array("H", content),
        lambda: array("I", content),
    ):
        memory = Memory()
        buffer = make()
        base = memory.address_of(buffer)
        size = data.draw(st.sampled_from([1, 2, 4]))
        offset = data.draw(st.integers(0, len(content) // size - 1)) * size
        value = data.draw(st.integers(0, (1 << 8 * size) - 1))
        region = memory.find(base + offset)
        assert region.read(base + offset, size) == int.from_bytes(
            content[offset : offset + size], "little"
        )
        region.write(base + offset, value, size)
        expected = bytearray(content)
        expected[offset : offset + size] = value.to_bytes(size, "little")
        assert bytes(buffer) == bytes(expected)


def test_freed_memory_is_not_there_any_more():
    memory = Memory()
    buffer = bytearray_on_board(10)
    address = memory.address_of(buffer)
    del buffer
    with pytest.raises(UseAfterFree):
        memory.find(address).read(address, 1)


def test_fresh_addresses_are_used_before_freed_ones():
    memory = Memory()
    seen = set()
    for _ in range(100):
        buffer = bytearray_on_board(16)
        address = memory.address_of(buffer)
        assert address not in seen
        seen.add(address)
        del buffer


def test_a_full_heap_reuses_freed_memory_and_then_is_out_of_it():
    memory = Memory()
    for _ in range(2000):
        buffer = bytearray_on_board(1000)
        memory.address_of(buffer)
        del buffer
    kept = []
    with pytest.raises(MemoryError):
        for _ in range(2000):
            kept.append(bytearray_on_board(1000))
            memory.address_of(kept[-1])
    assert len(kept) > 100


def test_constant_buffers_can_be_read_but_not_written():
    memory = Memory()
    text = bytes(range(8))
    address = memory.address_of(text)
    assert memory.find(address).read(address + 4, 2) == 0x0504
    with pytest.raises(WildAccess):
        memory.find(address).write(address, 0, 1)


def nothing_at(memory, address):
    """No word can be read or written there."""
    with pytest.raises(WildAccess):
        memory.find(address).read(address, 4)
    with pytest.raises(WildAccess):
        memory.find(address).write(address, 7, 4)


@pytest.mark.parametrize("make", [lambda: array("H", [1] * 3), lambda: bytearray_on_board(6)])
def test_a_word_that_is_only_half_in_a_buffer_is_found_out(make):
    memory = Memory()
    buffer = make()
    nothing_at(memory, memory.address_of(buffer) + 4)


def test_a_buffer_that_shrank_is_found_out():
    memory = Memory()
    buffer = array("I", [1, 2, 3])
    address = memory.address_of(buffer) + 8
    buffer.pop()
    nothing_at(memory, address)


def test_a_new_heap_leaves_the_old_regions_dead():
    memory = Memory()
    buffer = array("I", [1])
    region = memory.find(memory.address_of(buffer))
    memory.clear()
    with pytest.raises(UseAfterFree):
        region.read(region.start, 4)
    with pytest.raises(WildAccess):
        memory.find(region.start)


class Register:
    def __init__(self):
        self.value = 0x0F0F0F0F

    def read(self, offset, clock):
        return self.value + offset

    def write(self, offset, value, clock):
        self.value = value


@pytest.mark.parametrize(
    ("alias", "expected"),
    [(0x0000, 0x00FF00FF), (0x1000, 0x0FF00FF0), (0x2000, 0x0FFF0FFF), (0x3000, 0x0F000F00)],
)
def test_atomic_aliases_write_toggle_set_and_clear(alias, expected):
    bus = Bus(Memory())
    register = Register()
    bus.attach(0x40014000, register)
    bus.write(0x40014000 + alias, 0x00FF00FF, 4, 0)
    assert register.value == expected


def test_narrow_accesses_of_registers():
    bus = Bus(Memory())
    register = Register()
    bus.attach(0x40014000, register)
    register.value = 0x44332211
    assert [bus.read(0x40014000 + i, 1, 0) for i in range(4)] == [0x11, 0x22, 0x33, 0x44]
    assert bus.read(0x40014002, 2, 0) == 0x4433
    bus.write(0x40014002, 0xAB, 1, 0)
    assert register.value == 0xABABABAB


def test_addresses_with_nothing_behind_them():
    bus = Bus(Memory())
    for address in (0x30000000, 0x40070000, 0x60000000):
        with pytest.raises(HardFault):
            bus.read(address, 4, 0)
    for address in (0x40034000, 0x10000000, 0xE000E100):
        with pytest.raises(NotModelled):
            bus.write(address, 0, 4, 0)
    with pytest.raises(WildAccess):
        bus.read(0x20001000, 4, 0)
