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


class OnBoard:
    """A program as a session of the real firmware on the virtual board, from a stored text.

    Typed commands do it all; what is refused raises ValueError.
    """

    def __init__(self, made: Program) -> None:
        from rheobase.sim.bench import Bench, Recorder, Wiring
        from rheobase.sim.board import VirtualBoard

        self.made = made
        self.recorder = Recorder(("edges", "phases"))
        self.bench = Bench(Wiring.of(board), self.recorder)
        self.virtual = VirtualBoard(bench=self.bench)
        self.virtual.record_edges = False
        self.virtual.start()
        self.bench.try_stop()
        self.virtual.run_for(0.1)
        self.virtual.usb.read()
        self._settle()
        name, made.id = made.id, "measured"
        self.do("PROG:IMP:BEG")
        for line in lines(made):
            quoted = line.replace('"', '""')
            self.do(f'PROG:IMP:LINE "{quoted}"')
        self.do("PROG:IMP:END")
        self.do('PROG:LOAD "measured"')
        made.id = name

    def ask(self, line: str) -> str:
        self.virtual.usb.write(line.encode() + b"\n")
        answer = ""
        for _ in range(100):
            self.virtual.run_for(0.02)
            answer += self.virtual.usb.read().decode()
            if answer.endswith("\n"):
                return answer.strip()
        raise ValueError(f"no answer to {line}")

    def do(self, line: str) -> None:
        self.virtual.usb.write(line.encode() + b"\n")  # a refusal would end the line it stands in
        error = self.ask("SYST:ERR?")
        if not error.startswith("0,"):
            raise ValueError(f"{self.made.id}: {line}: {error}")

    def _settle(self) -> None:
        while self.ask("SESS:STAT?") in ("BOOT", "SELFTEST", "CHECKING"):
            self.virtual.run_for(0.05)

    def arm(self) -> None:
        self.do("SESS:STAN ON;:SOUR1:PAD:AREA 25;:SOUR2:PAD:AREA 25")
        self.do('CHEC:ACKN "D1"')
        self.do(f"ARM {self.ask('ARM:HASH?')}")
        self._settle()

    def start(self) -> int:
        """Start and go up to BOARD_MA; the clock of the start."""
        begun = self.virtual.now
        self.do("OUTP ON;:CURR:LOCK OFF")
        used = [i for i in (0, 1) if self.made.channels[i]]
        for step in range(1, BOARD_MA + 1):
            for i in used:
                self.do(f"SOUR{i + 1}:CURR {step}mA")
            self.virtual.run_for(0.5)
        return begun

    def finish(self) -> int:
        """Wait for the regular end; how long the session was, in turns."""
        while self.ask("SESS:STAT?") not in ("IDLE", "FAULT", "PAUSED"):
            self.virtual.run_for(0.2)
        elapsed_s = float(self.ask("SESS:TIME?"))
        if self.ask("SESS:STAT?") != "IDLE":
            raise ValueError(f"{self.made.id}: {self.ask('FAUL:TEXT?')}")
        return round(elapsed_s * 1000) * timing().grid.turns_per_ms

    def pulses(self, i: int, since: int) -> list[Pulse]:
        """A channel's pulses from a clock on, as recorded at its electrodes."""
        from rheobase.recording.pulses import pulses

        return [
            Pulse(p.start // TURN, p.width_1 // TURN, p.gap // TURN, p.width_2 // TURN,
                  round(p.commanded_a * 1e6 / board.LEVEL_UA), p.first < 0)
            for p in pulses(self.recorder, i + 1) if p.start >= since
        ]


def on_board(made: Program) -> Played:
    """The shortened program with the real firmware on the virtual board, from a stored text."""
    made = shortened(made)
    session = OnBoard(made)
    session.arm()
    begun = session.start()
    ended = session.finish()
    plateau = round(BOARD_MA * 1000 / board.LEVEL_UA)
    found = session.pulses(0, begun), session.pulses(1, begun)
    return Played(made, found, ended, plateau, CLIMB_MS)
