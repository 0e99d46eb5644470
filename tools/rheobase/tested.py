"""The MicroPython that is tested: `flash` asks for it, the virtual board says it is it."""

MICROPYTHON = (1, 28, 0)
MICROPYTHON_TEXT = ".".join(map(str, MICROPYTHON))
