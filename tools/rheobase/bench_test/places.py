"""Where the bench test can be done: at a board, on the virtual board, on the emulated Pico."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from rich.console import Console

from rheobase.bench_test.at_the_bench import PersonAtTheBench
from rheobase.bench_test.automatic import AutomaticPerson
from rheobase.bench_test.run import Check, Person
from rheobase.bench_test.step import Step
from rheobase.client import LinkError, Stimulator
from rheobase.tested import MICROPYTHON_TEXT

_BACK_S = 30.0  # from a reset of the board until it answers again
_BOOT_S = 1.5
_TIMEOUT_S = 5.0


class Place(NamedTuple):
    connect: Callable[[], Stimulator]
    person: Person
    show: Callable[[Check], object]
    micropython: str
    board: str


@contextmanager
def at_a_board(port: str, console: Console, steps: Sequence[Step]) -> Iterator[Place]:
    """A real board. It is stopped, asked for its MicroPython, and restarted first."""
    from rheobase.deploy.device import Device

    with Device(port) as device:
        who = device.who()
        device.reset()

    def connect() -> Stimulator:
        deadline = time.monotonic() + _BACK_S
        while True:
            try:
                return Stimulator(port, timeout_s=_TIMEOUT_S)
            except LinkError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.3)

    person = PersonAtTheBench(console, len(steps))
    yield Place(connect, person, person.show, who.version_text, who.machine)


@contextmanager
def on_the_virtual_board(console: Console, ohm: float, **options: Any) -> Iterator[Place]:
    """The real firmware on the virtual board, in virtual time, with its own person."""
    from rheobase.sim.bench import Bench, Load, Recorder
    from rheobase.sim.board import VirtualBoard

    recorder = Recorder(("edges", "phases"))
    bench = Bench(recorder=recorder, electrodes=(Load(ohm), Load(ohm)))
    board = VirtualBoard(bench=bench)
    board.record_edges = False
    board.start()
    person = AutomaticPerson(bench, board, board.reset, **options)
    yield Place(_connector(board), person, _shower(console), MICROPYTHON_TEXT, "virtual board")


@contextmanager
def on_the_emulated_pico(
    image: str, bootrom: str, console: Console, ohm: float, **options: Any
) -> Iterator[Place]:
    """A genuine MicroPython image in the emulated Pico, with the same bench at its pins."""
    from rheobase.emulator import files_of_firmware
    from rheobase.emulator.benched import BenchedPico
    from rheobase.sim.bench import Bench, Load, Recorder

    recorder = Recorder(("edges", "phases"))
    bench = Bench(recorder=recorder, electrodes=(Load(ohm), Load(ohm)))
    files = files_of_firmware(compiled=True)
    with BenchedPico(image, bootrom, files, bench=bench) as pico:
        pico.run_for(_BOOT_S)
        who = pico.run_python("import sys\nprint(sys.implementation.version[:3])")
        version = who.strip().strip("()").replace(", ", ".")
        pico.power_cycle()
        person = AutomaticPerson(bench, pico, pico.power_cycle, **options)
        yield Place(_connector(pico), person, _shower(console), version, "emulated Pico")


def _connector(board: Any) -> Callable[[], Stimulator]:
    """Opens the line to a board in virtual time, once it has booted."""
    from rheobase.sim_port import VirtualPort

    def connect() -> Stimulator:
        board.run_for(_BOOT_S)
        port = VirtualPort(board)
        return Stimulator(port, clock=port, timeout_s=_TIMEOUT_S)

    return connect


def _shower(console: Console) -> Callable[[Check], object]:
    """Only what failed is worth a line while it runs by itself."""

    def show(check: Check) -> None:
        if not check.ok:
            console.print(
                f"  [bold red]FAIL[/]  {check.what}: {check.measured}; expected {check.expected}"
            )

    return show
