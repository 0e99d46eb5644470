"""Plays tape blocks: DMA to the state machine to six pins, and DMA to the amplitude PWM.

A DMA channel `data` feeds the state machine; a second one, `control`, loads it with the next
entry of a list, [ctrl, write, count, read], whenever a block is through. An entry with a null
read address ends the tape: then all pins are low, with no help from the CPU. The list is closed
to a ring by an entry that sets `control` back to its start.
"""

import time
from array import array

import machine
import rp2
import uctypes

from firmware.core.plain import const, ptr32
from firmware.core.tape import BLOCK_WORDS
from firmware.hal.tape_program import tape

PIO0_TXF0 = 0x50200010
PIO0_RXF0 = 0x50200020
DREQ_PIO0_TX0 = 0
DREQ_PIO0_RX0 = 4
DREQ_ALWAYS = 0x3F
DMA_BASE = 0x50000000
DMA_STRIDE = 0x40
PWM_BASE = 0x40050000
PWM_STRIDE = 0x14
PWM_DIV = 0x04
PWM_CC = 0x0C
PWM_TOP = 0x10
WORD = 2  # DMA transfer size
ENTRY = const(4)  # words in a list entry
READ = const(3)  # of them, the read address, whose writing starts the block
HELD_FROM = const(1)  # slot with which a held train begins
SLOTS = const(9)  # entries of the list; 8 of them queued: 70 ms and the block in play
LEAST_WORDS = 40  # of a block: what the tests before a session play has room in it

# Where the queue stands, in one array; slots follow each other in a ring.
_FIRST = const(0)  # the one in play
_COUNT = const(1)  # in play or waiting
_LEFT = const(2)  # turns left of the one in play
_QUEUED = const(3)  # turns left of all of them
_ODD = const(4)  # part of a turn that has passed, in 1/1000
_EMPTIED = const(5)  # the five above: what begins anew
_SLOTS = const(5)
_LATE = const(6)  # turns by which the tape may be behind this reckoning
_TURNS = const(7)  # of each slot
_SIZE = const(16)  # _TURNS + SLOTS

LATE_MS = const(1)

UPDATE_US = const(10_000)  # elapsed time is turned to turns in portions that stay small integers


# viper
def _pass(state, us: int, turns_per_ms: int):
    """So much time has passed since it was told last."""
    s = ptr32(state)
    while us > 0:
        part = us if us < UPDATE_US else UPDATE_US
        us -= part
        scaled = part * turns_per_ms + s[_ODD]
        turns = scaled // 1000
        s[_ODD] = scaled - turns * 1000
        s[_QUEUED] -= turns
        s[_LEFT] -= turns
    while s[_COUNT] and s[_LEFT] <= 0:
        s[_COUNT] -= 1
        s[_FIRST] += 1
        if s[_FIRST] == s[_SLOTS]:
            s[_FIRST] = 0
        if s[_COUNT]:
            s[_LEFT] += s[_TURNS + s[_FIRST]]


# viper
def _may_have_played(state, phases: int, marks, queued: int) -> int:
    s = ptr32(state)
    mark = ptr32(marks)
    if s[_COUNT] == 0:
        return 1 if phases <= queued + queued else 0
    if s[_LEFT] > s[_LATE]:
        queued = mark[s[_FIRST]]
    if phases > queued + queued:
        return 0
    before = s[_FIRST]
    if s[_TURNS + before] - s[_LEFT] < s[_LATE]:
        return 1
    before = before if before else s[_SLOTS]
    return 1 if phases >= mark[before - 1] << 1 else 0


def _number(dma):
    """A DMA channel's number (the stubs don't know the attribute)."""
    return dma.channel


class Player:
    """The tape's player on PIO 0, state machine 0.

    blocks: the buffers, by slot. tripped: the trip line has stopped the tape. halted: the stop
    byte was seen and the states don't know it yet; nothing starts before it is cleared.
    """

    SLOTS = SLOTS

    def __init__(self, board):
        self.blocks = []
        self._addresses = []
        self.room(0)
        self.tripped = False
        self.halted = False
        self._board = board
        self._tpm = machine.freq() // 2000
        self._pins = [machine.Pin(board.LEGS_BASE + i) for i in range(board.OUTPUTS)]
        self._trip = machine.Pin(board.TRIP, machine.Pin.IN, machine.Pin.PULL_UP)
        self._levels_off()
        self._data = rp2.DMA()
        self._control = rp2.DMA()
        self._levels = rp2.DMA()
        self._make_list()
        self._state = array("i", bytes(4 * _SIZE))
        self._state[_SLOTS] = SLOTS
        self._state[_LATE] = LATE_MS * self._tpm
        self._since_us = time.ticks_us()
        self._playing = False
        self._on_trip = self._tripped
        self.kill()
        self._machine = rp2.StateMachine(0)
        rp2.PIO(0).irq(self._on_trip, trigger=rp2.PIO.IRQ_SM0, hard=True)  # type: ignore[arg-type]

    # -- setting up ---------------------------------------------------------------------------

    def _levels_off(self):
        """The amplitude PWM at zero, one slice for both channels."""
        board = self._board
        pins = board.AMPLITUDE
        self._pwm = [
            machine.PWM(machine.Pin(pin), freq=machine.freq() // (board.PWM_TOP + 1), duty_u16=0)
            for pin in pins
        ]
        slice_base = PWM_BASE + PWM_STRIDE * ((pins[0] >> 1) & 7)
        self._compare = slice_base + PWM_CC
        machine.mem32[slice_base + PWM_DIV] = 1 << 4
        machine.mem32[slice_base + PWM_TOP] = board.PWM_TOP
        machine.mem32[self._compare] = 0

    def _make_list(self):
        data = self._data
        control = self._control
        play = data.pack_ctrl(
            size=WORD,
            inc_write=False,
            treq_sel=DREQ_PIO0_TX0,
            chain_to=_number(control),
        )
        rewind = data.pack_ctrl(
            size=WORD,
            inc_read=False,
            inc_write=False,
            treq_sel=DREQ_ALWAYS,
            chain_to=_number(control),
        )
        self._list = array("I", bytes(4 * ENTRY * (SLOTS + 1)))
        base = uctypes.addressof(self._list)
        self._base = array("I", [base])
        for slot in range(SLOTS):
            at = ENTRY * slot
            self._list[at] = play
            self._list[at + 1] = PIO0_TXF0
        at = ENTRY * SLOTS
        self._list[at] = rewind
        self._list[at + 1] = DMA_BASE + DMA_STRIDE * _number(control)
        self._list[at + 2] = 1
        self._list[at + READ] = uctypes.addressof(self._base)

    def room(self, words):
        """Have blocks of so many words, at most BLOCK_WORDS; not while a tape plays."""
        words = min(max(words, LEAST_WORDS), BLOCK_WORDS)
        if self.blocks and len(self.blocks[0]) == 2 * words:
            return
        self.blocks = [array("H", bytes(4 * words)) for _ in range(SLOTS)]
        self._addresses = [uctypes.addressof(block) for block in self.blocks]

    def begin(self):
        """Legs low, nothing queued, ready for the first block."""
        self.kill()
        self._empty(0)
        self.tripped = False
        data = self._data
        control = self._control
        control.config(
            read=self._list,
            write=DMA_BASE + DMA_STRIDE * _number(data) + 0x30,
            count=ENTRY,
            ctrl=control.pack_ctrl(size=WORD, ring_sel=True, ring_size=4, treq_sel=DREQ_ALWAYS),
        )
        self._machine.init(
            tape,
            freq=machine.freq(),
            out_base=self._pins[0],
            jmp_pin=self._trip,
        )
        self._levels.config(
            read=PIO0_RXF0,
            write=self._compare,
            count=0x3FFFFFFF,
            ctrl=self._levels.pack_ctrl(
                size=WORD, inc_read=False, inc_write=False, treq_sel=DREQ_PIO0_RX0
            ),
            trigger=True,
        )

    def start(self):
        """Play what is queued."""
        if self.halted:
            return
        self._machine.active(1)
        self._since_us = time.ticks_us()
        self._playing = True
        self._control.active(1)

    # -- started by a trigger -----------------------------------------------------------------

    def hold(self):
        """Everything queued was played: what is queued next, from HELD_FROM on, waits for go()."""
        self._playing = False
        self._empty(HELD_FROM)
        self._control.config(read=self._base[0] + 4 * ENTRY * HELD_FROM)

    def go(self, since_us=None):
        """Play what is held. since_us: the hardware has begun it at this time already."""
        if since_us is None:
            self._since_us = time.ticks_us()
            self._playing = True
            self._control.active(1)
        else:
            self._since_us = since_us
            self._playing = True

    def trigger_line(self):
        """The hardware that starts what is held (hal/trigger_rp2.py), made for one session."""
        from firmware.hal.trigger_rp2 import TriggerLine

        return TriggerLine(
            self._board.FOOT_SWITCH,
            self._board.LEGS_BASE + 4,
            self._control,
            self._list[0],
            self._list[ENTRY * SLOTS],
            self._base[0] + 4 * ENTRY * HELD_FROM,
        )

    def _tripped(self, _pio):
        self.tripped = True

    # -- the queue ----------------------------------------------------------------------------

    def _empty(self, first):
        """Nothing is queued; the next block goes to slot `first`."""
        state = self._state
        for i in range(_EMPTIED):
            state[i] = 0
        state[_FIRST] = first

    def free_slot(self):
        """A slot whose block may be written, or -1 (one stays free behind the one in play)."""
        state = self._state
        if state[_COUNT] >= SLOTS - 1:
            return -1
        return (state[_FIRST] + state[_COUNT]) % SLOTS

    def queue(self, slot, words, turns):
        """Append the block in `slot` (from free_slot)."""
        state = self._state
        entries = self._list
        entries[ENTRY * ((slot + 1) % SLOTS) + READ] = 0
        entries[ENTRY * slot + 2] = words
        state[_TURNS + slot] = turns
        if not state[_COUNT]:
            state[_LEFT] = turns
        state[_COUNT] += 1
        state[_QUEUED] += turns
        entries[ENTRY * slot + READ] = self._addresses[slot]

    def update(self):
        """Let go of what was played by now."""
        if self._playing:
            now = time.ticks_us()
            _pass(self._state, time.ticks_diff(now, self._since_us), self._tpm)
            self._since_us = now

    def queued_turns(self):
        """Turns that are queued and not yet played; negative when the tape has run out."""
        return self._state[_QUEUED]

    def may_have_played(self, phases, marks, queued):
        """Whether so many phases can have been played by now, as far as update() knows.

        marks: by slot, the pulses up to the end of its block; queued: all of them.
        """
        return _may_have_played(self._state, phases, marks, queued)

    def next_slot(self):
        """The first slot that has not begun, or -1."""
        state = self._state
        if state[_COUNT] < 2:
            return -1
        return (state[_FIRST] + 1) % SLOTS

    def drop(self, margin):
        """Take back the blocks that have not begun; returns the first one's slot or -1.

        Every block has at least 5 words and the state machine's FIFO holds 4, so `control`
        fetches a block's entry at the earliest when the block before it begins to play. The
        blocks whose predecessor begins within `margin` turns are therefore left alone.
        """
        self.update()
        state = self._state
        skip = 2
        left = state[_LEFT]
        while left <= margin and skip < state[_COUNT]:
            left += state[_TURNS + (state[_FIRST] + skip - 1) % SLOTS]
            skip += 1
        if skip >= state[_COUNT]:
            return -1
        first = (state[_FIRST] + skip) % SLOTS
        self._list[ENTRY * first + READ] = 0
        for i in range(skip, state[_COUNT]):
            state[_QUEUED] -= state[_TURNS + (state[_FIRST] + i) % SLOTS]
        state[_COUNT] = skip
        return first

    def drained(self):
        """Whether the tape has come to its end and all its words were played."""
        playing = self._state[_QUEUED] > 0 or self._data.active()
        return not playing and not self._machine.tx_fifo()

    # -- looking at the pins -------------------------------------------------------------------

    def levels(self):
        """What the six output pins are at, as a tape word's bits."""
        levels = 0
        for index, pin in enumerate(self._pins):
            levels |= pin.value() << index
        return levels

    def floating(self):
        """The output pins that no external resistor pulls down, as bits; only when stopped.

        Each is let go against the chip's own weak pull-up, which a pull-down of 8.2 kohm beats.
        """
        found = 0
        for index, pin in enumerate(self._pins):
            pin.init(machine.Pin.IN, machine.Pin.PULL_UP)
            time.sleep_us(20)
            found |= pin.value() << index
            pin.init(machine.Pin.OUT, value=0)
        return found

    # -- stopping -----------------------------------------------------------------------------

    def halt(self):
        """`kill` from between any two steps of the program; nothing starts until it is undone."""
        self.halted = True
        self.kill()

    def kill(self):
        """All six pins low at once, then amplitude zero, and the tape stopped for good."""
        for pin in self._pins:
            pin.init(machine.Pin.OUT, value=0)
        machine.mem32[self._compare] = 0
        self._playing = False
        for slot in range(SLOTS):
            self._list[ENTRY * slot + READ] = 0
        self._control.active(0)
        self._data.active(0)
        self._levels.active(0)
