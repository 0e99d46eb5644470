"""How rate and width change over a train: in steps, each computed before the output is armed.

Between the first values and the second lie `mod_steps` equal steps, both ends counted. A sweep
goes once through them in the length of the train, a saw tooth again and again in its period, a
triangle there and back in its period.
"""

from array import array

from firmware.core.settings import SWEEP, TRIANGLE


class Course:
    """The steps of one train.

    turns, remainders, rates: the period of each step as Grid.period has it. widths: in turns.
    """

    def __init__(self, settings, grid, train_ms):
        steps = settings.mod_steps
        self.steps = steps
        self.places = steps * 2 if settings.modulation == TRIANGLE else steps
        self.span_ms = train_ms if settings.modulation == SWEEP else settings.mod_ms
        self.turns = array("i", [0] * steps)
        self.remainders = array("i", [0] * steps)
        self.rates = array("i", [0] * steps)
        self.widths = array("i", [0] * steps)
        for i in range(steps):
            rate = between(settings.rate_mhz, settings.rate_to_mhz, i, steps)
            self.turns[i], self.remainders[i], self.rates[i] = grid.period(rate)
            self.widths[i] = grid.turns(between(settings.width_ns, settings.width_to_ns, i, steps))


def rewidened(course, settings, grid):
    """The same steps in other widths (a live setting has changed)."""
    return Course(settings, grid, course.span_ms)


def between(first, second, i, steps):
    """The value of step i of so many, to the nearest whole number; `second` 0: as the first."""
    if not second:
        return first
    return first + (2 * (second - first) * i + steps - 1) // (2 * (steps - 1))
