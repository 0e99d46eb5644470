"""What the tests of the measured output share: a board that plays, and answers as numbers."""

from rig import LEGS, Rig

from rheobase.sim.bench.loads import LOADS

CLOCK_HZ = 125_000_000
LSB_A = 3.3 / 4096 / 10


def running(current_ma=5, rate_hz=50, width_us=300, gap_us=100, load="nominal", extra=""):
    """A board with channel 1 playing at a current."""
    rig = Rig()
    rig.bench.electrode[1] = LOADS[load] if isinstance(load, str) else load
    rig.do(
        f"SOUR1:STAT ON;FREQ {rate_hz};PULS:WIDT {width_us}us;GAP {gap_us}us;"
        f":SOUR1:CYCL:ON INF;:SOUR1:RAMP:UP 0.1{extra}"
    )
    rig.do("SESS:DUR 600;STAN ON")
    rig.start()
    rig.climb(current_ma)
    rig.wait(0.3)
    assert rig.state == "RUNNING"
    return rig


def off_after(rig, fault, within_s):
    """Seconds from a fault injected now to the last leg's fall."""
    said = rig.board.now
    fault(rig)
    rig.wait(within_s + 0.4)
    assert not rig.board.chip.gpio.levels & LEGS
    clocks, levels = rig.recorder.edge_clocks, rig.recorder.edge_levels
    last = next(i for i in range(len(levels) - 1, -1, -1) if levels[i] & LEGS)
    assert last + 1 < len(clocks)
    after = (clocks[last + 1] - said) / CLOCK_HZ
    assert after <= within_s, f"off after {after} s"
    assert rig.ask("SOUR1:CURR?") == "0"
    return after


def numbers(answer):
    return [float(part) for part in answer.split(",")]
