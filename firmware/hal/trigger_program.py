"""The state machine programs that watch a trigger input, 6 and 7 instructions beside the tape's.

OSR holds how many more turns of 34 cycles the input must stay active, ISR the word that is pushed
then. They push once, and then wait for ever: they are set up anew for the next trigger.
"""

import rp2

TURN_CYCLES = 34


@rp2.asm_pio()
def falls():
    label("again")
    mov(x, osr)
    label("look")
    jmp(pin, "again")
    jmp(not_x, "fire")
    jmp(x_dec, "look")[31]
    label("fire")
    push(block)
    pull(block)  # nothing comes


@rp2.asm_pio()
def rises():
    label("again")
    mov(x, osr)
    label("look")
    jmp(pin, "high")
    jmp("again")
    label("high")
    jmp(not_x, "fire")
    jmp(x_dec, "look")[31]
    label("fire")
    push(block)
    pull(block)  # nothing comes
