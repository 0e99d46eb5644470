"""First code after every reset, before USB and main.py: all outputs low."""

from umachine import Pin  # by this name no file is looked for first: 2 ms less

# GP2..7, 13, 14, 16..20 and 25, as bytes: a tuple of them takes 2 ms to compile.
for _pin in b"\2\3\4\5\6\7\x0d\x0e\x10\x11\x12\x13\x14\x19":
    Pin(_pin, Pin.OUT, value=0)
