"""What arming asks of a person, by itself."""

from binascii import crc32
from types import SimpleNamespace

import pytest
from units import refusal

from firmware.core.settings import CHANNEL, SESSION, Settings
from firmware.safety.approval import Approval


class Asked:
    """Board and stimulator as far as the approval asks them."""

    NAME = "a board"

    def __init__(self, *enabled):
        self.pressed = False
        self.outputs = SimpleNamespace(stop_pressed=lambda: self.pressed)
        self.channels = [Settings(CHANNEL), Settings(CHANNEL)]
        for channel in (0, 1):
            self.channels[channel].enabled = 1 if channel in enabled else 0
        self.session = Settings(SESSION)
        self.approval = Approval(self, self)

    def try_button(self):
        for self.pressed in (True, False):
            self.approval.look(self.pressed)


def test_what_is_missing_is_named_in_its_order():
    asked = Asked(0, 1)
    approval = asked.approval
    missing = []
    for step in (
        lambda: None,
        asked.try_button,
        lambda: approval.acknowledge("D1"),
        lambda: approval.entered(0, {"pad_mm2": 900}),
    ):
        step()
        code, text = refusal(approval.check)
        assert code == -221
        missing.append(text)
    approval.entered(1, {"width_ns": 1})
    refusal(approval.check)
    approval.entered(1, {"width_ns": 1, "pad_mm2": 900})
    approval.check()
    for text, word in zip(
        missing, ("not tried", "checklist", "channel 1", "channel 2"), strict=True
    ):
        assert word in text
    asked.pressed = True
    code, text = refusal(approval.check)
    assert (code, "pressed" in text) == (-221, True)


def test_a_button_counts_as_tried_when_pressed_and_released():
    asked = Asked()
    approval = asked.approval
    approval.look(False)
    assert not approval.tried()
    approval.look(True)
    assert not approval.tried()
    approval.look(False)
    assert approval.tried()
    approval.look(True)
    assert approval.tried()


@pytest.mark.parametrize("enabled", [(), (0,), (1,)])
def test_a_pad_area_is_asked_for_of_an_enabled_channel_only(enabled):
    asked = Asked(*enabled)
    approval = asked.approval
    asked.try_button()
    approval.acknowledge(approval.checklist())
    for channel in enabled:
        approval.entered(1 - channel, {"pad_mm2": 900})
        assert f"channel {channel + 1}" in refusal(approval.check)[1]
        approval.entered(channel, {"pad_mm2": 900})
    approval.check()
    approval.forget()
    if enabled:
        assert f"channel {enabled[0] + 1}" in refusal(approval.check)[1]
    else:
        approval.check()


def test_an_acknowledgement_is_of_the_checklist_in_force_and_for_one_session():
    asked = Asked()
    approval = asked.approval
    asked.try_button()
    code, text = refusal(approval.acknowledge, "D2")
    assert (code, "D2" in text, "D1" in text) == (-224, True, True)
    assert "checklist" in refusal(approval.check)[1]
    approval.acknowledge("D1")
    approval.check()
    approval.used()
    assert "checklist" in refusal(approval.check)[1]


def test_the_hash_is_over_every_setting():
    asked = Asked(0)
    text = "a board;"
    for mark, fields, values in (
        ("1", CHANNEL, asked.channels[0]),
        ("2", CHANNEL, asked.channels[1]),
        ("s", SESSION, asked.session),
    ):
        for field in fields:
            text += f"{mark}:{field[0]}={getattr(values, field[0])};"
    expected = "{:08X}".format(crc32(text.encode()))
    assert asked.approval.hash() == expected
    asked.channels[1].width_ns += 1
    assert asked.approval.hash() != expected
