"""A board with a small firmware of the test's own."""

import textwrap

from rheobase.sim.board import VirtualBoard

CLOCK_HZ = 125_000_000
MS = 125_000
US = 125
BOOT_S = 0.05  # from power-up into main.py


def board_with(main="", boot="", files=None, **options):
    """A board that runs `main` (not yet powered)."""
    contents = dict(files or {})
    if main:
        contents["main.py"] = textwrap.dedent(main)
    if boot:
        contents["boot.py"] = textwrap.dedent(boot)
    return VirtualBoard(contents, **options)


def run(main, seconds=1.0, **options):
    """Boot, run, and return (board, what it printed after the host had opened the port).

    The firmware's printing is postponed until a host is there: it waits for the port first.
    """
    prelude = """\
        import time
        time.sleep_ms(500)
        """
    board = board_with(textwrap.dedent(prelude) + textwrap.dedent(main), **options)
    board.power_on()
    board.run_for(BOOT_S + 0.5 + seconds)
    text = board.usb.read().decode()
    return board, text.split("MicroPython v")[0].replace("\r\n", "\n")


def printed(main, seconds=1.0, **options):
    return run(main, seconds, **options)[1]


def printed_lines(main, seconds=1.0, **options):
    return printed(main, seconds, **options).splitlines()
