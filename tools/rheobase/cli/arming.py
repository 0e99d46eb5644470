"""Arming with a person at the board."""

from __future__ import annotations

import time

from rich.console import Console

from rheobase.client import Stimulator, StimulatorError

_BUTTON_S = 30.0  # how long a person has for trying the stop button


def arm(stimulator: Stimulator, console: Console) -> None:
    """Arm; a stop button that was not tried yet is waited for."""
    end_s = time.monotonic() + _BUTTON_S
    asked = False
    while True:
        try:
            stimulator.arm()
            return
        except StimulatorError as refusal:
            if "stop button" not in refusal.text or time.monotonic() > end_s:
                raise
        if not asked:
            console.print("press and release the stop button")
            asked = True
        time.sleep(0.2)
