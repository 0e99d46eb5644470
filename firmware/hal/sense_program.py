"""The state machine program that samples a channel's current while one leg is high.

26 instructions; one state machine a leg runs it. X holds the word that starts a conversion of the
channel's own input, OSR the period. In each phase: four conversions of the current, a period
apart, then one of the monitor input (or of what LOOK names instead), then the wait for the leg to
fall. Always five: so that every fifth result begins a phase.
"""

import rp2

OVERHEAD_CLOCKS = 3  # what a period lasts beyond its number
LOOK = 19  # the instruction that names the fifth conversion's input
LOOK_AT = 0xE040  # that instruction, set(y, input << 3)


@rp2.asm_pio(in_shiftdir=rp2.PIO.SHIFT_LEFT, autopush=True, push_thresh=32)
def sampler():
    wrap_target()
    wait(1, pin, 0)
    mov(y, x)
    mov(x, osr)
    pull(noblock)  # a new period, or (from X) the one there was
    mov(x, y)
    mov(y, osr)
    label("first")
    jmp(y_dec, "first")
    in_(x, 32)
    mov(y, osr)
    label("second")
    jmp(y_dec, "second")
    in_(x, 32)
    mov(y, osr)
    label("third")
    jmp(y_dec, "third")
    in_(x, 32)
    mov(y, osr)
    label("fourth")
    jmp(y_dec, "fourth")
    in_(x, 32)
    set(y, 31)
    label("convert")  # 288 clocks: the fourth conversion takes 250
    jmp(y_dec, "convert")[8]
    set(y, 0b10000)  # LOOK
    mov(isr, y)
    in_(null, 6)
    set(y, 0b101)
    in_(y, 3)  # 0x2005: input 2, START_ONCE, EN
    push(block)
    wait(0, pin, 0)
    wrap()
