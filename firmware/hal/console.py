"""The serial REPL's own port as the instrument's: polled, never blocking, on any port."""

import select
import sys
import time

BYTES_A_TURN = 16
LINE_END = 10
WRITE_LIMIT_MS = 5  # a host that does not read can't hold up the loop for longer


class Console:
    """stdin and stdout, a byte at a time, so that a partial line never blocks the loop."""

    def __init__(self):
        self._in = sys.stdin.buffer
        self._out = sys.stdout.buffer
        self._poll = select.poll()
        self._poll.register(sys.stdin, select.POLLIN)
        self._ready = select.poll()
        self._ready.register(sys.stdout, select.POLLOUT)
        self._byte = bytearray(1)
        self.lost = 0  # replies dropped because nobody read them

    def receive(self, instrument, wait_ms):
        """Wait up to wait_ms for input and hand what has come to the instrument."""
        if not self._waiting(wait_ms):
            return
        for _ in range(BYTES_A_TURN):
            self._in.readinto(self._byte)
            instrument.receive(self._byte, 1)
            if self._byte[0] == LINE_END or not self._waiting(0):
                return  # a line was executed: the tape comes first

    def _waiting(self, wait_ms):
        for _ in self._poll.ipoll(wait_ms):
            return True
        return False

    def reply(self, instrument):
        """Write the replies that wait; those that nobody reads are dropped and counted."""
        while True:
            text = instrument.take_reply()
            if text is None:
                return
            if self._writable():
                self._out.write(text.encode() + b"\n")
            else:
                self.lost += 1

    def _writable(self):
        began_ms = time.ticks_ms()
        while True:
            for _ in self._ready.ipoll(1):
                return True
            if time.ticks_diff(time.ticks_ms(), began_ms) >= WRITE_LIMIT_MS:
                return False
