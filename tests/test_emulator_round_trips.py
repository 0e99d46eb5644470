"""Commands while both channels run on genuine MicroPython: how long they take."""

import pytest
from emulator_bench import needs_image

from rheobase.emulator import round_trips
from rheobase.emulator.running import configure_both, connected, start

pytestmark = [pytest.mark.emulator, needs_image]


def test_commands_are_answered_and_intensities_act_in_time():
    """Some of what `python -m rheobase.emulator.round_trips` measures."""
    found = round_trips.measure(commands=48, steps=6, seed=3)
    print(f"median {found.median:.2f} ms, 99 % within {found.most:.2f} ms, "
          f"intensity {max(found.amplitude):.1f} ms")  # fmt: skip
    assert found.median <= round_trips.MEDIAN_MS
    assert found.most <= round_trips.MOST_MS
    assert max(found.amplitude) <= round_trips.AMPLITUDE_MS


@pytest.mark.parametrize("unit", ["*STB?", ":CURR?", ":MEAS1:CURR?", ":LEDG1?"])
def test_the_tape_plays_on_behind_a_full_line_of_queries(unit):
    line = ";".join([unit] * (250 // (len(unit) + 1)))
    with connected() as (pico, stimulator):
        configure_both(stimulator)
        start(stimulator)
        for _ in range(3):
            took_ms = round_trips.round_trip(pico, line, pico.now + pico.clocks(0.05))
            pico.run_for(0.2)
        assert took_ms > 50, "too short to show anything: 70 ms are queued"
        assert stimulator.state == "RUNNING", stimulator.fault
