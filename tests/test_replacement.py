"""Blocks that have not begun are written anew: the same tape, or another on the same line."""

from dataclasses import replace

from engine_bench import Engine, Session, play
from hypothesis import assume, event, given
from hypothesis import strategies as st
from oracle import ALTERNATE, SIMULTANEOUS, Expectation, Unit, in_order
from strategies import block_targets_ms, examples, plateaus, sessions
from tape_check import Checker

CONTINUOUS = {"enabled": 1, "on_ms": 0, "ramp_up_ms": 0, "ramp_down_ms": 0}


@examples(60)
@given(
    sessions(most_ms=2_000), plateaus, block_targets_ms, st.integers(0, 120), st.integers(1, 30)
)
def test_a_restored_scheduler_writes_the_same_tape(session, plateaus, target_ms, kept, replaced):
    assume(not session.expectation.refusal)
    engine = Engine(session, plateaus)
    while engine.blocks < kept and not engine.ended:
        engine.block(target_ms)
    assume(not engine.ended)
    slot, again = engine.slot(), engine.slot()
    engine.scheduler.save(slot)

    def blocks() -> list[tuple[list[int], int, bool]]:
        written = []
        while len(written) < replaced and not (written and engine.ended):
            words = engine.write(target_ms)
            written.append((words, engine.writer.turns, engine.ended))
        return written

    first = blocks()
    after_first, counts = engine.slot(), [engine.scheduler.pulses(i) for i in (0, 1)]
    engine.scheduler.save(after_first)
    engine.scheduler.restore(slot)
    engine.scheduler.save(again)
    assert again == slot
    assert blocks() == first
    engine.scheduler.save(again)
    assert again == after_first
    assert [engine.scheduler.pulses(i) for i in (0, 1)] == counts


def test_a_restored_scheduler_finds_its_trains_again():
    """Warm-up, contractions, active rests and cool-down follow each other within the blocks."""
    channel = {"enabled": 1, "ramp_up_ms": 60, "on_ms": 50, "ramp_down_ms": 40, "off_ms": 110,
               "rest_rate_mhz": 90_000, "rest_up_ms": 30, "rest_down_ms": 50, "rate_mhz": 120_000}
    shared = {"duration_ms": 1_500, "warm_ms": 150, "warm_rate_mhz": 70_000, "warm_up_ms": 80,
              "warm_down_ms": 20, "cool_ms": 170, "cool_rate_mhz": 80_000, "cool_up_ms": 50,
              "cool_down_ms": 60}
    session = Session(channel, channel | {"delay_us": 77_000, "rate_mhz": 110_000}, shared)
    engine = Engine(session, (700, 900))
    slot = engine.slot()
    while not engine.ended:
        engine.scheduler.save(slot)
        ahead = []
        while len(ahead) < 25 and not (ahead and engine.ended):
            ahead.append(engine.write())
        engine.scheduler.restore(slot)
        engine.writer.ended = False
        again = []
        while len(again) < len(ahead):
            again.append(engine.write())
        assert again == ahead
        engine.scheduler.restore(slot)
        engine.writer.ended = False
        engine.block()


class Feed:
    """Writes blocks ahead of the tape, as the feeder does, and can drop those not yet read."""

    def __init__(self, session: Session, plateaus: tuple[int, int]):
        self.engine = Engine(session, plateaus)
        self.queue: list[tuple[memoryview, list[int], int]] = []

    def fill(self, ahead: int) -> None:
        """Write until so many blocks wait."""
        while len(self.queue) < ahead and not self.engine.ended:
            slot = self.engine.slot()
            self.engine.scheduler.save(slot)
            words = self.engine.write()
            self.queue.append((slot, words, self.engine.writer.turns))

    def play_one(self) -> None:
        """The tape reads the block that has waited longest."""
        _, words, turns = self.queue.pop(0)
        before = self.engine.tape.turn
        self.engine.tape.read(words)
        assert self.engine.tape.turn - before == turns

    def drop(self, keep: int) -> None:
        """Take back all but the next blocks."""
        if len(self.queue) > keep:
            self.engine.scheduler.restore(self.queue[keep][0])
            self.engine.writer.ended = False
            del self.queue[keep:]

    @property
    def written(self) -> int:
        """Where on the tape what is written ends."""
        return self.engine.tape.turn + sum(turns for _, _, turns in self.queue)

    def play_all(self) -> None:
        while self.queue or not self.engine.ended:
            self.fill(4)
            self.play_one()


@examples(25)
@given(
    sessions(most_ms=1_500),
    plateaus,
    st.lists(st.tuples(st.integers(1, 40), plateaus), max_size=5),
)
def test_taking_blocks_back_never_bends_the_time_line(session, plateaus, changes):
    """New plateaus at any time; every edge stays where it was."""
    assume(not session.expectation.refusal)
    feed = Feed(session, plateaus)
    for blocks, new in changes:
        for _ in range(blocks):
            feed.fill(6)
            if feed.queue:
                feed.play_one()
        if feed.queue:
            feed.drop(1)
            feed.engine.set_plateaus(new)
    feed.play_all()
    undisturbed = play(session, (0, 0)).tape
    for i in (0, 1):
        assert [(p.start, p.end, p.first.end, p.first.minus)
                for p in feed.engine.tape.pulses[i]] == [
            (p.start, p.end, p.first.end, p.first.minus) for p in undisturbed.pulses[i]
        ]
    assert feed.engine.tape.turn == undisturbed.turn


live_shapes = st.fixed_dictionaries(
    {}, optional={"width_ns": st.integers(20_000, 600_000), "gap_ns": st.integers(2_000, 300_000)}
)


def after_change(
    old: Expectation, new: Expectation, i: int, played: int, moment: int
) -> list[Unit]:
    """The units of a channel of which so many were written before its shape was changed.

    The time line stays, but that channel 2 moves with channel 1's unit if they are simultaneous.
    The pulse that was due next comes even if it would not fit its train any more; if its time
    would now be over, it comes as soon after `moment` as GATE can lead it.
    """
    shift = new.origin(i) - old.origin(i)
    before = list(old.units(i))
    head = before[played : played + 1]
    due = head[0].nominal + shift if head else before[-1].train.start + before[-1].train.length
    after = [unit for unit in new.units(i) if unit.nominal >= due]
    if head and (not after or after[0].nominal != due):
        anything = 0, 10**9
        after.insert(0, replace(head[0], nominal=due, widths=anything, gap=new.shapes[i].gap))
    if head and shift < 0 and due < moment + new.board.lead:
        after[0] = replace(after[0], nominal=moment + new.board.lead)
    units = before[:played] + after
    if new.channels[i]["polarity"] == ALTERNATE:  # from unit to unit, as they are played
        units = [replace(unit, minus_first=k % 2 == 1) for k, unit in enumerate(units)]
    return units


@examples(80)
@given(
    st.one_of(sessions(most_ms=2_500), sessions(most_ms=2_500, lockstep=True)),
    plateaus, live_shapes, live_shapes, st.integers(1, 100),
)
def test_new_widths_act_from_the_replaced_block_on(session, plateaus, one, two, blocks):
    changed = session.but(one=one, two=two)
    old, new = session.expectation, changed.expectation
    assume(not old.refusal and not new.refusal)
    event(f"lockstep {old.lockstep}")
    feed = Feed(session, plateaus)
    for _ in range(blocks):
        feed.fill(6)
        if feed.queue:
            feed.play_one()
    feed.drop(1)
    moment = feed.written
    feed.engine.scheduler.swap(changed.plan())
    feed.play_all()
    tape = feed.engine.tape
    played = [
        sum(pulse.start < moment for pulse in tape.pulses[i])
        // (old.shapes[i].count // old.shapes[i].units)
        for i in (0, 1)
    ]
    checker = Checker(tape, new, plateaus)
    checker.units(
        in_order(*(
            after_change(old, new, i, played[i], moment) if old.on[i] else [] for i in (0, 1)
        ))
    )
    checker.nothing_else()
    checker.separation()
    checker.settling()
    assert not checker.line.caused
    for i in (0, 1):
        moves = checker.line.moves[i]
        count, most = feed.engine.scheduler.moved(i)
        # The pulse that was late at the change counts as moved, too.
        assert 0 <= count - len(moves) <= (new.origin(i) < old.origin(i))
        assert most >= max(moves, default=0)
        assert count > len(moves) or most == max(moves, default=0)
    assert tape.turn in (old.end, new.end)


def test_a_pulse_whose_time_is_over_by_a_change_still_has_gate_before_it():
    """Channel 1's unit gets 2 ms shorter, and channel 2's follows it into the past."""
    one = {
        "enabled": 1, "rate_mhz": 330_906, "ramp_up_ms": 0, "ramp_down_ms": 50, "on_ms": 10,
        "off_ms": 0, "gap_ns": 2_000, "width_ns": 1_000_000, "ramp_by": 1,
    }
    two = one | {"width_ns": 20_000, "ramp_by": 0}
    session = Session(one, two, {"pattern": SIMULTANEOUS, "duration_ms": 500})
    feed = Feed(session, (1_000, 1_000))
    for _ in range(33):
        feed.fill(6)
        if feed.queue:
            feed.play_one()
    feed.drop(1)
    moment = feed.written
    feed.engine.scheduler.swap(session.but(one={"width_ns": 20_000}).plan())
    feed.play_all()
    tape = feed.engine.tape
    first = next(pulse for pulse in tape.pulses[1] if pulse.start >= moment)
    gate = max(rises for rises, _ in tape.gates if rises <= first.start)
    assert first.start - gate >= session.board.lead
    assert first.start - moment < 2 * session.board.lead


def test_a_wider_pulse_of_channel_1_moves_channel_2_and_its_level_still_obeys():
    one = CONTINUOUS | {"rate_mhz": 500_000, "width_ns": 30_000, "gap_ns": 10_000}
    two = one | {"width_ns": 440_000, "gap_ns": 100_000}
    session = Session(one, two, {"duration_ms": 2_000, "pattern": SIMULTANEOUS})
    engine = Engine(session, (500, 300))
    engine.run(until_ms=500)
    engine.scheduler.swap(session.but(one=two).plan())
    engine.run(until_ms=600)
    zero = engine.tape.turn
    engine.set_plateaus((500, 0))
    engine.run(until_ms=1_000)
    after = [pulse.first.level for pulse in engine.tape.pulses[1] if pulse.start >= zero]
    assert len(after) > 150 and set(after[1:]) == {0}
    assert engine.scheduler.moved(1)[0] <= 1
