"""Starts the stimulator; Ctrl-C ends it, output off, and leaves the REPL."""

import gc

gc.threshold(49152)  # while modules load: fewer take too much memory, more too much time

from firmware.app import App  # noqa: E402
from firmware.boards import pico_reference  # noqa: E402

app = App(pico_reference)
gc.collect()
gc.threshold(-1)
app.run()
