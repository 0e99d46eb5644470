"""Both channels for a virtual hour, in `make nightly` for 24: no pulse lost, none late, no growth.

Sessions last four hours at most, so a day is six of them.
"""

import gc
from itertools import pairwise

from rig import Rig
from strategies import NIGHTLY

RATE_HZ = 20 if NIGHTLY else 5
SESSION_S = 4 * 3600 if NIGHTLY else 3600
SESSIONS = 6 if NIGHTLY else 1
PERIOD = 125_000_000 // RATE_HZ
CLIMB_S = 10


class Watch:
    """Looks at every phase as it is played, and keeps none."""

    def __init__(self):
        self.last = {}
        self.pulses = {1: 0, 2: 0}
        self.net_c = {1: 0.0, 2: 0.0}
        self.charge_c = {1: 0.0, 2: 0.0}
        self.wrong = []

    def __call__(self, phase):
        channel = phase.channel
        self.net_c[channel] += phase.charge_c
        self.charge_c[channel] += abs(phase.charge_c)
        if phase.polarity < 0:
            if phase.width != self.last[channel][1]:
                self.wrong.append(("width", phase))
            return
        before = self.last.get(channel)
        if before and phase.start - before[0] != PERIOD:
            self.wrong.append(("time", phase))
        self.last[channel] = (phase.start, phase.width)
        self.pulses[channel] += 1


def grown_in_each(rig, stretches, length_s):
    """How many objects more after each stretch of time.

    One stretch may bring many: the board decodes an instruction of the PIO when it first steps
    on it, and may do so after an hour. A leak shows in every stretch.
    """
    counts = []
    for _ in range(stretches + 1):
        gc.collect()
        counts.append(len(gc.get_objects()))
        rig.wait(length_s)
    return [after - before for before, after in pairwise(counts)]


def test_hours_with_both_channels():
    watch = Watch()
    rig = Rig(keep=(), on_phase=watch)
    for number in (1, 2):
        rig.do(f"SOUR{number}:STAT ON;FREQ {RATE_HZ};PULS:WIDT 300us;:SOUR{number}:CYCL:ON INF")
        rig.do(f"SOUR{number}:RAMP:UP 0;DOWN 0;:SOUR{number}:PAD:AREA 25")
    rig.do(f"SESS:DUR {SESSION_S};PATT SIM")
    for _ in range(SESSIONS):
        rig.arm()
        watch.pulses = {1: 0, 2: 0}
        watch.net_c = {1: 0.0, 2: 0.0}
        watch.charge_c = {1: 0.0, 2: 0.0}
        watch.last.clear()
        watch.wrong.clear()  # of the electrode check, at its own pace
        rig.do("OUTP ON")
        rig.climb(4, 3)
        growths = grown_in_each(rig, 4, SESSION_S / 6)
        assert sorted(growths)[-2] < 50, f"the firmware or the board grows: {growths}"
        rig.board.run_while(lambda: rig.state == "RUNNING", SESSION_S, 5.0)
        assert rig.state == "IDLE", rig.ask("FAUL:TEXT?")
        assert watch.wrong == []
        for number in (1, 2):
            assert watch.pulses[number] == int(rig.ask(f"MEAS{number}:PULS?"))
            assert abs(watch.pulses[number] - SESSION_S * RATE_HZ) <= 1
            pulses, charge_c, net_c = rig.ask(f"LEDG{number}?").split(",")
            assert int(pulses) == watch.pulses[number]
            assert abs(float(charge_c) - watch.charge_c[number]) < 0.03 * watch.charge_c[number]
            assert abs(watch.net_c[number]) < 1e-6, "the electrodes' own net charge"
            assert abs(float(net_c) - watch.net_c[number]) < 1e-6, "the ledger's"
