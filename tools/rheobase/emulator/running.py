"""The emulated Pico with its bench in a session, ready to be measured through the client."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from firmware.boards import pico_reference
from rheobase.build import files_of_firmware
from rheobase.client import Stimulator
from rheobase.emulator.benched import BenchedPico
from rheobase.emulator.image import NO_FILES_NAMED, named_files
from rheobase.sim.bench import Bench, Recorder, Wiring
from rheobase.sim_port import VirtualPort, approve

OUTPUTS = (1 << pico_reference.OUTPUTS) - 1 << pico_reference.LEGS_BASE
SELF_TEST_S = 4.0  # from the first answer; its turns may last longer than a short press
_START_S = 5.0
RAMPS = {"ramp_up_s": 0.3, "on_s": 0.4, "ramp_down_s": 0.3, "off_s": 0.0}


def needed_files() -> tuple[Path, Path]:
    """The image and the boot ROM. Raises FileNotFoundError if the environment names none."""
    named = named_files()
    if named is None:
        raise FileNotFoundError(NO_FILES_NAMED)
    return named


@contextmanager
def connected(
    files: dict[str, bytes] | None = None, *, keep: Sequence[str] = ()
) -> Iterator[tuple[BenchedPico, Stimulator]]:
    """A booted Pico with the named image and the firmware (or `files`), and a client at it.

    Raises FileNotFoundError, saying how, if the environment names no image.
    """
    named = needed_files()
    bench = Bench(Wiring.of(pico_reference), Recorder(keep))
    if files is None:
        files = files_of_firmware(compiled=True)
    with BenchedPico(*named, files, bench=bench) as pico:
        pico.record(OUTPUTS)
        while not pico.serial.connected:
            pico.run_for(0.1)
        pico.serial.write("*IDN?\n")
        pico.run_until_text("Rheobase,", _START_S)
        pico.run_for(0.05)
        pico.serial.read()
        bench.try_stop(SELF_TEST_S)
        pico.run_for(SELF_TEST_S + 0.1)
        port = VirtualPort(pico)
        # Unchecked: the measurements type lines of their own.
        with Stimulator(port, clock=port, checked=False) as stimulator:
            yield pico, stimulator


def configure_both(stimulator: Stimulator, rate_hz: float = 100.0) -> None:
    """Both channels at `rate_hz`, ramping up and down without a rest."""
    stimulator.reset()
    for number in (1, 2):
        stimulator.channel(number).configure(enabled=True, rate_hz=rate_hz, **RAMPS)
    stimulator.session.configure(duration_s=600.0, pattern="independent", standalone=True)


def start(stimulator: Stimulator) -> None:
    """Everything that a person does before arming, and the start."""
    approve(stimulator)
    stimulator.arm()
    stimulator.start()


def moments(seed: int, count: int, within_clocks: int) -> Iterator[int]:
    """`count` random numbers of clocks, the same ones for a seed."""
    chance = random.Random(seed)
    for _ in range(count):
        yield chance.randrange(within_clocks)
