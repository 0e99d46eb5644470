"""The judge of typed lines lets a stop cut a phase short, and nothing else."""

from judge import CLOCKS_PER_S, Judge
from rig import GATE, LEGS, Rig

from rheobase.sim.bench.recorder import Phase

RISE = 0b000100  # CH1+
PERIOD = CLOCKS_PER_S // 100


def rises(rig):
    levels = rig.recorder.edge_levels
    changes = zip(rig.recorder.edge_clocks[1:], levels[1:], levels, strict=False)
    return [clock for clock, level, before in changes if level & RISE and not before & RISE]


def phase_of(width_us, end=CLOCKS_PER_S):
    start = end - round(width_us * 125)
    return Phase(1, 1, start, start, end, 0.0, 0.0, 0.0, CLOCKS_PER_S)


def test_a_phase_cut_by_the_trip_is_lawful():
    judge = Judge()
    rig = Rig(("edges",), judge.phase, on_edge=judge.edge)
    rig.do("SOUR1:STAT ON;FREQ 100;PULS:WIDT 100us;:SOUR1:CYCL:ON INF;:SOUR1:RAMP:UP 0")
    rig.do("SESS:DUR 60")
    judge.may_start(rig.board.now)
    rig.start()
    rig.wait(0.05)
    last = rises(rig)[-1]
    begin = last + (rig.board.now - last) // PERIOD * PERIOD + 2 * PERIOD
    rig.board.run_until(begin - 400)
    rig.bench.force_trip(begin + 5 * 125)
    rig.board.run_until(begin + 30_000)
    assert rises(rig)[-1] == begin, "the trip was to come in this phase"
    assert rig.recorder.edge_clocks[-1] - begin < 10 * 125
    assert judge.phases > 4
    judge.look(rig.recorder)


def test_a_short_phase_that_no_stop_cut_is_told():
    judge = Judge()
    judge.may_start(0)
    judge.edge(CLOCKS_PER_S, GATE)  # the leg is low again, its gate is not
    judge.phase(phase_of(17.8))
    judge.edge(CLOCKS_PER_S + 12_501, 0)
    assert judge.wrong == ["phase of 17.8 us"]


def test_a_long_phase_is_told_even_when_a_stop_ended_it():
    judge = Judge()
    judge.may_start(0)
    judge.edge(CLOCKS_PER_S, 0)
    judge.phase(phase_of(1001))
    assert judge.wrong == ["phase of 1001.0 us"]


def test_a_short_phase_that_its_opposite_follows_is_told():
    judge = Judge()
    judge.may_start(0)
    judge.phase(phase_of(17.8))
    judge.edge(CLOCKS_PER_S, GATE)
    judge.edge(CLOCKS_PER_S + 125, GATE | LEGS & -LEGS)
    judge.edge(CLOCKS_PER_S + 250, 0)
    assert judge.wrong == ["phase of 17.8 us"]
