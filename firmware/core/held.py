"""A feeder for trains that wait: ready to the first edge, and started by a trigger.

A train is a tape of its own. Its opening -- a rest in which the amplitude settles -- is played at
once; what follows is inspected, queued and held, until the hardware or the loop starts it.
Between trains nothing is played, all pins are low, and the plateaus persist. With a `line` the
train that is held has GATE up, its lead over, for as long as the line's lease is renewed.
"""

from array import array

from firmware.core.feeder import QUEUE_MS, STARVED, Feeder
from firmware.core.scheduler import KEPT

DOWN, OPENING, HELD, PLAYING = range(4)

REST_MS = 500  # rest is told to the inspector in portions of this: small integers
REST_MOST_MS = 10_000  # more of it changes nothing


class HeldFeeder(Feeder):
    """phase: DOWN, OPENING, HELD or PLAYING. over: nothing more is to come in this session.

    line: what starts trains by hardware (hal/trigger_rp2.py), or None.
    """

    def __init__(self, scheduler, writer, inspector, player, expected=None):
        super().__init__(scheduler, writer, inspector, player, expected)
        self.phase = DOWN
        self.over = False
        self.line = None
        self._kept = array("i", [0] * KEPT)

    def begin(self, plan):
        """Begin a session at amplitude zero; nothing is played before the first train."""
        self.scheduler.load(plan)
        self.inspector.reset()
        self.scheduler.keep(self._kept)
        return self._lie(plan)

    def resume(self, plan):
        """Go on after a pause, at amplitude zero."""
        self.scheduler.resume()
        self.scheduler.keep(self._kept)
        return self._lie(plan)

    def _lie(self, plan):
        self._tpm = plan.turns_per_ms
        self.phase = DOWN
        self.over = self.ended = self.running = False
        self._forget_changes()
        self.player.begin()
        return 0

    def prepare(self, plan, rest_ms, held_ms):
        """Play the opening of a train, whose blocks `fill` then queues and holds; 0 or a reason.

        rest_ms: for how long nothing was played since the last train's end or the last prepare.
        held_ms: for how long the last train was held before it was started.
        """
        self.release()
        self.scheduler.keep(self._kept)
        self.scheduler.again(plan, self._kept)
        inspector = self.inspector
        left_ms = min(held_ms, REST_MOST_MS)
        while left_ms > 0:
            inspector.waited(min(left_ms, REST_MS) * self._tpm)
            left_ms -= REST_MS
        left_ms = min(rest_ms, REST_MOST_MS)
        while left_ms > 0:
            inspector.rest(min(left_ms, REST_MS) * self._tpm)
            left_ms -= REST_MS
        player = self.player
        player.begin()
        self._forget_changes()
        self.ended = False
        inspector.save(0)
        halves = player.blocks[0]
        line = self.line
        words = self.writer.opening(halves, self.scheduler, line is not None)
        turns = self.writer.turns
        reason = inspector.inspect(halves, words, turns)
        if line and not reason:
            reason = inspector.inspect(line.first, 1, line.FIRST_TURNS)
        if not reason:
            if self.expected:
                self.expected.add(0, halves, words)
            player.queue(0, words, turns)
            if line:
                line.open(halves, words)
            player.start()
            self.phase = OPENING
        return reason

    def release(self):
        """Take back a train that has not begun."""
        if self.phase == OPENING or self.phase == HELD:
            self.player.kill()
            if self.line:
                self.line.end()
            self.inspector.restore(0)
            self.scheduler.put_back(self._kept)
            if self.expected:
                self.expected.restore(0)
            self.phase = DOWN

    def go(self, since_us=None):
        """Start the held train; since_us: the hardware has done it."""
        self.player.go(since_us)
        if self.line:
            self.line.end()
        self.phase = PLAYING
        self.running = True

    def fill(self):
        """Go on with the phase at hand; 0, or why the output must stop."""
        phase = self.phase
        if phase == PLAYING:
            reason = super().fill()
            if not reason and self.ended and self.player.drained():
                self.player.kill()
                self.running = False
                self.phase = DOWN
                self.ended = self.over
            return reason
        if phase != DOWN and self.line and not self.line.renew():
            return STARVED
        if phase == OPENING:
            self.player.update()
            if self.player.drained():
                self.player.hold()
                if self.line:
                    self.line.hold()
                self.phase = HELD
                return super().fill()
            if self.player.queued_turns() < -QUEUE_MS * self._tpm:
                return STARVED
        return 0

    def change(self, plan=None):
        """As the feeder's, for the train in play; one that is held must be prepared anew."""
        if self.phase == PLAYING:
            super().change(plan)

    def fade(self, time_ms):
        """The session ends or is held: what plays goes down to zero within time_ms."""
        self.over = True
        self.down(time_ms)
        if self.phase != PLAYING:
            self.release()
            self.ended = True

    def down(self, time_ms):
        """The train in play goes down to zero within time_ms, from the first block not begun."""
        if self.phase == PLAYING:
            super().fade(max(time_ms, 1))

    def finished(self):
        return self.over and self.phase == DOWN

    def pulses(self, channel):
        if self.phase == OPENING or self.phase == HELD:
            return self._kept[2 + 3 * channel]
        return super().pulses(channel)
