"""First code after every reset, before USB and main.py: all outputs low."""

import machine

for _pin in (2, 3, 4, 5, 6, 7, 13, 14, 16, 17, 18, 19, 20, 25):
    machine.Pin(_pin, machine.Pin.OUT, value=0)
