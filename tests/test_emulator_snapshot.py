"""A moment of the emulated Pico put back: what comes then is what came before, to the last bit."""

from __future__ import annotations

import random
from array import array
from collections import deque
from dataclasses import dataclass
from functools import partial

import pytest
from emulator_bench import PIO0, BareChip, boot, needs_emulator, needs_image

from rheobase.emulator.running import configure_both, connected, start
from rheobase.emulator.snapshot import Kept

SQUARE = [0xE001, 0xE101, 0xE000, 0x0000]  # set pins 1; the same, a cycle longer; set 0; jmp 0


@pytest.fixture
def chip(tmp_path):
    bare = BareChip(tmp_path)
    yield bare
    bare.close()


@needs_emulator
def test_a_running_program_goes_on_from_the_moment(chip):
    chip.load(SQUARE)
    chip.machine(0, clkdiv=7 << 16, pinctrl=2 | 1 << 26 | 2 << 5)
    chip.select(6, 2)
    chip.write(PIO0 + 0xD8, 0xE081)  # set pindirs, 1
    chip.write(PIO0, 1)
    chip.run(1001)
    chip.process.ask("snapshot", number=1)
    here = chip.now

    def life():
        chip.run(5003)
        return chip.edges()

    first = life()
    assert len(first) > 200
    chip.write(PIO0, 0)  # another life: stopped, another program, a driven pin
    chip.load([0x0000])
    chip.drive(9, 1)
    chip.run(500)
    chip.process.ask("restore", number=1)
    chip.now = here
    assert life() == first


def life_of(pico, seconds=0.3):
    """All that can be told from outside of the time from now on."""
    pico.serial.write("print(work(3))\r")
    pico.run_for(seconds)
    return (
        list(pico.take_edges()),
        list(pico.serial.log),
        pico.pwm_changes,
        pico.registers(),
        pico.peek(0x2000_0000, 0x42000),
        pico.filesystem(),
    )


WORK = """
import machine, os, time
pin = machine.Pin(2, machine.Pin.OUT)
pwm = machine.PWM(machine.Pin(16), freq=50_000)
seen = []
timer = machine.Timer(-1)
timer.init(freq=100, callback=lambda t: (pin.toggle(), seen.append(time.ticks_us())))
def work(times):
    for i in range(times):
        pwm.duty_u16(1000 * len(seen))
        time.sleep_us(700)
        with open('kept', 'a') as file: file.write(str(seen))
    return len(seen), os.urandom(4), machine.ADC(4).read_u16()
"""


@pytest.mark.emulator
@needs_image
def test_lives_after_a_moment_are_one_whatever_lies_between():
    with boot() as pico:
        pico.run_until_text(">>> ")
        pico.run_python(WORK)
        here = pico.snapshot()
        first = life_of(pico)
        assert len(first[0]) > 20 and first[5] != b""
        assert b"(" in b"".join(data for _, data in pico.serial.log)
        pico.restore(here)
        assert life_of(pico) == first
        pico.serial.write("machine.reset()\r")
        pico.run_until_reset()
        pico.run_for(0.5)
        pico.restore(here)
        assert pico.resets == 0
        assert life_of(pico) == first, "a chip that was reset is the old one again"
        pico.power_cycle()
        pico.run_for(0.01)
        pico.cut_power_at(1)
        pico.hold_cpu()
        pico.serial.close()
        pico.restore(here)
        assert life_of(pico) == first
        pico.restore(here)
        here.forget()
        assert life_of(pico) == first


@pytest.mark.emulator
@needs_image
def test_a_session_at_the_bench_comes_back_with_its_client_and_its_record():
    def life():
        stimulator.channel(1).current_ma = 0.96
        bench.force_trip(pico.now + pico.clocks(0.1) + 12_345)
        pico.run_for(0.2)
        bench.settle()
        return (
            list(recorder.edge_clocks),
            list(recorder.phases()),
            [rows.tobytes() for rows in recorder._rows],
            list(recorder.events),
            list(pico.serial.log),
            pico.peek(0x2000_0000, 0x42000),
            stimulator.fault,
            stimulator.channel(1).current_ma,
        )

    with connected(keep=("edges", "phases", "waveform")) as (pico, stimulator):
        bench, recorder = pico.bench, pico.bench.recorder
        configure_both(stimulator)
        start(stimulator)
        pico.run_for(0.5)
        here = pico.snapshot(stimulator)
        first = life()
        assert first[6] is not None and len(first[1]) > 100
        pico.restore(here)
        bench.press_stop()
        bench.stick_leg(1, 1, conducting=True)
        del bench.electrode[2]
        bench.cut_wire(bench.wiring.trip)
        pico.run_for(0.1)
        pico.power_cycle()
        pico.run_for(0.1)
        pico.restore(here)
        assert stimulator.state == "RUNNING"
        pico.restore(here)
        assert life() == first


# The Python side by itself


class Slotted:
    __slots__ = ("value",)


@dataclass(frozen=True)
class Frozen:
    items: list[int]


class Every:
    """One of each kind of state."""

    def __init__(self):
        self.number = 1
        self.list = [1, [2]]
        self.deque = deque([1, 2], maxlen=3)
        self.dict = {"a": [1]}
        self.set = {1, 2}
        self.bytes = bytearray(b"abc")
        self.array = array("q", [1, 2])
        self.random = random.Random(5)
        self.slotted = Slotted()
        self.slotted.value = [1]
        self.frozen = Frozen([1])
        self.tuple = ([1], (2, [3]))
        count = 0

        def next_count():
            nonlocal count
            count += 1
            return count

        self.next_count = next_count
        self.bound = self.list[1].append
        self.partial = partial(self.add, [7])
        self.itself = self

    def add(self, target):
        target.append(1)
        return len(target)

    def told(self):
        return (
            *(self.number, repr(self.list), repr(self.deque), self.deque.maxlen),
            *(repr(self.dict), repr(sorted(self.set)), bytes(self.bytes), list(self.array)),
            *(self.random.random(), repr(self.slotted.value), repr(self.frozen)),
            *(repr(self.tuple), self.next_count(), self.partial(), sorted(vars(self))),
        )

    def live_on(self):
        self.told()
        self.number = 2
        self.new = 3
        del self.itself
        self.bound(9)
        self.list.insert(0, 0)
        self.deque.append(5)
        self.dict["b"] = self.dict.pop("a")
        self.dict["b"].append(2)
        self.set.clear()
        self.bytes += b"d"
        self.array[0] = 9
        self.slotted.value.append(2)
        self.frozen.items.clear()
        self.tuple[1][1].append(4)
        self.partial()


def test_every_kind_of_state_is_put_back_as_often_as_wanted():
    thing, twin = Every(), Every()
    parts = [id(part) for part in (thing.list[1], thing.dict["a"], thing.frozen.items)]
    kept = Kept([thing])
    expected = twin.told()
    for _ in range(3):
        thing.live_on()
        kept.put_back()
        assert thing.told() == expected
        kept.put_back()
        assert thing.itself is thing
        now = [id(part) for part in (thing.list[1], thing.dict["a"], thing.frozen.items)]
        assert now == parts, "the same objects"


def test_what_stays_apart_is_left_alone():
    thing = Every()
    thing.slotted.value = 5
    kept = Kept([thing], apart=(Slotted,))
    thing.slotted.value = 6
    thing.number = 7
    kept.put_back()
    assert (thing.slotted.value, thing.number) == (6, 1)


@pytest.mark.parametrize("make", [lambda: (n for n in range(3)), lambda: iter([1, 2])])
def test_what_cannot_be_put_back_is_refused(make):
    thing = Every()
    thing.hidden = [make()]
    with pytest.raises(TypeError, match="can't be put back"):
        Kept([thing])


def test_a_file_cannot_be_put_back(tmp_path):
    refused = pytest.raises(TypeError, match="can't be put back")
    with (tmp_path / "file").open("w") as file, refused:
        Kept([[file]])
