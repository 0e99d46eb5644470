"""`time`: the port's ticks wrap at 2**30; ticks_cpu counts microseconds on the RP2040."""

from __future__ import annotations

import calendar
import time as host_time
from collections.abc import Callable
from types import ModuleType
from typing import Any

from rheobase.sim import costs
from rheobase.sim.chip import Chip
from rheobase.sim.cpu import Cpu
from rheobase.sim.modules.arguments import as_int, module

PERIOD = 1 << 30
_HALF = PERIOD // 2
_EPOCH_AT_BOOT = 1_609_459_200  # the port's clock starts at 2021-01-01


def wait_ms(
    chip: Chip, cpu: Cpu, ms: int, ready: Callable[[], bool] | None = None
) -> bool:
    """Wait as the port does: any interrupt wakes it, and then whole ticks of a millisecond count.

    So with interrupts about it is up to a millisecond too short, or too long. True if `ready()`.
    """
    timer = chip.timer
    millisecond = cpu.clock_hz // 1000
    start = timer.us(cpu.clock) // 1000
    left = ms
    while True:
        if cpu.wait(cpu.clock + left * millisecond, ready, once=True):
            return True
        left = start + ms - timer.us(cpu.clock) // 1000
        if left <= 0:
            return False


def build(chip: Chip, cpu: Cpu) -> ModuleType:
    timer = chip.timer
    tick = cpu.clocks(costs.TICKS)
    spend = cpu.spend

    def ticks_ms() -> int:
        spend(tick)
        return timer.us(cpu.clock) // 1000 & PERIOD - 1

    def ticks_us() -> int:
        spend(tick)
        return timer.us(cpu.clock) & PERIOD - 1

    def ticks_cpu() -> int:
        return ticks_us()

    def ticks_diff(end: int, start: int, /) -> int:
        return (end - start + _HALF & PERIOD - 1) - _HALF

    def ticks_add(ticks: int, delta: int, /) -> int:
        if not -_HALF < as_int(delta) < _HALF:
            raise OverflowError("ticks interval overflow")
        return ticks + delta & PERIOD - 1

    entry = cpu.clocks(costs.SLEEP)

    def sleep(seconds: float, /) -> None:
        sleep_ms(int(1000 * seconds))

    def sleep_ms(ms: int, /) -> None:
        if as_int(ms) >= 0:
            spend(entry)
            wait_ms(chip, cpu, ms)

    def sleep_us(us: int, /) -> None:
        if as_int(us) > 0:
            # up to a millisecond the port waits in a loop that serves interrupts only
            if us > 1000:
                sleep_ms(us // 1000)
                us %= 1000
            cpu.touch(cpu.clocks(us))

    def now() -> int:
        return _EPOCH_AT_BOOT + timer.us(cpu.clock) // 1_000_000

    def time() -> int:
        spend(tick)
        return now()

    def time_ns() -> int:
        spend(tick)
        return _EPOCH_AT_BOOT * 1_000_000_000 + timer.us(cpu.clock) * 1000

    def localtime(seconds: int | None = None, /) -> tuple[int, ...]:
        spend(tick)
        t = host_time.gmtime(now() if seconds is None else as_int(seconds))
        return (*t[:8],)

    def mktime(moment: Any, /) -> int:
        if len(moment) not in (8, 9):
            raise TypeError("mktime needs a tuple of length 8 or 9")
        return calendar.timegm(tuple(as_int(part) for part in moment[:6]))

    return module(
        "time",
        {
            "gmtime": localtime, "localtime": localtime, "mktime": mktime,
            "time": time, "time_ns": time_ns,
            "sleep": sleep, "sleep_ms": sleep_ms, "sleep_us": sleep_us,
            "ticks_ms": ticks_ms, "ticks_us": ticks_us, "ticks_cpu": ticks_cpu,
            "ticks_add": ticks_add, "ticks_diff": ticks_diff,
        },
    )  # fmt: skip
