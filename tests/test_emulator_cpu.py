"""The emulator's fast CPU core against rp2040js's own, instruction for instruction."""

from __future__ import annotations

import random

import pytest
from emulator_bench import boot, needs_image

pytestmark = [pytest.mark.emulator, needs_image]

RAM, RAM_SIZE = 0x2000_0000, 264 * 1024

WORK = """
import gc, math, micropython
from machine import Pin, Timer

@micropython.viper
def mix(n: int) -> int:
    a = 12345
    for i in range(n):
        a = (a * 110351 + 12345) ^ (a >> 7)
        if a < 0:
            a = ~a
    return a

ticks = [0]
def tick(timer):
    ticks[0] += 1

timer = Timer(period=3, callback=tick)
print(mix(500))
print(2**200 // 3**50, -(10**30) % 97, 1 << 90 >> 77)
print(math.sin(1.5), 1e10 / 7, -7 // 2, divmod(-1000001, 321), 0.1 + 0.2)
print(sorted(str(i * i % 101) for i in range(60)))
gc.collect()
d = {i: bytes([i % 256, i // 7 % 256]) for i in range(150)}
print(sum(hash(v) & 0xffff for v in d.values()) > 0, len(d))
print(ticks[0] > 0)
"""


def state(pico):
    registers = pico.registers()
    registers["registers"][15] &= ~1  # rp2040js leaves the Thumb bit in on an exception's entry
    return registers


@pytest.fixture(scope="module")
def both():
    with boot({"main.py": WORK}) as fast, boot({"main.py": WORK}, stock_cpu=True) as stock:
        yield fast, stock


def test_both_cores_are_in_the_same_state_at_every_look(both):
    fast, stock = both
    rng = random.Random(1)
    clock = 0
    while clock < 9_000_000:
        # A few single instructions, then a stretch.
        for step in (1, 1, 2, 3, 5, 8, rng.randrange(200_000)):
            clock += step
            fast.run_until(clock)
            stock.run_until(clock)
            assert state(fast) == state(stock), clock
    assert fast.peek(RAM, RAM_SIZE) == stock.peek(RAM, RAM_SIZE)


def test_both_cores_come_to_the_same_results_at_the_same_clock(both):
    fast, stock = both
    printed = fast.run_until_text(">>> ")
    assert printed.count(b"True") == 2 and b"Traceback" not in printed
    assert stock.run_until_text(">>> ") == printed
    assert stock.serial.log == fast.serial.log
    assert state(fast) == state(stock)
    assert fast.peek(RAM, RAM_SIZE) == stock.peek(RAM, RAM_SIZE)
