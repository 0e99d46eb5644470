"""A player of its own for the board's tests: control blocks, a closed list, levels to the PWM.

The test puts its tape into `tape.json` in flash: {"blocks": [[word, ...], ...], "start": true}.
"""

import json
import time
from array import array

import machine
import rp2
import uctypes

LEGS = 2
TRIP = 10
AMPLITUDE = 16
TXF0 = 0x50200010
RXF0 = 0x50200020
PWM0_CC = 0x4005000C
DMA_BASE = 0x50000000


@rp2.asm_pio(out_init=(rp2.PIO.OUT_LOW,) * 6, out_shiftdir=rp2.PIO.SHIFT_LEFT)
def program():
    set(x, 0)  # noqa: F821
    wrap_target()  # noqa: F821
    label("next")  # noqa: F821
    pull(noblock)  # noqa: F821
    jmp(pin, "trip")  # noqa: F821
    out(y, 1)  # noqa: F821
    jmp(pin, "trip")  # noqa: F821
    jmp(not_y, "segment")  # noqa: F821
    out(isr, 31)  # noqa: F821
    push(block)  # noqa: F821
    jmp("next")  # noqa: F821
    label("segment")  # noqa: F821
    jmp(pin, "trip")  # noqa: F821
    out(y, 25)  # noqa: F821
    out(pins, 6)  # noqa: F821
    label("hold")  # noqa: F821
    jmp(pin, "trip")  # noqa: F821
    jmp(y_dec, "hold")  # noqa: F821
    wrap()  # noqa: F821
    label("trip")  # noqa: F821
    mov(pins, null)  # noqa: F821
    irq(0)  # noqa: F821
    label("latched")  # noqa: F821
    jmp("latched")  # noqa: F821


class Player:
    def __init__(self, blocks, closed):
        self.trips = 0
        self.blocks = []
        for words in blocks:
            halves = array("H", [0] * (2 * len(words)))
            for i, word in enumerate(words):
                halves[2 * i] = word & 0xFFFF
                halves[2 * i + 1] = word >> 16
            self.blocks.append(halves)
        self.pwm = machine.PWM(machine.Pin(AMPLITUDE), freq=61000, duty_u16=0)
        self.pwm2 = machine.PWM(machine.Pin(AMPLITUDE + 1), freq=61000, duty_u16=0)
        machine.mem32[0x40050010] = 2046
        machine.mem32[PWM0_CC] = 0
        self.data = rp2.DMA()
        self.control = rp2.DMA()
        self.levels = rp2.DMA()
        play = self.data.pack_ctrl(
            size=2, inc_write=False, treq_sel=0, chain_to=self.control.channel
        )
        rewind = self.data.pack_ctrl(
            size=2, inc_read=False, inc_write=False, chain_to=self.control.channel
        )
        entries = []
        for halves in self.blocks:
            entries += [play, TXF0, len(halves) // 2, uctypes.addressof(halves)]
        if closed:
            self.base = array("I", [0])
            read = DMA_BASE + 0x40 * self.control.channel
            entries += [rewind, read, 1, uctypes.addressof(self.base)]
        else:
            entries += [play, TXF0, 0, 0]
        self.list = array("I", entries)
        if closed:
            self.base[0] = uctypes.addressof(self.list)
        self.machine = rp2.StateMachine(
            0,
            program,
            freq=machine.freq(),
            out_base=machine.Pin(LEGS),
            jmp_pin=machine.Pin(TRIP, machine.Pin.IN, machine.Pin.PULL_UP),
        )
        rp2.PIO(0).irq(self.on_trip, trigger=rp2.PIO.IRQ_SM0, hard=True)

    def on_trip(self, pio):
        self.trips += 1
        self.tripped_us = time.ticks_us()

    def start(self):
        self.levels.config(
            read=RXF0,
            write=PWM0_CC,
            count=0x3FFFFFFF,
            ctrl=self.levels.pack_ctrl(size=2, inc_read=False, inc_write=False, treq_sel=4),
            trigger=True,
        )
        self.control.config(
            read=self.list,
            write=self.data.registers[12:16],
            count=4,
            ctrl=self.control.pack_ctrl(ring_sel=True, ring_size=4),
        )
        self.machine.active(1)
        self.control.active(1)


with open("tape.json") as file:
    job = json.load(file)
player = Player(job["blocks"], job["closed"])
if job.get("watchdog_ms"):
    watchdog = machine.WDT(timeout=job["watchdog_ms"])
player.start()
print("playing")
while True:
    time.sleep_ms(1)
    if job.get("truncate_after_ms") and time.ticks_ms() >= job["truncate_after_ms"]:
        # end the list behind whatever is in play: a null read address in every entry
        for entry in range(len(player.blocks)):
            player.list[4 * entry + 3] = 0
        job["truncate_after_ms"] = 0
        print("truncated")
