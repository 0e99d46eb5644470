"""The electrode check by itself: its train word for word, every bound, what it leaves behind."""

from array import array
from types import SimpleNamespace

import pytest
import tape_reader
from units import refusal

from firmware.boards import pico_reference as board
from firmware.core.grid import Grid
from firmware.core.timing import Timing
from firmware.safety import electrodes, faults
from firmware.safety.faults import Failed

US = 62.5  # turns
TEST_UA = 960  # 16 levels
ZEROS = (8_000, 8_300)  # sums of four samples; one unit is 1 uA here
OUTPUT_LOW = 2
SHARES = (-9, -2, 4, 7)  # of a sum's four samples: none is like another


class Checked:
    """A stimulator whose electrodes carry what a test says."""

    def __init__(self):
        self.board = board
        self.timing = Timing(
            Grid(125_000_000), board.DEAD_NS, board.SEPARATION_NS, board.GATE_LEAD_NS,
            board.SETTLE_NS,
        )  # fmt: skip
        self.level_na = lambda channel: self.na
        self.na = 60_000
        self.current_ua = None  # as commanded
        self.leak_ua = 0
        self.ohm = 1_000
        self.ceiling = [1_000, 1_000]
        self.reason = 0
        self.inspected = []
        self.tape = SimpleNamespace(inspector=self)
        self.player = self.sense = self.monitor = self
        self.samples = array("H", bytes(2 * 400))
        self.zero_of = lambda channel: ZEROS[channel]
        self.in_ua = lambda units, looked_at: units
        self.blocks = [[0] * 200, [0] * 200]
        self.did = []
        self.tapes = []
        self.looks = []
        self.told = []
        self.tripped = False
        self.lost = 0
        self.turns = 12  # of the loop until the train is over
        self.left = 0

    # sampler and monitor
    def select(self, what):
        self.did.append(f"select {what}")

    def begin(self, widths=None, looks=None):
        if widths is None:
            self.did.append("begin")
            return
        self.looks.append(looks)
        assert widths == (6_250, 6_250)

    def groups(self):
        return 16 - self.lost

    def stop(self):
        self.did.append("stop")

    def checked(self, channel, ohm):
        self.told.append((channel, ohm))

    # inspector
    def reset(self):
        self.did.append("reset")

    def inspect(self, halves, words, turns):
        self.inspected.append((halves, words, turns))
        return self.reason

    # player
    def free_slot(self):
        return 1

    def queue(self, slot, words, turns):
        assert slot == 1 and words <= 40
        halves = self.blocks[slot]
        assert self.inspected[-1] == (halves, words, turns)
        tape = tape_reader.Tape()
        tape.read([halves[2 * i] | halves[2 * i + 1] << 16 for i in range(words)])
        assert tape.turn == turns
        self.tapes.append(tape)

    def start(self):
        self.did.append("play")
        self.left = self.turns
        tape = self.tapes[-1]
        channel = 0 if tape.pulses[0] else 1
        looked_at = self.looks[-1][channel]
        commanded_ua = tape.levels[channel] * self.na // 1000
        current_ua = commanded_ua if self.current_ua is None else self.current_ua
        volts = current_ua * 1e-6 * self.ohm
        seen = current_ua if looked_at == channel else self.leak_ua
        for group in range(16):
            total = ZEROS[looked_at] + (-seen if group & 1 else seen)
            for place, share in enumerate(SHARES if group & 1 else SHARES[::-1]):
                self.samples[5 * group + place] = total // 4 + share
            self.samples[5 * group] += total % 4
            # A second phase's voltage is another: the skin has been charged.
            shown = volts / board.OUTPUT_LOW_DIVIDER / 3.3 * 4096
            self.samples[5 * group + 4] = round(shown) if group % 2 == 0 else 4_000

    def update(self):
        self.left -= 1

    def queued_turns(self):
        return self.left - 1

    def drained(self):
        return self.left <= 0

    def kill(self):
        self.did.append("kill")

    # what a test does
    def run(self, channel=0):
        """(impedance told, turns of the loop)."""
        steps = electrodes.check(self, channel)
        turns = 0
        while True:
            try:
                next(steps)
            except StopIteration as end:
                return end.value, turns
            turns += 1
            assert turns < 200


def why_not(checked, channel):
    code, text = refusal(checked.run, channel)
    assert code == -221 and checked.told == []
    return text


def fault(checked, channel=0):
    with pytest.raises(Failed) as failed:
        checked.run(channel)
    assert checked.told == []
    assert checked.did[-3:] == ["kill", "stop", "select 0"]
    return failed.value.number, failed.value.detail


@pytest.fixture
def checked():
    return Checked()


# -- the trains -----------------------------------------------------------------------------------


@pytest.mark.parametrize("channel", [0, 1])
def test_eight_weak_short_pulses_behind_gate(checked, channel):
    checked.run(channel)
    assert len(checked.tapes) == 2
    for tape in checked.tapes:
        assert tape.pulses[1 - channel] == []
        pulses = tape.pulses[channel]
        assert len(pulses) == 8
        for pulse in pulses:
            assert not pulse.first.minus and pulse.second.minus
            assert (pulse.first.level, pulse.second.level) == (16, 16)
            assert (pulse.width, pulse.gap, pulse.second_width) == (6_250, 6_250, 6_250)
        assert {b.start - a.end for a, b in zip(pulses, pulses[1:], strict=False)} == {
            700 * US
        }  # fmt: skip
        assert tape.levels == ([0, 16] if channel else [16, 0])
        ((rises, falls),) = tape.gates
        assert pulses[0].start - rises == board.GATE_LEAD_NS / 16 + 32
        assert falls - pulses[-1].end == 700 * US
        assert tape.turn - falls == 700 * US
        assert rises >= tape.changes[0][0] + board.SETTLE_NS / 16 + 32 > 0
        assert tape.changes[0][0] == 9, "five turns of nothing, then the level"


def test_the_channels_own_input_and_then_the_others(checked):
    checked.run()
    assert checked.looks == [(0, 1), (1, 0)]
    train = [f"select {OUTPUT_LOW}", "begin", "reset", "reset", "play", "kill", "stop", "select 0"]
    assert checked.did == 2 * train


def test_it_tells_the_impedance(checked):
    for channel, ohm in ((0, 700), (1, 2_000)):
        checked.ohm = ohm
        told, _ = checked.run(channel)
        assert told == pytest.approx(ohm, rel=0.005)
        assert checked.told[-1] == (channel, told)


def test_the_impedance_is_reckoned_without_loss(checked):
    """960 uA through 4980 ohm, halved: 2.3904 V are 2967 steps, 2390 mV by the ADC's own step."""
    checked.ohm = 4_980
    assert checked.run()[0] == 2 * 2_390_000 // 960


def test_a_leak_is_reckoned_without_loss(checked):
    checked.na = 50_000  # 1 mA exactly
    checked.leak_ua = 100
    checked.run()
    checked.told.clear()
    checked.leak_ua = 101
    assert "101 uA" in why_not(checked, 0)


@pytest.mark.parametrize(("na", "ceiling", "level"), [
    (60_000, 1_000, 16), (60_000, 12, 12), (48_000, 1_000, 20), (72_000, 1_000, 13),
    (62_500, 1_000, 16), (50_000, 1_000, 20), (60_000, 9, 9),
])  # fmt: skip
@pytest.mark.parametrize("channel", [0, 1])
def test_at_most_a_milliampere_and_the_channels_ceiling(checked, channel, na, ceiling, level):
    checked.na = na
    checked.ceiling[channel] = ceiling
    checked.run(channel)
    assert checked.tapes[0].levels[channel] == level


@pytest.mark.parametrize("channel", [0, 1])
def test_a_ceiling_that_is_too_low_for_a_check(checked, channel):
    checked.ceiling[channel] = 8
    assert f"limit of channel {channel + 1} too low" in why_not(checked, channel)
    assert checked.did == []


# -- what it finds --------------------------------------------------------------------------------


@pytest.mark.parametrize("channel", [0, 1])
@pytest.mark.parametrize(("current_ua", "found"), [
    (0, "open"), (479, "open"), (480, None), (767, None), (768, "well"), (1_152, "well"),
    (1_153, None),
])  # fmt: skip
def test_the_current_is_half_of_its_command_or_open_and_within_a_fifth(
    checked, channel, current_ua, found
):
    checked.current_ua = current_ua
    if found == "open":
        text = why_not(checked, channel)
        assert text == f"electrodes of channel {channel + 1} open: {current_ua} uA of 960 uA"
    elif found is None:
        assert fault(checked, channel) == (
            faults.OFF_COMMAND, f"{current_ua} uA of 960 uA in the check"
        )
    else:
        checked.run(channel)


@pytest.mark.parametrize("channel", [0, 1])
@pytest.mark.parametrize(("ohm", "word"), [
    (97, "shorted"), (103, None), (4_980, None), (5_020, "dry or off"),
])  # fmt: skip
def test_impedance_between_100_ohm_and_5_kohm(checked, channel, ohm, word):
    checked.ohm = ohm
    if word:
        text = why_not(checked, channel)
        assert f"channel {channel + 1} {word}" in text
        assert ("below 100 ohm" if ohm < 100 else "above 5000 ohm") in text
    else:
        assert checked.run(channel)[0] == pytest.approx(ohm, rel=0.01)


def test_impedances_of_the_bounds_themselves_are_well(checked, monkeypatch):
    for mv, ohm in ((48, 100), (2_400, 5_000)):  # 960 uA, halved by the divider
        monkeypatch.setattr(electrodes, "_monitor_mv", lambda *_, mv=mv: mv)
        assert checked.run()[0] == ohm


@pytest.mark.parametrize("channel", [0, 1])
@pytest.mark.parametrize(("leak_ua", "leaks"), [(96, False), (-96, False), (97, True),
                                                (-97, True)])  # fmt: skip
def test_a_tenth_may_flow_in_the_other_channel(checked, channel, leak_ua, leaks):
    checked.leak_ua = leak_ua
    if leaks:
        text = why_not(checked, channel)
        assert text == f"97 uA of 960 uA of channel {channel + 1} in the other"
    else:
        checked.run(channel)


# -- what can go wrong ----------------------------------------------------------------------------


def test_a_train_that_the_inspector_refuses_is_not_played(checked):
    checked.reason = 9
    number, detail = fault(checked)
    assert number == faults.INSPECTOR and "9" in detail
    assert "play" not in checked.did


def test_a_trip_in_the_check(checked):
    checked.tripped = True
    assert fault(checked)[0] == faults.TRIP


def test_a_phase_that_was_not_sampled(checked):
    checked.lost = 1
    assert fault(checked) == (faults.LOST_PULSE, "15 phases in the electrode check")


def test_it_waits_for_the_trains_end_and_for_no_longer_than_40_turns(checked):
    assert checked.run()[1] == 2 * 12
    checked.turns = 1_000
    assert checked.run()[1] == 2 * 40


def test_a_train_is_over_when_nothing_is_queued_and_all_is_played(checked):
    checked.drained = lambda: checked.left <= -3
    assert checked.run()[1] == 2 * 15
    checked.queued_turns = lambda: checked.left + 5
    assert checked.run()[1] == 2 * 17


def test_a_check_that_is_given_up_leaves_nothing_on(checked):
    steps = electrodes.check(checked, 0)
    next(steps)
    steps.close()
    assert checked.did[-3:] == ["kill", "stop", "select 0"]
