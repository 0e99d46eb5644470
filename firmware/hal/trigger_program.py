"""The state machine programs that watch a trigger input, 5 and 6 instructions beside the tape's.

OSR holds how many more turns the input must stay active, ISR the word to be pushed then. A turn
lasts 2 clocks. They push once and then wait to be set up anew.
"""

import rp2

CLOCKS = 2


@rp2.asm_pio()
def falls():
    label("again")
    mov(x, osr)
    label("look")
    jmp(pin, "again")
    jmp(x_dec, "look")
    push(block)
    label("done")
    jmp("done")


@rp2.asm_pio()
def rises():
    label("again")
    mov(x, osr)
    label("look")
    jmp(pin, "high")
    jmp("again")
    label("high")
    jmp(x_dec, "look")
    push(block)
    label("done")
    jmp("done")
