"""Keeps the player's queue full: schedule, write, inspect, queue; and replaces what has not begun.

Nothing reaches the player that the inspector has not passed.
"""

from array import array

from firmware.core.limits import limit
from firmware.core.scheduler import PULSES_AT, STATE_SIZE

BLOCK_MS = 10
QUEUE_MS = 70  # filled up to here; the horizon bounds it together with the longest block
MARGIN_MS = 3  # a block that begins sooner than this is left alone

STARVED = 100  # reasons of our own, beside the inspector's


class Feeder:
    """Ties scheduler, writer, inspector and player.

    player: see hal/player_rp2.py for what it must offer. ended: the whole tape is queued.
    """

    def __init__(self, scheduler, writer, inspector, player):
        self.scheduler = scheduler
        self.writer = writer
        self.inspector = inspector
        self.player = player
        self.ended = False
        self.running = False
        self._slots = [array("i", [0] * STATE_SIZE) for _ in range(player.SLOTS)]
        self._tpm = 0

    def begin(self, plan):
        """Load a plan and queue its first blocks; 0 or the reason it can't play."""
        self.scheduler.load(plan)
        self.inspector.reset()
        return self._start(plan)

    def resume(self, plan):
        """Go on with a faded tape; 0 or the reason it can't play."""
        self.scheduler.resume()
        return self._start(plan)

    def _start(self, plan):
        self._tpm = plan.turns_per_ms
        self.ended = False
        self.player.begin()
        reason = self.fill()
        if not reason:
            self.player.start()
            self.running = True
        return reason

    def fill(self):
        """Queue blocks up to the horizon; 0, or why the output must stop."""
        player = self.player
        player.update()
        if self.running and not self.ended and player.queued_turns() <= 0:
            return STARVED
        room = QUEUE_MS * self._tpm
        target = BLOCK_MS * self._tpm
        horizon = limit("horizon_ms") * self._tpm
        while not self.ended and player.queued_turns() < room:
            slot = player.free_slot()
            if slot < 0:
                break
            halves = player.blocks[slot]
            self.scheduler.save(self._slots[slot])
            self.inspector.save(slot)
            words = self.writer.block(halves, self.scheduler, target)
            turns = self.writer.turns
            if player.queued_turns() + turns > horizon:
                self.scheduler.restore(self._slots[slot])
                break
            reason = self.inspector.inspect(halves, words, turns)
            if reason:
                return reason
            player.queue(slot, words, turns)
            self.ended = self.writer.ended
        return 0

    def revise(self):
        """A live setting has changed: write the blocks that have not begun again."""
        slot = self.player.drop(MARGIN_MS * self._tpm)
        if slot >= 0:
            self.scheduler.restore(self._slots[slot])
            self.inspector.restore(slot)
            self.ended = False

    def fade(self, time_ms):
        """Go to zero within time_ms from the first block that has not begun, and end there."""
        self.revise()
        self.scheduler.fade(time_ms * self._tpm)

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
