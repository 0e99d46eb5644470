"""What is done with the flash at boot and behind a fault, by itself; how a record is packed."""

import struct
from types import SimpleNamespace

import pytest

from firmware.core.refused import Refused
from firmware.safety import config, faults, record, storage_work
from firmware.safety.states import FAULT, NAMES, RUNNING

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


def test_records_are_written_each_with_its_box():
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
