"""The emulator's DMA, PWM and pins, with the CPU halted: what is due at which clock."""

from __future__ import annotations

from itertools import pairwise

import pytest
from emulator_bench import DMA, IO_BANK0, PIO0, PWM, RAM, BareChip, needs_emulator
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytestmark = needs_emulator

LATENCY = 5  # clocks from a request to the word written
READ, WRITE, COUNT, CTRL_TRIG = 0x00, 0x04, 0x08, 0x0C
AL3 = 0x30  # CTRL, WRITE_ADDR, TRANS_COUNT, READ_ADDR_TRIG
INTR, ABORT = 0x400, 0x444
EN, WORD, INC_READ, INC_WRITE, RING_WRITE = 1, 2 << 2, 1 << 4, 1 << 5, 1 << 10
QUIET, BUSY, ALWAYS = 1 << 21, 1 << 24, 0x3F << 15
TXF0, RXF0, FLEVEL = PIO0 + 0x10, PIO0 + 0x20, PIO0 + 0x0C
DREQ_PIO0_TX0, DREQ_PIO0_RX0 = 0 << 15, 4 << 15

SIO_IN, SIO_OUT_SET, SIO_OE_SET = 0xD000_0004, 0xD000_0014, 0xD000_0024
PADS = 0x4001_C000
FUNCTION_SIO, FUNCTION_PWM = 5, 4

CSR, DIV, CTR, CC, TOP = 0x00, 0x04, 0x08, 0x0C, 0x10


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    chip = BareChip(tmp_path_factory.mktemp("chip"))
    yield chip
    chip.close()


@pytest.fixture
def chip(shared):
    shared.restart(synchronised=True, pwm_edges=False)
    return shared


def channel(number):
    return DMA + 0x40 * number


def chain_to(number):
    return number << 11


def busy(chip, number):
    return bool(chip.read(channel(number) + CTRL_TRIG) & BUSY)


# DMA


def test_an_unpaced_channel_moves_a_word_a_clock_after_its_latency(chip):
    source, target = RAM + 0x100, RAM + 0x200
    chip.write(source, *range(1, 9))
    chip.run_until(50)
    chip.write(channel(0), source, target, 8)
    chip.write(channel(0) + CTRL_TRIG, EN | WORD | INC_READ | INC_WRITE | ALWAYS | QUIET)
    landed = []
    for clock in range(50, 70):
        landed += [clock] * sum(
            chip.read(target + 4 * i) == i + 1 for i in range(len(landed), 8)
        )
        chip.run_until(clock + 1)
    assert landed == [50 + LATENCY + i for i in range(8)]
    assert not busy(chip, 0)
    assert chip.read(target + 32) == 0, "not a word too many"
    assert chip.read(channel(0) + READ) == source + 32


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.integers(1, 12), st.lists(st.integers(1, 40), max_size=14))
def test_a_paced_channel_writes_what_there_is_room_for_and_nothing_more(shared, count, waits):
    chip = shared
    chip.restart()
    source = RAM + 0x100
    words = [(0x1000 + i) * 0x10001 for i in range(count)]
    chip.write(source, *words)
    chip.write(source + 4 * count, 0xBAD)
    # The machine only pulls when the CPU makes it: pull(block) and then nothing.
    chip.load([0x0000])
    chip.machine(0)
    chip.write(channel(3), source, TXF0, count)
    chip.write(channel(3) + CTRL_TRIG, EN | WORD | INC_READ | DREQ_PIO0_TX0 | chain_to(3) | QUIET)
    chip.run(60)
    pulled = 0
    for wait in waits:
        assert chip.read(FLEVEL) & 15 == min(4, count - pulled)
        if pulled == count:
            break
        chip.write(PIO0 + 0xD8, 0x80A0)  # pull(block)
        pulled += 1
        chip.run(wait + 20)
    assert busy(chip, 3) == (pulled + 4 < count)
    assert chip.read(channel(3) + READ) == source + 4 * min(count, pulled + 4)


def control_blocks(chip, entries, *, data=0, control=1):
    """Starts `control` on a list of [ctrl, write, count, read] entries at clock `now`."""
    blocks = RAM + 0x1000
    for index, entry in enumerate(entries):
        chip.write(blocks + 16 * index, *entry)
    ring = EN | WORD | INC_READ | INC_WRITE | RING_WRITE | 4 << 6 | ALWAYS | QUIET
    chip.write(channel(control), blocks, channel(data) + AL3, 4)
    chip.write(channel(control) + CTRL_TRIG, ring | chain_to(control))
    return blocks


def copy(read, write, count, extra=0):
    """A control block that makes channel 0 copy words, then fetch the next one by channel 1."""
    return [EN | WORD | INC_READ | INC_WRITE | ALWAYS | chain_to(1) | extra, write, count, read]


END = [0, 0, 0, 0]


def test_a_list_of_control_blocks_is_walked_and_ends_at_the_null(chip):
    target = RAM + 0x400
    chip.write(RAM + 0x100, 11, 12, 13)
    chip.write(RAM + 0x200, 21, 22)
    blocks = control_blocks(
        chip,
        [copy(RAM + 0x100, target, 3), copy(RAM + 0x200, target + 12, 2), END, copy(RAM, 0, 9)],
    )
    chip.run(200)
    assert [chip.read(target + 4 * i) for i in range(6)] == [11, 12, 13, 21, 22, 0]
    assert not busy(chip, 0) and not busy(chip, 1)
    assert chip.read(channel(1) + READ) == blocks + 48


def test_an_entry_that_rewinds_the_control_channel_closes_the_ring(chip):
    counter, base = RAM + 0x400, RAM + 0x500
    chip.write(RAM + 0x100, 7)
    chip.write(base, RAM + 0x1000)
    rewind = [EN | WORD | ALWAYS | chain_to(1) | QUIET, channel(1) + READ, 1, base]
    blocks = control_blocks(chip, [copy(RAM + 0x100, counter, 1, QUIET), rewind])
    lap = 2 * (LATENCY + LATENCY + 3)  # a word, then four words of control block, twice
    chip.run(100 * lap)
    for _ in range(20):
        assert busy(chip, 0) or busy(chip, 1)
        chip.write(counter, 0)
        chip.run(lap)
        assert chip.read(counter) == 7
    chip.write(blocks + 12, 0)  # the copying entry becomes the list's end
    chip.run(2 * lap)
    assert not busy(chip, 0) and not busy(chip, 1)


def test_a_null_trigger_interrupts_only_a_quiet_channel(chip):
    for number, quiet in ((0, QUIET), (1, 0)):
        chip.write(channel(number) + 0x10, EN | WORD | ALWAYS | chain_to(number) | quiet)
        chip.write(channel(number) + AL3 + 12, 0)
    assert chip.read(DMA + INTR) == 0b01


def test_an_aborted_channel_writes_nothing_more(chip):
    chip.write(RAM + 0x100, *range(1, 9))
    chip.write(channel(0), RAM + 0x100, RAM + 0x200, 8)
    chip.write(channel(0) + CTRL_TRIG, EN | WORD | INC_READ | INC_WRITE | ALWAYS)
    chip.run(LATENCY + 2)
    chip.write(DMA + ABORT, 1)
    moved = [chip.read(RAM + 0x200 + 4 * i) for i in range(8)]
    assert not busy(chip, 0) and 0 < sum(word > 0 for word in moved) < 8
    chip.run(100)
    assert [chip.read(RAM + 0x200 + 4 * i) for i in range(8)] == moved


def test_a_timer_paces_a_channel(chip):
    chip.write(DMA + 0x420, 1 << 16 | 50)  # one transfer in 50 clocks
    chip.write(channel(0), RAM + 0x100, RAM + 0x200, 20)
    chip.write(channel(0) + CTRL_TRIG, EN | WORD | INC_READ | 0x3B << 15 | chain_to(0))
    chip.run(10 * 50 + LATENCY + 2)
    assert 20 - chip.read(channel(0) + COUNT) in (10, 11)


def test_a_pwm_wrap_paces_a_channel(chip):
    slice0(chip, top=99)
    chip.run_until(1010)
    chip.write(channel(0), RAM + 0x100, RAM + 0x200, 20)
    chip.write(channel(0) + CTRL_TRIG, EN | WORD | INC_READ | 24 << 15 | chain_to(0))
    for wraps in range(4):
        chip.run_until(1100 + 100 * wraps + LATENCY - 1)
        assert 20 - chip.read(channel(0) + COUNT) == wraps
        chip.run(1)
        assert 20 - chip.read(channel(0) + COUNT) == wraps + 1
    assert chip.read(PWM + 0xA0) == 1 and chip.read(PWM + 0xA4) & 1


# PWM


def slice0(chip, top=99, cc=0, div=16, csr=1):
    chip.write(PWM + DIV, div)
    chip.write(PWM + CC, cc)
    chip.write(PWM + TOP, top)
    chip.write(PWM + CSR, csr)


def changes(chip):
    return [tuple(map(int, c)) for c in chip.process.ask("pwm", clear=False)["changes"]]


def test_a_new_compare_value_counts_from_the_next_wrap(chip):
    chip.select(FUNCTION_PWM, 16, 17)
    slice0(chip, top=99, cc=10 | 20 << 16)
    chip.run_until(1234)
    chip.write(PWM + CC, 50 | 60 << 16)
    assert changes(chip)[-2:] == [(0, 16, 10, 100), (0, 17, 20, 100)]
    chip.run_until(1300)
    assert changes(chip)[-2:] == [(0, 16, 10, 100), (0, 17, 20, 100)]
    chip.run_until(1301)
    assert changes(chip)[-2:] == [(1300, 16, 50, 100), (1300, 17, 60, 100)]
    assert chip.read(PWM + CTR) == 1


def test_a_word_from_the_rx_fifo_sets_both_amplitudes(chip):
    chip.select(FUNCTION_PWM, 16, 17)
    slice0(chip, top=2047)
    chip.write(channel(2), RXF0, PWM + CC, 0x0FFF_FFFF)
    chip.write(channel(2) + CTRL_TRIG, EN | WORD | DREQ_PIO0_RX0 | chain_to(2) | QUIET)
    chip.load([0x80A0, 0x60DF, 0x8020])  # pull(block), out(isr, 31), push(block)
    chip.machine(0, execctrl=2 << 12, shiftctrl=1 << 19)
    chip.write(PIO0, 1)
    chip.run_until(100)
    chip.write(TXF0, 0x8000_0000 | 300 << 16 | 200)
    chip.run_until(103 + LATENCY - 1)  # pulled in 101, pushed in 103
    assert chip.read(PWM + CC) == 0
    chip.run(1)
    assert chip.read(PWM + CC) == 300 << 16 | 200
    chip.run_until(3000)
    assert changes(chip)[-2:] == [(2048, 16, 200, 2048), (2048, 17, 300, 2048)]
    assert busy(chip, 2)


def test_edges_come_on_request(chip):
    chip.restart(pwm_edges=True)
    chip.select(FUNCTION_PWM, 16, 17)
    slice0(chip, top=99, cc=10 | 25 << 16)
    chip.run_until(1000)
    edges = [(clock % 100, levels >> 16) for clock, levels in chip.edges() if clock > 100]
    assert set(edges) == {(0, 3), (10, 2), (25, 0)}
    assert len(edges) == 26


def test_without_request_there_are_none_but_a_reader_sees_the_level(chip):
    chip.select(FUNCTION_PWM, 16)
    slice0(chip, top=99, cc=10)
    seen = []
    for clock in range(1000, 1100):
        chip.run_until(clock)
        seen.append(chip.read(SIO_IN) >> 16 & 1)
    assert sum(seen) == 10
    assert [levels >> 16 & 1 for _, levels in chip.edges()].count(1) == 0


def test_phase_correct_pwm_counts_up_and_down(chip):
    slice0(chip, top=10, csr=1 | 1 << 1)
    seen = []
    for clock in range(1, 41):
        chip.run_until(clock)
        seen.append(chip.read(PWM + CTR))
    assert max(seen) == 10 and min(seen) == 0
    assert all(abs(after - before) == 1 for before, after in pairwise(seen))
    assert seen[:20] == seen[20:]


@pytest.mark.parametrize(("div", "clocks"), [(16, 100), (40, 250), (20 * 16, 2000)])
def test_the_divider_stretches_the_period(chip, div, clocks):
    chip.restart(pwm_edges=True)
    chip.select(FUNCTION_PWM, 0)
    slice0(chip, top=99, cc=50, div=div)
    chip.run_until(clocks * 10)
    rises = [clock for clock, levels in chip.edges() if levels & 1]
    assert {b - a for a, b in pairwise(rises)} == {clocks}


# Pins


def test_an_undriven_input_follows_its_pull_and_the_driver_wins(chip):
    pad = PADS + 4 + 4 * 5
    assert chip.read(pad) == 0x56, "input enabled, pulled down"
    assert chip.read(SIO_IN) >> 5 & 1 == 0
    chip.write(pad, 0x5A)  # pulled up
    assert chip.read(SIO_IN) >> 5 & 1 == 1
    chip.drive(5, 0)
    assert chip.read(SIO_IN) >> 5 & 1 == 0
    chip.drive(5, None)
    assert chip.read(SIO_IN) >> 5 & 1 == 1


def test_an_output_reads_back(chip):
    chip.select(FUNCTION_SIO, 7)
    chip.write(SIO_OE_SET, 1 << 7)
    chip.write(SIO_OUT_SET, 1 << 7)
    assert chip.read(SIO_IN) >> 7 & 1 == 1
    assert chip.edges()[-1][1] == 1 << 7


def test_overrides_hold_against_the_peripheral(chip):
    chip.select(FUNCTION_SIO, 7)
    chip.write(SIO_OE_SET, 1 << 7)
    chip.write(SIO_OUT_SET, 1 << 7)
    chip.select(FUNCTION_SIO | 2 << 8, 7)  # OUTOVER low
    assert chip.read(SIO_IN) >> 7 & 1 == 0
    chip.select(FUNCTION_SIO | 1 << 16, 7)  # INOVER inverted
    assert chip.read(SIO_IN) >> 7 & 1 == 0


def test_an_edge_is_latched_for_the_cpu_once(chip):
    chip.drive(4, 1, 100)
    chip.drive(4, 0, 200)
    status = IO_BANK0 + 0xF0
    chip.run_until(150)
    assert chip.read(status) >> 16 & 0b1111 == 0b1010  # edge high, level high
    chip.run_until(250)
    assert chip.read(status) >> 16 & 0b1111 == 0b1101
    chip.write(status, 0b1100 << 16)
    assert chip.read(status) >> 16 & 0b1111 == 0b0001


@pytest.mark.parametrize(("synchronised", "late"), [(True, 2), (False, 0)])
def test_the_pio_sees_a_pin_after_the_synchroniser(chip, synchronised, late):
    chip.restart(synchronised=synchronised)
    chip.load([0x20A0, 0xA0E9, 0x8000, 0x0003])  # wait(1, pin, 0); mov(osr, ~x)...; stay
    chip.machine(0, pinctrl=6 << 15)
    chip.write(PIO0, 1)
    chip.drive(6, 1, 1000)
    chip.run_until(1000 + late)
    assert chip.read(PIO0 + 0xD4) == 1, "reading lives through this clock"
    chip.restart(synchronised=synchronised)
    chip.load([0x20A0, 0x0001])
    chip.machine(0, pinctrl=6 << 15)
    chip.write(PIO0, 1)
    chip.drive(6, 1, 1000)
    chip.run_until(1000 + late - 1)
    assert chip.read(PIO0 + 0xD4) == 0


def test_bypassed_pins_are_seen_at_once(chip):
    chip.write(PIO0 + 0x38, 1 << 6)
    chip.load([0x20A0, 0x0001])
    chip.machine(0, pinctrl=6 << 15)
    chip.write(PIO0, 1)
    chip.drive(6, 1, 1000)
    chip.run_until(1000)
    assert chip.read(PIO0 + 0xD4) == 1
