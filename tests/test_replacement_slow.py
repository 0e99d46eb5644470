"""A live change on a board whose processor takes its time to write a block: the tape goes on."""

import pytest
from rig import Rig, with_change

SLOW = "reason = inspector.inspect(halves, words, turns)\n"


def slow(write_ms):
    """The firmware with so much more time for each block that it writes while the tape plays."""
    late = f"""
        if self.running:
            import time
            time.sleep_ms({write_ms})
"""
    return with_change("/firmware/core/feeder.py", SLOW, SLOW + late)


@pytest.mark.parametrize("write_ms", [2, 4, 6])
def test_a_change_at_any_moment_of_a_block_loses_no_pulse(write_ms):
    rig = Rig(files=slow(write_ms))
    for line in ("SOUR1:STAT ON;FREQ 40;:SOUR1:CYCL:ON INF;:SOUR1:RAMP:UP 0", "SESS:DUR 60"):
        rig.do(line)
    rig.start()
    rig.wait(0.5)
    for number in range(30):
        rig.say(f"SOUR1:CURR {0.5 + number % 2 / 10:.1f}mA", 0.1013)
        assert rig.state == "RUNNING", rig.ask("FAUL:TEXT?")
    starts = [pulse.start for pulse in rig.pulses(1)]
    gaps = {b - a for a, b in zip(starts, starts[1:], strict=False)}
    assert len(starts) > 100 and gaps == {125_000_000 // 40}


def test_a_session_whose_first_blocks_took_long_begins():
    """They were inspected: nobody waits for another one, which is not due yet."""
    late = "        if not self.running:\n            import time\n            time.sleep_ms(9)\n"
    files = with_change("/firmware/core/feeder.py", SLOW, SLOW + late)
    rig = Rig(files=files)
    rig.do("SOUR1:STAT ON;FREQ 60;PULS:WIDT 40us;GAP 20us;:SOUR1:BURS:COUN 20;INT 200us")
    rig.do("SOUR1:CYCL:ON INF;:SOUR1:RAMP:UP 0;:SESS:DUR 60")
    rig.start()
    rig.wait(0.5)
    assert rig.state == "RUNNING", rig.ask("FAUL:TEXT?")
