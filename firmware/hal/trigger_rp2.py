"""Starts a held tape from an input pin, without the CPU (RP2040).

State machine 1 of PIO 0 watches the pin and pushes one word when it has been active for the
debounce time. A DMA channel paced by that FIFO writes the word to the DMA's trigger register,
which starts the player's `control` channel; a second one then copies the microsecond timer, so
that the player knows since when it plays.
"""

from array import array

import machine
import rp2

from firmware.hal.trigger_program import TURN_CYCLES, falls, rises

PIO0_RXF1 = 0x50200024
DREQ_PIO0_RX1 = 5
DREQ_ALWAYS = 0x3F
MULTI_CHAN_TRIGGER = 0x50000430
TIMERAWL = 0x40054028
WORD = 2
PULL = 0x80A0  # pull(block)
MOV_ISR_OSR = 0xA0C7
SLOW_US = 1_000  # from this debounce time on the pin is looked at with a slower clock
SLOW = 128


class TriggerLine:
    """One input that starts a tape once each time it is armed.

    pin: the input's number, pulled up. channels: mask of the DMA channels that it starts.
    """

    def __init__(self, pin, channels):
        self._pin = machine.Pin(pin, machine.Pin.IN, machine.Pin.PULL_UP)
        self._channels = channels
        self._machine = rp2.StateMachine(1)
        self._start = rp2.DMA()
        self._stamp = rp2.DMA()
        self._us = array("H", [0, 0])
        self._programs = []  # in the block's memory now
        self.armed = False

    def high(self):
        """Whether the input is high now."""
        return self._pin.value() == 1

    def arm(self, high, debounce_us):
        """Start the tape when the input has been high (or low) for the debounce time.

        It starts too if it is so already.
        """
        self.disarm()
        stamp = self._stamp
        stamp.config(
            read=TIMERAWL,
            write=self._us,
            count=1,
            ctrl=stamp.pack_ctrl(
                size=WORD, inc_read=False, inc_write=False, treq_sel=DREQ_ALWAYS
            ),
        )
        watcher = self._machine
        program = rises if high else falls
        if program not in self._programs:
            self._programs.append(program)
        freq = machine.freq() // (SLOW if debounce_us >= SLOW_US else 1)
        watcher.init(program, freq=freq, jmp_pin=self._pin)
        watcher.put(self._channels)
        watcher.exec(PULL)
        watcher.exec(MOV_ISR_OSR)
        watcher.put(-(-debounce_us * (freq // 1000) // (1000 * TURN_CYCLES)))
        watcher.exec(PULL)
        start = self._start
        start.config(
            read=PIO0_RXF1,
            write=MULTI_CHAN_TRIGGER,
            count=1,
            ctrl=start.pack_ctrl(
                size=WORD,
                inc_read=False,
                inc_write=False,
                treq_sel=DREQ_PIO0_RX1,
                chain_to=stamp.channel,  # type: ignore[attr-defined]
            ),
            trigger=True,
        )
        self.armed = True
        watcher.active(1)

    def fired(self):
        """Whether it has started the tape since it was armed."""
        return self.armed and not self._start.active() and not self._stamp.active()

    def since_us(self):
        """When it did, as time.ticks_us() counts."""
        return self._us[0] | (self._us[1] & 0x3FFF) << 16

    def disarm(self):
        """Start nothing any more; returns whether it has fired before that."""
        self._machine.active(0)
        fired = self.fired()
        self.armed = False
        self._start.active(0)
        return fired

    def close(self):
        """Give the DMA channels and the program's place back."""
        self.disarm()
        self._start.close()
        self._stamp.close()
        for program in self._programs:
            rp2.PIO(0).remove_program(program)
        self._programs = []
