"""What makes, inspects and measures a tape: most of the firmware's code, in one place.

It is not needed for an answer after a reset, so it is loaded behind the first ones.
"""

import gc

from firmware.core.expectation import Expectation
from firmware.core.feeder import Feeder
from firmware.core.inspector import Inspector
from firmware.core.refused import Refused
from firmware.core.scheduler import Scheduler
from firmware.core.tape import TapeWriter
from firmware.core.unload import borrow
from firmware.safety.monitor import Monitor


class Engine:
    """The parts of one stimulator; monitor: safety/monitor.py."""

    FEEDER = Feeder

    def __init__(self, stimulator):
        self._stimulator = stimulator
        self._need = 0, 0
        self._scheduler = Scheduler()
        self._writer = TapeWriter()
        self._expected = Expectation(stimulator.player.SLOTS)
        self.monitor = Monitor(
            stimulator.board,
            stimulator.timing,
            stimulator.sense,
            self._expected,
            stimulator.player,
            stimulator.storage.box.note,
            stimulator.storage.value,
        )

    def plan(self):
        """The plan of the settings as they are; Refused if they can't be played."""
        s = self._stimulator
        return borrow("firmware.core.plan", "make_plan", s.channels, s.session, s.timing)

    def need(self, plan):
        """Work out how much memory a plan's tape needs, and what is measured of it."""
        tpm = self._stimulator.timing.grid.turns_per_ms
        self._need = borrow("firmware.core.room", "room_for", plan.channels, tpm)

    def hold(self):
        """Have that much. The less there is to play, the more is left for the rest."""
        words, pulses = self._need
        gc.collect()
        try:
            self._stimulator.sense.hold(2 * pulses)
            self._expected.hold(pulses)
            self._stimulator.player.room(words)
        except MemoryError:
            raise Refused(-221, "memory in too small pieces for this session; reset") from None

    def levels(self, channel, current_ua):
        """The level nearest to a current."""
        return levels(self._stimulator.level_na(channel), current_ua)

    def inspector(self):
        """One for the settings as they are, with the clinician's and the person's ceilings."""
        s = self._stimulator
        rules = borrow(
            "firmware.safety.rules", "rules_for",
            s.board, s.timing, s.channels, (s.level_na(0), s.level_na(1)),
        )  # fmt: skip
        for i in (0, 1):
            most_ua = min(s.storage.ceilings(i))[0]
            rules.ceiling[i] = min(rules.ceiling[i], self.levels(i, most_ua))
        return Inspector(rules, s.player.SLOTS)

    def tape(self, feeder, inspector):
        """A tape to be filled. feeder: its class, a Feeder."""
        return feeder(
            self._scheduler, self._writer, inspector, self._stimulator.player, self._expected
        )


def levels(level_na, current_ua):
    """The level nearest to a current."""
    return (current_ua * 1000 + level_na // 2) // level_na
