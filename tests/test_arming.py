"""Arming: nothing is skipped, every test of the stops can fail, and what lapses lapses."""

from binascii import crc32

import pytest
from rig import OUTPUTS, Rig, with_change

from firmware.boards import pico_reference as board
from firmware.core.settings import CHANNEL, SESSION
from rheobase.sim.bench.bench import Bench
from rheobase.sim.bench.recorder import Recorder
from rheobase.sim.bench.wiring import Wiring
from rheobase.sim.board import VirtualBoard, repository_files


def untouched():
    """A board past its self-test whose stop button nobody has tried."""
    bench = Bench(Wiring.of(board), Recorder(("edges",)))
    virtual = VirtualBoard(bench=bench)
    virtual.start()
    virtual.run_for(1.0)
    virtual.usb.read()
    return bench, virtual


def say(virtual, line):
    virtual.usb.write(line.encode() + b"\n")
    virtual.run_for(0.03)
    return virtual.usb.read().decode().strip()


def why_not(virtual):
    say(virtual, f"*CLS;ARM {say(virtual, 'ARM:HASH?')}")
    return say(virtual, "SYST:ERR?")


def test_every_step_is_asked_for_in_its_order():
    bench, virtual = untouched()
    say(virtual, "SOUR1:STAT ON;:SOUR2:STAT ON")
    bench.press_stop()
    virtual.run_for(0.02)
    assert "stop button pressed" in why_not(virtual)
    bench.release_stop()
    virtual.run_for(0.02)
    assert "checklist not acknowledged" in why_not(virtual)
    say(virtual, 'CHEC:ACKN "D0"')
    assert "-224" in say(virtual, "SYST:ERR?")
    assert "checklist not acknowledged" in why_not(virtual)
    say(virtual, 'CHEC:ACKN "D1"')
    assert "pad area of channel 1" in why_not(virtual)
    say(virtual, "SOUR1:PAD:AREA 9")
    assert "pad area of channel 2" in why_not(virtual)
    say(virtual, "SOUR2:PAD:AREA 9")
    say(virtual, '*CLS;ARM "00000000"')
    assert "hash" in say(virtual, "SYST:ERR?")
    assert say(virtual, "SESS:STAT?") == "IDLE"
    assert why_not(virtual) == '0,"No error"'
    virtual.run_for(0.6)
    assert say(virtual, "SESS:STAT?") == "ARMED"
    assert bench.recorder.phase_counts == [32, 32]  # of the electrode check, and no other


def test_a_stop_button_that_was_never_tried_is_refused():
    _, virtual = untouched()
    say(virtual, 'SOUR1:STAT ON;PAD:AREA 9;:CHEC:ACKN "D1"')
    assert "not tried" in why_not(virtual)


def test_the_hash_is_that_of_every_setting():
    rig = Rig(keep=())
    rig.do("SOUR2:FREQ 77;:SESS:DUR 12")

    def expected(**changed):
        text = board.NAME + ";"
        for mark, fields in (("1", CHANNEL), ("2", CHANNEL), ("s", SESSION)):
            for field in fields:
                value = changed.get(mark + field[0], field[6])
                text += f"{mark}:{field[0]}={value};"
        return f'"{crc32(text.encode()):08X}"'

    assert rig.ask("ARM:HASH?") == expected(**{"2rate_mhz": 77_000, "sduration_ms": 12_000})


def test_a_change_or_a_minute_disarms_and_a_session_uses_up_the_acknowledgement():
    rig = Rig(keep=())
    rig.do("SOUR1:STAT ON;CYCL:ON INF;:SESS:DUR 1;:SOUR1:RAMP:UP 0.1;DOWN 0.1")
    rig.arm()
    assert rig.state == "ARMED"
    rig.do("SOUR1:FREQ 50")
    assert rig.state == "IDLE"
    rig.arm()
    rig.wait(59)
    assert rig.state == "ARMED"
    rig.wait(2)
    assert rig.state == "IDLE"
    rig.wait(0.3)
    assert rig.bench.supply.volts(rig.board.now) < 20
    rig.start()
    rig.wait(1.5)
    assert rig.state == "IDLE"
    assert "checklist" in rig.error(f"ARM {rig.ask('ARM:HASH?')}")


def test_the_way_up_locks_itself():
    rig = Rig(keep=())
    rig.do("SOUR1:STAT ON;CYCL:ON INF;:SESS:DUR 60")
    rig.start()
    rig.do("SOUR1:CURR 1mA")
    rig.wait(3.9)
    rig.do("SOUR1:CURR 2mA")
    rig.wait(4.1)
    assert "locked" in rig.error("SOUR1:CURR 3mA")
    rig.do("SOUR1:CURR 1mA")  # down is never locked
    assert "locked" in rig.error("SOUR1:CURR 2mA")
    rig.do("CURR:LOCK OFF")
    rig.do("SOUR1:CURR 2mA")
    rig.do("CURR:LOCK ON")
    rig.wait(0.6)
    assert "locked" in rig.error("SOUR1:CURR 3mA")


AT_ARM = {
    "latch does not cut": (lambda rig: None, {"latch_cuts_power": False}, 47),
    "trip test line open": (lambda rig: rig.bench.break_trip_test(), {}, 44),
    "supply weak": (lambda rig: rig.bench.set_supply(150), {}, 46),
    "supply stuck on": (lambda rig: rig.bench.stick_supply(), {}, 47),
    "supply held by a long monostable": (lambda rig: None, {"supply_hold_s": 5.0}, 48),
}


@pytest.mark.parametrize("fault", AT_ARM)
def test_a_stop_that_does_not_work_is_found_at_arming(fault):
    act, wiring, number = AT_ARM[fault]
    rig = Rig(keep=("edges",), wiring=wiring)
    rig.do("SOUR1:STAT ON")
    act(rig)
    rig.say(rig.arming())
    rig.settle()
    assert rig.state == "FAULT"
    assert rig.ask("FAUL?") == str(number), rig.ask("FAUL:TEXT?")
    assert rig.outputs() == 0
    assert "-221" in rig.error(rig.arming())


AT_BOOT = {
    "no pull-down": (lambda rig: rig.bench.lose_pull_down(board.LEGS_BASE), 50),
    "sense off zero": (lambda rig: setattr(rig.bench.sense[2], "offset_v", 0.02), 18),
}


@pytest.mark.parametrize("fault", AT_BOOT)
def test_what_the_self_test_finds(fault):
    act, number = AT_BOOT[fault]
    rig = Rig(keep=("edges",))
    act(rig)
    rig.board.reset()
    rig.board.run_while(lambda: not rig.board.usb.connected, 3)
    rig.wait(0.2)
    rig.settle()
    assert rig.ask("FAUL?") == str(number), rig.ask("FAUL:TEXT?")
    assert rig.outputs() == 0


def test_a_damaged_or_unlisted_file_of_the_firmware_is_found():
    good = repository_files()
    for change, named in (
        (lambda flash: flash.files.update({"/firmware/core/limits.py": b"LIMITS = {}"}), "limits"),
        (lambda flash: flash.files.pop("/manifest.txt"), "manifest"),
    ):
        rig = Rig(keep=(), files=good)
        change(rig.board.flash)
        assert rig.ask("SESS:STAT?") == "IDLE"
        rig.bench.press_stop()  # a fault's clearing tests everything again
        rig.do("SOUR1:STAT ON")
        rig.bench.release_stop()
        rig.wait(0.02)
        rig.arm()
        rig.bench.press_stop()
        rig.wait(0.1)
        rig.bench.release_stop()
        rig.do("FAUL:CLE")
        rig.settle()
        assert rig.ask("FAUL?") == "51"
        assert named in rig.ask("FAUL:TEXT?")


def running(**options):
    rig = Rig(**options)
    rig.do("SOUR1:STAT ON;FREQ 100;:SOUR1:CYCL:ON INF;:SOUR1:RAMP:UP 0;:SESS:DUR 60")
    rig.start()
    rig.do("SOUR1:CURR 1mA")
    return rig


def test_a_hung_loop_is_reset_by_the_watchdog_and_that_is_a_fault():
    rig = running()
    rig.wait(0.2)
    rig.board.hold_cpu()
    held = rig.board.now
    rig.wait(0.7)
    reset = [event.clock for event in rig.recorder.events if event.kind == "reset"]
    assert reset and (reset[-1] - held) / 125e6 <= 0.52
    rig.board.hold_cpu(False)
    rig.board.run_while(lambda: not rig.board.usb.connected, 3)
    rig.wait(0.3)
    rig.board.usb.read()
    assert rig.ask("FAUL?") == "41"
    assert not rig.recorder.edge_levels[-1] & OUTPUTS
    rig.do("FAUL:CLE")
    rig.settle()
    rig.do("SOUR1:STAT ON")
    assert "not tried" in rig.error(rig.arming())


def test_a_bit_flip_in_the_inspectors_limits_stops_the_output():
    files = with_change(
        "/firmware/safety/playing.py",
        "        if tape.ended:\n",
        "        if self.elapsed_ms() > 300:\n            tape.inspector._box[8] = 2000\n"
        "        if tape.ended:\n",
    )
    rig = running(files=files)
    rig.wait(1.5)
    assert rig.ask("FAUL?") == "42"
    assert rig.outputs() == 0


def test_a_bit_flip_in_the_table_of_limits_is_found_at_arming():
    files = with_change(
        "/firmware/safety/approving.py",
        "    approval.acknowledged = True\n",
        "    approval.acknowledged = True\n    from firmware.core.limits import LIMITS\n"
        "    LIMITS['rms_ua'] = (LIMITS['rms_ua'][0] ^ 1 << 14, '', '')\n",
    )
    rig = Rig(keep=("edges",), files=files)
    rig.do("SOUR1:STAT ON")
    rig.say(rig.arming())
    rig.settle()
    assert rig.ask("FAUL?") == "42"
    assert rig.outputs() == 0


@pytest.mark.parametrize("task", ["TAPE", "LOOP", "LIMITS"])
def test_a_task_that_does_not_check_in_ends_the_heartbeat_and_the_output(task):
    files = with_change(
        "/firmware/safety/supervisor.py",
        "        self._seen |= task\n",
        "        self._calls = getattr(self, '_calls', 0) + 1\n"
        "        if self._calls > 500:\n"
        f"            task &= ~{task}\n"
        "        self._seen |= task\n",
    )
    rig = running(files=files)
    rig.wait(3)
    assert rig.ask("FAUL?") == "40"
    assert rig.outputs() == 0
