"""Plays a session through the real firmware and holds its electrodes against the oracle."""

from oracle import Board, Line
from rig import Rig

from firmware.boards import pico_reference as board

TURN = 2  # clocks
CLOCKS_PER_S = 125_000_000
LATENCY_S = 0.1  # a new intensity acts within 20 ms as a rule, after a rest within 100 ms
STEP_S = 0.52
REFERENCE = Board(
    CLOCKS_PER_S, board.DEAD_NS, board.SEPARATION_NS, board.GATE_LEAD_NS, board.SETTLE_NS
)


class Plateau:
    """A channel's plateau as it was set: when each level was sent and when it was accepted."""

    def __init__(self):
        self._steps = [(0, 0, 0)]

    def put(self, sent, accepted, level):
        self._steps.append((sent, accepted, level))

    def bounds(self, clock):
        """The lowest and highest plateau that a pulse at this clock may have."""
        sent = [level for at, _, level in self._steps if at <= clock]
        late = [level for _, at, level in self._steps if at + LATENCY_S * CLOCKS_PER_S <= clock]
        return (late or [0])[-1], sent[-1]


def level_of(current_ma):
    return (current_ma * 1000 + board.LEVEL_UA // 2) // board.LEVEL_UA


def play(session, targets_ma, keep=("edges", "phases")):
    """Run a session to its end while the intensities go up; (rig, plateaus)."""
    rig = Rig(keep)
    rig.configure(session.session, *session.channels)
    rig.start()
    plateaus = (Plateau(), Plateau())
    now_ma = [0, 0]
    while rig.state == "RUNNING":
        begun = rig.board.now
        for i in (0, 1):
            if now_ma[i] >= targets_ma[i] or not session.channels[i]["enabled"]:
                continue
            sent = rig.board.now
            if rig.refusal(f"SOUR{i + 1}:CURR {now_ma[i] + 1} mA") is None:
                now_ma[i] += 1
                plateaus[i].put(sent, rig.board.now, level_of(now_ma[i]))
        rig.board.run_until(begun + round(STEP_S * CLOCKS_PER_S))
    assert rig.state == "IDLE", rig.ask("FAUL:TEXT?")
    return rig, plateaus


class Electrodes:
    """Compares recorded pulses, in order, with what the settings say."""

    def __init__(self, session, played, plateaus):
        self.expected = session.expectation
        self.played = played  # pulses of each channel
        self.plateaus = plateaus
        self.line = Line(self.expected.board.separation)
        self.origin = None
        self._at = [0, 0]
        self._last = None

    def check(self):
        for unit in self.expected.line():
            self._unit(unit)
        assert self._at == [len(self.played[0]), len(self.played[1])], "unexpected pulses"
        return self

    def _unit(self, unit):
        i = unit.channel
        at = self._at[i]
        self._at[i] = at + unit.pulses
        pulses = self.played[i][at : at + unit.pulses]
        assert len(pulses) == unit.pulses, f"missing: {unit}"
        width = pulses[0].width_1 // TURN
        assert unit.widths[0] <= width <= unit.widths[1], unit
        start = self.line.place(unit, width)
        if self.origin is None:
            self.origin = pulses[0].start - start * TURN
        for pulse, turn in zip(pulses, unit.pulse_at(start), strict=True):
            assert pulse.start == self.origin + turn * TURN, unit
            self._pulse(unit, pulse, width)

    def _pulse(self, unit, pulse, width):
        assert pulse.width_1 == pulse.width_2 == width * TURN, unit
        assert pulse.gap == unit.gap * TURN, unit
        assert (pulse.first < 0) == unit.minus_first, unit
        if self._last is not None and self._last.channel != pulse.channel:
            assert pulse.start - self._last.end >= self.expected.board.separation * TURN
        self._last = pulse
        level = pulse.commanded_a / (board.LEVEL_UA * 1e-6)
        least, most = self.plateaus[unit.channel].bounds(pulse.start)
        least = unit.level_share.levels(least)[0]
        most = unit.level_share.levels(most)[1]
        assert least - 0.01 <= level <= most + 0.01, (level, unit)
        self._charge(pulse, level, unit)

    def _charge(self, pulse, level, unit):
        """Both phases carry the commanded current for the time that the driver conducts."""
        conducting_s = (pulse.width_1 - 25) / CLOCKS_PER_S  # the driver's own dead time, 200 ns
        if not level:  # what is left after settling from the level before
            assert abs(pulse.charge_1_c) < 1e-3 * board.LEVEL_UA * 1e-6 * conducting_s
            return
        expected_c = round(level) * board.LEVEL_UA * 1e-6 * conducting_s
        assert abs(abs(pulse.charge_1_c) / expected_c - 1) < 2e-3, (pulse, unit)
        assert abs(pulse.net_c) < 1e-3 * abs(pulse.charge_1_c), (pulse, unit)
        assert pulse.charge_1_c * pulse.charge_2_c < 0


def check(session, targets_ma):
    """Everything that holds of a session at the electrodes; (rig, Electrodes)."""
    session = type(session)(*session.channels, session.session, REFERENCE)
    rig, plateaus = play(session, targets_ma)
    played = (rig.pulses(1), rig.pulses(2))
    electrodes = Electrodes(session, played, plateaus).check()
    for i in (0, 1):
        counted = rig.ask(f"MEAS{i + 1}:PULS?;MOV?").split(";")
        assert counted == [str(len(played[i])), str(len(electrodes.line.moves[i]))]
    for event in ("shoot_through", "leg_without_gate", "trip", "overcurrent"):
        assert event not in rig.recorder.event_counts
    return rig, electrodes
