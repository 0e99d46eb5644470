"""Watches the electrodes while anything at all is typed, and keeps a list of what must not be.

It knows nothing of the firmware: only when output may be on, and how strong at most.
"""

from rig import GATE, LEGS

CLOCKS_PER_S = 125_000_000
PEAK_A = 0.120  # SR-11
PERSON_A = 0.030  # SR-09: ceiling of a person at first use
STEP_A, STEP_S = 1e-3, 0.5  # SR-07
ROUNDING_A = 31e-6  # half a level of the sink
WIDTH_S = (19.9e-6, 1000.1e-6)  # SR-16
CUT_CLOCKS = 12_500  # a stop takes a leg down, and within 100 us all the others and the gate
NEVER = ("shoot_through", "leg_without_gate")


class Judge:
    """Give its `edge` and `phase` to the recorder; `wrong` is what was seen that must not be."""

    def __init__(self):
        self.wrong = []
        self.phases = 0
        self.currents = 0
        """Phases with current in them: so that a test can tell that it tested something."""
        self._last = (0, 0)
        """Clock and levels of the last edge."""
        self._short = []
        """Phases too short, of which the next edges tell whether a stop has cut them."""
        self._off_from = 0  # legs may not be high from this clock on; None: they may
        self._origin = 0

    def may_start(self, clock):
        """From `clock` on output is lawful, and rises from zero."""
        if self._off_from is not None:
            self._off_from = None
            self._origin = clock

    def must_stop(self, clock):
        """From `clock` on nothing may be high."""
        if self._off_from is None or clock < self._off_from:
            self._off_from = clock

    def edge(self, clock, levels):
        self._last = (clock, levels)
        if self._short:
            self._stopped(clock, levels)
        if levels & LEGS and self._off_from is not None and clock > self._off_from:
            late_ms = (clock - self._off_from) / CLOCKS_PER_S * 1e3
            self.wrong.append(f"leg high {late_ms:.3f} ms after the output had to be off")

    def phase(self, phase):
        self.phases += 1
        amperes = abs(phase.commanded_a)
        self.currents += amperes > ROUNDING_A
        width_s = (phase.end - phase.start) / CLOCKS_PER_S
        if width_s > WIDTH_S[1]:
            self.wrong.append(f"phase of {width_s * 1e6:.1f} us")
        if width_s < WIDTH_S[0]:
            self._short.append((phase.end, f"phase of {width_s * 1e6:.1f} us"))
            self._stopped(*self._last)
        if amperes > min(PEAK_A, PERSON_A) + ROUNDING_A:
            self.wrong.append(f"{amperes * 1e3:.2f} mA")
        steps = 1 + (phase.start - self._origin) // round(STEP_S * CLOCKS_PER_S)
        if amperes > steps * STEP_A + ROUNDING_A:
            self.wrong.append(
                f"{amperes * 1e3:.2f} mA {(phase.start - self._origin) / CLOCKS_PER_S:.3f} s "
                "after a start at zero"
            )

    def _stopped(self, clock, levels):
        """Everything low right behind a short phase: a stop has cut it. Anything else is wrong."""
        if not levels & (GATE | LEGS):
            self._short = [cut for cut in self._short if not 0 <= clock - cut[0] <= CUT_CLOCKS]
        late = [
            text
            for end, text in self._short
            if clock > end and (levels & LEGS or clock - end > CUT_CLOCKS)
        ]
        if late:
            self.wrong += late
            self._short = []

    def look(self, recorder):
        """Raises AssertionError with all that was wrong."""
        found = self.wrong + [text for _, text in self._short]
        found += [name for name in NEVER if recorder.event_counts.get(name)]
        assert not found, found[:5]
