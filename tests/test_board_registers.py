"""State machines by method and by register, and other registers that firmware may use."""

import pytest
from board_rig import board_with, printed_lines

from rheobase.sim.errors import NotModelled


def test_state_machine_fifos_by_method():
    lines = printed_lines("""
        import rp2
        from array import array

        @rp2.asm_pio()
        def invert():
            pull()
            mov(isr, invert(osr))
            push()

        sm = rp2.StateMachine(0, invert, freq=1_000_000)
        sm.put(5)
        print(sm.tx_fifo(), sm.rx_fifo(), sm.active(), sm)
        sm.active(1)
        print(hex(sm.get()), sm.active())
        sm.put(0x12, 8)
        print(hex(sm.get()), end=" ")
        sm.put(array("H", [1, 2]))
        print(hex(sm.get(None, 16)), hex(sm.get()))
        sm.put(b"\\x01\\x02")
        buffer = bytearray(2)
        print(sm.get(buffer) is buffer, list(buffer))
        words = array("I", [0, 0])
        sm.put(words)
        print(list(sm.get(words)))
        try:
            sm.put(array("d", [1]))
        except ValueError as e:
            print(e)
    """)
    assert lines == [
        "1 0 False StateMachine(0)",
        "0xfffffffa True",
        "0xffffedff 0xffff 0xfffffffd",
        "True [254, 253]",
        "[4294967295, 4294967295]",
        "unsupported buffer type",
    ]


def test_put_waits_for_room():
    lines = printed_lines("""
        import rp2, time

        @rp2.asm_pio()
        def slowly():
            pull()
            nop() [31]

        sm = rp2.StateMachine(5, slowly, freq=2_000)
        sm.active(1)
        a = time.ticks_ms()
        for i in range(10):
            sm.put(i)
        print(time.ticks_diff(time.ticks_ms(), a))
    """)
    assert 75 <= int(lines[0]) <= 90


def test_exec_restart_and_program_memory():
    lines = printed_lines("""
        import machine, rp2

        @rp2.asm_pio(set_init=rp2.PIO.OUT_LOW)
        def idle():
            label("here")
            jmp("here")

        @rp2.asm_pio()
        def long():
            for _ in range(20):
                nop()

        pin = machine.Pin(3)
        sm = rp2.StateMachine(0, idle, set_base=pin)
        sm.exec("set(pins, 1)")
        print(pin())
        sm.exec(0xE000)
        print(pin())
        try:
            sm.exec("jmp(0)")
        except TypeError:
            print("no jmp")
        print(hex(machine.mem32[0x502000D4]), idle[1], idle[2])
        sm.exec(0x0000)
        print(machine.mem32[0x502000D4])
        sm.restart()
        print(machine.mem32[0x502000D4])
        pio = rp2.PIO(0)
        pio.add_program(long)
        try:
            pio.add_program(list(long))
        except OSError as e:
            print(e.errno)
        pio.remove_program(long)
        pio.add_program(list(long))
        pio.remove_program()
        print(pio.state_machine(0) is sm, rp2.PIO(1).state_machine(2), pio)
    """)
    assert lines == [
        "1", "0", "no jmp", "0x1f 31 -1", "0", "31", "12", "True StateMachine(6) PIO(0)",
    ]  # fmt: skip


def test_state_machines_started_by_one_register_write_run_in_step():
    board = board_with("""
        import machine, rp2

        @rp2.asm_pio(set_init=rp2.PIO.OUT_LOW)
        def blink():
            set(pins, 1)
            set(pins, 0)

        for n in (0, 1):
            rp2.StateMachine(n, blink, freq=1_000_000, set_base=machine.Pin(2 + n))
        machine.mem32[0x50200000 + 0x2000] = 0x303
        print(machine.mem32[0x50200000])
    """)
    board.power_on()
    board.run_for(0.1)
    assert len(board.edges) > 1000
    both = {levels >> 2 & 3 for _, levels in board.edges}
    assert both == {0, 3}
    gaps = {b[0] - a[0] for a, b in zip(board.edges, board.edges[1:], strict=False)}
    assert gaps == {125}


def test_pio_registers():
    lines = printed_lines("""
        import machine, rp2
        PIO = 0x50200000
        mem32 = machine.mem32

        @rp2.asm_pio(out_init=(rp2.PIO.OUT_HIGH, rp2.PIO.OUT_LOW))
        def program():
            irq(3)
            pull()
            out(pins, 2)
            in_(pins, 4)
            push()

        sm = rp2.StateMachine(0, program, out_base=machine.Pin(2), in_base=machine.Pin(2))
        print(hex(mem32[PIO + 0x3C]), hex(mem32[PIO + 0x40]), hex(mem32[PIO + 0x44]))
        print(hex(mem32[PIO + 0x04]))
        mem32[PIO + 0x10] = 2 << 30
        print(hex(mem32[PIO + 0x04]), hex(mem32[PIO + 0x0C]))
        sm.active(1)
        print(hex(mem32[PIO + 0x30]), hex(mem32[PIO + 0x128]), hex(mem32[PIO + 0x0C]))
        mem32[PIO + 0x30] = 8
        print(hex(mem32[PIO + 0x30]), hex(mem32[PIO + 0x20]), hex(mem32[PIO + 0x3C]))
        mem32[PIO + 0x34] = 2
        print(hex(mem32[PIO + 0x30]))
        mem32[PIO + 0xC8] = 5 << 16
        print(hex(mem32[PIO + 0xC8]), hex(mem32[PIO + 0xDC]), hex(mem32[PIO + 0xD8]))
        mem32[PIO + 0xD8] = 0xE000 | 7
        mem32[PIO + 0x3000] = 1
        print(mem32[PIO], sm.active())
    """)
    assert lines == [
        "0x4 0xc 0x200404",
        "0xf000f00",
        "0xe000f00 0x1",
        "0x8 0x800 0x10",
        "0x0 0x1 0x8",  # IN sees the pins of two clocks ago, before OUT
        "0x2",
        "0x50000 0x210002 0x80a0",
        "0 False",
    ]


def test_what_soft_reset_leaves_of_pio_pwm_and_pins():
    """Measured on a genuine image: CTRL 0, the pad still driven high, FUNCSEL PIO0."""
    board = board_with(
        """
        import machine, rp2, time

        @rp2.asm_pio(out_init=(rp2.PIO.OUT_LOW,) * 2)
        def high():
            pull()
            out(pins, 2)

        sm = rp2.StateMachine(0, high, out_base=machine.Pin(2))
        sm.active(1)
        sm.put(1 << 30)
        low_slice = machine.PWM(machine.Pin(16), freq=1000, duty_u16=30000)
        high_slice = machine.PWM(machine.Pin(9), freq=1000, duty_u16=30000)
        print("running")
        """,
        boot="""
        import machine
        m = machine.mem32
        print([hex(m[a]) for a in (0x50200000, 0x5020003C, 0x50200040, 0x40014014, 0x400500A0)])
        """,
    )
    board.start()
    board.usb.read()
    board.usb.write(b"\x04")
    board.run_for(0.1)
    text = board.usb.read().decode()
    assert "['0x0', '0x4', '0xc', '0x6', '0x10']" in text
    assert board.level(2) == 1


def test_the_timer_by_register_and_reset_cause_of_the_chip():
    lines = printed_lines("""
        import machine, time
        m = machine.mem32
        a = m[0x40054028]; t = time.ticks_us()
        print(abs(a - t) < 10, m[0x4005400C] - a < 20, m[0x40054008], m[0x40054024])
        print(hex(m[0x40064008]))
        m[0x4005800C] = 0x12345678
        print(hex(m[0x4005800C]), m[0x40058008])
    """)
    assert lines == ["True True 0 0", "0x100", "0x12345678 0"]


def test_peripherals_can_be_reset_by_register():
    lines = printed_lines("""
        import machine, rp2
        m = machine.mem32
        pwm = machine.PWM(machine.Pin(16), freq=1000, duty_u16=30000)
        pin = machine.Pin(3, machine.Pin.OUT, value=1)
        RESETS = 0x4000C000
        m[RESETS + 0x2000] = 1 << 14 | 1 << 5 | 1 << 8
        print(m[0x400500A0], pin(), hex(m[0x4001401C]), m[RESETS + 8] >> 14 & 1)
        m[RESETS + 0x3000] = 1 << 14 | 1 << 5 | 1 << 8
        print(m[RESETS + 8] >> 14 & 1)
    """)
    assert lines == ["0 0 0x1f 0", "1"]


def test_gpio_registers_force_a_pin_low_that_pio_drives():
    lines = printed_lines("""
        import machine, rp2

        @rp2.asm_pio(set_init=rp2.PIO.OUT_HIGH)
        def high():
            nop()

        sm = rp2.StateMachine(0, high, set_base=machine.Pin(2))
        control = 0x40014000 + 8 * 2 + 4
        pin = machine.Pin(2)
        print(pin(), machine.mem32[control])
        machine.mem32[control] = 6 | 2 << 8
        print(pin())
        machine.mem32[control] = 5
        print(pin())
        machine.mem32[0xD0000014] = 4
        machine.mem32[0xD0000024] = 4
        print(pin())
    """)
    assert lines == ["1 6", "0", "0", "1"]


def test_select_with_lists():
    board = board_with("""
        import select, sys
        def names(lists):
            return [len(l) for l in lists]
        sys.stdin.read(1)
        print(names(select.select([sys.stdin], [sys.stdout], [])))
        print(names(select.select([sys.stdin], [], [], 0.01)))
        print(sys.stdin.read(1), names(select.select([sys.stdin], [], [sys.stdin])))
    """)
    board.start()
    board.usb.write(b"x")
    board.run_for(0.1)
    board.usb.write(b"yz")
    board.run_for(0.1)
    assert board.usb.read().startswith(b"[0, 1, 0]\r\n[0, 0, 0]\r\ny [1, 0, 0]\r\n")


@pytest.mark.parametrize(
    "code",
    [
        "rp2.StateMachine(0).irq(print)",
        "rp2.PIO(0).irq(print, trigger=1)",
        "machine.mem32[0x40054010] = 5",
        "machine.lightsleep(10)",
        "machine.SPI(0)",
    ],
)
def test_gaps_say_so(code):
    board = board_with(f"import machine, rp2\n{code}")
    board.power_on()
    with pytest.raises(NotModelled):
        board.run_for(0.1)
