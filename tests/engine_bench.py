"""Plays sessions of the engine core onto tape, for the tests that hold it against the oracle."""

from array import array
from collections.abc import Callable

from oracle import Board, Expectation
from tape_reader import Tape, words_of

from firmware.core.grid import Grid
from firmware.core.parts import Plan
from firmware.core.plan import make_plan
from firmware.core.scheduler import STATE_SIZE, Scheduler
from firmware.core.settings import CHANNEL, SESSION, Settings
from firmware.core.tape import BLOCK_WORDS, TapeWriter
from firmware.core.timing import Timing

BLOCK_MS = 10
LEAST_WORDS = 5  # of every block but the last


def settings(table: tuple, values: dict) -> Settings:
    """Settings at their defaults but for some values."""
    made = Settings(table)
    made.update(values)
    return made


def defaults(table: tuple) -> dict:
    """A table's defaults by name."""
    return Settings(table).values()


class Session:
    """What to play: full dicts of both channels and the session, and a board."""

    def __init__(self, one: dict, two: dict, session: dict, board: Board | None = None):
        self.channels = [defaults(CHANNEL) | one, defaults(CHANNEL) | two]
        self.session = defaults(SESSION) | session
        self.board = board or Board()

    def __repr__(self) -> str:
        parts = [self._changes(CHANNEL, values) for values in self.channels]
        parts.append(self._changes(SESSION, self.session))
        return f"Session({', '.join(map(repr, parts))}, {self.board})"

    @staticmethod
    def _changes(table: tuple, values: dict) -> dict:
        usual = defaults(table)
        return {name: value for name, value in values.items() if value != usual[name]}

    def but(self, one: dict | None = None, two: dict | None = None) -> "Session":
        """The same with other settings of a channel."""
        channels = self.channels[0] | (one or {}), self.channels[1] | (two or {})
        return Session(*channels, self.session, self.board)

    @property
    def expectation(self) -> Expectation:
        return Expectation(self.channels, self.session, self.board)

    @property
    def timing(self) -> Timing:
        board = self.board
        times = board.dead_ns, board.separation_ns, board.lead_ns, board.settle_ns
        return Timing(Grid(board.clock_hz), *times)

    def plan(self) -> Plan:
        """The engine's plan; raises Refused."""
        channels = [settings(CHANNEL, values) for values in self.channels]
        return make_plan(channels, settings(SESSION, self.session), self.timing)


class Engine:
    """Scheduler and writer with a tape reader at their end; checks what holds for every block."""

    def __init__(self, session: Session, plateaus: tuple[int, int] = (0, 0)):
        self.board = session.board
        self.scheduler = Scheduler()
        self.scheduler.load(session.plan())
        self.set_plateaus(plateaus)
        self.writer = TapeWriter()
        self.halves = array("H", [0] * (2 * BLOCK_WORDS))
        self.tape = Tape(session.board.preamble)
        self.blocks = 0

    def set_plateaus(self, plateaus: tuple[int, int]) -> None:
        self.scheduler.level[0], self.scheduler.level[1] = plateaus

    @property
    def ended(self) -> bool:
        return self.writer.ended

    def write(self, target_ms: float = BLOCK_MS) -> list[int]:
        """The words of the next block; the tape is not told."""
        target = int(target_ms * self.board.ms(1))
        count = self.writer.block(self.halves, self.scheduler, target)
        return words_of(self.halves, count)

    def play(self, words: list[int]) -> None:
        """Have the tape read a block that the writer has just written."""
        turn = self.tape.turn
        self.tape.read(words)
        self.blocks += 1
        assert self.tape.turn - turn == self.writer.turns
        assert self.tape.between_pulses
        assert self.ended or len(words) >= LEAST_WORDS
        assert self.ended or self.writer.turns > 0

    def block(self, target_ms: float = BLOCK_MS) -> None:
        self.play(self.write(target_ms))

    def run(self, until_ms: float | None = None, target_ms: float = BLOCK_MS) -> Tape:
        """Play to the end, or until the tape has reached a time of the channels."""
        until = None if until_ms is None else until_ms * self.board.ms(1)
        while not self.ended and (until is None or self.tape.turn < until):
            self.block(target_ms)
        return self.tape

    def slot(self) -> memoryview:
        """A place for the scheduler's state."""
        return memoryview(array("i", [0] * STATE_SIZE))


def play(
    session: Session,
    plateaus: tuple[int, int] = (0, 0),
    until_ms: float | None = None,
    target_ms: float = BLOCK_MS,
    each: Callable[[Engine], None] | None = None,
) -> Engine:
    """Play a session; `each` is called after every block."""
    engine = Engine(session, plateaus)
    until = None if until_ms is None else until_ms * session.board.ms(1)
    while not engine.ended and (until is None or engine.tape.turn < until):
        engine.block(target_ms)
        if each:
            each(engine)
    return engine
