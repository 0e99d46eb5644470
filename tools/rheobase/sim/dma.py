"""The DMA controller: twelve channels, paced by requests, chained, triggered by each other.

A paced channel does not wait for an event of the kernel: whoever makes room in a FIFO (or puts
something into one) calls `request`, and the words move right there, at their own clocks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial

from rheobase.sim.bus import Bus
from rheobase.sim.errors import NotModelled
from rheobase.sim.kernel import Event, Kernel
from rheobase.sim.memory import SRAM, SRAM_END, Region

CHANNELS = 12
TIMERS = 4

EN = 1
INC_READ, INC_WRITE = 1 << 4, 1 << 5
RING_WRITE = 1 << 10
IRQ_QUIET, BSWAP, SNIFF, BUSY = 1 << 21, 1 << 22, 1 << 23, 1 << 24

DREQ_ADC = 36
DREQ_TIMER0 = 0x3B
PERMANENT = 0x3F

_LATENCY = 4  # clocks from a request to the word being there
_STEP = 2  # clocks from word to word
_PATIENCE = 256  # clocks a chain of transfers may run ahead of the rest of the chip

_READ, _WRITE, _COUNT, _CTRL = 0, 1, 2, 3
# The registers of a channel in the order of its four aliases; the last of each triggers.
_ALIASES = (
    (_READ, _WRITE, _COUNT, _CTRL),
    (_CTRL, _READ, _WRITE, _COUNT),
    (_CTRL, _COUNT, _READ, _WRITE),
    (_CTRL, _WRITE, _COUNT, _READ),
)
_INTR, _INTE0, _INTF0, _INTS0 = 0x400, 0x404, 0x408, 0x40C
_INTE1, _INTF1, _INTS1 = 0x414, 0x418, 0x41C
_TIMER0, _MULTI_TRIGGER, _ABORT, _N_CHANNELS = 0x420, 0x430, 0x444, 0x448


class Channel:
    """The registers of one channel; `remaining` counts down while it is busy."""

    def __init__(self, index: int) -> None:
        self.index = index
        self.clear()

    def clear(self) -> None:
        self.read = 0
        self.write = 0
        self.reload = 0
        self.remaining = 0
        self.busy = False
        self.region: Region | None = None
        self.pace: Event | None = None
        self.queue: list[Channel] | None = None  # of those that wait for the same request
        self.set_ctrl(0)

    def set_ctrl(self, value: int) -> None:
        self.ctrl = ctrl = value & 0x00FFFFFF
        self.size = 1 << (ctrl >> 2 & 3)
        self.treq = ctrl >> 15 & 63
        self.chain_to = ctrl >> 11 & 15
        ring = (1 << (ctrl >> 6 & 15)) - 1
        self.read_ring = ring if not ctrl & RING_WRITE else 0
        self.write_ring = ring if ctrl & RING_WRITE else 0


class Dma:
    """All channels, and their registers on the bus.

    `ready` tells for a request number whether its peripheral wants a transfer now. `direct_reads`
    and `direct_writes` are shorter ways than the bus to some registers, for whole words.
    `on_interrupt` is called when DMA_IRQ_0 goes up.
    """

    def __init__(self, kernel: Kernel, bus: Bus) -> None:
        self._kernel = kernel
        self._bus = bus
        self.channels = [Channel(index) for index in range(CHANNELS)]
        self.ready: dict[int, Callable[[], bool]] = {}
        self.direct_reads: dict[int, Callable[[int], int]] = {}
        self.direct_writes: dict[int, Callable[[int, int], object]] = {}
        self.on_interrupt: Callable[[], None] = lambda: None
        self.claimed: set[int] = set()
        self._waiting: list[list[Channel]] = [[] for _ in range(64)]
        self._work: deque[tuple[Channel, int]] = deque()
        self._working = False
        self._clear()

    def _clear(self) -> None:
        self.pending = 0  # INTR
        self.enabled = [0, 0]  # INTE0, INTE1
        self.timers = [0] * TIMERS  # X << 16 | Y

    def reset(self) -> None:
        for channel in self.channels:
            self._stop(channel)
            channel.clear()
        self._work.clear()
        self.claimed.clear()
        self._clear()

    # --- moving data ---

    def request(self, treq: int, clock: int) -> None:
        """The peripheral with this request number may be ready for transfers, from `clock` on."""
        waiting = self._waiting[treq]
        if not waiting:
            return
        clock += _LATENCY - _STEP
        if len(waiting) > 1 or self._working:
            for channel in waiting:
                self._work.append((channel, clock))
            self._run()
            return
        self._working = True
        try:
            if waiting[0].ctrl & EN:
                self._pump(waiting[0], clock)
        finally:
            self._working = False
        if self._work:
            self._run()

    def start(self, mask: int, clock: int) -> None:
        """Trigger these channels."""
        for channel in self.channels:
            if mask >> channel.index & 1:
                self._trigger(channel, clock)
        self._run()

    def abort(self, mask: int) -> None:
        for channel in self.channels:
            if mask >> channel.index & 1:
                self._stop(channel)

    def _stop(self, channel: Channel) -> None:
        channel.busy = False
        if channel.pace is not None:
            channel.pace.cancel()
            channel.pace = None
        if channel.queue is not None:
            channel.queue.remove(channel)
            channel.queue = None

    def _trigger(self, channel: Channel, clock: int) -> None:
        if channel.busy or not channel.ctrl & EN:
            return
        if channel.ctrl & SNIFF:
            raise NotModelled("DMA sniffing")
        channel.busy = True
        channel.remaining = channel.reload
        channel.region = None
        self._resume(channel, clock + _LATENCY)

    def _resume(self, channel: Channel, clock: int) -> None:
        """A busy channel may go on."""
        treq = channel.treq
        if DREQ_TIMER0 <= treq < PERMANENT:
            self._pace(channel, clock, 1)
            return
        if treq != PERMANENT:
            if treq not in self.ready:
                raise NotModelled(f"DMA request {treq}")
            if channel.queue is None:
                channel.queue = self._waiting[treq]
                channel.queue.append(channel)
        self._work.append((channel, clock))

    def _run(self) -> None:
        """Move what can be moved, in the order in which it came up."""
        if self._working:
            return
        self._working = True
        try:
            limit = self._kernel.now + _PATIENCE
            if self._work:
                limit = max(limit, self._work[0][1] + _PATIENCE)
            while self._work:
                channel, clock = self._work.popleft()
                if clock > limit:
                    self._kernel.at(clock, partial(self._continue, channel, clock))
                elif channel.busy and channel.ctrl & EN:
                    self._pump(channel, clock)
        finally:
            self._working = False

    def _continue(self, channel: Channel, clock: int) -> None:
        if channel.busy:
            self._work.append((channel, clock))
            self._run()

    def _pump(self, channel: Channel, clock: int) -> None:
        """Move words until the peripheral has enough or the channel is done."""
        if channel.treq == PERMANENT:
            begun = clock
            while channel.remaining:
                self._move(channel, clock)
                clock += _STEP
            if clock - begun > _PATIENCE:
                self._kernel.at(clock, partial(self._finish_late, channel))
                return
        else:
            ready = self.ready[channel.treq]
            while channel.remaining:
                if not ready():
                    return
                clock += _STEP
                self._move(channel, clock)
        self._finish(channel, clock)

    def _finish_late(self, channel: Channel) -> None:
        if channel.busy:
            self._finish(channel, self._kernel.now)
            self._run()

    def _pace(self, channel: Channel, begun: int, tick: int) -> None:
        """Wait for the n-th tick of a pacing timer since `begun`."""
        timer = self.timers[channel.treq - DREQ_TIMER0]
        x, y = timer >> 16, timer & 0xFFFF
        if x and y:
            when = begun + -(-tick * y // x)
            channel.pace = self._kernel.at(when, partial(self._tick, channel, begun, tick))

    def _tick(self, channel: Channel, begun: int, tick: int) -> None:
        channel.pace = None
        if not channel.busy:
            return
        clock = self._kernel.now
        if channel.ctrl & EN and channel.remaining:
            self._move(channel, clock)
        if channel.remaining:
            self._pace(channel, begun, tick + 1)
        else:
            self._finish(channel, clock)
            self._run()

    def _move(self, channel: Channel, clock: int) -> None:
        """One transfer."""
        size = channel.size
        address = channel.read
        if SRAM <= address < SRAM_END:
            region = channel.region
            if region is None or not region.start <= address < region.end:
                region = channel.region = self._bus.memory.find(address)
            value = region.read(address, size)
        elif size == 4 and address in self.direct_reads:
            value = self.direct_reads[address](clock)
        else:
            value = self._bus.read(address, size, clock)
        ctrl = channel.ctrl
        if ctrl & INC_READ:
            ring = channel.read_ring
            channel.read = address & ~ring | address + size & ring if ring else address + size
        if ctrl & BSWAP:
            value = int.from_bytes(value.to_bytes(size, "little"), "big")
        address = channel.write
        if ctrl & INC_WRITE:
            ring = channel.write_ring
            channel.write = address & ~ring | address + size & ring if ring else address + size
        channel.remaining -= 1
        if size == 4 and address in self.direct_writes:
            self.direct_writes[address](value, clock)
        else:
            self._bus.write(address, value, size, clock)

    def _finish(self, channel: Channel, clock: int) -> None:
        self._stop(channel)
        if not channel.ctrl & IRQ_QUIET:
            self._interrupt(channel, clock)
        if channel.chain_to != channel.index and channel.chain_to < CHANNELS:
            self._trigger(self.channels[channel.chain_to], clock)

    # --- interrupts ---

    def _interrupt(self, channel: Channel, clock: int) -> None:
        if clock > self._kernel.now:
            self._kernel.at(clock, partial(self._interrupt, channel, clock))
            return
        self.pending |= 1 << channel.index
        if self.pending & self.enabled[0]:
            self.on_interrupt()

    def enable_irq(self, index: int, on: bool) -> None:
        """Let a channel raise DMA_IRQ_0."""
        bit = 1 << index
        self.enabled[0] = self.enabled[0] | bit if on else self.enabled[0] & ~bit
        if self.pending & self.enabled[0]:
            self.on_interrupt()

    def acknowledge(self, mask: int) -> None:
        self.pending &= ~mask

    # --- on the bus ---

    def read(self, offset: int, clock: int) -> int:
        if offset < CHANNELS * 0x40:
            channel = self.channels[offset >> 6]
            register = _ALIASES[offset >> 4 & 3][offset >> 2 & 3]
            if register == _READ:
                return channel.read
            if register == _WRITE:
                return channel.write
            if register == _COUNT:
                return channel.remaining
            return channel.ctrl | (BUSY if channel.busy else 0)
        if _TIMER0 <= offset < _TIMER0 + 4 * TIMERS:
            return self.timers[offset - _TIMER0 >> 2]
        return {
            _INTR: self.pending,
            _INTE0: self.enabled[0],
            _INTS0: self.pending & self.enabled[0],
            _INTE1: self.enabled[1],
            _INTS1: self.pending & self.enabled[1],
            _N_CHANNELS: CHANNELS,
        }.get(offset, 0)

    def write(self, offset: int, value: int, clock: int) -> None:
        if offset < CHANNELS * 0x40:
            place = offset >> 2 & 3
            channel = self.channels[offset >> 6]
            self._set(channel, _ALIASES[offset >> 4 & 3][place], value, clock)
            if place == 3:
                if value:
                    self._trigger(channel, clock)
                elif channel.ctrl & IRQ_QUIET:
                    self._interrupt(channel, clock)
            self._run()
        elif offset in (_INTR, _INTS0, _INTS1):
            self.acknowledge(value)
        elif offset in (_INTE0, _INTE1):
            self.enabled[0 if offset == _INTE0 else 1] = value & 0xFFF
            if self.pending & self.enabled[0]:
                self.on_interrupt()
        elif offset == _MULTI_TRIGGER:
            self.start(value, clock)
        elif offset == _ABORT:
            self.abort(value)
        elif _TIMER0 <= offset < _TIMER0 + 4 * TIMERS:
            self.timers[offset - _TIMER0 >> 2] = value

    def _set(self, channel: Channel, register: int, value: int, clock: int) -> None:
        if register == _READ:
            channel.read = value
        elif register == _WRITE:
            channel.write = value
        elif register == _COUNT:
            channel.reload = value
        else:
            paused = not channel.ctrl & EN
            channel.set_ctrl(value)
            if channel.busy and paused and value & EN:
                self._resume(channel, clock)
