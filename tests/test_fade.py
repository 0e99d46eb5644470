"""Down to zero and on again: what a pause, a stop and a resume do to the tape."""

import pytest
from engine_bench import Engine, Session, play
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import block_targets_ms, examples, plateaus, sessions

CONTINUOUS = {"enabled": 1, "on_ms": 0, "ramp_up_ms": 0, "ramp_down_ms": 0, "rate_mhz": 100_000}


def edges(pulses) -> list[tuple]:
    return [(p.start, p.first.end, p.second.start, p.end, p.first.minus) for p in pulses]


@examples(40)
@given(
    sessions(most_ms=2_000), plateaus, st.integers(0, 100), st.integers(1, 1_000),
    block_targets_ms,
)
def test_a_fade_ends_in_time_and_bends_nothing_but_the_levels(
    session, plateaus, blocks, fade_ms, target_ms
):
    assume(not session.expectation.refusal)
    undisturbed = play(session, plateaus).tape
    engine = Engine(session, plateaus)
    while engine.blocks < blocks and not engine.ended:
        engine.block(target_ms)
    assume(not engine.ended)
    begun = engine.tape.turn
    turns = fade_ms * session.board.ms(1)
    engine.scheduler.fade(turns)
    engine.run(target_ms=target_ms)
    # What was due before its end may be moved behind the other channel's unit.
    longest = sum(shape.unit for shape in session.expectation.shapes)
    assert engine.tape.turn <= begun + turns + longest + 200
    for i in (0, 1):
        faded = engine.tape.pulses[i]
        plain = undisturbed.pulses[i][: len(faded)]
        assert edges(faded) == edges(plain)
        assert all(a.first.level <= b.first.level for a, b in zip(faded, plain, strict=True)
                   if a.start >= begun)
        assert engine.tape.levels[i] == 0


@pytest.mark.parametrize("fade_ms", [50, 1_000])
def test_a_fade_goes_down_in_a_line(fade_ms):
    session = Session(CONTINUOUS, {}, {"duration_ms": 10_000})
    engine = Engine(session, (1_000, 0))
    engine.run(until_ms=2_000)
    begun = engine.tape.turn
    engine.scheduler.fade(session.board.ms(fade_ms))
    engine.run()
    pulses = [pulse for pulse in engine.tape.pulses[0] if pulse.start >= begun]
    assert len(pulses) == fade_ms // 10
    for pulse in pulses[1:]:
        left = fade_ms - (pulse.start - begun) / session.board.ms(1)
        assert pulse.first.level == pytest.approx(1_000 * left / fade_ms, abs=15)


def test_a_second_fade_may_be_sooner_but_not_later():
    session = Session(CONTINUOUS, {}, {"duration_ms": 10_000})
    for second_ms, end_ms in ((100, 300), (5_000, 1_000)):
        engine = Engine(session, (1_000, 0))
        engine.scheduler.fade(session.board.ms(1_000))
        engine.run(until_ms=200)
        at_ms = engine.tape.turn / session.board.ms(1)
        engine.scheduler.fade(session.board.ms(second_ms))
        engine.run()
        ended_ms = engine.tape.turn / session.board.ms(1)
        assert ended_ms <= (at_ms + 100 if end_ms == 300 else 1_000) + 1
        levels = [pulse.first.level for pulse in engine.tape.pulses[0]]
        assert levels == sorted(levels, reverse=True)


@examples(25)
@given(sessions(most_ms=1_500), plateaus, st.integers(0, 60), st.integers(1, 300))
def test_after_a_resume_the_line_goes_on_from_amplitude_zero(session, plateaus, blocks, fade_ms):
    assume(not session.expectation.refusal)
    undisturbed = play(session, plateaus).tape
    engine = Engine(session, plateaus)
    while engine.blocks < blocks and not engine.ended:
        engine.block()
    engine.scheduler.fade(fade_ms * session.board.ms(1))
    engine.run()
    resumed = engine.tape.turn
    engine.scheduler.resume()
    engine.writer.ended = False
    engine.run()
    for i in (0, 1):
        assert len(engine.tape.pulses[i]) == len(undisturbed.pulses[i])
        after = [pulse for pulse in engine.tape.pulses[i] if pulse.start >= resumed]
        assert {pulse.first.level for pulse in after} <= {0}
        plain = undisturbed.pulses[i][len(engine.tape.pulses[i]) - len(after) :]
        # What was moved by a collision may be moved otherwise when it begins anew.
        assert [p.width for p in after] == [p.width for p in plain]
        if after:
            room = after[0].start - resumed
            assert room >= session.board.settle + session.board.lead
