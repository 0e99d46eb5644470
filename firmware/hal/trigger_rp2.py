"""Has a train wait behind a GATE that is up, and starts it from an input pin, without the CPU.

While it waits the tape's state machine finds no word and plays X instead, which is then a word of
GATE alone and else zero. X is set to it by DMA behind the train's opening. State machine 1 of
PIO 0 watches the input and, if GATE is up, pushes one word when it has been active for the
debounce time; that starts the player's `control` channel on a list of its own:
a segment of GATE, X back to zero, a copy of the microsecond timer, then the player's list.
The wait is a lease: a DMA channel that counts time sets X to zero unless it is begun anew.
"""

from array import array

import machine
import rp2
import uctypes

from firmware.hal.trigger_program import TURN_CLOCKS, falls, rises

PIO0_TXF0 = 0x50200010
PIO0_RXF1 = 0x50200024
SM0_INSTR = 0x502000D8
DREQ_PIO0_RX1 = 5
DREQ_TIMER0 = 0x3B
DREQ_ALWAYS = 0x3F
DMA_BASE = 0x50000000
DMA_STRIDE = 0x40
DMA_TIMER0 = 0x50000420
MULTI_CHAN_TRIGGER = 0x50000430
TIMERAWL = 0x40054028
WORD = 2
PULL = 0x80A0  # pull(block)
MOV_ISR_OSR = 0xA0C7
SET_X = 0xE020  # set(x, 0); the number is in the low five bits
GATE = 0x10  # of a tape word
LEASE_MS = 70
TICK_CLOCKS = 65_535  # of the lease
SEGMENT_TURNS = 5


class TriggerLine:
    """One input that starts a waiting train once each time it is armed.

    pin: the input's number, pulled up. gate: GATE's pin. control: the player's DMA channel that
    walks lists. play, once: how entries of words and of single writes are set up. train: address
    of the player's list from the train on. first: the segment, as a block of one word, that
    comes before the train; what is played while it waits is a shorter one of the same.
    """

    FIRST_TURNS = 60  # the DMA list behind it needs some 30

    def __init__(self, pin, gate, control, play, once, train):
        self._pin = machine.Pin(pin, machine.Pin.IN, machine.Pin.PULL_UP)
        self._gate = machine.Pin(gate)
        self._control = control
        self._machine = rp2.StateMachine(1)
        self._start = rp2.DMA()
        self._lease = rp2.DMA()
        self._end = rp2.DMA()
        hold = self.FIRST_TURNS - SEGMENT_TURNS
        self.first = array("H", [(hold & 0x3FF) << 6 | GATE, hold >> 10])
        self._us = array("H", [0, 0])
        self._words = words = array("I", [SET_X | GATE, SET_X, train, 0])
        at = uctypes.addressof(words)
        first = uctypes.addressof(self.first)
        number = control.channel
        self._list = array("I", [
            play, PIO0_TXF0, 0, 0,  # the opening
            once, SM0_INSTR, 1, at,
            0, 0, 0, 0,
            play, PIO0_TXF0, 1, first,
            once, SM0_INSTR, 1, at + 4,
            once, uctypes.addressof(self._us), 1, TIMERAWL,
            once, DMA_BASE + DMA_STRIDE * number, 1, at + 8,
        ])  # fmt: skip
        self._base = uctypes.addressof(self._list)
        self._program = None  # in the block's memory now
        self.armed = False
        self._make_lease()

    def _make_lease(self):
        end = self._end
        end.config(
            read=uctypes.addressof(self._words) + 4,
            write=SM0_INSTR,
            count=1,
            ctrl=end.pack_ctrl(
                size=WORD, inc_read=False, inc_write=False, treq_sel=DREQ_ALWAYS
            ),
        )
        machine.mem32[DMA_TIMER0] = 1 << 16 | TICK_CLOCKS
        lease = self._lease
        lease.config(
            read=uctypes.addressof(self._words) + 12,
            write=uctypes.addressof(self._words) + 12,
            count=LEASE_MS * (machine.freq() // 1000) // TICK_CLOCKS,
            ctrl=lease.pack_ctrl(
                size=WORD,
                inc_read=False,
                inc_write=False,
                treq_sel=DREQ_TIMER0,
                chain_to=end.channel,  # type: ignore[attr-defined]
            ),
        )

    def high(self):
        """Whether the input is high now."""
        return self._pin.value() == 1

    # -- the wait ------------------------------------------------------------------------------

    def open(self, halves, words):
        """Have the player start with this opening and then hold GATE up, for LEASE_MS."""
        self._list[2] = words
        self._list[3] = uctypes.addressof(halves)
        self._control.config(read=self._base)
        self._lease.active(1)

    def hold(self):
        """The player's next start is that of the train."""
        self._control.config(read=self._base + 48)

    def renew(self):
        """Let the wait last for another LEASE_MS from now; False if it is over."""
        lease = self._lease
        if not lease.active():
            return False
        lease.active(0)
        lease.active(1)
        return True

    def end(self):
        """The train plays, or the pins were let go: nothing is leased any more."""
        self._lease.active(0)

    # -- the start -----------------------------------------------------------------------------

    def arm(self, high, debounce_us):
        """Start the train when the input has been high (or low) for the debounce time.

        It starts too if it is so already.
        """
        self.disarm()
        watcher = self._machine
        program = rises if high else falls
        if self._program is not program:
            self._forget()
            self._program = program
        freq = machine.freq()
        watcher.init(program, freq=freq, jmp_pin=self._pin, in_base=self._gate)
        watcher.put(1 << self._control.channel)
        watcher.exec(PULL)
        watcher.exec(MOV_ISR_OSR)
        watcher.put(-(-debounce_us * (freq // 1000) // (1000 * TURN_CLOCKS)))
        watcher.exec(PULL)
        start = self._start
        start.config(
            read=PIO0_RXF1,
            write=MULTI_CHAN_TRIGGER,
            count=1,
            ctrl=start.pack_ctrl(
                size=WORD, inc_read=False, inc_write=False, treq_sel=DREQ_PIO0_RX1
            ),
            trigger=True,
        )
        self.armed = True
        watcher.active(1)

    def fired(self):
        """Whether it has started the train since it was armed."""
        return self.armed and not self._start.active()

    def since_us(self):
        """When the train was started, as time.ticks_us() counts."""
        return self._us[0] | (self._us[1] & 0x3FFF) << 16

    def disarm(self):
        """Start nothing any more; returns whether it has fired before that."""
        self._machine.active(0)
        fired = self.fired()
        self.armed = False
        self._start.active(0)
        return fired

    def _forget(self):
        if self._program:
            rp2.PIO(0).remove_program(self._program)
            self._program = None

    def close(self):
        """Give the DMA channels and the program's place back."""
        self.disarm()
        for dma in (self._lease, self._end, self._start):
            dma.active(0)
            dma.close()
        self._forget()
