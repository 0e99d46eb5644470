"""Plays programs: whole sessions through the scheduler, shortened ones on the virtual board."""

from __future__ import annotations

import copy
from array import array
from dataclasses import dataclass

from firmware.boards import pico_reference as board
from firmware.core.scheduler import Scheduler
from firmware.core.tape import BLOCK_WORDS, TapeWriter
from firmware.core.timing import LEAST_GAP_TURNS
from firmware.programs.format import Program, lines
from rheobase.programs.library import plan_of, timing
from rheobase.programs.reader import Pulse, Reader

PLATEAU = 1000  # level of a whole session's plateau: 60 mA


@dataclass
class Played:
    """What was played: pulses of both channels, how long (turns), the plateau's level, and how
    long after the start the intensity had reached it."""

    made: Program
    pulses: tuple[list[Pulse], list[Pulse]]
    turns: int
    plateau: int
    climb_ms: int = 0


def clocked(made: Program) -> Program:
    """A triggered program as one contraction by the clock, as long as it may be."""
    if not made.session["trigger"]:
        return made
    made = copy.deepcopy(made)
    longest = 0
    for c in made.channels:
        if c is not None:
            ramps = c["ramp_up_ms"] + c["ramp_down_ms"]
            c["on_ms"] = c["on_ms"] or made.session["timeout_ms"] - ramps
            c["off_ms"] = max(c["off_ms"], 1_000)  # what the class asks for without a trigger
            longest = max(longest, c["on_ms"] + ramps)
    made.session.update({"trigger": 0, "pattern": 3, "duration_ms": longest})
    return made


def whole(made: Program) -> Played:
    """A whole session through the real plan, scheduler and tape writer, read independently."""
    made = clocked(made)
    scheduler, writer, reader = Scheduler(), TapeWriter(), Reader()
    plan = plan_of(made)
    scheduler.load(plan)
    scheduler.level[0] = scheduler.level[1] = PLATEAU
    halves = array("H", [0] * (2 * BLOCK_WORDS))
    while not writer.ended:
        reader.read(halves, writer.block(halves, scheduler, 10 * plan.turns_per_ms))
    made_timing = timing()
    lead = made_timing.settle + made_timing.lead + 2 * LEAST_GAP_TURNS
    return Played(made, reader.pulses, reader.turn - lead, PLATEAU)


# -- on the virtual board ------------------------------------------------------------------------

BOARD_MA = 3
CLIMB_MS = 1_800
TURN = 2  # clocks


def shortened(made: Program) -> Program:
    """The program with warm-up and cool-down of at most 10 s and two cycles (two blocks, or 30 s
    where nothing repeats), and what remains of a third."""
    made = clocked(copy.deepcopy(made))
    session = made.session
    for name in ("warm_ms", "cool_ms"):
        session[name] = min(session[name], 10_000)
    main_ms = 0
    for c in made.channels:
        if c is None:
            continue
        train_ms = c["ramp_up_ms"] + c["on_ms"] + c["ramp_down_ms"]
        if not c["on_ms"]:
            wanted = 30_000 if c["modulation"] != 3 else 2 * c["mod_ms"] + 5_000
        elif c["block_ms"]:
            wanted = 2 * c["block_ms"] + c["pause_ms"] + 1_000
        else:
            wanted = 2 * (train_ms + c["off_ms"]) + train_ms // 2
            if train_ms < CLIMB_MS:
                wanted += CLIMB_MS
        if session["pattern"] in (1, 2):
            wanted += 2 * train_ms
        main_ms = max(main_ms, wanted)
    longest = session["duration_ms"] - session["warm_ms"] - session["cool_ms"]
    session["duration_ms"] = min(main_ms, longest) + session["warm_ms"] + session["cool_ms"]
    return made


def on_board(made: Program) -> Played:
    """The shortened program with the real firmware on the virtual board, from a stored text."""
    from rheobase.recording.pulses import pulses
    from rheobase.sim.bench import Bench, Recorder, Wiring
    from rheobase.sim.board import VirtualBoard

    made = shortened(made)
    made.id = "measured"
    recorder = Recorder(("edges", "phases"))
    bench = Bench(Wiring.of(board), recorder)
    virtual = VirtualBoard(bench=bench)
    virtual.record_edges = False
    virtual.start()
    bench.try_stop()
    virtual.run_for(0.1)
    virtual.usb.read()

    def ask(line: str) -> str:
        virtual.usb.write(line.encode() + b"\n")
        answer = ""
        for _ in range(100):
            virtual.run_for(0.02)
            answer += virtual.usb.read().decode()
            if answer.endswith("\n"):
                return answer.strip()
        raise ValueError(f"no answer to {line}")

    def do(line: str) -> None:
        virtual.usb.write(line.encode() + b"\n")  # a refusal would end the line it stands in
        error = ask("SYST:ERR?")
        if not error.startswith("0,"):
            raise ValueError(f"{made.id}: {line}: {error}")

    def settle() -> None:
        while ask("SESS:STAT?") in ("BOOT", "SELFTEST", "CHECKING"):
            virtual.run_for(0.05)

    settle()
    name, made.id = made.id, "measured"
    do("PROG:IMP:BEG")
    for line in lines(made):
        quoted = line.replace('"', '""')
        do(f'PROG:IMP:LINE "{quoted}"')
    do("PROG:IMP:END")
    do('PROG:LOAD "measured"')
    made.id = name
    do("SESS:STAN ON;:SOUR1:PAD:AREA 25;:SOUR2:PAD:AREA 25")
    do('CHEC:ACKN "D1"')
    do(f"ARM {ask('ARM:HASH?')}")
    settle()
    begun = virtual.now
    do("OUTP ON;:CURR:LOCK OFF")
    used = [i for i in (0, 1) if made.channels[i]]
    for step in range(1, BOARD_MA + 1):
        for i in used:
            do(f"SOUR{i + 1}:CURR {step}mA")
        virtual.run_for(0.5)
    while ask("SESS:STAT?") in ("RUNNING", "FADING"):
        virtual.run_for(0.2)
    elapsed_s = float(ask("SESS:TIME?"))
    if ask("SESS:STAT?") != "IDLE":
        raise ValueError(f"{name}: {ask('FAUL:TEXT?')}")
    ended = round(elapsed_s * 1000) * timing().grid.turns_per_ms
    found = []
    for i in (0, 1):
        found.append([
            Pulse(p.start // TURN, p.width_1 // TURN, p.gap // TURN, p.width_2 // TURN,
                  round(p.commanded_a * 1e6 / board.LEVEL_UA), p.first < 0)
            for p in pulses(recorder, i + 1) if p.start >= begun
        ])
    plateau = round(BOARD_MA * 1000 / board.LEVEL_UA)
    return Played(made, (found[0], found[1]), ended, plateau, CLIMB_MS)
