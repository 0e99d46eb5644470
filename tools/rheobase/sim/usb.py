"""The USB serial port: TinyUSB's buffers on the device's side, a host on the other.

Sizes and behaviour are the rp2 port's, measured on a genuine image: a 511 byte ring for what was
received; a 256 byte FIFO for what is to be sent, and a packet of 64 before it. With the port open
and nobody reading, a write blocks until there has been no progress for 500 ms, and then drops the
rest. With the port closed the FIFO keeps the newest bytes.
"""

from __future__ import annotations

from collections import deque

from rheobase.sim import costs
from rheobase.sim.cpu import Cpu
from rheobase.sim.kernel import Kernel

RING = 511
RX_FIFO = 256
TX_FIFO = 256
PACKET = 64
TX_TIMEOUT_MS = 500
_BYTE_US = 1.0  # full-speed bulk transfers carry about a megabyte a second


class UsbSerial:
    """`write`, `read`, `open`, `close` and `reading` are the host's; the rest is the device's."""

    def __init__(self, kernel: Kernel, clock_hz: int) -> None:
        self._kernel = kernel
        self._clock_hz = clock_hz
        self.cpu: Cpu | None = None
        self.interrupt_char = -1
        self.disconnects = 0
        self.enumeration_us = costs.USB_ENUMERATION
        self._wanted = True  # the host opens the port whenever there is one
        self._reading = True
        self._started = False
        self._mounted = False
        self._enumerating = 0
        self.ring: deque[int] = deque()
        """What the device has received."""
        self.waiting = bytearray()
        """What the host sent and the device has not accepted yet."""
        self._fifo = bytearray()
        self._packet = b""  # handed to the USB hardware, waiting for the host
        self._to_host = bytearray()

    # --- the host ---

    @property
    def mounted(self) -> bool:
        """The host has enumerated the device."""
        return self._mounted

    @property
    def connected(self) -> bool:
        """The host has the port open (DTR is set)."""
        return self._mounted and self._wanted

    def open(self) -> None:
        """Open the port, as soon as the device is there (also after its next reset)."""
        self._wanted = True
        self._drain()

    def close(self) -> None:
        """Close the port: what the host did not read yet stays on the device, up to 320 bytes."""
        self._wanted = False
        self.waiting.clear()
        self._notice()

    @property
    def reading(self) -> bool:
        """False: the host has the port open, but takes nothing."""
        return self._reading

    @reading.setter
    def reading(self, on: bool) -> None:
        self._reading = on
        self._drain()

    def write(self, data: bytes, at: int | None = None) -> None:
        """Send to the device now, or at clock `at`. Kept until the device is there to take it."""
        if at is not None and at > self._kernel.now:
            self._kernel.at(at, lambda: self.write(data))
            return
        if self._wanted:
            self.waiting += data
            self._notice()

    def read(self, size: int = -1) -> bytes:
        """What the device has sent: all of it, or at most `size` bytes."""
        count = len(self._to_host) if size < 0 else min(size, len(self._to_host))
        data = bytes(self._to_host[:count])
        del self._to_host[:count]
        return data

    # --- the device ---

    def start(self) -> None:
        """The port starts the USB stack (once, after the first boot.py)."""
        if self._started:
            return
        self._started = True
        self._enumerating += 1
        attempt = self._enumerating
        when = self._kernel.now + round(self.enumeration_us * self._clock_hz / 1_000_000)
        self._kernel.at(when, lambda: self._enumerate(attempt))

    def _enumerate(self, attempt: int) -> None:
        if attempt == self._enumerating and self._started:
            self._mounted = True
            self._fifo.clear()
            self._packet = b""
            self._notice()

    def reset(self) -> None:
        """The chip was reset: the host sees the device go away."""
        if self._mounted:
            self.disconnects += 1
            self.waiting.clear()
        self._started = self._mounted = False
        self._enumerating += 1
        self.ring.clear()
        self._fifo.clear()
        self._packet = b""
        self.interrupt_char = -1

    def _notice(self) -> None:
        if self.cpu is not None:
            self.cpu.notice()

    def poll(self) -> None:
        """Take in what the host sent. Ctrl-C is noticed here, and clears what came before it."""
        data = self.waiting
        if not data or not self._mounted:
            return
        ring = self.ring
        taken = 0
        for byte in data:
            if len(ring) >= RING:
                break
            taken += 1
            if byte == self.interrupt_char:
                ring.clear()
                if self.cpu is not None:
                    self.cpu.keyboard_interrupt = True
                    self.cpu.notice()
            else:
                ring.append(byte)
        del data[:taken]

    def writable(self) -> bool:
        return not self.connected or len(self._fifo) < TX_FIFO

    def get(self, cpu: Cpu) -> int:
        """The next byte, waiting for it as long as it takes."""
        self.poll()
        while not self.ring:
            cpu.wait(cpu.clock + cpu.clock_hz, self._take_in)
        return self.ring.popleft()

    def _take_in(self) -> bool:
        self.poll()
        return bool(self.ring)

    def transmit(self, cpu: Cpu, data: bytes) -> int:
        """Send; returns how many bytes went out before the timeout."""
        cpu.touch(cpu.clocks(costs.WRITE + len(data) * _BYTE_US))
        if not self._started:
            return 0
        sent = 0
        last = cpu.clock
        timeout = cpu.clocks(1000 * TX_TIMEOUT_MS)
        while sent < len(data):
            if not self.connected:
                self._fifo += data[sent:]
                self._flush()
                del self._fifo[:-TX_FIFO]
                return len(data)
            room = TX_FIFO - len(self._fifo)
            self._fifo += data[sent : sent + room]
            sent = min(sent + room, len(data))
            self._flush()
            self._drain()
            if sent == len(data):
                break
            if room:
                last = cpu.clock
            elif cpu.clock - last >= timeout:
                break
            cpu.wait(last + timeout, self.writable)
        return sent

    def _flush(self) -> None:
        """Hand the next packet to the hardware, if that has none and the host knows the device."""
        if self._mounted and not self._packet:
            self._packet = bytes(self._fifo[:PACKET])
            del self._fifo[:PACKET]

    def _drain(self) -> None:
        if self.connected and self._reading and (self._fifo or self._packet):
            self._to_host += self._packet
            self._to_host += self._fifo
            self._packet = b""
            self._fifo.clear()
            self._notice()
