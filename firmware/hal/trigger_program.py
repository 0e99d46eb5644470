"""The state machine programs that watch a trigger input, 5 and 6 instructions; one at a time.

OSR holds how many turns of 2 clocks the input must stay active, ISR the word that is pushed then.
They push one word that counts, and only while GATE is high: its lead is over then.
"""

import rp2

TURN_CLOCKS = 2


@rp2.asm_pio()
def falls():
    label("again")
    mov(x, osr)
    label("look")
    jmp(pin, "again")
    jmp(x_dec, "look")
    wait(1, pin, 0)  # GATE
    push(block)  # whoever takes the first leaves the others


@rp2.asm_pio()
def rises():
    label("again")
    mov(x, osr)
    label("look")
    jmp(pin, "high")
    jmp("again")
    label("high")
    jmp(x_dec, "look")
    wait(1, pin, 0)  # GATE
    push(block)  # whoever takes the first leaves the others
