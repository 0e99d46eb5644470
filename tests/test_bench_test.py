"""The bench test passes on a good bench; each fault fails the step that is there for it."""

import io
import json
from contextlib import nullcontext

import pytest
from click.testing import CliRunner
from rich.console import Console
from rig import OUTPUTS

from rheobase import cli
from rheobase.bench_test.at_the_bench import PersonAtTheBench
from rheobase.bench_test.automatic import AutomaticPerson
from rheobase.bench_test.command import chosen
from rheobase.bench_test.report import as_data, markdown, verdict
from rheobase.bench_test.run import FAIL, NOT_REACHED, PASS, SKIPPED, BenchTest, Quit, Skip
from rheobase.bench_test.step import about, at_least, at_most, exactly
from rheobase.bench_test.steps import steps
from rheobase.client import Stimulator
from rheobase.sim.bench import Bench, Load, Recorder, Wiring
from rheobase.sim.board import VirtualBoard, repository_files
from rheobase.sim.realtime import RealTimeBoard
from rheobase.sim_port import VirtualPort

OHM = 500.0


class World:
    """A virtual board on its bench, with faults, and the test to run on it."""

    def __init__(self, wiring=None, loads=(OHM, OHM), broken=(), files=None, person=None):
        self.bench = Bench(
            wiring,
            Recorder(("edges", "phases")),
            tuple(Load(ohm) for ohm in loads),
        )
        self.board = VirtualBoard(files, bench=self.bench)
        self.board.record_edges = False
        self.board.start()
        make = person or AutomaticPerson
        self.person = make(self.bench, self.board, self.board.reset, broken)

    def connect(self):
        self.board.run_for(0.5)
        port = VirtualPort(self.board)
        return Stimulator(port, clock=port)

    def run(self, *only):
        test = BenchTest(self.connect, self.person, chosen(OHM, only))
        return test.run()

    def outputs(self):
        return self.board.chip.gpio.levels & OUTPUTS


def failed(results):
    return [result.step.key for result in results if result.status == FAIL]


# -- a good bench --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def good():
    world = World()
    return world, world.run()


def test_every_step_passes_on_a_good_bench(good):
    _, results = good
    assert failed(results) == [], markdown({}, results)
    assert len(results) == len(steps())
    for result in results:
        assert result.status in (PASS, SKIPPED)
        if result.status == SKIPPED:
            assert result.note.startswith("this firmware has no"), result
        else:
            assert result.checks, result.step.key


def test_it_really_measured_and_left_everything_off(good):
    world, results = good
    numbers = [c for r in results for c in r.checks if c.expected[0].isdigit()]
    assert len(numbers) > 40
    assert world.outputs() == 0
    assert world.bench.supply.volts(world.board.now) < 1
    assert len(world.bench.recorder.of_kind("reset")) == 2  # power-up and the reset step


def test_keys_and_words_are_unique_and_every_quantity_is_known():
    every = steps()
    assert len({step.key for step in every}) == len(every)
    for step in every:
        for operation in step.operations:
            if type(operation).__name__ == "Read" and operation.quantity != "supply_v":
                assert hasattr(AutomaticPerson, "_" + operation.quantity)
            if type(operation).__name__ == "See":
                assert hasattr(AutomaticPerson, "_is_" + operation.quantity)


# -- faults: on the bench, in the wiring, in the firmware ----------------------------------------


def short_of(**values):
    return lambda: World(Wiring(**values))


def broken_on_bench(action):
    def make():
        world = World()
        action(world.bench)
        return world

    return make


def firmware_with(path, old, new):
    def make():
        files = dict(repository_files())
        source = files[path].read_text()
        assert old in source
        files[path] = source.replace(old, new)
        return World(files=files)

    return make


def without_a_button():
    actions = ("try_stop", "plug_in_stop", "unplug_stop", "press_stop", "release_stop")
    world = World(broken=actions)
    world.bench.unplug_stop()
    return world


# The steps that may fail too, as the firmware itself finds such a fault and ends the output.
CHANNEL = {n: tuple(f"{name}-{n}" for name in ("pulse", "amplitude", "polarity")) for n in (1, 2)}

FAULTS = {
    "wrong load": (lambda: World(loads=(2000.0, OHM)), ["amplitude-1"]),
    "wrong load on 2": (lambda: World(loads=(OHM, 100.0)), ["amplitude-2"]),
    "open load": (lambda: World(loads=(1e6, OHM)), ["amplitude-1"], CHANNEL[1]),
    "legs swapped": (short_of(legs=((3, 2), (4, 5))), ["pulse-1", "amplitude-1", "polarity-1"]),
    "legs of 2 swapped": (
        short_of(legs=((2, 3), (5, 4))), ["pulse-2", "amplitude-2", "polarity-2"]),
    "channels swapped": (
        short_of(legs=((4, 5), (2, 3))),
        ["pulse-1", "amplitude-1", "polarity-1", "pulse-2", "amplitude-2", "polarity-2"]),
    "sync without its pull-down": (short_of(sync=22), ["start"]),
    "no stop button": (without_a_button, ["start"]),
    "button bridged": (
        lambda: World(broken=("try_stop", "press_stop", "unplug_stop")),
        ["button-wire", "stop-button"], ["trip-wire", "trip"]),
    "trip line bridged": (lambda: World(broken=("cut_trip",)), ["trip-wire", "trip"]),
    "supply low": (broken_on_bench(lambda b: b.set_supply(150)), ["supply"]),
    "supply always on": (short_of(supply_hold_s=3600.0), ["supply", "reset"]),
    "sink too strong": (
        broken_on_bench(lambda b: b.set_imbalance(1, 1.3, 1.3)), ["amplitude-1"], CHANNEL[1]),
    "phases unequal": (
        broken_on_bench(lambda b: b.set_imbalance(2, 1.0, 1.2)), ["amplitude-2"], CHANNEL[2]),
    "a leg never conducts": (
        broken_on_bench(lambda b: b.stick_leg(1, 1, False)), ["amplitude-1"], CHANNEL[1]),
    "firmware: any width": (
        firmware_with("/firmware/core/limits.py", "(1_000_000,", "(9_000_000,"),
        ["limits-1", "limits-2"]),
}  # fmt: skip
# Without channels' steps that are not concerned, so that all of this stays quick.
TRIED = {
    "no stop button": ("start",),
    "sync without its pull-down": ("start",),
    "button bridged": ("start", "button-wire", "trip-wire", "stop-button", "trip"),
    "trip line bridged": ("start", "button-wire", "trip-wire", "stop-button", "trip"),
    "supply low": ("start", "supply"),
    "supply always on": ("supply", "reset"),
    "firmware: any width": ("limits-1", "limits-2"),
}
USUAL = CHANNEL[1] + CHANNEL[2]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_fails_the_steps_that_are_there_for_it_and_no_other(fault):
    make, expected, *allowed = FAULTS[fault]
    world = make()
    results = world.run(*TRIED.get(fault, USUAL))
    found = set(failed(results))
    assert set(expected) <= found, markdown({}, results)
    assert found <= set(expected).union(*allowed), markdown({}, results)
    assert world.outputs() == 0


def test_a_wrong_sense_scale_fails_the_sense_step():
    world = World()
    world.bench.sense[1].gain_error = 0.3
    one, two = world.run("sense-1", "sense-2")
    assert (one.status, two.status) == (FAIL, PASS), markdown({}, [one, two])


# -- people --------------------------------------------------------------------------------------


class Leaves(AutomaticPerson):
    """Walks away at the first reading of a step."""

    how: type[Exception] = Quit

    def read(self, what):
        raise self.how("phone call")


class LeavesAStep(Leaves):
    how = Skip


def test_ending_the_test_while_pulses_play_puts_the_output_off():
    world = World(person=Leaves)
    results = world.run("start", "pulse-1", "pulse-2")
    assert [result.status for result in results] == [PASS, NOT_REACHED, NOT_REACHED]
    assert world.outputs() == 0
    world.board.run_for(0.5)
    assert world.outputs() == 0 and world.bench.supply.volts(world.board.now) < 1
    assert verdict(results).startswith("not finished")


def test_a_step_left_out_is_skipped_with_the_output_off_and_the_next_one_starts_clean():
    world = World(person=LeavesAStep)
    results = world.run("pulse-1", "start")
    assert [(r.status, r.note) for r in results] == [(PASS, ""), (SKIPPED, "phone call")]
    assert world.outputs() == 0


def test_a_person_answers_in_the_terminal(tmp_path, monkeypatch):
    bench = Bench(recorder=Recorder(()))
    asked = []

    def press(person, what):
        """What the person is asked to do at the virtual bench's stop button."""
        asked.append(what.words)
        behind.call(lambda board: (bench.try_stop(), board.run_for(0.2)))

    monkeypatch.setattr(PersonAtTheBench, "do", press)
    with RealTimeBoard(lambda: VirtualBoard(bench=bench)) as behind:
        arguments = ["bench", "--port", behind.port, "--out", str(tmp_path), "--only", "pulse-1"]
        answers = ["301", "many", "299,5", "100", "50.1", "y", "300", "maybe", "y", "n"]
        result = CliRunner().invoke(cli.main, arguments, input="\n".join(answers) + "\n")
        assert behind.call(lambda board: board.chip.gpio.levels & OUTPUTS) == 0
    assert len(asked) == 1 and asked[0].startswith("Press the stop button once")
    assert result.exit_code == 1, result.output
    for words in ("Only with a dummy load", "playing: channel 1 2 mA", "a number, or s"):
        assert words in result.output
    data = json.loads((tmp_path / "bench.json").read_text())
    (step,) = data["steps"]
    assert [check["pass"] for check in step["checks"]] == [True] * 7 + [False]
    assert step["checks"][1]["measured"] == "299.5 us"
    assert data["board"] == "Raspberry Pi Pico with RP2040"
    assert data["micropython"].startswith("1.") and data["firmware"].startswith("Rheobase")


# -- judgement and report ------------------------------------------------------------------------


def test_bounds():
    assert about(300, 5, "us").holds(315) and not about(300, 5, "us").holds(315.1)
    assert about(-5, 10, "V").holds(-5.5) and not about(-5, 10, "V").holds(5)
    assert str(about(300, 5, "us")) == "300 (285 to 315) us"
    assert (str(at_most(20, "V")), str(at_least(1, "s"))) == ("at most 20 V", "at least 1 s")
    assert str(exactly(0)) == "0" and not exactly(0).holds(1)


def test_the_report_says_what_failed(good):
    _, results = good
    page = markdown({"load_ohm": 500}, results)
    assert "**passed:" in page and "| load ohm | 500 |" in page
    assert "## The stop button: pass" in page
    data = as_data({"port": "x"}, results)
    assert data["counts"][FAIL] == 0 and len(data["steps"]) == len(results)
    json.dumps(data)


def test_the_command_on_the_virtual_board(tmp_path):
    arguments = ["bench", "--port", "sim", "--out", str(tmp_path), "--only", "start"]
    result = CliRunner().invoke(cli.main, arguments)
    assert result.exit_code == 0, result.output
    assert "passed: 1 pass" in result.output
    assert (tmp_path / "bench.md").read_text().startswith("# Bench test")
    wrong = CliRunner().invoke(cli.main, ["bench", "--port", "sim", "--only", "nothing"])
    assert wrong.exit_code == 1 and "known: start, supply" in wrong.output


def test_a_wrong_load_fails_the_command(tmp_path, monkeypatch):
    from rheobase.bench_test import command, places

    console = Console(file=io.StringIO())
    world = World(loads=(900.0, OHM))
    place = places.Place(world.connect, world.person, places._shower(console), "1.28.0", "virtual")
    code = command.run(
        nullcontext(place), chosen(OHM, ["amplitude-1"]), console, tmp_path,
        port="x", ohm=OHM,
    )  # fmt: skip
    assert code == 1
    assert "FAIL" in console.file.getvalue()
