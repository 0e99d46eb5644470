"""Keeps the player's queue full: schedule, write, inspect, queue; and replaces what has not begun.

Nothing reaches the player that the inspector has not passed.
"""

from array import array

from firmware.core.limits import limit
from firmware.core.scheduler import PULSES_AT, STATE_SIZE

BLOCK_MS = 10
QUEUE_MS = 70  # filled up to here; the horizon bounds it together with the longest block
_HORIZON_MS = limit("horizon_ms")
LOW_MS = 30  # below it no command is executed: one may take 20 ms, or makes time for itself
AT_ONCE = 1  # blocks written in one turn of the loop, so that it listens in between
AT_ONCE_LOW = 2  # while a line may have to wait for them
MARGIN_MS = 2  # beside writing a block: going back, the reckoning of the player (1 ms)
MARGIN_PLAN_MS = 3  # with another plan (2 ms)

STARVED = 100  # reasons of our own, beside the inspector's


class Feeder:
    """Ties scheduler, writer, inspector and player.

    player: see hal/player_rp2.py for what it must offer. ended: the whole tape is queued.
    expected: an Expectation that is told what was queued, or None.
    """

    def __init__(self, scheduler, writer, inspector, player, expected=None):
        self.scheduler = scheduler
        self.writer = writer
        self.inspector = inspector
        self.player = player
        self.expected = expected
        self.ended = False
        self.running = False
        self.hungry = self.low = False
        self.inspected = 0  # blocks that the inspector has passed, as a count that wraps
        saved = memoryview(array("i", bytes(4 * STATE_SIZE * player.SLOTS)))
        starts = range(0, STATE_SIZE * player.SLOTS, STATE_SIZE)
        self._slots = [saved[start : start + STATE_SIZE] for start in starts]
        self._tpm = 0
        self._took = 0  # turns: the longest that writing a block took of late
        self._changed = False
        self._plan = None  # to go on under, from the first block written anew
        self._fade_ms = 0

    def begin(self, plan):
        """Load a plan and queue its first blocks; 0 or the reason it can't play."""
        self.scheduler.load(plan)
        self.inspector.reset()
        return self._start(plan)

    def resume(self, plan):
        """Go on with a faded tape; 0 or the reason it can't play."""
        self.scheduler.swap(plan)
        self.scheduler.resume()
        return self._start(plan)

    def _start(self, plan):
        self._tpm = plan.turns_per_ms
        self.ended = False
        self._forget_changes()
        self.player.begin()
        reason = self.fill()
        if not reason:
            self.player.start()
            self.running = True
        return reason

    def fill(self):
        """Queue blocks up to the horizon, a few at a time while the tape plays.

        0, or why the output must stop. hungry: there is more to write.
        """
        player = self.player
        player.update()
        if self._changed:
            self._revise()
        if self.running and not self.ended and player.queued_turns() <= 0:
            return STARVED
        room = QUEUE_MS * self._tpm
        left = player.SLOTS
        if self.running:
            left = AT_ONCE_LOW if self.low else AT_ONCE
        self.hungry = self.low = False
        while not self.ended and player.queued_turns() < room:
            slot = player.free_slot()
            if slot < 0:
                break
            if not left:
                self.hungry = True
                self.low = player.queued_turns() < LOW_MS * self._tpm
                break
            left -= 1
            reason = self._block(slot)
            if reason < 0:
                break
            if reason:
                return reason
        return 0

    def _block(self, slot):
        """Write, inspect and queue one block; 0, a reason, or -1 when no more may be queued."""
        player = self.player
        expected = self.expected
        if expected and not expected.room():
            return -1
        scheduler = self.scheduler
        inspector = self.inspector
        begun = player.queued_turns()
        halves = player.blocks[slot]
        saved = self._slots[slot]
        scheduler.save(saved)
        inspector.save(slot)
        words = self.writer.block(halves, scheduler, BLOCK_MS * self._tpm)
        turns = self.writer.turns
        if player.queued_turns() + turns > _HORIZON_MS * self._tpm:
            scheduler.restore(saved)
            return -1
        reason = inspector.inspect(halves, words, turns)
        if not reason:
            if expected:
                expected.add(slot, halves, words)
            player.update()
            took = begun - player.queued_turns()
            least = self._took - (self._took >> 6)
            self._took = took if took > least else least
            player.queue(slot, words, turns)
            self.inspected = (self.inspected + 1) & 0xFFFF
            self.ended = self.writer.ended
        return reason

    def change(self, plan=None):
        """A live setting has changed: at the next fill the blocks not begun are written anew.

        plan: one with the same time line to go on under.
        """
        self._changed = True
        if plan:
            self._plan = plan

    def fade(self, time_ms):
        """Go to zero within time_ms from the first block that has not begun, and end there."""
        self._changed = True
        self._fade_ms = time_ms

    def _revise(self):
        # Till the first one is written anew the tape has an end there, which must not be met.
        margin_ms = MARGIN_PLAN_MS if self._plan else MARGIN_MS
        slot = self.player.drop(margin_ms * self._tpm + self._took)
        if slot >= 0:
            self.scheduler.restore(self._slots[slot])
            self.inspector.restore(slot)
            if self.expected:
                self.expected.restore(slot)
            self.ended = False
        if self._plan:
            self.scheduler.swap(self._plan)
        if self._fade_ms:
            self.scheduler.fade(self._fade_ms * self._tpm)
        self._forget_changes()

    def _forget_changes(self):
        self._changed = False
        self._plan = None
        self._fade_ms = 0

    def finished(self):
        """Whether everything queued was played to its regular end."""
        return self.running and self.ended and self.player.drained()

    def stop(self):
        """Legs low at once; what was queued is forgotten."""
        self.player.kill()
        self.running = False

    def pulses(self, channel):
        """Pulses of a channel that have begun or are past (the queue not counted)."""
        slot = self.player.next_slot()
        if slot >= 0:
            return self._slots[slot][PULSES_AT[channel]]
        return self.scheduler.pulses(channel)
