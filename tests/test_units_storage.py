"""What outlives a power cut, by itself: when a record is kept, what it holds, when it goes."""

from types import SimpleNamespace

import pytest
from units import Clock

from firmware.safety import config, faults, storage
from firmware.safety.states import ARMED, IDLE, RUNNING
from firmware.safety.storage import Storage

FIELDS = 2 * 8 + 3  # of the configuration


class Kept(Clock):
    """A storage with a flash of notes and a stimulator that stands where a test puts it."""

    def __init__(self, monkeypatch):
        self.now = 5_000
        monkeypatch.setattr(storage, "time", self)
        self.written = []
        monkeypatch.setattr(storage, "borrow", self.borrowed)
        self.full = False
        self.reset = SimpleNamespace(latch=lambda number: self.latched.append(number))
        self.latched = []
        self.one = Storage(SimpleNamespace(reset=self.reset))
        self.one.box = SimpleNamespace(
            watch=lambda *told: self.watched.append(told), freeze=lambda: self.freezes,
            thaw=lambda: self.did.append("thaw"),
        )  # fmt: skip
        self.watched = []
        self.did = []
        self.freezes = True
        self.state = IDLE
        self.inputs = 2
        self.intensity = (SimpleNamespace(current_ua=11), SimpleNamespace(current_ua=22))
        self.channels = (
            SimpleNamespace(width_ns=100, rate_mhz=300),
            SimpleNamespace(width_ns=200, rate_mhz=400),
        )
        self.fault = SimpleNamespace(number=0)
        self.may = None
        self.failed = []

    def borrowed(self, module, name, one, pending):
        assert (module, name, one) == ("firmware.safety.storage_work", "written", self.one)
        self.did.append("write")
        if self.full:
            raise OSError
        self.written += pending

    def why_not_write(self):
        return self.may

    def fail(self, number, detail):
        self.failed.append((number, detail))

    def strike(self, number=faults.TRIP, **changed):
        told = {"detail": "why", "channel": 2, "state": RUNNING, "commanded": (3_000, 4_000),
                **changed}  # fmt: skip
        self.one.fault(self, number, **told)

    def turn(self, after_ms=0):
        self.now += after_ms
        self.one.step(self)


@pytest.fixture
def kept(monkeypatch):
    return Kept(monkeypatch)


# -- keeping --------------------------------------------------------------------------------------


def test_begins_with_nothing(kept):
    one = kept.one
    assert (one.trouble, one.latched, one.unlocked) == ("", 0, False)
    assert (one.uptime_s, one.found) == (0, [])
    assert list(one.sensed) == [-1] * 5
    assert list(one.numbers) == [0] * FIELDS
    assert one.wall_s() == 0


def test_a_fault_is_kept_as_it_was(kept):
    one = kept.one
    for place in range(5):
        one.sensed[place] = 50 + place
    kept.turn(1_000)
    kept.turn(1_000)
    kept.now += 1_345  # the loop is late
    kept.strike()
    assert kept.watched[-1] == (kept.now, IDLE, 2)
    kept.turn()
    ((snapshot, with_box),) = kept.written
    assert with_box is True
    assert snapshot == (
        faults.TRIP, faults.STOP, 2, RUNNING, "why", 3, 345, 0,
        (3_000, 4_000, 50, 51, 100, 200, 300, 400, 52, 53), 54,
    )  # fmt: skip
    assert kept.did == ["write", "thaw"]


def test_a_warning_keeps_what_is_commanded_now_and_no_box(kept):
    kept.state = ARMED
    kept.one.warn(kept, faults.DRYING, "why", 1)
    kept.turn()
    ((snapshot, with_box),) = kept.written
    assert with_box is False
    assert snapshot[:5] == (faults.DRYING, faults.WARNING, 1, ARMED, "why")
    assert snapshot[8][:2] == (11, 22)
    kept.one.warn(kept, faults.DRYING)
    kept.turn()
    assert kept.written[1][0][2:5] == (0, ARMED, "")


def test_a_box_that_is_frozen_already_belongs_to_another(kept):
    kept.freezes = False
    kept.strike()
    kept.turn()
    assert kept.written[0][1] is False


def test_a_fault_is_kept_once_until_it_is_cleared(kept):
    for _ in range(2):
        kept.strike(faults.TRIP)
    kept.strike(faults.STARVED)
    kept.turn()
    assert [row[0][0] for row in kept.written] == [faults.TRIP, faults.STARVED]
    kept.one.cleared()
    kept.strike(faults.TRIP)
    kept.turn()
    assert [row[0][0] for row in kept.written] == [faults.TRIP, faults.STARVED, faults.TRIP]


def test_four_wait_at_most(kept):
    for number in (faults.TRIP, faults.STARVED, faults.STUCK, faults.SUPPLY, faults.INSPECTOR):
        kept.strike(number)
    kept.turn()
    assert [row[0][0] for row in kept.written] == [
        faults.TRIP, faults.STARVED, faults.STUCK, faults.SUPPLY
    ]  # fmt: skip


def test_a_record_for_which_there_is_no_memory_is_left_out(kept):
    def watch(*_):
        raise MemoryError

    kept.one.box.watch = watch
    kept.strike(faults.CORRUPT)
    assert kept.latched == [faults.CORRUPT]


def test_the_first_critical_fault_outlives_a_reset(kept):
    kept.strike(faults.TRIP)
    assert (kept.one.latched, kept.latched) == (0, [])
    kept.strike(faults.CORRUPT)
    kept.strike(faults.SELF_TEST)
    assert (kept.one.latched, kept.latched) == (faults.CORRUPT, [faults.CORRUPT])


def test_a_recalled_fault_is_in_force_and_not_kept_again(kept):
    kept.one.recall(faults.CORRUPT)
    assert kept.one.latched == faults.CORRUPT
    kept.strike(faults.CORRUPT)
    kept.turn()
    assert (kept.written, kept.latched) == ([], [])


# -- the turn -------------------------------------------------------------------------------------


def test_nothing_is_written_until_it_may_be(kept):
    kept.strike()
    kept.may = "running"
    kept.turn()
    assert kept.did == []
    kept.may = None
    kept.turn()
    kept.turn()
    assert kept.did == ["write", "thaw"]


def test_a_write_that_fails_gives_the_box_back_and_is_not_tried_again(kept):
    kept.strike()
    kept.full = True
    with pytest.raises(OSError):
        kept.turn()
    kept.turn()
    assert kept.did == ["write", "thaw"]


def test_what_was_found_is_a_warning_of_the_next_turn(kept):
    kept.one.found.append((faults.CONFIG_REPAIRED, "config.a"))
    kept.turn()
    assert kept.one.found == []
    assert kept.written[0][0][:5] == (faults.CONFIG_REPAIRED, faults.WARNING, 0, IDLE, "config.a")


def test_seconds_are_counted_one_a_turn(kept):
    kept.turn(999)
    assert kept.one.uptime_s == 0
    kept.turn(1)
    assert kept.one.uptime_s == 1
    kept.turn(2_500)
    kept.turn()
    assert kept.one.uptime_s == 3
    kept.turn(499)
    assert kept.one.uptime_s == 3
    kept.turn(1)
    assert kept.one.uptime_s == 4
    assert kept.watched[-1] == (kept.now, IDLE, 2)


def test_the_wall_clock_goes_on_from_when_it_was_told(kept):
    for _ in range(3):
        kept.turn(1_000)
    kept.one.set_clock(1_790_000_000)
    assert kept.one.wall_s() == 1_790_000_000
    kept.turn(1_000)
    assert kept.one.wall_s() == 1_790_000_001


# -- the configuration ----------------------------------------------------------------------------


def test_numbers_are_found_by_name(kept):
    one = kept.one
    one.use(range(100, 100 + FIELDS))
    assert tuple(field[0] for field in config.CHANNEL) == storage.CHANNEL_NAMES
    assert tuple(field[0] for field in config.BOARD) == storage.BOARD_NAMES
    assert one.value("clinician_ua", 0) == 100
    assert one.value("sink_gain_ppm", 0) == 107
    assert one.value("clinician_ua", 1) == 108
    assert one.value("sink_gain_ppm", 1) == 115
    assert [one.value(name) for name in ("supply_gain_ppm", "link_fade_ms", "link_end_ms")] == [
        116, 117, 118
    ]  # fmt: skip
    assert one.ceilings(1) == (
        (108, "the clinician's ceiling"), (109, "the person's ceiling")
    )


@pytest.mark.parametrize("place", [0, 7, FIELDS - 1])
@pytest.mark.parametrize("copy", ["numbers", "_inverse"])
def test_a_flipped_bit_of_the_configuration_is_a_fault_within_a_second(kept, place, copy):
    one = kept.one
    one.use(range(100, 100 + FIELDS))
    assert one.intact()
    kept.turn(1_000)
    getattr(one, copy)[place] ^= 1 << 20
    assert not one.intact()
    kept.turn(999)
    assert kept.failed == []
    kept.turn(1)
    assert kept.failed == [(faults.CORRUPT, "configuration in memory")]
    kept.fault.number = faults.CORRUPT
    kept.turn(1_000)
    assert len(kept.failed) == 1
