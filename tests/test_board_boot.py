"""Booting, resetting, crashing."""

import pytest
from board_rig import BOOT_S, MS, board_with, printed_lines, run

from rheobase.sim.errors import FirmwareCrash, HardFault, NotModelled, UseAfterFree

BLINK = """
    import machine, time
    pin = machine.Pin(3, machine.Pin.OUT, value=1)
    try:
        while True:
            time.sleep_ms(10)
    finally:
        pin.value(0)
"""
HIGH = 1 << 3


def test_boot_then_main_share_their_names():
    lines = printed_lines("print(name, __name__, __file__)", boot="name = 'set in boot'")
    assert lines == ["set in boot __main__ main.py"]


def test_main_is_skipped_when_boot_fails():
    board = board_with("import machine\nmachine.Pin(3, machine.Pin.OUT, value=1)", boot="1 / 0")
    board.power_on()
    with pytest.raises(FirmwareCrash):
        board.run_for(1)
    board.run_for(1)
    assert board.edges == []
    assert board.usb.connected


def test_an_exception_of_the_firmware_surfaces_with_its_traceback():
    board = board_with("def f():\n    return 1 // 0\nf()")
    board.power_on()
    with pytest.raises(FirmwareCrash) as caught:
        board.run_for(1)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert isinstance(board.crash.__cause__, ZeroDivisionError)
    board.usb.write(b"\r")
    board.run_for(1)  # the prompt is there, as on the port
    assert b">>> " in board.usb.read()


def test_a_crash_can_be_recorded_only():
    board, text = run("def f():\n    return {}['x']\nf()", raise_crashes=False)
    assert "Traceback (most recent call last):" in text
    assert '  File "main.py", line 4, in f\nKeyError: ' in text
    assert isinstance(board.crash.__cause__, KeyError)


def test_a_syntax_error_is_a_crash():
    board = board_with("def\n")
    board.power_on()
    with pytest.raises(FirmwareCrash) as caught:
        board.run_for(1)
    assert isinstance(caught.value.__cause__, SyntaxError)


def test_ctrl_c_raises_in_the_firmware_and_leads_to_the_prompt():
    board = board_with(BLINK)
    board.start()
    board.usb.read()
    board.usb.write(b"\x03")
    board.run_for(0.05)
    text = board.usb.read().decode()
    assert "KeyboardInterrupt: " in text
    assert text.endswith(">>> ")
    assert board.level(3) == 0  # its finally ran
    assert board.crashes == []


def test_ctrl_c_is_data_when_the_firmware_wants_it_so():
    board = board_with("""
        import micropython, sys
        micropython.kbd_intr(-1)
        while True:
            print(sys.stdin.buffer.read(3))
    """)
    board.start()
    board.usb.write(b"A\x03B")
    board.run_for(0.05)
    assert board.usb.read() == b"b'A\\x03B'\r\n"


def test_ctrl_c_discards_what_was_received_before_it():
    board = board_with("""
        import sys, time
        try:
            time.sleep_ms(2000)
        except KeyboardInterrupt:
            print("stopped", sys.stdin.buffer.read(2))
    """)
    board.start()
    board.usb.write(b"old\x03ne")
    board.run_for(2)
    assert board.usb.read().startswith(b"stopped b'ne'\r\n")


def test_a_bare_except_is_stopped_by_ctrl_c_but_not_by_a_reset():
    board = board_with("""
        import machine, time
        machine.WDT(timeout=200)
        while True:
            try:
                time.sleep_ms(10)
            except:
                pass
    """)
    board.power_on()
    board.run_for(1)
    assert board.resets >= 3  # power-up and watchdog


def test_a_hard_reset_runs_no_finally_on_the_pins():
    board = board_with(BLINK)
    board.power_on()
    board.run_for(0.1)
    assert board.level(3) == 1
    board.edges.clear()
    board.reset()
    clock = board.now
    board.run_for(0.1)
    assert board.edges[0] == (clock, 0)
    assert board.edges[1][1] == HIGH  # booted again
    assert len(board.edges) == 2


def test_power_off_lets_all_pins_go_and_power_on_boots():
    board = board_with(BLINK)
    board.power_on()
    board.run_for(0.1)
    board.power_off()
    board.run_for(1)
    assert board.level(3) == 0
    assert not board.usb.mounted
    board.power_on()
    board.run_for(0.1)
    assert board.level(3) == 1


def test_soft_reset_runs_finally_boots_again_and_keeps_usb():
    board = board_with(BLINK, boot="import machine")
    board.start()
    board.usb.write(b"\x03\x04")
    board.run_for(0.002)
    assert board.level(3) == 0
    board.run_for(0.05)
    assert board.level(3) == 1
    assert b"MPY: soft reboot\r\n" in board.usb.read()
    assert board.usb.disconnects == 0
    assert board.resets == 1


def test_soft_reset_from_the_program():
    board = board_with("""
        import machine, time
        machine.Pin(3, machine.Pin.OUT).toggle()
        time.sleep_ms(20)
        machine.soft_reset()
    """)
    board.power_on()
    board.run_for(0.4)
    assert len(board.edges) > 5
    assert board.resets == 1


def test_reset_causes():
    program = """
        import machine, time
        time.sleep_ms(600)
        print("cause", machine.reset_cause())
        time.sleep_ms(300)
        {}
        time.sleep_ms(10000)
    """
    for action in ("machine.reset()", "machine.WDT(timeout=100)"):
        board = board_with(program.format(action))
        board.start()
        board.run_for(3)
        assert b"cause 1\r\n" in board.usb.read(11)
        assert b"cause 3\r\n" in board.usb.read()
    board = board_with(program.format("pass"))
    board.start()
    board.power_off()
    board.run_for(0.1)
    board.power_on()
    board.run_for(1)
    assert b"cause 1" in board.usb.read()


def test_the_microseconds_begin_anew_with_a_hard_reset_only():
    board = board_with("""
        import machine, time
        machine.Pin(3, machine.Pin.OUT, value=time.ticks_ms() > 1000)
    """)
    board.power_on()
    board.run_for(1.5)
    board.usb.write(b"\x04")
    board.run_for(0.1)
    assert board.level(3) == 1
    board.reset()
    board.run_for(0.1)
    assert board.level(3) == 0


def test_a_soft_reset_closes_dma_objects_even_in_cycles():
    board = board_with("""
        import rp2, time
        from array import array
        class Loop: pass
        loop = Loop()
        loop.self = loop
        loop.source = array("I", [0] * 1000)
        loop.dma = rp2.DMA()
        loop.dma.config(read=loop.source, write=0x50200010, count=1000, trigger=True,
                        ctrl=loop.dma.pack_ctrl(inc_write=False, treq_sel=0))
        time.sleep_ms(10000)
    """)
    board.start()
    assert board.chip.dma.channels[0].busy
    board.flash.install("/main.py", b"")
    board.usb.write(b"\x03\x04")
    board.run_for(0.1)
    assert not board.chip.dma.channels[0].busy
    assert not board.chip.dma.claimed


def test_the_watchdog_goes_on_over_a_soft_reset():
    board = board_with("import machine\nmachine.WDT(timeout=1000)")
    board.power_on()
    board.run_for(0.5)
    board.usb.write(b"\x04")
    board.flash.install("/main.py", b"")
    board.run_for(0.3)
    assert board.resets == 1
    board.run_for(0.5)
    assert board.resets == 2


def test_a_held_processor_does_nothing_while_the_hardware_goes_on():
    board = board_with(
        """
        import machine, time
        pin = machine.Pin(3, machine.Pin.OUT)
        machine.WDT(timeout=300)
        while True:
            pin.toggle()
            time.sleep_ms(1)
        """
    )
    board.power_on()
    board.run_for(0.1)
    board.hold_cpu()
    count = len(board.edges)
    board.run_for(0.1)
    assert len(board.edges) == count
    assert board.resets == 1
    board.hold_cpu(False)
    board.run_for(0.1)
    assert len(board.edges) > count + 90
    board.hold_cpu()
    board.run_for(0.5)
    assert board.resets == 2  # nobody fed it


def test_holding_from_an_event_stops_at_that_very_clock():
    board = board_with(BLINK.replace("time.sleep_ms(10)", "pin.toggle(); time.sleep_ms(1)"))
    board.power_on()
    board.run_for(0.1)
    clock = board.now + 12_345
    board.kernel.at(clock, board.hold_cpu)
    board.run_for(0.1)
    assert board.edges[-1][0] <= clock


def test_boards_of_one_process_do_not_see_each_other():
    program = """
        import machine, shared
        shared.count += 1
        machine.Pin(shared.count, machine.Pin.OUT, value=1)
    """
    boards = [board_with(program, files={"shared.py": f"count = {n}"}) for n in (3, 8)]
    for board in boards:
        board.power_on()
    for _ in range(10):
        for board in boards:
            board.run_for(0.01)
    assert [board.chip.gpio.levels for board in boards] == [1 << 4, 1 << 9]


def test_every_boot_has_fresh_modules():
    board = board_with(
        """
        import counter, machine
        counter.n += 1
        machine.Pin(counter.n, machine.Pin.OUT, value=1)
        """,
        files={"counter.py": "n = 0"},
    )
    board.power_on()
    board.run_for(BOOT_S)
    board.reset()
    board.run_for(BOOT_S)
    assert board.chip.gpio.levels == 1 << 1


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("machine.mem32[0x30000000]", HardFault),
        ("machine.mem32[0x40034000]", NotModelled),
        ("machine.UART(0)", NotModelled),
        ("machine.freq(48_000_000)", NotModelled),
    ],
)
def test_what_cannot_be_simulated_is_raised_in_the_test_not_in_the_firmware(code, error):
    board = board_with(f"""
        import machine
        pin = machine.Pin(3, machine.Pin.OUT)
        try:
            {code}
        except Exception:
            pin.value(1)
        pin.value(1)
    """)
    board.power_on()
    with pytest.raises(error):
        board.run_for(0.1)
    board.run_for(1)
    assert board.level(3) == 0  # locked up
    board.reset()
    with pytest.raises(error):
        board.run_for(0.1)


def test_a_locked_up_processor_is_reset_by_the_watchdog():
    board = board_with("import machine\nmachine.WDT(timeout=50)\nmachine.mem32[0x30000000]")
    board.power_on()
    with pytest.raises(HardFault):
        board.run_for(0.08)
    with pytest.raises(HardFault):
        board.run_for(0.1)
    assert board.resets == 2


def test_dma_from_freed_memory_is_found_out():
    board = board_with("""
        import rp2, uctypes, time
        from array import array
        source = array("I", [1] * 100)
        dma = rp2.DMA()
        program = rp2.asm_pio()(lambda: (pull(), nop()[31]))
        machine = rp2.StateMachine(0, program, freq=1_000_000)
        dma.config(read=source, write=machine, count=100,
                   ctrl=dma.pack_ctrl(inc_write=False, treq_sel=0), trigger=True)
        machine.active(1)
        time.sleep_ms(1)
        del source
        time.sleep_ms(10)
    """)
    board.power_on()
    with pytest.raises(UseAfterFree):
        board.run_for(0.2)


def test_an_endless_loop_of_swallowed_resets_does_not_hang_the_test():
    board = board_with("""
        import machine
        pin = machine.Pin(3, machine.Pin.OUT)
        while True:
            try:
                while True:
                    pin.toggle()
            except BaseException:
                pass
    """)
    board.power_on()
    board.run_for(0.05)
    board.power_off()
    board.run_for(0.1)
    assert board.level(3) == 0


def test_time_goes_exactly_as_far_as_asked():
    board = board_with(BLINK)
    board.power_on()
    for clocks in (1, 17, 1000, 12_345, 3 * MS):
        before = board.now
        board.run_for(clocks=clocks)
        assert board.now == before + clocks
