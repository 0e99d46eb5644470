"""A fault is cleared in FAULT alone, with its cause gone; what a black box shows of inputs."""

from types import SimpleNamespace

import pytest
from units import refusal

from firmware.safety import boxtext, selftest
from firmware.safety.blackbox import BlackBox
from firmware.safety.states import FAULT, NAMES


def faulty(state=FAULT, latched=0, high=False):
    did = []
    return SimpleNamespace(
        did=did, state=state, storage=SimpleNamespace(
            latched=latched, cleared=lambda: did.append("cleared")),
        outputs=SimpleNamespace(clear_latch=lambda: did.append("latch"), trip=lambda: high),
        fault=SimpleNamespace(clear=lambda: did.append("fault")),
        states=SimpleNamespace(take=did.append),
    )  # fmt: skip


def test_a_cleared_fault_leads_into_the_self_test():
    one = faulty()
    selftest.clear_fault(one)
    assert one.did == ["latch", "fault", "cleared", "clear"]


@pytest.mark.parametrize(("values", "word", "did"), [
    *[({"state": state}, NAMES[state], []) for state in range(8) if state != FAULT],
    ({"latched": 7}, "cutting the power", []),
    ({"high": True}, "trip line", ["latch"]),
])  # fmt: skip
def test_a_fault_that_cannot_be_cleared_says_why(values, word, did):
    one = faulty(**values)
    code, text = refusal(selftest.clear_fault, one)
    assert code == -221 and word in text
    assert one.did == did


@pytest.mark.parametrize("inputs", range(4))
def test_the_black_box_tells_trip_line_and_stop_button(inputs):
    box = BlackBox()
    box.watch(5, 0, inputs)
    data = b"".join(bytes(part) for part in boxtext.written(box, 7))
    shown = list(boxtext.events(data, boxtext.head(data)[2], 1, 9))
    assert f"5,inputs,trip {inputs & 1} stop {inputs >> 1}" in shown
    assert boxtext.head(b"something else") == (0, 0, 0)


def test_a_command_is_shown_as_printable_text():
    box = BlackBox()
    box.command(b' !"#~\x7f\x1f;')
    data = b"".join(bytes(part) for part in boxtext.written(box, 7))
    assert list(boxtext.events(data, 1, 1, 9))[0].split(",", 2)[2] == " !?#~??|"
