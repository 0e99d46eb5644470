"""`import bench` at Python's prompt, after Ctrl-C: the output by hand, and never by accident."""

import pytest
from rig import OUTPUTS, Rig

from rheobase.sim.board import repository_files


class Prompt(Rig):
    """The firmware interrupted, `bench` imported."""

    def __init__(self, files=None):
        super().__init__(files=files)
        self.wait(0.6)
        self.board.usb.write(b"\x03")
        self.wait(0.3)
        self.board.usb.read()
        assert self.type("import bench") == ""
        self.type("bench.unlock()")
        self.bench.try_stop(1.0)
        self.type("bench.pulse(1, seconds=0)", 4)

    def type(self, line, wait=0.5):
        """A line of Python; what it printed."""
        self.board.usb.write(line.encode() + b"\r")
        self.wait(wait)
        text = self.board.usb.read().decode().replace("\r\n", "\n")
        assert text.startswith(line + "\n"), text
        return text[len(line) + 1 :].removesuffix(">>> ").strip()


@pytest.fixture(scope="module")
def shared():
    return Prompt()


@pytest.fixture
def prompt(shared):
    """Nothing is high before a test, nor after it."""
    shared.type("bench.lock()")
    assert not shared.outputs()
    yield shared
    assert not shared.outputs()


def phases_since(prompt, clock, channel):
    return [phase for phase in prompt.recorder.phases(channel) if phase.start > clock]


def test_it_is_locked_until_asked(prompt):
    began = prompt.board.now
    for call in ("bench.pulse(1)", "bench.legs()", "bench.supply()"):
        assert "Locked: the output is locked" in prompt.type(call)
    assert phases_since(prompt, began, 1) == []
    assert prompt.bench.supply.volts(prompt.board.now) < 1


@pytest.mark.parametrize("channel", [1, 2])
def test_pulse_is_what_was_asked_for_and_the_other_channel_is_silent(prompt, channel):
    prompt.type("bench.unlock()")
    began = prompt.board.now
    prompt.type(f"bench.pulse({channel}, width_us=250, rate_hz=40, current_ma=3, seconds=1)", 5)
    phases = phases_since(prompt, began, channel)
    last = phases[-70:]
    assert {phase.width for phase in last} == {250 * 125}
    assert {b.start - a.start for a, b in zip(last, last[2:], strict=False)} == {125_000_000 // 40}
    assert [phase.polarity for phase in last[:2]] == [1, -1]
    assert last[-1].mean_a == pytest.approx(-3e-3, rel=0.01)
    assert max(abs(phase.mean_a) for phase in phases[:30]) < 1.1e-3, "it begins at 1 mA"
    assert phases_since(prompt, began, 3 - channel) == []


def test_ctrl_c_ends_it_with_everything_off(prompt):
    prompt.type("bench.unlock()")
    prompt.board.usb.write(b"bench.pulse(1, rate_hz=100, seconds=60)\r")
    prompt.wait(1)
    gpio = prompt.board.chip.gpio
    assert prompt.board.run_while(lambda: not gpio.levels & OUTPUTS, 0.1, step_s=20e-6)
    prompt.board.usb.write(b"\x03")
    prompt.wait(0.01)
    assert not prompt.outputs()
    prompt.wait(0.5)
    assert not prompt.outputs()
    assert prompt.bench.supply.volts(prompt.board.now) < 5
    assert "KeyboardInterrupt" in prompt.board.usb.read().decode()


def test_a_trip_ends_it_and_the_next_call_starts_clean(prompt):
    prompt.type("bench.unlock()")
    prompt.board.usb.write(b"bench.pulse(1, rate_hz=100, seconds=60)\r")
    prompt.wait(1)
    prompt.bench.press_stop()
    prompt.wait(0.3)
    assert "stopped: trip line" in prompt.board.usb.read().decode()
    prompt.bench.release_stop()
    assert "low (was high" in prompt.type("bench.trip()")
    assert prompt.type("bench.pulse(1, seconds=0.2)[0] > 5", 2) == "True"


def test_limits_hold_and_name_themselves(prompt):
    prompt.type("bench.unlock()")
    for call, words in (
        ("bench.pulse(1, width_us=2000)", "above 1000000"),
        ("bench.pulse(1, current_ma=31)", "31000 uA above 30000 uA"),
        ("bench.pulse(3)", "there are 1 and 2"),
    ):
        assert words in prompt.type(call)


def test_it_reads_sense_supply_and_lines(prompt):
    assert prompt.type("bench.sense()").startswith("sense 1 1.65 V, sense 2 1.65 V")
    prompt.type("bench.unlock()")
    assert prompt.type("bench.supply()", 2).startswith("supply 0 V off, 200 V on")
    assert prompt.type("bench.trip()").startswith(
        "trip line low; stop button closed; foot switch open"
    )
    prompt.bench.unplug_stop()
    prompt.wait(0.01)
    assert "stop button pressed or missing" in prompt.type("bench.trip()")
    prompt.bench.plug_in_stop()
    assert "(0, 0, 1)" in prompt.type("bench.trip()")


def test_legs_goes_through_both_channels(prompt):
    prompt.type("bench.unlock()")
    began = prompt.board.now
    text = prompt.type("bench.legs()", 8)
    assert "channel 1: GP2 high for 1 ms, then GP3" in text
    one, two = phases_since(prompt, began, 1), phases_since(prompt, began, 2)
    assert len(one) >= 18 and len(two) >= 18 and one[-1].end < two[0].start


def test_help_names_every_call(prompt):
    text = prompt.type("bench.help()")
    for name in ("unlock", "pulse", "legs", "sense", "supply", "trip", "lock"):
        assert f"bench.{name}(" in text


def test_an_armed_watchdog_is_kept_fed():
    files = dict(repository_files())
    source = files["/main.py"].read_text()
    files["/main.py"] = "import machine\nmachine.WDT(timeout=3000)\n" + source
    prompt = Prompt(files)
    prompt.type("bench.sense()")
    prompt.wait(20)
    assert prompt.board.resets == 1  # power-up
    assert "1.65" in prompt.type("bench.sense()")
