"""Runs on the emulated Pico as main.py for device_bench.py: the firmware, watching its own heap.

Once a session runs for a while it prints what is free after a collection, how long that took,
and what a thousand turns of the loop leave behind.
"""

import gc
import time

gc.threshold(49152)  # as main.py

from firmware.app import App  # noqa: E402
from firmware.boards import pico_reference  # noqa: E402

SETTLED = 300  # turns into a session
PAUSE = 50  # the tape is filled again before the next collection
TURNS = 1000


class Probed(App):
    """The application, counting its turns."""

    def __init__(self, board):
        super().__init__(board)
        self.turns = 0
        self.before = 0

    def turn(self):
        super().turn()
        if self.stimulator.state_name() != "RUNNING":
            self.turns = 0
            gc.enable()
            return
        self.turns += 1
        if self.turns == SETTLED:
            began_us = time.ticks_us()
            gc.collect()
            took_us = time.ticks_diff(time.ticks_us(), began_us)
            print("heap", gc.mem_free(), took_us)
        elif self.turns == SETTLED + PAUSE:
            gc.collect()
            gc.disable()
            self.before = gc.mem_alloc()
        elif self.turns == SETTLED + PAUSE + TURNS:
            left = gc.mem_alloc() - self.before
            gc.enable()
            print("left", left)


app = Probed(pico_reference)
gc.collect()
gc.threshold(-1)
app.run()
