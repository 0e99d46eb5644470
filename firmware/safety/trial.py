"""A self-test or an arming under way: a generator of which every turn of the loop takes a step."""

import gc

from firmware.core.refused import Refused
from firmware.core.unload import lend
from firmware.safety import faults
from firmware.safety.states import CHECKING


class Trial:
    """Of one stimulator; `on` while one is under way."""

    def __init__(self, stimulator):
        self._stimulator = stimulator
        self._steps = None

    @property
    def on(self):
        return self._steps is not None

    def begin(self, name):
        """Import a module of firmware/safety: each turn takes a step of its `sequence`."""
        gc.collect()
        module = __import__("firmware.safety." + name, None, None, ("sequence",))
        self._steps = module.sequence(self._stimulator)

    def end(self):
        """Whatever it was about, it goes no further."""
        if self._steps:
            self._steps.close()
        self._steps = None

    def step(self):
        """One turn of it; at its end the output may be armed, or the self-test has passed."""
        stimulator = self._stimulator
        try:
            next(self._steps)
            return
        except StopIteration:
            armed = stimulator.state == CHECKING
            self.end()
            lend(not armed)
            stimulator.passed("arm" if armed else "pass")
        except Refused as refusal:
            self.end()
            stimulator.stop()
            stimulator.refusal = refusal.text
        except faults.Failed as failed:
            self.end()
            stimulator.fail(failed.number, failed.detail)
