"""Speed and memory of the firmware on the emulated Pico stay within their bars."""

import pytest
from emulator_bench import needs_image

from rheobase.emulator.device_bench import Figure, measure


@pytest.fixture(scope="module")
def figures():
    return list(measure(0.5))


@needs_image
def test_every_bar_holds(figures):
    over = [figure.line() for figure in figures if not figure.ok]
    assert not over, "\n".join(over)
    assert sum(bool(figure.bar) for figure in figures) >= 8


@needs_image
def test_more_than_a_thousand_phases_a_second_play_on(figures):
    most = [figure.value for figure in figures if figure.name.startswith("most phases")]
    assert len(most) == 2 and min(most) > 1000


def test_a_bar_is_held_on_its_side():
    assert Figure("a", 3, "s", most=3).ok and not Figure("a", 3.1, "s", most=3).ok
    assert Figure("a", 3, "s", least=3).ok and not Figure("a", 2.9, "s", least=3).ok
    assert Figure("a", 3, "s").ok
    assert "OVER" in Figure("a", 4, "s", most=3).line()
    assert "ok" in Figure("a", 2, "s", most=3).line()
