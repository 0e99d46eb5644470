"""Commands while both channels run on genuine MicroPython: how long they take."""

import pytest
from emulator_bench import needs_image

from rheobase.emulator import round_trips

pytestmark = [pytest.mark.emulator, needs_image]


def test_commands_are_answered_and_intensities_act_in_time():
    """Some of what `python -m rheobase.emulator.round_trips` measures."""
    found = round_trips.measure(commands=48, steps=6, seed=3)
    print(f"median {found.median:.2f} ms, 99 % within {found.most:.2f} ms, "
          f"intensity {max(found.amplitude):.1f} ms")  # fmt: skip
    assert found.median <= round_trips.MEDIAN_MS
    assert found.most <= round_trips.MOST_MS
    assert max(found.amplitude) <= round_trips.AMPLITUDE_MS
