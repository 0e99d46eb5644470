"""Running PIO state machines from one event to the next.

`block.stop` (in 1/256 clocks) is how far they may go; whatever tells the outside something reads
the kernel's next event again and so may bring it nearer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rheobase.sim.kernel import FOREVER
from rheobase.sim.pio_machine import COUNTING_X, COUNTING_Y, POLLING, STALLED
from rheobase.sim.pio_operation import DRAG, EXEC, LOOP, RETRY, STALL

if TYPE_CHECKING:
    from rheobase.sim.pio import PioBlock
    from rheobase.sim.pio_machine import StateMachineModel as Machine


def run_alone(block: PioBlock, machine: Machine) -> None:
    """The fast path: nobody else writes pins or flags, so what does nothing can be skipped.

    In a run, what would go on doing nothing behind the stop falls asleep.
    """
    if machine.doze:
        machine.rouse(machine.doze_until)
    ops, plain, cost, polls = machine.ops, machine.plain, machine.cost, machine.polls
    while True:
        while machine.irregular:
            if machine.due >= block.stop:
                return
            step(block, machine)
        if not machine.enabled:
            return
        pc = machine.pc
        time = machine.time
        divisor = machine.divisor
        while time < block.stop:
            target = ops[pc](time)
            if target > pc:
                time += cost[pc]
                pc = target
            elif target >= 0:
                time += cost[pc]
                pc = target
                if machine.effects == polls.effects:
                    machine.pc = pc
                    period, periods = polls.skip(time, block.stop)
                    time += period * periods
                    if period and _sleeps(
                        machine, time, period, (polls.horizon - time) // period, POLLING
                    ):
                        return
                else:
                    polls.forget()
            elif target == LOOP:
                machine.pc = pc
                if _sleeps(machine, time, *_turns(machine, pc)):
                    return
                time = _skip_turns(block, machine, pc, time)
                target = plain[pc](time)
                if target == DRAG:
                    break
                time += cost[pc]
                pc = target
            elif target == STALL:
                machine.pc = pc
                cycles = _cycles(time, machine.horizon(time), divisor)
                if _sleeps(machine, time, divisor, cycles, STALLED):
                    return
                time += _stalled(block, machine, time, divisor)
            elif target == RETRY:
                time += divisor
            else:
                break
        else:
            machine.pc = pc
            machine.time = time
            return
        _leave_the_road(machine, pc, time, target)
        if target == DRAG:
            _poll(block, machine, pc)


def _sleeps(machine: Machine, time: int, period: int, periods: int, kind: int) -> bool:
    """Let it sleep, if that is for longer than this run."""
    block = machine.block
    if not block.running or time + periods * period < block.stop:
        return False
    machine.time = time
    machine.fall_asleep(period, periods, kind)
    return True


def _turns(machine: Machine, pc: int) -> tuple[int, int, int]:
    """(period, turns left, kind) of a counted loop."""
    loop = machine.loops[pc]
    assert loop is not None
    if loop.counter == "x":
        return loop.period, machine.x, COUNTING_X
    return loop.period, machine.y, COUNTING_Y


def _skip_turns(block: PioBlock, machine: Machine, pc: int, time: int) -> int:
    """Take all turns of a counted loop that begin before the stop; the time after them."""
    period, left, kind = _turns(machine, pc)
    turns = min(left, (block.stop - 1 - time) // period)
    if kind == COUNTING_X:
        machine.x -= turns
    else:
        machine.y -= turns
    return time + turns * period


def _stalled(block: PioBlock, machine: Machine, time: int, cycle: int) -> int:
    """How long a stalled instruction stays stalled for sure, in whole cycles."""
    return _cycles(time, min(block.stop, machine.horizon(time)), cycle) * cycle


def _cycles(time: int, until: int, cycle: int) -> int:
    """At least one, and so many that the last one ends at `until` or later."""
    return max(1, -((time - until) // cycle))


def _leave_the_road(machine: Machine, pc: int, time: int, target: int) -> None:
    """Go on after EXEC or DRAG."""
    divisor = machine.divisor
    machine.pc = machine.after
    machine.time = time + divisor
    if target == DRAG:
        machine.idle = machine.cost[pc] // divisor - 1


def _poll(block: PioBlock, machine: Machine, pc: int) -> None:
    """After a jump back: skip what would only repeat itself."""
    if machine.pc > pc:
        return
    period, periods = machine.polls.skip(machine.time, block.stop)
    if periods > 0:
        if block.deferring:
            machine.fall_asleep(period, periods, POLLING)
        else:
            machine.time += period * periods


# --- one cycle of one machine, whatever its state ---


def step(block: PioBlock, machine: Machine) -> None:
    """One cycle, or what can be skipped from there on."""
    if machine.forced is not None:
        _step_forced(block, machine)
    elif machine.idle:
        _step_idle(block, machine)
    elif machine.latch >= 0:
        _step_latched(block, machine)
    else:
        _step_program(block, machine)


def _step_program(block: PioBlock, machine: Machine) -> None:
    pc, time, divisor = machine.pc, machine.time, machine.divisor
    target = machine.ops[pc](time)
    if target == LOOP:
        period, left, kind = _turns(machine, pc)
        turns = min(left, (block.stop - 1 - time) // period)
        if turns > 0 and block.may_doze:
            machine.fall_asleep(period, turns, kind)
            return
        target = machine.plain[pc](time)
    if target >= 0:
        machine.pc = target
        _pay(block, machine, machine.cost[pc])
        if block.may_doze:
            _poll(block, machine, pc)
    elif target in (EXEC, DRAG):
        _leave_the_road(machine, pc, time, target)
        if target == DRAG and block.may_doze:
            _poll(block, machine, pc)
    elif target == STALL and block.may_doze:
        machine.fall_asleep(divisor, _cycles(time, machine.horizon(time), divisor), STALLED)
    else:
        machine.time += divisor


def _pay(block: PioBlock, machine: Machine, cost: int) -> None:
    """Let an instruction and its delay pass."""
    if block.skip:
        machine.time += cost
    else:
        machine.time += machine.divisor
        machine.idle = cost // machine.divisor - 1


def _step_idle(block: PioBlock, machine: Machine) -> None:
    """A delay cycle, in which autopull may find a word."""
    config, time, divisor = machine.config, machine.time, machine.divisor
    cycles = machine.idle if block.skip else 1
    if config.autopull and machine.osr_count >= config.pull_threshold:
        if machine.has_word(time):
            machine.pull_word(time)
        elif block.deferring:
            cycles = 1
        else:
            cycles = min(cycles, _stalled(block, machine, time, divisor) // divisor)
    machine.idle -= cycles
    machine.time += cycles * divisor


def _step_latched(block: PioBlock, machine: Machine) -> None:
    """An instruction from OUT EXEC or MOV EXEC: at its end PC is where it was."""
    word, time, divisor = machine.latch, machine.time, machine.divisor
    operation, delay = machine.decoded(word)
    machine.latch = -1
    target = operation(time)
    if target in (STALL, RETRY):
        machine.latch = word
        skip = target == STALL and block.skip and not block.deferring
        machine.time += _stalled(block, machine, time, divisor) if skip else divisor
    elif target == EXEC:
        machine.time += divisor
    else:
        machine.pc = machine.after if target == DRAG else target
        machine.time += divisor
        machine.idle = delay


def _step_forced(block: PioBlock, machine: Machine) -> None:
    """An instruction from the bus that has stalled: every clock, whatever the divider says."""
    time = machine.forced_time
    operation = machine.forced
    assert operation is not None
    target = operation(time)
    if target in (STALL, RETRY):
        skip = target == STALL and block.skip and not block.deferring
        machine.forced_time += _stalled(block, machine, time, 256) if skip else 256
        return
    machine.end_forced(target, (time >> 8) + 1)


# --- several machines ---


def run_together(block: PioBlock, machines: list[Machine]) -> None:
    """Clock by clock, machine by machine; but those that only wait are left out.

    What machines write is shown at the end of the clock, so that they all see the same, and the
    highest-numbered one has the last word on a pin. A stalled one sleeps on behind the stop,
    until something changes for it.
    """
    block.deferring = True
    block.may_doze = block.skip and block.apart
    while True:
        now = FOREVER << 8
        for machine in machines:
            due = machine.doze_until if machine.doze else machine.due
            if due < now:
                now = due
        if now >= block.stop:
            break
        end_of_clock = (now >> 8) + 1 << 8
        for machine in machines:
            if machine.doze:
                if machine.doze_until >= end_of_clock:
                    continue
                machine.rouse(machine.doze_until)
            if machine.due < end_of_clock:
                step(block, machine)
        block.commit(now)
    block.may_doze = False
    for machine in machines:
        if machine.doze:
            if machine.doze_kind == STALLED:
                continue
            machine.rouse(block.stop)
        while machine.due < block.stop:
            step(block, machine)
    block.commit(block.stop)
    block.deferring = False


def apart(machines: list[Machine]) -> bool:
    """No two of them can write the same pin."""
    taken = 0
    for machine in machines:
        pins = machine.config.output_pins
        if taken & pins:
            return False
        taken |= pins
    return True
