"""What outlives a power cut, by itself: when a record is kept, what it holds, when it goes."""

import struct
from types import SimpleNamespace

import pytest

from firmware.core.refused import Refused
from firmware.safety import config, faults, record, storage, storage_work
from firmware.safety.states import ARMED, FAULT, IDLE, NAMES, RUNNING
from firmware.safety.storage import Storage

FIELDS = 2 * 8 + 3  # of the configuration


class Kept:
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

    def ticks_ms(self):
        return self.now

    def ticks_diff(self, new, old):
        return new - old

    def ticks_add(self, ticks, ms):
        return ticks + ms

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


# -- at boot and after a fault --------------------------------------------------------------------


class Flash:
    """hal/store.py as storage_work asks it; every part of it can be refused."""

    def __init__(self, records=(), boots=7, power_boot=5, cause=1, latched=0):
        self.did = []
        self.records = dict(records)
        self.boots, self.power_boot, self.first = boots, power_boot, False
        self.reset = SimpleNamespace(cause=cause, latched=lambda: latched)
        self.refuses = ""

    def _do(self, what, *told):
        if self.refuses == what:
            raise Refused(-250, "flash worn out")
        self.did.append((what, *told))

    def count_boot(self, by_power):
        self._do("count", by_power)

    def save_boot(self):
        self._do("boot")

    def save(self, name, content):
        self._do("save", name, content)

    def firmware_crc(self):
        return 0xABCD1234

    def append(self, payload):
        self._do("append", payload)
        return 40 + sum(1 for row in self.did if row[0] == "append")

    def put_box(self, number, *parts):
        self._do("box", number, b"".join(bytes(part) for part in parts))

    def numbers(self):
        return sorted(self.records), 0

    def record(self, number):
        return self.records[number]


def opened(monkeypatch, flash, values=None, troubles=()):
    monkeypatch.setattr(config, "load", lambda store: (values, list(troubles)))
    one = SimpleNamespace(store=flash, trouble="", found=[], used=None, recalled=[])
    one.use = lambda numbers: setattr(one, "used", list(numbers))
    one.recall = one.recalled.append
    storage_work.opened(one)
    return one


@pytest.mark.parametrize(("cause", "by_power"), [(1, True), (2, False), (3, False)])
def test_a_boot_is_counted_and_its_configuration_used(monkeypatch, cause, by_power):
    flash = Flash(cause=cause)
    one = opened(monkeypatch, flash, config.defaults())
    assert flash.did == [("count", by_power), ("boot",)]
    assert one.used == list(config.numbers(config.defaults()))
    assert (one.trouble, one.found, one.recalled) == ("", [], [])


def test_the_first_boot_saves_the_defaults(monkeypatch):
    flash = Flash()
    flash.first = True
    one = opened(monkeypatch, flash)
    assert ("save", "config", config.text(config.defaults()).encode()) in flash.did
    assert (one.trouble, one.found) == ("", [])
    assert one.used == list(config.numbers(config.defaults()))


def test_a_lost_configuration_is_trouble_with_safe_defaults(monkeypatch):
    one = opened(monkeypatch, Flash(), None, ["config.a: CRC-32", "config.b: missing"])
    assert one.trouble == "configuration lost: config.a: CRC-32, config.b: missing"
    assert one.found == [(faults.CONFIG_LOST, "config.a: CRC-32, config.b: missing")]
    assert one.used == list(config.numbers(config.defaults()))


def test_a_repaired_configuration_is_told_and_no_trouble(monkeypatch):
    one = opened(monkeypatch, Flash(), config.defaults(), ["config.a: CRC-32"])
    assert (one.trouble, one.found) == ("", [(faults.CONFIG_REPAIRED, "config.a: CRC-32")])


def test_a_flash_that_refuses_is_trouble(monkeypatch):
    flash = Flash(latched=faults.CORRUPT)
    flash.refuses = "boot"
    one = opened(monkeypatch, flash, config.defaults())
    assert one.trouble == "storage: flash worn out"
    assert one.recalled == [faults.CORRUPT], "a critical fault is recalled all the same"


def payload(number, severity, boots, **changed):
    values = {"channel": 2, "state": RUNNING, "detail": "why", "uptime_s": 9, "ms": 45,
              "wall_s": 1_790_000_000, **changed}  # fmt: skip
    snapshot = (
        number, severity, values["channel"], values["state"], values["detail"],
        values["uptime_s"], values["ms"], values["wall_s"], tuple(range(1, 11)), -1,
    )  # fmt: skip
    return record.packed(snapshot, boots, 3, 0xABCD1234)


@pytest.mark.parametrize(("boot", "severity", "recalled"), [
    (5, 2, True), (7, 2, True), (4, 2, False), (6, 1, False),
])  # fmt: skip
def test_a_critical_fault_since_power_up_is_recalled_from_the_log(
    monkeypatch, boot, severity, recalled
):
    records = {3: payload(faults.TRIP, 1, 6), 8: payload(faults.CORRUPT, severity, boot)}
    one = opened(monkeypatch, Flash(records), config.defaults())
    assert one.recalled == ([faults.CORRUPT] if recalled else [])


def test_power_up_itself_recalls_nothing_and_a_register_comes_before_the_log(monkeypatch):
    records = {8: payload(faults.CORRUPT, 2, 7)}
    assert opened(monkeypatch, Flash(records, power_boot=7), config.defaults()).recalled == []
    one = opened(monkeypatch, Flash(records, latched=faults.SELF_TEST), config.defaults())
    assert one.recalled == [faults.SELF_TEST]


def writing(flash, *pending, trouble=""):
    box = SimpleNamespace(pulses=3, events=4, pulse_words=b"w", pulse_times=b"t", event_bytes=b"e")
    one = SimpleNamespace(store=flash, trouble=trouble, found=[], box=box)
    storage_work.written(one, list(pending))
    return one


SNAPSHOT = (faults.TRIP, 1, 2, RUNNING, "why", 9, 45, 0, tuple(range(10)), 54)


def test_records_are_written_each_with_its_box(kept):
    flash = Flash()
    one = writing(flash, (SNAPSHOT, False), (SNAPSHOT, True), trouble="log not written: full")
    row = record.packed(SNAPSHOT, 7, 1, 0xABCD1234)
    with_box = ("box", 42, b"rheobase-box 1 42 3 4\nwte")
    assert flash.did == [("append", row), ("append", row), with_box]
    assert one.trouble == "", "the log can be written again"
    assert writing(flash, (SNAPSHOT, False), trouble="storage: gone").trouble == "storage: gone"


def test_a_log_that_cannot_be_written_is_trouble_told_once():
    flash = Flash()
    flash.refuses = "append"
    one = writing(flash, (SNAPSHOT, True))
    assert one.trouble == "log not written: flash worn out"
    assert one.found == [(faults.LOG_FULL, "flash worn out")]
    one.found.clear()
    storage_work.written(one, [(SNAPSHOT, True)])
    assert (one.trouble, one.found) == ("log not written: flash worn out", [])


# -- a record -------------------------------------------------------------------------------------


def test_a_record_is_packed_and_found_again():
    row = payload(faults.TRIP, 1, 70_000)
    assert len(row) == struct.calcsize("<IHIHHBBBBh2I2i2I2I2iI56s") == 120
    assert record.unpacked(row) == (
        9, 45, 1_790_000_000, 70_000 - 65_536, faults.TRIP, 1, 2, RUNNING, 3, -1,
        *range(1, 11), 0xABCD1234, "why",
    )  # fmt: skip
    long = record.unpacked(payload(faults.TRIP, 1, 1, detail="x" * 60))
    assert long[-1] == "x" * 56
    strange = record.unpacked(payload(faults.TRIP, 1, 1, detail=" ~\x7f\x1fé"))
    assert strange[-1] == " ~????"


@pytest.mark.parametrize(("severity", "boots", "critical"), [
    (2, 7, True), (2, 8, True), (2, 6, False), (1, 8, False), (0, 8, False),
])  # fmt: skip
def test_critical_since_a_boot(severity, boots, critical):
    assert record.is_critical_since(payload(faults.TRIP, severity, boots), 7) is critical


def test_a_records_text():
    starved = payload(faults.STARVED, 1, 7, detail='a "b"')
    text = record.text(12, starved, lambda cause: f"c{cause}")
    assert text == (
        '12,7,9.045,1790000000,2,stop,2,"tape ran out: the loop came too late",'
        "\"a 'b'\",RUNNING,-1,1,3,5,7,9,2,4,6,8,10,\"c3\",abcd1234"
    )
    cleared = record.text(1, payload(record.CLEARED, 0, 7, state=FAULT), str)
    assert '"log cleared"' in cleared and NAMES[FAULT] in cleared and "warning" in cleared
    assert '"unknown"' in record.text(1, payload(999, 0, 7), str)
