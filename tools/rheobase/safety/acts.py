"""What the faults of the list do to a trial: to its board, its memory, its firmware, its bench."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from firmware.core import inspector, measure
from rheobase.safety.trial import Trial
from rheobase.sim.bench.loads import LOADS


def raise_in(trial: Trial, owner: str, name: str, error: Exception) -> None:
    """Have a method of the running firmware raise."""
    part = trial.app
    for step in owner.split("."):
        part = getattr(part, step) if step else part

    def broken(*_: Any, **__: Any) -> None:
        raise error

    setattr(part, name, broken)


def in_task(owner: str, name: str) -> Callable[[Trial], None]:
    return lambda trial: raise_in(trial, owner, name, RuntimeError("injected"))


def stall(seconds: float) -> Callable[[Trial], None]:
    """The loop stands still once, as in a long collection."""

    def act(trial: Trial) -> None:
        stimulator = trial.app.stimulator
        step = stimulator.step
        sleep = trial.app.turn.__globals__["__builtins__"]["__import__"]("time").sleep_ms

        def late() -> None:
            stimulator.step = step
            sleep(round(seconds * 1000))
            step()

        stimulator.step = late

    return act


def hang_in_a_pulse(after_us: float) -> Callable[[Trial], None]:
    """The processor stands still for good, this long after a leg has risen."""

    def act(trial: Trial) -> None:
        gpio = trial.board.chip.gpio
        trial.board.run_while(lambda: not gpio.levels & 0b1100, 0.05, step_s=20e-6)
        trial.board.run_for(after_us * 1e-6)
        trial.since = trial.board.now
        trial.board.hold_cpu()

    return act


def hang(trial: Trial) -> None:
    trial.board.hold_cpu()


def words(change: Callable[[int, int], tuple[int, int]]) -> Callable[[Trial], None]:
    """Change the first phase's word of every block that waits, behind the inspector's back."""

    def act(trial: Trial) -> None:
        player = trial.app.player
        for block in player.blocks:
            for at in range(0, len(block), 2):
                if block[at] & 0b1111 and block[at + 1] < 0x4000:
                    block[at], block[at + 1] = change(block[at], block[at + 1])
                    break

    return act


def amplitude(trial: Trial) -> None:
    """The PWM's compare register is overwritten: full scale on both channels."""
    trial.board.chip.bus.write(trial.app.player._compare, 1500 << 16 | 1500, 4, trial.board.now)


def box(trial: Trial) -> None:
    """A bit of the inspector's ceiling flips."""
    tape = trial.app.stimulator.tape
    if tape is not None:
        tape.inspector._box[inspector.CEILING_AT] ^= 1 << 10


def overcurrent(trial: Trial) -> None:
    """The comparators' threshold is reached by the next pulse."""
    trial.bench.comparator_a = 1e-3

    began = trial.board.now
    trial.board.run_for(0.05)
    events = [e.clock for e in trial.recorder.of_kind("overcurrent") if e.clock >= began]
    trial.since = events[0] if events else began


def forced(trial: Trial) -> None:
    """A disturbance sets the latch in the middle of a phase."""
    gpio = trial.board.chip.gpio
    trial.board.run_while(lambda: not gpio.levels & 0b111100, 0.05, step_s=50e-6)
    clock = trial.board.now + 777
    trial.bench.force_trip(clock)
    trial.since = clock


def typed(data: bytes) -> Callable[[Trial], None]:
    return lambda trial: trial.board.usb.write(data)


def damaged(trial: Trial) -> None:
    """Checked mode is on, and five lines in a row are damaged."""
    trial.say("SYST:CHEC ON", 0.02)
    for _ in range(5):
        trial.board.usb.write(b"#7 SOUR1:CURR? *0000\n")
        trial.board.run_for(0.005)
    trial.since = trial.board.now - trial.board.clocks(0.005)


def silent(trial: Trial) -> None:
    """The host is killed; the session was not started as standalone."""
    trial.app.stimulator.session.standalone = 0


def sense(channel: int, **values: Any) -> Callable[[Trial], None]:
    def act(trial: Trial) -> None:
        def spoil() -> None:
            for name, value in values.items():
                setattr(trial.bench.sense[channel], name, value)

        trial.bench.change(spoil)

    return act


def load(name: str, channel: int = 1) -> Callable[[Trial], None]:
    def act(trial: Trial) -> None:
        trial.bench.electrode[channel] = LOADS[name]

    return act


def deaf_task(task: int) -> Callable[[Trial], None]:
    """A task goes on running but does not check in any more."""

    def act(trial: Trial) -> None:
        supervisor = trial.app.stimulator.supervisor
        check_in = supervisor.check_in
        supervisor.check_in = lambda tasks: check_in(tasks & ~task)

    return act


def power(trial: Trial) -> None:
    trial.board.power_off()


def run_pin(trial: Trial) -> None:
    trial.board.reset()


def dma(trial: Trial) -> None:
    """The DMA channel that feeds the state machine is aborted."""
    trial.board.chip.bus.write(0x50000444, 0xFFF, 4, trial.board.now)  # CHAN_ABORT


def hang_waiting(trial: Trial) -> None:
    """The processor stands still, and what ends the wait with it."""
    trial.board.hold_cpu()
    lease = trial.app.stimulator.tape.line._lease.channel
    trial.board.chip.bus.write(0x50000444, 1 << lease, 4, trial.board.now)  # CHAN_ABORT


def config(trial: Trial) -> None:
    """Both copies of the configuration in flash are damaged."""
    flash = trial.board.flash
    for path in [path for path in flash.files if path.startswith("/data/config")]:
        flash.files[path] = b"\xff" * 40


def sink(plus: float, minus: float) -> Callable[[Trial], None]:
    """The sink errs from one pulse to the next: amid a pulse its phases would differ."""

    def act(trial: Trial) -> None:
        gpio = trial.board.chip.gpio
        low = 0
        while low < 4:
            trial.board.run_for(50e-6)
            low = 0 if gpio.levels & 0b111100 else low + 1
        trial.since = trial.board.now
        trial.bench.set_imbalance(1, plus=plus, minus=minus)

    return act


def leak(part: float) -> Callable[[Trial], None]:
    """This part of a channel's current also flows through the other one's lead."""
    return lambda trial: setattr(trial.bench, "cross_leak", part)


def no_trip(trial: Trial) -> None:
    """The comparators are dead, and the trip line no longer reaches the chip."""
    trial.bench.comparator_a = 10.0
    trial.bench._inputs._cut.add(10)
    trial.board.chip.gpio.drive(10, 0)


def no_lease(trial: Trial) -> None:
    """The list of blocks becomes an endless ring."""
    player = trial.app.player
    first, count = player._state[:2]
    queued = (first + count - 1) % player.SLOTS
    for slot in range(player.SLOTS):
        player._list[4 * slot + 2] = player._list[4 * queued + 2]
        player._list[4 * slot + 3] = player._addresses[queued]


def after(*acts: Callable[[Trial], object]) -> Callable[[Trial], None]:
    def act(trial: Trial) -> None:
        for each in acts:
            each(trial)

    return act


def no_rule(*names: str, most: int = (1 << 31) - 1) -> Callable[[Trial], None]:
    """Limits of the comparison with what was measured are gone."""

    def act(trial: Trial) -> None:
        for name in names:
            trial.app.stimulator.monitor._box[getattr(measure, name)] = most

    return act


def hang_endless(trial: Trial) -> None:
    trial.board.hold_cpu()
    no_lease(trial)
