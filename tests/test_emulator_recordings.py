"""The same typed session on the emulated Pico and on the virtual board: the same files.

Two origins are the boards' own: the moment of the first pulse, from which the files count, and
the phase of the free-running amplitude PWM, which is set alike. All the rest must come out the
same: every edge to the clock, every current and charge to the last of its twelve digits.
"""

import io

import pico_rig
import pytest
from emulator_bench import needs_image
from rig import LEGS, Rig
from test_electrode import CYCLE, ON, RUSSIAN, SHAPES

from firmware.boards import pico_reference as board
from firmware.core.settings import ALTERNATING, INDEPENDENT, OVERLAPPED, SIMULTANEOUS
from rheobase.recording import write_csv, write_vcd

pytestmark = [pytest.mark.emulator, needs_image]

HZ = 125_000_000
PWM_CTR = 0x4005_0000 + 0x14 * (board.AMPLITUDE[0] >> 1 & 7) + 8
KEEP = ("edges", "phases", "waveform")
TWO = ON | CYCLE | {"rate_mhz": 45_000, "width_ns": 250_000, "count": 2}
FIFTY = ON | CYCLE | {"rate_mhz": 50_000, "width_ns": 350_000}
# The first contraction is played at zero; a channel's intensity is set in its rest behind it.
AT_S = {1: 2.1, 2: 2.1}
BURSTS = ON | CYCLE | RUSSIAN
NO_REST = {"off_ms": 0}
IN_TURNS = {1: 2.35, 2: 0.8}

SESSIONS = {
    **{
        name: (({"duration_ms": 5_000}, ON | CYCLE | shape), {1: AT_S[1]})
        for name, shape in SHAPES.items()
    },
    "slowest": (({"duration_ms": 9_000}, ON | CYCLE | SHAPES["slowest"]), {1: 4.3}),
    "simultaneous": (({"duration_ms": 5_000, "pattern": SIMULTANEOUS}, FIFTY, TWO), AT_S),
    "alternating": (
        (
            {"duration_ms": 6_000, "pattern": ALTERNATING},
            FIFTY | {"off_ms": 2_200},
            TWO | {"off_ms": 2_200},
        ),
        IN_TURNS,
    ),
    "overlapped": (
        ({"duration_ms": 6_000, "pattern": OVERLAPPED}, FIFTY | NO_REST, TWO | NO_REST),
        IN_TURNS,
    ),
    "independent": (({"duration_ms": 5_000, "pattern": INDEPENDENT}, FIFTY, TWO), AT_S),
    "Russian on both": (
        ({"duration_ms": 5_000, "pattern": SIMULTANEOUS}, BURSTS, BURSTS),
        AT_S,
    ),
}


@pytest.fixture(scope="module")
def virtual():
    return Rig(KEEP)


def play(rig, settings, at_s, align):
    """(VCD, CSV) of a session; `align(rig, origin)` sees to the PWM, or looks at it."""
    rig.do("*RST")
    rig.configure(*settings)
    rig.arm()
    rig.wait(1.5)  # the supply is where it will be
    discharge(rig.bench)
    before = rig.board.now
    rig.say("OUTP ON", 0)
    origin = first_leg(rig, before)
    align(rig, origin)
    for channel, seconds in at_s.items():
        line = f"CURR:LOCK OFF;:SOUR{channel}:CURR 1mA\n"
        rig.board.usb.write(line.encode(), at=origin + round(seconds * HZ))
    while rig.state == "RUNNING":
        rig.wait(0.3)
    assert rig.state == "IDLE", rig.ask("FAUL:TEXT?")
    rig.bench.settle()
    vcd, table = io.StringIO(), io.StringIO()
    end = origin + settings[0]["duration_ms"] * HZ // 1000  # what ends it then is the CPU
    write_vcd(rig.recorder, vcd, origin - HZ // 1000, end, origin=origin - HZ // 1000)
    write_csv(rig.recorder, table, origin=origin)
    return vcd.getvalue(), table.getvalue()


def discharge(bench):
    """What an earlier session has left in the capacitors is not this one's."""
    bench.settle()
    for number in (1, 2):
        bench.channel(number).v_p = bench.channel(number).v_b = 0.0


def first_leg(rig, before):
    for _ in range(2_000):
        rig.wait(0.001)
        clocks, levels = rig.recorder.edge_clocks, rig.recorder.edge_levels
        for i in range(len(clocks) - 1, -1, -1):
            if clocks[i] <= before:
                break
            if levels[i] & LEGS and not any(
                level & LEGS for clock, level in zip(clocks[:i], levels[:i], strict=True)
                if clock > before
            ):
                return clocks[i]
    raise AssertionError("no pulse")


@pytest.mark.parametrize("name", SESSIONS)
def test_both_boards_write_the_same_files(virtual, name):
    pico = pico_rig.ready()
    settings, at_s = SESSIONS[name]
    period = board.PWM_TOP + 1
    phase = []

    def look(rig, origin):
        phase.append((rig.board.read32(PWM_CTR) - (rig.board.now - origin)) % period)

    def set_alike(rig, origin):
        count = (phase[0] + rig.board.now - origin) % period
        slice_ = rig.board.chip.pwm.slices[board.AMPLITUDE[0] >> 1 & 7]
        slice_.set_count(count, rig.board.now)

    vcd, table = play(pico, settings, at_s, look)
    expected_vcd, expected_table = play(virtual, settings, at_s, set_alike)
    rows = table.splitlines()
    assert len(rows) > 2
    assert any(row.split(",")[3] != "0" for row in rows[1:]), "nothing but zero was played"
    for row, expected in zip(rows, expected_table.splitlines(), strict=True):
        assert row == expected
    assert vcd == expected_vcd
