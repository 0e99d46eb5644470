"""The application: one loop that listens, keeps the tape full, and answers."""

import machine

from firmware.core.unload import borrow, collect
from firmware.hal import permit
from firmware.hal.board_io import BoardIO
from firmware.hal.console import Console
from firmware.hal.player_rp2 import Player
from firmware.hal.reading import read_file
from firmware.hal.sense_rp2 import Sense
from firmware.hal.store import Store
from firmware.hal.watchdog_rp2 import Watchdog
from firmware.remote.commands import STOP_BYTE, Commands
from firmware.remote.status import StatusReporter
from firmware.safety.faults import EXCEPTION
from firmware.safety.states import SELFTEST
from firmware.safety.stimulator import Stimulator
from firmware.safety.storage import Storage

LOOP_MS = 6  # input ends the wait at once; the tape is 70 ms deep
# Garbage is reckoned, in 0.25 KB, and not looked up: gc.mem_free() takes up to 7 ms on the device,
# in which no stop byte is heard. Behind a collection at least 85 KB are free.
LINE = 2  # what a line leaves behind, and every two units more of it; measured: 0.2 to 0.8 KB
LONG = 48  # a command that lasts long: 4 to 11 KB
REFUSED = 48  # a refused one: its words leave 11 KB behind
IDLE = 24  # is collected while nothing plays
ENOUGH = 240  # is collected as soon as the tape gives time for it
FED_MS = 30  # of tape, below which a long line of commands gives way to it
FULL_MS = 55  # of tape that a collection or a long command may take its time from: some 30 ms


def shelf():
    """Where the programs stand; loaded only when it is asked for."""
    from firmware.hal import shelf

    return shelf


last = None  # the App that ran last, which holds the DMA channels: bench.py goes on with it


class App:
    """A board's stimulator with its instrument and console."""

    def __init__(self, board):
        self.outputs = BoardIO(board)
        self.player = Player(board)
        self.storage = Storage(Store())
        self.stimulator = Stimulator(
            board,
            self.outputs,
            self.player,
            machine.freq(),
            self.storage,
            Sense(board),
            Watchdog(),
            read_file,
        )
        permit.guard(self.stimulator.why_not_write)
        self.instrument = Commands(self.stimulator, shelf, self._make_time).instrument()
        self.instrument.on_line = self.storage.box.command
        self.instrument.on_unit = self._feed
        self.status = StatusReporter(self.stimulator, self.instrument)
        self.console = Console(STOP_BYTE[0], self.player.halt)
        self._tpm = self.stimulator.timing.grid.turns_per_ms
        self._hurry = False  # the next turn has something to do at once
        self._low = False  # the tape comes before any command
        self._garbage = 0

    def run(self):
        """Serve until Ctrl-C; whatever ends it, the output is off first.

        A program error becomes a fault, with the output off too.
        """
        global last
        first = last is not self
        last = self
        stimulator = self.stimulator
        stimulator.boot()
        try:
            while True:
                try:
                    while True:
                        self.turn()
                        if first and stimulator.state != SELFTEST:
                            first = False
                            if not self.storage.latched:
                                borrow("firmware.made", "forget", stimulator)
                except Exception as error:
                    stimulator.fail(EXCEPTION, repr(error))
        finally:
            stimulator.stop()

    def turn(self):
        """One turn of the loop. Few names: a frame of more than 11 words comes from the heap."""
        heard = False
        if self._low:
            self.console.listen()
        else:
            heard = self.console.receive(self.instrument, 0 if self._hurry else LOOP_MS)
        sending = self.console.reply(self.instrument)
        if heard:
            self._garbage += REFUSED if self.instrument.code else LINE
        if heard or sending:  # the turn is a long one: a stop byte must not wait for its end
            self.console.listen()
        self.stimulator.step()
        if heard or sending:
            self.console.listen()
        self.storage.step(self.stimulator)
        self.status.update()
        tape = self.stimulator.tape
        playing = tape and tape.running and not self.player.halted
        self._hurry = sending or (playing and tape.hungry)
        self._low = playing and tape.low
        if self._garbage >= IDLE:
            self._tidy(playing)

    def _feed(self):
        """Between two commands of a line, which may last longer than the tape that is queued."""
        self._garbage += LINE
        self._fill(FED_MS)

    def _make_time(self):
        """Before a command that lasts long: tape for its time, and memory."""
        if self._fill(FULL_MS) and self._garbage >= ENOUGH:
            self._collect()
            self._fill(FULL_MS)
        self._garbage += LONG

    def _fill(self, least_ms):
        """Have at least so much tape queued, if it plays; whether it does."""
        tape = self.stimulator.tape
        player = self.player
        if not tape or not tape.running or player.halted:
            return False
        try:
            player.update()
            while tape.running and player.queued_turns() < least_ms * self._tpm:
                self.stimulator.step()
                if not tape.hungry:
                    break
        except Exception as error:
            self.stimulator.fail(EXCEPTION, repr(error))
        return tape.running

    def _tidy(self, playing):
        """Collect garbage while there is tape enough, before the memory runs out at any time.

        Behind an answer that was just sent the host is silent for longest.
        """
        if playing and (
            self._garbage < ENOUGH or self.player.queued_turns() < FULL_MS * self._tpm
        ):
            return
        self._collect()
        self._low = playing  # what was played meanwhile is looked at before anything is said

    def _collect(self):
        self._garbage = 0
        collect()
