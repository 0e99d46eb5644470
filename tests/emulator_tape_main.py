"""Runs on the emulated Pico: plays words through the firmware's tape program, by DMA.

A test calls `play` and friends from the REPL. No part of the firmware's player is used, so that
the scheme stands by itself: a list of four-word control blocks, closed to a ring or ended by a
null, and a channel that carries levels to the PWM.
"""

import time
from array import array

import rp2
import uctypes
from machine import PWM, Pin

from firmware.hal.tape_program import tape

TXF0 = 0x50200010
RXF0 = 0x50200020
PWM0_CC = 0x4005000C
ALWAYS = 0x3F
READ = 3

outputs = [PWM(Pin(16), freq=61035, duty_u16=0), PWM(Pin(17), freq=61035, duty_u16=0)]
machine = rp2.StateMachine(0)
data = rp2.DMA()
control = rp2.DMA()
levels = rp2.DMA()
forward = data.pack_ctrl(inc_write=False, treq_sel=0, chain_to=control.channel)
rewind = data.pack_ctrl(
    inc_read=False, inc_write=False, treq_sel=ALWAYS, chain_to=control.channel
)
entries = array("I", [0] * 64)
base = array("I", [uctypes.addressof(entries)])
blocks = []


def setup():
    """Everything anew: state machine, level channel, an empty list."""
    for channel in (control, data, levels):
        channel.active(0)
    machine.init(tape, out_base=Pin(2), jmp_pin=Pin(10, Pin.IN, Pin.PULL_UP))
    levels.config(
        read=RXF0,
        write=PWM0_CC,
        count=0x0FFFFFFF,
        ctrl=levels.pack_ctrl(inc_read=False, inc_write=False, treq_sel=4),
        trigger=True,
    )
    control.config(
        read=entries,
        write=data.registers[12:16],
        count=4,
        ctrl=control.pack_ctrl(ring_size=4, ring_sel=True, treq_sel=ALWAYS),
    )
    machine.active(1)


def enter(at, ctrl, write, count, read):
    for i, word in enumerate((ctrl, write, count, read)):
        entries[4 * at + i] = word


def put(tapes, ring):
    """The list plays these arrays of half words in turn, once or for ever."""
    blocks[:] = tapes
    for at, block in enumerate(tapes):
        enter(at, forward, TXF0, len(block) // 2, uctypes.addressof(block))
    if ring:
        enter(len(tapes), rewind, uctypes.addressof(control.registers), 1, base_address)
    else:
        enter(len(tapes), 0, 0, 0, 0)


base_address = uctypes.addressof(base)


def go():
    control.read = entries
    control.active(1)


def end(at):
    """The list ends at this entry when it gets there."""
    entries[4 * at + READ] = 0


def busy(ms):
    """Keeps the CPU allocating for a while, and the heap collected."""
    start = time.ticks_ms()
    rounds = 0
    while time.ticks_diff(time.ticks_ms(), start) < ms:
        kept = [bytes(24) for _ in range(50)]
        rounds += len(kept) // 50
    return rounds


def playing():
    return data.active() or control.active()
