"""What README has a person type does what README says."""

import re
from pathlib import Path

from rig import Rig

README = Path(__file__).resolve().parents[1] / "README.md"


def typed_lines():
    text = README.read_text()
    block = re.search(r"Then type\n\n((?: {7}.*\n)+)", text)
    assert block is not None
    return [line.strip() for line in block[1].splitlines()]


def test_the_lines_of_the_first_pulse_lead_to_pulses_and_their_end():
    rig = Rig()
    rig.bench.try_stop()
    rig.wait(0.2)
    lines = typed_lines()
    assert lines[-1] == "!" and len(lines) > 8
    digest = ""
    for line in lines[:-1]:
        line = re.sub(r'ARM "\w+"', f"ARM {digest}", line)
        answer = rig.say(line, 1.0)
        assert "**" not in answer and not re.search(r"\b-\d{3},", answer), (line, answer)
        found = re.search(r'"?[0-9A-F]{8}"?', answer)
        if line == "ARM:HASH?":
            assert found, answer
            digest = found[0]
    began = rig.board.now
    rig.wait(1)
    pulses = [pulse for pulse in rig.pulses(1) if pulse.start > began]
    assert len(pulses) in (49, 50, 51)
    assert abs(pulses[-1].delivered_1_a - 1.02e-3) < 0.05e-3
    assert pulses[-1].width_1 == 200 * 125
    rig.board.usb.write(b"!")
    rig.wait(0.01)
    assert not rig.outputs()
