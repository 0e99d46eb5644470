"""From ARM to ARMED by itself: what is refused, the order of the tests, and what each can find."""

from types import SimpleNamespace

import pytest
from units import Clock, refusal

from firmware.core.refused import Refused
from firmware.safety import arming, electrodes, faults, selftest, trains
from firmware.safety.faults import Failed

MS = 62_500  # turns
GATE = 1 << 4


class Armed(Clock):
    """A board at which all works until a test breaks it; a turn of the loop takes 1 ms.

    The supply follows heartbeat and latch, up in `rise_ms`, down in `fall_ms`.
    """

    def __init__(self, monkeypatch):
        self.now_us = 0
        for module in (arming, selftest):
            monkeypatch.setattr(module, "time", self)
        monkeypatch.setattr(arming, "intact", lambda: self.sound)
        monkeypatch.setattr(electrodes, "check", self.check_electrodes)
        monkeypatch.setattr(trains, "prepared", lambda stimulator: self.made)
        monkeypatch.setattr(arming, "collect", lambda: self.note("collect"))
        monkeypatch.setattr(arming, "give_back", lambda: self.note("give back"))
        self.did = []
        self.sound = True
        # what a person has done
        self.state = 2
        self.may = True
        self.states = SimpleNamespace(can=lambda event: event == "check" and self.may)
        self.storage = SimpleNamespace(trouble="")
        self.approval = SimpleNamespace(check=lambda: self.note("approval"), hash=lambda: "AB12")
        self.session = SimpleNamespace(trigger=0)
        self.channels = [SimpleNamespace(enabled=1), SimpleNamespace(enabled=1)]
        self.made = None
        # the engine
        self.zero_fault = 0
        self.monitor = SimpleNamespace(channel=1, zero=lambda: self.zero_fault)
        self.engine = SimpleNamespace(
            FEEDER="feeder", plan=lambda: SimpleNamespace(contractions=[3, 4]),
            inspector=lambda: "inspector", tape=lambda *made: made,
            need=lambda plan: self.note(("need", plan)), hold=lambda: self.note("hold"),
        )  # fmt: skip
        self.verdict = 0
        self.inspected = []
        self.plan = self.contractions = self.triggered = None
        self.tape = SimpleNamespace(inspector=self)
        self.timing = SimpleNamespace(grid=SimpleNamespace(turns_per_ms=MS))
        # the output stage
        self.board = SimpleNamespace(SUPPLY_V=200, LATCH_CUTS_SUPPLY=True)
        self.watch = SimpleNamespace(least_supply_v=lambda: 180)
        self.outputs = self.player = self.supervisor = self
        self.testing = self.latch = self.on = self._hold = False
        self.playing = self.tripped = False
        self.stuck_line = None  # what trip() says whatever happens
        self.latch_clears = self.latch_holds = self.tape_stops = self.trips = True
        self.pins = GATE
        self.blocks = [[0] * 20, [0] * 20]
        self.queued = []
        self.rise_ms, self.fall_ms, self.full_v = 100, 120, 200
        self.cut_by_latch = self.cut_by_hold = True
        self.since_us, self.was_v = 0, 0

    def note(self, what):
        self.did.append(what)

    # the clock
    def ticks_ms(self):
        return self.now_us // 1000

    def sleep_us(self, us):
        self.now_us += us

    # the supply
    def _powered(self):
        by_latch = self.cut_by_latch and self.board.LATCH_CUTS_SUPPLY and self.latch
        return self.on and not by_latch and not (self._hold and self.cut_by_hold)

    def supply_v(self):
        """A step, behind its delay."""
        passed_ms = (self.now_us - self.since_us) / 1000
        if self._powered():
            return self.full_v if passed_ms >= self.rise_ms else self.was_v
        return 0 if passed_ms >= self.fall_ms else self.was_v

    def _switch(self):
        self.was_v = self.supply_v()
        self.since_us = self.now_us

    def start(self, now_ms=None):
        if now_ms is None:  # the player's
            self.playing = True
            self.note("play")
            return
        assert now_ms == self.ticks_ms()
        self._switch()
        self.on = True
        self.note("supply")

    @property
    def hold(self):
        return self._hold

    @hold.setter
    def hold(self, on):
        self._switch()
        self._hold = on
        self.note(f"hold {on}")

    # trip line and latch
    def trip(self):
        return self.testing or self.latch if self.stuck_line is None else self.stuck_line

    def trip_test(self, on):
        if on and self.trips:
            self._switch()
            self.testing = self.latch = True
            if self.playing and self.tape_stops:
                self.playing, self.tripped = False, True
        if not on and self.testing:
            self.testing = False
            self.latch = self.latch_holds
        self.note(f"trip {on}")

    def clear_latch(self):
        self._switch()
        self.latch = self.latch and not self.latch_clears
        self.note("clear")

    # the player
    def begin(self):
        self.tripped = False

    def free_slot(self):
        return 1

    def queue(self, slot, words, turns):
        assert slot == 1
        halves = self.blocks[slot]
        self.queued = [halves[2 * i] | halves[2 * i + 1] << 16 for i in range(words)]
        assert turns == sum((word >> 6) + 5 for word in self.queued)

    def levels(self):
        return self.pins if self.playing else 0

    def kill(self):
        self.playing = False
        self.note("kill")

    # the inspector
    def reset(self):
        self.note("reset")

    def inspect(self, halves, words, turns):
        self.note("inspect")
        self.inspected.append((halves, words, turns))
        return self.verdict

    # electrodes
    def check_electrodes(self, stimulator, channel):
        assert stimulator is self
        self.note(f"electrodes {channel}")
        yield

    def ceiling(self, channel):
        self.note(f"ceiling {channel}")

    def run(self, most_ms=5_000):
        """All turns of the sequence; how many ms it took."""
        began = self.now_us
        for _ in arming.sequence(self):
            self.now_us += 1_000
            assert self.now_us - began < most_ms * 1_000
        return (self.now_us - began) // 1_000

    def fault(self):
        with pytest.raises(Failed) as failed:
            self.run()
        assert not self.playing and not self.testing and not self._hold
        return failed.value.number, failed.value.detail


@pytest.fixture
def board(monkeypatch):
    return Armed(monkeypatch)


# -- what ARM refuses -----------------------------------------------------------------------------


def why_not(board, echo="AB12"):
    plan = board.plan
    code, text = refusal(arming.begin, board, echo)
    assert code == -221
    assert board.plan is plan, "nothing half prepared"
    return text


def test_arm_in_another_state(board):
    board.may = False
    assert "IDLE" in why_not(board)


def test_arm_with_the_storage_in_trouble(board):
    board.storage.trouble = "configuration lost"
    assert why_not(board) == "configuration lost"


def test_arm_asks_the_approval(board):
    def missing():
        raise Refused(-221, "checklist")

    board.approval.check = missing
    assert why_not(board) == "checklist"


def test_arm_clears_the_latch_once_and_refuses_a_line_that_stays_high(board):
    board.latch = True
    arming.begin(board, "AB12")
    assert board.did.count("clear") == 1
    board.latch, board.latch_clears, board.plan = True, False, None
    assert "trip line high" in why_not(board)
    board.latch = False
    board.did.clear()
    arming.begin(board, "AB12")
    assert "clear" not in board.did


def test_arm_wants_the_hash_of_what_is_set(board):
    text = why_not(board, "AB13")
    assert "AB13" in text and "AB12" in text


def test_arm_with_a_sense_input_off_its_zero(board):
    board.zero_fault = faults.SENSE_ZERO
    assert "sense 2" in why_not(board)


def test_arm_makes_plan_tape_and_ceilings(board):
    board.triggered = "old"
    arming.begin(board, "AB12")
    assert board.contractions == [3, 4]
    assert board.tape == ("feeder", "inspector")
    assert board.triggered is None
    assert board.did == [
        "approval", ("need", board.plan), "ceiling 0", "ceiling 1"
    ]  # fmt: skip


def test_arm_of_a_triggered_session_plays_its_first_train_by_its_feeder(board):
    board.session.trigger = 1
    board.made = SimpleNamespace(
        plans=["first", "second"], FEEDER="held", open=lambda: board.note("open"),
        both=lambda plans: "+".join(plans),
    )  # fmt: skip
    arming.begin(board, "AB12")
    assert (board.plan, board.contractions) == ("first", [0, 0])
    assert board.tape == ("held", "inspector")
    assert board.triggered is board.made
    assert "open" in board.did and ("need", "first+second") in board.did


def test_the_old_tape_is_given_up_before_a_new_one_is_made(board):
    seen = []
    board.engine.need = lambda plan: seen.append(board.tape)
    arming.begin(board, "AB12")
    assert seen == [None]


# -- the tests that follow ------------------------------------------------------------------------

IN_ORDER = [
    "hold", "reset", "inspect", "reset", "play", "trip 1", "trip 0", "clear", "trip 0", "kill",
    "supply", "trip 1", "trip 0", "clear", "hold True", "hold False",
    "electrodes 0", "electrodes 1", "give back", "collect",
]  # fmt: skip


def test_all_is_tested_in_its_order_and_the_supply_is_up_at_the_end(board):
    took = board.run()
    assert board.did == IN_ORDER
    assert board.supply_v() == 200 and board.on and not board.latch
    assert took == 3 * 100 + 2 * 120 + 2 + 2 + 2 + 2, "no wait but for the supply"


def test_only_electrodes_of_channels_that_are_on_are_checked(board):
    board.channels[0].enabled = 0
    board.run()
    assert [what for what in board.did if "electrodes" in what] == ["electrodes 1"]


def test_a_board_whose_latch_leaves_the_supply_alone_is_not_tested_for_it(board):
    board.board.LATCH_CUTS_SUPPLY = False
    board.run()
    assert board.did.count("trip 1") == 1


def test_the_test_tape_is_20_ms_of_gate_alone_and_was_inspected(board):
    board.run()
    spans = [((word >> 6) + 5, word & 0x3F) for word in board.queued]
    assert spans == [(5 * MS, GATE)] * 4 + [(5 * MS, 0)]
    assert board.inspected == [(board.blocks[1], 5, 25 * MS)]


def test_the_limits_in_memory_come_first(board):
    board.sound = False
    assert board.fault()[0] == faults.CORRUPT
    assert board.did == []


def test_the_tapes_memory_is_tested_before_it_is_used(board):
    class Worn(list):
        def __setitem__(self, place, value):
            super().__setitem__(place, value & ~1 if place == 17 else value)

    board.blocks[1] = Worn(board.blocks[1])
    assert board.fault()[0] == faults.MEMORY
    assert board.did == ["hold"]


def test_a_test_tape_that_the_inspector_refuses_is_not_played(board):
    board.verdict = 7
    number, detail = board.fault()
    assert number == faults.INSPECTOR and "7" in detail
    assert "play" not in board.did


@pytest.mark.parametrize("pins", [0, GATE | 1, 1])
def test_pins_that_are_not_gate_alone(board, pins):
    board.pins = pins
    number, detail = board.fault()
    assert number == faults.READ_BACK and f"read {pins}," in detail
    assert "trip 1" not in board.did


def test_a_comparator_that_does_not_trip(board):
    board.trips = False
    number, detail = board.fault()
    assert number == faults.TRIP_PATH and "trip line low" in detail


def test_a_tape_that_a_trip_does_not_stop(board):
    board.tape_stops = False
    number, detail = board.fault()
    assert number == faults.TRIP_PATH and f"read {GATE}" in detail
    assert "supply" not in board.did


@pytest.mark.parametrize(("levels", "tripped"), [(1, True), (0, False)])
def test_a_trip_has_to_show_at_the_pins_and_in_the_player(board, levels, tripped):
    def half():
        if board.testing:
            board.tripped = tripped
            return levels
        return GATE

    board.levels = half
    assert board.fault()[0] == faults.TRIP_PATH


def test_a_latch_that_lets_go_by_itself(board):
    board.latch_holds = False
    assert board.fault() == (faults.LATCH, "the latch has let go by itself")


def test_a_latch_that_cannot_be_cleared(board):
    board.latch_clears = False
    assert board.fault() == (faults.LATCH, "the latch can't be cleared")


def test_the_pins_have_200_us_to_follow(board):
    times = []
    levels = board.levels

    def timed():
        times.append(board.now_us)
        return levels()

    board.levels = timed
    board.run()
    assert times == [2_200, 2_400], "behind two turns for the memory"


@pytest.mark.parametrize(("volts", "rise_ms", "well"), [
    (180, 300, True), (179, 100, False), (200, 301, False),
])  # fmt: skip
def test_the_supply_rises_to_nine_tenths_in_300_ms(board, volts, rise_ms, well):
    board.full_v, board.rise_ms = volts, rise_ms
    if well:
        board.run()
    else:
        number, detail = board.fault()
        assert number == faults.SUPPLY_RISE
        assert "below 180 V" in detail


@pytest.mark.parametrize(("fall_ms", "well"), [(200, True), (201, False)])
@pytest.mark.parametrize("path", ["cut_by_latch", "cut_by_hold"])
def test_both_ways_cut_the_supply_in_200_ms(board, path, fall_ms, well):
    board.fall_ms = fall_ms
    if well:
        board.run()
    else:
        assert board.fault()[0] == faults.SUPPLY_BY_LATCH
    board.fall_ms = 100
    setattr(board, path, False)
    number = faults.SUPPLY_BY_LATCH if path == "cut_by_latch" else faults.SUPPLY_BY_HEARTBEAT
    assert board.fault() == (number, "supply still at 200 V, above 160 V")


@pytest.mark.parametrize(("volts", "well"), [(159, True), (160, False)])
def test_below_four_fifths_the_supply_is_on_its_way_down(board, volts, well):
    real = board.supply_v
    board.supply_v = lambda: max(real(), volts) if board.on else real()
    if well:
        board.run()
    else:
        assert board.fault()[0] == faults.SUPPLY_BY_LATCH


def test_an_electrode_that_is_refused_ends_it(board, monkeypatch):
    def refused(stimulator, channel):
        yield
        raise Refused(-221, "open")

    monkeypatch.setattr(electrodes, "check", refused)
    with pytest.raises(Refused):
        board.run()
    assert board.did[-1] == "hold False"
