"""The self-test by itself: each thing that can be wrong, found and named; every edge, no board."""

from types import SimpleNamespace
from zlib import crc32

import pytest
from units import Clock

from firmware.safety import faults, selftest
from firmware.safety.faults import Failed


class Healthy(Clock):
    """A stimulator at which all is well until a test changes it; time goes by a ms a turn."""

    def __init__(self, monkeypatch):
        self.board = SimpleNamespace(NAME="a board", SAFETY_PROFILE="one")
        self.supply = [0]
        self.pins = 0
        self.reference = 700
        self.outputs = SimpleNamespace(
            supply_v=lambda: self.supply[0] if len(self.supply) == 1 else self.supply.pop(0),
            reference_mv=lambda: self.reference,
        )
        self.floating = 0
        self.player = SimpleNamespace(
            floating=lambda: self.floating,
            levels=lambda: self.pins,
            blocks=[[1, 2, 3], [4]],
        )
        self.off_zero = False
        self.monitor = SimpleNamespace(zero=lambda: self.off_zero, channel=1)
        self.contents = {"/a b.py": b"x" * 700, "/c.py": b""}
        self.manifest = "".join(
            f"{crc32(text):08x} {len(text)} {path}\n" for path, text in self.contents.items()
        )
        monkeypatch.setattr(selftest, "time", self)

    def ticks_ms(self):
        self.now += 1
        return self.now

    def read_file(self, path, buffer):
        text = self.manifest.encode() if path == "/manifest.txt" else self.contents.get(path, b"")
        for start in range(0, len(text), len(buffer)):
            yield memoryview(text)[start : start + len(buffer)]


@pytest.fixture
def healthy(monkeypatch):
    return Healthy(monkeypatch)


def turns(stimulator):
    return sum(1 for _ in selftest.sequence(stimulator))


def failure(stimulator):
    with pytest.raises(Failed) as failed:
        turns(stimulator)
    return failed.value.number, failed.value.detail


def test_a_healthy_board_passes_a_piece_at_a_time(healthy):
    assert turns(healthy) == 1 + 1 + 2 + 2  # pull-downs, levels, two blocks, two files
    assert healthy.player.blocks == [[0, 0, 0], [0]]


@pytest.mark.parametrize("profile", ["", None])
def test_a_board_without_a_safety_profile(healthy, profile):
    healthy.board.SAFETY_PROFILE = profile
    assert failure(healthy) == (faults.NO_PROFILE, "board a board names no safety profile")
    del healthy.board.SAFETY_PROFILE
    assert failure(healthy)[0] == faults.NO_PROFILE


def test_pins_that_float_or_are_high(healthy):
    healthy.floating = 5
    assert failure(healthy) == (faults.PULL_DOWN, "output pins 5 are not pulled down")
    healthy.floating = 0
    healthy.pins = 16
    number, detail = failure(healthy)
    assert (number, "16" in detail) == (faults.READ_BACK, True)


@pytest.mark.parametrize("good, value", [(0, 499), (1, 500), (1, 900), (0, 901)])
def test_the_reference_is_within_its_range(healthy, good, value):
    healthy.reference = value
    if good:
        turns(healthy)
    else:
        expected = f"ADC reads {value} mV, not 500 to 900"
        assert failure(healthy) == (faults.REFERENCE, expected)


def test_a_sense_amplifier_off_its_zero(healthy):
    healthy.off_zero = True
    assert failure(healthy) == (faults.SENSE_ZERO, "channel 2 at rest")


def test_the_supply_may_take_its_time_to_fall_but_not_stay(healthy):
    healthy.supply = [21] * 150 + [20]
    turns(healthy)
    healthy.supply = [21]
    healthy.now = 0
    number, detail = failure(healthy)
    assert (number, detail) == (faults.SUPPLY, "21 V while switched off, above 20 V")
    assert healthy.now == 201, "200 ms after the first look"


class Stuck(list):
    """Memory of which some bits can't be set or cleared."""

    def __init__(self, size, at, low=0, high=0):
        super().__init__([0] * size)
        self.broken = at, low, high

    def __getitem__(self, index):
        at, low, high = self.broken
        value = super().__getitem__(index)
        return value & ~low | high if index == at else value


@pytest.mark.parametrize("at", [0, 1, 4])
@pytest.mark.parametrize("bit", range(16))
@pytest.mark.parametrize("kind", ["low", "high"])
def test_a_bit_of_the_tapes_memory_that_is_stuck(healthy, at, bit, kind):
    healthy.player.blocks = [[7] * 5, Stuck(5, at, **{kind: 1 << bit})]
    number, detail = failure(healthy)
    assert number == faults.MEMORY
    read, put = [int(word) for word in detail.split() if word.isdigit()]
    assert read ^ put == 1 << bit


def test_memory_that_is_one_cell_behind_another(healthy):
    class Folded(list):
        def __setitem__(self, index, value):
            super().__setitem__(0, value)

    healthy.player.blocks = [Folded([9, 9])]
    assert failure(healthy) == (faults.MEMORY, f"9 read where {0x5555} was put")


def test_a_firmware_without_manifest(healthy):
    healthy.manifest = ""
    number, detail = failure(healthy)
    assert (number, "/manifest.txt" in detail) == (faults.FIRMWARE, True)


@pytest.mark.parametrize("text", [b"", b"x" * 699, b"x" * 701, b"x" * 699 + b"y"])
def test_a_file_that_is_not_what_was_copied(healthy, text):
    healthy.contents["/a b.py"] = text
    assert failure(healthy) == (faults.FIRMWARE, "/a b.py is not what was copied")


def test_the_last_file_is_looked_at_and_its_size_as_well(healthy):
    healthy.manifest = healthy.manifest.replace(" 0 /c.py", " 1 /c.py")
    assert failure(healthy) == (faults.FIRMWARE, "/c.py is not what was copied")


def test_the_blank_line_at_a_manifests_start_is_no_end(healthy):
    healthy.manifest = "\n" + healthy.manifest
    healthy.contents["/c.py"] = b"?"
    assert failure(healthy)[0] == faults.FIRMWARE


def test_the_last_file_of_a_manifest_without_an_end_of_line(healthy):
    healthy.manifest = healthy.manifest[:-1]
    assert turns(healthy) == 1 + 1 + 2 + 1  # the last one goes with the turn that ends
    healthy.contents["/c.py"] = b"?"
    assert failure(healthy) == (faults.FIRMWARE, "/c.py is not what was copied")


def test_a_manifest_longer_than_one_read_is_looked_at_line_by_line(healthy):
    for number in range(40):
        healthy.contents[f"/lib/{number}.py"] = bytes([number])
    lines = [f"{crc32(t):08x} {len(t)} {path}\n" for path, t in healthy.contents.items()]
    healthy.manifest = "".join(lines)
    assert turns(healthy) == 1 + 1 + 2 + 42
    for path in healthy.contents:
        good = healthy.contents[path]
        healthy.contents[path] = good + b"!"
        assert failure(healthy) == (faults.FIRMWARE, f"{path} is not what was copied")
        healthy.contents[path] = good
