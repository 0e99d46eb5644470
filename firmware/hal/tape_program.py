"""The state machine program that plays the tape (RP2040 and RP2350), 18 instructions.

A segment lasts 2 * hold + 10 clocks from its pins to the next word's, a level word 8 clocks.
The trip line is tested at least every 4 clocks, so that the legs are low 4 clocks after the state
machine sees it; the chip's input synchroniser adds 2.
"""

import rp2


@rp2.asm_pio(
    out_init=(rp2.PIO.OUT_LOW,) * 6,
    out_shiftdir=rp2.PIO.SHIFT_LEFT,
)
def tape():
    set(x, 0)  # stays 0: what a pull finds when no word waits
    jmp("next")
    label("segment")
    jmp(pin, "trip")
    out(y, 25)
    out(pins, 6)
    label("hold")
    jmp(pin, "trip")
    jmp(y_dec, "hold")
    wrap_target()
    label("next")
    pull(noblock)  # starved: all pins low
    jmp(pin, "trip")
    out(y, 1)
    jmp(pin, "trip")
    jmp(not_y, "segment")
    out(isr, 31)
    jmp(pin, "trip")
    push(block)  # DMA writes it to the PWM compare register; if it can't, nothing plays on
    wrap()
    label("trip")
    mov(pins, null)
    irq(0)
    label("latched")
    jmp("latched")
