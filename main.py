"""Starts the stimulator; Ctrl-C ends it, output off, and leaves the REPL."""

from firmware.app import App
from firmware.boards import pico_reference

App(pico_reference).run()
