"""The serial REPL's own port as the instrument's, on any port: it never blocks, and it always
listens for the stop byte.

While the loop waits, input ends the wait. While a line is executed, a timer looks every
millisecond at what has come, from between two steps of the command. Either way a stop byte acts
when it is seen, before whatever was sent ahead of it; then it goes its way through the line
assembler, and the states follow.
"""

import select
import sys
import time

import machine

from firmware.core.plain import const, ptr8

KEPT = 320  # bytes that wait to be looked at; more than a line
LOOKS_HZ = 1000
BYTES_A_TURN = 48  # of replies: what is sent must not hold up the tape
STALL_MS = 20  # a reply that nobody takes for so long is dropped
LF = const(10)
CR = const(13)


# viper
def _line_end(kept, filled: int) -> int:
    """How many of the bytes kept to hand over: one line, or what there is of it."""
    source = ptr8(kept)
    at = 0
    while at < filled:
        byte = int(source[at])
        at += 1
        if byte == LF or byte == CR:  # noqa: SIM109  # viper has no tuples
            break
    return at


class Console:
    """stdin and stdout, a byte at a time: more might block.

    on_stop: called at once when byte `stop` has come; it must not allocate. lost: replies dropped
    because nobody read them. interrupted: Ctrl-C was pressed and not yet heeded.
    """

    def __init__(self, stop, on_stop):
        self.lost = 0
        self.interrupted = False
        self._stop = stop
        self._on_stop = on_stop
        self._read = sys.stdin.buffer.readinto
        self._write = sys.stdout.buffer.write
        self._wait = select.poll()
        self._wait.register(sys.stdin, select.POLLIN)
        look = select.poll()  # the timer's own: it may come in the middle of a wait
        look.register(sys.stdin, select.POLLIN)
        self._come = look.ipoll
        room = select.poll()
        room.register(sys.stdout, select.POLLOUT)
        self._room = room.ipoll
        self._byte = bytearray(1)
        self._sent_byte = bytearray(1)
        self._kept = bytearray(KEPT)
        self._filled = 0
        self._executing = False
        self._text = b""  # the reply being sent, and how much of it is
        self._sent = 0
        self._stalled = False
        self._stalled_ms = time.ticks_ms()
        self._cut = False
        self._timer = machine.Timer(-1)
        self._tick = self._looked

    # -- in -----------------------------------------------------------------------------------

    def receive(self, instrument, wait_ms):
        """Wait up to wait_ms for input; hand over what has come, up to the end of one line.

        Whether there was any.
        """
        if not self._filled and not self._waiting(wait_ms):
            return False
        self._take_in()
        self._hand_over(instrument, _line_end(self._kept, self._filled))
        if self.interrupted:
            self.interrupted = False
            raise KeyboardInterrupt
        return True

    def listen(self):
        """Take in what has come, without executing it: only a stop byte acts."""
        self._take_in()

    def _waiting(self, wait_ms):
        for _ in self._wait.ipoll(wait_ms):
            return True
        return False

    def _hand_over(self, instrument, end):
        """The first `end` bytes to the instrument, with the timer looking at what comes."""
        self._executing = True
        self._timer.init(mode=machine.Timer.PERIODIC, freq=LOOKS_HZ, callback=self._tick)
        try:
            instrument.receive(self._kept, end)
        finally:
            self._executing = False  # a look may still be scheduled; it must not take a byte now
            self._timer.deinit()
            self._drop(end)

    def _looked(self, _timer):
        """Between two steps of a command."""
        if not self._executing:
            return
        try:
            self._take_in()
        except KeyboardInterrupt:  # a callback can't end the program: `receive` does
            self._on_stop()
            self.interrupted = True

    # native
    def _take_in(self):
        """Keep what has come; a stop byte acts now."""
        come = self._come
        read = self._read
        kept = self._kept
        byte = self._byte
        stop = self._stop
        filled = self._filled
        while filled < KEPT:
            for _ in come(0):
                break
            else:
                return
            read(byte)
            value = byte[0]
            kept[filled] = value
            filled += 1
            self._filled = filled
            if value == stop:
                self._on_stop()

    def _drop(self, count):
        kept = self._kept
        rest = self._filled - count
        for i in range(rest):
            kept[i] = kept[count + i]
        self._filled = rest

    # -- out ----------------------------------------------------------------------------------

    def reply(self, instrument):
        """Send what the host takes of the replies that wait, without ever blocking.

        Whether there is more to send.
        """
        if self._sent >= len(self._text) and not self._next(instrument):
            return False
        left = BYTES_A_TURN
        while left > 0:
            begun = self._sent
            self._send(left)
            left -= self._sent - begun
            if self._sent < len(self._text):
                if self._sent > begun:
                    self._stalled = False
                elif left:
                    self._stall(instrument)
                return True
            self._stalled = False
            if not self._next(instrument):
                return False
        return True

    def _next(self, instrument):
        """Whether there is another reply; it is then the one to send."""
        text = instrument.take_reply()
        if text is None:
            return False
        self._text = text + b"\n"
        if self._cut:
            self._text = b"\n" + self._text
            self._cut = False
        self._sent = 0
        return True

    # native
    def _send(self, most):
        """Up to `most` bytes of the text, one at a time: POLLOUT promises room for one."""
        room = self._room
        write = self._write
        text = self._text
        byte = self._sent_byte
        at = self._sent
        end = at + most
        if end > len(text):
            end = len(text)
        while at < end:
            for _ in room(0):
                break
            else:
                break
            byte[0] = text[at]
            write(byte)
            at += 1
        self._sent = at

    def _stall(self, instrument):
        """Nobody takes it: after a while it is dropped, and all that waits behind it."""
        if not self._stalled:
            self._stalled = True
            self._stalled_ms = time.ticks_ms()
        elif time.ticks_diff(time.ticks_ms(), self._stalled_ms) >= STALL_MS:
            self._cut = self._cut or self._sent > 0
            while True:
                self.lost += 1
                if instrument.take_reply() is None:
                    break
            self._text = b""
            self._sent = 0
            self._stalled = False
